/**
 * What processes keep in memory of the database, so that it can be dropped everywhere together.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { Signals } from "./Signals.ts"

/** The caches. Whoever keeps one registers it here. */
export class Caches extends Context.Service<
  Caches,
  {
    /** Names what drops a cache; it is forgotten with the scope. */
    readonly register: (invalidate: Effect.Effect<void>) => Effect.Effect<void, never, Scope.Scope>
    /** Drops every cache of every process. What is asked for next is read anew, by this process at once. */
    readonly clear: Effect.Effect<void>
  }
>()("@effect-chatbot/server/Caches") {
  /** No cache is registered at first. */
  static readonly layer: Layer.Layer<Caches, never, Signals> = Layer.effect(
    Caches,
    Effect.gen(function* () {
      const signals = yield* Signals
      const registered = new Set<{ readonly invalidate: Effect.Effect<void> }>()
      yield* signals.on("caches", () =>
        Effect.forEach(Array.from(registered), ({ invalidate }) => invalidate, { discard: true })
      )
      return {
        register: (invalidate) =>
          Effect.asVoid(
            Effect.acquireRelease(
              Effect.sync(() => {
                const entry = { invalidate }
                registered.add(entry)
                return entry
              }),
              (entry) => Effect.sync(() => registered.delete(entry))
            )
          ),
        clear: signals.publish("caches")
      }
    })
  )
}
