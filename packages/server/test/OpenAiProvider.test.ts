import type { Answer } from "@effect-chatbot/server/CompletionProvider"
import * as ProviderTransport from "@effect-chatbot/server/ProviderTransport"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Queue from "effect/Queue"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import { isIP, type LookupFunction, type Socket } from "node:net"
import { inspect } from "node:util"
import * as Fake from "./support/FakeProvider.ts"
import * as ModelBots from "./support/ModelBots.ts"
import * as Services from "./support/TestServices.ts"

/** On the clock of the machine, as sockets are. */
const test = <A, E>(
  name: string,
  options: ModelBots.Options,
  effect: Effect.Effect<A, E, ModelBots.Env | Scope.Scope>
) =>
  it.live(name, () =>
    effect.pipe(Effect.provide(ModelBots.layer(options)), Effect.provideService(References.MinimumLogLevel, "None"))
  )

/** The answer of a bot whose provider does this, and what it was asked. */
const ask = Effect.fnUntraced(function* (
  script: Fake.Script,
  question: ModelBots.Question & { readonly at?: string } = {}
) {
  const fake = yield* Fake.make
  fake.answer(script)
  const bot = yield* ModelBots.make(`${fake.url}${question.at ?? ""}`, question)
  const answer: Answer = yield* bot.answer
  return { answer, asked: fake.asked }
})

/** The failure of a bot whose provider does this, and what it was asked. */
const failure = Effect.fnUntraced(function* (script: Fake.Script, question: ModelBots.Question = {}) {
  const fake = yield* Fake.make
  fake.answer(script)
  const bot = yield* ModelBots.make(fake.url, question)
  const error = yield* Effect.flip(bot.answer)
  return { error, asked: fake.asked }
})

/** Writes a text in such pieces, a turn of the event loop apart. */
const inPieces =
  (
    pieces: ReadonlyArray<string | Uint8Array>,
    onEnd: (socket: Socket) => void = (socket) => socket.end()
  ): Fake.Script =>
  (socket) => {
    socket.setNoDelay(true)
    const [...rest] = pieces
    const next = () => {
      const piece = rest.shift()
      if (piece === undefined) onEnd(socket)
      else socket.write(piece, () => setImmediate(next))
    }
    next()
  }

const started = Fake.eventsHead + Fake.chunk({ role: "assistant" })

/** The head of events that go on until the connection breaks. */
const longHead = Fake.head(200, { "content-type": "text/event-stream", "content-length": "99999" })

