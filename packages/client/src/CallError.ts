/**
 * The errors that every call can fail with, whatever it does.
 */
import type {
  CircuitOpen,
  InternalError,
  InvalidResponse,
  RateLimited,
  RequestTimedOut,
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
