import * as Duration from "effect/Duration"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type { AnyFailure } from "./anyFailure.ts"
import { requestId as requestIdHeader } from "./headers.ts"

/** One attempt. */
export interface Attempt {
  /**
   * How it ended: the status of the answer, or what happened instead, as `RetryPolicy.outcomes` names it. `unfinished` was ended by the
   * deadline.
   */
  readonly outcome: string
  /** The tag of the error that it alone would have been. */
  readonly error: string | undefined
  /** How long was waited before it. */
  readonly delay: Duration.Duration
  /** How long it took. */
  readonly duration: Duration.Duration
  /** The id that the backend gave to it. */
  readonly requestId: string | undefined
}

/**
 * Why no further attempt was made.
 *
 * - `final`: of this outcome, another attempt would change nothing
 * - `unsent`: the request was not valid, and not sent
 * - `once`: it is sent only once, whatever comes
 * - `uncertain`: it may have been done, and the backend is not known to honour idempotency keys
 * - `veto`: the backend said that it should not be tried again
 * - `attempts`: they were used up
 * - `backoff`: the schedule of the policy ended
 * - `budget`: too many calls of this client failed lately
 * - `retry-after`: the backend asked for more time than the policy gives
 * - `deadline`: the next attempt would not begin before the deadline
 * - `begun`: the answer had begun
 */
export type Ended =
  | "final"
  | "unsent"
  | "once"
  | "uncertain"
  | "veto"
  | "attempts"
  | "backoff"
  | "budget"
  | "retry-after"
  | "deadline"
  | "begun"

/** What happened in a call that failed. */
export interface CallStory {
  /** The endpoint, by the names of its group and itself in the contract: `chats.complete`. */
  readonly endpoint: string
  /** The id that the backend gave to the last attempt that it answered. */
  readonly requestId: string | undefined
  /** In their order. */
  readonly attempts: ReadonlyArray<Attempt>
  readonly ended: Ended
}

/** An attempt, from its beginning on. Times are in milliseconds of a clock that never goes back. */
export interface Entry {
  /** 1 for the first. */
  readonly number: number
  /** How long was waited before it. */
  readonly delay: number
  readonly began: number
  /** The head of the answer, from when it came. */
  response: HttpClientResponse | undefined
  /** How it failed. */
  failed: Failed | undefined
  /** How long a stream asked to wait before it is asked for again, in milliseconds. */
  asked: number
}

interface Failed {
  readonly outcome: string
  readonly error: AnyFailure
  readonly at: number
}

/** What a story is made of. */
export interface Told {
  readonly endpoint: string
  readonly attempts: ReadonlyArray<Entry>
  readonly now: () => number
}

// Beside the errors and not in them: they compare, print and copy as what they are.
const stories = new WeakMap<object, CallStory>()

/** The id that the backend gave to an attempt. */
export const requestIdOf = ({ failed, response }: Entry): string | undefined => {
  const told: unknown = failed !== undefined && "requestId" in failed.error ? failed.error.requestId : undefined
  return Predicate.isString(told) ? told : response?.headers[requestIdHeader]
}

const attemptOf = (entry: Entry, now: number): Attempt => ({
  outcome: entry.failed?.outcome ?? (entry.response === undefined ? "unfinished" : String(entry.response.status)),
  error: entry.failed?.error._tag,
  delay: Duration.millis(entry.delay),
  duration: Duration.millis(Math.round((entry.failed?.at ?? now) - entry.began)),
  requestId: requestIdOf(entry)
})

/** An id comes from outside and may hold anything. */
export const quote = (id: string): string => id.replace(/[^\x21-\x7e]/g, "?").slice(0, 100)

/** Gives an error the story of the call that fails with it. */
export const tell = <E extends object>({ attempts, endpoint, now }: Told, error: E, ended: Ended): E => {
  const at = now()
  const told = attempts.map((entry) => attemptOf(entry, at))
  const requestId = told.findLast(({ requestId }) => requestId !== undefined)?.requestId
  stories.set(error, { endpoint, requestId, attempts: told, ended })
  return error
}

/** Gives an error the story of the one that it stands for. */
export const retell = <E extends object>(from: object, to: E): E => {
  const story = stories.get(from)
  if (story !== undefined) stories.set(to, story)
  return to
}

/** The story of the call that failed with this error. */
export const storyOf = (error: unknown): Option.Option<CallStory> =>
  Predicate.isObject(error) ? Option.fromUndefinedOr(stories.get(error)) : Option.none()