describe("a model", () => {
  test(
    "is asked as OpenAI is, and answers piece by piece",
    {},
    Effect.gen(function* () {
      const fake = yield* Fake.make
      const bot = yield* ModelBots.make(fake.url)
      assert.deepStrictEqual(yield* Stream.runCollect(bot.texts), ["Hel", "lo!"])
      const [{ body, headers, method, path } = assert.fail()] = fake.asked
      assert.deepStrictEqual([method, path], ["POST", "/v1/chat/completions"])
      assert.strictEqual(headers["authorization"], `Bearer ${ModelBots.apiKey}`)
      assert.strictEqual(headers["content-type"], "application/json")
      assert.include(headers["accept"], "text/event-stream")
      for (const name of ["traceparent", "b3", "api-key", "cookie"]) assert.notProperty(headers, name)
      assert.deepStrictEqual(body, {
        model: "llama3.2",
        messages: [{ role: "user", content: "Why is the sky blue?" }],
        stream: true,
        stream_options: { include_usage: true }
      })
    })
  )

  test(
    "tells how much it read and wrote",
    {},
    Effect.gen(function* () {
      const { answer } = yield* ask(Fake.whole(Fake.saying("Hello!")))
      assert.deepStrictEqual(
        [answer.assistantMessage, answer.promptTokens, answer.completionTokens, answer.tags],
        ["Hello!", 11, 7, ["answer"]]
      )
    })
  )

  test(
    "that tells nothing of that is counted",
    {},
    Effect.gen(function* () {
      const events = [started, Fake.chunk({ content: "Hello, world!" }), Fake.chunk({}, "stop"), Fake.event("[DONE]")]
      const { answer } = yield* ask(Fake.whole(events.join("")))
      assert.strictEqual(answer.completionTokens, 4)
      assert.isAbove(answer.promptTokens, 5)
      assert.include(answer.trace, "usage: counted here")
    })
  )

  test(
    "needs no key",
    {},
    Effect.gen(function* () {
      const { asked } = yield* ask(Fake.whole(Fake.saying("Hi")), { key: null })
      for (const name of ["authorization", "api-key"]) assert.notProperty(asked[0]?.headers, name)
    })
  )

  const azure = "/openai/deployments/gpt%20x/chat/completions"
  for (const [at, path, isAzure] of [
    ["/v1", "/v1/chat/completions", false],
    ["/v1/", "/v1/chat/completions", false],
    ["/api/openai/v1", "/api/openai/v1/chat/completions", false],
    ["/v1/chat/completions", "/v1/chat/completions", false],
    ["/openai/deployments", `${azure}?api-version=2024-10-21`, true],
    ["/?api-version=2025-01-01", `${azure}?api-version=2025-01-01`, true],
    ["/openai?api-version=2025-01-01", `${azure}?api-version=2025-01-01`, true],
    ["/openai/deployments/mine", "/openai/deployments/mine/chat/completions?api-version=2024-10-21", true],
    [
      "/openai/deployments/mine/chat/completions?api-version=2025-01-01",
      "/openai/deployments/mine/chat/completions?api-version=2025-01-01",
      true
    ],
    ["/openai/v1?api-version=preview", "/openai/v1/chat/completions?api-version=preview", true]
  ] as const) {
    test(
      `at the endpoint ${at} is asked at ${path}`,
      {},
      Effect.gen(function* () {
        const { asked } = yield* ask(Fake.whole(Fake.saying("Hi")), { at, model: "gpt x" })
        const [{ body, headers, path: askedAt } = assert.fail()] = asked
        assert.strictEqual(askedAt, path)
        assert.strictEqual(body.model, "gpt x")
        assert.strictEqual(headers["api-key"], isAzure ? ModelBots.apiKey : undefined)
        assert.strictEqual(headers["authorization"], isAzure ? undefined : `Bearer ${ModelBots.apiKey}`)
      })
    )
  }
})

