import * as Problem from "@effect-chatbot/api/Problem"
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as RetryPolicy from "@effect-chatbot/client/RetryPolicy"
import * as Errors from "@effect-chatbot/schema/Errors"
import { BotId, ChatId, OpenAiServiceId, Ticket, UserSystemMessageId } from "@effect-chatbot/schema/Ids"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { inspect } from "node:util"
import { json, type Script, scripted, text } from "./support/Scripted.ts"

type Client = ChatbotClient["Service"]

type AnyError = { readonly _tag: string }

const botId = BotId.make("bot-1")
const chatId = ChatId.make("chat-1")

/** Of one attempt. */
const client = (script: Script) =>
  ChatbotClient.layer({ baseUrl: "http://chatbot.test:81", token: "tok-canary" }).pipe(
    Layer.provide(scripted(script).layer),
    Layer.provide(Layer.succeed(RetryPolicy.RetryPolicy, RetryPolicy.none))
  )

/** The error of a call, where a backend answers everything in one way. */
const errorOf = <A, E>(call: (client: Client) => Effect.Effect<A, E>, script: Script) =>
  Effect.provide(
    Effect.flatMap(ChatbotClient, (client) => Effect.flip(call(client))),
    client(script)
  )

const getChat = ({ chats }: Client) => chats.get(chatId)
const complete = ({ chats }: Client) => chats.complete(chatId, "prompt-canary")

const problem =
  (tag: string, status: number, fields: object = {}, headers: HeadersInit = {}) =>
  () =>
    json({ type: Problem.typeOf(tag), title: Problem.titleOf(tag), status, ...fields }, { status, headers })

const aspNet =
  (status: number, fields: object = {}) =>
  () =>
    json(
      {
        type: "https://tools.ietf.org/html/rfc9110#section-15.5",
        title: "Not Found",
        status,
        traceId: "00-1",
        ...fields
      },
      {
        status,
        headers: { "content-type": "application/problem+json" }
      }
    )

describe("a problem of the contract", () => {
  it.effect("becomes the class it tells, with its fields", () =>
    Effect.gen(function* () {
      const error = yield* errorOf(getChat, problem("ChatNotFound", 404, { detail: "Gone.", requestId: "r-1", chatId }))
      assert.instanceOf(error, Errors.ChatNotFound)
      assert.deepStrictEqual(
        { ...error, message: error.message },
        {
          _tag: "ChatNotFound",
          message: "Gone.",
          requestId: "r-1",
          chatId
        }
      )
    })
  )

  it.effect("of two classes with one status becomes the one it tells", () =>
    Effect.gen(function* () {
      const setMessage = ({ chats }: Client) => chats.setUserSystemMessage(chatId, UserSystemMessageId.make("m"))
      assert.instanceOf(
        yield* errorOf(setMessage, problem("UserSystemMessageNotFound", 404)),
        Errors.UserSystemMessageNotFound
      )
      assert.instanceOf(yield* errorOf(setMessage, problem("ChatNotFound", 404)), Errors.ChatNotFound)
      assert.instanceOf(yield* errorOf(complete, problem("BotsStopped", 503)), Errors.BotsStopped)
      assert.instanceOf(yield* errorOf(complete, problem("Unavailable", 503)), Errors.Unavailable)
    })
  )

  it.effect("tells what is wrong with a request", () =>
    Effect.gen(function* () {
      const issues = [
        { path: ["query", "OrderBy"], message: "Expected a field" },
        { path: [], message: "No" }
      ]
      const error = yield* errorOf(
        ({ bots }) => bots.list({ orderBy: "x" }),
        problem("InvalidRequest", 400, { issues })
      )
      assert.instanceOf(error, Errors.InvalidRequest)
      assert.deepStrictEqual(error.issues, issues)
    })
  )

  it.effect("takes the request id and the time to wait from its head where the body has none", () =>
    Effect.gen(function* () {
      const headers = { "x-request-id": "r-head", "retry-after": "7" }
      const head = yield* errorOf(getChat, problem("RateLimited", 429, {}, headers))
      assert.instanceOf(head, Errors.RateLimited)
      assert.strictEqual(head.requestId, "r-head")
      assert.deepStrictEqual(head.retryAfter, Duration.seconds(7))
      const body = yield* errorOf(
        getChat,
        problem("RateLimited", 429, { requestId: "r-body", retryAfter: 1.5 }, headers)
      )
      assert.instanceOf(body, Errors.RateLimited)
      assert.strictEqual(body.requestId, "r-body")
      assert.deepStrictEqual(body.retryAfter, Duration.millis(1500))
    })
  )

  it.effect("that does not fit its class counts by its status", () =>
    Effect.gen(function* () {
      const error = yield* errorOf(getChat, problem("ChatNotFound", 404, { requestId: 7 }))
      assert.instanceOf(error, Errors.ChatNotFound)
      assert.include(Redacted.value(error.body!), "requestId")
    })
  )

  it.effect("that the endpoint does not declare is an unexpected status", () =>
    Effect.gen(function* () {
      const error = yield* errorOf(getChat, problem("ChatBusy", 409))
      assert.instanceOf(error, Errors.UnexpectedStatus)
      assert.strictEqual(error.status, 409)
    })
  )
})

