import { TextBoolean } from "@effect-chatbot/schema/TextBoolean"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const decode = Schema.decodeUnknownEffect(TextBoolean)

describe("TextBoolean", () => {
  it.effect.each([
    ["true", true],
    ["True", true],
    ["TRUE", true],
    ["false", false],
    ["False", false]
  ] as const)("reads %s", ([text, expected]) =>
    Effect.map(decode(text), (value) => assert.strictEqual(value, expected))
  )

  it.effect.each(["", "1", "0", "yes", "xyz", " true", "truefalse"])("refuses %j", (text) => Effect.flip(decode(text)))

  it.effect("writes lower case", () =>
    Effect.map(Schema.encodeEffect(TextBoolean)(true), (text) => assert.strictEqual(text, "true"))
  )
})
