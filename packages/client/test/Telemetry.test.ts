/** What a client tells of its calls: spans, headers and metrics, and nothing that is secret. */
import * as Problem from "@effect-chatbot/api/Problem"
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as CircuitBreaker from "@effect-chatbot/client/CircuitBreaker"
import * as RetryPolicy from "@effect-chatbot/client/RetryPolicy"
import * as Telemetry from "@effect-chatbot/client/Telemetry"
import * as Timeouts from "@effect-chatbot/client/Timeouts"
import * as CompletionEvent from "@effect-chatbot/schema/CompletionEvent"
import { BotId, ChatId, Ticket } from "@effect-chatbot/schema/Ids"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { consecutive } from "effect/persistence/CircuitBreaker"
import * as References from "effect/References"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Tracer from "effect/Tracer"
import { inspect } from "node:util"
import { vi } from "vitest"
import { answerOf, bytesOf, completionId, followed, stream } from "./support/Answers.ts"
import { failing, json, type Script, scripted, status, text } from "./support/Scripted.ts"
import { attributesOf, endOf, eventsOf, parentOf, recording, toldBy, token, watched } from "./support/Watched.ts"

interface AnyError {
  readonly _tag: string
}

const chatId = ChatId.make("chat-canary")
const prompt = "prompt-canary"
const answer = answerOf(3)
const chat = () => json({ chatId: "x" })
const completion = { completionId, assistantMessage: "answer-canary", promptTokens: 7, completionTokens: 5 }

/** Attempts a second apart. */
const spaced = Layer.succeed(RetryPolicy.RetryPolicy, {
  ...RetryPolicy.standard,
  backoff: Schedule.spaced("1 second")
})

const server = { "server.address": "chatbot.test", "server.port": 8443 }
const serverLabels = { "server.address": "chatbot.test", "server.port": "8443" }
const genAi = { "gen_ai.operation.name": "chat", "gen_ai.provider.name": "effect-chatbot" }

/** Waits for a call, and lets time pass meanwhile: bit by bit, for a body of the web comes by promises that know nothing of the clock. */
const finished = <A, E, R>(call: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(call)
    while (fiber.pollUnsafe() === undefined) {
      for (let i = 0; i < 10; i++) yield* Effect.promise(() => new Promise(setImmediate))
      yield* TestClock.adjust("500 millis")
    }
    return yield* Fiber.join(fiber)
  })

const names = (spans: ReadonlyArray<Tracer.NativeSpan>) => spans.map(({ name }) => name)

