import {
  InvalidResponse,
  RequestTimedOut,
  StreamIdle,
  StreamTruncated,
  TransportFailed
} from "@effect-chatbot/schema/Errors"
import * as Duration from "effect/Duration"
import * as RetryPolicy from "../RetryPolicy.ts"
import { retryAfterOf } from "./failure.ts"
import type { AnyFailure } from "./anyFailure.ts"
import type { Entry } from "./story.ts"

/** The name of an outcome. A class that a backend did not name itself, but that its status stands for, has the name of the status. */
export const outcomeOf = (error: AnyFailure, status: number | undefined): string => {
  if (error instanceof TransportFailed) return error.reason
  if (error instanceof RequestTimedOut) return error.limit
  if (error instanceof StreamTruncated) return "truncated"
  if (error instanceof StreamIdle) return "idle"
  if (status === undefined || error instanceof InvalidResponse) return error._tag
  const isTold = !("body" in error) || error.body === undefined
  return isTold && Object.hasOwn(RetryPolicy.outcomes, error._tag) ? error._tag : String(status)
}

/** How long the backend asked to wait, by the body of its answer or else by the head; of a stream, by what it said before it broke. */
export const askedFor = (error: AnyFailure, { asked, response }: Entry, now: number): Duration.Duration | undefined => {
  if ("retryAfter" in error && error.retryAfter !== undefined) return error.retryAfter
  const told = response === undefined ? undefined : retryAfterOf(response, now)
  return told ?? (asked > 0 ? Duration.millis(asked) : undefined)
}
