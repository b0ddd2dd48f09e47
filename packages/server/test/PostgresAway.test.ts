import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import { none, RetryPolicy } from "@effect-chatbot/client/RetryPolicy"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { awayProxy } from "./support/AwayProxy.ts"
import { send } from "./support/raw.ts"
import { TestBackend } from "./support/TestBackend.ts"
import { postgresUrl } from "./support/TestDatabase.ts"

layer(NodeServices.layer, { excludeTestServices: true })("a database that is away", (it) => {
  it.effect("is told as such, and used again when it is back", () =>
    Effect.gen(function* () {
      const url = new URL(Redacted.value(yield* postgresUrl()))
      const proxy = yield* awayProxy(Number(url.port))
      url.port = String(proxy.port)
      const context = yield* Layer.build(TestBackend.layerWith({ databaseUrl: Redacted.make(url.href) }))
      yield* Effect.gen(function* () {
        const { adminToken: token, baseUrl, tokenOf } = yield* TestBackend
        const fresh = yield* tokenOf("ann")
        const http = Context.get(context, HttpClient.HttpClient)
        const { chats } = yield* ChatbotClient.layer({ baseUrl, token }).pipe(
          Layer.provide(Layer.succeed(HttpClient.HttpClient, http)),
          Layer.build,
          Effect.map(Context.get(ChatbotClient))
        )
        const { chatId } = yield* chats.createByBotCode("client")
        const read = send("GET", `/api/chats/${chatId}`, { token })
        const write = send("POST", "/api/chats/create/bybotcode", { token, body: { botCode: "client" } })
        const keyed = send("POST", "/api/chats/create/bybotcode", {
          token,
          body: { botCode: "client" },
          headers: { "idempotency-key": "while-it-is-away-01" }
        })
        assert.strictEqual((yield* read).status, 200)

        yield* proxy.leave
        // Also where the token has to be looked up first.
        const unknown = send("GET", `/api/chats/${chatId}`, { token: fresh })
        for (const answer of yield* Effect.all([read, write, keyed, unknown, read])) {
          assert.strictEqual(answer.status, 503, answer.text)
          assert.strictEqual(answer.json().type, "urn:effect-chatbot:problem:Unavailable")
          assert.strictEqual(answer.headers["retry-after"], "1")
          assert.notInclude(answer.text, "127.0.0.1")
        }
        const error = yield* chats
          .complete(chatId, "Anybody there?")
          .pipe(Effect.provideService(RetryPolicy, none), Effect.flip)
        assert.strictEqual(error._tag, "Unavailable")

        yield* proxy.comeBack
        for (const answer of yield* Effect.all([read, write, keyed])) {
          assert.strictEqual(answer.status, 200, answer.text)
        }
        assert.strictEqual((yield* unknown).status, 404)
        yield* chats.complete(chatId, "And now?")
      }).pipe(Effect.provideContext(context))
    })
  )
})
