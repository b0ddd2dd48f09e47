/**
 * Telemetry: spans and metrics of every call, in one trace with those of this program and of the backend, exported over OTLP.
 *
 * ```sh
 * OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 pnpm serve
 * OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 node packages/examples/src/telemetry.ts
 * ```
 */
import { ChatbotClient } from "@effect-chatbot/client"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import * as Telemetry from "@effect-chatbot/client/Telemetry"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Config, Console, Effect, Layer } from "effect"
import { Otlp } from "effect/observability"

const program = Effect.gen(function* () {
  const { chats } = yield* ChatbotClient
  const { chatId } = yield* chats.createByBotCode("guide")
  const { totalTokens } = yield* chats.complete(chatId, "How do I page through a list?")
  yield* Console.log(`${totalTokens} tokens`)
}).pipe(Effect.withSpan("help.answer"))

// Without `Telemetry`, the client tells nothing.
const Client = ChatbotClient.layerConfig.pipe(Layer.provide([NodeTransport.layer, Telemetry.layer()]))

// What is told goes wherever the spans and metrics of the program go.
const Exporter = Layer.unwrap(
  Effect.map(
    Config.String("OTEL_EXPORTER_OTLP_ENDPOINT").pipe(Config.withDefault("http://127.0.0.1:4318")),
    (baseUrl) => Otlp.layerJson({ baseUrl, resource: { serviceName: "help" } })
  )
).pipe(Layer.provide(NodeTransport.layer))

program.pipe(Effect.provide([Client, Exporter]), NodeRuntime.runMain)
