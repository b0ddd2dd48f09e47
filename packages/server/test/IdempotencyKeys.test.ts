import { IdempotencyKeyInUse, ProviderFailed } from "@effect-chatbot/schema/Errors"
import { ChatService } from "@effect-chatbot/server/ChatService"
import { CompletionRuns } from "@effect-chatbot/server/CompletionRuns"
import { type Answer, IdempotencyKeys, type KeyedRequest } from "@effect-chatbot/server/IdempotencyKeys"
import { Retention } from "@effect-chatbot/server/Retention"
import { Tickets } from "@effect-chatbot/server/Tickets"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import { parseKey } from "../src/http/IdempotencyKeys.ts"
import * as Services from "./support/TestServices.ts"

type Env = Layer.Success<typeof Services.layer>

const test = <A, E>(effect: Effect.Effect<A, E, Env>) => Effect.provide(effect, Services.layer)

const answerOf = (value: unknown): Answer => ({
  status: 200,
  contentType: "application/json",
  body: new TextEncoder().encode(JSON.stringify(value))
})

const textOf = (answer: Answer | undefined) =>
  answer === undefined ? undefined : new TextDecoder().decode(answer.body)

const tagOf = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.match(effect, { onFailure: (error) => error._tag, onSuccess: () => "ok" })

const setUp = Effect.gen(function* () {
  const keys = yield* IdempotencyKeys
  const chats = yield* ChatService
  const runs = yield* CompletionRuns
  const botId = yield* Services.bot({ code: "helper", isOpen: 1 })
  const ann = yield* Services.user("ann")
  const { chatId } = yield* chats.create(ann, botId)
  const request = (options: Partial<KeyedRequest> = {}): KeyedRequest => ({
    key: "key",
    caller: ann,
    endpoint: "chats.create",
    params: {},
    body: new TextEncoder().encode("{}"),
    ...options
  })
  /** Creates a chat, and tells whether it was created now. */
  const create = (options: Partial<KeyedRequest> = {}) => {
    const keyed = request(options)
    return Effect.map(
      keys.atOnce(keyed, chats.create(keyed.caller, botId), (chat) => Effect.succeed(answerOf(chat))),
      (outcome) =>
        outcome._tag === "Replayed"
          ? { isNew: false, text: textOf(outcome.answer) }
          : { isNew: true, text: textOf(outcome.stored) }
    )
  }
  const question = request({ endpoint: "chats.complete", params: { chatId } })
  /** Asks a question, and tells whether it was asked now. */
  const ask = (keyed: KeyedRequest = question) =>
    Effect.map(keys.inRun(keyed, runs.complete(keyed.caller, chatId, Services.question("Q"))), (outcome) =>
      outcome._tag === "Replayed"
        ? { isNew: false, text: textOf(outcome.answer) }
        : { isNew: true, text: textOf(outcome.stored) }
    )
  return { ann, botId, chatId, chats, keys, request, create, question, ask, provider: yield* Services.TestProvider }
})

/** A provider that waits until it is let go, and tells when it was asked. */
const gate = Effect.gen(function* () {
  const asked = yield* Deferred.make<void>()
  const open = yield* Deferred.make<void>()
  const behaviour: Services.Behaviour = () =>
    Deferred.succeed(asked, undefined).pipe(
      Effect.andThen(Deferred.await(open)),
      Effect.as(Services.answer({ assistantMessage: "Late." }))
    )
  return { asked, open, behaviour }
})

describe("parseKey", () => {
  it.each([
    ["abc", "abc"],
    ['"abc"', "abc"],
    ['  "abc"  ', "abc"],
    ['"a\\"b\\\\c"', 'a"b\\c'],
    ['a"b', 'a"b'],
    ["!~", "!~"],
    ["8e03978e-40d5-43e8-bc93-6894a57f9324", "8e03978e-40d5-43e8-bc93-6894a57f9324"],
    ["x".repeat(255), "x".repeat(255)],
    ["x".repeat(256), undefined],
    [`"${"x".repeat(256)}"`, undefined],
    ["", undefined],
    ['""', undefined],
    ['"', undefined],
    ['"abc', undefined],
    ['"abc"def', undefined],
    ['"a\\b"', undefined],
    ["a b", undefined],
    ["a, b", undefined],
    ['"a", "b"', undefined],
    ["ä", undefined],
    ["a\tb", undefined]
  ])("%s", (header, expected) => {
    assert.strictEqual(parseKey(header), expected)
  })
})

