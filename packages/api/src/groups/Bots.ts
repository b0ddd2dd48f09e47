/**
 * The bots group: finding bots, their images, and stopping them.
 */
import { BotPage, BotSearch } from "@effect-chatbot/schema/Bot"
import { BotId } from "@effect-chatbot/schema/Ids"
import { PageQuery } from "@effect-chatbot/schema/Page"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { operation } from "../internal/operation.ts"
import { bareText } from "../internal/parts.ts"
import { Problems } from "../Problems.ts"

/** The bots group. */
export class Bots extends HttpApiGroup.make("bots")
  .add(
    HttpApiEndpoint.post("search", "/api/bots/:botId/search", {
      params: { botId: BotId },
      payload: BotSearch,
      success: bareText(BotId),
      error: [Problems.InvalidRequest, Problems.BotNotFound, Problems.PayloadTooLarge]
    }).annotateMerge(operation({ id: "SearchBotByStartBot", access: "User", retry: "safe" })),
    HttpApiEndpoint.get("list", "/api/bots", {
      query: PageQuery,
      success: BotPage,
      error: Problems.InvalidRequest
    }).annotateMerge(operation({ id: "GetBots", access: "User", retry: "safe" })),
    HttpApiEndpoint.get("listByStartBot", "/api/bots/bystartbot/:startBotId", {
      params: { startBotId: BotId },
      query: PageQuery,
      success: BotPage,
      error: [Problems.InvalidRequest, Problems.BotNotFound]
    }).annotateMerge(operation({ id: "GetBotsByStartBot", access: "User", retry: "safe" })),
    HttpApiEndpoint.get("startBots", "/api/bots/startbots", {
      query: PageQuery,
      success: BotPage,
      error: Problems.InvalidRequest
    }).annotateMerge(operation({ id: "GetStartBots", access: "User", retry: "safe" })),
    HttpApiEndpoint.get("image", "/api/bots/botimage/:botId", {
      params: { botId: BotId },
      success: HttpApiSchema.StreamUint8Array({ contentType: "image/*" }),
      error: [Problems.InvalidRequest, Problems.BotNotFound, Problems.BotImageNotFound]
    }).annotateMerge(operation({ id: "GetBotImage", access: "Anyone", retry: "safe" })),
    HttpApiEndpoint.get("stopAll", "/api/bots/stop", {
      success: Schema.Boolean,
      error: Problems.Forbidden
    }).annotateMerge(operation({ id: "IsStopAllBots", access: "Admin", retry: "never" }))
  )
  .annotateMerge(
    OpenApi.annotations({ title: "Bots", description: "Finding bots, their images, and stopping them." })
  ) {}
