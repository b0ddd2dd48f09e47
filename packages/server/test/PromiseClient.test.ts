/** The client of promises against the backend, over sockets. */
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import { createChatbotClient } from "@effect-chatbot/client/promise"
import * as Errors from "@effect-chatbot/schema/Errors"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestBackend } from "./support/TestBackend.ts"

const question = "How do I page through a list?"

/** What a promise rejects with. */
const rejected = (promise: Promise<unknown>) =>
  promise.then(
    () => assert.fail("resolved"),
    (error: unknown) => error
  )

layer(TestBackend.layer, { excludeTestServices: true })("the client of promises", (it) => {
  it.effect.each([
    ["fetch", undefined],
    ["undici", NodeTransport.layer]
  ] as const)("talks to the backend over %s", ([name, transport]) =>
    Effect.gen(function* () {
      const { baseUrl, tokenOf } = yield* TestBackend
      const token = yield* tokenOf(`promised-${name}`)
      yield* Effect.promise(async () => {
        await using client = createChatbotClient({ baseUrl, token, transport })
        const { bots, chats, users } = client

        const codes: Array<string | undefined> = []
        for await (const { code } of bots.items({ pageSize: 1 })) codes.push(code)
        assert.include(codes, "client")

        const { chatId } = await chats.createByBotCode("client", { idempotencyKey: `once-${name}` })
        const again = await chats.createByBotCode("client", { idempotencyKey: `once-${name}` })
        assert.strictEqual(again.chatId, chatId)

        let text = ""
        for await (const piece of chats.stream(chatId, question).text()) text += piece
        const answer = await chats.stream(chatId, question).collect()
        const [first, second] = (await chats.get(chatId)).completions
        assert.strictEqual(first?.assistantMessage, text)
        assert.strictEqual(second?.completionId, answer.completionId)
        assert.strictEqual(answer.ended, "Completed")

        const file = answer.sources[0]?.url?.split("/downloads/")[1]
        const content = await chats.download(chatId, decodeURIComponent(String(file)))
        assert.include(await new Response(content.stream).text(), "#")

        const login = await users.current()
        assert.strictEqual(login.login, `promised-${name}`)

        const controller = new AbortController()
        const leaving = rejected(
          (async () => {
            for await (const event of chats.stream(chatId, question, { signal: controller.signal })) {
              if (event._tag === "Started") controller.abort("enough")
            }
          })()
        )
        assert.strictEqual(await leaving, "enough")

        await chats.delete(chatId)
        const error = await rejected(chats.get(chatId))
        assert.instanceOf(error, Errors.ChatNotFound)
        assert.instanceOf(await rejected(client.cache.clear()), Errors.Forbidden)
      })
    })
  )
})
