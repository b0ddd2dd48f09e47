/**
 * The users group: the current user, that user's chats and user system messages.
 */
import { ChatPage, SetFavorite } from "@effect-chatbot/schema/Chat"
import { BotId, ChatId, CompletionId, UserSystemMessageId } from "@effect-chatbot/schema/Ids"
import * as Page from "@effect-chatbot/schema/Page"
import { TextBoolean } from "@effect-chatbot/schema/TextBoolean"
import {
  CurrentUser,
  EditUserSystemMessage,
  UpdateCurrentUser,
  UserSystemMessage,
  UserSystemMessageCount,
  UserSystemMessagePage
} from "@effect-chatbot/schema/User"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { operation } from "../internal/operation.ts"
import { bareText, keyErrors, Nothing } from "../internal/parts.ts"
import { IdempotencyKeys } from "../middleware/IdempotencyKeys.ts"
import { Problems } from "../Problems.ts"

const chatQuery = Schema.Struct({
  onlyFavorites: Schema.optional(TextBoolean),
  ...Page.queryFields
}).pipe(Schema.encodeKeys({ onlyFavorites: "OnlyFavorites", ...Page.queryKeys }))

const messageParams = { userSystemMessageId: UserSystemMessageId }

/** The users group. */
export class Users extends HttpApiGroup.make("users")
  .add(
    HttpApiEndpoint.get("current", "/api/users/current", {
      success: CurrentUser
    }).annotateMerge(operation({ id: "GetCurrentUser", access: "User", retry: "safe" })),
    HttpApiEndpoint.put("update", "/api/users/current", {
      payload: UpdateCurrentUser,
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.PayloadTooLarge]
    }).annotateMerge(operation({ id: "UpdateCurrentUser", access: "User", retry: "idempotent" })),
    HttpApiEndpoint.put("acceptTerms", "/api/users/current/acceptTerms", {
      success: Nothing
    }).annotateMerge(operation({ id: "AcceptTerms", access: "User", retry: "idempotent" })),
    HttpApiEndpoint.delete("deleteChats", "/api/users/current/chats/all/:keepfavorites", {
      params: { keepfavorites: TextBoolean },
      success: Nothing,
      error: Problems.InvalidRequest
    }).annotateMerge(operation({ id: "DeleteCurrentUserChats", access: "User", retry: "idempotent" })),
    HttpApiEndpoint.delete("deleteChat", "/api/users/current/chats/byid/:chatid", {
      params: { chatid: ChatId },
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.ChatNotFound]
    }).annotateMerge(operation({ id: "DeleteCurrentUserChatById", access: "User", retry: "idempotent" })),
    HttpApiEndpoint.delete("deleteCompletion", "/api/users/current/chats/:chatid/completion/:completionid", {
      params: { chatid: ChatId, completionid: CompletionId },
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.ChatNotFound, Problems.CompletionNotFound]
    }).annotateMerge(operation({ id: "DeleteCurrentUserChatCompletionById", access: "User", retry: "idempotent" })),
    HttpApiEndpoint.delete("deleteChatsByBot", "/api/users/current/chats/bybot/:botid/:keepfavorites", {
      params: { botid: BotId, keepfavorites: TextBoolean },
      success: Nothing,
      error: Problems.InvalidRequest
    }).annotateMerge(operation({ id: "DeleteCurrentUserChatsByBotId", access: "User", retry: "idempotent" })),
    HttpApiEndpoint.delete(
      "deleteChatsByBotAndSystemMessage",
      "/api/users/current/chats/bybot/:botid/:systemmessageid/:keepfavorites",
      {
        params: { botid: BotId, systemmessageid: UserSystemMessageId, keepfavorites: TextBoolean },
        success: Nothing,
        error: Problems.InvalidRequest
      }
    ).annotateMerge(
      operation({ id: "DeleteCurrentUserChatsByBotIdAndSystemMessageId", access: "User", retry: "idempotent" })
    ),
    HttpApiEndpoint.get("chatsByBot", "/api/users/current/chats/:botid", {
      params: { botid: BotId },
      query: chatQuery,
      success: ChatPage,
      error: Problems.InvalidRequest
    }).annotateMerge(operation({ id: "GetCurrentUserChatsByBot", access: "User", retry: "safe" })),
    HttpApiEndpoint.get("chatsByBotAndSystemMessage", "/api/users/current/chats/:botid/:usersystempromptid", {
      params: { botid: BotId, usersystempromptid: UserSystemMessageId },
      query: chatQuery,
      success: ChatPage,
      error: Problems.InvalidRequest
    }).annotateMerge(operation({ id: "GetCurrentUserChatsByBotAndSystemprompt", access: "User", retry: "safe" })),
    HttpApiEndpoint.get("chats", "/api/users/current/chats", {
      query: chatQuery,
      success: ChatPage,
      error: Problems.InvalidRequest
    }).annotateMerge(operation({ id: "GetCurrentUserChats", access: "User", retry: "safe" })),
    HttpApiEndpoint.put("setFavorite", "/api/users/current/chats/:chatid/isfavorite", {
      params: { chatid: ChatId },
      payload: SetFavorite,
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.ChatNotFound, Problems.PayloadTooLarge]
    }).annotateMerge(operation({ id: "UpdateChatIsFavorite", access: "User", retry: "idempotent" })),
    HttpApiEndpoint.get("listSystemMessages", "/api/users/current/userSystemMessage", {
      query: Page.PageQuery,
      success: UserSystemMessagePage,
      error: Problems.InvalidRequest
    }).annotateMerge(operation({ id: "GetUserSystemMessages", access: "User", retry: "safe" })),
    HttpApiEndpoint.post("createSystemMessage", "/api/users/current/userSystemMessage", {
      payload: EditUserSystemMessage,
      success: bareText(UserSystemMessageId),
      error: [Problems.InvalidRequest, Problems.PayloadTooLarge, ...keyErrors]
    })
      .middleware(IdempotencyKeys)
      .annotateMerge(operation({ id: "CreateUserSystemMessage", access: "User", retry: "keyed" })),
    HttpApiEndpoint.get("getSystemMessage", "/api/users/current/userSystemMessage/:userSystemMessageId", {
      params: messageParams,
      success: UserSystemMessage,
      error: [Problems.InvalidRequest, Problems.UserSystemMessageNotFound]
    }).annotateMerge(operation({ id: "GetUserSystemMessage", access: "User", retry: "safe" })),
    HttpApiEndpoint.put("updateSystemMessage", "/api/users/current/userSystemMessage/:userSystemMessageId", {
      params: messageParams,
      payload: EditUserSystemMessage,
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.UserSystemMessageNotFound, Problems.PayloadTooLarge]
    }).annotateMerge(operation({ id: "UpdateUserSystemMessage", access: "User", retry: "idempotent" })),
    HttpApiEndpoint.delete("deleteSystemMessage", "/api/users/current/userSystemMessage/:userSystemMessageId", {
      params: messageParams,
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.UserSystemMessageNotFound]
    }).annotateMerge(operation({ id: "DeleteUserSystemMessage", access: "User", retry: "idempotent" })),
    HttpApiEndpoint.get("countSystemMessages", "/api/users/current/userSystemMessageCount", {
      success: UserSystemMessageCount
    }).annotateMerge(operation({ id: "GetUserSystemMessageCount", access: "User", retry: "safe" }))
  )
  .annotateMerge(
    OpenApi.annotations({
      title: "Users",
      description: "The current user, that user's chats and user system messages."
    })
  ) {}
