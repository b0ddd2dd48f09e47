/**
 * Chats: making, reading, changing and deleting them.
 */
import type { Caller } from "@effect-chatbot/api/middleware/Authorization"
import type { OpenChatBot } from "@effect-chatbot/schema/Bot"
import {
  type Chat,
  type ChatQuery,
  ChatSummary,
  type CreatedChat,
  type Feedback,
  type InformationSource,
  type StoredFeedback
} from "@effect-chatbot/schema/Chat"
import {
  BotNotFound,
  type ChatNotFound,
  CompletionNotFound,
  InvalidRequest,
  TermsNotAccepted,
  UserSystemMessageNotFound
} from "@effect-chatbot/schema/Errors"
import { type BotId, ChatId, type CompletionId, FeedbackId, type UserSystemMessageId } from "@effect-chatbot/schema/Ids"
import type { Page } from "@effect-chatbot/schema/Page"
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as BotAccess from "./BotAccess.ts"
import { type SignedIn, userId } from "./Callers.ts"
import { ChatAccess } from "./ChatAccess.ts"
import * as Paging from "./Paging.ts"
import { BotRepository, type BotRow } from "./repositories/BotRepository.ts"
import { ChatRepository } from "./repositories/ChatRepository.ts"
import { CompletionRepository } from "./repositories/CompletionRepository.ts"
import { FeedbackRepository } from "./repositories/FeedbackRepository.ts"
import { Transactions } from "./repositories/Transactions.ts"
import { UserRepository } from "./repositories/UserRepository.ts"
import { UserSystemMessageRepository } from "./repositories/UserSystemMessageRepository.ts"
import { ServerOptions } from "./ServerOptions.ts"
import { toInformationSource } from "./Sources.ts"
import * as TextLimits from "./TextLimits.ts"

/** Only these chats of a user; all by default. */
export interface OnlyChats {
  readonly botId?: BotId | undefined
  readonly userSystemMessageId?: UserSystemMessageId | undefined
}

/** Reading a chat is a use of it, and noted; but not more often than this. */
const touchInterval = Duration.minutes(1)

const invalid = (path: ReadonlyArray<string>, message: string) => new InvalidRequest({ issues: [{ path, message }] })

/** Chats. What a caller does not reach is not found, see {@link ChatAccess}. */
export class ChatService extends Context.Service<
  ChatService,
  {
    readonly create: (caller: Caller, botId: BotId) => Effect.Effect<CreatedChat, TermsNotAccepted | BotNotFound>
    /** With `isOneTime`, for one answer; its maker deletes it. */
    readonly createByBotCode: (
      caller: Caller,
      botCode: string,
      options?: { readonly isOneTime: boolean }
    ) => Effect.Effect<CreatedChat, TermsNotAccepted | BotNotFound>
    /** The bot that may be used without a token, if there is one. */
    readonly openBot: Effect.Effect<OpenChatBot>
    readonly get: (caller: Caller, chatId: ChatId) => Effect.Effect<Chat, ChatNotFound>
    /** Deletes a chat that the caller reaches. */
    readonly delete: (caller: Caller, chatId: ChatId) => Effect.Effect<void, ChatNotFound>
    readonly rename: (
      caller: Caller,
      chatId: ChatId,
      displayName: string
    ) => Effect.Effect<void, ChatNotFound | InvalidRequest>
    /** Stores what the caller thinks of an answer of the chat's bot. */
    readonly giveFeedback: (
      caller: Caller,
      chatId: ChatId,
      feedback: Feedback
    ) => Effect.Effect<StoredFeedback, ChatNotFound | InvalidRequest>
    /** Makes a chat of the caller follow one of its user system messages, where the bot of the chat allows that. */
    readonly setUserSystemMessage: (
      caller: SignedIn,
      chatId: ChatId,
      id: UserSystemMessageId
    ) => Effect.Effect<void, ChatNotFound | UserSystemMessageNotFound | InvalidRequest>
    readonly removeUserSystemMessage: (caller: SignedIn, chatId: ChatId) => Effect.Effect<void, ChatNotFound>
    /** The chats of the caller, the last used first unless another order is asked for. */
    readonly list: (
      caller: SignedIn,
      query: ChatQuery,
      only?: OnlyChats
    ) => Effect.Effect<Page<ChatSummary>, InvalidRequest>
    readonly setFavorite: (caller: SignedIn, chatId: ChatId, isFavorite: boolean) => Effect.Effect<void, ChatNotFound>
    /** Deletes a chat of the caller. */
    readonly deleteOwn: (caller: SignedIn, chatId: ChatId) => Effect.Effect<void, ChatNotFound>
    /** Deletes chats of the caller. That there are none is no error. */
    readonly deleteMany: (
      caller: SignedIn,
      options: OnlyChats & { readonly keepFavorites: boolean }
    ) => Effect.Effect<void>
    readonly deleteCompletion: (
      caller: SignedIn,
      chatId: ChatId,
      completionId: CompletionId
    ) => Effect.Effect<void, ChatNotFound | CompletionNotFound>
  }
