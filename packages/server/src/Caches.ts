/**
 * The caches of this process, so that they can be dropped together.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"

/** The caches of this process. Whoever keeps one registers it here. */
export class Caches extends Context.Service<
  Caches,
  {
    /** Names what drops a cache; it is forgotten with the scope. */
    readonly register: (invalidate: Effect.Effect<void>) => Effect.Effect<void, never, Scope.Scope>
    /** Drops every cache. What is asked for next is read anew. */
    readonly clear: Effect.Effect<void>
  }
>()("@effect-chatbot/server/Caches") {
  /** No cache is registered at first. */
  static readonly layer: Layer.Layer<Caches> = Layer.sync(Caches, () => {
    const registered = new Set<{ readonly invalidate: Effect.Effect<void> }>()
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
      clear: Effect.suspend(() =>
        Effect.forEach(Array.from(registered), ({ invalidate }) => invalidate, { discard: true })
      )
    }
  })
}
