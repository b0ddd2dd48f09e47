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
      .annotateMerge(
        operation({
          id: "CreateChat",
          summary: "Create a chat",
          description: "Creates a chat with a bot. Without a token only the open bot can be chatted with.",
          access: "Anyone",
          retry: "keyed"
        })
      ),
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
      .annotateMerge(
        operation({
          id: "CreateChatByBotCode",
          summary: "Create a chat by the code of a bot",
          description:
            "Creates a chat with the bot of this code. Without a token only the open bot can be chatted with.",
          access: "Anyone",
          retry: "keyed"
        })
      ),
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
      .annotateMerge(
        operation({
          id: "ChatCompletion",
          summary: "Ask a question in a chat",
          description:
            "Answers when the bot has answered, and stores both; or, where `text/event-stream` is preferred, with the events of the answer as they come. The `Completion-Id` header of those names the answer. A chat answers one question at a time. Leaving does not stop the answer.",
          access: "Anyone",
          retry: "keyed"
        })
      ),
    HttpApiEndpoint.get("events", "/api/chats/:chatId/completions/:completionId/events", {
      params: completion,
      headers: { "last-event-id": Schema.optionalKey(EventId) },
      success: eventStream,
      error: [Problems.InvalidRequest, Problems.ChatNotFound, Problems.CompletionNotFound]
    }).annotateMerge(
      operation({
        id: "GetChatCompletionEvents",
        summary: "Follow an answer",
        description:
          "The events of an answer after the one that `Last-Event-ID` names, and then the others as they come, each once and in order. They can be read until 24 hours after its end.",
        access: "Anyone",
        retry: "safe"
      })
    ),
    HttpApiEndpoint.post("stop", "/api/chats/:chatId/completions/:completionId/stop", {
      params: completion,
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.ChatNotFound, Problems.CompletionNotFound]
    }).annotateMerge(
      operation({
        id: "StopChatCompletion",
        summary: "Stop an answer",
        description: "Ends an answer where it is, and stores it so. Of one that has ended already nothing changes.",
        access: "Anyone",
        retry: "idempotent"
      })
    ),
    HttpApiEndpoint.get("openBot", "/api/chats/OpenChatBotId", {
      success: OpenChatBot
    }).annotateMerge(
      operation({
        id: "GetOpenChatBotId",
        summary: "Get the open bot",
        description: "The bot that may be used without a token, if there is one.",
        access: "Anyone",
        retry: "safe"
      })
    ),
    HttpApiEndpoint.get("get", "/api/chats/:chatId", {
      params,
      success: Chat,
      error: [Problems.InvalidRequest, Problems.ChatNotFound]
    }).annotateMerge(
      operation({
        id: "GetChat",
        summary: "Get a chat",
        description: "A chat with all its completions, oldest first.",
        access: "Anyone",
        retry: "safe"
      })
    ),
    HttpApiEndpoint.delete("delete", "/api/chats/:chatId", {
      params,
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.ChatNotFound]
    }).annotateMerge(
      operation({
        id: "DeleteChat",
        summary: "Delete a chat",
        description: "Deletes a chat and its completions. What it used stays in the statistic.",
        access: "Anyone",
        retry: "idempotent"
      })
    ),
    HttpApiEndpoint.post("feedback", "/api/chats/:chatId/feedback", {
      params,
      payload: Feedback,
      success: StoredFeedback,
      error: [Problems.InvalidRequest, Problems.ChatNotFound, Problems.PayloadTooLarge, ...keyErrors]
    })
      .middleware(IdempotencyKeys)
      .annotateMerge(
        operation({
          id: "BotFeedback",
          summary: "Give feedback",
          description: "`voteId` is 1 for up, -1 for down and 0 for withdrawn; any other int32 is kept as sent.",
          access: "Anyone",
          retry: "keyed"
        })
      ),
    HttpApiEndpoint.put("rename", "/api/chats/:chatId/displayName", {
      params,
      payload: RenameChat,
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.ChatNotFound, Problems.PayloadTooLarge]
    }).annotateMerge(
      operation({
        id: "UpdateChatDisplayName",
        summary: "Rename a chat",
        description: "Gives a chat another display name.",
        access: "Anyone",
        retry: "idempotent"
      })
    ),
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
    }).annotateMerge(
      operation({
        id: "UpdateChatUserSystemMessage",
        summary: "Attach a user system message to a chat",
        description: "The chat follows this user system message from its next question on.",
        access: "User",
        retry: "idempotent"
      })
    ),
    HttpApiEndpoint.delete("removeUserSystemMessage", "/api/chats/:chatId/userSystemMessage", {
      params,
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.ChatNotFound]
    }).annotateMerge(
      operation({
        id: "DeleteChatUserSystemMessage",
        summary: "Detach the user system message from a chat",
        description: "The message itself stays.",
        access: "User",
        retry: "idempotent"
      })
    ),
    HttpApiEndpoint.post("createTicket", "/api/chats/:chatId/tickets", {
      params,
      success: bareText(Ticket),
      error: [Problems.InvalidRequest, Problems.ChatNotFound, ...keyErrors]
    })
      .middleware(IdempotencyKeys)
      .annotateMerge(
        operation({
          id: "CreateChatOneTimeticket",
          summary: "Create a ticket for a download",
          description:
            "Answers a ticket that opens one download of this chat, once, within 60 seconds, without a token.",
          access: "Anyone",
          retry: "keyed"
        })
      ),
    HttpApiEndpoint.get("download", "/api/chats/:chatId/downloads/*", {
      params: { ...params, "*": Schema.String },
      query: { ticket: Schema.optional(Ticket) },
      success: HttpApiSchema.StreamUint8Array({ contentType: "application/octet-stream" }),
      error: [Problems.InvalidRequest, Problems.ChatNotFound, Problems.DownloadNotFound]
    }).annotateMerge(
      operation({
        id: "GetChatDownload",
        summary: "Download a file",
        description:
          "A file that a source of the chat names, by a ticket or by the token of the owner of the chat. The path may contain slashes; a range may be asked for.",
        access: "Anyone",
        retry: "safe"
      })
    )
  )
  .annotateMerge(
    OpenApi.annotations({
      title: "Chats",
      description: "Chats, the questions asked in them, and the files their answers name."
    })
  ) {}