describe("another body", () => {
  it.effect("stands for the class of its status, and is kept", () =>
    Effect.gen(function* () {
      const error = yield* errorOf(getChat, aspNet(404))
      assert.instanceOf(error, Errors.ChatNotFound)
      assert.strictEqual(error.message, "There is no such chat.")
      assert.include(Redacted.value(error.body!), "rfc9110")
      // What was asked for is known.
      assert.strictEqual(error.chatId, chatId)
    })
  )

  it.effect.each([
    ["HTML of a proxy", 502, "<html>Bad Gateway</html>", "text/html"],
    ["nothing", 502, "", undefined],
    ["a text", 502, "upstream error", "text/plain"],
    ["JSON that is no object", 502, "[1]", "application/json"],
    ["broken JSON", 502, '{"type":', "application/problem+json"]
  ] as const)("may be %s", ([, status, body, type]) =>
    Effect.gen(function* () {
      const script = () => new Response(body, { status, headers: type === undefined ? {} : { "content-type": type } })
      const declared = yield* errorOf(complete, script)
      assert.instanceOf(declared, Errors.ProviderFailed)
      assert.strictEqual(Redacted.value(declared.body!), body)
      const undeclared = yield* errorOf(getChat, script)
      assert.instanceOf(undeclared, Errors.UnexpectedStatus)
      assert.strictEqual(undeclared.status, 502)
      assert.strictEqual(Redacted.value(undeclared.body!), body)
    })
  )

  it.effect("of the statuses that any endpoint may answer stands for their classes", () =>
    Effect.gen(function* () {
      const empty = (status: number) => () => new Response(null, { status, headers: { "x-request-id": "r-1" } })
      const unauthorized = yield* errorOf(getChat, empty(401))
      assert.instanceOf(unauthorized, Errors.Unauthorized)
      assert.strictEqual(unauthorized.requestId, "r-1")
      assert.instanceOf(yield* errorOf(getChat, empty(429)), Errors.RateLimited)
      assert.instanceOf(yield* errorOf(getChat, empty(500)), Errors.InternalError)
      assert.instanceOf(yield* errorOf(getChat, empty(503)), Errors.Unavailable)
      // A proxy knows nothing of bots that were stopped.
      assert.instanceOf(yield* errorOf(complete, empty(503)), Errors.Unavailable)
    })
  )

  it.effect("has an id of the request, its own or that of the trace", () =>
    Effect.gen(function* () {
      const trace = yield* errorOf(getChat, aspNet(404))
      assert.instanceOf(trace, Errors.ChatNotFound)
      assert.strictEqual(trace.requestId, "00-1")
      const own = yield* errorOf(getChat, problem("ChatBusy", 409, { requestId: "r-1" }))
      assert.instanceOf(own, Errors.UnexpectedStatus)
      assert.strictEqual(own.requestId, "r-1")
    })
  )

  it.effect("names what was asked for, from the path and from the body of the request", () =>
    Effect.gen(function* () {
      const created = yield* errorOf(({ chats }) => chats.create(botId), aspNet(404))
      assert.instanceOf(created, Errors.BotNotFound)
      assert.strictEqual(created.botId, botId)
      const deleted = yield* errorOf(({ users }) => users.deleteChat(chatId), aspNet(404))
      assert.instanceOf(deleted, Errors.ChatNotFound)
      assert.strictEqual(deleted.chatId, chatId)
      const service = OpenAiServiceId.make("s")
      const got = yield* errorOf(({ admin }) => admin.openAiServices.get(service), aspNet(404))
      assert.instanceOf(got, Errors.OpenAiServiceNotFound)
      assert.strictEqual(got.openAiServiceId, service)
    })
  )

  it.effect.each([201, 206, 302, 304, 405, 408, 418, 501])("of the status %s is unexpected", (status) =>
    Effect.gen(function* () {
      const script = () => new Response(status === 304 ? null : "body", { status, headers: { "x-request-id": "r-1" } })
      const error = yield* errorOf(getChat, script)
      assert.instanceOf(error, Errors.UnexpectedStatus)
      assert.strictEqual(error.status, status)
      assert.strictEqual(error.requestId, "r-1")
      assert.strictEqual(error.message, `The answer has the status ${status}, which the contract does not know here.`)
    })
  )
})

