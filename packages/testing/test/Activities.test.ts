import * as Activities from "@effect-chatbot/client/Activities"
import { Chats } from "@effect-chatbot/client/Chats"
import * as IdempotencyKeys from "@effect-chatbot/client/IdempotencyKeys"
import type { CreatedChat } from "@effect-chatbot/schema/Chat"
import { InvalidRequest } from "@effect-chatbot/schema/Errors"
import * as ChatbotTest from "@effect-chatbot/testing/ChatbotTest"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Workflow from "effect/workflow/Workflow"
import * as WorkflowEngine from "effect/workflow/WorkflowEngine"

type Given = Scope.Scope | WorkflowEngine.WorkflowEngine | WorkflowEngine.WorkflowInstance

const backend = ChatbotTest.layer({ bots: { support: {} }, answers: ["Yes.", "No."] })

const Ask = Workflow.make("Ask", {
  payload: { id: Schema.String },
  idempotencyKey: ({ id }) => id,
  success: Schema.String,
  error: Activities.anyError
})

const AskLive = Ask.toLayer(
  Effect.fnUntraced(function* () {
    const { chatId } = yield* Activities.createByBotCode("open", "support").pipe(Activities.deleteOnFailure("clean up"))
    const { assistantMessage = "" } = yield* Activities.complete("ask", chatId, "Do you take cards?")
    yield* Activities.feedback("rate", chatId, { voteId: 1 })
    return assistantMessage
  })
)

/** In an engine of its own, which knows nothing of what was done: as after the death of one that had stored nothing yet. */
const anew = Effect.provide(
  Ask.execute({ id: "1" }),
  Layer.fresh(Layer.provideMerge(AskLive, WorkflowEngine.layerMemory))
)

it.effect("a workflow that begins anew does nothing again, and has the answers it had", () =>
  Effect.gen(function* () {
    const { as, asked, botId } = yield* ChatbotTest.Backend
    assert.strictEqual(yield* anew, "Yes.")
    assert.strictEqual(yield* anew, "Yes.")
    assert.strictEqual((yield* asked).length, 1)
    const { chats, users } = yield* as("user")
    const [chat, ...others] = yield* Stream.runCollect(users.chatItems())
    assert.deepStrictEqual(others, [])
    assert.strictEqual((yield* chats.get(chat!.chatId)).completions.length, 1)
    const { adminBots } = yield* as("admin")
    assert.strictEqual((yield* adminBots.feedback.list(yield* botId("support"))).totalItemCount, 1)
  }).pipe(Effect.provide(backend))
)

it.effect("a chat of nobody needs a key that cannot be guessed", () =>
  Effect.gen(function* () {
    const open = Activities.createByBotCode("open", "guide")
    const { chats } = yield* Effect.flatMap(ChatbotTest.Backend, ({ anonymous }) => anonymous)
    const run = (opening: Effect.Effect<CreatedChat, typeof Activities.anyError.Type, Chats | Given>) =>
      Ask.execute({ id: "1" }).pipe(
        Effect.provide(
          Ask.toLayer(() => Effect.as(opening, "opened")).pipe(Layer.provideMerge(WorkflowEngine.layerMemory))
        ),
        Effect.provideService(Chats, chats)
      )
    assert.instanceOf(yield* Effect.flip(run(open)), InvalidRequest)
    const keys = { ...IdempotencyKeys.standard, key: "5f0c2a3e-7d1b-4c46-9a53-0e6f3b1d2c48" }
    assert.strictEqual(yield* run(Effect.provideService(open, IdempotencyKeys.IdempotencyKeys, keys)), "opened")
  }).pipe(Effect.scoped, Effect.provide(ChatbotTest.layer({ bots: { guide: { isOpen: true } } })))
)
