/**
 * A boolean in a URL. Some clients write `true` and some `True`, so any case is read; anything else is refused, for a wrong guess
 * here would delete favourites.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaIssue from "effect/SchemaIssue"

/** `true` or `false` in any case; written in lower case. */
export const TextBoolean = Schema.String.pipe(
  Schema.decodeTo(Schema.Boolean, {
    decode: SchemaGetter.transformEffect((input, options) => {
      const text = input.toLowerCase()
      return text === "true" || text === "false"
        ? Effect.succeed(text === "true")
        : Effect.fail(new SchemaIssue.InvalidValue({ message: "Expected true or false" }, input, options))
    }),
    encode: SchemaGetter.transform((value) => (value ? "true" : "false"))
  })
)
