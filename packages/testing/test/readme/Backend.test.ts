// oxlint-disable chatbot/imports -- what follows stands in the README, and its readers import what is short.
import { ChatbotTest, Conformance } from "@effect-chatbot/testing"
import { layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { HttpClient } from "effect/http"

const backend = Layer.unwrap(
  Effect.gen(function* () {
    const { baseUrl, http, tokenOf } = yield* ChatbotTest.Backend
    const tokens = {
      token: yield* tokenOf("admin"),
      userToken: yield* tokenOf("ada"),
      otherToken: yield* tokenOf("ben")
    }
    return Conformance.layer({ baseUrl, ...tokens }).pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, http)))
  })
).pipe(Layer.provide(ChatbotTest.layer()))

layer(backend)("the backend in memory", (it) => {
  it.effect.each([...Conformance.choose({ check: "users.*SystemMessage" })])("keeps $id", Conformance.verify)
})
