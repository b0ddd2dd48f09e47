/**
 * How requests travel, wherever there is `fetch`: browsers, workers, Bun, Deno and Node. On Node, `NodeTransport` costs less.
 */
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"

/**
 * Requests by the global `fetch`, or by another one that `FetchHttpClient.Fetch` holds.
 *
 * A redirect is not followed but fails as an `UnexpectedStatus` (in a browser, of status 0): followed, a POST could become a GET, and an
 * answer of another page could pass for that of the backend.
 */
export const layer: Layer.Layer<HttpClient.HttpClient> = Layer.provide(
  FetchHttpClient.layer,
  Layer.succeed(FetchHttpClient.RequestInit, { redirect: "manual" })
)
