import { Api } from "@effect-chatbot/api/Api"
import { CurrentCaller } from "@effect-chatbot/api/middleware/Authorization"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { ChatService } from "../ChatService.ts"
import { CompletionRuns } from "../CompletionRuns.ts"
import { Downloads } from "../Downloads.ts"
import { bareText } from "../http/BareText.ts"
import { attachment, content } from "../http/Content.ts"
import { eventStream, wantsEvents } from "../http/EventStreamResponse.ts"
import { signedIn } from "../http/SignedIn.ts"
import { Tickets } from "../Tickets.ts"

/** The handlers of the chats group. */
export const layer = HttpApiBuilder.group(
  Api,
  "chats",
  Effect.fnUntraced(function* (handlers) {
    const chats = yield* ChatService
    const runs = yield* CompletionRuns
    const tickets = yield* Tickets
    const downloads = yield* Downloads
    return handlers.handleAll({
      create: ({ payload }) => Effect.flatMap(CurrentCaller, (caller) => chats.create(caller, payload.botId)),
      createByBotCode: ({ payload }) =>
        Effect.flatMap(CurrentCaller, (caller) => chats.createByBotCode(caller, payload.botCode)),
      complete: Effect.fnUntraced(function* ({ params, payload }) {
        const caller = yield* CurrentCaller
        if (!(yield* wantsEvents)) return yield* runs.complete(caller, params.chatId, payload)
        const { completionId, events } = yield* runs.stream(caller, params.chatId, payload)
        return eventStream(completionId, events)
      }),
      events: ({ headers, params }) =>
        CurrentCaller.pipe(
          Effect.flatMap((caller) =>
            runs.events(caller, params.chatId, params.completionId, headers["last-event-id"] ?? 0)
          ),
          Effect.map((events) => eventStream(params.completionId, events))
        ),
      stop: ({ params }) =>
        Effect.flatMap(CurrentCaller, (caller) => runs.stop(caller, params.chatId, params.completionId)),
      openBot: () => chats.openBot,
      get: ({ params }) => Effect.flatMap(CurrentCaller, (caller) => chats.get(caller, params.chatId)),
      delete: ({ params }) => Effect.flatMap(CurrentCaller, (caller) => chats.delete(caller, params.chatId)),
      feedback: ({ params, payload }) =>
        Effect.flatMap(CurrentCaller, (caller) => chats.giveFeedback(caller, params.chatId, payload)),
      rename: ({ params, payload }) =>
        Effect.flatMap(CurrentCaller, (caller) => chats.rename(caller, params.chatId, payload.displayName)),
      setUserSystemMessage: ({ params, payload }) =>
        Effect.flatMap(signedIn, (user) =>
          chats.setUserSystemMessage(user, params.chatId, payload.userSystemMessageId)
        ),
      removeUserSystemMessage: ({ params }) =>
        Effect.flatMap(signedIn, (user) => chats.removeUserSystemMessage(user, params.chatId)),
      createTicket: ({ params }) =>
        CurrentCaller.pipe(
          Effect.flatMap((caller) => tickets.create(caller, params.chatId)),
          Effect.flatMap(bareText)
        ),
      download: ({ params, query }) =>
        CurrentCaller.pipe(
          Effect.flatMap((caller) => downloads.open(caller, params.chatId, params["*"], query.ticket)),
          Effect.flatMap((download) =>
            content(download, {
              "content-disposition": attachment(download.fileName),
              "content-security-policy": "sandbox",
              "cache-control": "private, no-cache",
              "referrer-policy": "no-referrer"
              // Who is refused the range asked for is given nothing for the ticket.
            }).pipe(Effect.tap(({ status }) => (status < 400 ? download.redeem : Effect.void)))
          )
        )
    })
  })
)
