/**
 * Locks by name, for transactions that read first and write by what they read.
 *
 * On SQLite a transaction has the database to itself, so there is nothing to lock. On PostgreSQL many run at once, in many processes.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as SqlClient from "effect/sql/SqlClient"
import type * as SqlError from "effect/sql/SqlError"

/**
 * Waits until no other transaction holds the lock, and holds it until the transaction around it ends. Names are told apart by 64 bits of a
 * hash: where two share them, they wait for each other and nothing worse. Dies outside a transaction, where it would guard nothing.
 */
export const take = (sql: SqlClient.SqlClient, name: string): Effect.Effect<void, SqlError.SqlError> =>
  Effect.flatMap(Effect.serviceOption(sql.transactionService), (transaction) =>
    Option.isNone(transaction)
      ? Effect.die(new Error(`The lock "${name}" was taken outside a transaction`))
      : sql.onDialectOrElse({
          pg: () => Effect.asVoid(sql`SELECT pg_advisory_xact_lock(hashtextextended(${`chatbot: ${name}`}, 0))`),
          orElse: () => Effect.void
        })
  )

/** The same, for work that others may wait for longer than for any request: on start. */
export const takePatiently = (sql: SqlClient.SqlClient, name: string): Effect.Effect<void, SqlError.SqlError> =>
  Effect.andThen(
    sql.onDialectOrElse({
      pg: () => Effect.asVoid(sql`SET LOCAL statement_timeout = 0`),
      orElse: () => Effect.void
    }),
    take(sql, name)
  )
