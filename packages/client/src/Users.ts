/**
 * The user who calls, that user's chats and user system messages.
 */
import { Api } from "@effect-chatbot/api/Api"
import type { ChatQuery, ChatSummary } from "@effect-chatbot/schema/Chat"
import type {
  ChatNotFound,
  CompletionNotFound,
  IdempotencyKeyInUse,
  IdempotencyKeyReused,
  InvalidRequest,
  PayloadTooLarge,
  UserSystemMessageNotFound
} from "@effect-chatbot/schema/Errors"
import type { BotId, ChatId, CompletionId, UserSystemMessageId } from "@effect-chatbot/schema/Ids"
import type { Page, PageQuery } from "@effect-chatbot/schema/Page"
import type {
  CurrentUser,
  EditUserSystemMessage,
  UpdateCurrentUser,
  UserSystemMessage,
  UserSystemMessageSummary
} from "@effect-chatbot/schema/User"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"
import type * as Stream from "effect/Stream"
import type { CallError } from "./CallError.ts"
import type { ClientConfig } from "./ClientConfig.ts"
import { callOf } from "./internal/call.ts"
import { layerOf } from "./internal/connection.ts"
import { itemsOf } from "./internal/pages.ts"

const endpoints = Api.groups.users.endpoints
const call = callOf("users")

const calls = {
  current: call(endpoints.current),
  update: call(endpoints.update),
  acceptTerms: call(endpoints.acceptTerms),
  deleteChats: call(endpoints.deleteChats),
  deleteChat: call(endpoints.deleteChat),
  deleteCompletion: call(endpoints.deleteCompletion),
  deleteChatsByBot: call(endpoints.deleteChatsByBot),
  deleteChatsByBotAndSystemMessage: call(endpoints.deleteChatsByBotAndSystemMessage),
  chats: call(endpoints.chats),
  chatsByBot: call(endpoints.chatsByBot),
  chatsByBotAndSystemMessage: call(endpoints.chatsByBotAndSystemMessage),
  setFavorite: call(endpoints.setFavorite),
  listSystemMessages: call(endpoints.listSystemMessages),
  createSystemMessage: call(endpoints.createSystemMessage),
  getSystemMessage: call(endpoints.getSystemMessage),
  updateSystemMessage: call(endpoints.updateSystemMessage),
  deleteSystemMessage: call(endpoints.deleteSystemMessage),
  countSystemMessages: call(endpoints.countSystemMessages)
}

/** Which chats go when many are deleted. */
export interface DeleteChats {
  /** Whether the favourites among them stay. It must be said: what is deleted does not come back. */
  readonly keepFavorites: boolean
}

/** The user who calls, that user's chats and user system messages. Needs a token. */
export class Users extends Context.Service<
  Users,
  {
    /** The user whose token is sent. */
    readonly current: Effect.Effect<CurrentUser, CallError>

    /** Sets how long the chats of the user are kept. */
    readonly update: (settings: UpdateCurrentUser) => Effect.Effect<void, InvalidRequest | PayloadTooLarge | CallError>

    /** Records that the user accepts the terms, and when. It cannot be taken back. */
    readonly acceptTerms: Effect.Effect<void, CallError>

    /** Deletes all chats of the user, or all but the favourites. */
    readonly deleteChats: (options: DeleteChats) => Effect.Effect<void, InvalidRequest | CallError>

    /** Deletes one chat and its completions. */
    readonly deleteChat: (chatId: ChatId) => Effect.Effect<void, InvalidRequest | ChatNotFound | CallError>

    /** Deletes one question of a chat and its answer. */
    readonly deleteCompletion: (
      chatId: ChatId,
      completionId: CompletionId
    ) => Effect.Effect<void, InvalidRequest | ChatNotFound | CompletionNotFound | CallError>

    /** Deletes the chats of the user with a bot, or all of them but the favourites. */
    readonly deleteChatsByBot: (botId: BotId, options: DeleteChats) => Effect.Effect<void, InvalidRequest | CallError>

    /** Deletes the chats of the user with a bot that follow a user system message, or all of them but the favourites. */
    readonly deleteChatsByBotAndSystemMessage: (
      botId: BotId,
      userSystemMessageId: UserSystemMessageId,
      options: DeleteChats
    ) => Effect.Effect<void, InvalidRequest | CallError>

    /** A page of the chats of the user, latest first unless another order is asked for. */
    readonly chats: (query?: ChatQuery) => Effect.Effect<Page<ChatSummary>, InvalidRequest | CallError>

    /** The chats of all pages of {@link chats}, from `pageNumber` on. */
    readonly chatItems: (query?: ChatQuery) => Stream.Stream<ChatSummary, InvalidRequest | CallError>

    /** A page of the chats of the user with a bot. */
    readonly chatsByBot: (
      botId: BotId,
      query?: ChatQuery
    ) => Effect.Effect<Page<ChatSummary>, InvalidRequest | CallError>

    /** The chats of all pages of {@link chatsByBot}, from `pageNumber` on. */
    readonly chatItemsByBot: (botId: BotId, query?: ChatQuery) => Stream.Stream<ChatSummary, InvalidRequest | CallError>

    /** A page of the chats of the user with a bot that follow a user system message. */
    readonly chatsByBotAndSystemMessage: (
      botId: BotId,
      userSystemMessageId: UserSystemMessageId,
      query?: ChatQuery
    ) => Effect.Effect<Page<ChatSummary>, InvalidRequest | CallError>

    /** The chats of all pages of {@link chatsByBotAndSystemMessage}, from `pageNumber` on. */
    readonly chatItemsByBotAndSystemMessage: (
      botId: BotId,
      userSystemMessageId: UserSystemMessageId,
      query?: ChatQuery
    ) => Stream.Stream<ChatSummary, InvalidRequest | CallError>

    /** Makes a chat a favourite, or no favourite any more. */
    readonly setFavorite: (
      chatId: ChatId,
      isFavorite: boolean
    ) => Effect.Effect<void, InvalidRequest | ChatNotFound | PayloadTooLarge | CallError>

    /** The standing instructions of the user for bots. */
    readonly systemMessages: {
      /** A page of them, without their texts. */
      readonly list: (query?: PageQuery) => Effect.Effect<Page<UserSystemMessageSummary>, InvalidRequest | CallError>

      /** Those of all pages of {@link list}, from `pageNumber` on. */
      readonly items: (query?: PageQuery) => Stream.Stream<UserSystemMessageSummary, InvalidRequest | CallError>

      /** Creates one and answers its id. */
      readonly create: (
        message: EditUserSystemMessage
      ) => Effect.Effect<
        UserSystemMessageId,
        InvalidRequest | PayloadTooLarge | IdempotencyKeyInUse | IdempotencyKeyReused | CallError
      >

      /** One of them with its text. */
      readonly get: (
        userSystemMessageId: UserSystemMessageId
      ) => Effect.Effect<UserSystemMessage, InvalidRequest | UserSystemMessageNotFound | CallError>

      /** Changes one. Chats that follow it follow the new text from their next question on. */
      readonly update: (
        userSystemMessageId: UserSystemMessageId,
        message: EditUserSystemMessage
      ) => Effect.Effect<void, InvalidRequest | UserSystemMessageNotFound | PayloadTooLarge | CallError>

      /** Deletes one. Chats that followed it stay, and follow none. */
      readonly delete: (
        userSystemMessageId: UserSystemMessageId
      ) => Effect.Effect<void, InvalidRequest | UserSystemMessageNotFound | CallError>

      /** How many there are. */
      readonly count: Effect.Effect<number, CallError>
    }
  }
