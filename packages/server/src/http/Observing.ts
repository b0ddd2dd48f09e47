/**
 * The middleware that sees every request with its whole answer: it writes the line of the request into the log, and measures.
 */
import { contentType as eventStream } from "@effect-chatbot/api/ServerSentEvents"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Metric from "effect/Metric"
import * as ServerMetrics from "../ServerMetrics.ts"
import * as HealthRoutes from "./HealthRoutes.ts"
import * as RequestId from "./RequestId.ts"
import { empty, RequestStory } from "./RequestStory.ts"

const isEventStream = ({ body }: HttpServerResponse.HttpServerResponse): boolean =>
  body._tag === "Stream" && body.contentType === eventStream

/** What a request without an answer is counted as, as nginx does: the caller has left. */
const callerLeft = 499

/** The middleware. A line is written when the answer was sent, streams included. */
export const layer = HttpRouter.middleware(
  (httpEffect) =>
    Effect.gen(function* () {
      const { method, url } = yield* HttpServerRequest.HttpServerRequest
      const story = empty()
      const began = yield* Clock.currentTimeNanos
      let answer: HttpServerResponse.HttpServerResponse | undefined
      yield* Metric.modify(ServerMetrics.activeRequests, 1)
      yield* Effect.addFinalizer((exit) =>
        Effect.gen(function* () {
          const seconds = Number((yield* Clock.currentTimeNanos) - began) / 1e9
          const status = answer?.status ?? (Exit.hasInterrupts(exit) ? callerLeft : 500)
          const { operation, route, userId } = story
          yield* Metric.modify(ServerMetrics.activeRequests, -1)
          if (answer !== undefined && isEventStream(answer)) yield* Metric.modify(ServerMetrics.activeStreams, -1)
          yield* ServerMetrics.requestDuration(seconds, operation, route ?? "", method, status)
          // Whoever looks after the process asks often.
          const log = url.startsWith(HealthRoutes.prefix) ? Effect.logDebug : Effect.logInfo
          yield* Effect.annotateLogs(log(`${method} ${operation} ${status}`), {
            method,
            operation,
            ...(route === undefined ? undefined : { route }),
            status,
            ms: Math.round(seconds * 1e4) / 10,
            requestId: answer?.headers[RequestId.header] ?? "",
            ...(userId === undefined ? undefined : { user: userId }),
            ...(answer !== undefined && Exit.isFailure(exit) ? { left: true } : undefined)
          })
        })
      )
      answer = yield* Effect.provideService(httpEffect, RequestStory, story)
      if (isEventStream(answer)) yield* Metric.modify(ServerMetrics.activeStreams, 1)
      return answer
    }),
  { global: true }
)
