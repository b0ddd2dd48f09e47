import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Ongoing } from "./ongoing.ts"

/** Lets a call begin when its turn has come. Only the first in the queue asks the limiter, so that who gives up waiting has taken nothing. */
export const withRateLimit = <A, E, R>(
  { backend, policies }: Ongoing,
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  const { rateLimit } = policies
  if (rateLimit === "off") return self
  const { calls: limit, limiter, per: window, queue } = rateLimit
  const turn: Effect.Effect<void> = Effect.catchTag(
    limiter.consume({ algorithm: "token-bucket", onExceeded: "fail", key: backend.name, limit, window }),
    "RateLimiterError",
    (error) =>
      error.reason._tag === "RateLimitExceeded"
        ? Effect.andThen(
            Effect.sleep(error.reason.retryAfter),
            Effect.suspend(() => turn)
          )
        : Effect.logWarning("The store of the rate limit failed, so the call is not limited.", error)
  )
  return Effect.andThen(queue.withPermit(turn), self)
}

const placesOf = ({ kind, policies: { bulkhead } }: Ongoing) =>
  bulkhead === "off" ? undefined : kind === "completion" ? bulkhead.completions : bulkhead.calls

/** Lets a call begin when there is a place for it. */
export const withBulkhead = <A, E>(call: Ongoing, self: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  placesOf(call)?.withPermit(self) ?? self

/** Waits for a place, and keeps it as long as the scope is open. */
export const holdPlace = (call: Ongoing): Effect.Effect<void, never, Scope.Scope> => {
  const places = placesOf(call)
  return places === undefined
    ? Effect.void
    : Effect.acquireRelease(Effect.asVoid(places.take(1)), () => places.release(1), { interruptible: true })
}
