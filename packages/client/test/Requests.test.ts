import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import { Api } from "@effect-chatbot/api/Api"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Tracer from "effect/Tracer"
import { chatId, classes, type Row, rows, streamed } from "./support/Methods.ts"
import { scripted, type Sent } from "./support/Scripted.ts"

const send = (row: Row, options: { readonly baseUrl: string; readonly token?: string }) => {
  const backend = scripted(row.answer)
  return ChatbotClient.pipe(
    Effect.flatMap(row.call),
    Effect.provide(Layer.provide(ChatbotClient.layer(options), backend.layer)),
    Effect.map((): Sent => {
      assert.strictEqual(backend.sent.length, 1)
      return backend.sent[0]!
    })
  )
}

describe("requests", () => {
  it("covers every endpoint of the contract", () => {
    const endpoints = Object.entries(Api.groups).flatMap(([group, { endpoints }]) =>
      Object.keys(endpoints).map((endpoint) => `${group}.${endpoint}`)
    )
    assert.strictEqual(endpoints.length, 73)
    assert.deepStrictEqual([...Object.keys(rows), ...streamed].toSorted(), endpoints.toSorted())
  })

  it.effect.each(Object.entries(rows))("sends %s as the contract has it", ([name, row]) =>
    Effect.gen(function* () {
      const { body, headers, method, url } = yield* send(row, { baseUrl: "http://chatbot.test", token: "secret" })
      const key = headers["idempotency-key"]
      assert.strictEqual(`${method} ${url}`, `${row.method} http://chatbot.test${row.path}`)
      assert.deepStrictEqual(body === undefined ? undefined : JSON.parse(body), row.body)
      assert.deepStrictEqual(headers, {
        accept: row.accept ?? "application/json",
        authorization: "Bearer secret",
        ...(row.body === undefined ? undefined : { "content-type": "application/json" }),
        ...(key === undefined ? undefined : { "idempotency-key": key })
      })
      assert.strictEqual(key !== undefined, classes.get(name) === "keyed")
    })
  )

  it.effect.each(["https://host.test:8443/a/b", "https://host.test:8443/a/b/"])("keeps the path of %s", (baseUrl) =>
    Effect.gen(function* () {
      const { url } = yield* send(rows["cache.clear"]!, { baseUrl })
      assert.strictEqual(url, "https://host.test:8443/a/b/cache")
    })
  )

  it.effect("sends no authorization without a token", () =>
    Effect.gen(function* () {
      const { headers } = yield* send(rows["users.current"]!, { baseUrl: "http://chatbot.test" })
      assert.deepStrictEqual(headers, { accept: "application/json" })
    })
  )

  it.effect("opens no span", () =>
    Effect.gen(function* () {
      const spans: Array<string> = []
      const tracer = Tracer.make({
        span(options) {
          spans.push(options.name)
          return new Tracer.NativeSpan(options)
        }
      })
      yield* send(rows["users.current"]!, { baseUrl: "http://chatbot.test" }).pipe(
        Effect.withSpan("of the program"),
        Effect.provideService(Tracer.Tracer, tracer)
      )
      assert.deepStrictEqual(spans, ["of the program"])
    })
  )

  it.effect("sends the flags of a question", () =>
    Effect.gen(function* () {
      const { body } = yield* send(
        {
          ...rows["chats.complete"]!,
          call: ({ chats }) =>
            chats.complete(chatId, { userMessage: "q", isTraceLogEnabled: true, isAdminChat: undefined })
        },
        { baseUrl: "http://chatbot.test" }
      )
      assert.deepStrictEqual(JSON.parse(body!), {
        userMessage: "q",
        ignoreChatHistory: false,
        isAdminChat: false,
        isTraceLogEnabled: true
      })
    })
  )
})
