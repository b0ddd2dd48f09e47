/** The handlers without Effect, over Hono and as route handlers of Next.js. */
import * as ChatbotTest from "@effect-chatbot/testing/ChatbotTest"
import { assert, layer, vi } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import { type Environment, listening, start } from "./support/Program.ts"
import { Serve } from "./support/Serve.ts"
import { Slow } from "./support/Slow.ts"
import { stub } from "./support/Sockets.ts"

const question = { question: "How do I page through a list?" }

const request = (url: string, body: unknown, signal?: AbortSignal) =>
  new Request(url, { method: "POST", body: JSON.stringify(body), ...(signal === undefined ? {} : { signal }) })

const send = (url: string, body: unknown) => fetch(request(url, body))

/** As programs without Effect make one. */
const abortController = () => new AbortController()

/** Starts the server, and gives what sends a body to it. */
const hono = (env: Environment) =>
  Effect.gen(function* () {
    const url = yield* listening(yield* start("examples/src/web/hono.ts", { ...env, PORT: "0" }))
    return (path: string, body: unknown) => Effect.promise(() => send(url + path, body))
  })

/** The route handlers of Next.js, loaded with these variables. */
const next = (env: Environment) =>
  Effect.gen(function* () {
    vi.resetModules()
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
    yield* Effect.addFinalizer(() => Effect.sync(() => vi.unstubAllEnvs()))
    const [{ client }, route, stream] = yield* Effect.promise(() =>
      Promise.all([
        import("../src/web/answers.ts"),
        import("../src/web/app/api/answer/route.ts"),
        import("../src/web/app/api/answer/stream/route.ts")
      ])
    )
    yield* Effect.addFinalizer(() => Effect.promise(client.close))
    return { answer: route.POST, stream: stream.POST }
  })

const json = (response: Response) => Effect.promise(async (): Promise<unknown> => response.json())

layer(Serve.layer, { excludeTestServices: true })("web/hono.ts", (it) => {
  it.effect("answers with JSON", () =>
    Effect.gen(function* () {
      const post = yield* hono((yield* Serve).env)
      const response = yield* post("/api/answer", question)
      assert.strictEqual(response.status, 200)
      const { documents, text } = yield* Effect.promise(() => response.json())
      assert.include(text, "page")
      assert.deepStrictEqual(documents, ["lists.md"])
    })
  )

  it.effect("answers with a stream of text", () =>
    Effect.gen(function* () {
      const post = yield* hono((yield* Serve).env)
      const response = yield* post("/api/answer/stream", question)
      assert.strictEqual(response.headers.get("content-type"), "text/plain; charset=utf-8")
      assert.include(yield* Effect.promise(() => response.text()), "page")
    })
  )

  it.effect.each(["/api/answer", "/api/answer/stream"])("refuses what is no question at %s", (path) =>
    Effect.gen(function* () {
      const post = yield* hono((yield* Serve).env)
      for (const body of [undefined, null, "why?", {}, { question: 5 }, { question: "" }]) {
        assert.strictEqual((yield* post(path, body)).status, 400, JSON.stringify(body))
      }
      const tooLong = yield* post(path, { question: "x".repeat(2 ** 21) })
      assert.strictEqual(tooLong.status, 413)
    })
  )

  it.effect.each([
    [429, { "retry-after": "3600" }, 429, "3600"],
    [503, { "retry-after": "3600" }, 503, "3600"],
    [401, {}, 502, null],
    [418, {}, 502, null]
  ] as const)("tells of a backend that answers %s", ([status, headers, expected, retryAfter]) =>
    Effect.gen(function* () {
      const backend = yield* stub(() => Effect.succeed(HttpServerResponse.empty({ status, headers })))
      const post = yield* hono({ CHATBOT_BASE_URL: backend })
      for (const path of ["/api/answer", "/api/answer/stream"]) {
        const response = yield* post(path, question)
        assert.deepStrictEqual([response.status, response.headers.get("retry-after")], [expected, retryAfter])
        assert.hasAllKeys(yield* json(response), ["error"])
      }
    })
  )
})

layer(Serve.layer, { excludeTestServices: true })("the routes of Next.js", (it) => {
  it.effect("answer as Hono does", () =>
    Effect.gen(function* () {
      const { answer, stream } = yield* next((yield* Serve).env)
      for (const route of [answer, stream]) {
        const response = yield* Effect.promise(() => route(request("http://next.test", question)))
        assert.strictEqual(response.status, 200)
        assert.include(yield* Effect.promise(() => response.text()), "page")
        const refused = yield* Effect.promise(() => route(request("http://next.test", {})))
        assert.strictEqual(refused.status, 400)
      }
    })
  )
})

layer(Slow.layer, { excludeTestServices: true })("a request that is aborted", (it) => {
  it.effect.each(["answer", "stream"] as const)("ends what waits for its %s", (route) =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      const { answer } = yield* ChatbotTest.Backend
      yield* answer(() =>
        Stream.concat(Stream.drain(Stream.fromEffect(Deferred.succeed(begun, undefined))), Stream.never)
      )
      const routes = yield* next((yield* Slow).env)
      const aborter = abortController()
      const asking = request("http://next.test", question, aborter.signal)
      const answered = yield* Effect.forkChild(Effect.promise(() => routes[route](asking)))
      yield* Deferred.await(begun)
      aborter.abort()
      const response = yield* Fiber.join(answered)
      assert.strictEqual(response.status, 499)
    })
  )
})

layer(Slow.layer, { excludeTestServices: true })("web/hono.ts, left", (it) => {
  it.effect("stops an answer that is streamed when its reader leaves", () =>
    Effect.gen(function* () {
      const { env, stopped } = yield* Slow
      const post = yield* hono(env)
      const response = yield* post("/api/answer/stream", { question: "Count." })
      const reader = response.body!.getReader()
      const { value } = yield* Effect.promise(() => reader.read())
      assert.include(new TextDecoder().decode(value), "One,")
      yield* Effect.promise(() => reader.cancel())
      assert.strictEqual(yield* stopped, "Count.")
    })
  )
})
