/**
 * The chats group: chats, the questions asked in them, and the files their answers name.
 */
import { OpenChatBot } from "@effect-chatbot/schema/Bot"
import {
  Chat,
  Completion,
  CompletionRequest,
  CreateChat,
  CreateChatByBotCode,
  CreatedChat,
  Feedback,
  RenameChat,
  SetChatUserSystemMessage,
  StoredFeedback
} from "@effect-chatbot/schema/Chat"
import { ChatId, CompletionId, Ticket } from "@effect-chatbot/schema/Ids"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { operation } from "../internal/operation.ts"
import { bareText, eventStream, keyErrors, Nothing } from "../internal/parts.ts"
import { IdempotencyKeys } from "../middleware/IdempotencyKeys.ts"
import { Problems } from "../Problems.ts"

const params = { chatId: ChatId }
const completion = { ...params, completionId: CompletionId }

/** The number of an event; of nothing, that of the event before the first. */
const EventId = Schema.String.check(Schema.isPattern(/^\d{0,9}$/)).pipe(
  Schema.decodeTo(Schema.Int, SchemaTransformation.transform({ decode: Number, encode: String }))
)

/** The rest of a path; where there is none, the empty one, which leads to nothing. */
const Rest = Schema.String.pipe(Schema.withDecodingDefaultKey(Effect.succeed("")))

/** The chats group. */
export class Chats extends HttpApiGroup.make("chats")
  .add(
    HttpApiEndpoint.post("create", "/api/chats", {
      payload: CreateChat,
      success: CreatedChat,
      error: [
        Problems.InvalidRequest,
        Problems.TermsNotAccepted,
        Problems.BotNotFound,
        Problems.PayloadTooLarge,
        ...keyErrors
      ]
    })
      .middleware(IdempotencyKeys)
      .annotateMerge(operation({ id: "CreateChat", access: "Anyone", retry: "keyed" })),
    HttpApiEndpoint.post("createByBotCode", "/api/chats/create/bybotcode", {
      payload: CreateChatByBotCode,
      success: CreatedChat,
      error: [
        Problems.InvalidRequest,
        Problems.TermsNotAccepted,
        Problems.BotNotFound,
        Problems.PayloadTooLarge,
        ...keyErrors
      ]
    })
      .middleware(IdempotencyKeys)
      .annotateMerge(operation({ id: "CreateChatByBotCode", access: "Anyone", retry: "keyed" })),
    HttpApiEndpoint.post("complete", "/api/chats/:chatId/completions", {
      params,
      payload: CompletionRequest,
      success: [Completion, eventStream],
      error: [
        Problems.InvalidRequest,
        Problems.Forbidden,
        Problems.ChatNotFound,
        Problems.ChatBusy,
        Problems.PayloadTooLarge,
        Problems.ProviderFailed,
        Problems.ProviderTimedOut,
        Problems.BotsStopped,
        ...keyErrors
      ]
    })
      .middleware(IdempotencyKeys)
      .annotateMerge(operation({ id: "ChatCompletion", access: "Anyone", retry: "keyed" })),
    HttpApiEndpoint.get("events", "/api/chats/:chatId/completions/:completionId/events", {
      params: completion,
      headers: { "last-event-id": Schema.optionalKey(EventId) },
      success: eventStream,
      error: [Problems.InvalidRequest, Problems.ChatNotFound, Problems.CompletionNotFound]
    }).annotateMerge(operation({ id: "GetChatCompletionEvents", access: "Anyone", retry: "safe" })),
    HttpApiEndpoint.post("stop", "/api/chats/:chatId/completions/:completionId/stop", {
      params: completion,
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.ChatNotFound, Problems.CompletionNotFound]
    }).annotateMerge(operation({ id: "StopChatCompletion", access: "Anyone", retry: "idempotent" })),
    HttpApiEndpoint.get("openBot", "/api/chats/OpenChatBotId", {
      success: OpenChatBot
    }).annotateMerge(operation({ id: "GetOpenChatBotId", access: "Anyone", retry: "safe" })),
    HttpApiEndpoint.get("get", "/api/chats/:chatId", {
      params,
      success: Chat,
      error: [Problems.InvalidRequest, Problems.ChatNotFound]
    }).annotateMerge(operation({ id: "GetChat", access: "Anyone", retry: "safe" })),
    HttpApiEndpoint.delete("delete", "/api/chats/:chatId", {
      params,
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.ChatNotFound]
    }).annotateMerge(operation({ id: "DeleteChat", access: "Anyone", retry: "idempotent" })),
    HttpApiEndpoint.post("feedback", "/api/chats/:chatId/feedback", {
      params,
      payload: Feedback,
      success: StoredFeedback,
      error: [Problems.InvalidRequest, Problems.ChatNotFound, Problems.PayloadTooLarge, ...keyErrors]
    })
      .middleware(IdempotencyKeys)
      .annotateMerge(operation({ id: "BotFeedback", access: "Anyone", retry: "keyed" })),
    HttpApiEndpoint.put("rename", "/api/chats/:chatId/displayName", {
      params,
      payload: RenameChat,
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.ChatNotFound, Problems.PayloadTooLarge]
    }).annotateMerge(operation({ id: "UpdateChatDisplayName", access: "Anyone", retry: "idempotent" })),
    HttpApiEndpoint.put("setUserSystemMessage", "/api/chats/:chatId/userSystemMessage", {
      params,
      payload: SetChatUserSystemMessage,
      success: Nothing,
      error: [
        Problems.InvalidRequest,
        Problems.ChatNotFound,
        Problems.UserSystemMessageNotFound,
        Problems.PayloadTooLarge
      ]
    }).annotateMerge(operation({ id: "UpdateChatUserSystemMessage", access: "User", retry: "idempotent" })),
    HttpApiEndpoint.delete("removeUserSystemMessage", "/api/chats/:chatId/userSystemMessage", {
      params,
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.ChatNotFound]
    }).annotateMerge(operation({ id: "DeleteChatUserSystemMessage", access: "User", retry: "idempotent" })),
    HttpApiEndpoint.post("createTicket", "/api/chats/:chatId/tickets", {
      params,
      success: bareText(Ticket),
      error: [Problems.InvalidRequest, Problems.ChatNotFound, ...keyErrors]
    })
      .middleware(IdempotencyKeys)
      .annotateMerge(operation({ id: "CreateChatOneTimeticket", access: "Anyone", retry: "keyed" })),
    HttpApiEndpoint.get("download", "/api/chats/:chatId/downloads/*", {
      params: { ...params, "*": Rest },
      query: { ticket: Schema.optional(Ticket) },
      success: HttpApiSchema.StreamUint8Array({ contentType: "application/octet-stream" }),
      error: [Problems.InvalidRequest, Problems.ChatNotFound, Problems.DownloadNotFound]
    }).annotateMerge(operation({ id: "GetChatDownload", access: "Anyone", retry: "safe" }))
  )
  .annotateMerge(
    OpenApi.annotations({
      title: "Chats",
      description: "Chats, the questions asked in them, and the files their answers name."
    })
  ) {}
