/**
 * The statistics group: what was used.
 */
import { BotId } from "@effect-chatbot/schema/Ids"
import * as Page from "@effect-chatbot/schema/Page"
import { PlainDate } from "@effect-chatbot/schema/PlainDate"
import { TokenUsagePage } from "@effect-chatbot/schema/TokenUsage"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { operation } from "../internal/operation.ts"
import { Nothing } from "../internal/parts.ts"
import { Problems } from "../Problems.ts"

const query = Schema.Struct({
  botId: Schema.optional(BotId),
  tokenUsageTypeId: Schema.optional(Schema.Finite.check(Schema.isInt32())),
  fromRequestDate: Schema.optional(PlainDate),
  toRequestDate: Schema.optional(PlainDate),
  ...Page.queryFields
}).pipe(
  Schema.encodeKeys({
    botId: "BotId",
    tokenUsageTypeId: "TokenUsageTypeId",
    fromRequestDate: "FromRequestDate",
    toRequestDate: "ToRequestDate",
    ...Page.queryKeys
  })
)

/** The statistics group. */
export class Statistics extends HttpApiGroup.make("statistics")
  .add(
    HttpApiEndpoint.put("recompute", "/api/statistic", {
      success: Nothing,
      error: Problems.Forbidden
    }).annotateMerge(operation({ id: "UpdateStatistic", access: "Admin", retry: "idempotent" })),
    HttpApiEndpoint.get("tokenUsage", "/api/statistic/tokenUsageStatistic", {
      query,
      success: TokenUsagePage,
      error: [Problems.InvalidRequest, Problems.Forbidden]
    }).annotateMerge(operation({ id: "GetTokenUsageStatistic", access: "Admin", retry: "safe" }))
  )
  .annotateMerge(OpenApi.annotations({ title: "Statistic", description: "What was used." })) {}
