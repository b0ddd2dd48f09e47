/**
 * Several changes as one: all of them are stored, or none.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as SqlError from "effect/sql/SqlError"
import { StorageFailed } from "../internal/rows.ts"

/** Several changes as one. */
export class Transactions extends Context.Service<
  Transactions,
  {
    /**
     * Runs an effect in a transaction: when it succeeds, what it changed is stored; when it does not, nothing is.
     *
     * On SQLite nobody else gets at the database meanwhile, so wait for nothing slow in it.
     */
    readonly run: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  }
>()("@effect-chatbot/server/repositories/Transactions") {
  /** The transactions of the database. */
  static readonly layer: Layer.Layer<Transactions, never, SqlClient.SqlClient> = Layer.effect(
    Transactions,
    Effect.map(SqlClient.SqlClient, (sql) => ({
      run: (effect) =>
        Effect.catchIf(sql.withTransaction(effect), SqlError.isSqlError, (error) =>
          Effect.die(new StorageFailed({ operation: "run a transaction", cause: error }))
        )
    }))
  )
}
