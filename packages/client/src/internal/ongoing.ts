import type { RetryClass } from "@effect-chatbot/api/RetryClass"
import * as Duration from "effect/Duration"
import type { Backend } from "./backend.ts"
import type { CallLimits } from "./limits.ts"
import type { Policies } from "./inForce.ts"
import type { Entry } from "./story.ts"
import type { Traced } from "./trace.ts"

/** Completions take long, and have limits and places of their own. */
export type Kind = Traced["kind"]

/** A call under way. Times are in milliseconds of a clock that never goes back. */
export interface Ongoing extends Traced {
  /** Changes where a stream is known by its answer: to follow it is safe. */
  retryClass: RetryClass
  readonly backend: Backend
  readonly policies: Policies
  readonly limits: CallLimits
  readonly deadlineAt: number
  /** The idempotency key, the same for all attempts. */
  readonly key: string | undefined
  /** Whether the key is one of a workflow, see `DurableKey`. */
  readonly isDurable: boolean
  readonly attempts: Array<Entry>
  /** The number of the last attempt that brought something of a stream; attempts are counted from it on. */
  progressed: number
}

/** The beginning of a call. */
export const begin = (call: Omit<Ongoing, "attempts" | "deadlineAt" | "now" | "progressed" | "trace">): Ongoing => {
  const now = () => Number(call.clock.monotonicTimeNanosUnsafe()) / 1e6
  return {
    ...call,
    now,
    deadlineAt: now() + Duration.toMillis(call.limits.deadline),
    attempts: [],
    progressed: 0,
    trace: undefined
  }
}

/** The beginning of an attempt, after a delay. */
export const enter = ({ attempts, now }: Ongoing, delay: number): Entry => {
  const entry = { number: attempts.length + 1, delay, began: now(), response: undefined, failed: undefined, asked: 0 }
  attempts.push(entry)
  return entry
}
