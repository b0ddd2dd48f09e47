/**
 * Texts in two languages.
 */
import * as Schema from "effect/Schema"
import { omittable, text } from "./internal/wire.ts"

/** A text and its German form. Users see the first; the second is kept for programs that show German. */
export const TermValue = Schema.Struct({
  value: text,
  valueDe: text
}).annotate({ identifier: "TermValueDto" })

/** A text and its German form. Users see the first; the second is kept for programs that show German. */
export interface TermValue extends Schema.Schema.Type<typeof TermValue> {}

/** A text that may be absent, as a field of a model. */
export const term = omittable(TermValue)
