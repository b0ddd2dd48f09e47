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
    }).annotateMerge(
      operation({
        id: "AdminGetBots",
        summary: "List the bots",
        description: "A page of all bots, active or not, without their prompts.",
        access: "Admin",
        retry: "safe"
      })
    ),
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
      .annotateMerge(
        operation({
          id: "AdminCreateBot",
          summary: "Create a bot",
          description:
            "Makes a bot of one of the `implementationTypes`; another type is refused. Its code must be free.",
          access: "Admin",
          retry: "keyed"
        })
      ),
    HttpApiEndpoint.get("listStartBots", "/api/admin/bots/startbots", {
      query: Page.PageQuery,
      success: AdminBotPage,
      error: [Problems.InvalidRequest, Problems.Forbidden]
    }).annotateMerge(
      operation({
        id: "AdminGetStartBots",
        summary: "List the start bots",
        description: "A page of the bots that route to others, active or not.",
        access: "Admin",
        retry: "safe"
      })
    ),
    HttpApiEndpoint.get("implementationTypes", "/api/admin/bots/implementationTypes", {
      success: ImplementationTypes,
      error: Problems.Forbidden
    }).annotateMerge(
      operation({
        id: "AdminGetBotImplementationTypes",
        summary: "List the implementation types",
        description: "The types of bots that can be created.",
        access: "Admin",
        retry: "safe"
      })
    ),
    HttpApiEndpoint.put("setStopped", "/api/admin/bots/stop/:isStopAllBots", {
      params: { isStopAllBots: TextBoolean },
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.Forbidden]
    }).annotateMerge(
      operation({
        id: "AdminStopAllBots",
        summary: "Stop or release all bots",
        description: "While the bots are stopped, completions answer 503 `BotsStopped`; those that run are broken off.",
        access: "Admin",
        retry: "idempotent"
      })
    ),
    HttpApiEndpoint.get("get", "/api/admin/bots/:botId", {
      params,
      success: AdminBot,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound]
    }).annotateMerge(
      operation({
        id: "AdminGetBot",
        summary: "Get a bot",
        description: "One bot with its prompt and its logins, which only admins see.",
        access: "Admin",
        retry: "safe"
      })
    ),
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
    }).annotateMerge(
      operation({
        id: "AdminUpdateBot",
        summary: "Update a bot",
        description: "Changes all of a bot but its type; what is absent is cleared.",
        access: "Admin",
        retry: "idempotent"
      })
    ),
    HttpApiEndpoint.delete("delete", "/api/admin/bots/:botId", {
      params,
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound]
    }).annotateMerge(
      operation({
        id: "AdminDeleteBot",
        summary: "Delete a bot",
        description:
          "Deletes a bot with its links, facts, documents, feedback and configurations. Chats with it stay readable; nothing can be asked in them.",
        access: "Admin",
        retry: "idempotent"
      })
    ),
    HttpApiEndpoint.get("listFacts", "/api/admin/bots/:botId/facts", {
      params,
      query: Page.PageQuery,
      success: BotFactPage,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound]
    }).annotateMerge(
      operation({
        id: "AdminGetBotFacts",
        summary: "List the facts of a bot",
        description: "A page of what an admin told the bot, active or not.",
        access: "Admin",
        retry: "safe"
      })
    ),
    HttpApiEndpoint.post("createFact", "/api/admin/bots/:botId/facts", {
      params,
      payload: CreateBotFact,
      success: CreatedBotFact,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound, Problems.PayloadTooLarge, ...keyErrors]
    })
      .middleware(IdempotencyKeys)
      .annotateMerge(
        operation({
          id: "AdminCreateBotFact",
          summary: "Create a fact",
          description: "Tells the bot a fact. The very next answer knows it.",
          access: "Admin",
          retry: "keyed"
        })
      ),
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
    }).annotateMerge(
      operation({
        id: "AdminUpdateBotFact",
        summary: "Update a fact",
        description: "Changes a fact, or switches it on or off. The very next answer follows.",
        access: "Admin",
        retry: "idempotent"
      })
    ),
    HttpApiEndpoint.delete("deleteFact", "/api/admin/bots/:botId/facts/:botFactId", {
      params: fact,
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound, Problems.BotFactNotFound]
    }).annotateMerge(
      operation({
        id: "AdminDeleteBotFact",
        summary: "Delete a fact",
        description: "The very next answer does not know it any more.",
        access: "Admin",
        retry: "idempotent"
      })
    ),
    HttpApiEndpoint.get("listLinks", "/api/admin/bots/:startBotId/bots", {
      params: startBot,
      query: Page.PageQuery,
      success: LinkedBotPage,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound]
    }).annotateMerge(
      operation({
        id: "AdminGetStartBotBots",
        summary: "List the bots of a start bot",
        description: "A page of the bots that a start bot routes to, active or not.",
        access: "Admin",
        retry: "safe"
      })
    ),
    HttpApiEndpoint.get("listUnassigned", "/api/admin/bots/:startBotId/unassignedbots", {
      params: startBot,
      query: Page.PageQuery,
      success: UnassignedBotPage,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound]
    }).annotateMerge(
      operation({
        id: "AdminGetStartBotUnassignedBots",
        summary: "List the other bots",
        description: "A page of the bots that a start bot could route to and does not.",
        access: "Admin",
        retry: "safe"
      })
    ),
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
      .annotateMerge(
        operation({
          id: "AdminCreateStartBotBot",
          summary: "Link a bot to a start bot",
          description: "Lets the start bot route to the bot. A start bot cannot be linked.",
          access: "Admin",
          retry: "keyed"
        })
      ),
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
    }).annotateMerge(
      operation({
        id: "AdminUpdateStartBotBot",
        summary: "Update a link",
        description: "Changes the keywords of a link and whether it is the default.",
        access: "Admin",
        retry: "idempotent"
      })
    ),
    HttpApiEndpoint.delete("deleteLink", "/api/admin/bots/:startBotId/bots/:botId", {
      params: link,
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound, Problems.BotLinkNotFound]
    }).annotateMerge(
      operation({
        id: "AdminDeleteStartBotBot",
        summary: "Unlink a bot",
        description: "Lets the start bot route to the bot no more.",
        access: "Admin",
        retry: "idempotent"
      })
    ),
    HttpApiEndpoint.get("listFeedback", "/api/admin/bots/:botId/feedback", {
      params,
      query: feedbackQuery,
      success: BotFeedbackPage,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound]
    }).annotateMerge(
      operation({
        id: "AdminGetBotFeedback",
        summary: "List the feedback about a bot",
        description: "A page of what users said about its answers, the latest first.",
        access: "Admin",
        retry: "safe"
      })
    ),
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
    }).annotateMerge(
      operation({
        id: "AdminUpdateBotFeedback",
        summary: "Update a feedback",
        description: "Sets the status and the comment of an admin: 0 new, 1 in work, 2 done.",
        access: "Admin",
        retry: "idempotent"
      })
    ),
    HttpApiEndpoint.get("getAcsConfiguration", "/api/admin/bots/:botId/acsBotConfiguration", {
      params,
      success: AcsConfiguration,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound]
    }).annotateMerge(
      operation({
        id: "AdminGetAcsBotConfiguration",
        summary: "Get the configuration of Azure Cognitive Search",
        description: "What is stored, but for the secrets.",
        access: "Admin",
        retry: "safe"
      })
    ),
    HttpApiEndpoint.put("updateAcsConfiguration", "/api/admin/bots/:botId/acsBotConfiguration", {
      params,
      payload: UpdateAcsConfiguration,
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound, Problems.PayloadTooLarge]
    }).annotateMerge(
      operation({
        id: "AdminUpdateAcsBotConfiguration",
        summary: "Update the configuration of Azure Cognitive Search",
        description:
          "Stores it, the secrets encrypted; they are changed only where `isUpdateBlobClient` and `isUpdateSearchClient` say so. No bot type of this backend acts on it.",
        access: "Admin",
        retry: "idempotent"
      })
    ),
    HttpApiEndpoint.get("getSearchConfiguration", "/api/admin/bots/:botId/azureOpenAISearchBotConfiguration", {
      params,
      success: AzureOpenAiSearchConfiguration,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound]
    }).annotateMerge(
      operation({
        id: "AdminGetAzureOpenAISearchBotConfiguration",
        summary: "Get the configuration of the search of Azure OpenAI",
        description: "What is stored, but for the secrets.",
        access: "Admin",
        retry: "safe"
      })
    ),
    HttpApiEndpoint.put("updateSearchConfiguration", "/api/admin/bots/:botId/azureOpenAISearchBotConfiguration", {
      params,
      payload: UpdateAzureOpenAiSearchConfiguration,
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound, Problems.PayloadTooLarge]
    }).annotateMerge(
      operation({
        id: "AdminUpdateAzureOpenAISearchBotConfiguration",
        summary: "Update the configuration of the search of Azure OpenAI",
        description:
          "Stores it, the secrets encrypted; they are changed only where `isUpdateBlobClient` and `isUpdateSearchClient` say so. No bot type of this backend acts on it.",
        access: "Admin",
        retry: "idempotent"
      })
    ),
    HttpApiEndpoint.get("getConfiguration", "/api/admin/bots/:botId/configuration", {
      params,
      success: BotConfiguration,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound]
    }).annotateMerge(
      operation({
        id: "AdminGetBotConfiguration",
        summary: "Get the configuration of a bot",
        description: "The text that was stored.",
        access: "Admin",
        retry: "safe"
      })
    ),
    HttpApiEndpoint.put("updateConfiguration", "/api/admin/bots/:botId/configuration", {
      params,
      payload: UpdateBotConfiguration,
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.BotNotFound, Problems.PayloadTooLarge]
    }).annotateMerge(
      operation({
        id: "AdminUpdateBotConfiguration",
        summary: "Update the configuration of a bot",
        description: "Stores a text for programs beside the backend, which only keeps it.",
        access: "Admin",
        retry: "idempotent"
      })
    )
  )
  .annotateMerge(
    OpenApi.annotations({
      title: "AdminBot",
      description: "The bots, with their facts, links, feedback and configurations."
    })
  ) {}
