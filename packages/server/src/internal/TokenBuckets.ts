import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as RateLimiter from "effect/persistence/RateLimiter"

const notKept = Effect.die(new Error("Only token buckets are kept"))

interface Bucket {
  tokens: number
  /** When the refill that is under way began. */
  since: number
}

/**
 * Keeps the buckets of a rate limiter in memory, at most so many: the one that was not used for longest goes first, and is the likeliest to be
 * full again. (The store that comes with the limiter keeps every key it ever saw.)
 */
export const layer = (capacity: number): Layer.Layer<RateLimiter.RateLimiterStore> =>
  Layer.sync(RateLimiter.RateLimiterStore, () => {
    const buckets = new Map<string, Bucket>()
    return RateLimiter.RateLimiterStore.of({
      tokenBucket: ({ allowOverflow, key, limit, refillRate, tokens }) =>
        Effect.clockWith((clock) =>
          Effect.sync(() => {
            const now = clock.currentTimeMillisUnsafe()
            const each = Duration.toMillis(refillRate)
            const bucket = buckets.get(key) ?? { tokens: limit, since: now }
            // The order of a map is that of insertion.
            buckets.delete(key)
            buckets.set(key, bucket)
            if (buckets.size > capacity) buckets.delete(buckets.keys().next().value!)
            const refilled = Math.max(0, Math.floor((now - bucket.since) / each))
            bucket.tokens = Math.min(limit, bucket.tokens + refilled)
            bucket.since = bucket.tokens >= limit ? now : bucket.since + refilled * each
            const left = bucket.tokens - tokens
            if (allowOverflow || left >= 0) bucket.tokens = left
            return [left, Math.max(0, now - bucket.since)] as const
          })
        ),
      fixedWindow: () => notKept,
      adaptiveConsume: () => notKept,
      adaptiveFeedback: () => notKept
    })
  })
