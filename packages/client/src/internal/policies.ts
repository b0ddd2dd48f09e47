import { RequestTimedOut } from "@effect-chatbot/schema/Errors"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Limits } from "../Timeouts.ts"

/** The limits of one call. */
export interface CallLimits {
  readonly attempt: Duration.Duration
  readonly deadline: Duration.Duration
}

/** Limits as a program states them, as durations. */
export const limitsOf = ({ attempt, deadline }: Limits): CallLimits => ({
  attempt: Duration.fromInputUnsafe(attempt),
  deadline: Duration.fromInputUnsafe(deadline)
})

/** The error of a limit that was reached. */
export const timedOut = (limit: "attempt" | "deadline", duration: Duration.Duration): RequestTimedOut =>
  new RequestTimedOut({ message: `No complete answer came within ${Duration.format(duration)}.`, limit, duration })

const within = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  limit: "attempt" | "deadline",
  duration: Duration.Duration
): Effect.Effect<A, E | RequestTimedOut, R> =>
  Duration.isFinite(duration)
    ? Effect.timeoutOrElse(effect, { duration, orElse: () => Effect.fail(timedOut(limit, duration)) })
    : effect

/** The policies of a call around its attempt, in their order: the deadline over everything, the limit of an attempt. */
export const withPolicies = <A, E, R>(
  attempt: Effect.Effect<A, E, R>,
  { attempt: limit, deadline }: CallLimits
): Effect.Effect<A, E | RequestTimedOut, R> =>
  // Both begin at once and there is one attempt, so the shorter one decides, and a second timer would never be the first to end.
  Duration.isLessThan(deadline, limit) ? within(attempt, "deadline", deadline) : within(attempt, "attempt", limit)
