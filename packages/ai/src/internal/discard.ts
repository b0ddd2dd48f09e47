import type { Chats } from "@effect-chatbot/client/Chats"
import * as Timeouts from "@effect-chatbot/client/Timeouts"
import type { ChatId } from "@effect-chatbot/schema/Ids"
import * as Effect from "effect/Effect"

/** How long is waited for a chat to be deleted. */
const limits = { attempt: "5 seconds", deadline: "5 seconds" } as const

/** Deletes a chat that nobody needs any more. One that cannot be deleted is left, with a warning in the log. */
export const discard = (chats: Chats["Service"], chatId: ChatId): Effect.Effect<void> =>
  Effect.flatMap(Timeouts.Timeouts, (timeouts) =>
    chats.delete(chatId).pipe(
      Effect.provideService(Timeouts.Timeouts, { ...timeouts, ...limits }),
      Effect.catchTag("ChatNotFound", () => Effect.void),
      // Of the error its tag: it may have the id of the chat.
      Effect.catch((error) => Effect.logWarning(`A chat could not be deleted: ${error._tag}.`))
    )
  )
