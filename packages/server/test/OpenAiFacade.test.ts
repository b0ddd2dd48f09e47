import { ProviderFailed, RateLimited } from "@effect-chatbot/schema/Errors"
import { CompletionRuns } from "@effect-chatbot/server/CompletionRuns"
import { assert, layer } from "@effect/vitest"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import OpenAI, { APIError } from "openai"
import type { ChatCompletionMessageParam } from "openai/resources/chat/completions"
import { layer as server, send, stepped, StreamServer, tokenOf } from "./support/StreamServer.ts"
import * as Services from "./support/TestServices.ts"

/** What the `openai` package was rejected with. */
class Rejected extends Data.TaggedError("Rejected")<{
  readonly message: string
  readonly status: number | undefined
  readonly type: string | undefined
  readonly code: string | null | undefined
  readonly param: string | null | undefined
  readonly headers: Headers | undefined
}> {}

/** A call of the `openai` package, which is aborted when it is interrupted. */
const openai = <A>(call: (signal: AbortSignal) => Promise<A>) =>
  Effect.tryPromise({
    try: call,
    catch: (error) => {
      if (!(error instanceof APIError)) throw error
      const { code, headers, message, param, status, type } = error
      return new Rejected({ code, headers, message, param, status, type })
    }
  })

const clientOf = (apiKey: string) =>
  Effect.map(
    StreamServer,
    ({ baseUrl }) => new OpenAI({ baseURL: `${baseUrl}/v1`, apiKey, maxRetries: 0, timeout: 20_000 })
  )

let count = 0

/** A user with a bot of the same name, and the `openai` package to ask it. */
const someoneWith = Effect.fnUntraced(function* (isUserSystemMessageSupported: 0 | 1) {
  const login = `facade-${++count}`
  const token = yield* tokenOf(login)
  yield* Services.bot({ code: login, displayName: login, isUserSystemMessageSupported })
  return { client: yield* clientOf(token), model: login, token }
})

const someone = someoneWith(1)

const user = (content: string): ChatCompletionMessageParam => ({ role: "user", content })

const provider = Services.TestProvider

/** The last question that the provider got. */
const lastAsked = Effect.map(provider, ({ requests }) => requests.at(-1))

/** What a request must not leave behind. */
const left = Effect.map(
  Effect.all([Services.count("chats"), Services.count("completions"), Services.count("user_system_messages")]),
  (counts) => counts.reduce((sum, count) => sum + count, 0)
)

/** Waits until nothing is left: of an answer that is streamed, that is after its end. */
const cleared = Effect.repeat(left, { until: (count) => count === 0 })

