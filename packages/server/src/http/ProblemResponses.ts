/**
 * The middleware that answers whatever fails with a problem, and knows which operation it is.
 */
import { ProblemResponses } from "@effect-chatbot/api/middleware/ProblemResponses"
import { RetryClass } from "@effect-chatbot/api/RetryClass"
import {
  InternalError,
  InvalidRequest,
  PayloadTooLarge,
  Unavailable,
  UnsupportedMediaType
} from "@effect-chatbot/schema/Errors"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { HttpApiSchemaError } from "effect/http-api/HttpApiError"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpServerError from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import * as SchemaIssue from "effect/SchemaIssue"
import { isTemporary } from "../internal/rows.ts"
import * as ProblemResponse from "./ProblemResponse.ts"
import * as QueryNames from "./QueryNames.ts"
import { tell } from "./RequestStory.ts"

const formatIssues = SchemaIssue.makeFormatterStandardSchemaV1()

const toPathSegment = (segment: PropertyKey | { readonly key: PropertyKey }): string | number => {
  const key = typeof segment === "object" ? segment.key : segment
  return typeof key === "number" ? key : String(key)
}

const toPath = (kind: HttpApiSchemaError["kind"], path: ReadonlyArray<string | number>) =>
  // Some checks see a query by the names of the model.
  kind === "Query"
    ? ["query", ...path.map((name) => QueryNames.canonical(String(name)))]
    : [kind.toLowerCase(), ...path]

const invalidRequest = ({ cause, kind }: HttpApiSchemaError): InvalidRequest =>
  new InvalidRequest({
    issues: formatIssues(cause.issue).issues.map(({ message, path = [] }) => ({
      path: toPath(kind, path.map(toPathSegment)),
      message
    }))
  })

/** The database may be back soon. */
const unavailable = new Unavailable({ retryAfter: Duration.seconds(1) })

/** What a failure is to the caller; nothing, if it is ours alone. */
const toAnswer = (failure: unknown, maxBytes: number | undefined) => {
  if (ProblemResponse.isBackendError(failure)) return failure
  if (HttpApiSchemaError.is(failure)) {
    return failure.kind === "Body" || failure.kind === "ResponseHeaders" ? undefined : invalidRequest(failure)
  }
  if (HttpServerError.isHttpServerError(failure) && failure.reason._tag === "RequestParseError") {
    return failure.reason.reason === "BodyTooLarge"
      ? new PayloadTooLarge(maxBytes === undefined ? {} : { maxBytes })
      : new InvalidRequest({ issues: [{ path: ["payload"], message: "Expected a body that can be read" }] })
  }
  return undefined
}

/** What everything that fails is to the caller. Of a defect it is an `InternalError` with a `ref` that the log knows. */
export const toError = Effect.fnUntraced(function* (
  random: SecureRandom.SecureRandom["Service"],
  cause: Cause.Cause<unknown>
) {
  const maxBodySize = yield* HttpIncomingMessage.MaxBodySize
  for (const reason of cause.reasons) {
    if (reason._tag === "Interrupt") continue
    const error = toAnswer(
      reason._tag === "Fail" ? reason.error : reason.defect,
      maxBodySize === undefined ? undefined : Number(maxBodySize)
    )
    if (error !== undefined) return error
  }
  if (cause.reasons.some((reason) => reason._tag === "Die" && isTemporary(reason.defect))) {
    yield* Effect.logError("The database is away", cause)
    return unavailable
  }
  const ref = (yield* random.uuidV4()).slice(0, 8)
  yield* Effect.logError("The backend has a defect", cause).pipe(Effect.annotateLogs({ ref }))
  return new InternalError({ ref })
})

/** Answers problems for everything that fails behind it, see {@link toError}. */
export const layer: Layer.Layer<ProblemResponses, never, SecureRandom.SecureRandom> = Layer.effect(
  ProblemResponses,
  Effect.gen(function* () {
    const random = yield* SecureRandom.SecureRandom

    const answer = (cause: Cause.Cause<unknown>) => Effect.flatMap(toError(random, cause), ProblemResponse.fromError)

    return (httpEffect, { endpoint, group }) => {
      const name = `${group.identifier}.${endpoint.identifier}`
      const isSafe = Context.get(endpoint.annotations, RetryClass) === "safe"

      return Effect.gen(function* () {
        const request = yield* HttpServerRequest.HttpServerRequest
        yield* tell({ operation: name, route: endpoint.path })
        // The router sends HEAD to the handler of GET, and one of those changes state.
        const response = yield* request.method === "HEAD" && !isSafe
          ? ProblemResponse.blank(405, "Method Not Allowed", "This endpoint has no HEAD.", { allow: endpoint.method })
          : Effect.catchCauseIf(httpEffect, (cause) => !Cause.hasInterruptsOnly(cause), answer)
        // The router refuses other content types by a plain text.
        return response.status === 415
          ? yield* ProblemResponse.fromError(new UnsupportedMediaType({ supported: ["application/json"] }))
          : response
      })
    }
  })
)
