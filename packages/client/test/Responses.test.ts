import { Bots } from "@effect-chatbot/client/Bots"
import { Cache } from "@effect-chatbot/client/Cache"
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import { Chats } from "@effect-chatbot/client/Chats"
import { Statistics } from "@effect-chatbot/client/Statistics"
import { System } from "@effect-chatbot/client/System"
import { Users } from "@effect-chatbot/client/Users"
import { InvalidResponse } from "@effect-chatbot/schema/Errors"
import { BotId, ChatId } from "@effect-chatbot/schema/Ids"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { json, scripted, text } from "./support/Scripted.ts"

const botId = BotId.make("bot")
const chatId = ChatId.make("chat")

/** A client of a backend that gives one answer to everything. */
const answering = (answer: () => Response) =>
  Effect.provide(Layer.provide(ChatbotClient.layer({ baseUrl: "http://chatbot.test" }), scripted(answer).layer))

const written = (status: number, body: string | null | undefined, type: string | undefined) => () =>
  new Response(typeof body !== "string" ? null : new TextEncoder().encode(body), {
    status,
    ...(type === undefined ? undefined : { headers: { "content-type": type } })
  })

const search = Effect.flatMap(Bots, (bots) => bots.search(botId, "hello"))
const getChat = Effect.flatMap(Chats, (chats) => chats.get(chatId))

describe("objects", () => {
  it.effect("take a missing and a null field for an absent one, and ignore fields they do not know", () =>
    Effect.gen(function* () {
      const chat = yield* getChat
      assert.deepStrictEqual(JSON.parse(JSON.stringify(chat)), {
        chatId: "chat",
        completions: [{ completionId: "c", metaData: { tags: [], sources: [] } }],
        isFavorite: false,
        isUserSystemMessageSupported: false
      })
      assert.isUndefined(chat.displayName)
      assert.isUndefined(chat.createdUtc)
    }).pipe(
      answering(() =>
        json({
          chatId: "chat",
          displayName: null,
          createdUtc: null,
          completions: [{ completionId: "c", metaData: { tags: null, other: 1 } }],
          isFavorite: null,
          somethingNew: { deep: true }
        })
      )
    )
  )

  it.effect("take an empty id for an absent one where there may be none, and for none where there must be one", () =>
    Effect.gen(function* () {
      const { bots, chats, statistics } = yield* ChatbotClient
      assert.isUndefined((yield* chats.openBot).openChatBotId)
      assert.isUndefined((yield* statistics.tokenUsage()).items[0]?.botId)
      const error = yield* Effect.flip(bots.list())
      assert.strictEqual(error._tag, "InvalidResponse")
      assert.include(error.message, "items[0].botId: ")
    }).pipe(answering(() => json({ openChatBotId: "", items: [{ botId: "" }] })))
  )

  it.effect.each([
    ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"],
    ["2026-01-02T03:04:05", "2026-01-02T03:04:05.000Z"],
    ["2026-01-02T03:04:05.123", "2026-01-02T03:04:05.123Z"],
    ["2026-01-02T03:04:05.1234567", "2026-01-02T03:04:05.123Z"],
    ["2026-01-02T03:04:05.1234567+02:00", "2026-01-02T01:04:05.123Z"]
  ])("read %s as a time in UTC", ([written, read]) =>
    Effect.gen(function* () {
      const { createdUtc } = yield* getChat
      assert.strictEqual(createdUtc === undefined ? undefined : DateTime.formatIso(createdUtc), read)
    }).pipe(answering(() => json({ chatId: "chat", createdUtc: written })))
  )

  it.effect.each([
    ["application/json"],
    ["application/json; charset=utf-8"],
    ["text/json"],
    ["application/vnd.chatbot+json"],
    ["text/plain"],
    [undefined]
  ])("are read out of %s, with and without a byte order mark", ([type]) =>
    Effect.gen(function* () {
      const body = '{"chatId":"chät"}'
      for (const prefix of ["", "\ufeff"]) {
        const chat = yield* getChat.pipe(answering(written(200, prefix + body, type)))
        assert.strictEqual(chat.chatId, "chät")
      }
    })
  )

  it.effect.each([
    ["204", 204, null],
    ["an empty body", 200, ""],
    ["null", 200, "null"]
  ] as const)("take %s for an object without a field", ([, status, body]) =>
    Effect.gen(function* () {
      const { cache, chats, statistics, system, users } = yield* ChatbotClient
      yield* cache.clear
      assert.strictEqual(yield* system.status, "")
      assert.deepStrictEqual(yield* chats.openBot, { isPublic: false })
      assert.strictEqual(yield* users.systemMessages.count, 0)
      assert.deepStrictEqual((yield* statistics.tokenUsage()).items, [])
      // A chat without an id is none.
      const error = yield* Effect.flip(chats.get(chatId))
      assert.strictEqual(error._tag, "InvalidResponse")
      assert.strictEqual(error.message, "The answer is not what the contract says: chatId: Missing key.")
    }).pipe(answering(written(status, body, status === 204 ? undefined : "application/json")))
  )

  it.effect("keep an integer code that the contract does not know", () =>
    Effect.gen(function* () {
      const {
        items: [row]
      } = yield* Effect.flatMap(Statistics, (statistics) => statistics.tokenUsage())
      assert.strictEqual(row?.tokenUsageTypeId, 77)
      assert.strictEqual(row?.requestDate, "2026-01-02")
    }).pipe(answering(() => json({ items: [{ tokenUsageTypeId: 77, requestDate: "2026-01-02T00:00:00" }] })))
  )

  it.effect("fail with where and why they do not fit, and keep the body to themselves", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(getChat)
      assert.instanceOf(error, InvalidResponse)
      assert.strictEqual(error.status, 200)
      assert.strictEqual(error.requestId, "r-1")
      assert.strictEqual(
        error.message,
        "The answer is not what the contract says: completions[1].createdUtc: Expected an ISO 8601 date-time."
      )
      assert.include(Redacted.value(error.body!), "prompt")
    }).pipe(
      answering(() =>
        json(
          {
            chatId: "chat",
            completions: [{ completionId: "a" }, { completionId: "b", userMessage: "prompt", createdUtc: "yesterday" }]
          },
          { headers: { "x-request-id": "r-1" } }
        )
      )
    )
  )

  it.effect.each([
    ["<html>Please log in</html>", "text/html; charset=utf-8", 'a body of type "text/html" cannot be read'],
    ['{"chatId":"chat"', "application/json", 'a body of type "application/json" cannot be read'],
    ["[]", "application/json", "Expected GetChatResponseDto"],
    ['"chat"', "application/json", "Expected GetChatResponseDto"]
  ])("refuse %s", ([body, type, why]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(getChat)
      assert.strictEqual(error._tag, "InvalidResponse")
      assert.strictEqual(error.message, `The answer is not what the contract says: ${why}.`)
    }).pipe(answering(written(200, body, type)))
  )
})

