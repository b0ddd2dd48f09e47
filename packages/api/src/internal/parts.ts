import { Completed, Delta, Failed, Sources, Started, Stopped } from "@effect-chatbot/schema/CompletionEvent"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { Problems } from "../Problems.ts"

/** Success without content: 200 with an empty body. */
export const Nothing = HttpApiSchema.Empty(200)

/** What every endpoint of the retry class `keyed` fails with beside its own, and after it: a status of both is that of its own first. */
export const keyErrors = [Problems.IdempotencyKeyInUse, Problems.IdempotencyKeyReused] as const

/** Success with a bare text: a JSON string, or the text as it is when the caller prefers `text/plain`. */
export const bareText = <S extends Schema.Top & { readonly Encoded: string }>(schema: S) =>
  [schema, schema.pipe(HttpApiSchema.asText())] as const

const event = <Name extends string, Data extends Schema.Constraint>(name: Name, data: Data) =>
  Schema.Struct({ id: Schema.String, event: Schema.Literal(name), data: Schema.fromJsonString(data) })

/** Success with the events of a completion. It describes them; `EventStream` writes and reads them. */
export const eventStream = HttpApiSchema.StreamSse({
  events: Schema.Union([
    event("started", Started),
    event("delta", Delta),
    event("sources", Sources),
    event("completed", Completed),
    event("stopped", Stopped),
    event("failed", Failed)
  ]).annotate({ identifier: "CompletionEvent" })
})
