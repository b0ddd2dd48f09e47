/**
 * The ledger of used tokens in the database, and the statistic that is drawn from it.
 */
import { BotId, type UserId } from "@effect-chatbot/schema/Ids"
import { PlainDate } from "@effect-chatbot/schema/PlainDate"
import type { TokenUsage, TokenUsageQuery } from "@effect-chatbot/schema/TokenUsage"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import { contains, nullable, order, orDie, reader, run, slice } from "../internal/rows.ts"
import type { PageRequest, Slice } from "../Paging.ts"
import { Transactions } from "./Transactions.ts"

/** One use, as the ledger has it. */
export interface Use {
  readonly id: string
  readonly requestDate: PlainDate
  readonly botId: BotId
  /** Absent for an anonymous caller. */
  readonly userId: UserId | undefined
  readonly tokenUsageTypeId: number
  readonly promptTokens: number
  readonly completionTokens: number
}

/** A row of the statistic. */
export const StatisticRow = Schema.Struct({
  requestDate: PlainDate,
  botId: BotId,
  /** Absent when the bot is gone. */
  botDisplayName: nullable(Schema.String),
  tokenUsageTypeId: Schema.Int,
  userCount: Schema.Int,
  requestCount: Schema.Int,
  promptTokens: Schema.Int,
  completionTokens: Schema.Int
})

/** A row of the statistic. */
export interface StatisticRow extends Schema.Schema.Type<typeof StatisticRow> {}

/** Which rows of the statistic; all by default. */
export type StatisticFilter = Pick<TokenUsageQuery, "botId" | "tokenUsageTypeId" | "fromRequestDate" | "toRequestDate">

/** All anonymous use counts as that of one user; ids of users start at 1. */
const anonymous = 0

const Row = reader(StatisticRow)

/** The ledger of used tokens in the database, and the statistic that is drawn from it. */
export class TokenUsageRepository extends Context.Service<
  TokenUsageRepository,
  {
    /** Writes a use into the ledger and counts it in the statistic, both or none. */
    readonly record: (use: Use) => Effect.Effect<void>
    readonly statistic: (
      filter: StatisticFilter,
      request: PageRequest<keyof TokenUsage>
    ) => Effect.Effect<Slice<StatisticRow>>
    /** Draws the statistic anew from the ledger. */
    readonly recompute: Effect.Effect<void>
  }
>()("@effect-chatbot/server/repositories/TokenUsageRepository") {
  /** The ledger and the statistic in the database. */
  static readonly layer: Layer.Layer<TokenUsageRepository, never, SqlClient.SqlClient | Transactions> = Layer.effect(
    TokenUsageRepository,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const transactions = yield* Transactions
      const orders = {
        requestDate: "s.request_date",
        botId: "s.bot_id",
        botDisplayName: "coalesce(b.search_name, '')",
        tokenUsageTypeId: "s.token_usage_type_id",
        userCount: "s.user_count",
        requestCount: "s.request_count",
        promptTokens: "s.prompt_tokens",
        completionTokens: "s.completion_tokens",
        totalTokens: "s.prompt_tokens + s.completion_tokens"
      } as const
      const record = Effect.fnUntraced(function* ({ userId: user, ...use }: Use) {
        const userId = user ?? anonymous
        const { botId, completionTokens, promptTokens, requestDate, tokenUsageTypeId } = use
        // The first use by a user counts the user, once.
        yield* transactions.lock(`usage ${requestDate} ${botId} ${tokenUsageTypeId}`)
        const before = yield* sql`SELECT 1 AS known FROM token_usage
          WHERE request_date = ${requestDate} AND bot_id = ${botId} AND token_usage_type_id = ${tokenUsageTypeId}
            AND user_id = ${userId}
          LIMIT 1`
        yield* sql`INSERT INTO token_usage ${sql.insert({ ...use, userId })}`
        yield* sql`INSERT INTO token_usage_statistic ${sql.insert({
          requestDate,
          botId,
          tokenUsageTypeId,
          userCount: before.length === 0 ? 1 : 0,
          requestCount: 1,
          promptTokens,
          completionTokens
        })} ON CONFLICT (request_date, bot_id, token_usage_type_id) DO UPDATE SET
          user_count = token_usage_statistic.user_count + excluded.user_count,
          request_count = token_usage_statistic.request_count + excluded.request_count,
          prompt_tokens = token_usage_statistic.prompt_tokens + excluded.prompt_tokens,
          completion_tokens = token_usage_statistic.completion_tokens + excluded.completion_tokens`
      }, orDie("record the use of tokens"))
      return {
        record: (use) => transactions.run(record(use)),
        statistic: (filter, request) => {
          const joins = sql.literal("token_usage_statistic s LEFT JOIN bots b ON b.id = s.bot_id")
          const where = sql.and([
            ...(filter.botId === undefined ? [] : [sql`s.bot_id = ${filter.botId}`]),
            ...(filter.tokenUsageTypeId === undefined ? [] : [sql`s.token_usage_type_id = ${filter.tokenUsageTypeId}`]),
            ...(filter.fromRequestDate === undefined ? [] : [sql`s.request_date >= ${filter.fromRequestDate}`]),
            ...(filter.toRequestDate === undefined ? [] : [sql`s.request_date <= ${filter.toRequestDate}`]),
            ...(request.search === undefined ? [] : [contains(sql, "b.search_name", request.search)])
          ])
          return slice("read the statistic", Row, {
            count: sql`SELECT CAST(count(*) AS INTEGER) AS total FROM ${joins} WHERE ${where}`,
            rows: sql`SELECT s.request_date, s.bot_id, b.display_name AS bot_display_name, s.token_usage_type_id,
                s.user_count, s.request_count, s.prompt_tokens, s.completion_tokens
              FROM ${joins} WHERE ${where}
              ${order(sql, request, orders, ["s.request_date", "s.bot_id", "s.token_usage_type_id"])}`
          })
        },
        recompute: transactions.run(
          Effect.forEach(
            [
              // Every use is either counted here, or recorded after this.
              ...sql.onDialectOrElse({ pg: () => [sql`LOCK TABLE token_usage IN SHARE MODE`], orElse: () => [] }),
              sql`DELETE FROM token_usage_statistic`,
              sql`INSERT INTO token_usage_statistic (request_date, bot_id, token_usage_type_id, user_count, request_count,
                prompt_tokens, completion_tokens)
              SELECT request_date, bot_id, token_usage_type_id, count(DISTINCT user_id), count(*),
                sum(prompt_tokens), sum(completion_tokens)
              FROM token_usage GROUP BY request_date, bot_id, token_usage_type_id`
            ],
            (statement) => run("recompute the statistic", statement),
            { discard: true }
          )
        )
      }
    })
  )
}