describe("the events of a provider", () => {
  const text = "Grüße, 世界! 🎉"
  const answers = (name: string, script: Fake.Script, expected = text, tags: ReadonlyArray<string> = ["answer"]) =>
    test(
      name,
      {},
      Effect.gen(function* () {
        const { answer } = yield* ask(script)
        assert.deepStrictEqual([answer.assistantMessage, answer.tags], [expected, tags])
      })
    )

  const plain = Fake.saying(...text)

  answers("may come a byte at a time", inPieces(Array.from(Buffer.from(plain), (byte) => Uint8Array.of(byte))))
  answers(
    "may be cut anywhere",
    inPieces(
      Array.from({ length: Math.ceil(Buffer.byteLength(plain) / 7) }, (_, i) =>
        Buffer.from(plain).subarray(i * 7, i * 7 + 7)
      )
    )
  )
  answers(
    "may end their lines with CRLF",
    Fake.whole(Fake.eventsHead + Fake.saying(text).slice(Fake.eventsHead.length).replaceAll("\n", "\r\n"))
  )
  answers(
    "may have comments, empty deltas, and no text in the first",
    Fake.whole(
      [
        Fake.eventsHead,
        ": keepalive\n\n",
        Fake.event({ choices: [], prompt_filter_results: [] }),
        Fake.chunk({ role: "assistant", content: null }),
        ": OPENROUTER PROCESSING\n\n",
        Fake.chunk({ reasoning_content: "Let me think." }),
        Fake.chunk({ content: text }),
        Fake.chunk({}),
        Fake.chunk({ content: "" }),
        Fake.chunk({}, "stop"),
        Fake.event("[DONE]")
      ].join("")
    )
  )
  answers(
    "may end without [DONE], and without their last blank line",
    Fake.whole(`${started}${Fake.chunk({ content: text })}${Fake.chunk({}, "stop").trimEnd()}`)
  )
  answers(
    "may end without a reason, with [DONE]",
    Fake.whole(`${started}${Fake.chunk({ content: text })}${Fake.event("[DONE]")}`)
  )
  answers(
    "may break off after the reason of their end",
    inPieces([`${longHead}${Fake.chunk({ content: text })}${Fake.chunk({}, "stop")}`], (socket) =>
      socket.resetAndDestroy()
    )
  )
  answers(
    "need not be waited for after [DONE]",
    inPieces([plain], () => {})
  )
  answers(
    "may be followed by anything after the reason of their end",
    Fake.whole(`${started}${Fake.chunk({ content: text }, "stop")}${Fake.event("bye")}${Fake.event({ error: "late" })}`)
  )
  answers("may have no content type", Fake.whole(`${Fake.head(200)}${Fake.saying(text).slice(Fake.eventsHead.length)}`))
  answers(
    "may say that the answer was too long",
    Fake.whole(`${started}${Fake.chunk({ content: text }, "length")}${Fake.event("[DONE]")}`),
    text,
    ["answer", "cut-off"]
  )
  answers(
    "may say that the rest was withheld",
    Fake.whole(`${started}${Fake.chunk({ content: text })}${Fake.chunk({}, "content_filter")}${Fake.event("[DONE]")}`),
    text,
    ["answer", "content-filter"]
  )
  answers(
    "may be one JSON document instead",
    Fake.whole(
      Fake.json(200, {
        choices: [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }],
        usage: { prompt_tokens: 3, completion_tokens: 4 }
      })
    )
  )
})

describe("an option that a provider does not know", () => {
  const refusal = (param: string) =>
    Fake.json(400, {
      error: { message: `Unrecognized request argument supplied: ${param}`, type: "invalid_request_error", param }
    })

  test(
    "is left out: the usage",
    {},
    Effect.gen(function* () {
      const { answer, asked } = yield* ask((socket, { body }) =>
        socket.end("stream_options" in body ? refusal("stream_options") : Fake.saying("Hello!"))
      )
      assert.strictEqual(answer.assistantMessage, "Hello!")
      assert.deepStrictEqual(
        asked.map(({ body }) => [body.stream, "stream_options" in body]),
        [
          [true, true],
          [true, false]
        ]
      )
    })
  )

  test(
    "is left out: events",
    {},
    Effect.gen(function* () {
      const { answer, asked } = yield* ask((socket, { body }) =>
        socket.end(
          body.stream === true
            ? refusal("stream")
            : Fake.json(200, { choices: [{ message: { content: "A whole answer." }, finish_reason: "stop" }] })
        )
      )
      assert.strictEqual(answer.assistantMessage, "A whole answer.")
      assert.deepStrictEqual(
        asked.map(({ body }) => [body.stream, "stream_options" in body]),
        [
          [true, true],
          [false, false]
        ]
      )
    })
  )
})

