import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import { Chats } from "@effect-chatbot/client/Chats"
import * as RetryPolicy from "@effect-chatbot/client/RetryPolicy"
import * as Timeouts from "@effect-chatbot/client/Timeouts"
import { RequestTimedOut } from "@effect-chatbot/schema/Errors"
import { ChatId } from "@effect-chatbot/schema/Ids"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { json, type Script, scripted } from "./support/Scripted.ts"

const chatId = ChatId.make("chat")

/** Of one attempt, unless another policy is provided to the program. */
const client = (script: Script) =>
  ChatbotClient.layer({ baseUrl: "http://chatbot.test" }).pipe(
    Layer.provide(scripted(script).layer),
    Layer.provide(Layer.succeed(RetryPolicy.RetryPolicy, RetryPolicy.none))
  )

/** A head at once and a body that never ends. */
const endlessBody = () => new Response(new ReadableStream({ start: (body) => body.enqueue(new Uint8Array([123])) }))

const silent: Script = () => Effect.never

const getChat = Effect.flatMap(Chats, (chats) => chats.get(chatId))
const complete = Effect.flatMap(Chats, (chats) => chats.complete(chatId, "hello"))

/** The time at which a call ended, in seconds, and the error it ended with. */
const endOf = <A, E, R>(call: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(
      Effect.zip(
        Effect.flip(call),
        TestClock.testClockWith((clock) => Effect.succeed(clock.currentTimeMillisUnsafe()))
      )
    )
    yield* TestClock.adjust("1 hour")
    const [error, millis] = yield* Fiber.join(fiber)
    assert.instanceOf(error, RequestTimedOut)
    assert.strictEqual(Duration.toMillis(error.duration), millis)
    return [error.limit, millis / 1000] as const
  })

describe("an attempt", () => {
  it.effect("has 30 seconds for the answer to begin", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* endOf(getChat), ["attempt", 30])
    }).pipe(Effect.provide(client(silent)))
  )

  it.effect("has the same 30 seconds for the body", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* endOf(getChat), ["attempt", 30])
    }).pipe(Effect.provide(client(endlessBody)))
  )

  it.effect("has 10 minutes where a bot answers", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* endOf(complete), ["attempt", 600])
    }).pipe(Effect.provide(client(silent)))
  )

  it.effect("is not ended before its time", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(getChat)
      yield* TestClock.adjust("29999 millis")
      assert.strictEqual((yield* Fiber.join(fiber)).chatId, chatId)
    }).pipe(Effect.provide(client(() => Effect.delay(Effect.succeed(json({ chatId })), "29999 millis"))))
  )
})

describe("the error of a limit", () => {
  it.effect("says in words how long it was", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(Effect.flip(getChat))
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* Fiber.join(fiber)).message, "No complete answer came within 30s.")
    }).pipe(Effect.provide(client(silent)))
  )
})

describe("the limits", () => {
  const short: Timeouts.Timeouts = {
    ...Timeouts.standard,
    attempt: "2 seconds",
    deadline: "5 seconds",
    completions: { attempt: "7 seconds", deadline: "4 seconds" }
  }
  const all = Layer.succeed(Timeouts.Timeouts, short)

  it.effect("can be changed for all calls, by a layer under the client", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* endOf(getChat), ["attempt", 2])
    }).pipe(Effect.provide(Layer.provide(client(silent), all)))
  )

  it.effect("can be changed for all calls, by a layer under the program", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* endOf(getChat), ["attempt", 2])
    }).pipe(Effect.provide(Layer.merge(client(silent), all)))
  )

  it.effect("can be changed for one call", () =>
    Effect.gen(function* () {
      const patient = getChat.pipe(Effect.provideService(Timeouts.Timeouts, { ...short, attempt: "3 seconds" }))
      assert.deepStrictEqual(yield* endOf(patient), ["attempt", 3])
    }).pipe(Effect.provide(Layer.provide(client(silent), all)))
  )

  it.effect("end a call by the deadline where it is the shorter one", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* endOf(complete), ["deadline", 4])
    }).pipe(Effect.provide(Layer.provide(client(silent), all)))
  )

  it.effect("can be none", () =>
    Effect.gen(function* () {
      const infinite = getChat.pipe(
        Effect.provideService(Timeouts.Timeouts, { ...short, attempt: "Infinity", deadline: "Infinity" })
      )
      const fiber = yield* Effect.forkChild(infinite)
      yield* TestClock.adjust("365 days")
      assert.isUndefined(fiber.pollUnsafe())
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(client(silent)))
  )
})
