/**
 * One run of a completion, wherever it runs: finds the answer, stores it, and writes the log of its events.
 */
import { type BackendFailure, toEvent } from "@effect-chatbot/api/CompletionFailure"
import type { Completion } from "@effect-chatbot/schema/Chat"
import type { CompletionEvent } from "@effect-chatbot/schema/CompletionEvent"
import {
  BotsStopped,
  type ChatNotFound,
  type IdempotencyKeyInUse,
  InternalError,
  type ProviderFailed,
  type ProviderTimedOut,
  type RateLimited,
  Unavailable
} from "@effect-chatbot/schema/Errors"
import type { BotId } from "@effect-chatbot/schema/Ids"
import * as Cause from "effect/Cause"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { Answering, type Draft, type Question, repeatedTag, type Thought } from "../Answering.ts"
import type * as EventLog from "../EventLog.ts"
import type { BotRow } from "../repositories/BotRepository.ts"
import { isTemporary } from "./rows.ts"
import { CompletionLogRepository } from "../repositories/CompletionLogRepository.ts"

/** Why a run that has begun has no answer. */
export type Failure =
  | ChatNotFound
  | IdempotencyKeyInUse
  | RateLimited
  | ProviderFailed
  | ProviderTimedOut
  | BotsStopped
  | Unavailable

/** Why a run is broken off: by somebody who reaches the chat, by an admin, or because it cannot go on. */
export type Stop = "Stopped" | "BotsStopped" | "Unavailable"

/** What an earlier attempt at a run had said before its process was lost. */
export interface Said {
  /** Which attempt this is; the first one is 1. */
  readonly attempt: number
  /** Who was answering. */
  readonly botId: BotId | undefined
  readonly text: string
}

/** One run of a completion. */
export interface Run {
  readonly question: Question
  readonly log: EventLog.EventLog
  /** Breaks the run off, unless the answer is being stored already. */
  readonly stop: Deferred.Deferred<Stop>
  readonly said?: Said | undefined
}

/** How a run has ended. */
export interface Ended {
  /** The last events; they stand in the log with `EventLog.end`. */
  readonly last: ReadonlyArray<Uint8Array>
  readonly result: Exit.Exit<Completion, Failure>
  /** In one word: `completed`, `stopped`, or the tag of its error. */
  readonly outcome: string
}

/** Has the last word on what a run stores at its end; what it fails with itself is no failure of the run. */
export interface Commit<out X> {
  readonly answer: <E>(
    store: Effect.Effect<Completion, E>,
    resultOf: (completion: Completion) => Exit.Exit<Completion, Failure>
  ) => Effect.Effect<Completion, E | X>
  readonly failure: (store: Effect.Effect<void>, result: Exit.Exit<never, Failure>) => Effect.Effect<void, X>
}

