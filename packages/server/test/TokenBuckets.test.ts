import * as TokenBuckets from "../src/internal/TokenBuckets.ts"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as RateLimiter from "effect/persistence/RateLimiter"
import * as TestClock from "effect/testing/TestClock"

const limited = (capacity: number) => RateLimiter.layer.pipe(Layer.provide(TokenBuckets.layer(capacity)))

const take = (key: string) =>
  Effect.flatMap(RateLimiter.RateLimiter, (limiter) =>
    Effect.match(
      limiter.consume({ algorithm: "token-bucket", onExceeded: "fail", window: "1 minute", limit: 3, key }),
      {
        onSuccess: ({ remaining }) => remaining,
        onFailure: ({ reason }) =>
          reason._tag === "RateLimitExceeded" ? `after ${Duration.toSeconds(reason.retryAfter)} s` : reason._tag
      }
    )
  )

describe("TokenBuckets", () => {
  it.effect("gives what is there, and what comes back", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* Effect.forEach(["a", "a", "a", "a"], take), [2, 1, 0, "after 20 s"])
      yield* TestClock.adjust("15 seconds")
      assert.strictEqual(yield* take("a"), "after 5 s")
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* take("a"), 0)
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(yield* Effect.forEach(["a", "a", "a", "a"], take), [2, 1, 0, "after 20 s"])
    }).pipe(Effect.provide(limited(10)))
  )

  it.effect("forgets the key that was not used for longest, and never one in use", () =>
    Effect.gen(function* () {
      yield* Effect.forEach(["a", "a", "a"], take)
      // Many others come, and this one stays in use.
      for (let other = 0; other < 50; other++) {
        yield* take(`other ${other}`)
        assert.strictEqual(yield* take("a"), "after 20 s")
      }
      yield* Effect.forEach(["b", "c"], take)
      assert.strictEqual(yield* take("a"), 2)
    }).pipe(Effect.provide(limited(2)))
  )
})
