/**
 * The completions that are running: one a chat at a time, each on a fiber of its own.
 *
 * Who asked may leave; the answer is found and stored all the same. A run ends early only when the bots are stopped or the server shuts
 * down, and then nothing of it is stored.
 */
import type { Caller } from "@effect-chatbot/api/middleware/Authorization"
import type { Completion, CompletionRequest } from "@effect-chatbot/schema/Chat"
import {
  BotsStopped,
  ChatBusy,
  type ChatNotFound,
  type Forbidden,
  type IdempotencyKeyInUse,
  type InvalidRequest,
  type ProviderFailed,
  type ProviderTimedOut,
  Unavailable
} from "@effect-chatbot/schema/Errors"
import type { ChatId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Answering, type Question } from "./Answering.ts"
import { KeyedRun } from "./IdempotencyKeys.ts"
import { ServerOptions } from "./ServerOptions.ts"

type Stopped = BotsStopped | Unavailable

interface Run {
  /** Gives up the key of the question. */
  readonly release: Effect.Effect<void>
  /** Failing it breaks the run off, unless the answer is being stored already. */
  readonly stop: Deferred.Deferred<never, Stopped>
  readonly result: Deferred.Deferred<
    Completion,
    ChatNotFound | IdempotencyKeyInUse | ProviderFailed | ProviderTimedOut | Stopped
  >
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
    ) => Effect.Effect<
      Completion,
      | InvalidRequest
      | Forbidden
      | ChatNotFound
      | ChatBusy
      | IdempotencyKeyInUse
      | ProviderFailed
      | ProviderTimedOut
      | BotsStopped
      | Unavailable
    >
    /** Breaks off every run; who waits for one gets `BotsStopped`. Returns when all of them have ended. */
    readonly stopAll: Effect.Effect<void>
  }
>()("@effect-chatbot/server/CompletionRuns") {
  /** Runs on fibers of this process. When the scope closes, they get some time to end, see `ServerOptions`. */
  static readonly layer: Layer.Layer<CompletionRuns, never, Answering> = Layer.effect(
    CompletionRuns,
    Effect.gen(function* () {
      const answering = yield* Answering
      const { shutdownGrace = Duration.seconds(10) } = yield* ServerOptions
      const runs = new Map<ChatId, Run>()
      let closed = false

      const allEnded = Effect.suspend(() =>
        Effect.forEach(Array.from(runs.values()), ({ result }) => Effect.exit(Deferred.await(result)), {
          concurrency: "unbounded",
          discard: true
        })
      )
      const stop = (reason: Stopped) =>
        Effect.suspend(() => {
          for (const run of runs.values()) Deferred.doneUnsafe(run.stop, Effect.fail(reason))
          return allEnded
        })

      yield* Effect.addFinalizer(() =>
        Effect.suspend(() => {
          closed = true
          return Effect.andThen(Effect.timeoutOption(allEnded, shutdownGrace), stop(new Unavailable({})))
        })
      )

      const work = ({ release, result, stop }: Run, question: Question) =>
        // Only the search for the answer is raced, so that an answer is never stored and yet refused.
        Effect.raceFirst(answering.think(question), Deferred.await(stop)).pipe(
          Effect.flatMap((thought) => answering.store(question, thought)),
          Effect.exit,
          Effect.tap(release),
          Effect.flatMap((exit) =>
            Effect.sync(() => {
              runs.delete(question.chatId)
              Deferred.doneUnsafe(result, exit)
            })
          )
        )

      const complete = Effect.fn("CompletionRuns.complete")(function* (
        caller: Caller,
        chatId: ChatId,
        request: CompletionRequest
      ) {
        const question = yield* answering.admit(caller, chatId, request)
        const keyed = yield* KeyedRun
        const { result } = yield* Effect.suspend((): Effect.Effect<Run, Unavailable | ChatBusy> => {
          if (closed) return Effect.fail(new Unavailable({}))
          if (runs.has(chatId)) return Effect.fail(new ChatBusy({ chatId }))
          keyed.keep()
          const run: Run = { release: keyed.release, stop: Deferred.makeUnsafe(), result: Deferred.makeUnsafe() }
          runs.set(chatId, run)
          return Effect.as(Effect.forkDetach(work(run, question)), run)
        }).pipe(Effect.uninterruptible)
        return yield* Deferred.await(result)
      })

      return { complete, stopAll: stop(new BotsStopped({})) }
    })
  )
}
