/** The backend in memory on a port, for programs of other processes and of other makers. */
import * as ChatbotTest from "@effect-chatbot/testing/ChatbotTest"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { createServer } from "node:http"

/** A server of Node on a free port. */
export const server = NodeHttpServer.layer(createServer, {
  port: 0,
  host: "127.0.0.1",
  gracefulShutdownTimeout: "100 millis"
})

/** Where the backend in memory can be called. */
export class Sockets extends Context.Service<Sockets, { readonly baseUrl: string }>()("test/Sockets") {
  static readonly layer = (options: ChatbotTest.Options) =>
    Layer.effect(
      Sockets,
      Effect.gen(function* () {
        const { baseUrl, http } = yield* ChatbotTest.Backend
        const { address, serve } = yield* HttpServer.HttpServer
        yield* serve(
          Effect.gen(function* () {
            const request = yield* HttpServerRequest.HttpServerRequest
            const passed = HttpClientRequest.setUrl(
              HttpServerRequest.toClientRequest(request),
              new URL(request.url, baseUrl)
            )
            return HttpServerResponse.fromClientResponse(yield* http.execute(passed))
          })
        )
        return { baseUrl: HttpServer.formatAddress(address) }
      })
    ).pipe(
      Layer.provide(Layer.fresh(server)),
      Layer.provideMerge(ChatbotTest.layer(options)),
      Layer.provide(Logger.layer([]))
    )
}
