import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Collector from "./support/Collector.ts"
import * as Fake from "./support/FakeProvider.ts"
import * as ModelProcess from "./support/ModelProcess.ts"
import { sendTo } from "./support/raw.ts"
import * as ServerProcess from "./support/ServerProcess.ts"

/** What must be told to nobody. */
const secrets = {
  token: "canary-token-of-an-admin",
  apiKey: "sk-canary-key-of-a-provider",
  prompt: "canaryprompt",
  question: "canaryquestion",
  answer: "canaryanswer",
  collector: "canary-key-of-a-collector",
  query: "canaryquery"
}

const { token } = secrets

const trace = { id: "4bf92f3577b34da6a3ce929d0e0e4736", parent: "00f067aa0ba902b7" }

/** The lines of the log. */
const linesOf = (stderr: string): ReadonlyArray<Record<string, unknown>> =>
  stderr
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))

layer(NodeServices.layer, { excludeTestServices: true })("what a backend tells of itself", (it) => {
  it.effect("says what it did, to the log, to Prometheus and to a collector, and tells no secret", () =>
    Effect.gen(function* () {
      const collector = yield* Collector.make
      const server = yield* ServerProcess.start({
        CHATBOT_PORT: "0",
        CHATBOT_DATA_DIR: yield* ServerProcess.dataDir,
        CHATBOT_ADMIN_TOKEN: token,
        CHATBOT_LOG_LEVEL: "All",
        CHATBOT_LOG_FORMAT: "json",
        CHATBOT_METRICS_PORT: "0",
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
        OTEL_EXPORTER_OTLP_HEADERS: `x-key=${secrets.collector}`
      })
      let stderr = ""
      server.child.stderr?.on("data", (chunk) => {
        stderr += chunk
      })
      const baseUrl = yield* server.listening
      const fake = yield* Fake.make
      fake.answer(
        Fake.inTurn(
          (socket) => socket.end(Fake.json(500, { error: { message: "Try again" } })),
          Fake.whole(Fake.saying(secrets.answer, "!")),
          (socket) => socket.end(Fake.json(400, { error: { message: "No" } }))
        )
      )
      yield* ModelProcess.makeBot({
        baseUrl,
        token,
        provider: fake.url,
        apiKey: secrets.apiKey,
        baseSystemMessage: secrets.prompt
      })
      const chatId = yield* ModelProcess.makeChat({ baseUrl, token })
      const ask = (headers?: Record<string, string>) =>
        sendTo(baseUrl, "POST", `/api/chats/${chatId}/completions`, {
          token,
          headers: { accept: "text/event-stream", ...headers },
          body: { userMessage: secrets.question }
        })
      const asked = yield* ask({
        "x-request-id": "request-1",
        traceparent: `00-${trace.id}-${trace.parent}-01`
      })
      assert.include(asked.text, secrets.answer)
      assert.include((yield* ask()).text, "ProviderFailed")
      assert.isTrue(fake.asked.some(({ body }) => JSON.stringify(body).includes(secrets.prompt)))
      const source = yield* sendTo(baseUrl, "POST", `/api/chats/${chatId}/tickets`, {
        token,
        body: { path: "x.md" }
      })
      yield* sendTo(baseUrl, "GET", `/api/chats/${chatId}/downloads/x.md?ticket=${secrets.query}`)
      yield* sendTo(baseUrl, "GET", `/nowhere?ticket=${secrets.query}`)
      yield* sendTo(baseUrl, "GET", "/api/bots", { token: "canary-token-of-nobody" })
      yield* sendTo(baseUrl, "GET", "/health/ready")
      assert.isBelow(source.status, 500)

      // Metrics are at a port of their own.
      assert.strictEqual((yield* sendTo(baseUrl, "GET", "/metrics", { token })).status, 404)
      const metricsUrl = /Metrics are at (http:\/\/[\d.:]+)\/metrics/.exec(stderr)?.[1] ?? ""
      const metrics = yield* sendTo(metricsUrl, "GET", "/metrics")
      const { code, stderr: log, stdout } = yield* server.kill("SIGTERM")
      assert.strictEqual(code, 0)

      const seriesOf = (name: string) => metrics.text.split("\n").filter((line) => line.startsWith(`${name}{`))
      const values = (name: string, ...labels: ReadonlyArray<string>) =>
        seriesOf(name)
          .filter((line) => labels.every((label) => line.includes(label)))
          .map((line) => Number(line.slice(line.lastIndexOf(" "))))
      assert.deepStrictEqual(
        values(
          "http_server_request_duration_seconds_count",
          'chatbot_operation="chats.complete"',
          'http_request_method="POST"',
          'http_response_status_code="200"',
          'http_route="/api/chats/:chatId/completions"'
        ),
        [2]
      )
      assert.deepStrictEqual(values("chatbot_completions_total", 'chatbot_outcome="completed"'), [1])
      assert.deepStrictEqual(values("chatbot_completions_total", 'chatbot_outcome="ProviderFailed"'), [1])
      assert.deepStrictEqual(
        values("gen_ai_client_operation_duration_seconds_count", 'gen_ai_provider_name="openai"').toSorted(),
        [1, 1]
      )
      assert.deepStrictEqual(values("gen_ai_client_token_usage_sum", 'gen_ai_token_type="input"'), [11])
      assert.match(metrics.text, /^chatbot_provider_retries_total 1$/m)
      assert.match(metrics.text, /^http_server_active_requests 0$/m)
      assert.match(metrics.text, /^chatbot_event_streams_active 0$/m)
      for (const name of ["process_memory_usage_bytes", "process_uptime_seconds", "v8js_memory_heap_used_bytes"]) {
        assert.match(metrics.text, new RegExp(`^# HELP ${name} .+\n# TYPE ${name} gauge\n${name} [\\d.]+$`, "m"))
      }

      const lines = linesOf(log)
      const told = lines.filter(({ operation }) => operation !== undefined)
      const complete = told.find(({ requestId }) => requestId === "request-1")
      assert.deepInclude(complete, { method: "POST", operation: "chats.complete", status: 200, level: "INFO" })
      assert.isNumber(complete?.["ms"])
      assert.isNumber(complete?.["user"])
      assert.deepInclude(
        told.find(({ operation }) => operation === "chats.download"),
        { status: 401, route: "/api/chats/:chatId/downloads/*" }
      )
      assert.deepInclude(
        told.find(({ operation }) => operation === "health.ready"),
        { status: 200, level: "DEBUG" }
      )
      assert.isTrue(told.some(({ operation, status }) => operation === "none" && status === 404))
      const failure = lines.find(({ message }) => message === "A provider has failed")
      assert.strictEqual(failure?.["level"], "WARN")
      for (const name of ["bot", "model", "service", "reason", "requestId"]) assert.isString(failure?.[name], name)

      // Everything was sent when it ended.
      const spans = collector.spans()
      const root = spans.find(({ parentSpanId }) => parentSpanId === trace.parent)
      assert.strictEqual(root?.traceId, trace.id)
      const inTrace = spans.filter(({ traceId }) => traceId === trace.id)
      assert.includeMembers(
        inTrace.map(({ name }) => name),
        ["CompletionRuns.stream", "OpenAiProvider.complete"]
      )
      assert.isFalse(collector.received.some(({ text }) => text.includes("/health/ready")))
      const sent = (path: string) =>
        collector.received
          .filter((received) => received.path === path)
          .map(({ text }) => text)
          .join("")
      assert.include(sent("/v1/logs"), "POST chats.complete 200")
      assert.include(sent("/v1/metrics"), "http.server.request.duration")
      assert.include(sent("/v1/traces"), '{"key":"service.name","value":{"stringValue":"chatbot"}}')
      assert.strictEqual(collector.received[0]?.headers["x-key"], secrets.collector)

      const all = [log, stdout, metrics.text, ...collector.received.map(({ text }) => text)].join("\n")
      for (const secret of [...Object.values(secrets), "canary"]) assert.isFalse(all.includes(secret), secret)
    })
  )

  it.effect("is of no matter to a backend whose collector is away", () =>
    Effect.gen(function* () {
      const server = yield* ServerProcess.start({
        CHATBOT_PORT: "0",
        CHATBOT_DATA_DIR: yield* ServerProcess.dataDir,
        OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1"
      })
      const baseUrl = yield* server.listening
      for (let times = 0; times < 20; times++) {
        assert.strictEqual((yield* sendTo(baseUrl, "GET", "/api/chats/OpenChatBotId")).status, 200)
      }
      const { code, stderr } = yield* server.kill("SIGTERM")
      assert.strictEqual(code, 0)
      assert.notInclude(stderr, "level=ERROR")
    })
  )

  it.effect("names the variable of OpenTelemetry that is wrong", () =>
    Effect.gen(function* () {
      const server = yield* ServerProcess.start({
        CHATBOT_PORT: "0",
        CHATBOT_DATA_DIR: yield* ServerProcess.dataDir,
        OTEL_EXPORTER_OTLP_ENDPOINT: "the collector"
      })
      const { code, stderr } = yield* server.ended
      assert.strictEqual(code, 1)
      assert.match(stderr, /^chatbot: .*OTEL_EXPORTER_OTLP_ENDPOINT/s)
    })
  )
})
