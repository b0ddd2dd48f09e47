import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { AnyFailure } from "./anyFailure.ts"
import { withCircuitBreaker } from "./breaker.ts"
import { timedOut, within } from "./limits.ts"
import type { Ongoing } from "./ongoing.ts"
import { withBulkhead, withRateLimit } from "./places.ts"
import { withRetry } from "./retry.ts"
import { type Entry, tell } from "./story.ts"

/** Ends an attempt at its own limit, or at the deadline where that comes first. */
const withAttemptLimit = <A>({ deadlineAt, limits }: Ongoing, { began }: Entry, self: Effect.Effect<A, AnyFailure>) => {
  const left = deadlineAt - began
  // Of two limits that end together, by the milliseconds of a timer, the narrower one is told.
  return left + 1 < Duration.toMillis(limits.attempt)
    ? within(self, Duration.millis(left), () => timedOut("deadline", limits.deadline))
    : within(self, limits.attempt, () => timedOut("attempt", limits.attempt))
}

/** No attempt and no back-off goes beyond the deadline, so that a timer for it is needed only where a call may wait for something else. */
const withDeadline = <A>(call: Ongoing, self: Effect.Effect<A, AnyFailure>) => {
  const { limits, policies } = call
  if (policies.rateLimit === "off" && policies.bulkhead === "off") return self
  return within(self, limits.deadline, () => tell(call, timedOut("deadline", limits.deadline), "deadline"))
}

/**
 * The way of a call through its policies, outermost first: the deadline over everything (and one idempotency key for all attempts, which
 * the call has since it began); the rate limit and the bulkhead; the attempts, and around each of them the circuit breaker and its limit
 * of time.
 */
export const withPolicies = <A>(
  call: Ongoing,
  send: (entry: Entry) => Effect.Effect<A, AnyFailure>
): Effect.Effect<A, AnyFailure> => {
  const attempt = (entry: Entry) => withCircuitBreaker(call, entry, withAttemptLimit(call, entry, send(entry)))
  return withDeadline(call, withRateLimit(call, withBulkhead(call, withRetry(call, attempt))))
}
