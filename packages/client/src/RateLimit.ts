/**
 * How many calls a client begins in a time. Off by default.
 *
 * ```ts
 * ChatbotClient.layerConfig.pipe(Layer.provide(RateLimit.layer({ calls: 20, per: "1 second" })))
 * ```
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as RateLimiter from "effect/persistence/RateLimiter"
import * as Semaphore from "effect/Semaphore"

/** How many calls may begin in a time. What is not used of it is there for later, up to the whole. */
export interface Options {
  readonly calls: number
  readonly per: Duration.Input
}

/** A limit in force, and those who wait for it. */
export interface RateLimit extends Options {
  readonly limiter: RateLimiter.RateLimiter
  readonly queue: Semaphore.Semaphore
}

/** The limit in force; `off` unless changed. */
export const RateLimit = Context.Reference<RateLimit | "off">("@effect-chatbot/client/RateLimit", {
  defaultValue: () => "off"
})

/** 100 calls per second. */
export const standard: Options = { calls: 100, per: "1 second" }

/**
 * Limits the calls of what it is provided to. A call that comes too early waits for its turn, in the order of their coming and no longer
 * than until its deadline; each attempt beyond the first is free.
 *
 * The count is kept in the `RateLimiterStore` of `effect/persistence` if there is one, so that processes can share it; else in memory.
 */
export const layer = (options: Options = standard): Layer.Layer<never> =>
  Layer.effect(
    RateLimit,
    Effect.map(
      Effect.flatMap(
        Effect.serviceOption(RateLimiter.RateLimiterStore),
        Option.match({
          onNone: () => Effect.provide(RateLimiter.make, RateLimiter.layerStoreMemory),
          onSome: (store) => Effect.provideService(RateLimiter.make, RateLimiter.RateLimiterStore, store)
        })
      ),
      (limiter) => ({ ...options, limiter, queue: Semaphore.makeUnsafe(1) })
    )
  )
