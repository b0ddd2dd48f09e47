/**
 * Bare texts: a JSON string, or the text as it is when the caller prefers `text/plain`.
 */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"

/** How much the `Accept` header wants a type, from 0 to 1: the most specific range that matches it counts (RFC 9110, 12.5.1). */
const quality = (accept: string, type: string, subtype: string): number => {
  let best = { specificity: 0, quality: 0 }
  for (const range of accept.split(",")) {
    const [media = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase())
    const specificity = media === `${type}/${subtype}` ? 3 : media === `${type}/*` ? 2 : media === "*/*" ? 1 : 0
    if (specificity <= best.specificity) continue
    const q = Number(parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? 1)
    best = { specificity, quality: Number.isNaN(q) ? 0 : q }
  }
  return best.quality
}

/** Whether an `Accept` header prefers plain text to JSON. Without one, and at a draw, it does not. */
export const prefersPlainText = (accept: string | undefined): boolean =>
  accept !== undefined && quality(accept, "text", "plain") > quality(accept, "application", "json")

/** The answer that is this text. */
export const bareText = (
  text: string
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, HttpServerRequest.HttpServerRequest> =>
  Effect.map(HttpServerRequest.HttpServerRequest, ({ headers }) =>
    prefersPlainText(headers["accept"]) ? HttpServerResponse.text(text) : HttpServerResponse.jsonUnsafe(text)
  )
