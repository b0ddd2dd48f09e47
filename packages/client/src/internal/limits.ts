import { RequestTimedOut } from "@effect-chatbot/schema/Errors"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Limits, StreamLimits } from "../Timeouts.ts"

/** The limits of one call. */
export interface CallLimits {
  readonly attempt: Duration.Duration
  readonly deadline: Duration.Duration
}

const known = new WeakMap<Limits, CallLimits>()

/** Limits as a program states them, as durations. */
export const limitsOf = (limits: Limits): CallLimits => {
  const found = known.get(limits)
  if (found !== undefined) return found
  const made = {
    attempt: Duration.fromInputUnsafe(limits.attempt),
    deadline: Duration.fromInputUnsafe(limits.deadline)
  }
  known.set(limits, made)
  return made
}

/** The limits of a stream as durations. */
export const streamLimitsOf = ({ firstEvent, idle }: StreamLimits) => ({
  firstEvent: Duration.fromInputUnsafe(firstEvent),
  idle: Duration.fromInputUnsafe(idle)
})

/** The error of a limit that was reached. */
export const timedOut = (
  limit: Exclude<RequestTimedOut["limit"], "connect">,
  duration: Duration.Duration
): RequestTimedOut => {
  const what = limit === "firstEvent" ? "event" : "complete answer"
  return new RequestTimedOut({ message: `No ${what} came within ${Duration.format(duration)}.`, limit, duration })
}

/** Ends an effect after a time, which may be what is left of a limit. */
export const within = <A, E, R, E2>(
  effect: Effect.Effect<A, E, R>,
  duration: Duration.Duration,
  orElse: () => E2
): Effect.Effect<A, E | E2, R> =>
  Duration.isFinite(duration) ? Effect.timeoutOrElse(effect, { duration, orElse: () => Effect.fail(orElse()) }) : effect
