/** What a collector gets of `telemetry.ts` and of the backend it calls. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { run } from "./support/Program.ts"
import { serve } from "./support/Serve.ts"
import { stub } from "./support/Sockets.ts"

/** What is said to a collector over OTLP, as far as it is looked at here. */
interface Told {
  readonly path: string
  readonly body: {
    readonly resourceSpans?: ReadonlyArray<{
      readonly scopeSpans: ReadonlyArray<{ readonly spans: ReadonlyArray<Span> }>
    }>
    readonly resourceMetrics?: ReadonlyArray<{
      readonly scopeMetrics: ReadonlyArray<{ readonly metrics: ReadonlyArray<{ readonly name: string }> }>
    }>
  }
}

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
}

it.live("telemetry.ts tells a collector of its calls, in one trace with the backend", () =>
  Effect.gen(function* () {
    const told: Array<Told> = []
    const collector = yield* stub((request) =>
      Effect.gen(function* () {
        told.push({ path: request.url, body: JSON.parse(yield* Effect.orDie(request.text)) })
        return HttpServerResponse.jsonUnsafe({})
      })
    )
    const otlp = { OTEL_EXPORTER_OTLP_ENDPOINT: collector }
    const backend = yield* serve({ ...otlp, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" })
    const { code, stderr, stdout } = yield* run("examples/src/telemetry.ts", { ...backend.env, ...otlp })
    assert.deepStrictEqual([code, stderr], [0, ""])
    assert.match(stdout, /^\d+ tokens\n$/)
    // It tells the rest when it ends.
    yield* backend.program.kill("SIGTERM")
    yield* backend.program.ended

    const spans = told
      .flatMap(({ body }) => body.resourceSpans ?? [])
      .flatMap(({ scopeSpans }) => scopeSpans)
      .flatMap(({ spans }) => spans)
    const children = (parent: Span) =>
      spans.filter(({ parentSpanId, traceId }) => parentSpanId === parent.spanId && traceId === parent.traceId)
    const only = (found: ReadonlyArray<Span>) =>
      found[0] === undefined ? assert.fail(JSON.stringify(spans)) : found[0]
    const root = only(spans.filter(({ name }) => name === "help.answer"))
    assert.sameMembers(
      children(root).map(({ name }) => name),
      ["chats.createByBotCode", "chats.complete"]
    )
    const attempt = only(children(only(children(root).filter(({ name }) => name === "chats.complete"))))
    assert.strictEqual(attempt.name, "POST /api/chats/{chatId}/completions")
    // The one below it is the backend's.
    assert.lengthOf(children(attempt), 1)

    const metrics = told
      .flatMap(({ body }) => body.resourceMetrics ?? [])
      .flatMap(({ scopeMetrics }) => scopeMetrics)
      .flatMap(({ metrics }) => metrics)
      .map(({ name }) => name)
    for (const name of ["chatbot.client.calls", "http.client.request.duration", "gen_ai.client.token.usage"]) {
      assert.include(metrics, name)
    }
  })
)
