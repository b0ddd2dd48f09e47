/**
 * Problems as answers (RFC 9457).
 */
import { type BackendError, contentType, type ProblemEncoded } from "@effect-chatbot/api/Problem"
import { Problems } from "@effect-chatbot/api/Problems"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { RequestId } from "./RequestId.ts"

const encoders = new Map(
  Object.entries(Problems).map(([tag, problem]) => [tag, Schema.encodeUnknownEffect(problem)] as const)
)

/** Whether this is an error that the contract has a problem for. */
export const isBackendError = (error: unknown): error is BackendError =>
  Predicate.hasProperty(error, "_tag") && Predicate.isString(error._tag) && encoders.has(error._tag)

const challenge = { "www-authenticate": "Bearer" }

/** Gives the JSON that says what a problem says. */
export type Written = (problem: ProblemEncoded) => object

/** How problems are written where callers know none; as RFC 9457 says by default. */
export const Writing = Context.Reference<Written | undefined>("@effect-chatbot/server/http/ProblemResponse/Writing", {
  defaultValue: () => undefined
})

const respond = (
  status: number,
  problem: ProblemEncoded,
  headers?: Record<string, string>
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, HttpServerRequest.HttpServerRequest> =>
  Effect.gen(function* () {
    const written = yield* Writing
    if (written !== undefined) return HttpServerResponse.jsonUnsafe(written(problem), { status, headers })
    const request = yield* HttpServerRequest.HttpServerRequest
    const requestId = yield* RequestId
    // The query may hold a ticket.
    const instance = request.url.split("?", 1)[0]!
    return HttpServerResponse.text(JSON.stringify({ ...problem, status, instance, requestId }), {
      status,
      contentType,
      headers
    })
  })

/** The answer for an error of the contract, with the headers its status calls for. */
export const fromError = (error: BackendError) =>
  Effect.gen(function* () {
    const problem = yield* Effect.orDie(encoders.get(error._tag)!(error))
    const status = problem.status ?? 500
    const retryAfter =
      "retryAfter" in error && Duration.isDuration(error.retryAfter)
        ? { "retry-after": String(Math.ceil(Duration.toSeconds(error.retryAfter))) }
        : undefined
    return yield* respond(status, problem, status === 401 ? challenge : retryAfter)
  })

/** The answer for a status that says all there is to say: `about:blank` (RFC 9457, 4.2.1). */
export const blank = (status: number, title: string, detail: string, headers?: Record<string, string>) =>
  respond(status, { type: "about:blank", title, detail }, headers)