describe("a provider that fails", () => {
  const again = (name: string, first: Fake.Script, policy: ModelBots.Options["policy"] = {}) =>
    test(
      `is asked again after ${name}`,
      { policy },
      Effect.gen(function* () {
        const { answer, asked } = yield* ask(Fake.inTurn(first, Fake.whole(Fake.saying("Hello!"))))
        assert.deepStrictEqual([answer.assistantMessage, asked.length], ["Hello!", 2])
        assert.lengthOf(
          answer.trace.filter((line) => line.startsWith("attempt ")),
          2
        )
      })
    )

  for (const status of [408, 425, 429, 500, 502, 503, 504]) {
    again(`a ${status}`, Fake.whole(Fake.json(status, { error: { message: "Not now." } })))
  }
  again("a page of HTML", Fake.whole(`${Fake.head(502, { "content-type": "text/html" })}<h1>Bad Gateway</h1>`))
  again("Retry-After", Fake.whole(Fake.json(429, {}, { "retry-after": "0" })))
  again("a time that has come", Fake.whole(Fake.json(429, {}, { "retry-after": "Wed, 21 Oct 2015 07:28:00 GMT" })))
  again("a status that it says may be retried", Fake.whole(Fake.json(409, {}, { "x-should-retry": "true" })))
  again("a reset", (socket) => socket.resetAndDestroy())
  again("an end before the answer", Fake.whole(started))
  again(
    "a reset before the first text",
    inPieces([started], (socket) => socket.resetAndDestroy())
  )
  again(
    "an error in the place of the answer",
    Fake.whole(Fake.eventsHead + Fake.event({ error: { message: "Overloaded", code: 503 } }))
  )
  again(
    "an error of the server",
    Fake.whole(Fake.eventsHead + Fake.event({ error: { message: "Oops", type: "server_error", code: null } }))
  )
  again("silence", () => {}, { firstEvent: "1 second" })
  again(
    "silence behind the head",
    inPieces([Fake.eventsHead + ": keepalive\n\n"], () => {}),
    { firstEvent: "1 second" }
  )
  again(
    "silence before the first text",
    inPieces([started], () => {}),
    { idle: "1 second" }
  )

  const fails = (
    name: string,
    script: Fake.Script,
    expected: { readonly message: string | RegExp; readonly asked?: number; readonly tag?: string },
    options: ModelBots.Options = {}
  ) =>
    test(
      name,
      options,
      Effect.gen(function* () {
        const { asked, error } = yield* failure(script)
        assert.strictEqual(error._tag, expected.tag ?? "ProviderFailed")
        if (typeof expected.message === "string") assert.strictEqual(error.message, expected.message)
        else assert.match(error.message, expected.message)
        assert.strictEqual(asked.length, expected.asked ?? 1)
      })
    )

  fails("is asked three times at most", Fake.whole(Fake.json(503, { error: { message: "Not now." } })), {
    message: "The provider answered 503: Not now.",
    asked: 3
  })
  fails("is not asked again when it says so", Fake.whole(Fake.json(500, {}, { "x-should-retry": "false" })), {
    message: "The provider answered 500."
  })
  fails("is not asked again when it wants too much time", Fake.whole(Fake.json(429, {}, { "retry-after": "61" })), {
    message: "The provider answered 429."
  })
  fails(
    "is not asked again before a time that it names",
    // Until this software is forgotten.
    Fake.whole(Fake.json(503, {}, { "retry-after": "Wed, 21 Oct 2199 07:28:00 GMT" })),
    { message: "The provider answered 503." }
  )
  fails(
    "is not asked again when its budget is used up",
    Fake.whole(Fake.json(503, {})),
    { message: /503/, asked: 2 },
    {
      policy: { budget: { capacity: 9, cost: 5, timeoutCost: 10, refund: 1 } }
    }
  )
  fails(
    "is believed about a request",
    Fake.whole(Fake.json(404, { error: { message: 'model "llama3.2" not found' } })),
    {
      message: 'The provider answered 404: model "llama3.2" not found'
    }
  )
  fails(
    "may say what is wrong in other ways",
    Fake.whole(Fake.json(422, { detail: [{ loc: ["body"], msg: "field required" }] })),
    {
      message: "The provider answered 422: field required"
    }
  )
  fails("is not followed elsewhere", Fake.whole(Fake.head(307, { location: "/elsewhere" })), {
    message: "The provider answered 307 with a redirect, which is not followed."
  })
  fails(
    "after the first text is not asked again",
    inPieces([longHead + Fake.chunk({ content: "So" })], (socket) => socket.resetAndDestroy()),
    {
      message: /^The connection to the provider broke off before its answer was complete/
    }
  )
  fails("may end its answer too early", Fake.whole(started + Fake.chunk({ content: "So" })), {
    message: "The provider broke off its answer."
  })
  fails(
    "may say so in the middle",
    Fake.whole(
      started + Fake.chunk({ content: "So" }) + Fake.event({ error: { message: "Out of memory", code: 500 } })
    ),
    {
      message: "The provider failed: Out of memory"
    }
  )
  fails(
    "may say so by the name of an event",
    Fake.whole(`${started}event: error\n${Fake.event({ message: "Out of memory" })}`),
    {
      message: "The provider failed: Out of memory"
    }
  )
  fails(
    "may fall silent",
    inPieces([started + Fake.chunk({ content: "So" })], () => {}),
    {
      message: "The provider did not go on with its answer within 100ms.",
      tag: "ProviderTimedOut"
    },
    { policy: { idle: "100 millis" } }
  )
  fails(
    "may not begin",
    () => {},
    {
      message: "The provider did not begin its answer within 100ms.",
      tag: "ProviderTimedOut"
    },
    { policy: { firstEvent: "100 millis", attempts: 1 } }
  )
  fails(
    "may never end",
    (socket) => {
      const timer = setInterval(() => socket.write(Fake.chunk({ content: "more " })), 10)
      socket.on("close", () => clearInterval(timer))
      socket.write(started)
    },
    {
      message: "The provider did not finish its answer within 300ms.",
      tag: "ProviderTimedOut"
    },
    { policy: { whole: "300 millis" } }
  )
  fails("may answer nothing", Fake.whole(Fake.saying()), { message: "The provider answered without any text." })
  fails("may withhold everything", Fake.whole(started + Fake.chunk({}, "content_filter") + Fake.event("[DONE]")), {
    message: "The provider withheld its answer, by its content filter."
  })
  fails("may send no JSON", Fake.whole(started + Fake.event("Hello!")), {
    message: "The provider sent something that is no answer."
  })
  fails("may send a page", Fake.whole(`${Fake.head(200, { "content-type": "text/html" })}<h1>Welcome</h1>`), {
    message: "The provider sent something that is no answer."
  })
  fails("may send a line without end", inPieces([Fake.eventsHead, `data: ${"x".repeat(2 ** 21)}`]), {
    message: "The provider sent an event that is too large."
  })
  fails(
    "may send a document without end",
    inPieces([
      Fake.head(200, { "content-type": "application/json" }),
      ...Array.from({ length: 9 }, () => " ".repeat(2 ** 20))
    ]),
    {
      message: "The answer of the provider is too large."
    }
  )

  test(
    "may not be there",
    {},
    Effect.gen(function* () {
      const { port } = yield* Effect.scoped(Fake.make)
      const bot = yield* ModelBots.make(`http://127.0.0.1:${port}`)
      const error = yield* Effect.flip(bot.answer)
      assert.strictEqual(error.message, "The provider refused the connection (ECONNREFUSED).")
    })
  )

  test(
    "says nothing of its key, its prompt or its address",
    {},
    Effect.gen(function* () {
      const logged: Array<unknown> = []
      const logger = Logger.make(({ cause, fiber, message }) => {
        logged.push(message, cause, fiber.context)
      })
      const base = "You are the secret agent of the crown, and nobody may know of it."
      const echo = (socket: Socket, { body, headers }: Fake.Asked) =>
        socket.end(
          Fake.json(400, {
            error: {
              message: `Bad ${String(headers["authorization"])} for ${JSON.stringify(body.messages)} ${"!".repeat(999)}`
            }
          })
        )
      const { error } = yield* failure(echo, { baseSystemMessage: base, userMessage: "My password is hunter2." }).pipe(
        Effect.provide(Logger.layer([logger])),
        Effect.provideService(References.MinimumLogLevel, "All")
      )
      assert.match(error.message, /^The provider answered 400: Bad Bearer … for /)
      assert.isBelow(error.message.length, 400)
      const told = `${inspect(error, { depth: 9 })}${error.stack}${inspect(logged.filter((each) => typeof each !== "object"))}`
      for (const secret of [ModelBots.apiKey, "very-secret", "secret agent", "hunter2", "127.0.0.1"]) {
        assert.notInclude(told, secret)
      }
      assert.include(inspect(logged, { depth: 2 }), "A provider failed")
    })
  )

  for (const status of [401, 403]) {
    test(
      `says of a ${status} nothing that it might say of the key`,
      {},
      Effect.gen(function* () {
        const message = `Incorrect API key provided: ${ModelBots.apiKey.slice(0, 7)}***${ModelBots.apiKey.slice(-4)}.`
        const { asked, error } = yield* failure(Fake.whole(Fake.json(status, { error: { message } })))
        assert.strictEqual(error.message, `The provider refused the API key of its service (${status}).`)
        assert.lengthOf(asked, 1)
        const without = yield* failure(Fake.whole(Fake.json(status, {})), { key: null })
        assert.strictEqual(
          without.error.message,
          `The provider wants an API key, and its service has none (${status}).`
        )
      })
    )
  }
})

