/**
 * Spans and metrics of the calls of a client. Off by default.
 *
 * ```ts
 * ChatbotClient.layerConfig.pipe(Layer.provide(Telemetry.layer()))
 * ```
 *
 * They go where the program sends its own: to the `Tracer` and the `MetricRegistry` of effect, as `effect/observability` exports them over
 * OTLP. Their names are those of the OpenTelemetry conventions for HTTP clients and for generative AI, and of `chatbot.*` where these have
 * none. They hold no token, ticket or text, and no id of a chat; of an error its tag.
 *
 * - A span `chats.get` (`chats.stream`) for each call, until it is answered (until the stream has ended); and within it a span
 *   `GET /api/chats/{chatId}` for each request.
 * - Of a completion `gen_ai.*`: its id and the tokens that it used. Of a stream events: `chatbot.first_event`, `chatbot.reconnect`,
 *   `chatbot.terminal_event` and `chatbot.left`.
 * - The metrics `chatbot.client.calls`, `.attempts` and `.retries`, `http.client.request.duration`, `gen_ai.client.operation.duration`,
 *   `gen_ai.client.token.usage` and `gen_ai.client.operation.time_to_first_chunk`.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { isBrowser, makeRecorder } from "./internal/telemetry.ts"
import type { Recorder } from "./internal/trace.ts"

/** What is told of calls, and to whom. */
export interface Options {
  /**
   * Whether each request says in the header `traceparent` of which span it is, so that those of the backend join its trace. In a browser
   * the header makes the browser ask first (CORS preflight), and the backend must allow it.
   */
  readonly propagation: boolean | "outside browsers"
  /** The `gen_ai.provider.name`: what the telemetry of completions is told apart by. */
  readonly provider: string
}

/** Headers outside of browsers and their workers; `effect-chatbot` as the provider. */
export const standard: Options = { propagation: "outside browsers", provider: "effect-chatbot" }

/** What tells of calls. */
export type Telemetry = Recorder

/** The telemetry in force; `off` unless changed. */
export const Telemetry = Context.Reference<Telemetry | "off">("@effect-chatbot/client/Telemetry", {
  defaultValue: () => "off"
})

/** Tells of the calls of what it is provided to. That of an image or a download ends where the bytes begin. */
export const layer = ({ propagation, provider }: Options = standard): Layer.Layer<never> =>
  Layer.effect(
    Telemetry,
    Effect.sync(() =>
      makeRecorder({ provider, propagates: propagation === "outside browsers" ? !isBrowser() : propagation })
    )
  )
