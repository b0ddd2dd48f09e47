/**
 * The token budgets in the database: what was used of each in its period, and what is held for answers that are being written.
 */
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import { affected, iso, reader, run, touches } from "../internal/rows.ts"
import { Transactions } from "./Transactions.ts"

/** A budget in one of its periods. */
export interface Budget {
  /** Whose it is. */
  readonly subject: string
  /** Which period, such as `2026-11-27`. */
  readonly period: string
  readonly endsUtc: DateTime.Utc
}

const State = reader(Schema.Struct({ used: Schema.Int, reserved: Schema.Int }))
const Tokens = reader(Schema.Struct({ tokens: Schema.Int }))

/** The token budgets in the database. */
export class TokenBudgetRepository extends Context.Service<
  TokenBudgetRepository,
  {
    /** What was used of a budget, and what is held. */
    readonly state: (budget: Budget) => Effect.Effect<{ readonly used: number; readonly reserved: number }>
    /**
     * Holds so many tokens if what was used and what is held together are below the limit, and tells whether it was so.
     *
     * That is one statement on one row, which the database does for one caller at a time. What is held is free again after `expiresUtc`, when
     * whoever held it is gone.
     */
    readonly reserve: (
      budget: Budget,
      hold: { readonly id: string; readonly tokens: number; readonly limit: number; readonly expiresUtc: DateTime.Utc },
      now: DateTime.Utc
    ) => Effect.Effect<boolean>
    /** Counts so many tokens as used, and holds no longer what was held under this id. */
    readonly settle: (budget: Budget, id: string, tokens: number) => Effect.Effect<void>
    /** Deletes some of the budgets whose periods ended before a time, and tells how many. */
    readonly deleteEnded: (before: DateTime.Utc, limit: number) => Effect.Effect<number>
  }
>()("@effect-chatbot/server/repositories/TokenBudgetRepository") {
  /** The token budgets in the database. */
  static readonly layer: Layer.Layer<TokenBudgetRepository, never, SqlClient.SqlClient | Transactions> = Layer.effect(
    TokenBudgetRepository,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const transactions = yield* Transactions
      const is = ({ period, subject }: Budget) => sql`subject = ${subject} AND period = ${period}`
      const sum = (rows: ReadonlyArray<{ readonly tokens: number }>) =>
        rows.reduce((sum, { tokens }) => sum + tokens, 0)
      const free = (budget: Budget, tokens: number) =>
        tokens === 0
          ? Effect.void
          : run(
              "free tokens of a budget",
              sql`UPDATE token_budgets SET reserved = reserved - ${tokens} WHERE ${is(budget)}`
            )
      return {
        state: (budget) =>
          Effect.map(
            State.first("read a token budget", sql`SELECT used, reserved FROM token_budgets WHERE ${is(budget)}`),
            (state) => state ?? { used: 0, reserved: 0 }
          ),
        reserve: (budget, { expiresUtc, id, limit, tokens }, now) =>
          transactions.run(
            Effect.gen(function* () {
              const { endsUtc, period, subject } = budget
              const expired = yield* Tokens.all(
                "free tokens of a budget",
                sql`DELETE FROM token_reservations WHERE ${is(budget)} AND expires_utc <= ${iso(now)} RETURNING tokens`
              )
              yield* free(budget, sum(expired))
              const isReserved = yield* touches(
                "hold tokens of a budget",
                sql`INSERT INTO token_budgets ${sql.insert({ subject, period, used: 0, reserved: tokens, endsUtc: iso(endsUtc) })}
                  ON CONFLICT (subject, period) DO UPDATE SET reserved = token_budgets.reserved + excluded.reserved
                  WHERE token_budgets.used + token_budgets.reserved < ${limit}
                  RETURNING subject`
              )
              if (isReserved) {
                yield* run(
                  "hold tokens of a budget",
                  sql`INSERT INTO token_reservations ${sql.insert({ id, subject, period, tokens, expiresUtc: iso(expiresUtc) })}`
                )
              }
              return isReserved
            })
          ),
        settle: (budget, id, tokens) =>
          transactions.run(
            Effect.gen(function* () {
              const { endsUtc, period, subject } = budget
              const held = yield* Tokens.all(
                "settle a token budget",
                sql`DELETE FROM token_reservations WHERE id = ${id} AND ${is(budget)} RETURNING tokens`
              )
              yield* free(budget, sum(held))
              if (tokens === 0) return
              yield* run(
                "settle a token budget",
                sql`INSERT INTO token_budgets ${sql.insert({ subject, period, used: tokens, reserved: 0, endsUtc: iso(endsUtc) })}
                  ON CONFLICT (subject, period) DO UPDATE SET used = token_budgets.used + excluded.used`
              )
            })
          ),
        deleteEnded: (before, limit) =>
          affected(
            "delete token budgets",
            sql`DELETE FROM token_budgets WHERE (subject, period) IN
              (SELECT subject, period FROM token_budgets WHERE ends_utc <= ${iso(before)} LIMIT ${limit})
              RETURNING subject`
          )
      }
    })
  )
}
