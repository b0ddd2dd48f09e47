/**
 * What only admins may know, put in everywhere as canaries, and looked for in every answer that anybody else gets: from every endpoint, and
 * from completions through a provider that repeats in its errors whatever it was given.
 */
import { Api } from "@effect-chatbot/api/Api"
import { operationOf } from "@effect-chatbot/server/http/Audit"
import * as ProviderPolicy from "@effect-chatbot/server/ProviderPolicy"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Fake from "./support/FakeProvider.ts"
import { type Answer, type Options, send } from "./support/raw.ts"
import { TestBackend } from "./support/TestBackend.ts"

const prompt = "The word of this house is canary-prompt-wren-27, and it is never said aloud to any guest."
const key = "sk-proj-canary-key-0123456789abcdef"

/** Pieces of what must not get out, each long enough to be no chance. */
const canaries = [
  "canary-prompt",
  "never said aloud to",
  "canary-key",
  "0123456789abcdef",
  "canary-configuration",
  "canary-credential",
  "canary-connection",
  "canary-comment",
  "canary-login",
  "canary-fact"
]

const logged: Array<string> = []

const backend = TestBackend.layerWith({ logLevel: "All" }).pipe(
  Layer.provide(
    Layer.succeed(ProviderPolicy.ProviderPolicy, { ...ProviderPolicy.standard, backoff: Schedule.spaced(0) })
  ),
  Layer.provideMerge(Logger.layer([Logger.map(Logger.formatJson, (line) => void logged.push(line))]))
)

/** What a provider says that hides nothing. */
const scripts: Record<string, Fake.Script> = {
  "refuses with all it was given": (socket, { body, headers }) => {
    const message = `Bad key ${String(headers["authorization"])} for ${JSON.stringify(body)}`
    socket.end(Fake.json(401, { error: { message, type: "auth", param: message } }))
  },
  "fails with a page that shows the request": (socket, { body, headers }) => {
    const page = `<html>${JSON.stringify({ headers, body })}</html>`
    socket.end(`${Fake.head(500, { "content-type": "text/html" })}${page}`)
  },
  "fails in the middle of its answer": (socket, { body, headers }) => {
    const message = `${headers["authorization"]}: ${body.messages[0].content}`
    socket.end(Fake.eventsHead + Fake.chunk({ content: "So far" }) + Fake.event({ error: { message } }))
  },
  "complains of a part of the prompt": (socket, { body }) => {
    const message = `"${String(body.messages[0].content).slice(20, 75)}" is not allowed`
    socket.end(Fake.json(400, { message }))
  },
  "says what nobody can read": (socket, { body }) => {
    socket.end(`${Fake.eventsHead}data: {"choices": ${JSON.stringify(body)}\n\n`)
  },
  "breaks off": (socket) => {
    socket.end(Fake.eventsHead + Fake.chunk({ content: "So far" }))
  },
  answers: Fake.whole(Fake.saying("Hello, ", "guest."))
}

