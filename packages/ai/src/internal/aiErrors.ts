import type { Chats } from "@effect-chatbot/client/Chats"
import type { RequestIssue } from "@effect-chatbot/schema/Errors"
import type * as Effect from "effect/Effect"
import * as AiError from "effect/ai/AiError"
import * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import type * as Stream from "effect/Stream"

/** What making a chat and asking in it can fail with. */
export type Failure =
  | Effect.Error<ReturnType<Chats["Service"]["createByBotCode"]>>
  | Stream.Error<ReturnType<Chats["Service"]["stream"]>>

const issue = ({ message, path }: RequestIssue) => (path.length === 0 ? message : `${path.join(".")}: ${message}`)

/** What tells the errors of a bot apart where `effect/ai` has one reason for several. */
const metadataOf = (error: Failure) => {
  const retryAfter = "retryAfter" in error ? error.retryAfter : undefined
  return {
    chatbot: {
      tag: error._tag === "CompletionFailed" ? error.reason : error._tag,
      ...("requestId" in error && error.requestId !== undefined ? { requestId: error.requestId } : undefined),
      ...(retryAfter === undefined ? undefined : { retryAfterMillis: Duration.toMillis(retryAfter) })
    }
  }
}

/** The reason that an answer which was begun failed with, by the tag that its failure has without a stream. */
const ofCompletion = (error: Extract<Failure, { readonly _tag: "CompletionFailed" }>): AiError.AiErrorReason => {
  const metadata = metadataOf(error)
  switch (error.reason) {
    case "RateLimited":
      return new AiError.RateLimitError({ retryAfter: error.retryAfter, metadata })
    case "ChatNotFound":
    case "InvalidRequest":
      return new AiError.InvalidRequestError({ description: error.message, metadata })
    default:
      return new AiError.InternalProviderError({ description: error.message, metadata })
  }
}

/**
 * The reason of `effect/ai` that says most of an error of the client, and the same of whether it is worth another try. Nothing of a prompt,
 * a token or an answer is in it.
 */
export const toReason = (error: Failure): AiError.AiErrorReason => {
  const description = error.message
  const metadata = metadataOf(error)
  switch (error._tag) {
    case "RateLimited":
      return new AiError.RateLimitError({ retryAfter: error.retryAfter, metadata })
    case "Unauthorized":
      return new AiError.AuthenticationError({ kind: "InvalidKey", description, metadata })
    case "Forbidden":
    case "TermsNotAccepted":
      return new AiError.AuthenticationError({ kind: "InsufficientPermissions", description, metadata })
    case "InvalidRequest":
      return new AiError.InvalidRequestError({
        description: [description, ...error.issues.map(issue)].join(" "),
        metadata
      })
    case "BotNotFound":
      return new AiError.InvalidRequestError({ parameter: "botCode", description, metadata })
    case "PayloadTooLarge":
      return new AiError.InvalidRequestError({ parameter: "prompt", description, metadata })
    // A chat that is gone cannot be gone on with; `effect/ai` then asks with the whole conversation.
    case "ChatNotFound":
    case "IdempotencyKeyReused":
      return new AiError.InvalidRequestError({ description, metadata })
    case "ChatBusy":
    case "IdempotencyKeyInUse":
    case "ProviderFailed":
    case "ProviderTimedOut":
    case "BotsStopped":
    case "InternalError":
    case "Unavailable":
    case "CircuitOpen":
      return new AiError.InternalProviderError({ description, metadata })
    case "TransportFailed":
    case "RequestTimedOut":
    case "StreamTruncated":
    case "StreamIdle":
      return new AiError.NetworkError({
        reason: "TransportError",
        method: "POST",
        url: "/api/chats",
        description,
        ...(Predicate.hasProperty(error, "cause") ? { cause: error.cause } : undefined)
      })
    case "UnexpectedStatus":
      return AiError.reasonFromHttpStatus({ status: error.status, description, metadata })
    case "InvalidResponse":
    case "EventTooLarge":
      return new AiError.InvalidResponseError({ description, metadata })
    case "CompletionFailed":
      return ofCompletion(error)
  }
}
