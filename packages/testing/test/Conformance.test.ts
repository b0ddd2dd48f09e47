import * as ChatbotTest from "@effect-chatbot/testing/ChatbotTest"
import * as Conformance from "@effect-chatbot/testing/Conformance"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"

/** The backend in memory, as something to check. */
const target = Layer.unwrap(
  Effect.gen(function* () {
    const { baseUrl, http, tokenOf } = yield* ChatbotTest.Backend
    return Conformance.layer({
      baseUrl,
      token: yield* tokenOf("admin"),
      userToken: yield* tokenOf("ada"),
      otherToken: yield* tokenOf("grace"),
      isDestructive: true
    }).pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, http)))
  })
).pipe(Layer.provide(ChatbotTest.layer({ bots: {} })))

layer(target)("the backend in memory", (it) => {
  for (const check of Conformance.checks) it.effect(check.id, () => Conformance.verify(check))
})

describe("Conformance.checks", () => {
  it("have ids of their own", () => {
    const ids = Conformance.checks.map(({ id }) => id)
    assert.strictEqual(new Set(ids).size, ids.length)
  })
})
