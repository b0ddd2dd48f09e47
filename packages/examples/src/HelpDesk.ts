/**
 * A service on top of the client: a help desk that answers what the bots know, and hands on to people what they do not.
 *
 * It asks for `Chats` and knows neither backend nor transport, so its test `test/HelpDesk.test.ts` gives it a mock:
 *
 * ```sh
 * pnpm test packages/examples/test/HelpDesk.test.ts
 * ```
 */
import { Chats, Predicates } from "@effect-chatbot/client"
import type { Completion } from "@effect-chatbot/schema/Chat"
import { Context, Effect, Layer, Schema } from "effect"

/** What becomes of a question. */
export type Reply =
  | { readonly _tag: "Answered"; readonly text: string; readonly documents: ReadonlyArray<string> }
  | { readonly _tag: "HandedOn" }

/** The help desk cannot take the question now; it can later. */
export class HelpDeskClosed extends Schema.TaggedError<HelpDeskClosed>()("HelpDeskClosed", {}) {}

/** What is drawn from no document is an apology, or a guess. */
const replyOf = ({ assistantMessage, metaData }: Completion): Reply => {
  const documents = (metaData?.sources ?? []).flatMap(({ fileName }) => fileName ?? [])
  return assistantMessage === undefined || documents.length === 0
    ? { _tag: "HandedOn" }
    : { _tag: "Answered", text: assistantMessage, documents }
}

/** Answers what the bots know, and hands on to people what they do not. */
export class HelpDesk extends Context.Service<
  HelpDesk,
  { readonly answer: (question: string) => Effect.Effect<Reply, HelpDeskClosed> }
>()("examples/HelpDesk") {
  /** Over the chats of a client. */
  static readonly layer: Layer.Layer<HelpDesk, never, Chats> = Layer.effect(
    HelpDesk,
    Effect.gen(function* () {
      const chats = yield* Chats
      return {
        answer: Effect.fn("HelpDesk.answer")(
          function* (question) {
            const { chatId } = yield* chats.createByBotCode("guide")
            return replyOf(yield* chats.complete(chatId, question))
          },
          // What may pass is for the caller; anything else is a mistake of this program or of its configuration.
          Effect.catch((error) =>
            Predicates.isRetryable(error) ? Effect.fail(new HelpDeskClosed()) : Effect.die(error)
          )
        )
      }
    })
  )
}