describe("a call", () => {
  it.effect("is a span, and each of its attempts one within it", () =>
    Effect.gen(function* () {
      const { chats, sent, spans, watch } = yield* watched(
        (_, number) => (number === 1 ? status(503, { "x-request-id": "r-1" }) : chat()),
        { policy: spaced }
      )
      yield* finished(watch(Effect.withSpan(chats.get(chatId), "caller")))
      assert.deepStrictEqual(names(spans), [
        "caller",
        "chats.get",
        "GET /api/chats/{chatId}",
        "GET /api/chats/{chatId}"
      ])
      const [caller, call, first, second] = spans
      assert.deepStrictEqual([call, first, second].map(parentOf), [caller?.spanId, call?.spanId, call?.spanId])
      assert.deepStrictEqual(
        spans.slice(1).map(({ kind }) => kind),
        ["client", "client", "client"]
      )
      assert.deepStrictEqual(attributesOf(call), {
        ...server,
        "chatbot.endpoint": "chats.get",
        "chatbot.outcome": "success",
        "chatbot.attempts": 2
      })
      const request = { ...server, "http.request.method": "GET", "url.template": "/api/chats/{chatId}" }
      assert.deepStrictEqual(attributesOf(first), {
        ...request,
        "http.response.status_code": 503,
        "http.response.header.x-request-id": ["r-1"],
        "error.type": "503",
        "chatbot.outcome": "503"
      })
      assert.deepStrictEqual(attributesOf(second), {
        ...request,
        "http.request.resend_count": 1,
        "chatbot.attempt.delay": 1,
        "http.response.status_code": 200,
        "chatbot.outcome": "success"
      })
      assert.deepStrictEqual([call, first, second].map(endOf), [
        { took: 1000, isFailure: false, isInterrupted: false },
        { took: 0, isFailure: true, isInterrupted: false },
        { took: 0, isFailure: false, isInterrupted: false }
      ])
      assert.deepStrictEqual(
        sent.map(({ headers }) => headers["traceparent"]),
        [first, second].map((span) => `00-${caller?.traceId}-${span?.spanId}-01`)
      )
      assert.isTrue(sent.every(({ headers }) => headers["b3"] === undefined))
    })
  )

  it.effect("that fails says with what, by its tag alone", () =>
    Effect.gen(function* () {
      const { chats, spans, watch } = yield* watched(() =>
        json(
          { type: Problem.typeOf("ChatNotFound"), detail: "detail-canary", requestId: "r-7", chatId },
          { status: 404 }
        )
      )
      yield* watch(Effect.flip(chats.get(chatId)))
      const [call, attempt] = spans
      assert.deepInclude(attributesOf(call), { "error.type": "ChatNotFound", "chatbot.outcome": "ChatNotFound" })
      assert.deepInclude(attributesOf(attempt), {
        "error.type": "404",
        "chatbot.outcome": "404",
        "http.response.header.x-request-id": ["r-7"]
      })
      assert.include(toldBy(call!), "chats.get: ChatNotFound")
      assert.isTrue(endOf(call)?.isFailure)
    })
  )

  it.effect("that is not valid is a span without attempts", () =>
    Effect.gen(function* () {
      const { bots, chats, sent, spans, watch } = yield* watched(chat)
      yield* watch(Effect.flip(chats.get(ChatId.make(".."))))
      yield* watch(Effect.flip(Stream.runDrain(chats.stream(ChatId.make(".."), prompt))))
      yield* watch(Effect.flip(bots.image(BotId.make(".."))))
      assert.deepStrictEqual(names(spans), ["chats.get", "chats.stream", "bots.image"])
      for (const span of spans) {
        assert.deepInclude(attributesOf(span), { "error.type": "InvalidRequest", "chatbot.attempts": 0 })
      }
      assert.strictEqual(sent.length, 0)
    })
  )

  it.effect("that is interrupted ends its spans, as no error", () =>
    Effect.gen(function* () {
      const { chats, spans, watch } = yield* watched(() => Effect.never)
      const fiber = yield* Effect.forkChild(watch(chats.get(chatId)))
      yield* TestClock.adjust("3 seconds")
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(spans.length, 2)
      for (const span of spans) {
        assert.deepStrictEqual(endOf(span), { took: 3000, isFailure: true, isInterrupted: true })
        assert.deepInclude(attributesOf(span), { "chatbot.outcome": "interrupted" })
        assert.notProperty(attributesOf(span), "error.type")
      }
    })
  )

  it.effect("that runs out of time says so of its attempts too", () =>
    Effect.gen(function* () {
      const { chats, spans, watch } = yield* watched(() => Effect.never)
      const limits = { ...Timeouts.standard, attempt: "2 seconds", deadline: "3 seconds" } as const
      yield* finished(watch(Effect.flip(Effect.provideService(chats.get(chatId), Timeouts.Timeouts, limits))))
      const [call, ...attempts] = spans
      assert.deepInclude(attributesOf(call), { "error.type": "RequestTimedOut" })
      assert.deepStrictEqual(
        attempts.map((span) => attributesOf(span)["chatbot.outcome"]),
        ["attempt", "deadline"]
      )
      assert.isTrue(attempts.every((span) => attributesOf(span)["error.type"] === "RequestTimedOut"))
    })
  )

  it.effect("that a circuit breaker refuses has no span of a request", () =>
    Effect.gen(function* () {
      const { chats, spans, watch } = yield* watched(() => status(500), {
        policy: Layer.merge(
          CircuitBreaker.layer({ tripPolicy: consecutive(1), openDuration: "1 minute" }),
          Layer.succeed(RetryPolicy.RetryPolicy, RetryPolicy.none)
        )
      })
      yield* watch(Effect.exit(chats.get(chatId)))
      yield* watch(Effect.exit(chats.get(chatId)))
      assert.deepStrictEqual(names(spans), ["chats.get", "GET /api/chats/{chatId}", "chats.get"])
      assert.deepInclude(attributesOf(spans[2]), { "error.type": "CircuitOpen" })
    })
  )

  it.effect("names what its transport does as part of its attempt", () =>
    Effect.gen(function* () {
      const { chats, spans, watch } = yield* watched(() => Effect.withSpan(Effect.sync(chat), "transport"))
      yield* watch(chats.get(chatId))
      assert.deepStrictEqual(names(spans), ["chats.get", "GET /api/chats/{chatId}", "transport"])
      assert.strictEqual(parentOf(spans[2]), spans[1]?.spanId)
    })
  )
})