describe("Retry-After", () => {
  it.effect.each([
    ["0", 0],
    ["120", 120_000],
    ["Thu, 01 Jan 1970 00:00:30 GMT", 20_000],
    ["Thu, 01 Jan 1970 00:00:05 GMT", 0],
    ["1000000000000", 1e15],
    ["-1", undefined],
    ["1.5", undefined],
    ["abc", undefined],
    ["", undefined]
  ] as const)("of %s", ([header, millis]) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(10_000)
      for (const script of [
        () => new Response("busy", { status: 503, headers: { "retry-after": header } }),
        problem("Unavailable", 503, {}, { "retry-after": header })
      ]) {
        const error = yield* errorOf(getChat, script)
        assert.instanceOf(error, Errors.Unavailable)
        assert.strictEqual(error.retryAfter === undefined ? undefined : Duration.toMillis(error.retryAfter), millis)
      }
    })
  )

  it.effect("is of no use to a class without it", () =>
    Effect.gen(function* () {
      const error = yield* errorOf(getChat, () => new Response(null, { status: 500, headers: { "retry-after": "3" } }))
      assert.notProperty(error, "retryAfter")
    })
  )
})

describe("a bad argument", () => {
  const nothingSent = <A, E>(call: (client: Client) => Effect.Effect<A, E>) =>
    Effect.gen(function* () {
      const backend = scripted(() => text("sent"))
      const layer = Layer.provide(ChatbotClient.layer({ baseUrl: "http://chatbot.test" }), backend.layer)
      const error = yield* Effect.provide(
        Effect.flatMap(ChatbotClient, (client) => Effect.flip(call(client))),
        layer
      )
      assert.strictEqual(backend.sent.length, 0)
      assert.instanceOf(error, Errors.InvalidRequest)
      return error.issues
    })

  it.effect("is refused before anything is sent, with every problem and its path", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* nothingSent(({ bots }) => bots.list({ pageNumber: 0, pageSize: 1.5 })), [
        { path: ["query", "pageNumber"], message: "Expected a value greater than or equal to 1" },
        { path: ["query", "pageSize"], message: "Expected an integer" }
      ])
      assert.deepStrictEqual(yield* nothingSent(({ chats }) => chats.complete("" as ChatId, "")), [
        { path: ["params", "chatId"], message: "Expected a value with a length of at least 1" },
        { path: ["payload", "userMessage"], message: "Expected a value with a length of at least 1" }
      ])
      assert.deepStrictEqual(yield* nothingSent(({ users }) => users.deleteChats({} as { keepFavorites: boolean })), [
        { path: ["params", "keepfavorites"], message: "Expected boolean" }
      ])
    })
  )

  it.effect.each([".", "..", "a/../b", "./a", "\ud800", ""])(
    "that would change the path of a download is refused: %s",
    (path) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* nothingSent(({ chats }) => chats.download(chatId, path)), [
          { path: ["params", "path"], message: "Expected a text that can stand in the path of a URL" }
        ])
      })
  )

  it.effect.each([".", ".."])("that would change the path is refused: %s", (id) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* nothingSent(({ chats }) => chats.get(ChatId.make(id))), [
        { path: ["params", "chatId"], message: "Expected a text that can stand in the path of a URL" }
      ])
    })
  )

  it.effect("makes the stream of a list fail", () =>
    Effect.gen(function* () {
      const issues = yield* nothingSent(({ bots }) => Stream.runDrain(bots.items({ pageSize: -1 })))
      assert.deepStrictEqual(
        issues.map(({ path }) => path),
        [["query", "pageSize"]]
      )
    })
  )
})

