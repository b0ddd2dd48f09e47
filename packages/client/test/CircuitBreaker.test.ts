import * as CallStory from "@effect-chatbot/client/CallStory"
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as CircuitBreaker from "@effect-chatbot/client/CircuitBreaker"
import * as RetryPolicy from "@effect-chatbot/client/RetryPolicy"
import * as Timeouts from "@effect-chatbot/client/Timeouts"
import * as Errors from "@effect-chatbot/schema/Errors"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { consecutive } from "effect/persistence/CircuitBreaker"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import { chatId } from "./support/Methods.ts"
import { failing, json, type Script, scripted, status } from "./support/Scripted.ts"

const user = () => json({ id: 1 })
const options = { tripPolicy: consecutive(3), openDuration: "30 seconds" } as const

/** A client with a circuit breaker and, unless said otherwise, of one attempt. */
const clientOf = (script: Script, attempts = 1) =>
  Effect.gen(function* () {
    const backend = scripted(script)
    const layer = ChatbotClient.layer({ baseUrl: "http://chatbot.test" }).pipe(
      Layer.provide(backend.layer),
      Layer.provide(CircuitBreaker.layer(options)),
      Layer.provide(
        Layer.succeed(RetryPolicy.RetryPolicy, {
          ...RetryPolicy.standard,
          attempts,
          backoff: Schedule.spaced("1 second")
        })
      )
    )
    const client = yield* Effect.provide(ChatbotClient, layer)
    return { call: client.users.current, client, sent: backend.sent }
  })

const times = <A, E>(count: number, call: Effect.Effect<A, E>) => Effect.replicateEffect(Effect.exit(call), count)

describe("a circuit breaker", () => {
  it.effect("sends nothing any more after some failures, and says how long", () =>
    Effect.gen(function* () {
      const { call, sent } = yield* clientOf(() => status(503))
      yield* times(3, call)
      const error = yield* Effect.flip(call)
      assert.instanceOf(error, Errors.CircuitOpen)
      assert.deepStrictEqual(error.retryAfter, Duration.seconds(30))
      assert.strictEqual(sent.length, 3)
      const { attempts, ended } = Option.getOrThrow(CallStory.of(error))
      assert.deepStrictEqual([attempts.length, attempts[0]?.outcome, ended], [1, "CircuitOpen", "final"])
    })
  )

  it.effect("lets one request through when its time is over, which decides", () =>
    Effect.gen(function* () {
      const { call, sent } = yield* clientOf((_, number) => (number <= 4 ? status(503) : user()))
      yield* times(3, call)
      yield* TestClock.adjust("30 seconds")
      assert.instanceOf(yield* Effect.flip(call), Errors.Unavailable)
      assert.instanceOf(yield* Effect.flip(call), Errors.CircuitOpen)
      yield* TestClock.adjust("30 seconds")
      yield* times(5, call)
      assert.strictEqual(sent.length, 9)
    })
  )

  it.effect("lets only one through to decide", () =>
    Effect.gen(function* () {
      const { call, sent } = yield* clientOf((_, number) =>
        number <= 3 ? status(503) : Effect.delay(Effect.sync(user), "1 second")
      )
      yield* times(3, call)
      yield* TestClock.adjust("30 seconds")
      const probe = yield* Effect.forkChild(call)
      yield* Effect.yieldNow
      const error = yield* Effect.flip(call)
      assert.instanceOf(error, Errors.CircuitOpen)
      assert.isUndefined(error.retryAfter)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(probe)
      assert.strictEqual(sent.length, 4)
    })
  )

  it.effect("stays open for as long as the backend asked", () =>
    Effect.gen(function* () {
      const { call } = yield* clientOf(() => status(503, { "retry-after": "120" }))
      yield* times(3, call)
      const error = yield* Effect.flip(call)
      assert.instanceOf(error, Errors.CircuitOpen)
      assert.deepStrictEqual(error.retryAfter, Duration.seconds(120))
    })
  )

  it.effect.each<readonly [string, Script, boolean]>([
    ["503", () => status(503), true],
    ["500", () => status(500), true],
    ["504", () => status(504), true],
    ["reset", (request) => failing(request, "ECONNRESET"), true],
    ["refused", (request) => failing(request, "ECONNREFUSED"), true],
    ["501", () => status(501), false],
    ["429", () => status(429), false],
    ["404", () => status(404), false],
    ["401", () => status(401), false],
    ["what cannot be read", () => json([]), false]
  ])("opens by what shows that a backend is down, and by nothing else: %s", ([, script, isOpen]) =>
    Effect.gen(function* () {
      const { client } = yield* clientOf(script)
      const call = client.chats.get(chatId)
      yield* times(3, call)
      assert.strictEqual((yield* Effect.flip(call)) instanceof Errors.CircuitOpen, isOpen)
    })
  )

  it.effect("opens by attempts that time out, but not by a deadline that leaves them no time", () =>
    Effect.gen(function* () {
      const isOpenAfter = Effect.fnUntraced(function* (limits: Timeouts.Limits) {
        const { call, sent } = yield* clientOf(() => Effect.never)
        const limited = Effect.provideService(call, Timeouts.Timeouts, { ...Timeouts.standard, ...limits })
        const fiber = yield* Effect.forkChild(times(4, limited))
        yield* TestClock.adjust("20 seconds")
        yield* Fiber.join(fiber)
        return sent.length === 3
      })
      assert.isTrue(yield* isOpenAfter({ attempt: "1 second", deadline: "5 seconds" }))
      assert.isFalse(yield* isOpenAfter({ attempt: "5 seconds", deadline: "1 second" }))
    })
  )

  it.effect("ends the attempts of a call by opening", () =>
    Effect.gen(function* () {
      const { call, sent } = yield* clientOf(() => status(503), 9)
      const fiber = yield* Effect.forkChild(Effect.flip(call))
      yield* TestClock.adjust("1 minute")
      const error = yield* Fiber.join(fiber)
      assert.instanceOf(error, Errors.CircuitOpen)
      assert.strictEqual(sent.length, 3)
      assert.deepStrictEqual(
        Option.getOrThrow(CallStory.of(error)).attempts.map(({ outcome }) => outcome),
        ["503", "503", "503", "CircuitOpen"]
      )
    })
  )

  it.effect("has a circuit of its own for completions", () =>
    Effect.gen(function* () {
      const { call, client, sent } = yield* clientOf(({ method }) => (method === "POST" ? status(502) : user()))
      yield* times(5, client.chats.complete(chatId, "hello"))
      yield* call
      assert.strictEqual(sent.length, 4)
    })
  )

  it.effect("can be off for one call, and is off by default", () =>
    Effect.gen(function* () {
      const { call, sent } = yield* clientOf(() => status(503))
      yield* times(9, Effect.provideService(call, CircuitBreaker.CircuitBreaker, "off"))
      assert.strictEqual(sent.length, 9)
      const backend = scripted(() => status(503))
      const { users } = yield* Effect.provide(
        ChatbotClient,
        Layer.provide(ChatbotClient.layer({ baseUrl: "http://chatbot.test" }), backend.layer)
      )
      yield* times(9, Effect.provideService(users.current, RetryPolicy.RetryPolicy, RetryPolicy.none))
      assert.strictEqual(backend.sent.length, 9)
    })
  )
})
