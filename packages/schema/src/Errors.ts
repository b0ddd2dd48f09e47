/**
 * Everything that can go wrong, one class each: first what a backend answers, then what a client finds out by itself.
 *
 * Each class carries what a program needs to act on it. On the wire the errors of the backend are RFC 9457 problems, one `type` a class.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { BotFactId, BotId, ChatId, CompletionId, FeedbackId, OpenAiServiceId, UserSystemMessageId } from "./Ids.ts"
import { seconds } from "./internal/wire.ts"

const says = (message: string) => Schema.String.pipe(Schema.withConstructorDefault(Effect.succeed(message)))

/** What every error of a backend has. */
const answer = (message: string) => ({
  /** What happened, for people. */
  message: says(message),
  /** The id the backend gave the request; quote it when asking for help. */
  requestId: Schema.optionalKey(Schema.String),
  /** The body of the answer, where the backend did not speak this contract. It may hold anything, so it is not printed. */
  body: Schema.optionalKey(Schema.Redacted(Schema.String))
})

/** When to try again, counted from the answer; on the wire in seconds, as in `Retry-After` (RFC 9110, 10.2.3). */
const retryAfter = Schema.optionalKey(seconds)

/** One thing wrong with a request: where, as a path such as `["payload", "botId"]`, and what. */
export const RequestIssue = Schema.Struct({
  path: Schema.Array(Schema.Union([Schema.String, Schema.Int])),
  message: Schema.String
})

/** One thing wrong with a request: where, as a path such as `["payload", "botId"]`, and what. */
export interface RequestIssue extends Schema.Schema.Type<typeof RequestIssue> {}

/** The request does not fit the contract (400). Nothing was done. */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>()(
  "InvalidRequest",
  {
    ...answer("The request is not valid."),
    issues: Schema.Array(RequestIssue).pipe(Schema.withConstructorDefault(Effect.succeed([])))
  },
  { httpApiStatus: 400 }
) {}

/** There is no token, or not a valid one (401). */
export class Unauthorized extends Schema.TaggedError<Unauthorized>()(
  "Unauthorized",
  answer("A valid bearer token is needed."),
  { httpApiStatus: 401 }
) {}

/** The caller may not do this (403). */
export class Forbidden extends Schema.TaggedError<Forbidden>()("Forbidden", answer("You may not do this."), {
  httpApiStatus: 403
}) {}

/** The caller must accept the terms first (403). */
export class TermsNotAccepted extends Schema.TaggedError<TermsNotAccepted>()(
  "TermsNotAccepted",
  answer("The terms must be accepted first."),
  { httpApiStatus: 403 }
) {}

/** There is no such bot for the caller (404). */
export class BotNotFound extends Schema.TaggedError<BotNotFound>()(
  "BotNotFound",
  {
    ...answer("There is no such bot."),
    botId: Schema.optionalKey(BotId)
  },
  { httpApiStatus: 404 }
) {}

/** The bot has no image (404). */
export class BotImageNotFound extends Schema.TaggedError<BotImageNotFound>()(
  "BotImageNotFound",
  {
    ...answer("The bot has no image."),
    botId: Schema.optionalKey(BotId)
  },
  { httpApiStatus: 404 }
) {}

/** The bot has no such fact (404). */
export class BotFactNotFound extends Schema.TaggedError<BotFactNotFound>()(
  "BotFactNotFound",
  {
    ...answer("The bot has no such fact."),
    botFactId: Schema.optionalKey(BotFactId)
  },
  { httpApiStatus: 404 }
) {}

/** The start bot does not route to this bot (404). */
export class BotLinkNotFound extends Schema.TaggedError<BotLinkNotFound>()(
  "BotLinkNotFound",
  {
    ...answer("The start bot does not route to this bot."),
    startBotId: Schema.optionalKey(BotId),
    botId: Schema.optionalKey(BotId)
  },
  { httpApiStatus: 404 }
) {}

/** There is no such feedback about the bot (404). */
export class FeedbackNotFound extends Schema.TaggedError<FeedbackNotFound>()(
  "FeedbackNotFound",
  {
    ...answer("There is no such feedback about this bot."),
    feedbackId: Schema.optionalKey(FeedbackId)
  },
  { httpApiStatus: 404 }
) {}

/** There is no such chat for the caller (404). */
export class ChatNotFound extends Schema.TaggedError<ChatNotFound>()(
  "ChatNotFound",
  {
    ...answer("There is no such chat."),
    chatId: Schema.optionalKey(ChatId)
  },
  { httpApiStatus: 404 }
) {}

/** There is no such completion in the chat (404). */
export class CompletionNotFound extends Schema.TaggedError<CompletionNotFound>()(
  "CompletionNotFound",
  {
    ...answer("There is no such completion in this chat."),
    completionId: Schema.optionalKey(CompletionId)
  },
  { httpApiStatus: 404 }
) {}