describe("a key", () => {
  it.effect("makes work take effect once, for 24 hours", () =>
    test(
      Effect.gen(function* () {
        const { create } = yield* setUp
        const first = yield* create()
        assert.isTrue(first.isNew)
        yield* TestClock.adjust(Duration.subtract(Duration.hours(24), Duration.millis(1)))
        assert.deepStrictEqual(yield* create(), { isNew: false, text: first.text })
        yield* TestClock.adjust(1)
        const second = yield* create()
        assert.isTrue(second.isNew)
        assert.notStrictEqual(second.text, first.text)
        assert.deepStrictEqual(yield* create(), { isNew: false, text: second.text })
        assert.strictEqual(yield* Services.count("chats"), 3)
      })
    )
  )

  it.effect("that has expired is deleted, in batches", () =>
    test(
      Effect.gen(function* () {
        const { create } = yield* setUp
        const retention = yield* Retention
        yield* Effect.forEach(Array.from({ length: 450 }).keys(), (index) => create({ key: `old-${index}` }))
        yield* TestClock.adjust("12 hours")
        yield* create({ key: "young" })
        yield* TestClock.adjust("12 hours")
        assert.strictEqual((yield* retention.run).idempotencyKeys, 450)
        assert.strictEqual(yield* Services.count("idempotency_keys"), 1)
      })
    )
  )

  it.effect("is for one request: another body, path or endpoint is refused, and nothing done", () =>
    test(
      Effect.gen(function* () {
        const { create } = yield* setUp
        yield* create()
        const body = new TextEncoder().encode("{ }")
        assert.strictEqual(yield* tagOf(create({ body })), "IdempotencyKeyReused")
        assert.strictEqual(yield* tagOf(create({ params: { chatId: "another" } })), "IdempotencyKeyReused")
        assert.strictEqual(yield* tagOf(create({ endpoint: "chats.createByBotCode" })), "IdempotencyKeyReused")
        assert.strictEqual(yield* Services.count("chats"), 2)
      })
    )
  )

  it.effect("of one caller is not that of another", () =>
    test(
      Effect.gen(function* () {
        const { create } = yield* setUp
        const bob = yield* Services.user("bob")
        const first = yield* create()
        const second = yield* create({ caller: bob })
        assert.isTrue(first.isNew && second.isNew)
        assert.notStrictEqual(first.text, second.text)
      })
    )
  )

  it.effect("of nobody must be unguessable, or belong to a chat", () =>
    test(
      Effect.gen(function* () {
        const { botId, chats, create } = yield* setUp
        const caller = Services.anonymous
        for (const key of ["key", "8e03978e-40d5-13e8-bc93-6894a57f9324", "x".repeat(64)]) {
          const error = yield* Effect.flip(create({ caller, key }))
          assert.strictEqual(error._tag, "InvalidRequest")
          assert.deepStrictEqual("issues" in error ? error.issues[0]?.path : undefined, ["headers", "Idempotency-Key"])
        }
        const key = "8e03978e-40d5-43e8-bc93-6894a57f9324"
        assert.isTrue((yield* create({ caller, key })).isNew)
        assert.isFalse((yield* create({ caller, key })).isNew)
        // A user with the same key is somebody else.
        assert.isTrue((yield* create({ key })).isNew)

        const one = yield* chats.create(caller, botId)
        const two = yield* chats.create(caller, botId)
        for (const { chatId } of [one, two]) {
          assert.isTrue((yield* create({ caller, params: { chatId } })).isNew)
          assert.isFalse((yield* create({ caller, params: { chatId } })).isNew)
        }
      })
    )
  )

  it.effect("is stored with success alone: what is refused is undone and may be tried again, changed as well", () =>
    test(
      Effect.gen(function* () {
        const { ann, botId, chats, create, keys, request } = yield* setUp
        const refused = yield* keys.atOnce(request(), chats.create(ann, botId), () => Effect.undefined)
        assert.deepInclude(refused, { _tag: "Done", stored: undefined })
        const failed = keys.atOnce(request(), Effect.andThen(chats.create(ann, botId), new ProviderFailed({})), () =>
          Effect.succeed(answerOf("never"))
        )
        assert.strictEqual(yield* tagOf(failed), "ProviderFailed")
        assert.strictEqual(yield* Services.count("chats"), 1)
        assert.strictEqual(yield* Services.count("idempotency_keys"), 0)
        assert.isTrue((yield* create({ body: new TextEncoder().encode("changed") })).isNew)
      })
    )
  )

  it.effect("goes with the chat that its answer tells of", () =>
    test(
      Effect.gen(function* () {
        const { ann, ask, chatId, chats } = yield* setUp
        yield* ask()
        assert.strictEqual(yield* Services.count("idempotency_keys"), 1)
        yield* chats.delete(ann, chatId)
        assert.strictEqual(yield* Services.count("idempotency_keys"), 0)
        assert.strictEqual(yield* tagOf(ask()), "ChatNotFound")
      })
    )
  )

  it.effect("keeps its answer sealed", () =>
    test(
      Effect.gen(function* () {
        const { ann, chatId, keys, request } = yield* setUp
        const sql = yield* SqlClient.SqlClient
        const tickets = yield* Tickets
        const keyed = request({ key: "canary-key", endpoint: "chats.createTicket", params: { chatId } })
        const outcome = yield* keys.atOnce(keyed, tickets.create(ann, chatId), (ticket) =>
          Effect.succeed(answerOf(ticket))
        )
        assert(outcome._tag === "Done")
        const ticket = outcome.value
        const [row] = yield* sql<{ body: Uint8Array }>`SELECT * FROM idempotency_keys`
        const stored = Object.values(row ?? {}).map((value) =>
          value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : String(value)
        )
        assert.isAbove(ticket.length, 20)
        assert.notInclude(stored.join(" "), ticket)
        assert.notInclude(stored.join(" "), "canary-key")
        const again = yield* keys.atOnce(keyed, tickets.create(ann, chatId), () => Effect.undefined)
        assert.strictEqual(again._tag === "Replayed" ? textOf(again.answer) : "", JSON.stringify(ticket))
        yield* tickets.redeem(chatId, ticket)
      })
    )
  )
})

