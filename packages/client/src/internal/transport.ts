import { RequestTimedOut, TransportFailed } from "@effect-chatbot/schema/Errors"
import * as Duration from "effect/Duration"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as Predicate from "effect/Predicate"
import { ConnectTimedOut } from "./connectTimedOut.ts"

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
  [/^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN)$/, "unreachable", (host) => `${host} cannot be reached`],
  [/^UND_ERR_PRX_|^UND_ERR_ABORTED$/, "unreachable", (host) => `The proxy made no connection to ${host}`],
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
 * The limit that ended the wait for a connection, where one did: that of the call, or one that `fetch` has on Node, whose error tells it in
 * words only.
 */
const connectLimitOf = (error: Coded): Duration.Duration | undefined => {
  if (error instanceof ConnectTimedOut) return error.duration
  if (error.code !== "UND_ERR_CONNECT_TIMEOUT") return undefined
  return Duration.millis(Number(/timeout: (\d+)ms/.exec(error.message)?.[1] ?? 10_000))
}

/**
 * What a transport says, without the request: that has the token. Of the URL the host is named and no more, for a path has ids and a query
 * may have a ticket.
 */
export const transportFailed = (error: HttpClientError): RequestTimedOut | TransportFailed => {
  const host = URL.parse(error.request.url)?.host ?? "the backend"
  const chain = chainOf("cause" in error.reason ? error.reason.cause : undefined)
  const cause = chain.reduceRight<Error | undefined>(bare, undefined)
  const said = cause === undefined ? undefined : { cause }
  for (const inner of chain) {
    const { code } = inner
    const duration = connectLimitOf(inner)
    if (duration !== undefined) {
      const message = `No connection to ${host} came about within ${Duration.format(duration)}.`
      return new RequestTimedOut({ message, limit: "connect", duration })
    }
    const row = known.find(([codes]) => typeof code === "string" && codes.test(code))
    if (row === undefined) continue
    const [, reason, what] = row
    return new TransportFailed({ message: `${what(host)} (${String(code)}).`, reason, ...said })
  }
  return new TransportFailed({ message: `No answer came from ${host}.`, ...said })
}
