/**
 * How requests travel on Node.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"

/** Requests by undici, over a pool of connections that is closed with the layer. Redirects are not followed. */
export const layer: Layer.Layer<HttpClient.HttpClient> = NodeHttpClient.layerUndici
