/** The metrics of a client. Their attributes come from the contract and from few words: no caller can make them many. */
import type * as Context from "effect/Context"
import * as Metric from "effect/Metric"

/** What a span or a value of a metric is marked with. */
export type Attributes = Readonly<Record<string, string | number>>

// The boundaries of the histograms are those of the conventions.
const httpSeconds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
const genAiSeconds = Array.from({ length: 14 }, (_, index) => 2 ** index / 100)
const genAiTokens = Array.from({ length: 14 }, (_, index) => 4 ** index)

/** Calls that have ended, by endpoint and outcome. */
export const calls = Metric.counter("chatbot.client.calls", {
  description: "Calls that have ended.",
  incremental: true,
  attributes: { unit: "{call}" }
})

/** Requests that have ended, by endpoint and outcome. */
export const attempts = Metric.counter("chatbot.client.attempts", {
  description: "Requests that have ended.",
  incremental: true,
  attributes: { unit: "{attempt}" }
})

/** Requests after the first one of their call, by endpoint. */
export const retries = Metric.counter("chatbot.client.retries", {
  description: "Requests after the first one of their call.",
  incremental: true,
  attributes: { unit: "{attempt}" }
})

/** How long requests took, until their answer was read. */
export const requestDuration = Metric.histogram("http.client.request.duration", {
  description: "Duration of HTTP client requests.",
  attributes: { unit: "s" },
  boundaries: httpSeconds
})

/** How long completions took, with all their attempts. */
export const operationDuration = Metric.histogram("gen_ai.client.operation.duration", {
  description: "GenAI operation duration.",
  attributes: { unit: "s" },
  boundaries: genAiSeconds
})

/** The tokens that completions used. */
export const tokenUsage = Metric.histogram("gen_ai.client.token.usage", {
  description: "Number of input and output tokens used.",
  attributes: { unit: "{token}" },
  boundaries: genAiTokens
})

/** How long streams took to bring their first event. */
export const timeToFirstChunk = Metric.histogram("gen_ai.client.operation.time_to_first_chunk", {
  description: "Time to receive the first chunk.",
  attributes: { unit: "s" },
  boundaries: genAiSeconds
})

/** Adds a value to a metric, of the registry in this context. */
export const record = <Input>(
  metric: Metric.Metric<Input, unknown>,
  input: Input,
  attributes: Attributes,
  context: Context.Context<never>
): void => {
  const labels = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, String(value)]))
  Metric.withAttributes(metric, labels).updateUnsafe(input, context)
}