/** No source of the chat names such a file (404). */
export class DownloadNotFound extends Schema.TaggedError<DownloadNotFound>()(
  "DownloadNotFound",
  {
    ...answer("No source of this chat names such a file."),
    path: Schema.optionalKey(Schema.String)
  },
  { httpApiStatus: 404 }
) {}

/** There is no such OpenAI service (404). */
export class OpenAiServiceNotFound extends Schema.TaggedError<OpenAiServiceNotFound>()(
  "OpenAiServiceNotFound",
  {
    ...answer("There is no such OpenAI service."),
    openAiServiceId: Schema.optionalKey(OpenAiServiceId)
  },
  { httpApiStatus: 404 }
) {}

/** There is no such user system message for the caller (404). */
export class UserSystemMessageNotFound extends Schema.TaggedError<UserSystemMessageNotFound>()(
  "UserSystemMessageNotFound",
  {
    ...answer("There is no such user system message."),
    userSystemMessageId: Schema.optionalKey(UserSystemMessageId)
  },
  { httpApiStatus: 404 }
) {}

/** Another bot has this code (409). Nothing was done. */
export class BotCodeTaken extends Schema.TaggedError<BotCodeTaken>()(
  "BotCodeTaken",
  {
    ...answer("Another bot has this code."),
    code: Schema.optionalKey(Schema.String)
  },
  { httpApiStatus: 409 }
) {}

/** The start bot routes to this bot already (409). Nothing was done. */
export class BotAlreadyLinked extends Schema.TaggedError<BotAlreadyLinked>()(
  "BotAlreadyLinked",
  {
    ...answer("The start bot routes to this bot already."),
    startBotId: Schema.optionalKey(BotId),
    botId: Schema.optionalKey(BotId)
  },
  { httpApiStatus: 409 }
) {}

/** The chat is still answering an earlier question (409). */
export class ChatBusy extends Schema.TaggedError<ChatBusy>()(
  "ChatBusy",
  {
    ...answer("This chat is still answering an earlier question."),
    chatId: Schema.optionalKey(ChatId)
  },
  { httpApiStatus: 409 }
) {}

/** A request with the same idempotency key is still running (409). */
export class IdempotencyKeyInUse extends Schema.TaggedError<IdempotencyKeyInUse>()(
  "IdempotencyKeyInUse",
  {
    ...answer("A request with this idempotency key is still running."),
    retryAfter,
    /** The answer that the request with this key has begun, where it asked for one: its events can be followed. */
    completionId: Schema.optionalKey(CompletionId)
  },
  { httpApiStatus: 409 }
) {}

/** The body of the request is over the limit (413). */
export class PayloadTooLarge extends Schema.TaggedError<PayloadTooLarge>()(
  "PayloadTooLarge",
  {
    ...answer("The body of the request is too large."),
    /** The limit in bytes. */
    maxBytes: Schema.optionalKey(Schema.Int)
  },
  { httpApiStatus: 413 }
) {}

/** The body of the request is of a type this endpoint does not read (415). */
export class UnsupportedMediaType extends Schema.TaggedError<UnsupportedMediaType>()(
  "UnsupportedMediaType",
  {
    ...answer("The body of the request is of a type this endpoint does not read."),
    /** The types it reads. */
    supported: Schema.Array(Schema.String).pipe(Schema.withConstructorDefault(Effect.succeed([])))
  },
  { httpApiStatus: 415 }
) {}

/** The idempotency key was used before, for another request (422). */
export class IdempotencyKeyReused extends Schema.TaggedError<IdempotencyKeyReused>()(
  "IdempotencyKeyReused",
  answer("This idempotency key was used for another request."),
  { httpApiStatus: 422 }
) {}

/** Too many requests (429). */
export class RateLimited extends Schema.TaggedError<RateLimited>()(
  "RateLimited",
  {
    ...answer("Too many requests."),
    retryAfter
  },
  { httpApiStatus: 429 }
) {}

/** The backend has a defect (500). All it tells is `ref`, under which its log has the rest. */
export class InternalError extends Schema.TaggedError<InternalError>()(
  "InternalError",
  {
    ...answer("Something went wrong in the backend."),
    ref: Schema.optionalKey(Schema.String)
  },
  { httpApiStatus: 500 }
) {}

/** The provider of the answers failed (502). */
export class ProviderFailed extends Schema.TaggedError<ProviderFailed>()(
  "ProviderFailed",
  answer("The provider of the answers failed."),
  { httpApiStatus: 502 }
) {}

/** The provider of the answers took too long (504). */
export class ProviderTimedOut extends Schema.TaggedError<ProviderTimedOut>()(
  "ProviderTimedOut",
  answer("The provider of the answers took too long."),
  { httpApiStatus: 504 }
) {}

/** The bots were stopped (503): the answer was broken off, or none may be begun. */
export class BotsStopped extends Schema.TaggedError<BotsStopped>()(
  "BotsStopped",
  {
    ...answer("The bots were stopped."),
    retryAfter
  },
  { httpApiStatus: 503 }
) {}

