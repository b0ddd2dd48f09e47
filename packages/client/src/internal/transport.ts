import { TransportFailed } from "@effect-chatbot/schema/Errors"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as Predicate from "effect/Predicate"

/** The codes of Node and of undici, as far as they say more than that no answer came. */
const says: ReadonlyArray<readonly [codes: RegExp, what: (host: string) => string]> = [
  [/^ECONNREFUSED$/, (host) => `${host} refused the connection`],
  [
    /^(ECONNRESET|ECONNABORTED|EPIPE|UND_ERR_SOCKET|UND_ERR_RES_CONTENT_LENGTH_MISMATCH)$/,
    (host) => `The connection to ${host} broke off before the answer was complete`
  ],
  [/^(ENOTFOUND|EAI_AGAIN|EAI_FAIL|ENODATA)$/, (host) => `The name of ${host} could not be resolved`],
  [/^(ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)$/, (host) => `${host} did not take the connection in time`],
  [/^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN)$/, (host) => `${host} cannot be reached`],
  [/CERT|TLS|SSL|EPROTO|SELF_SIGNED|UNABLE_TO_/, (host) => `TLS with ${host} failed`]
]

/** The code of an error, or of the first of those that caused it which has one that is known. */
const reasonOf = (error: unknown, host: string, depth = 0): string | undefined => {
  if (!Predicate.isObject(error) || depth > 5) return undefined
  const { cause, code, errors } = error as { readonly [key: string]: unknown }
  const found = says.find(([codes]) => typeof code === "string" && codes.test(code))
  if (found !== undefined) return `${found[1](host)} (${String(code)}).`
  for (const inner of [cause, ...(Array.isArray(errors) ? errors : [])]) {
    const reason = reasonOf(inner, host, depth + 1)
    if (reason !== undefined) return reason
  }
  return undefined
}

/**
 * What a transport says, without the request: that has the token. Of the URL the host is named and no more, for a path has ids and a query
 * may have a ticket.
 */
export const transportFailed = (error: HttpClientError): TransportFailed => {
  const host = URL.parse(error.request.url)?.host ?? "the backend"
  const cause = "cause" in error.reason ? error.reason.cause : undefined
  return new TransportFailed({
    message: reasonOf(cause, host) ?? `No answer came from ${host}.`,
    ...(cause === undefined ? undefined : { cause })
  })
}
