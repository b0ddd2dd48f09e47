/**
 * The statistic of used tokens, for admins.
 */
import type { InvalidRequest } from "@effect-chatbot/schema/Errors"
import type { Page } from "@effect-chatbot/schema/Page"
import { TokenUsage, type TokenUsageQuery } from "@effect-chatbot/schema/TokenUsage"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Paging from "./Paging.ts"
import { TokenUsageRepository } from "./repositories/TokenUsageRepository.ts"

/** The statistic of used tokens: a row for each day (UTC), bot and kind of use. */
export class StatisticService extends Context.Service<
  StatisticService,
  {
    /** The latest days first, unless another order is asked for. */
    readonly list: (query: TokenUsageQuery) => Effect.Effect<Page<TokenUsage>, InvalidRequest>
    /** Draws the statistic anew from the ledger. What it was drawn as, use by use, is the same. */
    readonly recompute: Effect.Effect<void>
  }
>()("@effect-chatbot/server/StatisticService") {
  /** The statistic in the database. */
  static readonly layer: Layer.Layer<StatisticService, never, TokenUsageRepository> = Layer.effect(
    StatisticService,
    Effect.gen(function* () {
      const usage = yield* TokenUsageRepository

      const list = Effect.fn("StatisticService.list")(function* (query: TokenUsageQuery) {
        const request = yield* Paging.request(query, {
          fields: TokenUsage.fields,
          orderBy: "requestDate",
          descending: true
        })
        const { rows, total } = yield* usage.statistic(query, request)
        const items = rows.map((row) => Object.assign({ totalTokens: row.promptTokens + row.completionTokens }, row))
        return Paging.page(request, { total, rows: items })
      })

      return { list, recompute: usage.recompute }
    })
  )
}
