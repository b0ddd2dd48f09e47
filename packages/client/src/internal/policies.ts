import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { AnyFailure } from "./anyFailure.ts"
import { withCircuitBreaker } from "./breaker.ts"
import { timedOut, within } from "./limits.ts"
import type { Ongoing } from "./ongoing.ts"
import { holdPlace, withBulkhead, withRateLimit } from "./places.ts"
import { withRetry } from "./retry.ts"
import { type Entry, tell } from "./story.ts"

/** Ends what began just now at a limit, or at the deadline where that comes first. */
export const withLimit = <A, E>(
  { deadlineAt, limits }: Ongoing,
  began: number,
  limit: Duration.Duration,
  self: Effect.Effect<A, E>,
  orElse: () => AnyFailure
): Effect.Effect<A, E | AnyFailure> => {
  const left = deadlineAt - began
  // Of two limits that end together, by the milliseconds of a timer, the narrower one is told.
  return left + 1 < Duration.toMillis(limit)
    ? within(self, Duration.millis(Math.max(0, left)), () => timedOut("deadline", limits.deadline))
    : within(self, limit, orElse)
}

/** No attempt and no back-off goes beyond the deadline, so that a timer for it is needed only where a call may wait for something else. */
const withDeadline = <A, R>(call: Ongoing, self: Effect.Effect<A, AnyFailure, R>) => {
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
  const { attempt: limit } = call.limits
  const attempt = (entry: Entry) =>
    withCircuitBreaker(
      call,
      entry,
      withLimit(call, entry.began, limit, send(entry), () => timedOut("attempt", limit))
    )
  return withDeadline(call, withRateLimit(call, withBulkhead(call, withRetry(call, attempt))))
}

/** The beginning of the way of a stream: it has a place as long as the scope is open, and the rate limit counts it once. */
export const admitted = (call: Ongoing): Effect.Effect<void, AnyFailure, Scope.Scope> =>
  withDeadline(call, withRateLimit(call, holdPlace(call)))

/** The end of the way of a stream: one of its attempts, until the first event. */
export const withAttemptPolicies = <A>(
  call: Ongoing,
  entry: Entry,
  firstEvent: Duration.Duration,
  open: Effect.Effect<A, AnyFailure>
): Effect.Effect<A, AnyFailure> =>
  withCircuitBreaker(
    call,
    entry,
    withLimit(call, entry.began, firstEvent, open, () => timedOut("firstEvent", firstEvent))
  )
