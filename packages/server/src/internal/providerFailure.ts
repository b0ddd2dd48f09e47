/**
 * What becomes of an attempt at a provider that failed: an error for who asked, and whether another attempt may succeed.
 *
 * The error names neither the host nor the service: who asks a bot has no business with where it is answered. The log names the service.
 */
import { ProviderFailed, ProviderTimedOut } from "@effect-chatbot/schema/Errors"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Headers from "effect/http/Headers"
import type { HttpClientError } from "effect/http/HttpClientError"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as ProviderPolicy from "../ProviderPolicy.ts"

/** An attempt that failed. */
export class AttemptFailed
  extends Data.TaggedError("AttemptFailed")<{
    readonly error: ProviderFailed | ProviderTimedOut
    readonly isRetryable: boolean
    readonly isTimeout: boolean
    readonly retryAfter: Duration.Duration | undefined
  }>
  implements ProviderPolicy.FailedAttempt {}

/** A failure that another attempt would not change. */
export const final = (message: string): AttemptFailed =>
  new AttemptFailed({
    error: new ProviderFailed({ message }),
    isRetryable: false,
    isTimeout: false,
    retryAfter: undefined
  })

/** A failure that another attempt may change. */
export const passing = (message: string): AttemptFailed =>
  new AttemptFailed({
    error: new ProviderFailed({ message }),
    isRetryable: true,
    isTimeout: false,
    retryAfter: undefined
  })

/** A limit of time. `missed` is what did not happen within it. */
export const timedOut = (missed: string, limit: Duration.Input): AttemptFailed =>
  new AttemptFailed({
    error: new ProviderTimedOut({
      message: `${missed} within ${Duration.format(Duration.fromInputUnsafe(limit))}.`
    }),
    isRetryable: true,
    isTimeout: true,
    retryAfter: undefined
  })

/** The same failure, of an attempt that handed a part of its answer on. */
export const afterHandingOn = ({ error, isTimeout }: AttemptFailed): AttemptFailed =>
  new AttemptFailed({ error, isRetryable: false, isTimeout, retryAfter: undefined })

const known: ReadonlyArray<readonly [codes: RegExp, isRetryable: boolean, message: string]> = [
  [/^ERR_ADDRESS_REFUSED$/, false, "The host of the provider has a link-local address, which is refused"],
  [/^ECONNREFUSED$/, true, "The provider refused the connection"],
  [
    /^(ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|UND_ERR_SOCKET|UND_ERR_RES_CONTENT_LENGTH_MISMATCH)$/,
    true,
    "The connection to the provider broke off before its answer was complete"
  ],
  [/^(ENOTFOUND|EAI_AGAIN|EAI_FAIL|ENODATA)$/, true, "The name of the provider's host could not be resolved"],
  [/^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN)$/, true, "The provider cannot be reached"],
  // A certificate does not become valid by asking again.
  [/CERT|TLS|SSL|EPROTO|SELF_SIGNED|UNABLE_TO_/, false, "TLS with the provider failed"]
]

/** The codes of an error and of those that caused it, the outermost first. */
const codesOf = (error: unknown, depth = 0): ReadonlyArray<string> => {
  if (!Predicate.isError(error) || depth > 5) return []
  const own = "code" in error && Predicate.isString(error.code) ? [error.code] : []
  const inner: ReadonlyArray<unknown> = [error.cause, ...(error instanceof AggregateError ? error.errors : [])]
  return [...own, ...inner.flatMap((cause) => codesOf(cause, depth + 1))]
}

/** What a transport that failed means. Nothing of its error is kept but a code, for it has the request with the key and the prompt. */
export const ofTransport = ({ reason }: HttpClientError, connectLimit: Duration.Input): AttemptFailed => {
  for (const code of codesOf("cause" in reason ? reason.cause : undefined)) {
    if (code === "UND_ERR_CONNECT_TIMEOUT") return timedOut("No connection to the provider came about", connectLimit)
    const row = known.find(([codes]) => codes.test(code))
    if (row === undefined) continue
    const [, isRetryable, message] = row
    return (isRetryable ? passing : final)(`${message} (${code}).`)
  }
  return passing("No answer came from the provider.")
}

const retryAfterOf = (header: string | undefined, now: number): Duration.Duration | undefined => {
  if (header === undefined) return undefined
  const parsed = Headers.parseRetryAfter(header)
  return Result.isSuccess(parsed) ? Headers.retryAfterDelay(parsed.success, now) : undefined
}

const refusal = (status: number, hadKey: boolean): string =>
  hadKey
    ? `The provider refused the API key of its service (${status}).`
    : `The provider wants an API key, and its service has none (${status}).`

/**
 * What an answer with a status that is no success means. `said` is what the provider said, as far as it may be repeated; of a refused key
 * that is nothing, for providers like to show parts of it.
 */
export const ofStatus = (
  { headers, status }: HttpClientResponse,
  options: { readonly said: string | undefined; readonly hadKey: boolean; readonly now: number }
): AttemptFailed => {
  const { hadKey, now, said = "" } = options
  const redirects = status >= 300 && status < 400 ? " with a redirect, which is not followed" : ""
  return new AttemptFailed({
    error: new ProviderFailed({
      message:
        status === 401 || status === 403
          ? refusal(status, hadKey)
          : `The provider answered ${status}${redirects}${said === "" ? "." : `: ${said}`}`
    }),
    isRetryable: ProviderPolicy.isRetryable(status, headers["x-should-retry"]),
    isTimeout: false,
    retryAfter: retryAfterOf(headers["retry-after"], now)
  })
}
