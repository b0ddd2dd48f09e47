/** A client whose telemetry is kept, for a test to look at. */
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as Telemetry from "@effect-chatbot/client/Telemetry"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { inspect } from "node:util"
import { type Script, scripted } from "./Scripted.ts"

/** A tracer, and the spans that it has made in the order of their beginning. */
export const recording = () => {
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  return { spans, tracer }
}

/** What an exporter is given of a span. */
export const toldBy = ({ attributes, events, links, name, status }: Tracer.NativeSpan): string =>
  inspect(
    [name, attributes, events, links, status._tag === "Ended" && Exit.isFailure(status.exit) ? status.exit.cause : ""],
    { depth: 20, showHidden: true }
  )

/** The attributes of a span as an object. */
export const attributesOf = (span: Tracer.NativeSpan | undefined): Record<string, unknown> =>
  Object.fromEntries(span?.attributes ?? [])

/** The id of the span that a span is part of. */
export const parentOf = (span: Tracer.NativeSpan | undefined): string | undefined =>
  Option.getOrUndefined(span?.parent ?? Option.none())?.spanId

/** How a span ended: how long it took in milliseconds, and with what. */
export const endOf = (span: Tracer.NativeSpan | undefined) =>
  span?.status._tag === "Ended"
    ? {
        took: Number(span.status.endTime - span.status.startTime) / 1e6,
        isFailure: Exit.isFailure(span.status.exit),
        isInterrupted: Exit.hasInterrupts(span.status.exit)
      }
    : undefined

/** The events of a span by name, with the milliseconds after its beginning and their attributes. */
export const eventsOf = (span: Tracer.NativeSpan | undefined) =>
  (span?.events ?? []).map(([name, at, attributes]) => [name, Number(at - (span?.startTime ?? 0n)) / 1e6, attributes])

/** The token of a watched client. */
export const token = "token-canary"

/** A client of a scripted backend with telemetry, and what is kept of it. */
export const watched = (
  script: Script,
  {
    policy = Layer.empty,
    telemetry = Telemetry.layer()
  }: { policy?: Layer.Layer<never>; telemetry?: Layer.Layer<never> } = {}
) =>
  Effect.gen(function* () {
    const { spans, tracer } = recording()
    const registry: Metric.MetricRegistry = new Map()
    const logs: Array<string> = []
    const logger = Logger.make(({ cause, message }) => {
      logs.push(inspect([message, cause], { depth: 20 }))
    })
    const { layer, sent } = scripted(script)
    const client = ChatbotClient.layer({ baseUrl: "https://chatbot.test:8443/base", token }).pipe(
      Layer.provide(layer),
      Layer.provide(policy),
      Layer.provide(telemetry)
    )
    /** Makes a call that is watched. */
    const watch = <A, E, R>(call: Effect.Effect<A, E, R>) =>
      call.pipe(
        Effect.provideService(Tracer.Tracer, tracer),
        Effect.provideService(Metric.MetricRegistry, registry),
        Effect.provide(Logger.layer([logger, Logger.tracerLogger]))
      )
    /** The series of a metric: the labels and the state of each. */
    const series = (name: string) =>
      Effect.map(Effect.provideService(Metric.snapshot, Metric.MetricRegistry, registry), (all) =>
        all.filter(({ id }) => id === name)
      )
    return { ...(yield* Effect.provide(ChatbotClient, client)), logs, registry, sent, series, spans, tracer, watch }
  })
