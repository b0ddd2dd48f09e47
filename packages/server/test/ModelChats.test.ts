import { type ChatId, CompletionId } from "@effect-chatbot/schema/Ids"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import * as Fake from "./support/FakeProvider.ts"
import { apiKey } from "./support/ModelBots.ts"
import { open, StreamServer } from "./support/StreamServer.ts"
import { TestBackend } from "./support/TestBackend.ts"

const server = Layer.effect(
  StreamServer,
  Effect.map(TestBackend, ({ baseUrl }) => ({ baseUrl }))
).pipe(Layer.provideMerge(TestBackend.layer))

let users = 0

/** A chat of somebody with the client bot, which a service made over the contract answers, at a provider of its own. */
const chatting = Effect.gen(function* () {
  const backend = yield* TestBackend
  const sql = yield* SqlClient.SqlClient
  const fake = yield* Fake.make
  const admin = yield* backend.client("admin")
  const serviceId = yield* admin.admin.openAiServices.create({
    displayName: "Models",
    isActive: true,
    azureOpenAiEndpoint: `${fake.url}/v1`,
    azureOpenAiApiKey: Redacted.make(apiKey)
  })
  yield* sql`UPDATE bots SET ${sql.update({ openAiServiceId: serviceId, modelName: "llama3.2" })} WHERE code = 'client'`
  const login = `talker-${++users}`
  const token = Redacted.value(yield* backend.tokenOf(login))
  const client = yield* backend.client({ login })
  const { chatId } = yield* client.chats.createByBotCode("client")
  return { admin, chatId, client, fake, serviceId, token }
})

/** Says so much and then nothing more. */
const unfinished: Fake.Script = (socket) => {
  socket.write(Fake.eventsHead + Fake.chunk({ content: "So far" }))
}

const streamed = (chatId: ChatId, token: string) =>
  Effect.gen(function* () {
    const events = yield* open("POST", `/api/chats/${chatId}/completions`, { token, body: { userMessage: "Why?" } })
    const completionId = CompletionId.make((yield* events.next).data.completionId)
    assert.strictEqual((yield* events.next).data.text, "So far")
    return { completionId, events }
  })

layer(server, { excludeTestServices: true })("a chat with a model", (it) => {
  it.effect("is answered by it, with the sources that it was given and what it used", () =>
    Effect.gen(function* () {
      const { chatId, client, fake, serviceId, admin } = yield* chatting
      fake.answer(Fake.whole(Fake.saying("By ", "`bots.items`.")))
      const completion = yield* client.chats.complete(chatId, "How do I page through a list of bots?")
      assert.strictEqual(completion.assistantMessage, "By `bots.items`.")
      assert.deepStrictEqual(
        [completion.promptTokens, completion.completionTokens, completion.totalTokens],
        [11, 7, 18]
      )
      assert.isNotEmpty(completion.metaData?.sources)
      assert.deepStrictEqual((yield* client.chats.get(chatId)).completions[0]?.assistantMessage, "By `bots.items`.")

      yield* client.chats.complete(chatId, "And of chats?")
      const [first, second] = fake.asked.map(({ body }) => body.messages)
      assert.include(first[0].content, "bots.items")
      assert.deepStrictEqual(
        second.slice(1).map(({ content }: { content: string }) => content),
        ["How do I page through a list of bots?", "By `bots.items`.", "And of chats?"]
      )

      yield* admin.admin.openAiServices.update(serviceId, {
        displayName: "Models",
        isActive: false,
        isUpdateOpenAi: false,
        azureOpenAiEndpoint: undefined,
        azureOpenAiApiKey: undefined
      })
      const error = yield* Effect.flip(client.chats.complete(chatId, "Still there?"))
      assert.deepStrictEqual(
        [error._tag, error.message],
        ["ProviderFailed", "The OpenAI service of this bot is not active."]
      )
      assert.lengthOf(fake.asked, 2)
    })
  )

  it.effect("has a trace log for admins", () =>
    Effect.gen(function* () {
      const { admin, fake } = yield* chatting
      fake.answer(
        Fake.inTurn(Fake.whole(Fake.json(503, { error: { message: "Busy" } })), Fake.whole(Fake.saying("Hi")))
      )
      const { chatId } = yield* admin.chats.createByBotCode("client")
      const { traceLog = "" } = yield* admin.chats.complete(chatId, { userMessage: "Hi?", isTraceLogEnabled: true })
      assert.match(traceLog, /^provider: OpenAI service "Models" \(openai\), model llama3\.2$/m)
      assert.match(traceLog, /^attempt 1: The provider answered 503: Busy, after \d+ ms$/m)
      assert.match(traceLog, /^attempt 2: an answer, /m)
      assert.notInclude(traceLog, apiKey)
    })
  )

  it.effect("fails with what the provider said", () =>
    Effect.gen(function* () {
      const { chatId, client, fake } = yield* chatting
      fake.answer(
        Fake.whole(Fake.json(404, { error: { message: 'model "llama3.2" not found, try pulling it first' } }))
      )
      const error = yield* Effect.flip(client.chats.complete(chatId, "Why?"))
      assert.deepStrictEqual(
        [error._tag, error.message],
        ["ProviderFailed", 'The provider answered 404: model "llama3.2" not found, try pulling it first']
      )
    })
  )

  it.effect("ends the request to the provider when it is stopped", () =>
    Effect.gen(function* () {
      const { chatId, client, fake, token } = yield* chatting
      fake.answer(unfinished)
      const { completionId, events } = yield* streamed(chatId, token)
      yield* client.chats.stop(chatId, completionId)
      yield* Queue.take(fake.closed)
      assert.deepStrictEqual(
        (yield* events.rest).map(({ data, name }) => [name, data.text]),
        [["stopped", "So far"]]
      )
    })
  )

  it.effect("ends the request to the provider when all are stopped", () =>
    Effect.gen(function* () {
      const { admin, chatId, client, fake } = yield* chatting
      fake.answer(unfinished)
      const asking = yield* Effect.forkChild(Effect.flip(client.chats.complete(chatId, "Why?")))
      yield* Queue.take(fake.requests)
      yield* admin.bots.stopAll
      yield* Queue.take(fake.closed)
      assert.strictEqual((yield* Fiber.join(asking))._tag, "BotsStopped")
    })
  )

  it.effect("goes on when whoever asked has left", () =>
    Effect.gen(function* () {
      const { chatId, client, fake, token } = yield* chatting
      const finish = Promise.withResolvers<() => void>()
      fake.answer((socket, asked) => {
        unfinished(socket, asked)
        finish.resolve(() => socket.end(Fake.chunk({ content: ", so good." }, "stop") + Fake.event("[DONE]")))
      })
      const { completionId, events } = yield* streamed(chatId, token)
      yield* events.leave
      ;(yield* Effect.promise(() => finish.promise))()
      const again = yield* open("GET", `/api/chats/${chatId}/completions/${completionId}/events`, { token })
      const last = (yield* again.rest).at(-1)
      assert.deepStrictEqual([last?.name, last?.data.completion?.assistantMessage], ["completed", "So far, so good."])
      assert.strictEqual((yield* client.chats.get(chatId)).completions[0]?.assistantMessage, "So far, so good.")
    })
  )
})
