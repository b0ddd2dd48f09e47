import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { messageOf, repeatable } from "../src/internal/repeatable.ts"

/** Whether two texts have a run of so many characters in common. */
const share = (one: string, other: string, run: number): boolean => {
  for (let at = 0; at + run <= other.length; at++) if (one.includes(other.slice(at, at + run))) return true
  return false
}

describe("what is told of what a provider said", () => {
  it.effect("never has a run of the prompt or the key in it, wherever that was repeated", () =>
    Effect.sync(() => {
      const letters = (minLength: number, maxLength: number) =>
        fc.string({ unit: fc.constantFrom(..."abcdefgh 0123"), minLength, maxLength })
      const texts = fc.record({
        key: fc.string({ unit: fc.constantFrom(..."KLMNOPQRS-_"), minLength: 8, maxLength: 60 }),
        prompt: fc.array(letters(16, 400), { maxLength: 4 }),
        noise: fc.array(letters(0, 40), { minLength: 1, maxLength: 4 }),
        cut: fc.nat(50)
      })
      fc.assert(
        fc.property(texts, ({ cut, key, noise, prompt }) => {
          const said = noise
            .map((text, index) => `${text}${prompt[index]?.slice(cut) ?? ""} ${key.slice(index)}`)
            .join("")
          const told = repeatable(said, { key, prompt })
          assert.isAtMost(told.length, 300)
          assert.isFalse(share(told, key, 8), told)
          for (const part of prompt) assert.isFalse(share(told, part.replace(/\s+/g, " ").trim(), 16), told)
        })
      )
    })
  )

  it.effect("is left as it is otherwise, on one line", () =>
    Effect.sync(() => {
      const told = repeatable('model\n"llama3.2"\u0007  not found\t', {
        key: "ollama",
        prompt: ["Is there a model?", "", "Hi", "a b"]
      })
      assert.strictEqual(told, 'model "llama3.2" not found')
    })
  )

  it.effect("has a short secret struck out as a whole", () =>
    Effect.sync(() => {
      assert.strictEqual(repeatable("no user ollama!", { key: "ollama", prompt: [] }), "no user …!")
      assert.strictEqual(repeatable("I read: hunter2.", { key: undefined, prompt: ["hunter2"] }), "I read: ….")
    })
  )

  it.effect("is found where providers have it", () =>
    Effect.sync(() => {
      for (const body of [
        { error: { message: "No." } },
        { error: "No." },
        { message: "No." },
        { object: "error", message: "No.", code: 40 },
        { detail: "No." },
        { detail: [{ loc: ["body"], msg: "No." }] }
      ]) {
        assert.strictEqual(messageOf(body), "No.")
      }
      for (const body of [undefined, null, 1, {}, [], { error: {} }, { detail: [] }])
        assert.isUndefined(messageOf(body))
    })
  )
})
