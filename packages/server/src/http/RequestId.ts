/**
 * The id of the request being answered. It stands in the answer's `x-request-id`, in problems and in every log line.
 */
import * as Context from "effect/Context"
import type { SecureRandom } from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import type * as Headers from "effect/http/Headers"

/** The header that carries the id, both ways. */
export const header = "x-request-id"

/** The id of the request being answered. */
export const RequestId = Context.Reference<string>("@effect-chatbot/server/RequestId", { defaultValue: () => "" })

// What a caller sends stands in our logs and headers, so it is bounded and plain.
const isAcceptable = (id: string | undefined): id is string => id !== undefined && /^[\w.:-]{1,128}$/.test(id)

/** The id the caller gave, if it is a plain text of at most 128 characters, else a new UUIDv7. */
export const fromHeaders = (headers: Headers.Headers, random: SecureRandom["Service"]): Effect.Effect<string> => {
  const given = headers[header]
  return isAcceptable(given) ? Effect.succeed(given) : random.uuidV7()
}
