/**
 * How one question becomes a stored answer: admitted, thought about, stored.
 *
 * The three steps are apart so that whoever runs them (see `CompletionRuns`) can break off the second, which may take minutes, and never
 * the third. A {@link Question} is plain data: it can be thought about elsewhere than where it was admitted.
 */
import type { Caller } from "@effect-chatbot/api/middleware/Authorization"
import type { Completion, CompletionRequest } from "@effect-chatbot/schema/Chat"
import {
  ChatNotFound,
  Forbidden,
  type IdempotencyKeyInUse,
  type InvalidRequest,
  type ProviderFailed,
  type ProviderTimedOut
} from "@effect-chatbot/schema/Errors"
import { type ChatId, CompletionId, type UserId, type UserSystemMessageId } from "@effect-chatbot/schema/Ids"
import { fromDateTime } from "@effect-chatbot/schema/PlainDate"
import { TokenUsageType } from "@effect-chatbot/schema/TokenUsage"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mayUse } from "./BotAccess.ts"
import { BotRouter } from "./BotRouter.ts"
import { isAdmin, userId } from "./Callers.ts"
import { ChatAccess } from "./ChatAccess.ts"
import * as ChatName from "./ChatName.ts"
import { type Answer, CompletionProvider } from "./CompletionProvider.ts"
import { KeyedRun } from "./IdempotencyKeys.ts"
import { BotRepository, type BotRow } from "./repositories/BotRepository.ts"
import { ChatRepository } from "./repositories/ChatRepository.ts"
import { CompletionRepository, type Turn } from "./repositories/CompletionRepository.ts"
import { TokenUsageRepository } from "./repositories/TokenUsageRepository.ts"
import { Transactions } from "./repositories/Transactions.ts"
import { UserSystemMessageRepository } from "./repositories/UserSystemMessageRepository.ts"
import { toInformationSource } from "./Sources.ts"
import * as TextLimits from "./TextLimits.ts"

/** A question that may be asked. */
export interface Question {
  readonly chatId: ChatId
  /** The bot of the chat. */
  readonly bot: BotRow
  /** Who asks; absent for an anonymous caller. */
  readonly userId: UserId | undefined
  /** The user system message the chat follows, and whose it is. */
  readonly userSystemMessage: { readonly userId: UserId; readonly id: UserSystemMessageId } | undefined
  readonly request: CompletionRequest
}

/** An answer that is not stored yet. */
export interface Thought {
  /** The bot that answered; not the bot of the chat where that is a start bot. */
  readonly bot: BotRow
  readonly answer: Answer
  /** How the answer came about, line by line. */
  readonly trace: ReadonlyArray<string>
}

/** How many earlier turns of a chat an answer may draw on, and how many characters they may have together. */
export const historyLimits = { turns: 20, characters: 40_000 } as const

/** The latest turns that fit into the limits, the oldest first. */
const boundedHistory = (latestFirst: ReadonlyArray<Turn>): ReadonlyArray<Turn> => {
  const kept: Array<Turn> = []
  let characters = 0
  for (const turn of latestFirst) {
    characters += turn.userMessage.length + turn.assistantMessage.length
    if (characters > historyLimits.characters) break
    kept.push(turn)
  }
  return kept.toReversed()
}

/** How one question becomes a stored answer. */
export class Answering extends Context.Service<
  Answering,
  {
    /**
     * Checks that the caller may ask this in this chat.
     *
     * `isAdminChat` and `isTraceLogEnabled` are for admins. A bot that the caller may no longer use is `Forbidden`, although its chats can
     * still be read; with `isAdminChat` one that is not active can be asked.
     */
    readonly admit: (
      caller: Caller,
      chatId: ChatId,
      request: CompletionRequest
    ) => Effect.Effect<Question, InvalidRequest | Forbidden | ChatNotFound>
    /** Finds the answer. It changes nothing, so it can be interrupted at any time. */
    readonly think: (question: Question) => Effect.Effect<Thought, ProviderFailed | ProviderTimedOut>
    /**
     * Stores the answer, what it used, the name of the chat, and what settles the key of the question, all or none. Fails when the chat
     * was deleted meanwhile, or the key was settled by another process.
     */
    readonly store: (
      question: Question,
      thought: Thought
    ) => Effect.Effect<Completion, ChatNotFound | IdempotencyKeyInUse>
  }
