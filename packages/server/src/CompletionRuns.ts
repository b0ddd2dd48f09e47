/**
 * The completions that are running: one a chat at a time, each on a fiber of its own, with a log of its events.
 *
 * Who asked may leave, and come back to the events; the answer is found and stored all the same. A run ends early when it is stopped, alone
 * or with all others, and what there is of its answer is stored then. When the server shuts down it is broken off, and nothing is.
 */
import type { Caller } from "@effect-chatbot/api/middleware/Authorization"
import type { Completion, CompletionRequest } from "@effect-chatbot/schema/Chat"
import {
  BotsStopped,
  ChatBusy,
  type ChatNotFound,
  type CompletionNotFound,
  type InvalidRequest,
  Unavailable
} from "@effect-chatbot/schema/Errors"
import type { ChatId, CompletionId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { Answering } from "./Answering.ts"
import type { ChatAccess } from "./ChatAccess.ts"
import * as EventLog from "./EventLog.ts"
import { KeyedRun } from "./IdempotencyKeys.ts"
import { type Commit, type Failure, make as makeRun, type Run, type Stop } from "./internal/run.ts"
import { type Events, type Refusal, runsOf } from "./internal/runsOf.ts"
import type { BotRepository } from "./repositories/BotRepository.ts"
import type { CompletionLogRepository } from "./repositories/CompletionLogRepository.ts"
import type { CompletionRepository } from "./repositories/CompletionRepository.ts"
import { ServerOptions } from "./ServerOptions.ts"
import * as ServerMetrics from "./ServerMetrics.ts"
import { StopFlag } from "./StopFlag.ts"

interface LocalRun extends Run {
  /** Gives up the key of the question. */
  readonly release: Effect.Effect<void>
  readonly result: Deferred.Deferred<Completion, Failure>
}

/** Nobody else runs the same, so nothing has to be settled with them. */
const commit: Commit<never> = {
  answer: (store) => store,
  failure: (store) =>
    Effect.catchCause(store, (cause) => Effect.logWarning("Failed to keep the log of a run that failed", cause))
}

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
      const answering = yield* Answering
      const { answer, failed } = yield* makeRun
      const stopFlag = yield* StopFlag
      const { shutdownGrace = Duration.seconds(10) } = yield* ServerOptions
      const live = new Map<ChatId, LocalRun>()
      let closed = false

      const allEnded = Effect.suspend(() =>
        Effect.forEach(Array.from(live.values()), ({ result }) => Effect.exit(Deferred.await(result)), {
          concurrency: "unbounded",
          discard: true
        })
      )
      const stopEvery = (why: Stop) =>
        Effect.suspend(() => {
          for (const run of live.values()) Deferred.doneUnsafe(run.stop, Exit.succeed(why))
          return allEnded
        })
      const shutDown = Effect.suspend(() => {
        closed = true
        return Effect.andThen(Effect.timeoutOption(allEnded, shutdownGrace), stopEvery("Unavailable"))
      })

      yield* Effect.addFinalizer(() => shutDown)

      const work = (run: LocalRun) =>
        answer(run, commit).pipe(
          Effect.catchCause((cause) => failed(run, cause, commit)),
          // Whatever happens, the chat is free again and nobody is left waiting.
          Effect.catchCause((cause) =>
            Effect.succeed({ last: [], result: Exit.failCause(cause), outcome: "InternalError" })
          ),
          Effect.tap(run.release),
          Effect.tap(({ outcome }) => ServerMetrics.completions(1, outcome)),
          Effect.map(({ last, result }) => {
            live.delete(run.question.chatId)
            run.log.end(last)
            Deferred.doneUnsafe(run.result, result)
          })
        )

      /** Gives up a run before anything was done. */
      const forget = (run: LocalRun, result: Exit.Exit<never, Failure>) =>
        Effect.andThen(
          run.release,
          Effect.sync(() => {
            live.delete(run.question.chatId)
            Deferred.doneUnsafe(run.result, result)
          })
        )

      const begin = Effect.fnUntraced(function* (caller: Caller, chatId: ChatId, request: CompletionRequest) {
        const question = yield* answering.admit(caller, chatId, request)
        const keyed = yield* KeyedRun
        return yield* Effect.suspend((): Effect.Effect<LocalRun, Unavailable | ChatBusy | BotsStopped> => {
          if (closed) return Effect.fail(new Unavailable({}))
          if (live.has(chatId)) return Effect.fail(new ChatBusy({ chatId }))
          keyed.keep(question.completionId)
          const run: LocalRun = {
            question,
            release: keyed.release,
            log: EventLog.empty(),
            stop: Deferred.makeUnsafe(),
            result: Deferred.makeUnsafe()
          }
          live.set(chatId, run)
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

      const runs = yield* runsOf({
        begin: (caller, chatId, request) =>
          Effect.map(begin(caller, chatId, request), ({ log, question, result }) => ({
            completionId: question.completionId,
            events: log.read(0),
            result: Deferred.await(result)
          })),
        running: (chatId, completionId) =>
          Effect.sync(() => {
            const run = live.get(chatId)
            if (run === undefined || run.question.completionId !== completionId) return undefined
            const { log, question, result } = run
            return {
              isForAdmins: question.request.isTraceLogEnabled,
              count: log.count,
              read: log.read,
              stop: Effect.suspend(() => {
                Deferred.doneUnsafe(run.stop, Exit.succeed("Stopped"))
                return Effect.exit(Deferred.await(result))
              })
            }
          }),
        stopAll: stopEvery("BotsStopped")
      })

      return { ...runs, shutDown }
    })
  )
}
