// oxlint-disable chatbot/imports -- what follows stands in the README, and its readers import what is short.
import { Chats } from "@effect-chatbot/client"
import { Context, Effect, Layer } from "effect"

export class Support extends Context.Service<Support>()("Support", {
  make: Effect.gen(function* () {
    const chats = yield* Chats
    const answer = Effect.fn("Support.answer")(function* (question: string) {
      const { chatId } = yield* chats.createByBotCode("support")
      const { assistantMessage } = yield* chats.complete(chatId, question)
      return assistantMessage ?? "Nobody knows."
    })
    return { answer }
  })
}) {
  static readonly layer = Layer.effect(this, this.make)
}