>()("@effect-chatbot/client/Users") {
  /** Over the {@link ClientConfig} and a transport. */
  static readonly layer: Layer.Layer<Users, never, ClientConfig | HttpClient.HttpClient> = layerOf(Users, ({ run }) => {
    const chats = (query: ChatQuery = {}) => run(calls.chats, { query })
    const chatsByBot = (botid: BotId, query: ChatQuery = {}) => run(calls.chatsByBot, { params: { botid }, query })
    const chatsByBotAndSystemMessage = (botid: BotId, usersystempromptid: UserSystemMessageId, query: ChatQuery = {}) =>
      run(calls.chatsByBotAndSystemMessage, { params: { botid, usersystempromptid }, query })
    const listSystemMessages = (query: PageQuery = {}) => run(calls.listSystemMessages, { query })
    return {
      current: run(calls.current, {}),
      update: (payload) => run(calls.update, { payload }),
      acceptTerms: run(calls.acceptTerms, {}),
      deleteChats: ({ keepFavorites }) => run(calls.deleteChats, { params: { keepfavorites: keepFavorites } }),
      deleteChat: (chatid) => run(calls.deleteChat, { params: { chatid } }),
      deleteCompletion: (chatid, completionid) => run(calls.deleteCompletion, { params: { chatid, completionid } }),
      deleteChatsByBot: (botid, { keepFavorites }) =>
        run(calls.deleteChatsByBot, { params: { botid, keepfavorites: keepFavorites } }),
      deleteChatsByBotAndSystemMessage: (botid, systemmessageid, { keepFavorites }) =>
        run(calls.deleteChatsByBotAndSystemMessage, {
          params: { botid, systemmessageid, keepfavorites: keepFavorites }
        }),
      chats,
      chatItems: (query = {}) => itemsOf(chats, query),
      chatsByBot,
      chatItemsByBot: (botId, query = {}) => itemsOf((query) => chatsByBot(botId, query), query),
      chatsByBotAndSystemMessage,
      chatItemsByBotAndSystemMessage: (botId, messageId, query = {}) =>
        itemsOf((query) => chatsByBotAndSystemMessage(botId, messageId, query), query),
      setFavorite: (chatid, isFavorite) => run(calls.setFavorite, { params: { chatid }, payload: { isFavorite } }),
      systemMessages: {
        list: listSystemMessages,
        items: (query = {}) => itemsOf(listSystemMessages, query),
        create: (payload) => run(calls.createSystemMessage, { payload }),
        get: (userSystemMessageId) => run(calls.getSystemMessage, { params: { userSystemMessageId } }),
        update: (userSystemMessageId, payload) =>
          run(calls.updateSystemMessage, { params: { userSystemMessageId }, payload }),
        delete: (userSystemMessageId) => run(calls.deleteSystemMessage, { params: { userSystemMessageId } }),
        count: Effect.map(run(calls.countSystemMessages, {}), ({ systemMessageCount }) => systemMessageCount)
      }
    }
  })
}