layer(server, { excludeTestServices: true })("the OpenAI façade, with the openai package", (it) => {
  it.effect("lists the bots of the caller as models", () =>
    Effect.gen(function* () {
      const { client, model } = yield* someone
      yield* Services.bot({ code: "hidden", isPublic: 0 })
      const models = yield* openai(() => client.models.list())
      const found = models.data.find(({ id }) => id === model)
      assert.deepStrictEqual(found, {
        id: model,
        object: "model",
        created: Date.parse("2026-01-01T00:00:00.000Z") / 1000,
        owned_by: "effect-chatbot"
      })
      assert.notInclude(
        models.data.map(({ id }) => id),
        "hidden"
      )
      assert.strictEqual((yield* openai(() => client.models.retrieve(model))).id, model)
      const missing = yield* Effect.flip(openai(() => client.models.retrieve("hidden")))
      assert.deepStrictEqual([missing.status, missing.code], [404, "model_not_found"])
    })
  )

  it.effect("answers a conversation, and keeps nothing of it but what it used", () =>
    Effect.gen(function* () {
      const { client, model } = yield* someone
      const uses = yield* Services.count("token_usage")
      yield* Effect.flatMap(provider, (_) =>
        _.behave(() =>
          Effect.succeed(Services.answer({ assistantMessage: "By card.", promptTokens: 11, completionTokens: 7 }))
        )
      )
      const completion = yield* openai(() =>
        client.chat.completions.create({
          model,
          temperature: 0.2,
          max_tokens: 100,
          messages: [
            { role: "system", content: "Be brief." },
            user("Hello?"),
            { role: "assistant", content: "Hello!" },
            { role: "user", content: [{ type: "text", text: "How do I pay?" }] }
          ]
        })
      )
      assert.match(completion.id, /^chatcmpl-/)
      assert.strictEqual(completion.object, "chat.completion")
      assert.strictEqual(completion.model, model)
      assert.deepStrictEqual(completion.choices, [
        {
          index: 0,
          message: { role: "assistant", content: "By card.", refusal: null },
          logprobs: null,
          finish_reason: "stop"
        }
      ])
      assert.deepStrictEqual(completion.usage, { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 })
      const request = yield* lastAsked
      assert.strictEqual(request?.userMessage, "How do I pay?")
      assert.deepStrictEqual(request?.history, [{ userMessage: "Hello?", assistantMessage: "Hello!" }])
      assert.strictEqual(yield* left, 0)
      assert.strictEqual(yield* Services.count("token_usage"), uses + 1)
    })
  )

  it.effect("hands wishes on as those of the user, where the bot follows them, and asks them elsewhere", () =>
    Effect.gen(function* () {
      for (const [isFollowed, expected] of [
        [1, ["Be brief.", "How do I pay?"]],
        [0, [undefined, "Follow these instructions:\nBe brief.\n\nAnswer this:\nHow do I pay?"]]
      ] as const) {
        const { client, model } = yield* someoneWith(isFollowed)
        yield* Effect.flatMap(provider, (_) => _.behave(() => Effect.succeed(Services.answer({}))))
        yield* openai(() =>
          client.chat.completions.create({
            model,
            messages: [{ role: "developer", content: "Be brief." }, user("How do I pay?")]
          })
        )
        const request = yield* lastAsked
        assert.deepStrictEqual([request?.userSystemMessage, request?.userMessage], [...expected])
        assert.strictEqual(yield* left, 0)
      }
    })
  )

  it.effect("streams an answer as it is made, with its usage where that is asked for", () =>
    Effect.gen(function* () {
      const { client, model, token } = yield* someone
      const steps = yield* stepped
      yield* Effect.flatMap(provider, (_) => _.stream(steps.streaming))
      yield* steps.say("Hel")
      const stream = yield* openai(() =>
        client.chat.completions.create({
          model,
          messages: [user("Hello?")],
          stream: true,
          stream_options: { include_usage: true }
        })
      )
      const chunks = stream[Symbol.asyncIterator]()
      const next = Effect.map(
        openai(() => chunks.next()),
        ({ value }: IteratorResult<OpenAI.ChatCompletionChunk, undefined>) => value
      )
      assert.deepStrictEqual((yield* next)?.choices[0]?.delta, {
        role: "assistant",
        content: "",
        refusal: null
      } as never)
      assert.strictEqual((yield* next)?.choices[0]?.delta.content, "Hel")
      yield* steps.say("lo")
      assert.strictEqual((yield* next)?.choices[0]?.delta.content, "lo")
      yield* steps.finish
      assert.strictEqual((yield* next)?.choices[0]?.finish_reason, "stop")
      const last = yield* next
      assert.deepStrictEqual(last?.choices, [])
      assert.deepStrictEqual(last?.usage, { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 })
      assert.isUndefined(yield* next)
      yield* cleared

      yield* Effect.flatMap(provider, (_) => _.behave(() => Effect.succeed(Services.answer({}))))
      const raw = yield* send("POST", "/v1/chat/completions", {
        token,
        body: { model, messages: [user("Hello?")], stream: true }
      })
      assert.match(String(raw.headers["content-type"]), /^text\/event-stream/)
      assert.isTrue(raw.text.endsWith("data: [DONE]\n\n"))
      assert.notInclude(raw.text, "usage")
      yield* cleared
    })
  )

  it.effect("refuses in the words of OpenAI", () =>
    Effect.gen(function* () {
      const { client, model } = yield* someone
      const stranger = yield* clientOf("no-such-token")
      const ask = (of: OpenAI, body: object) =>
        Effect.flip(
          openai(() => of.chat.completions.create({ model, messages: [user("Hello?")], ...body, stream: false }))
        )
      const told = ({ code, param, status, type }: Rejected) => [status, type, code, param]
      const unknown = yield* ask(stranger, {})
      assert.deepStrictEqual(told(unknown), [401, "invalid_request_error", "invalid_api_key", null])
      assert.notInclude(unknown.message, "no-such-token")
      assert.strictEqual((yield* Effect.flip(openai(() => stranger.models.list()))).status, 401)
      const missing = yield* ask(client, { model: "nobody" })
      assert.deepStrictEqual(told(missing), [404, "invalid_request_error", "model_not_found", "model"])
      assert.include(missing.message, "The model `nobody` does not exist")
      for (const [body, param] of [
        [{ messages: [] }, "messages"],
        [{ messages: [{ role: "assistant", content: "Hello." }] }, "messages"],
        [{ messages: [{ role: "robot", content: "Hello." }] }, "messages[0].role"],
        [
          { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "data:," } }] }] },
          "messages[0].content[0]"
        ],
        [{ messages: [user("x".repeat(64_001))] }, "messages"],
        [{ tools: [{ type: "function", function: { name: "time" } }] }, "tools"],
        [{ n: 2 }, "n"],
        [{ response_format: { type: "json_object" } }, "response_format.type"],
        [{ logprobs: true }, "logprobs"]
      ] as const) {
        assert.deepStrictEqual(told(yield* ask(client, body)), [400, "invalid_request_error", "invalid_request", param])
      }
      assert.strictEqual(yield* left, 0)
    })
  )

  it.effect("answers those without a token what the open bot answers, and refuses bodies that it cannot read", () =>
    Effect.gen(function* () {
      yield* Services.bot({ code: "open", isOpen: 1 })
      yield* Effect.flatMap(provider, (_) => _.behave(() => Effect.succeed(Services.answer({}))))
      const { model, token } = yield* someone
      const ask = (body: unknown, token?: string) => send("POST", "/v1/chat/completions", { body, token })
      const errorOf = ({ text }: { readonly text: string }) => JSON.parse(text).error
      const messages = [user("Hello?")]
      assert.strictEqual((yield* ask({ model: "open", messages })).status, 200)
      const foreign = yield* ask({ model, messages })
      assert.deepStrictEqual([foreign.status, errorOf(foreign).code], [404, "model_not_found"])
      const models = yield* send("GET", "/v1/models")
      assert.deepStrictEqual([models.status, models.headers["www-authenticate"]], [401, "Bearer"])
      assert.strictEqual(errorOf(models).code, "invalid_api_key")
      for (const body of [undefined, [], { model, messages: "Hello?" }, { model, messages: [user("\0")] }]) {
        const refused = yield* ask(body, token)
        assert.deepStrictEqual([refused.status, errorOf(refused).type], [400, "invalid_request_error"])
      }
      assert.strictEqual(yield* left, 0)
    })
  )

  it.effect("says in the same words what is wrong before a route is found", () =>
    Effect.gen(function* () {
      for (const [method, path, options, status, code] of [
        ["GET", "/v1", {}, 404, "not_found"],
        ["POST", "/V1/embeddings?x=1", { body: {} }, 404, "not_found"],
        ["GET", "/v1/chat/completions", {}, 405, "method_not_allowed"],
        ["POST", "/v1/chat/completions", { body: "x".repeat(2 ** 22) }, 413, "request_too_large"],
        [
          "POST",
          "/v1/chat/completions",
          { body: {}, headers: { "content-encoding": "br" } },
          415,
          "unsupported_media_type"
        ]
      ] as const) {
        const { headers, json, status: given } = yield* send(method, path, options)
        const { error } = json()
        assert.deepStrictEqual(
          [given, error.type, error.code, error.param],
          [status, "invalid_request_error", code, null]
        )
        assert.strictEqual(headers["content-type"], "application/json")
      }
      assert.strictEqual((yield* send("GET", "/v11")).headers["content-type"], "application/problem+json")
    })
  )

  it.effect("tells what goes wrong with the answer, also when it is streamed", () =>
    Effect.gen(function* () {
      const { client, model } = yield* someone
      const ask = (stream: boolean) =>
        Effect.flip(openai(() => client.chat.completions.create({ model, messages: [user("Hello?")], stream })))
      const fail = (error: ProviderFailed | RateLimited) =>
        Effect.flatMap(provider, (_) => _.stream(() => Stream.fail(error as never)))
      for (const stream of [false, true]) {
        yield* fail(new ProviderFailed({ message: "The provider is ill." }))
        const failed = yield* ask(stream)
        assert.deepStrictEqual([failed.status, failed.type], [502, "server_error"])
        assert.include(failed.message, "The provider is ill.")
        yield* fail(new RateLimited({ retryAfter: Duration.seconds(7) }))
        const limited = yield* ask(stream)
        assert.deepStrictEqual(
          [limited.status, limited.type, limited.code, limited.headers?.get("retry-after")],
          [429, "rate_limit_error", "rate_limit_exceeded", "7"]
        )
      }
      // In the middle of an answer there is no status any more.
      const broken = Stream.concat(
        Stream.succeed({ _tag: "Delta", text: "Hel" } as const),
        Stream.fail(new ProviderFailed({ message: "The provider is ill." }))
      )
      yield* Effect.flatMap(provider, (_) => _.stream(() => broken))
      const stream = yield* openai(() =>
        client.chat.completions.create({ model, messages: [user("Hello?")], stream: true })
      )
      let text = ""
      const rejected = yield* Effect.flip(
        openai(async () => {
          for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ""
        })
      )
      assert.strictEqual(text, "Hel")
      assert.include(rejected.message, "The provider is ill.")
      yield* cleared
    })
  )

  it.effect("keeps the flag that stops all bots, for what is begun and for what runs", () =>
    Effect.gen(function* () {
      const { client, model } = yield* someone
      const runs = yield* CompletionRuns
      const ask = Effect.flip(openai(() => client.chat.completions.create({ model, messages: [user("Hello?")] })))
      const steps = yield* stepped
      yield* Effect.flatMap(provider, (_) => _.stream(steps.streaming))
      const running = yield* Effect.forkChild(ask)
      yield* steps.asked
      yield* runs.setStopped(true)
      const broken = yield* Fiber.join(running)
      const refused = yield* ask
      yield* runs.setStopped(false)
      for (const { code, status } of [broken, refused]) assert.deepStrictEqual([status, code], [503, "bots_stopped"])
      assert.strictEqual(yield* left, 0)
    })
  )

  it.effect("stops an answer that the client leaves", () =>
    Effect.gen(function* () {
      const { client, model } = yield* someone
      for (const stream of [false, true]) {
        const steps = yield* stepped
        yield* Effect.flatMap(provider, (_) => _.stream(steps.streaming))
        yield* steps.say("Hel")
        const asking = yield* Effect.forkChild(
          openai(async (signal) => {
            const answer = await client.chat.completions.create(
              { model, messages: [user("Hello?")], stream },
              { signal }
            )
            if (Symbol.asyncIterator in answer) for await (const _ of answer);
          })
        )
        yield* steps.asked
        yield* Fiber.interrupt(asking)
        yield* steps.interrupted
      }
      yield* cleared
      const sql = yield* SqlClient.SqlClient
      const uses = yield* sql`SELECT bot_id FROM token_usage WHERE bot_id = ${`bot-${model}`}`
      assert.lengthOf(uses, 2)
    })
  )
})
