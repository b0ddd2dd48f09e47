import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import type * as Schema from "effect/Schema"

/** Success without content: 200 with an empty body. */
export const Nothing = HttpApiSchema.Empty(200)

/** Success with a bare text: a JSON string, or the text as it is when the caller prefers `text/plain`. */
export const bareText = <S extends Schema.Top & { readonly Encoded: string }>(schema: S) =>
  [schema, schema.pipe(HttpApiSchema.asText())] as const
