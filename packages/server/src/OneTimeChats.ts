/**
 * Answers to conversations that the caller keeps, and not the backend: each in a chat that is there for the one answer.
 *
 * It is a chat like any other as long as it is answered, so that every rule holds: which bots the caller may use, terms, budgets, the flag
 * that stops all bots, the ledger of tokens, and where the answer is made; but it is in no list. Then it is deleted, with all that was said
 * in it; only what it used stays. Where the process is killed in between, `Retention` does that.
 */
import * as EventStream from "@effect-chatbot/api/EventStream"
import type { Caller } from "@effect-chatbot/api/middleware/Authorization"
import { type CompletionEvent, isTerminal } from "@effect-chatbot/schema/CompletionEvent"
import type { BotNotFound, InvalidRequest, TermsNotAccepted } from "@effect-chatbot/schema/Errors"
import { type BotId, type ChatId, CompletionId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { historyLimits } from "./Answering.ts"
import { ChatService } from "./ChatService.ts"
import { CompletionRuns } from "./CompletionRuns.ts"
import { CompletionRepository, type Turn } from "./repositories/CompletionRepository.ts"
import { Transactions } from "./repositories/Transactions.ts"
import * as TextLimits from "./TextLimits.ts"
import { UserSystemMessages } from "./UserSystemMessages.ts"

/** A conversation up to the question that is to be answered. */
export interface Conversation {
  readonly botCode: string
  /**
   * How the caller wants to be answered; empty for no wish. It stands where a user system message stands, for bots that follow those of users
   * with a token, and before the question for others.
   */
  readonly instructions: string
  /** The earlier questions and their answers, the oldest first. The latest count, by the limits of the history of a chat. */
  readonly history: ReadonlyArray<Turn>
  readonly question: string
}

/** Why a conversation is not answered. What goes wrong later is an event. */
export type Refusal =
  | InvalidRequest
  | TermsNotAccepted
  | BotNotFound
  | Effect.Error<ReturnType<CompletionRuns["Service"]["stream"]>>

/** An answer in the making. */
export interface Asked {
  readonly completionId: CompletionId
  /** Its events. They can be read again, from the first one on, as long as the scope is open. */
  readonly events: Stream.Stream<CompletionEvent>
}

/** An event holds a question and its answer, and in JSON a character may take six. */
const maxEventSize = 8 * 2 ** 20

/** Reads what the backend wrote itself. */
const decoded = (events: Stream.Stream<Uint8Array>): Stream.Stream<CompletionEvent> =>
  events.pipe(
    EventStream.decode({ maxEventSize, onInvalid: ({ name }) => new InvalidEvent(name) }),
    Stream.orDie,
    Stream.filter((received) => received._tag === "Event"),
    Stream.map(({ event }) => event)
  )

class InvalidEvent extends Error {
  constructor(name: string) {
    super(`An event "${name}" cannot be read`)
  }
}

const told = (instructions: string, question: string) =>
  `Follow these instructions:\n${instructions}\n\nAnswer this:\n${question}`

/** Answers conversations that the caller keeps. */
export class OneTimeChats extends Context.Service<
  OneTimeChats,
  {
    /** Asks the question of a conversation. The end of the scope stops what still runs, and deletes the chat. */
    readonly ask: (caller: Caller, conversation: Conversation) => Effect.Effect<Asked, Refusal, Scope.Scope>
  }
>()("@effect-chatbot/server/OneTimeChats") {
  /** Over the chats and their runs. */
  static readonly layer: Layer.Layer<
    OneTimeChats,
    never,
    ChatService | CompletionRepository | CompletionRuns | SecureRandom.SecureRandom | Transactions | UserSystemMessages
  > = Layer.effect(
    OneTimeChats,
    Effect.gen(function* () {
      const chats = yield* ChatService
      const completions = yield* CompletionRepository
      const messages = yield* UserSystemMessages
      const random = yield* SecureRandom.SecureRandom
      const runs = yield* CompletionRuns
      const transactions = yield* Transactions

      /** What may be gone already is gone; what cannot be cleared away is told in the log. */
      const cleared = <E>(effect: Effect.Effect<unknown, E>) =>
        Effect.catchCause(Effect.ignore(effect), (cause) =>
          Effect.logWarning("What an answer has left behind could not be deleted", cause)
        )

      const instruct = Effect.fnUntraced(function* (caller: Caller, chatId: ChatId, systemMessage: string) {
        if (caller._tag === "Anonymous") return
        const id = yield* Effect.acquireRelease(
          messages.create(caller, { displayName: "Instructions of a request", systemMessage }, { isOneTime: true }),
          (id) => cleared(messages.delete(caller, id))
        )
        yield* Effect.catchTag(chats.setUserSystemMessage(caller, chatId, id), "UserSystemMessageNotFound", Effect.die)
      })

      /** What was said before, as if it had been said in this chat. It costs nothing and has no sources. */
      const remember = Effect.fnUntraced(function* (chatId: ChatId, botId: BotId, history: ReadonlyArray<Turn>) {
        const createdUtc = yield* DateTime.now
        yield* transactions.run(
          Effect.forEach(
            history.slice(-historyLimits.turns),
            Effect.fnUntraced(function* ({ assistantMessage, userMessage }) {
              const id = CompletionId.make(yield* random.uuidV7())
              const used = { promptTokens: 0, completionTokens: 0 }
              const turn = { id, chatId, botId, userMessage, assistantMessage, tags: [], createdUtc, ...used }
              yield* completions.insert(turn, [])
            }),
            { discard: true }
          )
        )
      })

      const ask = Effect.fn("OneTimeChats.ask")(function* (
        caller: Caller,
        { botCode, history, instructions, question }: Conversation
      ) {
        yield* Effect.forEach(history, (turn) => TextLimits.check(turn), { discard: true })
        const { botId, chatId, isUserSystemMessageSupported } = yield* Effect.acquireRelease(
          chats.createByBotCode(caller, botCode, { isOneTime: true }),
          ({ chatId }) => cleared(chats.delete(caller, chatId))
        )
        const isFollowed = isUserSystemMessageSupported && caller._tag === "User"
        if (instructions !== "" && isFollowed) yield* instruct(caller, chatId, instructions)
        if (history.length > 0 && botId !== undefined) yield* remember(chatId, botId, history)
        const userMessage = instructions === "" || isFollowed ? question : told(instructions, question)
        let hasEnded = false
        const { completionId } = yield* Effect.acquireRelease(
          runs.stream(caller, chatId, {
            userMessage,
            ignoreChatHistory: false,
            isAdminChat: false,
            isTraceLogEnabled: false
          }),
          ({ completionId }) => (hasEnded ? Effect.void : cleared(runs.stop(caller, chatId, completionId)))
        )
        const events = decoded(Stream.orDie(Stream.unwrap(runs.events(caller, chatId, completionId, 0)))).pipe(
          Stream.tap((event) =>
            Effect.sync(() => {
              if (isTerminal(event)) hasEnded = true
            })
          )
        )
        return { completionId, events }
      })

      return { ask }
    })
  )
}
