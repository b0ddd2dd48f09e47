import { Api } from "@effect-chatbot/api/Api"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Caches } from "../Caches.ts"

/** The handlers of the cache group. */
export const layer = HttpApiBuilder.group(
  Api,
  "cache",
  Effect.fnUntraced(function* (handlers) {
    const caches = yield* Caches
    return handlers.handleAll({
      clear: () => Effect.as(caches.clear, {})
    })
  })
)
