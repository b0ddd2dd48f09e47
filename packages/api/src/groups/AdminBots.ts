/**
 * The adminBots group: the bots, with their facts, links, feedback and configurations.
 */
import {
  AdminBot,
  AdminBotPage,
  BotConfiguration,
  CreateBot,
  CreatedBot,
  ImplementationTypes,
  UpdateBot,
  UpdateBotConfiguration
} from "@effect-chatbot/schema/AdminBot"
import {
  AcsConfiguration,
  AzureOpenAiSearchConfiguration,
  UpdateAcsConfiguration,
  UpdateAzureOpenAiSearchConfiguration
} from "@effect-chatbot/schema/AzureConfiguration"
import { BotFactPage, CreateBotFact, CreatedBotFact, UpdateBotFact } from "@effect-chatbot/schema/BotFact"
import { BotFeedbackPage, UpdateBotFeedback } from "@effect-chatbot/schema/BotFeedback"
import { CreateBotLink, LinkedBotPage, UnassignedBotPage, UpdateBotLink } from "@effect-chatbot/schema/BotLink"
import { BotFactId, BotId, FeedbackId } from "@effect-chatbot/schema/Ids"
import * as Page from "@effect-chatbot/schema/Page"
import { TextBoolean } from "@effect-chatbot/schema/TextBoolean"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { operation } from "../internal/operation.ts"
import { keyErrors, Nothing } from "../internal/parts.ts"
import { IdempotencyKeys } from "../middleware/IdempotencyKeys.ts"
import { Problems } from "../Problems.ts"

const params = { botId: BotId }
const fact = { ...params, botFactId: BotFactId }
const feedback = { ...params, feedbackId: FeedbackId }
const startBot = { startBotId: BotId }
const link = { ...startBot, ...params }

const feedbackQuery = Schema.Struct({
  filterByVote: Schema.optional(Schema.Finite.check(Schema.isInt32())),
  showFeedbacksWithoutStatus: Schema.optional(TextBoolean),
  showFeedbacksWithStatus: Schema.optional(TextBoolean),
  filterByStatus: Schema.optional(Schema.Finite.check(Schema.isInt32())),
  ...Page.queryFields
}).pipe(
  Schema.encodeKeys({
    filterByVote: "FilterByVote",
    showFeedbacksWithoutStatus: "ShowFeedbacksWithoutStatus",
    showFeedbacksWithStatus: "ShowFeedbacksWithStatus",
    filterByStatus: "FilterByStatus",
    ...Page.queryKeys
  })
)

