/**
 * How many calls a client has under way at once, completions apart from all others: they take long, and must not keep the others from
 * being made. Off by default.
 *
 * ```ts
 * ChatbotClient.layerConfig.pipe(Layer.provide(Bulkhead.layer({ calls: 32, completions: 4 })))
 * ```
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"

/** How many calls may be under way at once. */
export interface Options {
  /** Completions, streamed or not. */
  readonly completions: number
  /** All others. */
  readonly calls: number
}

/** The places in force. */
export interface Bulkhead {
  readonly completions: Semaphore.Semaphore
  readonly calls: Semaphore.Semaphore
}

/** The bulkhead in force; `off` unless changed. */
export const Bulkhead = Context.Reference<Bulkhead | "off">("@effect-chatbot/client/Bulkhead", {
  defaultValue: () => "off"
})

/** 64 calls and 16 completions. */
export const standard: Options = { calls: 64, completions: 16 }

/**
 * Limits the calls of what it is provided to. A call for which there is no place waits for one, in the order of their coming and no longer
 * than until its deadline, and keeps it over all its attempts. That of an image or a download ends where the bytes begin.
 */
export const layer = ({ calls, completions }: Options = standard): Layer.Layer<never> =>
  Layer.effect(
    Bulkhead,
    Effect.sync(() => ({ calls: Semaphore.makeUnsafe(calls), completions: Semaphore.makeUnsafe(completions) }))
  )