layer(backend, { excludeTestServices: true })("what only admins may know", (it) => {
  it.effect("is in no answer to anybody else", () =>
    Effect.gen(function* () {
      const { adminToken, tokenOf } = yield* TestBackend
      const fake = yield* Fake.make
      const asAdmin = (method: string, path: string, body?: unknown) => send(method, path, { token: adminToken, body })

      const serviceId: string = (yield* asAdmin("POST", "/api/admin/openAiServices", {
        displayName: "Models",
        isActive: true,
        azureOpenAiEndpoint: `${fake.url}/v1`,
        azureOpenAiApiKey: key
      })).json()
      const botId: string = (yield* asAdmin("POST", "/api/admin/bots", {
        code: "house",
        displayNameTv: { value: "House" },
        isActive: true,
        isPublic: true,
        baseSystemMessage: prompt,
        openAiServiceId: serviceId,
        modelName: "llama3.2",
        userLogins: "canary-login",
        implementationType: "Facts"
      })).json().botId
      const bot = `/api/admin/bots/${botId}`
      const factId: string = (yield* asAdmin("POST", `${bot}/facts`, {
        isActive: false,
        factText: "canary-fact"
      })).json().botFactId
      yield* asAdmin("PUT", `${bot}/configuration`, { configurationRaw: '{"a":"canary-configuration"}' })
      const connection =
        "DefaultEndpointsProtocol=https;AccountName=blobs;AccountKey=canary-connection;EndpointSuffix=core.windows.net"
      for (const kind of ["acsBotConfiguration", "azureOpenAISearchBotConfiguration"]) {
        const { status, text } = yield* asAdmin("PUT", `${bot}/${kind}`, {
          isUpdateBlobClient: true,
          blobClientConnectionString: connection,
          isUpdateSearchClient: true,
          searchClientEndpoint: "https://search.example.com",
          searchClientCredential: "canary-credential",
          indexName: "canary-configuration"
        })
        assert.strictEqual(status, 200, text)
      }

      const token = yield* tokenOf("guest")
      const seen: Array<{ readonly what: string; readonly answer: Answer }> = []
      /** Asks as a guest, and keeps what is answered. */
      const ask = (method: string, path: string, options: Options = {}) =>
        Effect.tap(send(method, path, { token, ...options }), (answer) =>
          Effect.sync(() => seen.push({ what: `${method} ${path}`, answer }))
        )
      const newChat = Effect.map(ask("POST", "/api/chats", { body: { botId } }), ({ json }): string => json().chatId)

      const chatId = yield* newChat
      const statuses = new Set<number>()
      for (const [what, script] of Object.entries(scripts)) {
        fake.answer(script)
        for (const stream of [false, true]) {
          yield* ask("POST", "/v1/chat/completions", {
            body: { model: "house", stream, messages: [{ role: "user", content: "What is the word?" }] }
          })
        }
        for (const accept of ["application/json", "text/event-stream"]) {
          for (const isTraceLogEnabled of [false, true]) {
            const { headers, status, text } = yield* ask("POST", `/api/chats/${chatId}/completions`, {
              headers: { accept },
              body: { userMessage: `Please: what is the word? (${what})`, isTraceLogEnabled }
            })
            statuses.add(status)
            assert.strictEqual(status === 403, isTraceLogEnabled, what)
            const completionId = headers["completion-id"] ?? /"completionId":"([^"]+)"/.exec(text)?.[1]
            if (completionId !== undefined) {
              yield* ask("GET", `/api/chats/${chatId}/completions/${completionId}/events`)
            }
          }
        }
      }
      assert.deepStrictEqual(
        Array.from(statuses).toSorted((a, b) => a - b),
        [200, 403, 502]
      )
      // The provider had it all.
      assert.include(JSON.stringify(fake.asked.map(({ body }) => body)), "canary-prompt")
      assert.include(String(fake.asked[0]?.headers["authorization"]), key)

      const feedback: string = (yield* ask("POST", `/api/chats/${chatId}/feedback`, {
        body: { voteId: -1, userComment: "Rude." }
      })).json().feedbackId
      yield* asAdmin("PUT", `${bot}/feedback/${feedback}`, { status: 1, adminComment: "canary-comment" })
      const messageId: string = (yield* ask("POST", "/api/users/current/userSystemMessage", {
        body: { displayName: "Brief", systemMessage: "Be brief." }
      })).json()
      const adminChat: string = (yield* asAdmin("POST", "/api/chats", { botId })).json().chatId

      assert.include((yield* ask("GET", "/v1/models")).text, "house")
      // Every endpoint, with everything in its place; what deletes comes last.
      const endpoints = Object.values(Api.groups)
        .flatMap((group) => Object.values(group.endpoints))
        .toSorted((a, b) => Number(a.method === "DELETE") - Number(b.method === "DELETE"))
      const values: Record<string, string> = {
        openAiServiceId: serviceId,
        botId,
        botid: botId,
        startBotId: botId,
        botFactId: factId,
        feedbackId: feedback,
        userSystemMessageId: messageId,
        usersystempromptid: messageId,
        systemmessageid: messageId,
        keepfavorites: "true",
        isStopAllBots: "true",
        completionId: "none",
        completionid: "none",
        "*": "house/knowledge.md"
      }
      const body = {
        botId,
        botCode: "house",
        userMessage: "What is the word?",
        displayName: "A name",
        systemMessage: "Be brief.",
        userSystemMessageId: messageId,
        value: "All is well.",
        voteId: 1,
        isFavorite: true,
        code: "other",
        displayNameTv: { value: "Other" },
        factText: "Known.",
        azureOpenAiEndpoint: fake.url,
        configurationRaw: "{}",
        status: 1
      }
      const asked = new Set<string>()
      for (const endpoint of endpoints) {
        for (const chat of [chatId, adminChat]) {
          const path = endpoint.path.replace(/:(\w+)|\*/g, (name: string) => {
            const value = /^:chatid$/i.test(name) ? chat : values[name.replace(":", "")]
            assert.isDefined(value, `${name} of ${endpoint.path}`)
            return String(value)
          })
          const hasBody = endpoint.payload.size > 0
          for (const who of [token, undefined]) {
            for (const query of endpoint.method === "GET" ? ["", "?PageSize=100", "?SearchFor=canary"] : [""]) {
              const options = hasBody ? { token: who, body } : { token: who }
              const { status } = yield* ask(endpoint.method, `${path}${query}`, options)
              assert.isBelow(status, 500, path)
              asked.add(operationOf(endpoint))
            }
          }
        }
      }
      assert.strictEqual(asked.size, endpoints.length)
      // Wrong in every way, for problems that could say too much.
      for (const wrong of ["{", "[]", "null", JSON.stringify({ botId: 1, userMessage: { a: prompt.length } })]) {
        for (const { method, path } of endpoints) {
          if (method === "GET") continue
          yield* ask(method, path.replace(/:\w+|\*/g, "x"), { body: wrong })
        }
      }

      for (const { answer, what } of seen) {
        const text = `${JSON.stringify(answer.headers)}\n${answer.text}`
        for (const canary of canaries) assert.notInclude(text, canary, what)
      }
      const lines = logged.join("\n")
      for (const canary of canaries) assert.notInclude(lines, canary)
      assert.notInclude(lines, Redacted.value(token))

      // Whoever may know it does.
      assert.include((yield* asAdmin("GET", bot)).text, prompt)
      assert.include((yield* asAdmin("GET", `${bot}/configuration`)).text, "canary-configuration")
      // But for what nobody is ever told again.
      for (const path of [`/api/admin/openAiServices/${serviceId}`, `${bot}/acsBotConfiguration`, bot]) {
        const { text } = yield* asAdmin("GET", path)
        for (const canary of ["canary-key", "canary-credential", "canary-connection"]) assert.notInclude(text, canary)
      }
    })
  )
})
