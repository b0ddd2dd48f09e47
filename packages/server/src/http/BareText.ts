/**
 * Bare texts: a JSON string, or the text as it is when the caller prefers `text/plain`.
 */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { prefers } from "./Accept.ts"

/** The answer that is this text. */
export const bareText = (
  text: string
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, HttpServerRequest.HttpServerRequest> =>
  Effect.map(HttpServerRequest.HttpServerRequest, ({ headers }) =>
    prefers(headers["accept"], "text/plain") ? HttpServerResponse.text(text) : HttpServerResponse.jsonUnsafe(text)
  )
