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
  ProviderFailed,
  type ProviderTimedOut,
  type RateLimited
} from "@effect-chatbot/schema/Errors"
import { type ChatId, CompletionId, type UserId, type UserSystemMessageId } from "@effect-chatbot/schema/Ids"
import { fromDateTime } from "@effect-chatbot/schema/PlainDate"
import { TokenUsageType } from "@effect-chatbot/schema/TokenUsage"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { administers, mayUse } from "./BotAccess.ts"
import { BotRouter } from "./BotRouter.ts"
import { userId } from "./Callers.ts"
import { ChatAccess } from "./ChatAccess.ts"
import * as ChatName from "./ChatName.ts"
import { type Answer, CompletionProvider, type Done } from "./CompletionProvider.ts"
import { KeyedRun } from "./IdempotencyKeys.ts"
import { BotRepository, type BotRow } from "./repositories/BotRepository.ts"
import { ChatRepository } from "./repositories/ChatRepository.ts"
import { CompletionLogRepository } from "./repositories/CompletionLogRepository.ts"
import { CompletionRepository, type Turn } from "./repositories/CompletionRepository.ts"
import { TokenUsageRepository } from "./repositories/TokenUsageRepository.ts"
import { Transactions } from "./repositories/Transactions.ts"
import { UserSystemMessageRepository } from "./repositories/UserSystemMessageRepository.ts"
import { toInformationSource } from "./Sources.ts"
import * as TextLimits from "./TextLimits.ts"
import { type Hold, TokenBudgets } from "./TokenBudgets.ts"
import { Tokenizer } from "./Tokenizer.ts"

/** A question that may be asked. */
export interface Question {
  readonly chatId: ChatId
  /** The id that the answer will have. */
  readonly completionId: CompletionId
  /** The bot of the chat. */
  readonly bot: BotRow
  /** Who asks; absent for an anonymous caller. */
  readonly userId: UserId | undefined
  /** The user system message the chat follows, and whose it is. */
  readonly userSystemMessage: { readonly userId: UserId; readonly id: UserSystemMessageId } | undefined
  readonly request: CompletionRequest
}

/** An answer in the making: what there is of it when it is broken off. */
export interface Draft {
  /** The bot that answers. */
  readonly bot: BotRow
  /** All that the provider was given to read. */
  readonly prompt: string
  /** What it said so far. */
  readonly text: string
  readonly trace: ReadonlyArray<string>
}

/** An answer that is not stored yet. */
export interface Thought {
  /** The bot that answered; not the bot of the chat where that is a start bot. */
  readonly bot: BotRow
  readonly answer: Answer
  /** How the answer came about, line by line. */
  readonly trace: ReadonlyArray<string>
  /** What is held for it in the token budgets, until it is stored; absent for one that was broken off. */
  readonly hold?: Hold | undefined
}

/** The most UTF-16 code units an answer may have; one that is longer has failed. */
export const maxAnswerLength = 512 * 1024

/** The most pieces an answer may come in: every one is an event of its own. */
export const maxAnswerPieces = 256 * 1024

/** The tag of an answer that was broken off. */
export const stoppedTag = "stopped"

