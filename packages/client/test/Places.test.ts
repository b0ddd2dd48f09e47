/** The rate limit and the bulkhead: who may begin, and who waits. */
import * as Bulkhead from "@effect-chatbot/client/Bulkhead"
import * as CallStory from "@effect-chatbot/client/CallStory"
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as RateLimit from "@effect-chatbot/client/RateLimit"
import * as Timeouts from "@effect-chatbot/client/Timeouts"
import * as Errors from "@effect-chatbot/schema/Errors"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as RateLimiter from "effect/persistence/RateLimiter"
import * as TestClock from "effect/testing/TestClock"
import { chatId } from "./support/Methods.ts"
import { json, type Script, scripted, status } from "./support/Scripted.ts"

const user = () => json({ id: 1 })
const after = (seconds: number, response: () => Response) => Effect.delay(Effect.sync(response), `${seconds} seconds`)

const clientOf = (script: Script, policy: Layer.Layer<never>) =>
  Effect.gen(function* () {
    const backend = scripted(script)
    const layer = ChatbotClient.layer({ baseUrl: "http://chatbot.test" }).pipe(
      Layer.provide(backend.layer),
      Layer.provide(policy)
    )
    const client = yield* Effect.provide(ChatbotClient, layer)
    return { client, times: () => backend.sent.map(({ at }) => at / 1000), sent: backend.sent }
  })

const inParallel = <A, E>(count: number, call: Effect.Effect<A, E>) =>
  Effect.forkChild(
    Effect.all(
      Array.from({ length: count }, () => Effect.result(call)),
      { concurrency: "unbounded" }
    )
  )

describe("a rate limit", () => {
  const twoPerSecond = RateLimit.layer({ calls: 2, per: "1 second" })

  it.effect("lets calls begin as it says, and those that wait in the order of their coming", () =>
    Effect.gen(function* () {
      const { client, sent, times } = yield* clientOf(() => json({ chatId: "c" }), twoPerSecond)
      const names = ["a", "b", "c", "d", "e"]
      const fiber = yield* Effect.forkChild(
        Effect.forEach(names, (name) => client.chats.createByBotCode(name), { concurrency: "unbounded" })
      )
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(times(), [0, 0, 0.5, 1, 1.5])
      assert.deepStrictEqual(
        sent.map(({ body }) => JSON.parse(body!).botCode),
        names
      )
    })
  )

  it.effect("counts calls and not their attempts", () =>
    Effect.gen(function* () {
      const { client, times } = yield* clientOf(() => status(503), twoPerSecond)
      const fiber = yield* inParallel(2, client.users.current)
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      assert.strictEqual(times().length, 6)
    })
  )

  it.effect("is waited for until the deadline, by who then has taken nothing from the others", () =>
    Effect.gen(function* () {
      const { client, times } = yield* clientOf(user, RateLimit.layer({ calls: 1, per: "10 seconds" }))
      const hasty = client.users.current.pipe(
        Effect.provideService(Timeouts.Timeouts, { ...Timeouts.standard, deadline: "5 seconds" })
      )
      yield* client.users.current
      const fiber = yield* inParallel(20, hasty)
      yield* TestClock.adjust("5 seconds")
      for (const result of yield* Fiber.join(fiber)) {
        assert.strictEqual(result._tag, "Failure")
        if (result._tag === "Success") continue
        assert.instanceOf(result.failure, Errors.RequestTimedOut)
        assert.strictEqual(result.failure.limit, "deadline")
        const { attempts, ended } = Option.getOrThrow(CallStory.of(result.failure))
        assert.deepStrictEqual([attempts.length, ended], [0, "deadline"])
      }
      const last = yield* Effect.forkChild(client.users.current)
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(last)
      assert.deepStrictEqual(times(), [0, 10])
    })
  )

  it.effect("can be off for one call", () =>
    Effect.gen(function* () {
      const { client, times } = yield* clientOf(user, RateLimit.layer({ calls: 1, per: "1 hour" }))
      const free = Effect.provideService(client.users.current, RateLimit.RateLimit, "off")
      yield* Effect.all([client.users.current, free, free])
      assert.deepStrictEqual(times(), [0, 0, 0])
    })
  )

  it.effect("keeps its count where the program says, and lets calls begin where that fails", () =>
    Effect.gen(function* () {
      const keys: Array<string> = []
      const broken = Effect.fail(
        new RateLimiter.RateLimiterError({ reason: new RateLimiter.RateLimitStoreError({ message: "gone" }) })
      )
      const store = RateLimiter.RateLimiterStore.of({
        fixedWindow: () => broken,
        tokenBucket: ({ key }) => {
          keys.push(key)
          return broken
        },
        adaptiveConsume: () => broken,
        adaptiveFeedback: () => broken
      })
      const layer = Layer.provide(RateLimit.layer(), Layer.succeed(RateLimiter.RateLimiterStore, store))
      const { client, times } = yield* clientOf(user, layer)
      yield* client.users.current
      assert.deepStrictEqual(times(), [0])
      assert.deepStrictEqual(keys, ["http://chatbot.test"])
    })
  )
})

