/**
 * The status of the system, as a text for its users.
 */
import { Api } from "@effect-chatbot/api/Api"
import type { Forbidden, InvalidRequest, PayloadTooLarge } from "@effect-chatbot/schema/Errors"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"
import type { CallError } from "./CallError.ts"
import type { ClientConfig } from "./ClientConfig.ts"
import { callOf } from "./internal/call.ts"
import { layerOf } from "./internal/connection.ts"

const endpoints = Api.groups.system.endpoints
const call = callOf("system")

const calls = {
  status: call(endpoints.status),
  setStatus: call(endpoints.setStatus)
}

/** The status of the system, as a text for its users. */
export class System extends Context.Service<
  System,
  {
    /** The text shown to users; empty when all is well. Needs no token. */
    readonly status: Effect.Effect<string, CallError>

    /** Sets the text shown to users; an empty one says that all is well. For admins. */
    readonly setStatus: (text: string) => Effect.Effect<void, InvalidRequest | Forbidden | PayloadTooLarge | CallError>
  }
>()("@effect-chatbot/client/System") {
  /** Over the {@link ClientConfig} and a transport. */
  static readonly layer: Layer.Layer<System, never, ClientConfig | HttpClient.HttpClient> = layerOf(
    System,
    ({ run }) => ({
      status: Effect.map(run(calls.status, {}), ({ value }) => value ?? ""),
      setStatus: (value) => run(calls.setStatus, { payload: { value } })
    })
  )
}