describe("the key of a question", () => {
  it.effect("is in use until the answer is stored, and then gives it", () =>
    test(
      Effect.gen(function* () {
        const { ask, provider, question } = yield* setUp
        const { asked, behaviour, open } = yield* gate
        yield* provider.behave(behaviour)
        const first = yield* Effect.forkChild(ask())
        yield* Deferred.await(asked)
        const refused = yield* Effect.flip(ask())
        assert.deepStrictEqual(refused, new IdempotencyKeyInUse({ retryAfter: Duration.seconds(1) }))
        const other = { ...question, body: new TextEncoder().encode("another") }
        assert.strictEqual(yield* tagOf(ask(other)), "IdempotencyKeyReused")
        yield* Deferred.succeed(open, undefined)
        const { isNew, text } = yield* Fiber.join(first)
        assert.isTrue(isNew)
        assert.include(text, "Late.")
        assert.deepStrictEqual(yield* ask(), { isNew: false, text })
        assert.strictEqual(provider.requests.length, 1)
      })
    )
  )

  it.effect("stays in use when the caller leaves, and then gives the answer nobody waited for", () =>
    test(
      Effect.gen(function* () {
        const { ask, provider } = yield* setUp
        const { asked, behaviour, open } = yield* gate
        yield* provider.behave(behaviour)
        const first = yield* Effect.forkChild(ask())
        yield* Deferred.await(asked)
        yield* Fiber.interrupt(first)
        assert.strictEqual(yield* tagOf(ask()), "IdempotencyKeyInUse")
        yield* Deferred.succeed(open, undefined)
        const { isNew, text } = yield* ask().pipe(
          Effect.tapError(() => Effect.yieldNow),
          Effect.retry({ while: (error) => error._tag === "IdempotencyKeyInUse" })
        )
        assert.isFalse(isNew)
        assert.include(text, "Late.")
        assert.strictEqual(yield* Services.count("completions"), 1)
      })
    )
  )

  it.effect("is free again when the question was refused or the provider failed", () =>
    test(
      Effect.gen(function* () {
        const { ask, provider, question } = yield* setUp
        const bob = yield* Services.user("bob")
        assert.strictEqual(yield* tagOf(ask({ ...question, caller: bob })), "ChatNotFound")
        assert.strictEqual(yield* tagOf(ask({ ...question, caller: bob })), "ChatNotFound")
        yield* provider.behave(() => Effect.fail(new ProviderFailed({})))
        assert.strictEqual(yield* tagOf(ask()), "ProviderFailed")
        yield* provider.behave(() => Effect.succeed(Services.answer({})))
        assert.isTrue((yield* ask()).isNew)
        assert.isFalse((yield* ask()).isNew)
      })
    )
  )

  it.effect("of a chat that answers another question is free", () =>
    test(
      Effect.gen(function* () {
        const { ask, provider, question } = yield* setUp
        const { asked, behaviour, open } = yield* gate
        yield* provider.behave(behaviour)
        const first = yield* Effect.forkChild(ask())
        yield* Deferred.await(asked)
        assert.strictEqual(yield* tagOf(ask({ ...question, key: "another" })), "ChatBusy")
        yield* Deferred.succeed(open, undefined)
        yield* Fiber.join(first)
        assert.isTrue((yield* ask({ ...question, key: "another" })).isNew)
      })
    )
  )

  it.effect("that another process settled meanwhile undoes what this one would store", () =>
    test(
      Effect.gen(function* () {
        const { ask, keys, provider, question } = yield* setUp
        const { asked, behaviour, open } = yield* gate
        yield* provider.behave(behaviour)
        const first = yield* Effect.forkChild(tagOf(ask()))
        yield* Deferred.await(asked)
        // Stores an answer without a look at what runs in this process, as another process does.
        yield* keys.atOnce(question, Effect.void, () => Effect.succeed(answerOf("of the other")))
        yield* Deferred.succeed(open, undefined)
        assert.strictEqual(yield* Fiber.join(first), "IdempotencyKeyInUse")
        assert.strictEqual(yield* Services.count("completions"), 0)
        assert.strictEqual(yield* Services.count("token_usage"), 0)
        assert.deepStrictEqual(yield* ask(), { isNew: false, text: '"of the other"' })
      })
    )
  )
})
