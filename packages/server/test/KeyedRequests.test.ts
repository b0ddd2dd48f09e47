import { Api } from "@effect-chatbot/api/Api"
import { RetryClass } from "@effect-chatbot/api/RetryClass"
import * as Backend from "@effect-chatbot/server/Backend"
import { Tokens } from "@effect-chatbot/server/Tokens"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, layer } from "@effect/vitest"
import * as ByteSize from "effect/ByteSize"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as SqlClient from "effect/sql/SqlClient"
import { createServer } from "node:http"
import { type Answer, type Options, send } from "./support/raw.ts"
import { TestBackend } from "./support/TestBackend.ts"
import * as Services from "./support/TestServices.ts"

/** The routes over the services of a test, whose provider does as it is told. */
const backend = Layer.effect(
  TestBackend,
  Effect.gen(function* () {
    const { address } = yield* HttpServer.HttpServer
    const tokens = yield* Tokens
    yield* Services.bot({ code: "helper", displayName: "Zoë 🤖", isOpen: 1, isUserSystemMessageSupported: 1 })
    const tokenOf = (login: string) =>
      Effect.map(tokens.create({ login, roles: ["User"], name: "test" }), ({ token }) => token)
    const { token: adminToken } = yield* tokens.create({ login: "boss", roles: ["Admin", "User"], name: "test" })
    return TestBackend.of({
      baseUrl: HttpServer.formatAddress(address),
      adminToken,
      tokenOf,
      client: () => Effect.die(new Error("These requests are plain"))
    })
  })
).pipe(
  Layer.provideMerge(Backend.serve({ maxBodySize: ByteSize.kibibytes(64) })),
  Layer.provideMerge(Services.layer),
  Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })),
  Layer.provide(Layer.succeed(References.MinimumLogLevel, "None"))
)

let keys = 0
const newKey = () => `key-${++keys}`

let logins = 0
const someone = Effect.flatMap(TestBackend, ({ tokenOf }) => tokenOf(`keyed-${++logins}`))

const post = (path: string, key: string, options: Options = {}) =>
  send("POST", path, { ...options, headers: { "idempotency-key": key, ...options.headers } })

const byCode = "/api/chats/create/bybotcode"
const helper = { botCode: "helper" }

const tagOf = (answer: Answer) => answer.json().type.split(":").at(-1)

const isReplay = (answer: Answer) => answer.headers["idempotency-replayed"] === "true"

const assertReplay = (answer: Answer, first: Answer) => {
  assert.isTrue(isReplay(answer))
  assert.deepStrictEqual(
    [answer.status, answer.headers["content-type"], answer.headers["content-length"], answer.text],
    [first.status, first.headers["content-type"], first.headers["content-length"], first.text]
  )
}

const newChat = (token: Options["token"]) =>
  Effect.map(send("POST", byCode, { token, body: helper }), (answer) => String(answer.json().chatId))

let made = 0

/** Requests to every keyed endpoint: what can be made only once is another each time. */
const requests = Effect.gen(function* () {
  const { adminToken: token } = yield* TestBackend
  const chat = `/api/chats/${yield* newChat(token)}`
  const start = yield* Services.bot({ code: `start-${++made}`, implementationType: "Start" })
  const linked = yield* Effect.forEach(Array.from({ length: 4 }), () => Services.bot({ code: `linked-${++made}` }))
  return {
    "admin.createOpenAiService": () => ({
      token,
      path: "/api/admin/openAiServices",
      body: { displayName: "A", isActive: true }
    }),
    "adminBots.create": () => ({
      token,
      path: "/api/admin/bots",
      body: { code: `made-${++made}`, displayNameTv: { value: "A" }, isActive: true }
    }),
    "adminBots.createFact": () => ({
      token,
      path: "/api/admin/bots/bot-helper/facts",
      body: { factText: "A is A.", isActive: true }
    }),
    "adminBots.createLink": () => ({
      token,
      path: `/api/admin/bots/${start}/bots/${linked.pop()}`,
      body: { keywords: "a" }
    }),
    "chats.create": () => ({ token, path: "/api/chats", body: { botId: "bot-helper" } }),
    "chats.createByBotCode": () => ({ token, path: byCode, body: helper }),
    "chats.complete": () => ({ token, path: `${chat}/completions`, body: { userMessage: "Wie geht's? 🙂" } }),
    "chats.feedback": () => ({ token, path: `${chat}/feedback`, body: { voteId: 1, userComment: "Gut." } }),
    "chats.createTicket": () => ({ token, path: `${chat}/tickets`, body: undefined }),
    "users.createSystemMessage": () => ({
      token,
      path: "/api/users/current/userSystemMessage",
      body: { displayName: "A", systemMessage: "B" }
    })
  }
})

const tables = [
  "bots",
  "bot_facts",
  "bot_links",
  "chats",
  "completions",
  "feedback",
  "tickets",
  "user_system_messages",
  "open_ai_services",
  "token_usage"
]

