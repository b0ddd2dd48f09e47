/**
 * `/metrics` for Prometheus, on a port of its own: what it tells is for operators, and not for everybody who reaches the API.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import { createServer } from "node:http"
import * as ProcessMetrics from "./ProcessMetrics.ts"
import { prometheusName } from "./ServerMetrics.ts"
import { notListening, type StartFailed } from "./StartFailed.ts"

const routes = HttpRouter.use((router) =>
  Effect.flatMap(ProcessMetrics.make, ({ measure }) =>
    router.add(
      "GET",
      "/metrics",
      Effect.map(Effect.andThen(measure, PrometheusMetrics.format({ metricNameMapper: prometheusName })), (text) =>
        HttpServerResponse.text(text, { contentType: "text/plain; version=0.0.4; charset=utf-8" })
      )
    )
  )
)

const announce = Layer.effectDiscard(
  Effect.flatMap(HttpServer.HttpServer, ({ address }) =>
    Effect.logInfo(`Metrics are at ${HttpServer.formatAddress(address)}/metrics`)
  )
)

/** Serves the metrics of this process. */
export const layer = (options: { readonly host: string; readonly port: number }): Layer.Layer<never, StartFailed> =>
  HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
    Layer.merge(announce),
    Layer.provide(NodeHttpServer.layer(createServer, { ...options, gracefulShutdownTimeout: 0 })),
    Layer.catch((error) => Layer.effectDiscard(Effect.fail(notListening("CHATBOT_METRICS")(error))))
  )
