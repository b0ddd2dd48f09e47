/**
 * The middleware that counts the requests that are answered, and refuses new ones when the backend is about to stop.
 */
import { Unavailable } from "@effect-chatbot/schema/Errors"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { Drain } from "../Drain.ts"
import * as HealthRoutes from "./HealthRoutes.ts"
import * as ProblemResponse from "./ProblemResponse.ts"

const close = HttpServerResponse.setHeader("connection", "close")

/** Another process answers sooner, and this one when it is there again. */
const refusal = new Unavailable({ message: "The backend is about to stop.", retryAfter: Duration.seconds(5) })

/** The middleware. What is about health is answered to the end. */
export const layer = HttpRouter.middleware(
  Effect.gen(function* () {
    const drain = yield* Drain
    return (httpEffect) =>
      Effect.gen(function* () {
        const request = yield* HttpServerRequest.HttpServerRequest
        if (request.url.startsWith(HealthRoutes.prefix)) {
          const response = yield* httpEffect
          return drain.hasBegun() ? close(response) : response
        }
        if (drain.hasBegun()) return close(yield* ProblemResponse.fromError(refusal))
        // The scope of the request ends when its answer was sent, streams included.
        const leave = drain.enter()
        yield* Effect.addFinalizer(() => Effect.sync(leave))
        const response = yield* httpEffect
        return drain.hasBegun() ? close(response) : response
      })
  }),
  { global: true }
)