describe("the service of a bot", () => {
  test(
    "may be changed from one answer to the next",
    {},
    Effect.gen(function* () {
      const [one, two] = [yield* Fake.make, yield* Fake.make]
      two.answer(Fake.whole(Fake.saying("From the second.")))
      const bot = yield* ModelBots.make(one.url)
      assert.strictEqual((yield* bot.answer).assistantMessage, "Hello!")
      const change = {
        ...bot.service,
        isUpdateOpenAi: true,
        azureOpenAiEndpoint: two.url,
        azureOpenAiApiKey: undefined
      }
      yield* bot.services.update(bot.serviceId, change)
      assert.strictEqual((yield* bot.answer).assistantMessage, "From the second.")
      assert.notProperty(two.asked[0]?.headers, "authorization")

      yield* bot.services.update(bot.serviceId, { ...change, isUpdateOpenAi: false, isActive: false })
      assert.strictEqual((yield* Effect.flip(bot.answer)).message, "The OpenAI service of this bot is not active.")
      yield* bot.services.update(bot.serviceId, { ...change, azureOpenAiEndpoint: undefined })
      assert.strictEqual((yield* Effect.flip(bot.answer)).message, "The OpenAI service of this bot has no endpoint.")
      assert.deepStrictEqual([one.asked.length, two.asked.length], [1, 1])

      yield* bot.services.delete(bot.serviceId)
      assert.include((yield* bot.answer).trace, "provider: embedded")
    })
  )

  test(
    "answers nothing for a bot without a model",
    {},
    Effect.gen(function* () {
      for (const model of [null, "embedded"]) {
        const { asked, error } = yield* failure(Fake.whole(Fake.saying("Hi")), { model })
        assert.strictEqual(error.message, "This bot has an OpenAI service, but names no model of it.")
        assert.lengthOf(asked, 0)
      }
    })
  )

  test(
    "says so when its key cannot be read",
    {},
    Effect.gen(function* () {
      const fake = yield* Fake.make
      const bot = yield* ModelBots.make(fake.url)
      const sql = yield* SqlClient.SqlClient
      yield* sql`UPDATE open_ai_services SET api_key = ${new Uint8Array(40)}`
      assert.match((yield* Effect.flip(bot.answer)).message, /^The API key .* cannot be read any more/)
      assert.lengthOf(fake.asked, 0)
    })
  )
})

