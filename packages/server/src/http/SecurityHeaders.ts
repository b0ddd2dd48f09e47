/**
 * The headers that keep browsers from doing more with an answer than it is for. They are on every answer, problems included.
 */
import * as HttpServerResponse from "effect/http/HttpServerResponse"

/** What an answer says unless its endpoint says otherwise: it is data for a program, is shown nowhere, and nobody keeps a copy of it. */
const byDefault = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer"
} as const

const always = { "x-content-type-options": "nosniff" } as const

/** A year, as browsers want it for their lists (RFC 6797, 6.1). */
const overTlsOnly = { "strict-transport-security": "max-age=31536000" } as const

/** The headers of an answer that says nothing about itself. */
export const headers: Readonly<Record<string, string>> = { ...byDefault, ...always }

/** Adds the headers to an answer. With `hsts`, browsers are told to come by TLS only. */
export const add = (
  response: HttpServerResponse.HttpServerResponse,
  options: { readonly hsts: boolean }
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.setHeaders(response, {
    ...byDefault,
    ...response.headers,
    ...always,
    ...(options.hsts ? overTlsOnly : undefined)
  })
