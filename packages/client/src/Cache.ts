/**
 * The caches of the backend.
 */
import { Api } from "@effect-chatbot/api/Api"
import type { Forbidden } from "@effect-chatbot/schema/Errors"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"
import type { CallError } from "./CallError.ts"
import type { ClientConfig } from "./ClientConfig.ts"
import { callOf } from "./internal/call.ts"
import { layerOf } from "./internal/connection.ts"

const endpoints = Api.groups.cache.endpoints
const call = callOf("cache")

const calls = {
  clear: call(endpoints.clear)
}

/** The caches of the backend. For admins. */
export class Cache extends Context.Service<
  Cache,
  {
    /** Drops every cache of the backend, on all of its processes. What was cached is computed anew when it is needed. */
    readonly clear: Effect.Effect<void, Forbidden | CallError>
  }
>()("@effect-chatbot/client/Cache") {
  /** Over the {@link ClientConfig} and a transport. */
  static readonly layer: Layer.Layer<Cache, never, ClientConfig | HttpClient.HttpClient> = layerOf(
    Cache,
    ({ run }) => ({
      clear: Effect.asVoid(run(calls.clear, {}))
    })
  )
}
