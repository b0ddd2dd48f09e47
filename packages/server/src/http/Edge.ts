/**
 * What is done to every request before it is routed, so that the contract behind it stays strict: ids for requests, who sent them, the
 * spellings that clients of this API use for names of queries and content types, the limits of URIs and bodies, and a problem for what has
 * no route.
 */
import { supportedHeader } from "@effect-chatbot/api/middleware/IdempotencyKeys"
import { PayloadTooLarge } from "@effect-chatbot/schema/Errors"
import type * as ByteSize from "effect/ByteSize"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerError from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as IpNetwork from "effect/net/IpNetwork"
import * as Cors from "./Cors.ts"
import * as HealthRoutes from "./HealthRoutes.ts"
import { Methods } from "./Methods.ts"
import * as OpenAiErrors from "./OpenAiErrors.ts"
import * as PlainTexts from "./PlainTexts.ts"
import * as ProblemResponse from "./ProblemResponse.ts"
import * as QueryNames from "./QueryNames.ts"
import { RateLimits } from "./RateLimits.ts"
import * as RequestId from "./RequestId.ts"
import * as SecurityHeaders from "./SecurityHeaders.ts"

/** What an operator may choose about the edge. */
export interface EdgeOptions {
  /** The most a body may have. */
  readonly maxBodySize: ByteSize.ByteSize
  /** The most characters the path and the query of a request may have. Default 8192. */
  readonly maxUriLength?: number | undefined
  /** The networks of the proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed. Default none. */
  readonly trustedProxies?: ReadonlyArray<IpNetwork.IpNetwork> | undefined
  /** The origins whose pages may call from a browser, see `Cors`. Default none. */
  readonly corsOrigins?: ReadonlyArray<string> | undefined
  /** Whether browsers are told to come by TLS only. Default `false`. */
  readonly hsts?: boolean | undefined
}

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

/** Whether the body is in a content coding: none is undone here. */
const isEncoded = (headers: Headers.Headers): boolean =>
  !/^\s*(?:identity)?\s*$/i.test(headers["content-encoding"] ?? "")

const isRouteNotFound = (error: unknown): boolean =>
  HttpServerError.isHttpServerError(error) && error.reason._tag === "RouteNotFound"

/** The middleware of the whole server. */
export const layer = (options: EdgeOptions) =>
  HttpRouter.middleware(
    Effect.gen(function* () {
      const random = yield* SecureRandom.SecureRandom
      const methods = yield* Methods
      const rateLimits = yield* RateLimits
      const maxBytes = Number(options.maxBodySize)
      const { corsOrigins = [], hsts = false, maxUriLength = 8192, trustedProxies = [] } = options
      const forwarded = HttpMiddleware.xForwardedHeaders({ trustedProxies })
      const cors = corsOrigins.length === 0 ? undefined : Cors.middleware(corsOrigins)

      /** Why a request is refused before it is read. */
      const refusal = ({ headers, url }: HttpServerRequest.HttpServerRequest) => {
        if (url.length > maxUriLength) {
          return ProblemResponse.blank(414, "URI Too Long", `The URI may have ${maxUriLength} characters.`)
        }
        if (isEncoded(headers)) {
          const detail = "The body must be sent without a Content-Encoding."
          return ProblemResponse.blank(415, "Unsupported Media Type", detail, { "accept-encoding": "identity" })
        }
        // A body that does not say its length is stopped at the limit.
        return Number(headers["content-length"] ?? 0) > maxBytes
          ? ProblemResponse.fromError(new PayloadTooLarge({ maxBytes }))
          : undefined
      }

      const notRouted = ({ method, url }: HttpServerRequest.HttpServerRequest) => {
        const allowed = methods.of(url)
        return allowed.length === 0
          ? ProblemResponse.blank(404, "Not Found", "There is no such endpoint.")
          : ProblemResponse.blank(405, "Method Not Allowed", `This endpoint has no ${method}.`, {
              allow: allowed.join(", ")
            })
      }

      return (httpEffect) => {
        const routed = Effect.gen(function* () {
          const request = yield* HttpServerRequest.HttpServerRequest
          const refused = refusal(request)
          if (refused !== undefined) return HttpServerResponse.setHeader(yield* refused, "connection", "close")
          const url = PlainTexts.withPlainPath(normalizeUrl(request.url))
          return yield* PlainTexts.checkQuery(url).pipe(
            Effect.matchEffect({ onFailure: ProblemResponse.fromError, onSuccess: () => httpEffect }),
            Effect.catchIf(isRouteNotFound, () => Effect.flatMap(HttpServerRequest.HttpServerRequest, notRouted)),
            Effect.provideService(
              HttpServerRequest.HttpServerRequest,
              PlainTexts.withPlainBody(request.modify({ url, headers: normalizeHeaders(request.headers) }))
            ),
            Effect.provideService(HttpIncomingMessage.MaxBodySize, options.maxBodySize)
          )
        })
        const limited = Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ url }) =>
          // Whoever looks after the process is told in any case.
          url.startsWith(HealthRoutes.prefix)
            ? routed
            : Effect.matchEffect(rateLimits.request, { onFailure: ProblemResponse.fromError, onSuccess: () => routed })
        ).pipe(forwarded)
        return Effect.gen(function* () {
          const { headers, url } = yield* HttpServerRequest.HttpServerRequest
          const requestId = yield* RequestId.fromHeaders(headers, random)
          const ours = { [RequestId.header]: requestId, [supportedHeader]: "true" }
          // Here, and not only on the answer, so that none is without them, whatever it is made of.
          yield* HttpEffect.appendPreResponseHandler((_request, response) =>
            Effect.succeed(HttpServerResponse.setHeaders(SecurityHeaders.add(response, { hsts }), ours))
          )
          return yield* (cors === undefined ? limited : cors(limited)).pipe(
            Effect.map(HttpServerResponse.setHeaders(ours)),
            Effect.annotateLogs({ requestId }),
            Effect.provideService(RequestId.RequestId, requestId),
            Effect.provideService(
              ProblemResponse.Writing,
              OpenAiErrors.isSpokenAt(url) ? OpenAiErrors.written : undefined
            )
          )
        })
      }
    }),
    { global: true }
  )
