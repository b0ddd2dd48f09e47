import { CircuitOpen } from "@effect-chatbot/schema/Errors"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as CircuitBreaker from "effect/persistence/CircuitBreaker"
import type { Ongoing } from "./ongoing.ts"
import { askedFor, outcomeOf } from "./outcome.ts"
import type { AnyFailure } from "./anyFailure.ts"
import type { Entry } from "./story.ts"

/** The outcomes by which a backend is down. Any other answer shows that it is there. */
const down = new Set([
  "refused",
  "dns",
  "unreachable",
  "tls",
  "reset",
  "unknown",
  "connect",
  "attempt",
  "firstEvent",
  "truncated"
])

const isDown = (outcome: string): boolean => down.has(outcome) || /^5(?!01)\d\d$/.test(outcome)

const success: CircuitBreaker.Outcome = { _tag: "Success" }
const ignored: CircuitBreaker.Outcome = { _tag: "Ignored" }

// By its tag: who has no circuit breaker shall not load it.
const isRejection = (
  error: AnyFailure | CircuitBreaker.CircuitBreakerError
): error is CircuitBreaker.CircuitBreakerError => error._tag === "CircuitBreakerError"

/** Lets an attempt through, or fails at once while the circuit is open. */
export const withCircuitBreaker = <A>(
  { backend, clock, kind, policies }: Ongoing,
  entry: Entry,
  self: Effect.Effect<A, AnyFailure>
): Effect.Effect<A, AnyFailure> => {
  const { circuitBreaker } = policies
  if (circuitBreaker === "off") return self

  const classify = (exit: Exit.Exit<A, AnyFailure>): CircuitBreaker.Outcome => {
    if (Exit.isSuccess(exit)) return success
    const error = Cause.findErrorOption(exit.cause)
    if (Option.isNone(error)) return ignored
    const outcome = outcomeOf(error.value, entry.response?.status)
    // The deadline left less time than an attempt has: that says nothing of the backend.
    if (outcome === "deadline") return ignored
    if (!isDown(outcome)) return success
    return { _tag: "Failure", retryAfter: askedFor(error.value, entry, clock.currentTimeMillisUnsafe()) }
  }

  return circuitBreaker
    .execute(self, { key: kind === "completion" ? `${backend.name} completions` : backend.name, classify })
    .pipe(
      Effect.catchIf(isRejection, ({ reason }) =>
        Effect.fail(new CircuitOpen(reason._tag === "CircuitOpen" ? { retryAfter: reason.retryAfter } : {}))
      )
    )
}
