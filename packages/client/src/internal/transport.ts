import { TransportFailed } from "@effect-chatbot/schema/Errors"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as Predicate from "effect/Predicate"

/** The codes of Node and of undici, as far as they say more than that no answer came. */
const known: ReadonlyArray<
  readonly [codes: RegExp, reason: TransportFailed["reason"], what: (host: string) => string]
> = [
  [/^ECONNREFUSED$/, "refused", (host) => `${host} refused the connection`],
  [
    /^(ECONNRESET|ECONNABORTED|EPIPE|UND_ERR_SOCKET|UND_ERR_RES_CONTENT_LENGTH_MISMATCH)$/,
    "reset",
    (host) => `The connection to ${host} broke off before the answer was complete`
  ],
  [/^ETIMEDOUT$/, "reset", (host) => `The connection to ${host} timed out`],
  [/^(ENOTFOUND|EAI_AGAIN|EAI_FAIL|ENODATA)$/, "dns", (host) => `The name of ${host} could not be resolved`],
  [/^UND_ERR_CONNECT_TIMEOUT$/, "unreachable", (host) => `${host} did not take the connection in time`],
  [/^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN)$/, "unreachable", (host) => `${host} cannot be reached`],
  [/CERT|TLS|SSL|EPROTO|SELF_SIGNED|UNABLE_TO_/, "tls", (host) => `TLS with ${host} failed`]
]

type Coded = Error & { readonly code?: unknown }

/** An error and those that caused it, the outermost first. */
const chainOf = (error: unknown, depth = 0): ReadonlyArray<Coded> => {
  if (!Predicate.isError(error) || depth > 5) return []
  const inner: ReadonlyArray<unknown> = [error.cause, ...(error instanceof AggregateError ? error.errors : [])]
  return [error, ...inner.flatMap((cause) => chainOf(cause, depth + 1))]
}

/** An error with nothing of what a transport hung onto it: a parser keeps the bytes that it could not read, a runtime the URL. */
const bare = (cause: Error | undefined, { code, message, name, stack }: Coded): Error =>
  Object.assign(
    new Error(message, cause && { cause }),
    { name, stack },
    typeof code === "string" ? { code } : undefined
  )

/**
 * What a transport says, without the request: that has the token. Of the URL the host is named and no more, for a path has ids and a query
 * may have a ticket.
 */
export const transportFailed = (error: HttpClientError): TransportFailed => {
  const host = URL.parse(error.request.url)?.host ?? "the backend"
  const chain = chainOf("cause" in error.reason ? error.reason.cause : undefined)
  const cause = chain.reduceRight<Error | undefined>(bare, undefined)
  const said = cause === undefined ? undefined : { cause }
  for (const { code } of chain) {
    const row = known.find(([codes]) => typeof code === "string" && codes.test(code))
    if (row === undefined) continue
    const [, reason, what] = row
    return new TransportFailed({ message: `${what(host)} (${String(code)}).`, reason, ...said })
  }
  return new TransportFailed({ message: `No answer came from ${host}.`, ...said })
}
