import * as Tokenizer from "@effect-chatbot/server/Tokenizer"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { countTokens } from "gpt-tokenizer/encoding/o200k_base"

layer(Tokenizer.layer)("Tokenizer", (it) => {
  const count = (text: string) => Effect.flatMap(Tokenizer.Tokenizer, (tokenizer) => tokenizer.count(text))

  it.effect("counts the tokens of o200k_base", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* count(""), 0)
      // The well-known ids 24912 and 2375.
      assert.strictEqual(yield* count("hello world"), 2)
      for (const text of [
        "What is the default port?",
        "Größe, naïve café — 你好，世界 🙂",
        "const x = { a: 1 }\n\n\treturn x",
        "   \n  "
      ]) {
        assert.strictEqual(yield* count(text), countTokens(text), text)
      }
    })
  )

  it.effect("counts what looks like a special token as text", () =>
    Effect.gen(function* () {
      assert.isAbove(yield* count("<|endoftext|>"), 1)
      assert.isAbove(yield* count("<|im_start|>system"), 3)
    })
  )

  it.effect("counts a long text as the sum of its parts", () =>
    Effect.gen(function* () {
      const text = "The quick brown fox jumps over the lazy dog. ".repeat(2000)
      assert.strictEqual(yield* count(text), countTokens(text))
    })
  )

  // Without the cut the encoding takes minutes for these.
  it.effect(
    "counts a megabyte of one endless word, of signs, or of spaces about right",
    () =>
      Effect.gen(function* () {
        const size = 1 << 20
        const perToken = (tokens: number) => size / tokens
        assert.closeTo(perToken(yield* count("a".repeat(size))), 8, 0.1)
        assert.isAbove(yield* count("\u{1F600}".repeat(size / 4)), size / 16)
        assert.isAbove(yield* count(" ".repeat(size)), 1000)
      }),
    20_000
  )
})
