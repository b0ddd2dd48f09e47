/** Servers on free ports of this machine. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"

/** A server of Node. */
export const server = NodeHttpServer.layer(createServer, {
  port: 0,
  host: "127.0.0.1",
  gracefulShutdownTimeout: "100 millis"
})

/** A server that answers as it is told, until the scope ends. Gives its URL. */
export const stub = (
  handle: (request: HttpServerRequest.HttpServerRequest) => Effect.Effect<HttpServerResponse.HttpServerResponse>
) =>
  Effect.gen(function* () {
    const { address, serve } = yield* HttpServer.HttpServer
    yield* serve(Effect.flatMap(HttpServerRequest.HttpServerRequest, handle))
    return HttpServer.formatAddress(address)
  }).pipe((served) => Effect.flatMap(Layer.build(Layer.fresh(server)), (services) => Effect.provide(served, services)))
