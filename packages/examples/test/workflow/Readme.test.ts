import * as ChatbotTest from "@effect-chatbot/testing/ChatbotTest"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { readFileSync } from "node:fs"
import * as Program from "../support/Program.ts"
import { server } from "../support/Sockets.ts"

const file = "examples/test/workflow/support/readmeWorkflow.ts"
const readme = readFileSync(Program.path("../README.md"), "utf8")

const backend = ChatbotTest.layerServed({ bots: { client: {} }, answers: ["With `items`."] }).pipe(
  Layer.provide(server)
)

layer(backend, { excludeTestServices: true })("the README on workflows", (it) => {
  it.effect("shows a program that runs", () =>
    Effect.gen(function* () {
      assert.include(readme, readFileSync(Program.path(file), "utf8"))
      const { asked, baseUrl, tokenOf } = yield* ChatbotTest.Backend
      const token = Redacted.value(yield* tokenOf("reader"))
      const ended = yield* Program.run(file, { CHATBOT_BASE_URL: baseUrl, CHATBOT_TOKEN: token })
      assert.deepStrictEqual(ended, { code: 0, stdout: "With `items`.\n", stderr: "" })
      assert.strictEqual((yield* asked).length, 1)
    })
  )
})
