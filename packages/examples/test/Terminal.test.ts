/** What the examples for a terminal print. */
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { run } from "./support/Program.ts"
import { Serve } from "./support/Serve.ts"
import { stub } from "./support/Sockets.ts"

const paging = "How do I page through a list?"

/** Nothing listens on the port for discarding (RFC 863) of this machine. */
const nowhere = { CHATBOT_BASE_URL: "http://127.0.0.1:9" }

layer(Serve.layer, { excludeTestServices: true })("against pnpm serve", (it) => {
  it.effect("firstCall.ts prints an answer and the documents it is drawn from", () =>
    Effect.gen(function* () {
      const { env } = yield* Serve
      const { code, stderr, stdout } = yield* run("examples/src/firstCall.ts", env, paging)
      assert.deepStrictEqual([code, stderr], [0, ""])
      assert.match(stdout, /page[^]*\n- lists\.md\n$/)
    })
  )

  it.effect("paging.ts prints all, some, a page and page after page", () =>
    Effect.gen(function* () {
      const { adminToken, env } = yield* Serve
      const { code, stderr, stdout } = yield* run("examples/src/paging.ts", { ...env, CHATBOT_TOKEN: adminToken })
      assert.deepStrictEqual([code, stderr], [0, ""])
      assert.deepStrictEqual(stdout.trimEnd().split("\n"), [
        "There are 5 bots.",
        "- api",
        "- client",
        "- guide",
        "Page 2 of 3: guide, product",
        "A page of 2",
        "A page of 2",
        "A page of 1"
      ])
    })
  )

  it.effect("errors.ts says what it found, or why it did not", () =>
    Effect.gen(function* () {
      const { baseUrl, env } = yield* Serve
      const chat = Effect.gen(function* () {
        const { chats } = yield* ChatbotClient
        const { chatId } = yield* chats.createByBotCode("guide")
        yield* chats.complete(chatId, paging)
        return chatId
      })
      const client = ChatbotClient.layer({ baseUrl }).pipe(Layer.provide(NodeTransport.layer))
      const chatId = yield* Effect.provide(chat, client)

      const found = yield* run("examples/src/errors.ts", env, chatId)
      assert.match(found.stdout, /^.+: 1 answers\n$/)
      const bare = yield* stub(() => Effect.succeed(HttpServerResponse.empty({ status: 404 })))
      const failures = [
        [env, /^There is no such chat \(request [\w-]+\)\.\n$/],
        [{ ...env, CHATBOT_TOKEN: "wrong" }, /^Set CHATBOT_TOKEN to a token that is valid\.\n$/],
        [{ CHATBOT_BASE_URL: bare }, /^There is no such chat \(request unknown\)\.\n$/],
        [nowhere, /^No answer came: refused\.\n$/]
      ] as const
      for (const [env, said] of failures) {
        const { code, stderr, stdout } = yield* run("examples/src/errors.ts", env)
        assert.deepStrictEqual([code, stdout], [0, ""])
        assert.match(stderr, said)
      }
    })
  )

  it.effect("retry.ts needs one attempt where all is well", () =>
    Effect.gen(function* () {
      const { env } = yield* Serve
      const { code, stderr, stdout } = yield* run("examples/src/retry.ts", env)
      assert.deepStrictEqual([code, stderr], [0, ""])
      assert.match(stdout, /^All is well\.\nThe open bot is [\w-]+\.\n$/)
    })
  )

  it.effect("retry.ts tries more often than is the rule", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const flaky = yield* stub(({ url }) => {
        asked.push(url)
        // The single attempt for the status, and four of five for the rest.
        return Effect.succeed(
          asked.length < 6
            ? HttpServerResponse.empty({ status: 503 })
            : HttpServerResponse.jsonUnsafe({ openChatBotId: "guide-id" })
        )
      })
      const { code, stderr, stdout } = yield* run("examples/src/retry.ts", { CHATBOT_BASE_URL: flaky })
      assert.deepStrictEqual([code, stderr], [0, ""])
      assert.strictEqual(stdout, "Nothing is known of its status.\nThe open bot is guide-id.\n")
      assert.strictEqual(asked.length, 6)
    })
  )

  it.effect("retry.ts tells of every attempt where nobody listens", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run("examples/src/retry.ts", nowhere)
      assert.deepStrictEqual([code, stdout], [1, "Nothing is known of its status.\n"])
      assert.match(
        stderr,
        /^chats\.openBot failed after 5 attempts:\n(  \d\. .*refused.*\n){5}No further attempt: .*\n$/
      )
    })
  )
})