/** The tag of an answer that the provider was asked for twice, because the process that ran it was lost. */
export const repeatedTag = "repeated"

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
     * `isAdminChat` and `isTraceLogEnabled` are for admins of the bot. A bot that the caller may no longer use is `Forbidden`, although its chats can
     * still be read; with `isAdminChat` one that is not active can be asked. `RateLimited` when a token budget is used up.
     */
    readonly admit: (
      caller: Caller,
      chatId: ChatId,
      request: CompletionRequest
    ) => Effect.Effect<Question, InvalidRequest | Forbidden | ChatNotFound | RateLimited>
    /**
     * Finds the answer, and tells how far it is: first who answers, then every piece of text. What it may cost is held in the token budgets
     * before; beside that it changes nothing, so it can be interrupted at any time.
     */
    readonly think: (
      question: Question,
      onDraft: (draft: Draft, piece: string) => void
    ) => Effect.Effect<Thought, ProviderFailed | ProviderTimedOut | RateLimited>
    /** Makes an answer of one that was broken off; nothing was begun when there is no draft. What it used is counted here. */
    readonly breakOff: (question: Question, draft: Draft | undefined) => Effect.Effect<Thought>
    /**
     * Stores the answer, what it used, the name of the chat, the log of the run, and what settles the key of the question, all or none.
     * Fails when the chat was deleted meanwhile, or the key was settled by another process.
     */
    readonly store: (
      question: Question,
      thought: Thought,
      toLog: (completion: Completion) => Uint8Array
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
    | CompletionLogRepository
    | CompletionProvider
    | CompletionRepository
    | SecureRandom.SecureRandom
    | TokenBudgets
    | Tokenizer
    | TokenUsageRepository
    | Transactions
    | UserSystemMessageRepository
  > = Layer.effect(
    Answering,
    Effect.gen(function* () {
      const access = yield* ChatAccess
      const budgets = yield* TokenBudgets
      const bots = yield* BotRepository
      const router = yield* BotRouter
      const chats = yield* ChatRepository
      const provider = yield* CompletionProvider
      const completions = yield* CompletionRepository
      const logs = yield* CompletionLogRepository
      const messages = yield* UserSystemMessageRepository
      const random = yield* SecureRandom.SecureRandom
      const tokenizer = yield* Tokenizer
      const transactions = yield* Transactions
      const usage = yield* TokenUsageRepository

      const admit = Effect.fn("Answering.admit")(function* (
        caller: Caller,
        chatId: ChatId,
        request: CompletionRequest
      ) {
        yield* TextLimits.check(request, ["userMessage"])
        const chat = yield* access.reachable(caller, chatId)
        const bot = yield* bots.find(chat.botId)
        const isForAdmins = request.isAdminChat || request.isTraceLogEnabled
        if (bot !== undefined && isForAdmins && !administers(caller, bot)) return yield* new Forbidden({})
        const isActive = bot?.isActive === true || (request.isAdminChat && bot?.isDeleted === false)
        if (bot === undefined || !mayUse(caller, { ...bot, isActive })) {
          return yield* new Forbidden({ message: "The bot of this chat is not available to you any more." })
        }
        yield* budgets.check({ userId: userId(caller), botId: bot.id })
        const { userId: owner, userSystemMessageId } = chat
        return {
          chatId,
          completionId: CompletionId.make(yield* random.uuidV7()),
          bot,
          userId: userId(caller),
          userSystemMessage:
            owner === undefined || userSystemMessageId === undefined || !bot.isUserSystemMessageSupported
              ? undefined
              : { userId: owner, id: userSystemMessageId },
          request
        }
      })

      const think = Effect.fn("Answering.think")(function* (
        question: Question,
        onDraft: (draft: Draft, piece: string) => void
      ) {
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
        const begun: Draft = {
          bot,
          prompt: [
            bot.baseSystemMessage ?? "",
            message?.systemMessage ?? "",
            ...history.flatMap((turn) => [turn.userMessage, turn.assistantMessage]),
            userMessage
          ].join("\n"),
          text: "",
          trace: [
            `bot: ${question.bot.code}${route === undefined ? "" : ` routes to ${bot.code}, by ${route.reason}`}`,
            `history: ${history.length} turns${question.request.ignoreChatHistory ? ", as asked for" : ""}`,
            `user system message: ${message === undefined ? "none" : message.displayName}`
          ]
        }
        onDraft(begun, "")
        let text = ""
        let pieces = 0
        let done: Done | undefined
        const asking = provider
          .complete({
            bot,
            userMessage,
            history,
            userSystemMessage: message?.systemMessage
          })
          .pipe(
            Stream.takeUntil((part) => part._tag === "Done"),
            Stream.runForEachArray((parts): Effect.Effect<void, ProviderFailed> => {
              for (const part of parts) {
                if (part._tag === "Done") {
                  done = part
                } else if (text.length + part.text.length > maxAnswerLength || ++pieces > maxAnswerPieces) {
                  return Effect.fail(new ProviderFailed({ message: "The provider does not come to an end." }))
                } else if (part.text !== "") {
                  // What no database can hold is not shown either.
                  const piece = part.text.replaceAll("\0", "\uFFFD")
                  text += piece
                  onDraft({ ...begun, text }, piece)
                }
              }
              return Effect.void
            })
          )
        const hold = yield* Effect.acquireUseRelease(
          budgets.reserve({ userId: question.userId, botId: bot.id }),
          (hold) => Effect.as(asking, hold),
          (hold, exit) => (Exit.isSuccess(exit) && done !== undefined ? Effect.void : budgets.release(hold))
        )
        if (done === undefined) return yield* new ProviderFailed({ message: "The provider broke off its answer." })
        const end = yield* Clock.currentTimeMillis
        const { _tag, ...known } = done
        const answer: Answer = { assistantMessage: TextLimits.toPlain(text), ...known }
        const trace = [
          ...begun.trace,
          ...answer.trace,
          `tokens: ${answer.promptTokens} prompt, ${answer.completionTokens} completion`,
          `time: ${routed - start} ms before the provider, ${end - routed} ms in it`
        ]
        return { bot, answer, trace, hold }
      })

      const breakOff = Effect.fn("Answering.breakOff")(function* (question: Question, draft: Draft | undefined) {
        const { bot, prompt, text, trace } = draft ?? { bot: question.bot, prompt: "", text: "", trace: [] }
        // Who is broken off does not say what it used.
        const promptTokens = yield* tokenizer.count(prompt)
        const completionTokens = yield* tokenizer.count(text)
        const answer = {
          assistantMessage: TextLimits.toPlain(text),
          promptTokens,
          completionTokens,
          sources: [],
          tags: [stoppedTag],
          trace: []
        }
        return { bot, answer, trace: [...trace, "stopped before its end"] }
      })

      const store = Effect.fn("Answering.store")(function* (
        question: Question,
        { answer, bot, hold, trace }: Thought,
        toLog: (completion: Completion) => Uint8Array
      ) {
        const {
          chatId,
          completionId: id,
          request: { isTraceLogEnabled, userMessage },
          userId
        } = question
        const { assistantMessage, completionTokens, promptTokens, tags } = answer
        const useId = yield* random.uuidV7()
        const now = yield* DateTime.now
        const keyed = yield* KeyedRun
        const settle = budgets.settle(hold, { userId, botId: bot.id }, promptTokens + completionTokens)
        return yield* transactions
          .run(
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
              yield* settle
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

              yield* logs.insert({
                completionId: id,
                chatId,
                events: toLog(completion),
                isForAdmins: isTraceLogEnabled,
                createdUtc: now
              })
              return completion
            })
          )
          .pipe(
            // What was used was used, although nobody will read the answer.
            Effect.onError(() =>
              Effect.catchCause(settle, (cause) => Effect.logError("Failed to settle the token budgets", cause))
            )
          )
      })

      return { admit, think, breakOff, store }
    })
  )
}