>()("@effect-chatbot/server/Answering") {
  /** Answers by the provider, into the database. */
  static readonly layer: Layer.Layer<
    Answering,
    never,
    | BotRepository
    | BotRouter
    | ChatAccess
    | ChatRepository
    | CompletionProvider
    | CompletionRepository
    | SecureRandom.SecureRandom
    | TokenUsageRepository
    | Transactions
    | UserSystemMessageRepository
  > = Layer.effect(
    Answering,
    Effect.gen(function* () {
      const access = yield* ChatAccess
      const bots = yield* BotRepository
      const router = yield* BotRouter
      const chats = yield* ChatRepository
      const provider = yield* CompletionProvider
      const completions = yield* CompletionRepository
      const messages = yield* UserSystemMessageRepository
      const random = yield* SecureRandom.SecureRandom
      const transactions = yield* Transactions
      const usage = yield* TokenUsageRepository

      const admit = Effect.fn("Answering.admit")(function* (
        caller: Caller,
        chatId: ChatId,
        request: CompletionRequest
      ) {
        yield* TextLimits.check(request, ["userMessage"])
        if ((request.isAdminChat || request.isTraceLogEnabled) && !isAdmin(caller)) return yield* new Forbidden({})
        const chat = yield* access.reachable(caller, chatId)
        const bot = yield* bots.find(chat.botId)
        if (bot === undefined || !mayUse(caller, request.isAdminChat ? { ...bot, isActive: true } : bot)) {
          return yield* new Forbidden({ message: "The bot of this chat is not available to you any more." })
        }
        const { userId: owner, userSystemMessageId } = chat
        return {
          chatId,
          bot,
          userId: userId(caller),
          userSystemMessage:
            owner === undefined || userSystemMessageId === undefined || !bot.isUserSystemMessageSupported
              ? undefined
              : { userId: owner, id: userSystemMessageId },
          request
        }
      })

      const think = Effect.fn("Answering.think")(function* (question: Question) {
        const { userMessage } = question.request
        const start = yield* Clock.currentTimeMillis
        const history = question.request.ignoreChatHistory
          ? []
          : boundedHistory(yield* completions.lastTurns(question.chatId, historyLimits.turns))
        const message =
          question.userSystemMessage === undefined
            ? undefined
            : yield* messages.find(question.userSystemMessage.userId, question.userSystemMessage.id)
        const earlier = history.map((turn) => turn.userMessage)
        const route = yield* router.route(question.bot, userMessage, earlier)
        const bot = route?.bot ?? question.bot
        const routed = yield* Clock.currentTimeMillis
        const answer = yield* provider.complete({
          bot,
          userMessage,
          history,
          userSystemMessage: message?.systemMessage
        })
        const end = yield* Clock.currentTimeMillis
        const trace = [
          `bot: ${question.bot.code}${route === undefined ? "" : ` routes to ${bot.code}, by ${route.reason}`}`,
          `history: ${history.length} turns${question.request.ignoreChatHistory ? ", as asked for" : ""}`,
          `user system message: ${message === undefined ? "none" : message.displayName}`,
          ...answer.trace,
          `tokens: ${answer.promptTokens} prompt, ${answer.completionTokens} completion`,
          `time: ${routed - start} ms before the provider, ${end - routed} ms in it`
        ]
        return { bot, answer, trace }
      })

      const store = Effect.fn("Answering.store")(function* (question: Question, { answer, bot, trace }: Thought) {
        const {
          chatId,
          request: { isTraceLogEnabled, userMessage },
          userId
        } = question
        const { assistantMessage, completionTokens, promptTokens, tags } = answer
        const id = CompletionId.make(yield* random.uuidV7())
        const useId = yield* random.uuidV7()
        const now = yield* DateTime.now
        const keyed = yield* KeyedRun
        return yield* transactions.run(
          Effect.gen(function* () {
            const name = yield* chats.answered(chatId, ChatName.fromQuestion(userMessage), now)
            if (name === undefined) return yield* new ChatNotFound({ chatId })
            yield* completions.insert(
              {
                id,
                chatId,
                botId: bot.id,
                userMessage,
                assistantMessage,
                tags,
                promptTokens,
                completionTokens,
                createdUtc: now
              },
              answer.sources
            )
            yield* usage.record({
              id: useId,
              requestDate: fromDateTime(now),
              botId: bot.id,
              userId,
              tokenUsageTypeId: TokenUsageType.completion,
              promptTokens,
              completionTokens
            })
            const sources = yield* completions.sourcesOf(id)
            const completion: Completion = {
              completionId: id,
              chatId,
              userMessage,
              assistantMessage,
              promptTokens,
              completionTokens,
              totalTokens: promptTokens + completionTokens,
              botId: bot.id,
              botDisplayName: bot.displayName,
              botDisplayMessage: bot.displayMessage,
              botDescription: bot.description,
              chatDisplayName: name,
              metaData: { tags, sources: sources.map((source) => toInformationSource(chatId, source)) },
              traceLog: isTraceLogEnabled ? trace.join("\n") : undefined
            }
            yield* keyed.settle(completion)
            return completion
          })
        )
      })

      return { admit, think, store }
    })
  )
}
