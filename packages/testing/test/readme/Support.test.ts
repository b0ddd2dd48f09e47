// oxlint-disable chatbot/imports -- what follows stands in the README, and its readers import what is short.
import { ChatbotTest } from "@effect-chatbot/testing"
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Support } from "./Support.ts"

const backend = ChatbotTest.layer({ bots: { support: {} }, answers: ["Yes, we take cards."] })

it.effect("answers", () =>
  Effect.gen(function* () {
    const { answer } = yield* Support
    assert.strictEqual(yield* answer("Do you take cards?"), "Yes, we take cards.")
  }).pipe(Effect.provide(Support.layer.pipe(Layer.provide(backend))))
)