/** What runs have in common. */
export const make = Effect.gen(function* () {
  const answering = yield* Answering
  const logs = yield* CompletionLogRepository
  const random = yield* SecureRandom.SecureRandom

  const started = ({ chatId, completionId }: Question, bot: BotRow): CompletionEvent => ({
    _tag: "Started",
    completionId,
    chatId,
    botId: bot.id,
    botDisplayName: bot.displayName,
    botDisplayMessage: bot.displayMessage,
    botDescription: bot.description,
    chatDisplayName: undefined
  })

  /** The last events of a run. One that ended before it was known who answers begins with them. */
  const ending = ({ log, question }: Run, ...last: ReadonlyArray<CompletionEvent>) =>
    log.prepare(log.count === 0 ? [started(question, question.bot), ...last] : last)

  /** Writes down what is said. What an earlier attempt had said already is not said again, and must be the same: else it is told so. */
  const follow = ({ log, question, said, stop }: Run) => {
    let isBegun = false
    let position = 0
    let isAstray = false
    const check = (isSame: boolean) => {
      if (!isSame) {
        isAstray = true
        Deferred.doneUnsafe(stop, Exit.succeed("Unavailable"))
      }
    }
    return {
      isAstray: (text: string) => isAstray || (said !== undefined && !text.startsWith(said.text)),
      onDraft: (draft: Draft, piece: string) => {
        if (isAstray) return
        if (!isBegun) {
          isBegun = true
          if (log.count === 0) log.append(started(question, draft.bot))
          else check(draft.bot.id === said?.botId)
          return
        }
        const known = said?.text ?? ""
        const from = position
        position += piece.length
        if (from >= known.length) {
          log.append({ _tag: "Delta", text: piece })
        } else {
          const again = known.slice(from, position)
          check(piece.startsWith(again))
          if (!isAstray && piece.length > again.length) log.append({ _tag: "Delta", text: piece.slice(again.length) })
        }
      }
    }
  }

  /** Says of an answer that the provider was asked for it again. */
  const marked = (thought: Thought, said: Said | undefined): Thought =>
    said === undefined || said.attempt < 2
      ? thought
      : {
          ...thought,
          answer: { ...thought.answer, tags: [...thought.answer.tags, repeatedTag] },
          trace: [
            `attempt: ${said.attempt}, because the process of the one before was lost after ${said.text.length} characters`,
            ...thought.trace
          ]
        }

  /** What there is of an answer that is broken off: at least what an earlier attempt had said. */
  const draftOf = (question: Question, draft: Draft | undefined, said: Said | undefined): Draft | undefined =>
    said === undefined || said.text.length <= (draft?.text.length ?? 0)
      ? draft
      : { ...(draft ?? { bot: question.bot, prompt: "", trace: [] }), text: said.text }

  /** Finds the answer and stores it. Only the search is raced, so that an answer is never stored and yet refused. */
  const answer = Effect.fnUntraced(function* <X>(run: Run, commit: Commit<X>) {
    const { log, question, said } = run
    let draft: Draft | undefined
    let last: ReadonlyArray<Uint8Array> = []
    const { isAstray, onDraft } = follow(run)
    const thinking = answering.think(question, (next, piece) => {
      onDraft(next, piece)
      draft = next
    })
    const stopped = Deferred.await(run.stop)
    const found = yield* Deferred.isDoneUnsafe(run.stop) ? stopped : Effect.raceFirst(thinking, stopped)
    if (found === "Unavailable") return yield* new Unavailable({})
    const isStopped = typeof found === "string"
    if (!isStopped && isAstray(found.answer.assistantMessage)) return yield* new Unavailable({})
    const thought = isStopped ? yield* answering.breakOff(question, draftOf(question, draft, said)) : found
    const resultOf = (completion: Completion): Exit.Exit<Completion, Failure> =>
      found === "BotsStopped" ? Exit.fail(new BotsStopped({})) : Exit.succeed(completion)
    const completion = yield* commit.answer(
      answering.store(question, marked(thought, said), (completion) => {
        const { assistantMessage: text = "", completionId, metaData } = completion
        last = isStopped
          ? ending(run, { _tag: "Stopped", completionId, text })
          : ending(
              run,
              { _tag: "Sources", metaData: metaData ?? { tags: [], sources: [] } },
              { _tag: "Completed", completion }
            )
        return log.toBytes(last)
      }),
      resultOf
    )
    return { last, result: resultOf(completion), outcome: isStopped ? "stopped" : "completed" }
  })

  /** What a run that failed ends with. Its log is kept too, for a reader who was cut off just before the end. */
  const failed = Effect.fnUntraced(function* <X>(run: Run, cause: Cause.Cause<Failure>, commit: Commit<X>) {
    const { chatId, completionId, request } = run.question
    const failure = Exit.findError(Exit.failCause(cause))
    let error: BackendFailure
    let result: Exit.Exit<never, Failure>
    if (failure._tag === "Success") {
      error = failure.success
      result = Exit.fail(failure.success)
      if (error._tag === "ProviderFailed" || error._tag === "ProviderTimedOut") {
        const { code: bot, modelName: model, openAiServiceId: service } = run.question.bot
        yield* Effect.logWarning("A provider has failed").pipe(
          Effect.annotateLogs({ bot, model, service, reason: error.message })
        )
      }
    } else if (cause.reasons.some((reason) => Cause.isDieReason(reason) && isTemporary(reason.defect))) {
      yield* Effect.logError("The database is away", cause)
      error = new Unavailable({})
      result = Exit.fail(error)
    } else {
      const ref = (yield* random.uuidV4()).slice(0, 8)
      yield* Effect.logError("The backend has a defect", cause).pipe(Effect.annotateLogs({ ref }))
      error = new InternalError({ ref })
      result = Exit.die(error)
    }
    const last = ending(run, toEvent(error, completionId))
    const store = Effect.flatMap(DateTime.now, (createdUtc) =>
      logs.insert({
        completionId,
        chatId,
        events: run.log.toBytes(last),
        isForAdmins: request.isTraceLogEnabled,
        createdUtc
      })
    )
    yield* commit.failure(store, result)
    return { last, result, outcome: error._tag }
  })

  return { answer, failed }
})
