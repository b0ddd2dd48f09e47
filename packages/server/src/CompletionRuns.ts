/**
 * The completions that are running: one a chat at a time, each on a fiber of its own, with a log of its events.
 *
 * Who asked may leave, and come back to the events; the answer is found and stored all the same. A run ends early when it is stopped, alone
 * or with all others, and what there is of its answer is stored then. When the server shuts down it is broken off, and nothing is.
 */
import { type BackendFailure, toEvent } from "@effect-chatbot/api/CompletionFailure"
import type { Caller } from "@effect-chatbot/api/middleware/Authorization"
import type { Completion, CompletionRequest } from "@effect-chatbot/schema/Chat"
import type { CompletionEvent } from "@effect-chatbot/schema/CompletionEvent"
import {
  BotsStopped,
  ChatBusy,
  type ChatNotFound,
  CompletionNotFound,
  type Forbidden,
  type IdempotencyKeyInUse,
  InternalError,
  InvalidRequest,
  type ProviderFailed,
  type ProviderTimedOut,
  type RateLimited,
  Unavailable
} from "@effect-chatbot/schema/Errors"
import type { ChatId, CompletionId } from "@effect-chatbot/schema/Ids"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Stream from "effect/Stream"
import { administers } from "./BotAccess.ts"
import { Answering, type Draft, type Question } from "./Answering.ts"
import { ChatAccess } from "./ChatAccess.ts"
import * as EventLog from "./EventLog.ts"
import { KeyedRun } from "./IdempotencyKeys.ts"
import { isTemporary } from "./internal/rows.ts"
import { BotRepository, type BotRow } from "./repositories/BotRepository.ts"
import { CompletionLogRepository } from "./repositories/CompletionLogRepository.ts"
import { CompletionRepository } from "./repositories/CompletionRepository.ts"
import { ServerOptions } from "./ServerOptions.ts"
import * as ServerMetrics from "./ServerMetrics.ts"
import { StopFlag } from "./StopFlag.ts"

/** Why a question is not begun with. */
type Refusal = InvalidRequest | Forbidden | ChatNotFound | ChatBusy | RateLimited | BotsStopped | Unavailable

/** Why a run that has begun has no answer. */
type Failure =
  | ChatNotFound
  | IdempotencyKeyInUse
  | RateLimited
  | ProviderFailed
  | ProviderTimedOut
  | BotsStopped
  | Unavailable

/** Why a run is broken off: by somebody who reaches the chat, by an admin, or because the server shuts down. */
type Stop = "Stopped" | "BotsStopped" | "Unavailable"

interface Run {
  readonly question: Question
  /** Gives up the key of the question. */
  readonly release: Effect.Effect<void>
  readonly log: EventLog.EventLog
  /** Breaks the run off, unless the answer is being stored already. */
  readonly stop: Deferred.Deferred<Stop>
  readonly result: Deferred.Deferred<Completion, Failure>
}

/** The events of a run on the wire: those after the one with the number asked for, and then the live ones. */
export type Events = Stream.Stream<Uint8Array>

/** The completions that are running. */
export class CompletionRuns extends Context.Service<
  CompletionRuns,
  {
    /** Asks a question and waits for the answer, which is stored when it comes. Leaving does not stop it. */
    readonly complete: (
      caller: Caller,
      chatId: ChatId,
      request: CompletionRequest
    ) => Effect.Effect<Completion, Refusal | Failure>
    /** Asks a question and gives the events of the run. Leaving does not stop it. */
    readonly stream: (
      caller: Caller,
      chatId: ChatId,
      request: CompletionRequest
    ) => Effect.Effect<{ readonly completionId: CompletionId; readonly events: Events }, Refusal>
    /**
     * The events of a run after the one with this number: of one that is running, or that has ended within `Retention.logsKeptFor`. Those of
     * a run with a trace log are for admins of the bot only.
     */
    readonly events: (
      caller: Caller,
      chatId: ChatId,
      completionId: CompletionId,
      after: number
    ) => Effect.Effect<Events, InvalidRequest | ChatNotFound | CompletionNotFound>
    /** Stops a run, and returns when it has ended. Its answer is stored as far as it went. Of one that has ended already nothing changes. */
    readonly stop: (
      caller: Caller,
      chatId: ChatId,
      completionId: CompletionId
    ) => Effect.Effect<void, ChatNotFound | CompletionNotFound>
    /**
     * Stops every run, and returns when all of them have ended. Their answers are stored as far as they went; who waits for one gets
     * `BotsStopped`.
     */
    readonly stopAll: Effect.Effect<void>
    /** Stops every run and lets no other begin, until it is released again. */
    readonly setStopped: (isStopped: boolean) => Effect.Effect<void>
    /** Begins no other run, gives those that run some time to end, see `ServerOptions`, and breaks off the rest. */
    readonly shutDown: Effect.Effect<void>
  }