describe("an answer that nobody wants any more", () => {
  test(
    "ends the request to the provider",
    {},
    Effect.gen(function* () {
      const fake = yield* Fake.make
      fake.answer(inPieces([started + Fake.chunk({ content: "So" })], () => {}))
      const bot = yield* ModelBots.make(fake.url)
      const said = yield* Queue.unbounded<string>()
      const fiber = yield* Effect.forkChild(Stream.runForEach(bot.texts, (text) => Queue.offer(said, text)))
      assert.strictEqual(yield* Queue.take(said), "So")
      yield* Fiber.interrupt(fiber)
      yield* Queue.take(fake.closed)
    })
  )

  test(
    "ends the request before it is answered",
    {},
    Effect.gen(function* () {
      const fake = yield* Fake.make
      fake.answer(() => {})
      const bot = yield* ModelBots.make(fake.url)
      const fiber = yield* Effect.forkChild(bot.answer)
      yield* Queue.take(fake.requests)
      yield* Fiber.interrupt(fiber)
      yield* Queue.take(fake.closed)
    })
  )

  test(
    "leaves no connection of an attempt that failed",
    { policy: { firstEvent: "100 millis", attempts: 2 } },
    Effect.gen(function* () {
      const fake = yield* Fake.make
      fake.answer(inPieces([Fake.eventsHead], () => {}))
      const bot = yield* ModelBots.make(fake.url)
      yield* Effect.flip(bot.answer)
      yield* Queue.takeN(fake.closed, 2)
      assert.lengthOf(fake.asked, 2)
    })
  )
})

