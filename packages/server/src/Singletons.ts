/**
 * Jobs that run by themselves, in one process at a time.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"

/** Runs jobs in one of the processes that share a database. */
export class Singletons extends Context.Service<
  Singletons,
  {
    /** Runs a job that never ends, until the scope does. Where its process is lost, it begins anew in another. */
    readonly run: (name: string, job: Effect.Effect<never>) => Effect.Effect<void, never, Scope.Scope>
  }
>()("@effect-chatbot/server/Singletons") {
  /** For one process alone: it runs every job. */
  static readonly layer: Layer.Layer<Singletons> = Layer.succeed(Singletons, {
    run: (_name, job) => Effect.asVoid(Effect.forkScoped(job))
  })
}
