/**
 * The errors that every call can fail with, whatever it does.
 */
import type * as Errors from "@effect-chatbot/schema/Errors"
import type {
  CircuitOpen,
  CompletionFailed,
  EventTooLarge,
  InternalError,
  InvalidResponse,
  RateLimited,
  RequestTimedOut,
  StreamIdle,
  StreamTruncated,
  TransportFailed,
  Unauthorized,
  Unavailable,
  UnexpectedStatus
} from "@effect-chatbot/schema/Errors"

/**
 * What the client finds out by itself: no answer, none in time, or one that is not what the contract says. `CircuitOpen` only where there
 * is a `CircuitBreaker`.
 */
export type ClientError = TransportFailed | RequestTimedOut | UnexpectedStatus | InvalidResponse | CircuitOpen

/** What every call can fail with; the methods name what can go wrong beside it. */
export type CallError = Unauthorized | RateLimited | InternalError | Unavailable | ClientError

/** What a stream can fail with beside the errors of its call: it broke and could not be followed further, or its answer failed. */
export type StreamError = StreamTruncated | StreamIdle | EventTooLarge | CompletionFailed

/** Every error there is. What a method can fail with is some of them, and its type says which. */
export type ChatbotError = InstanceType<(typeof Errors)[Exclude<keyof typeof Errors, "RequestIssue">]>
