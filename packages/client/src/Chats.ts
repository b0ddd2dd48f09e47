/**
 * Chats: the questions asked in them, their answers, and the files those name.
 */
import { Api } from "@effect-chatbot/api/Api"
import type { OpenChatBot } from "@effect-chatbot/schema/Bot"
import type { Chat, Completion, CreatedChat, Feedback } from "@effect-chatbot/schema/Chat"
import type {
  BotNotFound,
  BotsStopped,
  ChatBusy,
  ChatNotFound,
  CompletionNotFound,
  DownloadNotFound,
  Forbidden,
  IdempotencyKeyInUse,
  IdempotencyKeyReused,
  InvalidRequest,
  PayloadTooLarge,
  ProviderFailed,
  ProviderTimedOut,
  TermsNotAccepted,
  UserSystemMessageNotFound
} from "@effect-chatbot/schema/Errors"
import type { BotId, ChatId, CompletionId, FeedbackId, Ticket, UserSystemMessageId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"
import type * as Stream from "effect/Stream"
import type { BinaryContent } from "./BinaryContent.ts"
import type { CallError, StreamError } from "./CallError.ts"
import type { ClientConfig } from "./ClientConfig.ts"
import type { Event, StreamOptions } from "./Completion.ts"
import { callOf } from "./internal/call.ts"
import { layerOf } from "./internal/connection.ts"
import { streamOver } from "./internal/streamCalls.ts"

const endpoints = Api.groups.chats.endpoints
const call = callOf("chats")

const calls = {
  create: call(endpoints.create),
  createByBotCode: call(endpoints.createByBotCode),
  complete: call(endpoints.complete, { kind: "completion" }),
  events: call(endpoints.events),
  stop: call(endpoints.stop),
  openBot: call(endpoints.openBot),
  get: call(endpoints.get),
  delete: call(endpoints.delete),
  feedback: call(endpoints.feedback),
  rename: call(endpoints.rename),
  setUserSystemMessage: call(endpoints.setUserSystemMessage),
  removeUserSystemMessage: call(endpoints.removeUserSystemMessage),
  createTicket: call(endpoints.createTicket),
  // A ticket works once, and may have worked although no answer came.
  download: call(endpoints.download, { isOnce: ({ query }) => query.ticket !== undefined })
}

/** A question to a bot that is more than its text. */
export interface Question {
  readonly userMessage: string
  /** Answer as if this were the first question of the chat. */
  readonly ignoreChatHistory?: boolean | undefined
  /** Ask as an admin of the bot; refused to others. */
  readonly isAdminChat?: boolean | undefined
  /** Ask for the trace log of the answer; refused to those who are no admin of the bot. */
  readonly isTraceLogEnabled?: boolean | undefined
}

const payloadOf = (question: string | Question) => {
  const {
    ignoreChatHistory = false,
    isAdminChat = false,
    isTraceLogEnabled = false,
    userMessage
  } = typeof question === "string" ? { userMessage: question } : question
  return { userMessage, ignoreChatHistory, isAdminChat, isTraceLogEnabled }
}

/**
 * Chats: the questions asked in them, their answers, and the files those name.
 *
 * Without a token only the open bot can be chatted with, see `openBot`. A chat that is somebody else's is a `ChatNotFound`.
 */
export class Chats extends Context.Service<
  Chats,
  {
    /**
     * Creates a chat with a bot and answers what to greet the user with. `TermsNotAccepted` asks for `Users.acceptTerms` first.
     */
    readonly create: (
      botId: BotId
    ) => Effect.Effect<
      CreatedChat,
      | InvalidRequest
      | TermsNotAccepted
      | BotNotFound
      | PayloadTooLarge
      | IdempotencyKeyInUse
      | IdempotencyKeyReused
      | CallError
    >

    /** Creates a chat with the bot of this code, as {@link create} does. */
    readonly createByBotCode: (
      botCode: string
    ) => Effect.Effect<
      CreatedChat,
      | InvalidRequest
      | TermsNotAccepted
      | BotNotFound
      | PayloadTooLarge
      | IdempotencyKeyInUse
      | IdempotencyKeyReused
      | CallError
    >

    /**
     * Asks a question, as a text or with flags, and answers when the bot has answered; both are stored. It may take minutes.
     *
     * A chat answers one question at a time: `ChatBusy` says that it is still at another one. `Forbidden` is about the flags for admins.
     * `BotsStopped` broke the answer off, or lets none begin.
     */
    readonly complete: (
      chatId: ChatId,
      question: string | Question
    ) => Effect.Effect<
      Completion,
      | InvalidRequest
      | Forbidden
      | ChatNotFound
      | ChatBusy
      | PayloadTooLarge
      | ProviderFailed
      | ProviderTimedOut
      | BotsStopped
      | IdempotencyKeyInUse
      | IdempotencyKeyReused
      | CallError
    >

    /**
     * Asks a question and gives the answer as it is made, see `Completion` for what to do with it. It is asked each time the stream is run.
     *
     * A stream that breaks goes on where it broke: every event comes once and in order. What cannot be mended is an error, never an
     * incomplete answer that looks like one: `StreamTruncated` where it ended before its last event, `StreamIdle` where nothing came any
     * more. `CompletionFailed` is an answer that was begun and failed. A backend that does not stream gives the whole text in one `Delta`.
     */
    readonly stream: (
      chatId: ChatId,
      question: string | Question,
      options?: StreamOptions
    ) => Stream.Stream<
      Event,
      | InvalidRequest
      | Forbidden
      | ChatNotFound
      | ChatBusy
      | PayloadTooLarge
      | ProviderFailed
      | ProviderTimedOut
      | BotsStopped
      | IdempotencyKeyInUse
      | IdempotencyKeyReused
      | CallError
      | StreamError
    >

    /**
     * Stops an answer and stores it as far as it went, with the tag `stopped`; the call that waits for it gets that. Of an answer that has
     * ended already nothing changes.
     */
    readonly stop: (
      chatId: ChatId,
      completionId: CompletionId
    ) => Effect.Effect<void, InvalidRequest | ChatNotFound | CompletionNotFound | CallError>

    /** The bot that may be used without a token, if there is one. */
    readonly openBot: Effect.Effect<OpenChatBot, CallError>

    /** A chat with all its completions, oldest first. */
    readonly get: (chatId: ChatId) => Effect.Effect<Chat, InvalidRequest | ChatNotFound | CallError>

    /** Deletes a chat and its completions. What it used stays in the statistic. */
    readonly delete: (chatId: ChatId) => Effect.Effect<void, InvalidRequest | ChatNotFound | CallError>

    /** Stores what a user thinks of an answer, see `Chat.Vote`, and answers the id of it. */
    readonly feedback: (
      chatId: ChatId,
      feedback: Omit<Feedback, "chatId">
    ) => Effect.Effect<
      FeedbackId,
      InvalidRequest | ChatNotFound | PayloadTooLarge | IdempotencyKeyInUse | IdempotencyKeyReused | CallError
    >

    /** Gives a chat another display name. */
    readonly rename: (
      chatId: ChatId,
      displayName: string
    ) => Effect.Effect<void, InvalidRequest | ChatNotFound | PayloadTooLarge | CallError>

    /** Lets a chat follow a user system message, from its next question on. */
    readonly setUserSystemMessage: (
      chatId: ChatId,
      userSystemMessageId: UserSystemMessageId
    ) => Effect.Effect<void, InvalidRequest | ChatNotFound | UserSystemMessageNotFound | PayloadTooLarge | CallError>

    /** Lets a chat follow no user system message any more. The message itself stays. */
    readonly removeUserSystemMessage: (chatId: ChatId) => Effect.Effect<void, InvalidRequest | ChatNotFound | CallError>

    /** A ticket that opens one download of this chat, once and within 60 seconds, to whoever has it: a secret. */
    readonly createTicket: (
      chatId: ChatId
    ) => Effect.Effect<Ticket, InvalidRequest | ChatNotFound | IdempotencyKeyInUse | IdempotencyKeyReused | CallError>

    /**
     * A file that a source of the chat names, as a stream of bytes with its type. `path` may have slashes. The owner of the chat needs no
     * ticket.
     */
    readonly download: (
      chatId: ChatId,
      path: string,
      options?: { readonly ticket?: Ticket | undefined }
    ) => Effect.Effect<BinaryContent, InvalidRequest | ChatNotFound | DownloadNotFound | CallError>
  }
>()("@effect-chatbot/client/Chats") {
  /** Over the {@link ClientConfig} and a transport. */
  static readonly layer: Layer.Layer<Chats, never, ClientConfig | HttpClient.HttpClient> = layerOf(
    Chats,
    (connection) => {
      const { run } = connection
      const stream = streamOver(connection)
      return {
        create: (botId) => run(calls.create, { payload: { botId } }),
        createByBotCode: (botCode) => run(calls.createByBotCode, { payload: { botCode } }),
        complete: (chatId, question) => run(calls.complete, { params: { chatId }, payload: payloadOf(question) }),
        stream: (chatId, question, options) =>
          stream(
            { ask: calls.complete, follow: calls.events, stop: calls.stop },
            { params: { chatId }, payload: payloadOf(question) },
            options
          ),
        stop: (chatId, completionId) => run(calls.stop, { params: { chatId, completionId } }),
        openBot: run(calls.openBot, {}),
        get: (chatId) => run(calls.get, { params: { chatId } }),
        delete: (chatId) => run(calls.delete, { params: { chatId } }),
        feedback: (chatId, feedback) =>
          Effect.map(
            run(calls.feedback, { params: { chatId }, payload: { ...feedback, chatId } }),
            ({ feedbackId }) => feedbackId
          ),
        rename: (chatId, displayName) => run(calls.rename, { params: { chatId }, payload: { displayName } }),
        setUserSystemMessage: (chatId, userSystemMessageId) =>
          run(calls.setUserSystemMessage, { params: { chatId }, payload: { userSystemMessageId } }),
        removeUserSystemMessage: (chatId) => run(calls.removeUserSystemMessage, { params: { chatId } }),
        createTicket: (chatId) => run(calls.createTicket, { params: { chatId } }),
        download: (chatId, path, { ticket } = {}) =>
          run(calls.download, { params: { chatId, "*": path }, query: { ticket } })
      }
    }
  )
}
