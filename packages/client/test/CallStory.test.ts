import * as CallStory from "@effect-chatbot/client/CallStory"
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as RetryPolicy from "@effect-chatbot/client/RetryPolicy"
import * as Errors from "@effect-chatbot/schema/Errors"
import { ChatId, Ticket } from "@effect-chatbot/schema/Ids"
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { inspect } from "node:util"
import { failing, json, type Script, scripted, status } from "./support/Scripted.ts"

const chatId = ChatId.make("chat-canary")

const client = (script: Script) =>
  Layer.provide(
    ChatbotClient.layer({ baseUrl: "http://chatbot.test/path-canary", token: "token-canary" }),
    scripted(script).layer
  )

const steady = { ...RetryPolicy.standard, backoff: Schedule.spaced("250 millis") }

/** The error of a call, after an hour. */
const errorOf = <A, E>(call: (client: ChatbotClient["Service"]) => Effect.Effect<A, E>, script: Script) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(Effect.flip(Effect.flatMap(ChatbotClient, call)))
    yield* TestClock.adjust("1 hour")
    return yield* Fiber.join(fiber)
  }).pipe(Effect.provideService(RetryPolicy.RetryPolicy, steady), Effect.provide(client(script)))

const complete = ({ chats }: ChatbotClient["Service"]) => chats.complete(chatId, "prompt-canary")
const getChat = ({ chats }: ChatbotClient["Service"]) => chats.get(chatId)

/** A failure of each kind: a slow 503 with an id, a reset, a problem with an id of its own. */
const eventful: Script = (request, number) =>
  number === 1
    ? Effect.delay(Effect.succeed(status(503, { "x-request-id": "r-1" })), "12 millis")
    : number === 2
      ? Effect.delay(failing(request, "ECONNRESET"), "40 millis")
      : json({ type: "urn:effect-chatbot:problem:ChatNotFound", requestId: "r-3" }, { status: 404 })