describe("telemetry", () => {
  it.effect("is off by default, and can be off for one call", () =>
    Effect.gen(function* () {
      const { layer, sent } = scripted(chat)
      const client = Layer.provide(ChatbotClient.layer({ baseUrl: "http://chatbot.test" }), layer)
      const { spans, tracer } = recording()
      yield* Effect.flatMap(ChatbotClient, ({ chats }) => chats.get(chatId)).pipe(
        Effect.provide(client),
        Effect.provideService(Tracer.Tracer, tracer)
      )
      const on = yield* watched(chat)
      yield* on.watch(Effect.provideService(on.chats.get(chatId), Telemetry.Telemetry, "off"))
      assert.deepStrictEqual([...spans, ...on.spans], [])
      for (const { headers } of [...sent, ...on.sent]) assert.notProperty(headers, "traceparent")
      assert.strictEqual(on.registry.size, 0)
    })
  )

  it.effect("can be on for one call", () =>
    Effect.gen(function* () {
      const { chats, spans, watch } = yield* watched(chat, { telemetry: Layer.empty })
      yield* watch(chats.get(chatId))
      assert.strictEqual(spans.length, 0)
      yield* watch(Effect.provide(chats.get(chatId), Telemetry.layer()))
      assert.strictEqual(spans.length, 2)
    })
  )

  it.effect.each<readonly [string, string | undefined, Partial<Telemetry.Options>, boolean]>([
    ["on a server", "Node.js/24", {}, true],
    ["where nothing says what it is", undefined, {}, true],
    ["in a browser", "Mozilla/5.0 (X11; Linux x86_64) Chrome/140", {}, false],
    ["in a browser that shall", "Mozilla/5.0 (X11; Linux x86_64) Chrome/140", { propagation: true }, true],
    ["on a server that shall not", "Node.js/24", { propagation: false }, false]
  ])("sends the header of its span or not: %s", ([, userAgent, options, isSent]) =>
    Effect.gen(function* () {
      yield* Effect.acquireRelease(
        Effect.sync(() => vi.stubGlobal("navigator", userAgent === undefined ? undefined : { userAgent })),
        () => Effect.sync(() => vi.unstubAllGlobals())
      )
      const { chats, sent, spans, watch } = yield* watched(chat, {
        telemetry: Telemetry.layer({ ...Telemetry.standard, ...options })
      })
      yield* watch(chats.get(chatId))
      assert.strictEqual(spans.length, 2)
      assert.strictEqual(sent[0]?.headers["traceparent"] !== undefined, isSent)
    })
  )

  it.effect("heeds the tracing of effect: what is off has no header, what is not sampled says so", () =>
    Effect.gen(function* () {
      const { chats, sent, spans, watch } = yield* watched(chat)
      yield* watch(Effect.provideService(chats.get(chatId), References.TracerEnabled, false))
      assert.strictEqual(spans.length, 0)
      assert.notProperty(sent[0]?.headers, "traceparent")
      const parent = Tracer.externalSpan({ traceId: "a".repeat(32), spanId: "b".repeat(16), sampled: false })
      yield* watch(Effect.withParentSpan(chats.get(chatId), parent))
      assert.match(sent[1]?.headers["traceparent"] ?? "", /^00-a{32}-[0-9a-f]{16}-00$/)
    })
  )
})

