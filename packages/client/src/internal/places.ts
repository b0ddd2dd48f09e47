import * as Effect from "effect/Effect"
import type { Ongoing } from "./ongoing.ts"

/** Lets a call begin when its turn has come. Only the first in the queue asks the limiter, so that who gives up waiting has taken nothing. */
export const withRateLimit = <A, E>({ backend, policies }: Ongoing, self: Effect.Effect<A, E>): Effect.Effect<A, E> => {
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

/** Lets a call begin when there is a place for it. */
export const withBulkhead = <A, E>({ kind, policies }: Ongoing, self: Effect.Effect<A, E>): Effect.Effect<A, E> => {
  const { bulkhead } = policies
  if (bulkhead === "off") return self
  return (kind === "completion" ? bulkhead.completions : bulkhead.calls).withPermit(self)
}
