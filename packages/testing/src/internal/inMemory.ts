import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as ByteSize from "effect/ByteSize"
import * as References from "effect/References"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Server from "@effect-chatbot/server/Server"

const checked = (response: HttpServerResponse.HttpServerResponse, check: Effect.Effect<void>) =>
  response.body._tag === "Stream"
    ? HttpServerResponse.setBody(
        response,
        HttpBody.stream(
          Stream.tap(response.body.stream, () => check),
          response.body.contentType,
          response.body.contentLength
        )
      )
    : response

/**
 * A transport that hands each request to the routes of the backend, and the answer back: no port, no sockets, no promises, so that all of
 * it keeps to the clock of the test. A client that leaves a request breaks it off, as one that closes its connection. What the test has
 * done wrong, as far as `check` knows it, is told whoever waits for an answer.
 */
export const transport = Effect.fnUntraced(function* (
  check: Effect.Effect<void>,
  corsOrigins: ReadonlyArray<string> | undefined
) {
  const handle = yield* HttpRouter.toHttpEffect(Server.app({ maxBodySize: ByteSize.mebibytes(1), corsOrigins })).pipe(
    Effect.provideService(HttpRouter.RouterConfig, Server.routerConfig),
    Effect.provide(HttpServer.layerServices)
  )
  const own = yield* Effect.context()
  const lifetime = yield* Effect.scope

  return HttpClient.make((request) => {
    const requestScope = Scope.forkUnsafe(lifetime)
    let isStreamed = false
    const handled = handle.pipe(
      Effect.map((response) => {
        const whole = HttpEffect.scopeTransferToStream(response)
        isStreamed = whole !== response
        return whole
      }),
      Effect.onExit((exit) => (isStreamed && Exit.isSuccess(exit) ? Effect.void : Scope.close(requestScope, exit))),
      Effect.provideService(Scope.Scope, requestScope)
    )
    let answer = HttpServerResponse.empty({ status: 500 })
    // With what is added to an answer when it is about to be sent.
    const sent = HttpEffect.toHandled(handled, (_, response) =>
      Effect.sync(() => {
        answer = response
      })
    )
    return sent.pipe(
      Effect.andThen(check),
      // Of the program only the time reaches the backend, and none of its policies, log levels or spans.
      Effect.updateContext((program: Context.Context<never>) =>
        own.pipe(
          Context.add(Clock.Clock, Context.get(program, Clock.Clock)),
          // A test has something to say for itself; only defects of the backend are worth a line in it.
          Context.add(References.MinimumLogLevel, "Error"),
          Context.add(HttpServerRequest.HttpServerRequest, HttpServerRequest.fromClientRequest(request))
        )
      ),
      Effect.map(() => HttpServerResponse.toClientResponse(checked(answer, check), { request }))
    )
  })
})