describe("a completion", () => {
  it.effect("tells its id and what it used", () =>
    Effect.gen(function* () {
      const { chats, series, spans, watch } = yield* watched(() =>
        Effect.delay(
          Effect.sync(() => json(completion)),
          "3 seconds"
        )
      )
      yield* finished(watch(chats.complete(chatId, prompt)))
      assert.deepStrictEqual(names(spans), ["chats.complete", "POST /api/chats/{chatId}/completions"])
      assert.deepInclude(attributesOf(spans[0]), {
        ...genAi,
        "gen_ai.response.id": completionId,
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.output_tokens": 5
      })
      const [duration] = yield* series("gen_ai.client.operation.duration")
      assert.deepInclude(duration?.attributes, { ...genAi, ...serverLabels })
      assert.deepInclude(duration?.state, { count: 1, sum: 3 })
      assert.deepStrictEqual(
        (yield* series("gen_ai.client.token.usage")).map((usage) => [
          usage.attributes?.["gen_ai.token.type"],
          "sum" in usage.state ? usage.state.sum : undefined
        ]),
        [
          ["input", 7],
          ["output", 5]
        ]
      )
      assert.deepStrictEqual(yield* series("gen_ai.client.operation.time_to_first_chunk"), [])
    })
  )

  it.effect("of a backend that does not count tells no tokens", () =>
    Effect.gen(function* () {
      const { chats, series, spans, watch } = yield* watched(() => json({ completionId }))
      yield* watch(chats.complete(chatId, prompt))
      assert.notProperty(attributesOf(spans[0]), "gen_ai.usage.input_tokens")
      assert.deepStrictEqual(yield* series("gen_ai.client.token.usage"), [])
    })
  )

  it.effect("names the provider that it is told", () =>
    Effect.gen(function* () {
      const { chats, spans, watch } = yield* watched(() => json(completion), {
        telemetry: Telemetry.layer({ ...Telemetry.standard, provider: "azure.ai.openai" })
      })
      yield* watch(chats.complete(chatId, prompt))
      assert.strictEqual(attributesOf(spans[0])["gen_ai.provider.name"], "azure.ai.openai")
    })
  )
})

