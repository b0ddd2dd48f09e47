/**
 * What was used: tokens and requests, by day, bot and kind of use.
 */
import { Api } from "@effect-chatbot/api/Api"
import type { Forbidden, InvalidRequest } from "@effect-chatbot/schema/Errors"
import type { Page } from "@effect-chatbot/schema/Page"
import type { TokenUsage, TokenUsageQuery } from "@effect-chatbot/schema/TokenUsage"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"
import type * as Stream from "effect/Stream"
import type { CallError } from "./CallError.ts"
import type { ClientConfig } from "./ClientConfig.ts"
import { callOf } from "./internal/call.ts"
import { layerOf } from "./internal/connection.ts"
import { itemsOf } from "./internal/pages.ts"

const endpoints = Api.groups.statistics.endpoints
const call = callOf("statistics")

const calls = {
  recompute: call(endpoints.recompute),
  tokenUsage: call(endpoints.tokenUsage)
}

/** What was used: tokens and requests, by day, bot and kind of use. For admins. */
export class Statistics extends Context.Service<
  Statistics,
  {
    /** Computes the statistic anew from the ledger of token usage. Doing it twice does no harm. */
    readonly recompute: Effect.Effect<void, Forbidden | CallError>

    /** A page of the statistic, with a row for each day, bot and kind of use. */
    readonly tokenUsage: (
      query?: TokenUsageQuery
    ) => Effect.Effect<Page<TokenUsage>, InvalidRequest | Forbidden | CallError>

    /** The rows of all pages of {@link tokenUsage}, from `pageNumber` on. */
    readonly tokenUsageItems: (
      query?: TokenUsageQuery
    ) => Stream.Stream<TokenUsage, InvalidRequest | Forbidden | CallError>
  }
>()("@effect-chatbot/client/Statistics") {
  /** Over the {@link ClientConfig} and a transport. */
  static readonly layer: Layer.Layer<Statistics, never, ClientConfig | HttpClient.HttpClient> = layerOf(
    Statistics,
    ({ run }) => {
      const tokenUsage = (query: TokenUsageQuery = {}) => run(calls.tokenUsage, { query })
      return {
        recompute: run(calls.recompute, {}),
        tokenUsage,
        tokenUsageItems: (query = {}) => itemsOf(tokenUsage, query)
      }
    }
  )
}