>()("@effect-chatbot/server/CompletionRuns") {
  /** Runs on fibers of this process. They are shut down with the scope. */
  static readonly layer: Layer.Layer<
    CompletionRuns,
    never,
    | Answering
    | BotRepository
    | ChatAccess
    | CompletionLogRepository
    | CompletionRepository
    | SecureRandom.SecureRandom
    | StopFlag
  > = Layer.effect(
    CompletionRuns,
    Effect.gen(function* () {
      const access = yield* ChatAccess
      const answering = yield* Answering
      const bots = yield* BotRepository
      const completions = yield* CompletionRepository
      const logs = yield* CompletionLogRepository
      const random = yield* SecureRandom.SecureRandom
      const stopFlag = yield* StopFlag
      const { shutdownGrace = Duration.seconds(10) } = yield* ServerOptions
      const runs = new Map<ChatId, Run>()
      let closed = false

      const allEnded = Effect.suspend(() =>
        Effect.forEach(Array.from(runs.values()), ({ result }) => Effect.exit(Deferred.await(result)), {
          concurrency: "unbounded",
          discard: true
        })
      )
      const stopEvery = (why: Stop) =>
        Effect.suspend(() => {
          for (const run of runs.values()) Deferred.doneUnsafe(run.stop, Exit.succeed(why))
          return allEnded
        })
      const shutDown = Effect.suspend(() => {
        closed = true
        return Effect.andThen(Effect.timeoutOption(allEnded, shutdownGrace), stopEvery("Unavailable"))
      })

      yield* Effect.addFinalizer(() => shutDown)

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

      /** Finds the answer and stores it. Only the search is raced, so that an answer is never stored and yet refused. */
      const answer = Effect.fnUntraced(function* (run: Run) {
        const { log, question } = run
        let draft: Draft | undefined
        let last: ReadonlyArray<Uint8Array> = []
        const thinking = answering.think(question, (next, piece) => {
          log.append(draft === undefined ? started(question, next.bot) : { _tag: "Delta", text: piece })
          draft = next
        })
        const found = yield* Effect.raceFirst(thinking, Deferred.await(run.stop))
        if (found === "Unavailable") return yield* new Unavailable({})
        const isStopped = typeof found === "string"
        const thought = isStopped ? yield* answering.breakOff(question, draft) : found
        const completion = yield* answering.store(question, thought, (completion) => {
          const { assistantMessage: text = "", completionId, metaData } = completion
          last = isStopped
            ? ending(run, { _tag: "Stopped", completionId, text })
            : ending(
                run,
                { _tag: "Sources", metaData: metaData ?? { tags: [], sources: [] } },
                { _tag: "Completed", completion }
              )
          return log.toBytes(last)
        })
        const result: Exit.Exit<Completion, Failure> =
          found === "BotsStopped" ? Exit.fail(new BotsStopped({})) : Exit.succeed(completion)
        return { last, result, outcome: isStopped ? "stopped" : "completed" }
      })

      /** What a run that failed ends with. Its log is kept too, for a reader who was cut off just before the end. */
      const failed = Effect.fnUntraced(function* (run: Run, cause: Cause.Cause<Failure>) {
        const { chatId, completionId, request } = run.question
        const failure = Exit.findError(Exit.failCause(cause))
        let error: BackendFailure
        let result: Exit.Exit<Completion, Failure>
        if (failure._tag === "Success") {
          error = failure.success
          result = Exit.fail(failure.success)
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
        yield* DateTime.now.pipe(
          Effect.flatMap((createdUtc) =>
            logs.insert({
              completionId,
              chatId,
              events: run.log.toBytes(last),
              isForAdmins: request.isTraceLogEnabled,
              createdUtc
            })
          ),
          Effect.catchCause((cause) => Effect.logWarning("Failed to keep the log of a run that failed", cause))
        )
        return { last, result, outcome: error._tag }
      })

      const work = (run: Run) =>
        answer(run).pipe(
          Effect.catchCause((cause) => failed(run, cause)),
          // Whatever happens, the chat is free again and nobody is left waiting.
          Effect.catchCause((cause) =>
            Effect.succeed({ last: [], result: Exit.failCause(cause), outcome: "InternalError" })
          ),
          Effect.tap(run.release),
          Effect.tap(({ outcome }) => ServerMetrics.completions(1, outcome)),
          Effect.map(({ last, result }) => {
            runs.delete(run.question.chatId)
            run.log.end(last)
            Deferred.doneUnsafe(run.result, result)
          })
        )

      /** Gives up a run before anything was done. */
      const forget = (run: Run, result: Exit.Exit<never, Failure>) =>
        Effect.andThen(
          run.release,
          Effect.sync(() => {
            runs.delete(run.question.chatId)
            Deferred.doneUnsafe(run.result, result)
          })
        )

      const begin = Effect.fnUntraced(function* (caller: Caller, chatId: ChatId, request: CompletionRequest) {
        const question = yield* answering.admit(caller, chatId, request)
        const keyed = yield* KeyedRun
        return yield* Effect.suspend((): Effect.Effect<Run, Unavailable | ChatBusy | BotsStopped> => {
          if (closed) return Effect.fail(new Unavailable({}))
          if (runs.has(chatId)) return Effect.fail(new ChatBusy({ chatId }))
          keyed.keep(question.completionId)
          const run: Run = {
            question,
            release: keyed.release,
            log: EventLog.empty(),
            stop: Deferred.makeUnsafe(),
            result: Deferred.makeUnsafe()
          }
          runs.set(chatId, run)
          // Read when whoever sets the flag can see the run: one of the two finds the other.
          return Effect.flatMap(
            Effect.onError(stopFlag.get, (cause) => forget(run, Exit.failCause(cause))),
            (isStopped) =>
              isStopped
                ? Effect.andThen(forget(run, Exit.fail(new BotsStopped({}))), Effect.fail(new BotsStopped({})))
                : Effect.as(Effect.forkDetach(work(run)), run)
          )
        }).pipe(Effect.uninterruptible)
      })

      const complete = Effect.fn("CompletionRuns.complete")(function* (
        caller: Caller,
        chatId: ChatId,
        request: CompletionRequest
      ) {
        const { result } = yield* begin(caller, chatId, request)
        return yield* Deferred.await(result)
      })

      const stream = Effect.fn("CompletionRuns.stream")(function* (
        caller: Caller,
        chatId: ChatId,
        request: CompletionRequest
      ) {
        const { log, question } = yield* begin(caller, chatId, request)
        return { completionId: question.completionId, events: log.read(0) }
      })

      const running = (chatId: ChatId, completionId: CompletionId): Run | undefined => {
        const run = runs.get(chatId)
        return run?.question.completionId === completionId ? run : undefined
      }

      /** The log of a run, and whether it has a trace log in it. What runs is looked for first: its log is stored before it ends. */
      const find = (chatId: ChatId, completionId: CompletionId) => {
        const run = running(chatId, completionId)
        return run === undefined
          ? Effect.map(
              logs.find(chatId, completionId),
              (row) => row && { log: EventLog.fromBytes(row.events), isForAdmins: row.isForAdmins }
            )
          : Effect.succeed({ log: run.log, isForAdmins: run.question.request.isTraceLogEnabled })
      }

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
        if (after > found.log.count) {
          const message = `Expected the id of an event of this completion, at most ${found.log.count}`
          return yield* new InvalidRequest({ issues: [{ path: ["headers", "last-event-id"], message }] })
        }
        return found.log.read(after)
      })

      const stop = Effect.fn("CompletionRuns.stop")(function* (
        caller: Caller,
        chatId: ChatId,
        completionId: CompletionId
      ) {
        yield* access.reachable(caller, chatId)
        const run = running(chatId, completionId)
        if (run !== undefined) {
          Deferred.doneUnsafe(run.stop, Exit.succeed("Stopped"))
          yield* Effect.exit(Deferred.await(run.result))
          return
        }
        // A run that failed has only a log, and of an old one there is only the completion.
        const isKnown =
          (yield* completions.exists(chatId, completionId)) || (yield* logs.find(chatId, completionId)) !== undefined
        if (!isKnown) return yield* new CompletionNotFound({ completionId })
      })

      const stopAll = stopEvery("BotsStopped")
      const setStopped = Effect.fn("CompletionRuns.setStopped")(function* (isStopped: boolean) {
        yield* stopFlag.set(isStopped)
        if (isStopped) yield* stopAll
      })

      return { complete, stream, events, stop, stopAll, setStopped, shutDown }
    })
  )
}
