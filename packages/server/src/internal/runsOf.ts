/**
 * What is asked of the completions that are running, wherever they run.
 */
import type { Caller } from "@effect-chatbot/api/middleware/Authorization"
import type { Completion, CompletionRequest } from "@effect-chatbot/schema/Chat"
import {
  type BotsStopped,
  type ChatBusy,
  type ChatNotFound,
  CompletionNotFound,
  type Forbidden,
  type IdempotencyKeyInUse,
  InvalidRequest,
  type RateLimited,
  type Unavailable
} from "@effect-chatbot/schema/Errors"
import type { ChatId, CompletionId } from "@effect-chatbot/schema/Ids"
import * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import { administers } from "../BotAccess.ts"
import { ChatAccess } from "../ChatAccess.ts"
import * as EventLog from "../EventLog.ts"
import { BotRepository } from "../repositories/BotRepository.ts"
import { CompletionLogRepository } from "../repositories/CompletionLogRepository.ts"
import { CompletionRepository } from "../repositories/CompletionRepository.ts"
import { StopFlag } from "../StopFlag.ts"
import type { Failure } from "./run.ts"

/** Why a question is not begun with. */
export type Refusal =
  | InvalidRequest
  | Forbidden
  | ChatNotFound
  | ChatBusy
  | IdempotencyKeyInUse
  | RateLimited
  | BotsStopped
  | Unavailable

/** The events of a run on the wire: those after the one with the number asked for, and then the live ones. */
export type Events = Stream.Stream<Uint8Array>

/** The events of a run that can be read. */
interface Readable {
  /** Whether there is a trace log in them. */
  readonly isForAdmins: boolean
  readonly count: number
  readonly read: (after: number) => Events
}

/** A place where completions run. */
export interface Place {
  /** Begins with a question, or does nothing at all. */
  readonly begin: (
    caller: Caller,
    chatId: ChatId,
    request: CompletionRequest
  ) => Effect.Effect<
    {
      readonly completionId: CompletionId
      readonly events: Events
      readonly result: Effect.Effect<Completion, Failure>
    },
    Refusal
  >
  /** A run that has not ended, and how to stop it and wait for its end. */
  readonly running: (
    chatId: ChatId,
    completionId: CompletionId
  ) => Effect.Effect<(Readable & { readonly stop: Effect.Effect<void> }) | undefined>
  /** Stops all runs, and returns when they have ended. */
  readonly stopAll: Effect.Effect<void>
}

/** What callers may ask of the runs in a place, but for `shutDown`. */
export const runsOf = Effect.fnUntraced(function* ({ begin, running, stopAll }: Place) {
  const access = yield* ChatAccess
  const bots = yield* BotRepository
  const completions = yield* CompletionRepository
  const logs = yield* CompletionLogRepository
  const stopFlag = yield* StopFlag

  const complete = Effect.fn("CompletionRuns.complete")(function* (
    caller: Caller,
    chatId: ChatId,
    request: CompletionRequest
  ) {
    const { result } = yield* begin(caller, chatId, request)
    return yield* result
  })

  const stream = Effect.fn("CompletionRuns.stream")(function* (
    caller: Caller,
    chatId: ChatId,
    request: CompletionRequest
  ) {
    const { completionId, events } = yield* begin(caller, chatId, request)
    return { completionId, events }
  })

  /** What runs is looked for first: its log is stored before it ends. */
  const find = Effect.fnUntraced(function* (chatId: ChatId, completionId: CompletionId) {
    const live = yield* running(chatId, completionId)
    if (live !== undefined) return live
    const row = yield* logs.find(chatId, completionId)
    if (row === undefined) return undefined
    const { count, read } = EventLog.fromBytes(row.events)
    return { isForAdmins: row.isForAdmins, count, read } satisfies Readable
  })

  const events = Effect.fn("CompletionRuns.events")(function* (
    caller: Caller,
    chatId: ChatId,
    completionId: CompletionId,
    after: number
  ) {
    const { botId } = yield* access.reachable(caller, chatId)
    const found = yield* find(chatId, completionId)
    const bot = found?.isForAdmins === true ? yield* bots.find(botId) : undefined
    if (found === undefined || (found.isForAdmins && (bot === undefined || !administers(caller, bot)))) {
      return yield* new CompletionNotFound({ completionId })
    }
    if (after > found.count) {
      const message = `Expected the id of an event of this completion, at most ${found.count}`
      return yield* new InvalidRequest({ issues: [{ path: ["headers", "last-event-id"], message }] })
    }
    return found.read(after)
  })

  const stop = Effect.fn("CompletionRuns.stop")(function* (caller: Caller, chatId: ChatId, completionId: CompletionId) {
    yield* access.reachable(caller, chatId)
    const live = yield* running(chatId, completionId)
    if (live !== undefined) return yield* live.stop
    // A run that failed has only a log, and of an old one there is only the completion.
    const isKnown =
      (yield* completions.exists(chatId, completionId)) || (yield* logs.find(chatId, completionId)) !== undefined
    if (!isKnown) return yield* new CompletionNotFound({ completionId })
  })

  const setStopped = Effect.fn("CompletionRuns.setStopped")(function* (isStopped: boolean) {
    yield* stopFlag.set(isStopped)
    if (isStopped) yield* stopAll
  })

  return { complete, stream, events, stop, stopAll, setStopped }
})