describe("a stream", () => {
  it.effect("is one span over all of its attempts, with what happens as events", () =>
    Effect.gen(function* () {
      const { chats, sent, series, spans, watch } = yield* watched(
        followed(answer, () => stream(bytesOf(answer.slice(0, 2)), "reset")),
        { policy: spaced }
      )
      yield* TestClock.adjust("1 hour")
      yield* finished(watch(Stream.runDrain(chats.stream(chatId, prompt))))
      assert.deepStrictEqual(names(spans), [
        "chats.stream",
        "POST /api/chats/{chatId}/completions",
        "GET /api/chats/{chatId}/completions/{completionId}/events"
      ])
      const [call, first, second] = spans
      assert.deepStrictEqual([first, second].map(parentOf), [call?.spanId, call?.spanId])
      assert.deepInclude(attributesOf(call), {
        ...genAi,
        "gen_ai.request.stream": true,
        "gen_ai.response.id": completionId,
        "gen_ai.usage.input_tokens": 1,
        "gen_ai.usage.output_tokens": 2,
        "chatbot.outcome": "success",
        "chatbot.attempts": 2
      })
      const [begun, again, ended] = eventsOf(call)
      assert.deepStrictEqual(eventsOf(call).length, 3)
      assert.strictEqual(begun?.[0], "chatbot.first_event")
      assert.strictEqual(again?.[0], "chatbot.reconnect")
      assert.deepStrictEqual(again?.[2], { "http.request.resend_count": 1, "chatbot.attempt.delay": 1 })
      assert.deepStrictEqual(ended?.[2], { "chatbot.event": "Completed" })
      assert.deepInclude(attributesOf(first), { "error.type": "TransportFailed", "chatbot.outcome": "reset" })
      assert.deepInclude(attributesOf(second), { "chatbot.outcome": "success", "http.request.resend_count": 1 })
      assert.deepStrictEqual(
        sent.map(({ headers }) => headers["traceparent"]?.split("-")[2]),
        [first?.spanId, second?.spanId]
      )
      assert.strictEqual((yield* series("chatbot.client.retries")).length, 1)
    })
  )

  it.effect("tells the time to its first event", () =>
    Effect.gen(function* () {
      const { chats, series, spans, watch } = yield* watched(() =>
        Effect.delay(
          Effect.sync(() => stream(bytesOf(answer))),
          "4 seconds"
        )
      )
      yield* finished(watch(Stream.runDrain(chats.stream(chatId, prompt))))
      assert.strictEqual(attributesOf(spans[0])["gen_ai.response.time_to_first_chunk"], 4)
      assert.deepStrictEqual(eventsOf(spans[0]), [
        ["chatbot.first_event", 4000, {}],
        ["chatbot.terminal_event", 4000, { "chatbot.event": "Completed" }]
      ])
      const [first] = yield* series("gen_ai.client.operation.time_to_first_chunk")
      assert.deepInclude(first?.state, { count: 1, sum: 4 })
    })
  )

  it.effect.each<readonly [string, (events: Stream.Stream<unknown, AnyError>) => Effect.Effect<unknown, AnyError>]>([
    ["by taking no more", (events) => Stream.runDrain(Stream.take(events, 2))],
    ["by interruption", (events) => Effect.timeoutOption(Stream.runDrain(events), "5 seconds")]
  ])("that is left is no error: %s", ([, leave]) =>
    Effect.gen(function* () {
      const { chats, series, spans, watch } = yield* watched(() => stream(bytesOf(answer.slice(0, 3)), "stall"))
      yield* finished(watch(leave(chats.stream(chatId, prompt))))
      assert.strictEqual(spans.length, 2)
      for (const span of spans) {
        assert.deepInclude(attributesOf(span), { "chatbot.outcome": "left" })
        assert.isFalse(endOf(span)?.isFailure)
      }
      assert.deepStrictEqual(
        eventsOf(spans[0]).map(([name]) => name),
        ["chatbot.first_event", "chatbot.left"]
      )
      assert.deepInclude((yield* series("chatbot.client.calls"))[0]?.attributes, {
        "chatbot.endpoint": "chats.stream",
        "chatbot.outcome": "left"
      })
    })
  )

  it.effect("that is left and stopped has the stop within it", () =>
    Effect.gen(function* () {
      const { chats, logs, spans, watch } = yield* watched(({ url }) =>
        url.endsWith("/stop") ? status(500) : stream(bytesOf(answer.slice(0, 3)), "stall")
      )
      const left = Stream.runDrain(Stream.take(chats.stream(chatId, prompt, { onInterrupt: "stop" }), 2))
      yield* finished(watch(left))
      const [call, , stop] = spans
      assert.strictEqual(stop?.name, "chats.stop")
      assert.strictEqual(parentOf(stop), call?.spanId)
      assert.match(logs.join(), /could not be stopped: InternalError/)
      assert.notInclude([...logs, ...spans.map(toldBy)].join(), chatId)
    })
  )

  it.effect.each<readonly [string, Script, string, string | undefined]>([
    ["is cut off", () => stream(bytesOf(answer.slice(1, 2))), "StreamTruncated", undefined],
    [
      "failed",
      () =>
        stream(bytesOf([...answer.slice(0, 2), CompletionEvent.Failed.make({ status: 502, detail: "detail-canary" })])),
      "CompletionFailed",
      "Failed"
    ],
    ["falls silent", () => stream(bytesOf(answer.slice(0, 2)), "stall"), "StreamIdle", undefined]
  ])("that %s says so", ([, script, tag, event]) =>
    Effect.gen(function* () {
      const { chats, spans, watch } = yield* watched(script, {
        policy: Layer.succeed(RetryPolicy.RetryPolicy, RetryPolicy.none)
      })
      yield* finished(watch(Effect.flip(Stream.runDrain(chats.stream(chatId, prompt)))))
      assert.strictEqual(attributesOf(spans[0])["error.type"], tag)
      const told = eventsOf(spans[0]).filter(([name]) => name === "chatbot.terminal_event")
      assert.deepStrictEqual(
        told.map(([, , attributes]) => attributes),
        event === undefined ? [] : [{ "chatbot.event": event }]
      )
    })
  )

  it.effect("that comes as a whole tells the same", () =>
    Effect.gen(function* () {
      const { chats, spans, watch } = yield* watched(() => json(completion))
      yield* finished(watch(Stream.runDrain(chats.stream(chatId, prompt))))
      assert.deepInclude(attributesOf(spans[0]), { "gen_ai.response.id": completionId, "gen_ai.usage.input_tokens": 7 })
      assert.deepStrictEqual(
        eventsOf(spans[0]).map(([name]) => name),
        ["chatbot.first_event", "chatbot.terminal_event"]
      )
    })
  )
})

