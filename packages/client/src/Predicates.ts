/**
 * Kinds of errors, for programs that act on a kind and not on each error of it.
 *
 * ```ts
 * chats.get(chatId).pipe(Effect.catchIf(Predicates.isNotFound, () => Effect.succeed(undefined)))
 * ```
 */
import * as Errors from "@effect-chatbot/schema/Errors"
import * as Predicate from "effect/Predicate"
import type { ChatbotError } from "./CallError.ts"

/** The errors of these tags among what may be one; of what is not known at all, among all there are. */
type Among<E, Tag> = E & Extract<unknown extends E ? ChatbotError : E, { readonly _tag: Tag }>

const tagged = <const Tags extends ReadonlyArray<ChatbotError["_tag"]>>(...tags: Tags) => {
  const known = new Set<unknown>(tags)
  return <E>(error: E): error is Among<E, Tags[number]> => Predicate.hasProperty(error, "_tag") && known.has(error._tag)
}

/**
 * Whether this is an error of this library, for what is caught without a type: `_tag` then tells which.
 *
 * ```ts
 * await client.chats.get(chatId).catch((error: unknown) => {
 *   if (Predicates.isChatbotError(error) && error._tag === "ChatNotFound") return undefined
 *   throw error
 * })
 * ```
 */
export const isChatbotError = (error: unknown): error is ChatbotError =>
  error instanceof Error && Predicate.hasProperty(error, "_tag") && Object.hasOwn(Errors, String(error._tag))

/** Whether what was asked for does not exist, or not for this caller. */
export const isNotFound = tagged(
  "BotNotFound",
  "BotImageNotFound",
  "BotFactNotFound",
  "BotLinkNotFound",
  "FeedbackNotFound",
  "ChatNotFound",
  "CompletionNotFound",
  "DownloadNotFound",
  "OpenAiServiceNotFound",
  "UserSystemMessageNotFound"
)

/** Whether the caller is not known or not allowed to do this: another token may help. (`TermsNotAccepted` asks for something else.) */
export const isAuth = tagged("Unauthorized", "Forbidden")

/** Whether no answer came, or none in time or in full; what was asked for may have been done all the same. */
export const isTransport = tagged("TransportFailed", "RequestTimedOut", "StreamTruncated", "StreamIdle")

const isTransient = tagged(
  "ChatBusy",
  "IdempotencyKeyInUse",
  "RateLimited",
  "InternalError",
  "ProviderFailed",
  "ProviderTimedOut",
  "BotsStopped",
  "Unavailable",
  "CircuitOpen"
)

const isUnexpectedStatus = tagged("UnexpectedStatus")

// Request timeout, too early, too many requests and the failures of gateways (RFC 9110, RFC 8470, RFC 6585).
const transientStatuses = new Set([408, 425, 429, 502, 503, 504])

/**
 * Whether the same call may succeed later. It does not say that it is safe to make it again: what was asked for may have been done, see
 * {@link isTransport}.
 */
export const isRetryable = (error: unknown): boolean => {
  if (isUnexpectedStatus(error)) return transientStatuses.has(error.status)
  return isTransport(error) || isTransient(error)
}