describe("the host of a provider", () => {
  const leadsTo =
    (...addresses: ReadonlyArray<string>): LookupFunction =>
    (_hostname, options, callback) =>
      options.all === true
        ? callback(
            null,
            addresses.map((address) => ({ address, family: isIP(address) }))
          )
        : callback(null, addresses[0] ?? "", 4)

  const metadata = ProviderTransport.layerWith(leadsTo("169.254.169.254", "fe80::1", "fe80::1%eth0"))

  test(
    "is refused when its name leads to a link-local address",
    { transport: metadata },
    Effect.gen(function* () {
      const bot = yield* ModelBots.make("http://models.example:1")
      const error = yield* Effect.flip(bot.answer)
      assert.match(error.message, /link-local address, which is refused/)
    })
  )

  test(
    "may have a name that leads elsewhere too",
    { transport: ProviderTransport.layerWith(leadsTo("fe80::1", "127.0.0.1")) },
    Effect.gen(function* () {
      const fake = yield* Fake.make
      const bot = yield* ModelBots.make(`http://models.example:${fake.port}`)
      assert.strictEqual((yield* bot.answer).assistantMessage, "Hello!")
      assert.strictEqual(fake.asked[0]?.headers["host"], `models.example:${fake.port}`)
    })
  )

  test(
    "is refused when it was saved before that was forbidden",
    {},
    Effect.gen(function* () {
      const bot = yield* ModelBots.make("http://127.0.0.1:1")
      const sql = yield* SqlClient.SqlClient
      yield* sql`UPDATE open_ai_services SET endpoint = 'http://169.254.169.254/v1'`
      assert.strictEqual(
        (yield* Effect.flip(bot.answer)).message,
        "The endpoint of this bot's OpenAI service is not allowed."
      )
    })
  )
})