describe("the metrics", () => {
  it.effect("count calls, attempts and retries by endpoint and outcome, and time requests", () =>
    Effect.gen(function* () {
      const { chats, series, watch } = yield* watched(
        (_, number) => (number === 1 ? status(503) : Effect.delay(Effect.sync(chat), "2 seconds")),
        { policy: spaced }
      )
      yield* finished(watch(chats.get(chatId)))
      const endpoint = { "chatbot.endpoint": "chats.get" }
      const counted = { count: 1, incremental: true }
      const of = (name: string) =>
        Effect.map(series(name), (all) => all.map(({ attributes, state }) => [attributes, state]))
      const unit = "{attempt}"
      assert.deepStrictEqual(yield* of("chatbot.client.calls"), [
        [{ unit: "{call}", ...endpoint, "chatbot.outcome": "success" }, counted]
      ])
      assert.deepStrictEqual(yield* of("chatbot.client.retries"), [[{ unit, ...endpoint }, counted]])
      assert.deepStrictEqual(yield* of("chatbot.client.attempts"), [
        [{ unit, ...endpoint, "chatbot.outcome": "503" }, counted],
        [{ unit, ...endpoint, "chatbot.outcome": "success" }, counted]
      ])
      const [failed, succeeded] = yield* series("http.client.request.duration")
      const request = {
        "http.request.method": "GET",
        "url.template": "/api/chats/{chatId}",
        ...serverLabels,
        unit: "s"
      }
      assert.deepInclude(failed?.attributes, { ...request, "http.response.status_code": "503", "error.type": "503" })
      assert.deepInclude(succeeded?.attributes, { ...request, "http.response.status_code": "200" })
      assert.deepInclude(succeeded?.state, { count: 1, sum: 2 })
    })
  )

  it.effect("have as many series for many chats as for one", () =>
    Effect.gen(function* () {
      const { chats, registry, watch } = yield* watched(() => json(completion))
      const size = Effect.gen(function* () {
        yield* watch(chats.complete(chatId, prompt))
        return registry.size
      })
      const one = yield* size
      assert.isAbove(one, 0)
      for (let i = 0; i < 100; i++) yield* watch(chats.complete(ChatId.make(`chat-${i}`), `prompt ${i}`))
      assert.strictEqual(registry.size, one)
    })
  )
})

