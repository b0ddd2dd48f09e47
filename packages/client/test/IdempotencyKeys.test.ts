import * as CallStory from "@effect-chatbot/client/CallStory"
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as IdempotencyKeys from "@effect-chatbot/client/IdempotencyKeys"
import * as RetryPolicy from "@effect-chatbot/client/RetryPolicy"
import * as Errors from "@effect-chatbot/schema/Errors"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import { botId } from "./support/Methods.ts"
import { failing, json, type Script, scripted } from "./support/Scripted.ts"

const honoured = { headers: { "idempotency-supported": "true" } }

const clientOf = (script: Script) =>
  Effect.gen(function* () {
    const backend = scripted(script)
    const client = yield* Effect.provide(
      ChatbotClient,
      Layer.provide(ChatbotClient.layer({ baseUrl: "http://chatbot.test" }), backend.layer)
    )
    return { create: client.chats.create(botId), keys: () => keysOf(backend.sent), read: client.users.current }
  })

const keysOf = (sent: ReturnType<typeof scripted>["sent"]) => sent.map(({ headers }) => headers["idempotency-key"])

/** How a call ended, after a minute. */
const end = <A, E>(call: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(Effect.result(call))
    yield* TestClock.adjust("1 minute")
    return yield* Fiber.join(fiber)
  })

const using = (keys: Partial<IdempotencyKeys.IdempotencyKeys>) =>
  Effect.provideService(IdempotencyKeys.IdempotencyKeys, { ...IdempotencyKeys.standard, ...keys })

const created = (init?: ResponseInit) => json({ chatId: "c" }, init)
const user = (init?: ResponseInit) => json({ id: 1 }, init)
const lost: Script = (request) => failing(request, "ECONNRESET")

/** Loses every answer that is not a user. */
const losing =
  (init?: ResponseInit): Script =>
  (request, number) =>
    request.method === "GET" ? user(init) : lost(request, number)

describe("a key", () => {
  it.effect("is a UUID, new for every call and the same for all its attempts", () =>
    Effect.gen(function* () {
      const { create, keys } = yield* clientOf(() => json({}, { status: 503 }))
      yield* end(create)
      yield* end(create)
      assert.strictEqual(keys().length, 6)
      assert.strictEqual(new Set(keys().slice(0, 3)).size, 1)
      assert.strictEqual(new Set(keys()).size, 2)
      for (const key of keys()) assert.match(key!, /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
    })
  )

  it.effect("can be one of the program's own", () =>
    Effect.gen(function* () {
      const { create, keys } = yield* clientOf(() => created())
      yield* create.pipe(using({ key: "order-1" }))
      assert.deepStrictEqual(keys(), ["order-1"])
    })
  )

  it.effect.each(["", "a b", "a\r\nx-admin: 1", "ü", "k".repeat(256)])("must fit into a header: %j does not", (key) =>
    Effect.gen(function* () {
      const { create, keys } = yield* clientOf(() => created())
      const error = yield* Effect.flip(create.pipe(using({ key })))
      assert.instanceOf(error, Errors.InvalidRequest)
      assert.deepStrictEqual(error.issues[0]?.path, ["headers", "Idempotency-Key"])
      assert.deepStrictEqual(keys(), [])
      assert.strictEqual(Option.getOrThrow(CallStory.of(error)).ended, "unsent")
    })
  )

  it.effect("can be left out, and then nothing is sent again that may have been done", () =>
    Effect.gen(function* () {
      const { create, keys } = yield* clientOf(lost)
      yield* end(create.pipe(using({ enabled: false, honoured: true })))
      assert.deepStrictEqual(keys(), [undefined])
    })
  )
})

describe("a call that may have been done", () => {
  /** How many attempts are made to create after these calls. */
  const attemptsAfter = (
    script: Script,
    before: (client: Effect.Success<ReturnType<typeof clientOf>>) => Effect.Effect<unknown, object>
  ) =>
    Effect.gen(function* () {
      const client = yield* clientOf(script)
      yield* end(Effect.ignore(before(client)))
      const count = client.keys().length
      yield* end(client.create)
      return client.keys().length - count
    })

  it.effect("is not made again before the backend has said that it honours keys, and then is", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* attemptsAfter(losing(), ({ read }) => read), 1)
      assert.strictEqual(
        yield* attemptsAfter(losing({ headers: { "idempotency-supported": "no" } }), ({ read }) => read),
        1
      )
      assert.strictEqual(yield* attemptsAfter(losing(honoured), () => Effect.void), 1)
      assert.strictEqual(yield* attemptsAfter(losing(honoured), ({ read }) => read), 3)
    })
  )

  it.effect("is not made again when the backend no longer says so", () =>
    Effect.gen(function* () {
      const script: Script = (request, number) =>
        number === 1 ? created(honoured) : number === 2 ? created() : lost(request, number)
      assert.strictEqual(yield* attemptsAfter(script, ({ create }) => Effect.andThen(create, create)), 1)
    })
  )

  it.effect("is made again although a proxy, which knows nothing of keys, answered in between", () =>
    Effect.gen(function* () {
      const script: Script = (request, number) =>
        number === 1 ? created(honoured) : number === 2 ? json({}, { status: 404 }) : lost(request, number)
      assert.strictEqual(yield* attemptsAfter(script, ({ create }) => Effect.andThen(create, Effect.ignore(create))), 3)
    })
  )

  it.effect("learns from an answer to its own earlier attempt", () =>
    Effect.gen(function* () {
      const { create, keys } = yield* clientOf((request, number) =>
        number === 1 ? json({}, { status: 503, ...honoured }) : number === 2 ? lost(request, number) : created()
      )
      assert.strictEqual((yield* end(create))._tag, "Success")
      assert.strictEqual(keys().length, 3)
    })
  )

  it.effect("is judged by what the program knows, where it knows more", () =>
    Effect.gen(function* () {
      const trusted = yield* clientOf(lost)
      yield* end(trusted.create.pipe(using({ honoured: true })))
      assert.strictEqual(trusted.keys().length, RetryPolicy.standard.attempts)
      const distrusted = yield* clientOf(losing(honoured))
      yield* end(distrusted.read)
      const before = distrusted.keys().length
      yield* end(distrusted.create.pipe(using({ honoured: false })))
      assert.strictEqual(distrusted.keys().length - before, 1)
    })
  )
})
