import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Pull from "effect/Pull"
import * as Schedule from "effect/Schedule"
import type { Ended } from "../CallStory.ts"
import * as RetryPolicy from "../RetryPolicy.ts"
import { spend } from "./backend.ts"
import { shouldRetry } from "./headers.ts"
import { enter, type Ongoing } from "./ongoing.ts"
import { askedFor, outcomeOf } from "./outcome.ts"
import type { AnyFailure } from "./anyFailure.ts"
import { type Entry, tell } from "./story.ts"

const verdictsOf = (outcomes: RetryPolicy.RetryPolicy["outcomes"], outcome: string): RetryPolicy.Verdicts =>
  Object.hasOwn(outcomes, outcome) ? outcomes[outcome as RetryPolicy.Outcome] : RetryPolicy.final

/** Why no further attempt may be made, by what the last one came to. */
const objection = (call: Ongoing, { number, response }: Entry, outcome: string): Ended | undefined => {
  const { backend, key, policies, progressed, retryClass } = call
  if (outcome === "deadline") return "deadline"
  if (retryClass === "never") return "once"
  const veto = response?.headers[shouldRetry]
  if (veto === "false") return "veto"
  const told = verdictsOf(policies.retry.outcomes, outcome)[retryClass]
  // That it may be sent again does not say that it was not done.
  const verdict = veto === "true" && told === "final" ? RetryPolicy.perhapsDone[retryClass] : told
  if (verdict === "final") return "final"
  if (verdict === "again with key") {
    const { honoured } = policies.keys
    if (key === undefined || !(honoured === "learned" ? backend.honoursKeys : honoured)) return "uncertain"
  }
  // The one that brought something counts as the first.
  return number - Math.max(0, progressed - 1) >= policies.retry.attempts ? "attempts" : undefined
}

/** Where in its back-off a call is. */
export type Step = Effect.Success<ReturnType<typeof Schedule.toStep<unknown, unknown, never, never>>>

/** How long to wait before the next attempt, in milliseconds, or why there is none. */
const waitAfter = Effect.fnUntraced(function* (call: Ongoing, step: Step, error: AnyFailure, entry: Entry) {
  const { backend, clock, deadlineAt, now, policies } = call
  const { budget, maxRetryAfter } = policies.retry
  const wall = clock.currentTimeMillisUnsafe()
  const asked = askedFor(error, entry, wall) ?? Duration.zero
  if (Duration.isGreaterThan(asked, Duration.fromInputUnsafe(maxRetryAfter))) return "retry-after"
  const delay = yield* Pull.matchEffect(step(wall, error), {
    onSuccess: ([, delay]) => Effect.succeedSome(delay),
    onFailure: Effect.failCause,
    onDone: () => Effect.succeedNone
  })
  if (Option.isNone(delay)) return "backoff"
  const wait = Math.ceil(Duration.toMillis(asked) + Duration.toMillis(delay.value))
  if (now() + wait >= deadlineAt) return "deadline"
  // A backend that was just heard is not down.
  if (budget === undefined || call.progressed === entry.number) return wait
  return spend(backend, budget, error._tag === "RequestTimedOut") ? wait : "budget"
})

/** Waits for the next attempt, or fails with the error of the last one: where none may be made, and where there is a reason of its own. */
export const nextAfter = Effect.fnUntraced(function* (
  call: Ongoing,
  begun: Step | undefined,
  error: AnyFailure,
  entry: Entry,
  reason?: Ended
) {
  const outcome = outcomeOf(error, entry.response?.status)
  entry.failed = { outcome, error, at: call.now() }
  call.trace?.failed(entry)
  // An attempt before this one is at work, or one before a crash: to wait for it takes nothing from the attempts.
  const isOwn = call.isDurable || call.attempts[0]?.failed?.outcome !== outcome
  if (outcome === "IdempotencyKeyInUse" && isOwn) call.progressed = entry.number
  const against = objection(call, entry, outcome) ?? reason
  if (against !== undefined) return yield* tell(call, error, against)
  const step = begun ?? (yield* Schedule.toStep(call.policies.retry.backoff))
  const wait = yield* waitAfter(call, step, error, entry)
  if (typeof wait === "string") return yield* tell(call, error, wait)
  yield* Effect.sleep(wait)
  return { step, wait }
})

/** Makes attempts until one succeeds, or there is a reason to make no other. */
export const withRetry = <A>(
  call: Ongoing,
  attempt: (entry: Entry) => Effect.Effect<A, AnyFailure>
): Effect.Effect<A, AnyFailure> => {
  const go = (delay: number, begun: Step | undefined): Effect.Effect<A, AnyFailure> => {
    const entry = enter(call, delay)
    return attempt(entry).pipe(
      Effect.catch((error) => Effect.flatMap(nextAfter(call, begun, error, entry), ({ step, wait }) => go(wait, step)))
    )
  }
  return Effect.suspend(() => go(0, undefined))
}