describe("nothing secret", () => {
  const ticket = "ticket-canary"
  const secrets = [token, prompt, chatId, ticket, "system-canary", "bot-canary", "answer-canary", "body-canary", "wörd"]

  const calls: Readonly<Record<string, (client: ChatbotClient["Service"]) => Effect.Effect<unknown, AnyError>>> = {
    "chats.get": ({ chats }) => chats.get(chatId),
    "chats.create": ({ chats }) => chats.create(BotId.make("bot-canary")),
    "chats.complete": ({ chats }) => chats.complete(chatId, prompt),
    "chats.stream": ({ chats }) => Stream.runDrain(chats.stream(chatId, prompt, { onInterrupt: "stop" })),
    "chats.stream, left": ({ chats }) =>
      Stream.runDrain(Stream.take(chats.stream(chatId, prompt, { onInterrupt: "stop" }), 1)),
    "chats.download": ({ chats }) =>
      Effect.flatMap(chats.download(chatId, "a/body-canary.md", { ticket: Ticket.make(ticket) }), ({ stream }) =>
        Stream.runDrain(stream)
      ),
    "chats.createTicket": ({ chats }) => chats.createTicket(chatId),
    "users.systemMessages.create": ({ users }) =>
      users.systemMessages.create({ displayName: "system-canary", systemMessage: "system-canary" }),
    "not valid": ({ chats }) => chats.get(ChatId.make("chat-canary\ud800"))
  }

  const everything = {
    ...completion,
    chatId,
    userMessage: prompt,
    assistantMessage: "answer-canary",
    detail: "body-canary"
  }
  const answers: Readonly<Record<string, Script>> = {
    success: () => json(everything),
    text: () => text(ticket),
    events: () => stream(bytesOf(answer)),
    "cut off": () => stream(bytesOf(answer.slice(0, 2))),
    "failed events": () =>
      stream(bytesOf([answer[0]!, CompletionEvent.Failed.make({ detail: "body-canary", completionId })])),
    reset: (request) => failing(request, "ECONNRESET"),
    refused: (request) => failing(request, "ECONNREFUSED"),
    timeout: () => Effect.never,
    "not JSON": () => text("body-canary"),
    "not the contract": () => json({ completionId: { secret: "body-canary" }, chatId: ["body-canary"] }),
    ...Object.fromEntries(
      [400, 401, 403, 404, 409, 413, 422, 429, 500, 502, 503, 504, 418].map((code) => [
        String(code),
        () => json({ ...everything, title: "body-canary", errors: { "body-canary": [prompt] } }, { status: code })
      ])
    ),
    "a problem": () => json({ type: Problem.typeOf("ChatNotFound"), chatId, detail: "body-canary" }, { status: 404 }),
    "a defect": () => Effect.die(new Error(`${prompt} ${chatId} ${token}`))
  }

  it.effect.each(Object.keys(calls))("is told of %s, whatever becomes of it", (name) =>
    Effect.gen(function* () {
      for (const [what, script] of Object.entries(answers)) {
        const client = yield* watched(script)
        const call = calls[name]!(client)
        yield* finished(client.watch(Effect.exit(call)))
        const told = [
          ...client.spans.map(toldBy),
          ...client.logs,
          inspect([...client.registry.values()].map(({ attributes, id }) => [id, attributes]))
        ].join("\n")
        for (const secret of secrets) assert.notInclude(told, secret, what)
        assert.isAbove(client.spans.length, 0)
        for (const span of client.spans) assert.isDefined(endOf(span), `${span.name} of ${what}`)
      }
    })
  )
})
