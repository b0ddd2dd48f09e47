import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as ChatbotTest from "@effect-chatbot/testing/ChatbotTest"
import * as ChatLife from "@effect-chatbot/testing/ChatLife"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"

const backend = ChatbotTest.layer({
  bots: { support: {} },
  answers: ({ userMessage }) => `You said: ${userMessage}.`
})

describe("ChatLife", () => {
  it.layer(backend)((it) => {
    it.effect.prop("agrees with the backend", { commands: ChatLife.Commands }, ({ commands }) =>
      ChatLife.live("support", commands)
    )
  })

  const broken = (methods: Partial<ChatbotClient["Service"]["users"]>) =>
    Effect.gen(function* () {
      const client = yield* ChatbotClient
      return yield* ChatLife.live("support", [
        { _tag: "Create" },
        { _tag: "SetFavorite", chat: 0, isFavorite: true },
        { _tag: "DeleteAll", keepFavorites: true }
      ]).pipe(Effect.provideService(ChatbotClient, { ...client, users: { ...client.users, ...methods } }), Effect.flip)
    }).pipe(Effect.provide(backend))

  it.effect("tells where a backend does not agree, and what led there", () =>
    Effect.gen(function* () {
      const forgetful = yield* broken({ setFavorite: () => Effect.void })
      assert.include(forgetful.message, '{"_tag":"SetFavorite","chat":0,"isFavorite":true}')
      assert.include(forgetful.message, "0.isFavorite: false and not true")
    })
  )
})
