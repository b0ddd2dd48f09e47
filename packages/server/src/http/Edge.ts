/**
 * What is done to every request before it is routed, so that the contract behind it stays strict: ids for requests, the spellings that
 * clients of this API use for names of queries and content types, the limit of bodies, and a problem for what has no route.
 */
import { supportedHeader } from "@effect-chatbot/api/middleware/IdempotencyKeys"
import { PayloadTooLarge } from "@effect-chatbot/schema/Errors"
import type * as ByteSize from "effect/ByteSize"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerError from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as PlainTexts from "./PlainTexts.ts"
import * as ProblemResponse from "./ProblemResponse.ts"
import * as QueryNames from "./QueryNames.ts"
import * as RequestId from "./RequestId.ts"

const normalizeUrl = (url: string): string => {
  const start = url.indexOf("?")
  if (start === -1) return url
  const query = url
    .slice(start + 1)
    .split("&")
    .map((pair) => {
      const [name = "", ...value] = pair.split("=")
      return [QueryNames.canonical(name), ...value].join("=")
    })
  return `${url.slice(0, start)}?${query.join("&")}`
}

// `application/*+json` is sent literally by clients generated from the contract's document.
const jsonTypes = /^\s*(?:text\/json|application\/(?:\*|[\w.!#$&^-]+)\+json)\s*(?=;|$)/i

const normalizeHeaders = (headers: Headers.Headers): Headers.Headers => {
  const contentType = headers["content-type"]
  return contentType !== undefined && jsonTypes.test(contentType)
    ? Headers.set(headers, "content-type", contentType.replace(jsonTypes, "application/json"))
    : headers
}

const isRouteNotFound = (error: unknown): boolean =>
  HttpServerError.isHttpServerError(error) && error.reason._tag === "RouteNotFound"

/** The middleware of the whole server. `maxBodySize` is the most a body may have. */
export const layer = (options: { readonly maxBodySize: ByteSize.ByteSize }) =>
  HttpRouter.middleware(
    Effect.gen(function* () {
      const random = yield* SecureRandom.SecureRandom
      const maxBytes = Number(options.maxBodySize)
      return (httpEffect) =>
        Effect.gen(function* () {
          const request = yield* HttpServerRequest.HttpServerRequest
          const requestId = yield* RequestId.fromHeaders(request.headers, random)
          const url = PlainTexts.withPlainPath(normalizeUrl(request.url))
          // Refused before it is read; a body that does not say its length is stopped at the limit.
          const routed =
            Number(request.headers["content-length"] ?? 0) > maxBytes
              ? ProblemResponse.fromError(new PayloadTooLarge({ maxBytes })).pipe(
                  Effect.map(HttpServerResponse.setHeader("connection", "close"))
                )
              : PlainTexts.checkQuery(url).pipe(
                  Effect.matchEffect({ onFailure: ProblemResponse.fromError, onSuccess: () => httpEffect }),
                  Effect.catchIf(isRouteNotFound, () =>
                    ProblemResponse.blank(404, "Not Found", "There is no such endpoint.")
                  ),
                  Effect.provideService(
                    HttpServerRequest.HttpServerRequest,
                    PlainTexts.withPlainBody(request.modify({ url, headers: normalizeHeaders(request.headers) }))
                  ),
                  Effect.provideService(HttpIncomingMessage.MaxBodySize, options.maxBodySize)
                )
          const response = yield* routed.pipe(
            Effect.annotateLogs({ requestId }),
            Effect.provideService(RequestId.RequestId, requestId)
          )
          return HttpServerResponse.setHeaders(response, {
            [RequestId.header]: requestId,
            [supportedHeader]: "true",
            "x-content-type-options": "nosniff"
          })
        })
    }),
    { global: true }
  )
