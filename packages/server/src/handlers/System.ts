import { Api } from "@effect-chatbot/api/Api"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { SystemStatus } from "../SystemStatus.ts"

/** The handlers of the system group. */
export const layer = HttpApiBuilder.group(
  Api,
  "system",
  Effect.fnUntraced(function* (handlers) {
    const status = yield* SystemStatus
    return handlers.handleAll({
      status: () => status.get,
      setStatus: ({ payload }) => status.set(payload)
    })
  })
)
