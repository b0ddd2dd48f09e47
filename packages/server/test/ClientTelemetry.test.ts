/** A client and a backend that export what they tell over OTLP: one trace, from the caller to the backend. */
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import * as Telemetry from "@effect-chatbot/client/Telemetry"
import { ChatId } from "@effect-chatbot/schema/Ids"
import { assert, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Otlp from "effect/observability/Otlp"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Collector from "./support/Collector.ts"
import { TestBackend } from "./support/TestBackend.ts"

const exporter = (baseUrl: string, serviceName: string) =>
  Layer.provide(Otlp.layerJson({ baseUrl, resource: { serviceName } }), NodeTransport.layer)

const valueOf = ({ attributes }: Collector.Span, name: string): unknown =>
  Object.values(attributes.find(({ key }) => key === name)?.value ?? {})[0]

it.live("a trace goes from the caller through the client to the backend, without a secret of the client", () =>
  Effect.gen(function* () {
    const { metrics, received, spans, url } = yield* Collector.make
    const prompt = "How do I page through a list of platypuses?"
    const absent = ChatId.make("chat-canary")

    const secrets = yield* Effect.gen(function* () {
      const { baseUrl, tokenOf } = yield* TestBackend
      const token = yield* tokenOf("spy")
      const client = ChatbotClient.layer({ baseUrl, token }).pipe(
        Layer.provide(NodeTransport.layer),
        Layer.provide(Telemetry.layer())
      )
      const chatId = yield* Effect.gen(function* () {
        const { chats } = yield* ChatbotClient
        const { chatId } = yield* chats.createByBotCode("client")
        yield* Stream.runDrain(chats.stream(chatId, prompt))
        yield* Effect.flip(chats.get(absent))
        return chatId
      }).pipe(Effect.withSpan("caller"), Effect.provide(Layer.merge(client, exporter(url, "caller"))))
      return [Redacted.value(token), chatId, absent, "platypuses"]
    }).pipe(Effect.provide(Layer.provide(TestBackend.layer, exporter(url, "backend"))), Effect.scoped)

    const told = spans("caller")
    const find = (name: string) => told.find((span) => span.name === name)
    assert.sameMembers(
      told.map(({ name }) => name),
      [
        "caller",
        "chats.createByBotCode",
        "POST /api/chats/create/bybotcode",
        "chats.stream",
        "POST /api/chats/{chatId}/completions",
        "chats.get",
        "GET /api/chats/{chatId}"
      ]
    )
    const caller = find("caller")
    assert.deepStrictEqual([...new Set(told.map(({ traceId }) => traceId))], [caller?.traceId])
    const answered = find("chats.stream")
    assert.strictEqual(answered?.kind, 3)
    assert.deepStrictEqual(
      answered?.events.map(({ name }) => name),
      ["chatbot.first_event", "chatbot.terminal_event"]
    )
    assert.isAbove(Number(valueOf(answered!, "gen_ai.usage.input_tokens")), 0)

    // Every request is the parent of what the backend did for it.
    const requests = told.filter(({ name }) => name.includes(" /api/"))
    const joined = spans("backend").filter(({ parentSpanId }) => requests.some(({ spanId }) => spanId === parentSpanId))
    assert.sameMembers(
      joined.map(({ parentSpanId }) => parentSpanId),
      requests.map(({ spanId }) => spanId)
    )
    assert.isTrue(joined.every(({ traceId }) => traceId === caller?.traceId))

    const units = Object.fromEntries(metrics().map(({ name, unit }) => [name, unit]))
    assert.deepInclude(units, {
      "chatbot.client.calls": "{call}",
      "http.client.request.duration": "s",
      "gen_ai.client.operation.duration": "s",
      "gen_ai.client.token.usage": "{token}",
      "gen_ai.client.operation.time_to_first_chunk": "s"
    })

    const ofCaller = [
      JSON.stringify(told),
      ...received.filter(({ path }) => path !== "/v1/traces").map(({ text }) => text)
    ].join("\n")
    for (const secret of secrets) assert.notInclude(ofCaller, secret)
  })
)

it.live("a client that shall not say so starts no trace in the backend", () =>
  Effect.gen(function* () {
    const { spans, url } = yield* Collector.make
    yield* Effect.gen(function* () {
      const { baseUrl } = yield* TestBackend
      const client = ChatbotClient.layer({ baseUrl }).pipe(
        Layer.provide(NodeTransport.layer),
        Layer.provide(Telemetry.layer({ ...Telemetry.standard, propagation: false }))
      )
      yield* Effect.flatMap(Layer.build(client), (context) => Context.get(context, ChatbotClient).chats.openBot).pipe(
        Effect.withSpan("caller"),
        Effect.provide(exporter(url, "caller"))
      )
    }).pipe(Effect.provide(Layer.provide(TestBackend.layer, exporter(url, "backend"))), Effect.scoped)
    const [caller] = spans("caller")
    const served = spans("backend").filter(({ kind }) => kind === 2)
    assert.isAbove(served.length, 0)
    assert.isTrue(served.every(({ traceId }) => traceId !== caller?.traceId))
  })
)