/** The adminBots group. */
export class AdminBots extends HttpApiGroup.make("adminBots")
  .add(
    HttpApiEndpoint.get("list", "/api/admin/bots", {
      query: Page.PageQuery,
      success: AdminBotPage,
      error: [Problems.InvalidRequest, Problems.Forbidden]
    }).annotateMerge(operation({ id: "AdminGetBots", access: "Admin", retry: "safe" })),
    HttpApiEndpoint.post("create", "/api/admin/bots", {
      payload: CreateBot,
      success: CreatedBot,
      error: [
        Problems.InvalidRequest,
        Problems.Forbidden,
        Problems.OpenAiServiceNotFound,
        Problems.BotCodeTaken,
        Problems.PayloadTooLarge,
        ...keyErrors
      ]
    })
      .middleware(IdempotencyKeys)
      .annotateMerge(operation({ id: "AdminCreateBot", access: "Admin", retry: "keyed" })),
    HttpApiEndpoint.get("listStartBots", "/api/admin/bots/startbots", {
      query: Page.PageQuery,
      success: AdminBotPage,
      error: [Problems.InvalidRequest, Problems.Forbidden]
    }).annotateMerge(operation({ id: "AdminGetStartBots", access: "Admin", retry: "safe" })),
    HttpApiEndpoint.get("implementationTypes", "/api/admin/bots/implementationTypes", {
      success: ImplementationTypes,
      error: Problems.Forbidden
    }).annotateMerge(operation({ id: "AdminGetBotImplementationTypes", access: "Admin", retry: "safe" })),
    HttpApiEndpoint.put("setStopped", "/api/admin/bots/stop/:isStopAllBots", {
      params: { isStopAllBots: TextBoolean },
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.Forbidden]
    }).annotateMerge(operation({ id: "AdminStopAllBots", access: "Admin", retry: "idempotent" })),
    HttpApiEndpoint.get("get", "/api/admin/bots/:botId", {
      params,
      success: AdminBot,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound]
    }).annotateMerge(operation({ id: "AdminGetBot", access: "Admin", retry: "safe" })),
    HttpApiEndpoint.put("update", "/api/admin/bots/:botId", {
      params,
      payload: UpdateBot,
      success: Nothing,
      error: [
        Problems.InvalidRequest,
        Problems.Forbidden,
        Problems.BotNotFound,
        Problems.OpenAiServiceNotFound,
        Problems.BotCodeTaken,
        Problems.PayloadTooLarge
      ]
    }).annotateMerge(operation({ id: "AdminUpdateBot", access: "Admin", retry: "idempotent" })),
    HttpApiEndpoint.delete("delete", "/api/admin/bots/:botId", {
      params,
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound]
    }).annotateMerge(operation({ id: "AdminDeleteBot", access: "Admin", retry: "idempotent" })),
    HttpApiEndpoint.get("listFacts", "/api/admin/bots/:botId/facts", {
      params,
      query: Page.PageQuery,
      success: BotFactPage,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound]
    }).annotateMerge(operation({ id: "AdminGetBotFacts", access: "Admin", retry: "safe" })),
    HttpApiEndpoint.post("createFact", "/api/admin/bots/:botId/facts", {
      params,
      payload: CreateBotFact,
      success: CreatedBotFact,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound, Problems.PayloadTooLarge, ...keyErrors]
    })
      .middleware(IdempotencyKeys)
      .annotateMerge(operation({ id: "AdminCreateBotFact", access: "Admin", retry: "keyed" })),
    HttpApiEndpoint.put("updateFact", "/api/admin/bots/:botId/facts/:botFactId", {
      params: fact,
      payload: UpdateBotFact,
      success: Nothing,
      error: [
        Problems.InvalidRequest,
        Problems.Forbidden,
        Problems.BotNotFound,
        Problems.BotFactNotFound,
        Problems.PayloadTooLarge
      ]
    }).annotateMerge(operation({ id: "AdminUpdateBotFact", access: "Admin", retry: "idempotent" })),
    HttpApiEndpoint.delete("deleteFact", "/api/admin/bots/:botId/facts/:botFactId", {
      params: fact,
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound, Problems.BotFactNotFound]
    }).annotateMerge(operation({ id: "AdminDeleteBotFact", access: "Admin", retry: "idempotent" })),
    HttpApiEndpoint.get("listLinks", "/api/admin/bots/:startBotId/bots", {
      params: startBot,
      query: Page.PageQuery,
      success: LinkedBotPage,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound]
    }).annotateMerge(operation({ id: "AdminGetStartBotBots", access: "Admin", retry: "safe" })),
    HttpApiEndpoint.get("listUnassigned", "/api/admin/bots/:startBotId/unassignedbots", {
      params: startBot,
      query: Page.PageQuery,
      success: UnassignedBotPage,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound]
    }).annotateMerge(operation({ id: "AdminGetStartBotUnassignedBots", access: "Admin", retry: "safe" })),
    HttpApiEndpoint.post("createLink", "/api/admin/bots/:startBotId/bots/:botId", {
      params: link,
      payload: CreateBotLink,
      success: Nothing,
      error: [
        Problems.InvalidRequest,
        Problems.Forbidden,
        Problems.BotNotFound,
        Problems.BotAlreadyLinked,
        Problems.PayloadTooLarge,
        ...keyErrors
      ]
    })
      .middleware(IdempotencyKeys)
      .annotateMerge(operation({ id: "AdminCreateStartBotBot", access: "Admin", retry: "keyed" })),
    HttpApiEndpoint.put("updateLink", "/api/admin/bots/:startBotId/bots/:botId", {
      params: link,
      payload: UpdateBotLink,
      success: Nothing,
      error: [
        Problems.InvalidRequest,
        Problems.Forbidden,
        Problems.BotNotFound,
        Problems.BotLinkNotFound,
        Problems.PayloadTooLarge
      ]
    }).annotateMerge(operation({ id: "AdminUpdateStartBotBot", access: "Admin", retry: "idempotent" })),
    HttpApiEndpoint.delete("deleteLink", "/api/admin/bots/:startBotId/bots/:botId", {
      params: link,
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound, Problems.BotLinkNotFound]
    }).annotateMerge(operation({ id: "AdminDeleteStartBotBot", access: "Admin", retry: "idempotent" })),
    HttpApiEndpoint.get("listFeedback", "/api/admin/bots/:botId/feedback", {
      params,
      query: feedbackQuery,
      success: BotFeedbackPage,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound]
    }).annotateMerge(operation({ id: "AdminGetBotFeedback", access: "Admin", retry: "safe" })),
    HttpApiEndpoint.put("updateFeedback", "/api/admin/bots/:botId/feedback/:feedbackId", {
      params: feedback,
      payload: UpdateBotFeedback,
      success: Nothing,
      error: [
        Problems.InvalidRequest,
        Problems.Forbidden,
        Problems.BotNotFound,
        Problems.FeedbackNotFound,
        Problems.PayloadTooLarge
      ]
    }).annotateMerge(operation({ id: "AdminUpdateBotFeedback", access: "Admin", retry: "idempotent" })),
    HttpApiEndpoint.get("getAcsConfiguration", "/api/admin/bots/:botId/acsBotConfiguration", {
      params,
      success: AcsConfiguration,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound]
    }).annotateMerge(operation({ id: "AdminGetAcsBotConfiguration", access: "Admin", retry: "safe" })),
    HttpApiEndpoint.put("updateAcsConfiguration", "/api/admin/bots/:botId/acsBotConfiguration", {
      params,
      payload: UpdateAcsConfiguration,
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound, Problems.PayloadTooLarge]
    }).annotateMerge(operation({ id: "AdminUpdateAcsBotConfiguration", access: "Admin", retry: "idempotent" })),
    HttpApiEndpoint.get("getSearchConfiguration", "/api/admin/bots/:botId/azureOpenAISearchBotConfiguration", {
      params,
      success: AzureOpenAiSearchConfiguration,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound]
    }).annotateMerge(operation({ id: "AdminGetAzureOpenAISearchBotConfiguration", access: "Admin", retry: "safe" })),
    HttpApiEndpoint.put("updateSearchConfiguration", "/api/admin/bots/:botId/azureOpenAISearchBotConfiguration", {
      params,
      payload: UpdateAzureOpenAiSearchConfiguration,
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound, Problems.PayloadTooLarge]
    }).annotateMerge(
      operation({ id: "AdminUpdateAzureOpenAISearchBotConfiguration", access: "Admin", retry: "idempotent" })
    ),
    HttpApiEndpoint.get("getConfiguration", "/api/admin/bots/:botId/configuration", {
      params,
      success: BotConfiguration,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound]
    }).annotateMerge(operation({ id: "AdminGetBotConfiguration", access: "Admin", retry: "safe" })),
    HttpApiEndpoint.put("updateConfiguration", "/api/admin/bots/:botId/configuration", {
      params,
      payload: UpdateBotConfiguration,
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound, Problems.PayloadTooLarge]
    }).annotateMerge(operation({ id: "AdminUpdateBotConfiguration", access: "Admin", retry: "idempotent" }))
  )
  .annotateMerge(
    OpenApi.annotations({
      title: "AdminBot",
      description: "The bots, with their facts, links, feedback and configurations."
    })
  ) {}
