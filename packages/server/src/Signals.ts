/**
 * What one process tells the others: that something has changed which they may keep a copy of, or wait for.
 *
 * A signal says that there is something to look for in the database, and nothing that could not be found there. So one that is lost costs
 * time only: whoever listens also looks by itself now and then, and everybody looks at everything after signals may have been missed.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"

/**
 * What has changed: something that is cached; the events of a run, or that it has ended, by its id; which runs are to be stopped.
 */
export type Topic = "caches" | "events" | "end" | "stops"

/** Every topic. */
export const topics: ReadonlyArray<Topic> = ["caches", "events", "end", "stops"]

/** What listens to one topic. Without a subject, anything may have changed. */
export type Listener = (subject: string | undefined) => Effect.Effect<void>

/** Tells the other processes what has changed, and hears it from them. */
export class Signals extends Context.Service<
  Signals,
  {
    /** Tells every process, this one first. What it is about must be in the database before, or be stored in the transaction that is open. */
    readonly publish: (topic: Topic, subject?: string) => Effect.Effect<void>
    /** Listens until the scope ends. A listener must be quick: the next signal waits for it. */
    readonly on: (topic: Topic, listener: Listener) => Effect.Effect<void, never, Scope.Scope>
  }
>()("@effect-chatbot/server/Signals") {
  /** For one process alone. */
  static readonly layer: Layer.Layer<Signals> = Layer.sync(Signals, () => {
    const { dispatch, on } = makeListeners()
    return { publish: dispatch, on }
  })
}

/** The listeners of this process. */
export const makeListeners = () => {
  const listeners = new Map<Topic, Set<Listener>>()
  return {
    on: (topic: Topic, listener: Listener): Effect.Effect<void, never, Scope.Scope> =>
      Effect.asVoid(
        Effect.acquireRelease(
          Effect.sync(() => {
            const others = listeners.get(topic) ?? new Set()
            listeners.set(topic, others)
            // The same function may listen twice.
            const own: Listener = (subject) => listener(subject)
            others.add(own)
            return { own, others }
          }),
          ({ others, own }) => Effect.sync(() => others.delete(own))
        )
      ),
    dispatch: (topic: Topic, subject?: string): Effect.Effect<void> =>
      Effect.suspend(() =>
        Effect.forEach(Array.from(listeners.get(topic) ?? []), (listener) => listener(subject), { discard: true })
      )
  }
}
