/**
 * Several changes as one: all of them are stored, or none.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as SqlClient from "effect/sql/SqlClient"
import * as SqlError from "effect/sql/SqlError"
import { orDie, StorageFailed } from "../internal/rows.ts"
import * as Lock from "../sql/Lock.ts"

/** How often a transaction is begun again. */
const retries = 5

/** What can only be because others changed the database at the same time: one after the other, it does not happen. */
const clashes: ReadonlySet<SqlError.SqlErrorReason["_tag"]> = new Set([
  "ConstraintError",
  "DeadlockError",
  "SerializationError",
  "UniqueViolation"
])

const isClash = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.some((reason) => {
    const failure = Cause.isFailReason(reason) ? reason.error : Cause.isDieReason(reason) ? reason.defect : undefined
    const error = failure instanceof StorageFailed ? failure.cause : failure
    return SqlError.isSqlError(error) && clashes.has(error.reason._tag)
  })

/** Several changes as one. */
export class Transactions extends Context.Service<
  Transactions,
  {
    /**
     * Runs an effect in a transaction: when it succeeds, what it changed is stored; when it does not, nothing is.
     *
     * On SQLite nobody else gets at the database meanwhile, so wait for nothing slow in it. On PostgreSQL others do: what is read may have
     * changed when something is written by it, unless it is guarded by a `lock`. Where the effect meets with a change of others that the
     * database refuses, it is run again from the start, so what it does beside the database must bear to be done again.
     */
    readonly run: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
    /**
     * Lets no other transaction hold a lock of these names until the one around this ends. To be taken before anything is read by which is
     * written. Names are of one kind of thing and its id, such as `bot 01…`.
     */
    readonly lock: (...names: ReadonlyArray<string>) => Effect.Effect<void>
  }
>()("@effect-chatbot/server/repositories/Transactions") {
  /** The transactions of the database. */
  static readonly layer: Layer.Layer<Transactions, never, SqlClient.SqlClient> = Layer.effect(
    Transactions,
    Effect.map(SqlClient.SqlClient, (sql) => {
      const once = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
        Effect.catchIf(sql.withTransaction(effect), SqlError.isSqlError, (error) =>
          Effect.die(new StorageFailed({ operation: "run a transaction", cause: error }))
        )
      const again = <A, E, R>(effect: Effect.Effect<A, E, R>, left: number): Effect.Effect<A, E, R> =>
        Effect.catchCauseIf(
          once(effect),
          (cause) => left > 0 && isClash(cause),
          () => again(effect, left - 1)
        )
      const hasClashes = sql.onDialectOrElse({ pg: () => true, orElse: () => false })
      return {
        run: (effect) =>
          Effect.flatMap(Effect.serviceOption(sql.transactionService), (outer) =>
            // Only the outermost can begin again.
            hasClashes && Option.isNone(outer) ? again(effect, retries) : once(effect)
          ),
        // All take them in one order, so that no two wait for each other.
        lock: (...names) =>
          Effect.forEach(names.toSorted(), (name) => Lock.take(sql, name), { discard: true }).pipe(
            orDie("lock something")
          )
      }
    })
  )
}
