import { Api } from "@effect-chatbot/api/Api"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { StatisticService } from "../StatisticService.ts"

/** The handlers of the statistics group. */
export const layer = HttpApiBuilder.group(
  Api,
  "statistics",
  Effect.fnUntraced(function* (handlers) {
    const statistic = yield* StatisticService
    return handlers.handleAll({
      recompute: () => statistic.recompute,
      tokenUsage: ({ query }) => statistic.list(query)
    })
  })
)
