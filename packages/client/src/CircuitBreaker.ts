/**
 * Fails at once what would most likely fail anyway: after some failures of the backend no request is sent to it for a while, and calls fail
 * with `CircuitOpen`. Off by default.
 *
 * ```ts
 * ChatbotClient.layerConfig.pipe(Layer.provide(CircuitBreaker.layer()))
 * ```
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Breaker from "effect/persistence/CircuitBreaker"
import type * as Schedule from "effect/Schedule"

/** When a circuit opens, and for how long. */
export interface Options {
  /** When it opens: see `consecutive` and `rate` of `effect/persistence/CircuitBreaker`. */
  readonly tripPolicy: Breaker.TripPolicy
  /** How long it stays open before one request is let through, which then decides. A `Retry-After` of the backend can make it longer. */
  readonly openDuration: Duration.Input | Schedule.Schedule<unknown, number>
}

/** Opens after five failures in a row, for 30 seconds. */
export const standard: Options = { tripPolicy: { _tag: "Consecutive", failures: 5 }, openDuration: "30 seconds" }

/** A circuit breaker, with a circuit for every key. */
export type CircuitBreaker = Breaker.CircuitBreaker

/** The circuit breaker in force; `off` unless changed. */
export const CircuitBreaker = Context.Reference<CircuitBreaker | "off">("@effect-chatbot/client/CircuitBreaker", {
  defaultValue: () => "off"
})

/**
 * Guards the requests of what it is provided to, each attempt for itself. Every backend has a circuit, and another one for its completions,
 * which fail with its provider. What counts is that no answer came, none in time, or a status of 500 and above.
 *
 * The circuits are kept in the `CircuitBreakerStore` of `effect/persistence` if there is one, so that processes can share them; else in
 * memory.
 */
export const layer = (options: Options = standard): Layer.Layer<never> =>
  Layer.effect(
    CircuitBreaker,
    Effect.flatMap(
      Effect.serviceOption(Breaker.CircuitBreakerStore),
      Option.match({
        onNone: () => Effect.provide(Breaker.make(options), Breaker.layerStoreMemory()),
        onSome: (store) => Effect.provideService(Breaker.make(options), Breaker.CircuitBreakerStore, store)
      })
    )
  )
