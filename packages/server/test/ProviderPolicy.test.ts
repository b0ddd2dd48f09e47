import * as ProviderPolicy from "@effect-chatbot/server/ProviderPolicy"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as TestClock from "effect/testing/TestClock"

interface Failure extends Partial<ProviderPolicy.FailedAttempt> {}

/** The times of the attempts that these failures lead to, in milliseconds, where every wait is as long as it may be, or this part of that. */
const attempts = Effect.fnUntraced(function* (
  failures: ReadonlyArray<Failure>,
  options: { readonly deadline?: number; readonly tokens?: number; readonly part?: number } = {}
) {
  const { deadline = Duration.toMillis("10 minutes"), part = 1, tokens = 9 } = options
  const times: Array<number> = []
  let left = tokens
  const attempt = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    times.push(now)
    const failure = failures[times.length - 1]
    return failure === undefined
      ? Effect.void
      : Effect.fail({ isRetryable: true, isTimeout: false, retryAfter: undefined, ...failure })
  })
  const schedule = ProviderPolicy.schedule(ProviderPolicy.standard, { deadline, spend: () => left-- > 0 })
  const trying = yield* attempt.pipe(
    Effect.retry(schedule),
    Effect.exit,
    Effect.provideService(Random.Random, { nextDoubleUnsafe: () => part, nextIntUnsafe: () => 0 }),
    Effect.forkChild
  )
  yield* TestClock.adjust("20 minutes")
  yield* Fiber.join(trying)
  return times
})

const asking = (retryAfter: Duration.Input): Failure => ({ retryAfter: Duration.fromInputUnsafe(retryAfter) })

describe("a further attempt", () => {
  it.effect("waits at most twice as long as the one before, and there are three in all", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* attempts([{}, {}, {}, {}]), [0, 200, 600])
    })
  )

  it.effect("waits for a random part of that", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* attempts([{}, {}], { part: 0.5 }), [0, 100, 300])
    })
  )

  it.effect("waits for as long as the provider asks, beside that", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* attempts([asking("30 seconds"), {}, asking("60 seconds")]), [0, 30_200, 30_600])
    })
  )

  it.effect("is not made when the provider asks for more time than the policy gives", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* attempts([asking("61 seconds")]), [0])
    })
  )

  it.effect("is not made when it would begin after the time for the answer", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* attempts([asking("30 seconds")], { deadline: 30_200 }), [0])
    })
  )

  it.effect("is not made after a failure that it would not change", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* attempts([{ isRetryable: false }]), [0])
    })
  )

  it.effect("is not made when the budget is used up", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* attempts([{}, {}], { tokens: 1 }), [0, 200])
    })
  )
})

describe("the retry budget of a service", () => {
  const policy: ProviderPolicy.ProviderPolicy = {
    ...ProviderPolicy.standard,
    budget: { capacity: 20, cost: 5, timeoutCost: 10, refund: 1 }
  }

  it.effect("is used up by attempts, by those after a limit of time sooner, and filled by successes", () =>
    Effect.sync(() => {
      const budgets = ProviderPolicy.makeBudgets()
      const spend = (service: string, isAfterTimeout = false) => budgets.spend(service, policy, isAfterTimeout)
      assert.deepStrictEqual(
        [spend("a"), spend("a"), spend("a"), spend("a"), spend("a")],
        [true, true, true, true, false]
      )
      assert.deepStrictEqual([spend("b", true), spend("b", true), spend("b", true)], [true, true, false])
      for (let count = 0; count < 5; count++) {
        assert.isFalse(spend("a"))
        budgets.refund("a", policy)
      }
      assert.isTrue(spend("a"))
      assert.isFalse(spend("a"))
    })
  )
})
