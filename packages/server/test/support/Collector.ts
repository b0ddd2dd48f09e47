/** A collector of OpenTelemetry that takes OTLP in JSON. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type IncomingHttpHeaders, createServer } from "node:http"
import { listen } from "./loopback.ts"

/** What came in. */
export interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** What is said of a span, in one kind of value. */
export interface Attribute {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

/** A span, as far as the tests look at it. */
export interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly attributes: ReadonlyArray<Attribute>
  readonly events: ReadonlyArray<{ readonly name: string }>
}

/** A metric, as far as the tests look at it. */
export interface Metric {
  readonly name: string
  readonly unit: string
}

/** A collector on a free port. */
export interface Collector {
  readonly url: string
  readonly received: ReadonlyArray<Received>
  /** The spans of all services, or of the one with this name. */
  readonly spans: (serviceName?: string) => ReadonlyArray<Span>
  readonly metrics: () => ReadonlyArray<Metric>
}

/** Takes whatever comes. */
export const make: Effect.Effect<Collector, never, Scope.Scope> = Effect.gen(function* () {
  const received: Array<Received> = []
  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      received.push({ path: request.url ?? "", headers: request.headers, text: Buffer.concat(chunks).toString() })
      response.setHeader("content-type", "application/json").end("{}")
    })
  })
  const port = yield* listen(server)
  const bodies = (path: string) =>
    received.filter((request) => request.path === path).map(({ text }) => JSON.parse(text))
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    spans: (serviceName) =>
      bodies("/v1/traces")
        .flatMap(({ resourceSpans }) => resourceSpans)
        .filter(
          ({ resource }) =>
            serviceName === undefined ||
            resource.attributes.some(
              ({ key, value }: Attribute) => key === "service.name" && value["stringValue"] === serviceName
            )
        )
        .flatMap(({ scopeSpans }) => scopeSpans)
        .flatMap(({ spans }) => spans),
    metrics: () =>
      bodies("/v1/metrics")
        .flatMap(({ resourceMetrics }) => resourceMetrics)
        .flatMap(({ scopeMetrics }) => scopeMetrics)
        .flatMap(({ metrics }) => metrics)
  }
})