>()("@effect-chatbot/server/ChatService") {
  /** The chats in the database. */
  static readonly layer: Layer.Layer<
    ChatService,
    never,
    | BotRepository
    | ChatAccess
    | ChatRepository
    | CompletionRepository
    | FeedbackRepository
    | SecureRandom.SecureRandom
    | Transactions
    | UserRepository
    | UserSystemMessageRepository
  > = Layer.effect(
    ChatService,
    Effect.gen(function* () {
      const access = yield* ChatAccess
      const bots = yield* BotRepository
      const chats = yield* ChatRepository
      const completions = yield* CompletionRepository
      const feedbacks = yield* FeedbackRepository
      const messages = yield* UserSystemMessageRepository
      const random = yield* SecureRandom.SecureRandom
      const { requireTerms } = yield* ServerOptions
      const transactions = yield* Transactions
      const users = yield* UserRepository

      const checkTerms = Effect.fnUntraced(function* (caller: Caller) {
        if (!requireTerms) return
        const user = caller._tag === "User" ? yield* users.find(caller.id) : undefined
        if (user?.termsAcceptedUtc === undefined) return yield* new TermsNotAccepted({})
      })

      const greeting = (bot: BotRow | undefined) => ({
        botDisplayName: bot?.displayName,
        botDisplayMessage: bot?.displayMessage,
        botDescription: bot?.description,
        botSampleQuestion1: bot?.sampleQuestion1,
        botSampleQuestion2: bot?.sampleQuestion2,
        isUserSystemMessageSupported: bot?.isUserSystemMessageSupported ?? false
      })

      const createWith = Effect.fnUntraced(function* (
        caller: Caller,
        which: Parameters<typeof bots.findAmong>[0],
        notFound: BotNotFound,
        { isOneTime }: { readonly isOneTime: boolean } = { isOneTime: false }
      ) {
        yield* checkTerms(caller)
        const chatId = ChatId.make(yield* random.uuidV7())
        const now = yield* DateTime.now
        return yield* transactions.run(
          Effect.gen(function* () {
            const bot = yield* bots.findAmong(which, BotAccess.filter(caller))
            if (bot === undefined) return yield* notFound
            yield* chats.insert({ id: chatId, botId: bot.id, userId: userId(caller), isOneTime }, now)
            return { chatId, botId: bot.id, ...greeting(bot) }
          })
        )
      })

      const create = Effect.fn("ChatService.create")((caller: Caller, botId: BotId) =>
        createWith(caller, { id: botId }, new BotNotFound({ botId }))
      )

      const createByBotCode = Effect.fn("ChatService.createByBotCode")(
        (caller: Caller, botCode: string, options?: { readonly isOneTime: boolean }) =>
          createWith(caller, { code: botCode }, new BotNotFound({}), options)
      )

      const openBot = Effect.map(bots.findOpen, (bot) => ({
        openChatBotId: bot?.id,
        isPublic: bot?.isPublic ?? false
      }))

      const get = Effect.fn("ChatService.get")(function* (caller: Caller, chatId: ChatId) {
        const chat = yield* access.reachable(caller, chatId)
        const now = yield* DateTime.now
        const isStale = DateTime.isLessThan(DateTime.addDuration(chat.lastAccessedUtc, touchInterval), now)
        if (isStale) yield* chats.touch(chatId, now)

        const rows = yield* completions.list(chatId)
        const sources = new Map<CompletionId, Array<InformationSource>>()
        for (const row of yield* completions.sources(chatId)) {
          const source = toInformationSource(chatId, row)
          const known = sources.get(row.completionId)
          if (known === undefined) sources.set(row.completionId, [source])
          else known.push(source)
        }
        return {
          chatId,
          displayName: chat.displayName,
          createdUtc: chat.createdUtc,
          lastAccessedUtc: isStale ? now : chat.lastAccessedUtc,
          botId: chat.botId,
          ...greeting(yield* bots.find(chat.botId)),
          completions: rows.map((row) => ({
            completionId: row.id,
            userMessage: row.userMessage,
            assistantMessage: row.assistantMessage,
            createdUtc: row.createdUtc,
            metaData: { tags: row.tags, sources: sources.get(row.id) ?? [] }
          })),
          isFavorite: chat.isFavorite,
          userSystemMessageId: chat.userSystemMessageId,
          userSystemMessageDisplayName: chat.userSystemMessageDisplayName
        }
      })

      const remove = Effect.fn("ChatService.delete")(function* (caller: Caller, chatId: ChatId) {
        yield* access.reachable(caller, chatId)
        yield* chats.delete(chatId)
      })

      const rename = Effect.fn("ChatService.rename")(function* (caller: Caller, chatId: ChatId, displayName: string) {
        yield* TextLimits.check({ displayName }, ["displayName"])
        yield* access.reachable(caller, chatId)
        yield* chats.rename(chatId, displayName.trim())
      })

      const giveFeedback = Effect.fn("ChatService.giveFeedback")(function* (
        caller: Caller,
        chatId: ChatId,
        { chatId: named, ...feedback }: Feedback
      ) {
        if (named !== undefined && named !== chatId) {
          return yield* invalid(["payload", "chatId"], "Expected the id of the chat in the path")
        }
        yield* TextLimits.check(feedback)
        const feedbackId = FeedbackId.make(yield* random.uuidV7())
        const now = yield* DateTime.now
        yield* transactions.run(
          Effect.gen(function* () {
            const { botId } = yield* access.reachable(caller, chatId)
            yield* feedbacks.insert({ ...feedback, id: feedbackId, botId, chatId, userId: userId(caller) }, now)
          })
        )
        return { feedbackId }
      })

      const setUserSystemMessage = Effect.fn("ChatService.setUserSystemMessage")(
        (caller: SignedIn, chatId: ChatId, id: UserSystemMessageId) =>
          transactions.run(
            Effect.gen(function* () {
              const chat = yield* access.own(caller, chatId)
              const message = yield* messages.find(caller.id, id)
              if (message === undefined) return yield* new UserSystemMessageNotFound({ userSystemMessageId: id })
              const bot = yield* bots.find(chat.botId)
              if (bot?.isUserSystemMessageSupported !== true) {
                return yield* invalid(
                  ["payload", "userSystemMessageId"],
                  "The bot of this chat follows no user system messages"
                )
              }
              yield* chats.setUserSystemMessage(chatId, id)
            })
          )
      )

      const removeUserSystemMessage = Effect.fn("ChatService.removeUserSystemMessage")(function* (
        caller: SignedIn,
        chatId: ChatId
      ) {
        yield* access.own(caller, chatId)
        yield* chats.setUserSystemMessage(chatId, undefined)
      })

      const list = Effect.fn("ChatService.list")(function* (caller: SignedIn, query: ChatQuery, only: OnlyChats = {}) {
        const request = yield* Paging.request(query, {
          fields: ChatSummary.fields,
          orderBy: "lastAccessedUtc",
          descending: true
        })
        const isFavorite = query.onlyFavorites === true ? true : undefined
        const { rows, total } = yield* chats.list(caller.id, { ...only, isFavorite }, request)
        const items = rows.map((chat) => ({
          chatId: chat.chatId,
          displayName: chat.displayName,
          lastAccessedUtc: chat.lastAccessedUtc,
          botId: chat.botId,
          botDisplayName: chat.botDisplayName,
          userSystemMessageId: chat.userSystemMessageId,
          userSystemMessageDisplayName: chat.userSystemMessageDisplayName,
          isFavorite: chat.isFavorite
        }))
        return Paging.page(request, { total, rows: items })
      })

      const setFavorite = Effect.fn("ChatService.setFavorite")(function* (
        caller: SignedIn,
        chatId: ChatId,
        isFavorite: boolean
      ) {
        yield* access.own(caller, chatId)
        yield* chats.setFavorite(chatId, isFavorite)
      })

      const deleteOwn = Effect.fn("ChatService.deleteOwn")(function* (caller: SignedIn, chatId: ChatId) {
        yield* access.own(caller, chatId)
        yield* chats.delete(chatId)
      })

      const deleteMany = Effect.fn("ChatService.deleteMany")(
        (caller: SignedIn, { keepFavorites, ...only }: OnlyChats & { readonly keepFavorites: boolean }) =>
          chats.deleteMany(caller.id, { ...only, isFavorite: keepFavorites ? false : undefined })
      )

      const deleteCompletion = Effect.fn("ChatService.deleteCompletion")(function* (
        caller: SignedIn,
        chatId: ChatId,
        completionId: CompletionId
      ) {
        yield* access.own(caller, chatId)
        const found = yield* completions.delete(chatId, completionId)
        if (!found) return yield* new CompletionNotFound({ completionId })
      })

      return {
        create,
        createByBotCode,
        openBot,
        get,
        delete: remove,
        rename,
        giveFeedback,
        setUserSystemMessage,
        removeUserSystemMessage,
        list,
        setFavorite,
        deleteOwn,
        deleteMany,
        deleteCompletion
      }
    })
  )
}
