import { ChatbotTest } from "@effect-chatbot/testing"
import { ChatBusy, ChatNotFound, ProviderTimedOut } from "@effect-chatbot/schema/Errors"
import { ChatId, CompletionId } from "@effect-chatbot/schema/Ids"
import { assert, it } from "@effect/vitest"
import { Cause, Effect, Exit, Layer } from "effect"
import { HelpDesk } from "../src/HelpDesk.ts"

type Complete = NonNullable<NonNullable<ChatbotTest.Mocked["chats"]>["complete"]>

const chatId = ChatId.make("c")

/** The help desk over a client that makes one chat and completes as it is told. */
const over = (complete: Complete) => {
  const createByBotCode = () => Effect.succeed({ chatId, isUserSystemMessageSupported: false })
  return HelpDesk.layer.pipe(Layer.provideMerge(ChatbotTest.mock({ chats: { createByBotCode, complete } })))
}

/** An answer that is drawn from these documents. */
const answered = (...fileNames: ReadonlyArray<string>) =>
  over(() =>
    Effect.succeed({
      completionId: CompletionId.make("k"),
      assistantMessage: "Yes.",
      metaData: { tags: [], sources: fileNames.map((fileName) => ({ fileName })) },
      promptTokens: 1,
      completionTokens: 1,
      totalTokens: 2
    })
  )

const answer = Effect.flatMap(HelpDesk, ({ answer }) => answer("Do you take cards?"))

it.effect("answers what the bots know", () =>
  Effect.gen(function* () {
    assert.deepStrictEqual(yield* answer, { _tag: "Answered", text: "Yes.", documents: ["cards.md"] })
    assert.deepStrictEqual(yield* ChatbotTest.calls(), [
      { name: "chats.createByBotCode", arguments: ["guide"] },
      { name: "chats.complete", arguments: [chatId, "Do you take cards?"] }
    ])
  }).pipe(Effect.provide(answered("cards.md")))
)

it.effect("hands on what is drawn from no document", () =>
  Effect.gen(function* () {
    assert.deepStrictEqual(yield* answer, { _tag: "HandedOn" })
  }).pipe(Effect.provide(answered()))
)

it.effect.each([new ChatBusy({}), new ProviderTimedOut({})])("is closed for a while: %s", (error) =>
  Effect.gen(function* () {
    assert.strictEqual((yield* Effect.flip(answer))._tag, "HelpDeskClosed")
  }).pipe(Effect.provide(over(() => Effect.fail(error))))
)

it.effect("does not hide what should not happen", () =>
  Effect.gen(function* () {
    const exit = yield* Effect.exit(answer)
    assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
  }).pipe(Effect.provide(over(() => Effect.fail(new ChatNotFound({})))))
)
