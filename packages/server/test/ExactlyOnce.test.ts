import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"
import { exactlyOnce } from "./support/ExactlyOnce.ts"
import { TestBackend } from "./support/TestBackend.ts"

/** With `CHATBOT_TEST_FULL=true` there are 10,000 requests; `CHATBOT_TEST_SEED` repeats the luck of a run that failed. */
const rounds = process.env["CHATBOT_TEST_FULL"] === "true" ? 10_000 : 300
const seed = process.env["CHATBOT_TEST_SEED"] ?? randomUUID()

layer(TestBackend.layer, { excludeTestServices: true })("a keyed request whose answer is lost", (it) => {
  it.effect(
    `is done once, however often it is sent (seed ${seed})`,
    () =>
      Effect.gen(function* () {
        const { answers, tables } = yield* exactlyOnce({ rounds, seed })
        assert.strictEqual(
          Object.values(tables).reduce((sum, { calls }) => sum + calls, 0),
          rounds
        )
        for (const [table, { calls, ...stored }] of Object.entries(tables)) {
          assert.isAbove(calls, 0, table)
          assert.deepStrictEqual(stored, { failed: {}, stored: calls, lost: 0, twice: 0 }, table)
        }
        // All kinds of luck were had.
        assert.isAtLeast(answers.whole, rounds)
        assert.isAbove(answers.cut, rounds / 2)
        assert.isAbove(answers.early, 0)
      }),
    600_000
  )
})
