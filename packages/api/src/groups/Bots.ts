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
    }).annotateMerge(
      operation({
        id: "SearchBotByStartBot",
        summary: "Find the bot for a message",
        description:
          "Answers the id of the bot that should take this message: for a start bot the best of its linked bots, else its default bot; for any other bot that bot itself.",
        access: "User",
        retry: "safe"
      })
    ),
    HttpApiEndpoint.get("list", "/api/bots", {
      query: PageQuery,
      success: BotPage,
      error: Problems.InvalidRequest
    }).annotateMerge(
      operation({
        id: "GetBots",
        summary: "List the bots",
        description: "A page of the bots the user may chat with.",
        access: "User",
        retry: "safe"
      })
    ),
    HttpApiEndpoint.get("listByStartBot", "/api/bots/bystartbot/:startBotId", {
      params: { startBotId: BotId },
      query: PageQuery,
      success: BotPage,
      error: [Problems.InvalidRequest, Problems.BotNotFound]
    }).annotateMerge(
      operation({
        id: "GetBotsByStartBot",
        summary: "List the bots of a start bot",
        description: "A page of the bots that a start bot routes to.",
        access: "User",
        retry: "safe"
      })
    ),
    HttpApiEndpoint.get("startBots", "/api/bots/startbots", {
      query: PageQuery,
      success: BotPage,
      error: Problems.InvalidRequest
    }).annotateMerge(
      operation({
        id: "GetStartBots",
        summary: "List the start bots",
        description: "A page of the bots that route to others.",
        access: "User",
        retry: "safe"
      })
    ),
    HttpApiEndpoint.get("image", "/api/bots/botimage/:botId", {
      params: { botId: BotId },
      success: HttpApiSchema.StreamUint8Array({ contentType: "image/*" }),
      error: [Problems.InvalidRequest, Problems.BotNotFound, Problems.BotImageNotFound]
    }).annotateMerge(
      operation({
        id: "GetBotImage",
        summary: "Get the image of a bot",
        description:
          "A PNG, JPEG, WebP or GIF, with an `ETag`. Without a token only the image of the open bot is shown.",
        access: "Anyone",
        retry: "safe"
      })
    ),
    HttpApiEndpoint.get("stopAll", "/api/bots/stop", {
      success: Schema.Boolean,
      error: Problems.Forbidden
    }).annotateMerge(
      operation({
        id: "IsStopAllBots",
        summary: "Stop all bots",
        description:
          "Breaks off every running completion of every bot and answers `true`. It changes state although it is a GET.",
        access: "Admin",
        retry: "never"
      })
    )
  )
  .annotateMerge(
    OpenApi.annotations({ title: "Bots", description: "Finding bots, their images, and stopping them." })
  ) {}
