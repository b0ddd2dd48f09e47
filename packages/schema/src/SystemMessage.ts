/**
 * The status of the system, as a text for its users.
 */
import * as Schema from "effect/Schema"
import { text } from "./internal/wire.ts"

/** The text shown to users about the state of the system; absent or empty when all is well. */
export const SystemMessage = Schema.Struct({
  value: text
}).annotate({ identifier: "SystemMessageDto" })

/** The text shown to users about the state of the system; absent or empty when all is well. */
export interface SystemMessage extends Schema.Schema.Type<typeof SystemMessage> {}

/** An answer with nothing in it: `{}`. */
export const Empty = Schema.Struct({}).annotate({ identifier: "EmptyDto" })

/** An answer with nothing in it: `{}`. */
export interface Empty extends Schema.Schema.Type<typeof Empty> {}