describe("a bulkhead", () => {
  const small = Bulkhead.layer({ calls: 2, completions: 1 })
  const slow: Script = ({ method }) =>
    method === "POST" ? after(20, () => json({ completionId: "x" })) : after(1, user)

  it.effect("lets as many calls be under way as it has places", () =>
    Effect.gen(function* () {
      const { client, times } = yield* clientOf(slow, small)
      const fiber = yield* inParallel(5, client.users.current)
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(times(), [0, 0, 1, 1, 2])
    })
  )

  it.effect("does not let completions keep others from being made", () =>
    Effect.gen(function* () {
      const { client, sent } = yield* clientOf(slow, small)
      const completions = yield* inParallel(3, client.chats.complete(chatId, "hello"))
      yield* TestClock.adjust("1 second")
      const calls = yield* inParallel(2, client.users.current)
      // Not in one leap: a body is read in real time.
      yield* Effect.replicateEffect(TestClock.adjust("1 second"), 60)
      yield* Fiber.join(completions)
      yield* Fiber.join(calls)
      const times = (method: string) => sent.filter((one) => one.method === method).map(({ at }) => at / 1000)
      assert.deepStrictEqual(times("POST"), [0, 20, 40])
      assert.deepStrictEqual(times("GET"), [1, 1])
    })
  )

  it.effect("keeps a place over all attempts, and gives it back after a failure and an interruption", () =>
    Effect.gen(function* () {
      const one = Bulkhead.layer({ calls: 1, completions: 1 })
      const { client, times } = yield* clientOf((_, number) => (number <= 3 ? status(503) : Effect.never), one)
      const failing = yield* inParallel(1, client.users.current)
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(failing)
      assert.strictEqual(times().length, 3)
      const interrupted = yield* inParallel(1, client.users.current)
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(interrupted)
      assert.strictEqual(times().length, 4)
      const last = yield* inParallel(1, client.users.current)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(times().length, 5)
      yield* Fiber.interrupt(last)
    })
  )

  it.effect("is waited for until the deadline", () =>
    Effect.gen(function* () {
      const { client, times } = yield* clientOf(() => Effect.never, Bulkhead.layer({ calls: 1, completions: 1 }))
      const limits = { ...Timeouts.standard, attempt: "50 seconds", deadline: "30 seconds" } as const
      const first = yield* inParallel(1, client.users.current)
      yield* TestClock.adjust("1 second")
      const second = yield* inParallel(1, client.users.current.pipe(Effect.provideService(Timeouts.Timeouts, limits)))
      yield* TestClock.adjust("29 seconds")
      assert.isUndefined(second.pollUnsafe())
      yield* TestClock.adjust("1 second")
      const [result] = yield* Fiber.join(second)
      assert.isTrue(result?._tag === "Failure" && result.failure._tag === "RequestTimedOut")
      // The first is at its second attempt by now.
      assert.isAtLeast(times().length, 1)
      yield* Fiber.interrupt(first)
    })
  )
})
