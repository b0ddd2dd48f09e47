import { Api } from "@effect-chatbot/api/Api"
import { CurrentCaller } from "@effect-chatbot/api/middleware/Authorization"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Stream from "effect/Stream"
import { BotService } from "../BotService.ts"
import { CompletionRuns } from "../CompletionRuns.ts"
import { bareText } from "../http/BareText.ts"
import { content } from "../http/Content.ts"
import { signedIn } from "../http/SignedIn.ts"

/** The handlers of the bots group. */
export const layer = HttpApiBuilder.group(
  Api,
  "bots",
  Effect.fnUntraced(function* (handlers) {
    const bots = yield* BotService
    const runs = yield* CompletionRuns
    return handlers.handleAll({
      search: ({ params, payload }) =>
        signedIn.pipe(
          Effect.flatMap((user) => bots.search(user, params.botId, payload.userMessage)),
          Effect.flatMap(bareText)
        ),
      list: ({ query }) => Effect.flatMap(signedIn, (user) => bots.list(user, query)),
      listByStartBot: ({ params, query }) =>
        Effect.flatMap(signedIn, (user) => bots.listByStartBot(user, params.startBotId, query)),
      startBots: ({ query }) => Effect.flatMap(signedIn, (user) => bots.startBots(user, query)),
      image: ({ params }) =>
        CurrentCaller.pipe(
          Effect.flatMap((caller) => bots.image(caller, params.botId)),
          Effect.flatMap(({ bytes, etag, mediaType }) =>
            content(
              {
                mediaType,
                etag,
                size: bytes.length,
                bytes: ({ end, start }) => Stream.succeed(bytes.subarray(start, end + 1))
              },
              { "cache-control": "private, max-age=3600" }
            )
          )
        ),
      stopAll: () => Effect.as(runs.stopAll, true)
    })
  })
)