describe("secrets", () => {
  const ticket = Ticket.make("ticket-canary")
  const canaries = ["tok-canary", "prompt-canary", "ticket-canary", "key-canary", "text-canary"]

  const broken: Script = (request) =>
    Effect.fail(
      new HttpClientError.HttpClientError({
        reason: new HttpClientError.TransportError({ request, cause: new Error("connect ECONNREFUSED") })
      })
    )

  const scripts: { readonly [name: string]: Script } = {
    "a transport that fails": broken,
    "an answer that breaks off": () =>
      new Response(new ReadableStream({ pull: (controller) => controller.error(new Error("reset")) })),
    "a problem": problem("InvalidRequest", 400),
    "the page of a proxy": () => new Response("<html>tok-canary prompt-canary</html>", { status: 502 }),
    "an undeclared status": () => new Response("text-canary", { status: 418 }),
    "JSON that does not fit": () => json({ chatId: "", completionId: 5, text: "text-canary" }),
    "JSON that is broken": () => new Response('{"text-canary"', { headers: { "content-type": "application/json" } })
  }

  const calls: { readonly [name: string]: (client: Client) => Effect.Effect<unknown, AnyError> } = {
    complete,
    download: ({ chats }) =>
      Effect.flatMap(chats.download(chatId, "a", { ticket }), ({ stream }) => Stream.runDrain(stream)),
    createService: ({ admin }) =>
      admin.openAiServices.create({
        displayName: "d",
        isActive: true,
        azureOpenAiApiKey: Redacted.make("key-canary")
      }),
    badArgument: ({ admin }) =>
      admin.openAiServices.create({
        displayName: "",
        isActive: "text-canary" as unknown as boolean,
        azureOpenAiApiKey: "key-canary" as unknown as Redacted.Redacted
      }),
    badQuestion: ({ chats }) => chats.complete(chatId, { userMessage: ["prompt-canary"] as unknown as string })
  }

  it.effect.each(Object.keys(scripts).flatMap((script) => Object.keys(calls).map((call) => [script, call] as const)))(
    "stay out of every print of an error: %s, %s",
    ([script, call]) =>
      Effect.gen(function* () {
        const exit = yield* Effect.flatMap(ChatbotClient, calls[call]!).pipe(
          Effect.provide(client(scripts[script]!)),
          Effect.exit
        )
        const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
        const prints = [
          Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "",
          inspect(exit, { depth: 20, showHidden: true }),
          JSON.stringify(exit),
          String(error),
          inspect(error, { depth: 20, showHidden: true }),
          String(JSON.stringify(error)),
          error instanceof Error ? `${error.message} ${error.stack}` : ""
        ]
        for (const canary of canaries) for (const print of prints) assert.notInclude(print, canary)
      })
  )

  it.effect("stay out of a print of the client", () =>
    Effect.gen(function* () {
      const service = yield* ChatbotClient
      assert.notInclude(inspect(service, { depth: 20, showHidden: true }), "tok-canary")
      assert.notInclude(String(JSON.stringify(service)), "tok-canary")
    }).pipe(Effect.provide(client(() => json({}))))
  )
})

