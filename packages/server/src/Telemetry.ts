/**
 * Traces, metrics and logs for a collector of OpenTelemetry, by OTLP over HTTP. It is off unless the standard variables name a collector,
 * and then loads what it needs.
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** A standard variable that the backend heeds. */
export interface Variable {
  readonly name: string
  /** The default for people; empty when there is none. */
  readonly default: string
  /** What it is for, as half a sentence. */
  readonly about: string
  /** Whether its value must not be shown. */
  readonly isSecret: boolean
}

/** The variables of OpenTelemetry that matter most here; others that it specifies for OTLP are heeded too. */
export const variables: ReadonlyArray<Variable> = [
  {
    name: "OTEL_EXPORTER_OTLP_ENDPOINT",
    default: "off",
    about: "where the collector is that gets traces, metrics and logs, such as `http://127.0.0.1:4318`",
    isSecret: false
  },
  {
    name: "OTEL_EXPORTER_OTLP_HEADERS",
    default: "",
    about: "headers for the collector, as in `name=value,name=value`",
    isSecret: true
  },
  {
    name: "OTEL_EXPORTER_OTLP_PROTOCOL",
    default: "http/protobuf",
    about: "how it is spoken to: `http/protobuf` or `http/json`",
    isSecret: false
  },
  { name: "OTEL_SERVICE_NAME", default: "chatbot", about: "what the backend is called there", isSecret: false }
]

const optionalUrl = (name: string) => Config.withDefault(Config.URL(name), undefined)

const settings = Config.all({
  endpoints: Config.all([
    optionalUrl("OTEL_EXPORTER_OTLP_ENDPOINT"),
    optionalUrl("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
    optionalUrl("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"),
    optionalUrl("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT")
  ]),
  isDisabled: Config.withDefault(Config.Boolean("OTEL_SDK_DISABLED"), false),
  protocol: Config.withDefault(
    Config.Literals(["http/protobuf", "http/json"], "OTEL_EXPORTER_OTLP_PROTOCOL"),
    "http/protobuf"
  )
})

/** Whether the variables can be read; where they cannot, the error names the one that is wrong. */
export const check: Effect.Effect<void, Config.ConfigError> = Effect.asVoid(settings)

/** Tells a collector, if there is one. What is told beside it is told all the same. */
export const layer: Layer.Layer<never, Config.ConfigError> = Layer.unwrap(
  Effect.gen(function* () {
    const { endpoints, isDisabled, protocol } = yield* settings
    if (isDisabled || endpoints.every((endpoint) => endpoint === undefined)) return Layer.empty
    const { layer } = yield* Effect.promise(() => import("./internal/otlp.ts"))
    return layer(protocol)
  })
)
