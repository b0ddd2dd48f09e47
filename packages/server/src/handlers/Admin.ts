import { Api } from "@effect-chatbot/api/Api"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { bareText } from "../http/BareText.ts"
import { OpenAiServices } from "../OpenAiServices.ts"

/** The handlers of the admin group. */
export const layer = HttpApiBuilder.group(
  Api,
  "admin",
  Effect.fnUntraced(function* (handlers) {
    const services = yield* OpenAiServices
    return handlers.handleAll({
      listOpenAiServices: ({ query }) => services.list(query),
      createOpenAiService: ({ payload }) => Effect.flatMap(services.create(payload), bareText),
      getOpenAiService: ({ params }) => services.get(params.openAiServiceId),
      updateOpenAiService: ({ params, payload }) => services.update(params.openAiServiceId, payload),
      deleteOpenAiService: ({ params }) => services.delete(params.openAiServiceId)
    })
  })
)