describe("bare texts", () => {
  it.effect.each([
    ['"bot-1"', "application/json", "bot-1"],
    ["bot-1", "application/json", "bot-1"],
    ['"bot-1"', "text/plain", "bot-1"],
    ["bot-1", "text/plain; charset=utf-8", "bot-1"],
    ["bot-1\r\n", "text/plain", "bot-1"],
    ["\ufeffbot-1", "text/plain", "bot-1"],
    ['"bot \\"1\\""', "text/json", 'bot "1"'],
    ["42", "text/plain", "42"],
    ["true", "text/plain", "true"],
    ["{0195-77}", "text/plain", "{0195-77}"],
    ["bot-1", undefined, "bot-1"]
  ])("read %s of type %s", ([body, type, id]) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* search, id)
    }).pipe(answering(written(200, body, type)))
  )

  it.effect.each([
    ["<html></html>", "text/html"],
    ["", "text/plain"],
    ["null", "application/json"],
    ['""', "application/json"],
    ['{"id":1}', "application/json"],
    ['["bot-1"]', "application/json"],
    ['{"id":', "application/json"],
    ['"bot-1', "application/json"],
    ['"bot-1', "text/plain"]
  ])("refuse %s of type %s", ([body, type]) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(search))._tag, "InvalidResponse")
    }).pipe(answering(written(200, body, type)))
  )

  it.effect("refuse nothing where an id is promised", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(search))._tag, "InvalidResponse")
    }).pipe(answering(written(204, null, undefined)))
  )
})

describe("the bare boolean", () => {
  it.effect.each([
    ["true", "application/json", true],
    ["True", "text/plain", true],
    ["FALSE\n", "text/plain", false],
    ['"true"', "application/json", true]
  ] as const)("reads %s of type %s", ([body, type, value]) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* Effect.flatMap(Bots, ({ stopAll }) => stopAll), value)
    }).pipe(answering(written(200, body, type)))
  )

  it.effect.each(["yes", "1", "null", "", "<html></html>"])("refuses %s", (body) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(Effect.flatMap(Bots, ({ stopAll }) => stopAll)))._tag, "InvalidResponse")
    }).pipe(answering(written(200, body, "text/plain")))
  )
})

describe("an answer without content", () => {
  it.effect.each([
    [200, null],
    [200, "null"],
    [200, '{"a":'],
    [200, "<html></html>"],
    [204, null]
  ] as const)("may be %s %s", ([status, body]) =>
    Effect.gen(function* () {
      const { chats, system, users } = yield* ChatbotClient
      assert.isUndefined(yield* chats.delete(chatId))
      assert.isUndefined(yield* system.setStatus(""))
      assert.isUndefined(yield* users.acceptTerms)
    }).pipe(answering(written(status, body, "text/plain")))
  )
})

describe("what is unwrapped", () => {
  it.effect("is the id, the text, the number that the answer exists for", () =>
    Effect.gen(function* () {
      const { feedback } = yield* Chats
      assert.strictEqual(yield* feedback(chatId, { voteId: 1 }), "f")
      assert.strictEqual(yield* Effect.flatMap(System, ({ status }) => status), "down")
      assert.strictEqual(yield* Effect.flatMap(Users, ({ systemMessages }) => systemMessages.count), 3)
      assert.isUndefined(yield* Effect.flatMap(Cache, ({ clear }) => clear))
    }).pipe(answering(() => json({ feedbackId: "f", value: "down", systemMessageCount: 3 })))
  )

  it.effect("reads the answer of a service of its own, over the same backend", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* search, "x")
    }).pipe(answering(() => text("x")))
  )
})