describe("what a transport says", () => {
  const failing =
    (cause: unknown): Script =>
    (request) =>
      Effect.fail(
        new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request, cause }) })
      )
  const coded = (code: string) => Object.assign(new Error("no"), { code })

  it.effect.each<readonly [unknown, Errors.TransportFailed["reason"], string]>([
    [coded("ECONNREFUSED"), "refused", "chatbot.test:81 refused the connection (ECONNREFUSED)."],
    [
      new TypeError("fetch failed", { cause: coded("ECONNREFUSED") }),
      "refused",
      "chatbot.test:81 refused the connection (ECONNREFUSED)."
    ],
    [
      new TypeError("fetch failed", { cause: new AggregateError([coded("X"), coded("ECONNREFUSED")]) }),
      "refused",
      "chatbot.test:81 refused the connection (ECONNREFUSED)."
    ],
    [
      coded("UND_ERR_SOCKET"),
      "reset",
      "The connection to chatbot.test:81 broke off before the answer was complete (UND_ERR_SOCKET)."
    ],
    [coded("ETIMEDOUT"), "reset", "The connection to chatbot.test:81 timed out (ETIMEDOUT)."],
    [coded("ENOTFOUND"), "dns", "The name of chatbot.test:81 could not be resolved (ENOTFOUND)."],
    [coded("UND_ERR_PRX_CONN"), "unreachable", "The proxy made no connection to chatbot.test:81 (UND_ERR_PRX_CONN)."],
    [coded("DEPTH_ZERO_SELF_SIGNED_CERT"), "tls", "TLS with chatbot.test:81 failed (DEPTH_ZERO_SELF_SIGNED_CERT)."],
    [coded("ENETUNREACH"), "unreachable", "chatbot.test:81 cannot be reached (ENETUNREACH)."],
    [new TypeError("Failed to fetch"), "unknown", "No answer came from chatbot.test:81."],
    ["closed", "unknown", "No answer came from chatbot.test:81."],
    [undefined, "unknown", "No answer came from chatbot.test:81."]
  ])("is said in words: %s", ([cause, reason, message]) =>
    Effect.gen(function* () {
      const error = yield* errorOf(getChat, failing(cause))
      assert.instanceOf(error, Errors.TransportFailed)
      assert.strictEqual(error.message, message)
      assert.strictEqual(error.reason, reason)
    })
  )

  it.effect("is kept with the causes of it, and without what they hold", () =>
    Effect.gen(function* () {
      const inner = Object.assign(new SyntaxError("Expected HTTP/"), { code: "HPE", data: "HTTP/1.1 200 canary" })
      const outer = Object.assign(new TypeError("fetch failed", { cause: inner }), { url: "http://x/?ticket=canary" })
      const error = yield* errorOf(getChat, failing(outer))
      assert.instanceOf(error, Errors.TransportFailed)
      assert.include(inspect(outer), "canary")
      assert.notInclude(inspect(error, { depth: 20, showHidden: true }), "canary")
      assert.notInclude(JSON.stringify(error), "canary")
      const cause = error.cause as Error
      assert.strictEqual(cause.stack, outer.stack)
      assert.strictEqual(`${cause.name}: ${cause.message}`, "TypeError: fetch failed")
      assert.deepInclude(cause.cause, { name: "SyntaxError", message: "Expected HTTP/", code: "HPE" })
    })
  )

  it.effect.each([
    [coded("UND_ERR_CONNECT_TIMEOUT"), 10_000],
    [
      new TypeError("fetch failed", {
        cause: Object.assign(new Error("Connect Timeout Error (attempted address: a:1, timeout: 2500ms)"), {
          code: "UND_ERR_CONNECT_TIMEOUT"
        })
      }),
      2500
    ]
  ] as const)("may be that it has a limit of its own for a connection: %s", ([cause, millis]) =>
    Effect.gen(function* () {
      const error = yield* errorOf(getChat, failing(cause))
      assert.instanceOf(error, Errors.RequestTimedOut)
      assert.strictEqual(error.limit, "connect")
      assert.strictEqual(Duration.toMillis(error.duration), millis)
    })
  )

  it.effect("may be an answer that a stricter client refused", () =>
    Effect.gen(function* () {
      const { layer } = scripted(problem("ChatNotFound", 404))
      const strict = Layer.effect(HttpClient.HttpClient, Effect.map(HttpClient.HttpClient, HttpClient.filterStatusOk))
      const error = yield* Effect.flatMap(ChatbotClient, (client) => Effect.flip(getChat(client))).pipe(
        Effect.provide(
          ChatbotClient.layer({ baseUrl: "http://chatbot.test" }).pipe(Layer.provide(strict), Layer.provide(layer))
        )
      )
      assert.instanceOf(error, Errors.ChatNotFound)
    })
  )
})
