import * as Arbitraries from "@effect-chatbot/testing/Arbitraries"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"

describe("Arbitraries", () => {
  it.effect.each(Object.entries(Arbitraries) as ReadonlyArray<[string, Arbitrary.Arbitrary<unknown>]>)(
    "%s has many values, and the same with the same seed",
    ([, arbitrary]) =>
      Effect.gen(function* () {
        const options = { count: 20, seed: "seed" }
        const values = yield* Arbitrary.sampleEffect(arbitrary, options)
        assert.strictEqual(values.length, 20)
        assert.isTrue(new Set(values.map((value) => JSON.stringify(value))).size > 5)
        assert.deepStrictEqual(yield* Arbitrary.sampleEffect(arbitrary, options), values)
      })
  )
})
