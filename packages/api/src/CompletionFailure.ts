/**
 * The failure of a completion: an error of the backend, the last event of a stream, and an error of its reader again.
 */
import { Failed } from "@effect-chatbot/schema/CompletionEvent"
import { CompletionFailed } from "@effect-chatbot/schema/Errors"
import type { CompletionId } from "@effect-chatbot/schema/Ids"
import * as Schema from "effect/Schema"
import { tagOf } from "./Problem.ts"
import { Problems } from "./Problems.ts"

/** Any error of a backend. */
export type BackendFailure = (typeof Problems)[keyof typeof Problems]["Type"]

const decodeFailed = Schema.decodeUnknownSync(Schema.toCodecJson(Failed))

/** The event that ends a stream with an error: the problem the endpoint would have answered. */
export const toEvent = (error: BackendFailure, completionId: CompletionId): Failed =>
  decodeFailed({ ...Schema.encodeUnknownSync(Problems[error._tag])(error), completionId })

/** The error that the reader of such a stream fails with. */
export const toError = ({
  completionId,
  detail,
  ref,
  requestId,
  retryAfter,
  title,
  type = ""
}: Failed): CompletionFailed => {
  const message = detail ?? title
  return new CompletionFailed({
    reason: tagOf(type) ?? type,
    ...(message === undefined ? undefined : { message }),
    ...(completionId === undefined ? undefined : { completionId }),
    ...(requestId === undefined ? undefined : { requestId }),
    ...(ref === undefined ? undefined : { ref }),
    ...(retryAfter === undefined ? undefined : { retryAfter })
  })
}
