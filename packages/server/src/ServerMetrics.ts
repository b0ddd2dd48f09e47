/**
 * What the backend counts and measures, by the names of the OpenTelemetry semantic conventions where they have one.
 *
 * The values of attributes come from the contract and from this program, never from a request: the number of series is bounded.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"

/** How long requests take, in seconds: the boundaries that the conventions advise. */
const requestSeconds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/** How long models take, in seconds: the boundaries that the conventions advise. */
const modelSeconds = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]

/** How many tokens a prompt or an answer has: the boundaries that the conventions advise. */
const tokenCounts = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864]

/** What the exposition format of Prometheus has for the unit and the kind of a metric, by its name. */
const suffixes = new Map<string, string>()

const named = (name: string, suffix: string): string => {
  suffixes.set(name, suffix)
  return name
}

/** The name of a metric as Prometheus has it, before its dots become underscores. */
export const prometheusName = (name: string): string => `${name}${suffixes.get(name) ?? ""}`

const seconds = (name: string, description: string, boundaries: ReadonlyArray<number>) =>
  Metric.histogram(named(name, "_seconds"), { description, boundaries, attributes: { unit: "s" } })

const counter = (name: string, description: string, unit: string) =>
  Metric.counter(named(name, "_total"), { description, incremental: true, attributes: { unit } })

const gauge = (name: string, description: string, unit: string, suffix = "") =>
  Metric.gauge(named(name, suffix), { description, attributes: { unit } })

/** Updates a series of a metric. Each is made once, for its attributes are many. */
const series = <Input, State, Key extends ReadonlyArray<string | number>>(
  metric: Metric.Metric<Input, State>,
  attributes: (...key: Key) => Record<string, string>
) => {
  const known = new Map<string, Metric.Metric<Input, State>>()
  return (input: Input, ...key: Key): Effect.Effect<void> =>
    Effect.contextWith((context: Context.Context<never>) => {
      const id = key.join(" ")
      let one = known.get(id)
      if (one === undefined) {
        one = Metric.withAttributes(metric, attributes(...key))
        known.set(id, one)
      }
      one.updateUnsafe(input, context)
      return Effect.void
    })
}

const methods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])

/** How long a request took, streams included: by operation, method and status. */
export const requestDuration = series(
  seconds("http.server.request.duration", "How long requests took, with their whole answers", requestSeconds),
  (operation: string, route: string, method: string, status: number) => ({
    "chatbot.operation": operation,
    "http.route": route,
    "http.request.method": methods.has(method) ? method : "_OTHER",
    "http.response.status_code": String(status),
    ...(status >= 500 ? { "error.type": String(status) } : undefined)
  })
)

/** Requests that are being answered. */
export const activeRequests = gauge("http.server.active_requests", "Requests that are being answered", "{request}")

/** Streams of events that are open. */
export const activeStreams = gauge("chatbot.event_streams.active", "Streams of events that are open", "{stream}")

/** How a completion ended: `completed`, `stopped`, or the tag of its error. */
export const completions = series(
  counter("chatbot.completions", "Completions that have ended", "{completion}"),
  (outcome: string) => ({ "chatbot.outcome": outcome })
)

/** How long a provider took for an answer: by provider and, where it failed, by the tag of the error. */
export const providerDuration = series(
  seconds("gen_ai.client.operation.duration", "How long providers took for their answers", modelSeconds),
  (provider: string, error: string) => ({
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": provider,
    ...(error === "" ? undefined : { "error.type": error })
  })
)

/** The tokens of an answer: by provider, and whether they were read or written. */
export const tokens = series(
  Metric.histogram(named("gen_ai.client.token.usage", ""), {
    description: "Tokens of prompts and answers",
    boundaries: tokenCounts,
    attributes: { unit: "{token}" }
  }),
  (provider: string, type: "input" | "output") => ({
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": provider,
    "gen_ai.token.type": type
  })
)

/** Attempts at a provider after the first of an answer. */
export const providerRetries = counter(
  "chatbot.provider.retries",
  "Attempts at providers after the first of an answer",
  "{attempt}"
)

/** What the process uses, see `ProcessMetrics`. */
export const process = {
  memory: gauge("process.memory.usage", "Resident memory", "By", "_bytes"),
  heap: gauge("v8js.memory.heap.used", "Memory of the heap in use", "By", "_bytes"),
  descriptors: gauge("process.open_file_descriptor.count", "Open file descriptors", "{file_descriptor}"),
  cpu: Metric.gauge(named("process.cpu.time", "_seconds"), {
    description: "Seconds of CPU that were used since the start",
    attributes: { unit: "s" }
  }),
  uptime: gauge("process.uptime", "Seconds since the start", "s", "_seconds"),
  delayP50: gauge("nodejs.eventloop.delay.p50", "Median delay of the event loop", "s", "_seconds"),
  delayP99: gauge("nodejs.eventloop.delay.p99", "99th percentile of the delay of the event loop", "s", "_seconds"),
  utilization: gauge("nodejs.eventloop.utilization", "Part of the time in which the event loop was busy", "1")
} as const