/** The backend cannot serve now (503). */
export class Unavailable extends Schema.TaggedError<Unavailable>()(
  "Unavailable",
  {
    ...answer("The backend cannot serve this now."),
    retryAfter
  },
  { httpApiStatus: 503 }
) {}

/** No answer came: the connection was refused or reset, the name is unknown, TLS failed. */
export class TransportFailed extends Schema.TaggedError<TransportFailed>()("TransportFailed", {
  message: says("No answer came."),
  /**
   * Why, as far as the transport tells. `refused` and `dns`: there was no connection, so nothing was done. `unreachable` and `tls`: very
   * likely there was none. `reset`: it broke off, and what was asked for may have been done. `unknown`: anything else, and all that a
   * browser tells.
   */
  reason: Schema.Literals(["refused", "unreachable", "dns", "tls", "reset", "unknown"]).pipe(
    Schema.withConstructorDefault(Effect.succeed("unknown" as const))
  ),
  /** What the transport said: its errors with their names, messages, codes and stacks, and nothing else that they hold. */
  cause: Schema.optionalKey(Schema.Defect())
}) {}

/** A limit of time was reached. */
export class RequestTimedOut extends Schema.TaggedError<RequestTimedOut>()("RequestTimedOut", {
  message: says("The request took too long."),
  /** Which one: for the connection, for one attempt with its body, for the first event of a stream, or for the call with all its attempts. */
  limit: Schema.Literals(["connect", "attempt", "firstEvent", "deadline"]),
  /** How long it was. */
  duration: Schema.Duration
}) {}

/** The answer has a status that the contract does not know for this endpoint. */
export class UnexpectedStatus extends Schema.TaggedError<UnexpectedStatus>()("UnexpectedStatus", {
  message: says("The answer has an unexpected status."),
  status: Schema.Int,
  requestId: Schema.optionalKey(Schema.String),
  /** The body of the answer. It may hold anything, so it is not printed. */
  body: Schema.optionalKey(Schema.Redacted(Schema.String))
}) {}

/** The answer came, and is not what the contract says. */
export class InvalidResponse extends Schema.TaggedError<InvalidResponse>()("InvalidResponse", {
  /** Where the answer does not fit and why, without its values. */
  message: says("The answer is not what the contract says."),
  status: Schema.Int,
  requestId: Schema.optionalKey(Schema.String),
  /** The body of the answer. It may hold anything, so it is not printed. */
  body: Schema.optionalKey(Schema.Redacted(Schema.String))
}) {}

/** A stream ended before its last event, so the answer is not complete. */
export class StreamTruncated extends Schema.TaggedError<StreamTruncated>()("StreamTruncated", {
  message: says("The stream ended before its last event."),
  /** The id of the last event that came, to resume after. */
  lastEventId: Schema.optionalKey(Schema.String)
}) {}

/** A stream fell silent for too long. */
export class StreamIdle extends Schema.TaggedError<StreamIdle>()("StreamIdle", {
  message: says("The stream fell silent."),
  /** How long nothing came. */
  duration: Schema.Duration,
  /** The id of the last event that came, to resume after. */
  lastEventId: Schema.optionalKey(Schema.String)
}) {}

/** An event of a stream is over the limit, so the stream was given up there. */
export class EventTooLarge extends Schema.TaggedError<EventTooLarge>()("EventTooLarge", {
  message: says("An event of the stream is too large."),
  /** The limit, in UTF-16 code units: for plain text about as many bytes. */
  maxEventSize: Schema.Int
}) {}

/** The answer was begun and failed: the last event of its stream is the failure. */
export class CompletionFailed extends Schema.TaggedError<CompletionFailed>()("CompletionFailed", {
  /** What happened, for people. */
  message: says("The answer failed."),
  /** What it would have been without a stream: the tag of an error of the backend such as `ProviderFailed`, or else the type of its problem. */
  reason: Schema.String,
  /** The answer that failed. */
  completionId: Schema.optionalKey(CompletionId),
  /** The id the backend gave the request; quote it when asking for help. */
  requestId: Schema.optionalKey(Schema.String),
  /** Where it is a defect of the backend, what its log has the rest under. */
  ref: Schema.optionalKey(Schema.String),
  /** When to ask again, counted from the event. */
  retryAfter: Schema.optionalKey(Schema.Duration)
}) {}

/** The circuit breaker is open: the backend failed too often to be asked again just now. */
export class CircuitOpen extends Schema.TaggedError<CircuitOpen>()("CircuitOpen", {
  message: says("The backend failed too often to be asked again just now."),
  /** When it may be asked again, from now. */
  retryAfter: Schema.optionalKey(Schema.Duration)
}) {}

/**
 * An activity of a workflow was begun before, and how that ended is not known: what it asks for may have been done. It asked for nothing
 * again.
 */
export class OutcomeUnknown extends Schema.TaggedError<OutcomeUnknown>()("OutcomeUnknown", {
  message: says("It is not known whether this was done already."),
  /** The name of the activity. */
  activity: Schema.String
}) {}