const countAll = Effect.forEach(tables, Services.count)

layer(backend, { excludeTestServices: true })("a keyed request", (it) => {
  it.effect("can be made of every keyed endpoint, and every one of them answers it again byte for byte", () =>
    Effect.gen(function* () {
      const keyed = Object.values(Api.groups).flatMap((group) =>
        Object.values(group.endpoints)
          .filter((endpoint) => Context.get(endpoint.annotations, RetryClass) === "keyed")
          .map((endpoint) => `${group.identifier}.${endpoint.identifier}`)
      )
      const all = yield* requests
      assert.sameMembers(Object.keys(all), keyed)
      for (const [name, request] of Object.entries(all)) {
        const { path, ...options } = request()
        const unkeyed = yield* send("POST", path, options)
        for (const accept of ["application/json", "text/plain", "*/*"]) {
          const key = newKey()
          const headers = { accept }
          const { path, ...options } = request()
          const first = yield* post(path, key, { ...options, headers })
          assert.strictEqual(first.status, 200, `${name} ${first.text}`)
          assert.isFalse(isReplay(first))
          // What a key changes of an answer is what it must.
          if (accept === "*/*") {
            assert.deepStrictEqual(Object.keys(first.headers), Object.keys(unkeyed.headers))
            assert.strictEqual(first.headers["content-type"], unkeyed.headers["content-type"])
          }
          const before = yield* countAll
          assertReplay(yield* post(path, key, { ...options, headers }), first)
          assertReplay(yield* post(path, `"${key}"`, { ...options, headers }), first)
          // The answer is the one that was given, also to who would now rather have another form of it.
          assertReplay(yield* post(path, key, { ...options, headers: { accept: "text/html" } }), first)
          assert.deepStrictEqual(yield* countAll, before)
        }
      }
    })
  )

  it.effect("sent 100 times at once takes effect once", () =>
    Effect.gen(function* () {
      const token = yield* someone
      const before = yield* Services.count("chats")
      const key = newKey()
      const answers = yield* Effect.all(
        Array.from({ length: 100 }, () => post(byCode, key, { token, body: helper })),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(yield* Services.count("chats"), before + 1)
      assert.deepStrictEqual(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size, 1)
      assert.strictEqual(answers[0]?.status, 200)
      assert.strictEqual(answers.filter(isReplay).length, 99)
    })
  )

  it.effect("that is a question, sent 100 times at once, is asked once and refused until it is answered", () =>
    Effect.gen(function* () {
      const token = yield* someone
      const provider = yield* Services.TestProvider
      const path = `/api/chats/${yield* newChat(token)}/completions`
      const open = yield* Deferred.make<void>()
      yield* provider.behave(() =>
        Effect.as(Deferred.await(open), Services.answer({ assistantMessage: "Späte Antwort." }))
      )
      const before = yield* Services.count("completions")
      const key = newKey()
      const body = { userMessage: "Q" }
      const fibers = yield* Effect.forEach(Array.from({ length: 100 }), () =>
        Effect.forkChild(post(path, key, { token, body }))
      )
      const refused = yield* Effect.raceAll(fibers.map(Fiber.join))
      assert.strictEqual(refused.status, 409)
      assert.strictEqual(tagOf(refused), "IdempotencyKeyInUse")
      assert.strictEqual(refused.headers["retry-after"], "1")
      assert.strictEqual(
        tagOf(yield* post(path, key, { token, body: { userMessage: "Another" } })),
        "IdempotencyKeyReused"
      )
      yield* Deferred.succeed(open, undefined)
      const answers = yield* Effect.forEach(fibers, Fiber.join)
      const [answer, ...more] = answers.filter(({ status }) => status === 200)
      assert.isDefined(answer)
      for (const repeat of more) assert.strictEqual(repeat.text, answer.text)
      assert.isTrue(answers.every(({ status }) => status === 200 || status === 409))
      assert.strictEqual(yield* Services.count("completions"), before + 1)
      assertReplay(yield* post(path, key, { token, body }), answer)
    })
  )

  it.effect("is refused with 422 when its key was used for another request", () =>
    Effect.gen(function* () {
      const token = yield* someone
      const key = newKey()
      yield* post(byCode, key, { token, body: helper })
      const before = yield* countAll
      for (const [path, body] of [
        [byCode, { botCode: "another" }],
        ["/api/chats", { botId: "bot-helper" }],
        ["/api/chats/another/feedback", { voteId: 1 }]
      ] as const) {
        const answer = yield* post(path, key, { token, body })
        assert.deepStrictEqual([answer.status, tagOf(answer)], [422, "IdempotencyKeyReused"])
      }
      assert.deepStrictEqual(yield* countAll, before)
    })
  )

  it.effect("of one user is never answered to another, nor to nobody", () =>
    Effect.gen(function* () {
      const key = "8e03978e-40d5-43e8-bc93-6894a57f9324"
      const chatIds = yield* Effect.forEach([yield* someone, yield* someone, undefined], (token) =>
        Effect.gen(function* () {
          const answer = yield* post(byCode, key, { token, body: helper })
          assert.isFalse(isReplay(answer))
          assert.isTrue(isReplay(yield* post(byCode, key, { token, body: helper })))
          return answer.json().chatId
        })
      )
      assert.strictEqual(new Set(chatIds).size, 3)
      const stranger = yield* post(byCode, key, { token: "wrong", body: helper })
      assert.strictEqual(stranger.status, 401)
    })
  )

  it.effect("is refused before anything is done when its key is none", () =>
    Effect.gen(function* () {
      const token = yield* someone
      const before = yield* countAll
      for (const key of ["", '""', '"open', "a b", "x".repeat(256)]) {
        const answer = yield* post(byCode, key, { token, body: helper })
        assert.strictEqual(answer.status, 400, key)
        assert.deepStrictEqual(answer.json().issues[0].path, ["headers", "Idempotency-Key"])
      }
      // Nobody's key that others could guess.
      const answer = yield* post(byCode, "guessable", { body: helper })
      assert.deepStrictEqual([answer.status, tagOf(answer)], [400, "InvalidRequest"])
      assert.deepStrictEqual(yield* countAll, before)
    })
  )

  it.effect("that is refused or fails stores nothing, and may be sent again with its key", () =>
    Effect.gen(function* () {
      const token = yield* someone
      const provider = yield* Services.TestProvider
      const completions = `/api/chats/${yield* newChat(token)}/completions`
      const key = newKey()
      const before = yield* Services.count("idempotency_keys")
      const statusOf = (path: string, options: Options) => Effect.map(post(path, key, options), (_) => _.status)
      assert.strictEqual(yield* statusOf(byCode, { body: helper, token: "wrong" }), 401)
      assert.strictEqual(yield* statusOf("/api/admin/openAiServices", { token, body: {} }), 403)
      assert.strictEqual(yield* statusOf(byCode, { token, body: "{" }), 400)
      assert.strictEqual(yield* statusOf(byCode, { token, body: {} }), 400)
      assert.strictEqual(yield* statusOf(byCode, { token, body: { botCode: "missing" } }), 404)
      assert.strictEqual(yield* statusOf(byCode, { token, body: " ".repeat(70_000) }), 413)
      const chunks = Array.from({ length: 70 }, () => new Uint8Array(1024).fill(32))
      assert.strictEqual(
        yield* statusOf(byCode, { token, body: chunks, headers: { "content-type": "application/json" } }),
        413
      )
      assert.strictEqual(yield* statusOf(byCode, { token, body: "a", headers: { "content-type": "text/plain" } }), 415)
      yield* provider.behave(() => Effect.die(new Error("broken")))
      assert.strictEqual(yield* statusOf(completions, { token, body: { userMessage: "Q" } }), 500)
      assert.strictEqual(yield* Services.count("idempotency_keys"), before)

      yield* provider.behave(() => Effect.succeed(Services.answer({})))
      assert.strictEqual(yield* statusOf(completions, { token, body: { userMessage: "Q" } }), 200)
      assert.strictEqual(yield* Services.count("idempotency_keys"), before + 1)
    })
  )

  it.effect("is not made by a header on an endpoint that is not keyed", () =>
    Effect.gen(function* () {
      const token = yield* someone
      const before = yield* Services.count("idempotency_keys")
      const headers = { "idempotency-key": "a b" }
      const answer = yield* send("PUT", "/api/users/current/acceptTerms", { token, headers })
      assert.strictEqual(answer.status, 200)
      assert.strictEqual(yield* Services.count("idempotency_keys"), before)
    })
  )

  it.effect("is welcome, as every answer says", () =>
    Effect.gen(function* () {
      const token = yield* someone
      for (const answer of [
        yield* send("POST", byCode, { token, body: helper }),
        yield* send("POST", byCode, { token: "wrong", body: helper }),
        yield* send("GET", "/api/System/status/current"),
        yield* send("GET", "/nowhere")
      ]) {
        assert.strictEqual(answer.headers["idempotency-supported"], "true")
      }
    })
  )

  it.effect("is answered with 500 when its stored answer cannot be read, and never done again", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const token = yield* someone
      const key = newKey()
      yield* post(byCode, key, { token, body: helper })
      yield* sql`UPDATE idempotency_keys SET body = ${new Uint8Array([1, 2, 3])}
        WHERE user_id = (SELECT max(id) FROM users)`
      const before = yield* countAll
      assert.strictEqual((yield* post(byCode, key, { token, body: helper })).status, 500)
      assert.deepStrictEqual(yield* countAll, before)
    })
  )
})