describe("the story of a call", () => {
  it.effect("has the endpoint, the request, every attempt and why there is no other", () =>
    Effect.gen(function* () {
      const error = yield* errorOf(getChat, eventful)
      assert.instanceOf(error, Errors.ChatNotFound)
      const story = Option.getOrThrow(CallStory.of(error))
      expectTypeOf(story).toEqualTypeOf<CallStory.CallStory>()
      assert.deepStrictEqual(story, {
        endpoint: "chats.get",
        requestId: "r-3",
        attempts: [
          {
            outcome: "503",
            error: "Unavailable",
            delay: Duration.zero,
            duration: Duration.millis(12),
            requestId: "r-1"
          },
          {
            outcome: "reset",
            error: "TransportFailed",
            delay: Duration.millis(250),
            duration: Duration.millis(40),
            requestId: undefined
          },
          {
            outcome: "404",
            error: "ChatNotFound",
            delay: Duration.millis(250),
            duration: Duration.zero,
            requestId: "r-3"
          }
        ],
        ended: "final"
      })
    })
  )

  it.effect("can be read by people", () =>
    Effect.gen(function* () {
      const text = Option.map(CallStory.of(yield* errorOf(getChat, eventful)), CallStory.format)
      assert.strictEqual(
        Option.getOrThrow(text),
        [
          "chats.get failed after 3 attempts:",
          "  1. 503 (Unavailable) after 12ms, request r-1",
          "  2. 250ms later: reset (TransportFailed) after 40ms",
          "  3. 250ms later: 404 (ChatNotFound) after 0, request r-3",
          "No further attempt: another attempt would change nothing."
        ].join("\n")
      )
    })
  )

  it.effect("of a request that was not valid has no attempt", () =>
    Effect.gen(function* () {
      const error = yield* errorOf(({ chats }) => chats.download(chatId, ".."), eventful)
      const story = Option.getOrThrow(CallStory.of(error))
      assert.deepStrictEqual(story, { endpoint: "chats.download", requestId: undefined, attempts: [], ended: "unsent" })
      assert.strictEqual(CallStory.format(story), "chats.download failed: the request is not valid and was not sent.")
    })
  )

  it.effect("of an attempt that read the answer to its end has the id of the request, also where it timed out", () =>
    Effect.gen(function* () {
      const silent = () =>
        new Response(new ReadableStream({ start: (body) => body.enqueue(new Uint8Array([123])) }), {
          headers: { "x-request-id": "r-1" }
        })
      const story = Option.getOrThrow(CallStory.of(yield* errorOf(getChat, silent)))
      assert.deepStrictEqual(
        story.attempts.map(({ outcome, requestId }) => [outcome, requestId]),
        [
          ["attempt", "r-1"],
          ["deadline", "r-1"]
        ]
      )
    })
  )

  it.effect("goes on while the bytes of an answer come", () =>
    Effect.gen(function* () {
      const broken = () =>
        new Response(new ReadableStream({ pull: (body) => body.error(new Error("reset")) }), {
          headers: { "x-request-id": "r-1" }
        })
      const error = yield* errorOf(
        ({ chats }) => Effect.flatMap(chats.download(chatId, "a.md"), ({ stream }) => Stream.runDrain(stream)),
        broken
      )
      assert.instanceOf(error, Errors.TransportFailed)
      const story = Option.getOrThrow(CallStory.of(error))
      assert.strictEqual(story.ended, "begun")
      assert.deepStrictEqual(
        story.attempts.map(({ outcome, requestId }) => [outcome, requestId]),
        [["200", "r-1"]]
      )
    })
  )

  it.effect("holds nothing that a backend should not say to whoever reads a log", () =>
    Effect.gen(function* () {
      const ticket = Ticket.make("ticket-canary")
      const bad = (request: Parameters<Script>[0], number: number) =>
        number % 2 ? new Response("body-canary", { status: 503 }) : failing(request, "ECONNRESET")
      for (const error of [
        yield* errorOf(getChat, bad),
        yield* errorOf(complete, bad),
        yield* errorOf(({ chats }) => chats.download(chatId, "file-canary", { ticket }), bad)
      ]) {
        const story = Option.getOrThrow(CallStory.of(error))
        assert.notMatch(`${inspect(story, { depth: 9 })} ${CallStory.format(story)} ${JSON.stringify(story)}`, /canary/)
      }
    })
  )

  it.effect("does not let an id of a request write into a log", () =>
    Effect.gen(function* () {
      const requestId = `r-1\n\u001b[31mERROR${"x".repeat(200)}`
      const error = yield* errorOf(getChat, () => json({ requestId }, { status: 404 }))
      const text = CallStory.format(Option.getOrThrow(CallStory.of(error)))
      assert.strictEqual(text.split("\n").length, 3)
      assert.notInclude(text, "\u001b")
      assert.isBelow(text.length, 300)
    })
  )
})

describe("an error with a story", () => {
  it.effect("compares, prints and copies as what it is", () =>
    Effect.gen(function* () {
      const error = yield* errorOf(getChat, () =>
        json({ type: "urn:effect-chatbot:problem:ChatNotFound", chatId }, { status: 404 })
      )
      const plain = new Errors.ChatNotFound({ chatId })
      assert.isTrue(Equal.equals(error, plain))
      assert.strictEqual(JSON.stringify(error), JSON.stringify(plain))
      assert.sameMembers(Reflect.ownKeys(error), Reflect.ownKeys(plain))
      assert.isTrue(Option.isNone(CallStory.of(plain)))
    })
  )

  it.each([undefined, null, "text", 5, {}, new Error("other")])("is not %s", (value) => {
    assert.isTrue(Option.isNone(CallStory.of(value)))
  })

  it.effect("is made for every call: calls at the same time do not mix", () =>
    Effect.gen(function* () {
      const both = yield* Effect.flatMap(ChatbotClient, (client) =>
        Effect.all([Effect.flip(getChat(client)), Effect.flip(complete(client))], { concurrency: 2 })
      ).pipe(Effect.provide(client(() => Effect.delay(Effect.succeed(status(404)), 0))))
      const stories = both.map((error) => Option.getOrThrow(CallStory.of(error)))
      assert.deepStrictEqual(
        stories.map(({ attempts, endpoint }) => [endpoint, attempts.length]),
        [
          ["chats.get", 1],
          ["chats.complete", 1]
        ]
      )
    })
  )
})
