/**
 * The exporters of OTLP, with bounds: a collector that is slow or away costs some telemetry, and no memory.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as Layer from "effect/Layer"
import * as Otlp from "effect/observability/Otlp"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as HealthRoutes from "../http/HealthRoutes.ts"
import * as ProcessMetrics from "../ProcessMetrics.ts"

/** How many batches may be on their way, and how long each may take. The exporter itself collects no more than one beside them. */
const limits = { batches: 8, time: "10 seconds" } as const

/** An exporter that meets this drops what it has, and tries again after a minute. */
class CollectorTooSlow extends Data.TaggedError("CollectorTooSlow") {}

const bounded = (client: HttpClient.HttpClient): HttpClient.HttpClient => {
  let active = 0
  return HttpClient.transformResponse(client, (response) =>
    Effect.suspend(() => {
      if (active >= limits.batches) return Effect.die(new CollectorTooSlow())
      active++
      return response.pipe(
        Effect.timeoutOrElse({ duration: limits.time, orElse: () => Effect.die(new CollectorTooSlow()) }),
        Effect.ensuring(
          Effect.sync(() => {
            active--
          })
        )
      )
    })
  )
}

const transport = Layer.effect(HttpClient.HttpClient, Effect.map(HttpClient.HttpClient, bounded)).pipe(
  Layer.provide(NodeHttpClient.layerUndici)
)

/** Where a collector is named, all is sent to it, unless the standard variables say otherwise. */
const withDefaults = Layer.effect(
  ConfigProvider.ConfigProvider,
  Effect.gen(function* () {
    const provider = yield* ConfigProvider.ConfigProvider
    const attributes = yield* Config.withDefault(Config.String("OTEL_RESOURCE_ATTRIBUTES"), "")
    const env = {
      OTEL_TRACES_EXPORTER: "otlp",
      OTEL_METRICS_EXPORTER: "otlp",
      OTEL_LOGS_EXPORTER: "otlp",
      ...(attributes.includes("service.name=") ? undefined : { OTEL_SERVICE_NAME: "chatbot" })
    }
    return ConfigProvider.orElse(provider, ConfigProvider.fromEnv({ env }))
  })
)

const processMetrics = Layer.effectDiscard(ProcessMetrics.make)

/** Whoever looks after the process asks often, and leaves no trace. */
const quietHealth = Layer.succeed(HttpMiddleware.TracerDisabledWhen, ({ url }) => url.startsWith(HealthRoutes.prefix))

/** The exporters, by the variables of OpenTelemetry. They send what they have when they are closed. */
export const layer = (protocol: "http/protobuf" | "http/json"): Layer.Layer<never, Config.ConfigError> =>
  Layer.mergeAll(Otlp.layerFromConfig(), processMetrics, quietHealth).pipe(
    Layer.provide(protocol === "http/json" ? OtlpSerialization.layerJson : OtlpSerialization.layerProtobuf),
    Layer.provide(transport),
    Layer.provide(withDefaults)
  )