describe("the prompt of a model", () => {
  const passages = [
    ["The sky", "The sky is blue because air scatters blue light."],
    ["The sky", "Blue light is scattered more than red light, which is why."],
    ["Fruit", "Bananas are yellow."]
  ] as const

  const knowing = Effect.fnUntraced(function* (question: ModelBots.Question) {
    const fake = yield* Fake.make
    const bot = yield* ModelBots.make(fake.url, question)
    const source = yield* Services.document(bot.botId, "sky.md")
    const sql = yield* SqlClient.SqlClient
    for (const [ordinal, [heading, text]] of passages.entries()) {
      yield* sql`INSERT INTO passages ${sql.insert({ botId: bot.botId, documentId: source, ordinal, heading, text })}`
    }
    const answer = yield* bot.answer
    const messages: ReadonlyArray<{ readonly role: string; readonly content: string }> = fake.asked[0]?.body.messages
    return { answer, messages, source }
  })

  const question: ModelBots.Question = {
    baseSystemMessage: "You speak like a pirate.",
    userSystemMessage: "Be brief.",
    userMessage: "Why is the sky blue?",
    history: [
      { userMessage: "Who are you?", assistantMessage: "A pirate." },
      { userMessage: "Wait", assistantMessage: "" },
      { userMessage: "Since when?", assistantMessage: "Since 1720." }
    ]
  }

  test(
    "has instructions, what the bot knows, the chat, and the question",
    {},
    Effect.gen(function* () {
      const { answer, messages, source } = yield* knowing(question)
      assert.deepStrictEqual(
        messages.map(({ role }) => role),
        ["system", "user", "assistant", "user", "assistant", "user"]
      )
      const [system, ...rest] = messages.map(({ content }) => content)
      assert.match(system ?? "", /^You speak like a pirate\.\n\nBe brief\.\n\n/)
      assert.include(system, "[1] The sky\nThe sky is blue because air scatters blue light.")
      assert.notInclude(system, "Bananas")
      assert.deepStrictEqual(rest, ["Who are you?", "A pirate.", "Since when?", "Since 1720.", "Why is the sky blue?"])
      assert.deepStrictEqual(answer.sources, [source])
    })
  )

  test(
    "names no source when nothing that the bot knows speaks of the question",
    {},
    Effect.gen(function* () {
      const { answer, messages } = yield* knowing({ userMessage: "Who won the chess tournament?" })
      assert.deepStrictEqual(messages, [{ role: "user", content: "Who won the chess tournament?" }])
      assert.deepStrictEqual(answer.sources, [])
    })
  )

  for (const [promptTokens, turns, excerpts] of [
    [8000, 2, 2],
    [128, 1, 2],
    [95, 0, 1],
    [1, 0, 0]
  ] as const) {
    test(
      `with ${promptTokens} tokens keeps ${turns} turns and ${excerpts} excerpts`,
      { server: { promptTokens } },
      Effect.gen(function* () {
        const { answer, messages } = yield* knowing(question)
        const kept = messages.filter(({ role }) => role === "assistant").length
        const system = messages[0]?.content ?? ""
        assert.deepStrictEqual(
          [kept, system.match(/^\[\d\]/gm)?.length ?? 0],
          [turns, excerpts],
          answer.trace.join("\n")
        )
        assert.match(system, /^You speak like a pirate\.\n\nBe brief\./)
        assert.strictEqual(messages.at(-1)?.content, "Why is the sky blue?")
        if (turns === 1) assert.strictEqual(messages[1]?.content, "Since when?")
        assert.include(answer.trace.join("\n"), `left out: ${3 - turns} of 3 turns, ${2 - excerpts} of 2 passages`)
      })
    )
  }

  test(
    "and the way of the answer are told in the trace log, and no key",
    {},
    Effect.gen(function* () {
      const { answer } = yield* knowing(question)
      const trace = answer.trace.join("\n")
      for (const line of [
        /^provider: OpenAI service "Models" \(openai\), model llama3\.2$/m,
        /^retrieval: \d passages in \d+ ms, 2 of them speak of the question$/m,
        /^hit 1: .* sky\.md \(The sky\)$/m,
        /^prompt: about \d+ tokens of 8000: /m,
        /^attempt 1: an answer, events with usage, finish stop, after \d+ ms$/m,
        /^usage: told by the provider$/m
      ]) {
        assert.match(trace, line)
      }
      assert.notInclude(trace, "secret")
    })
  )
})
