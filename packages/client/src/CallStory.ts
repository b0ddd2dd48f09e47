/**
 * What happened in a call that failed: every attempt, how each ended, and why there was no other.
 *
 * Every error that a method of the client fails with has its story, and so has one that ends a stream of bytes. It holds no URL, token,
 * text or id of a chat, only what is needed to find the call in the logs of the backend.
 *
 * ```ts
 * chats.get(chatId).pipe(
 *   Effect.tapError((error) => Effect.logWarning(Option.match(CallStory.of(error), { onNone: () => "", onSome: CallStory.format })))
 * )
 * ```
 */
import * as Duration from "effect/Duration"
import type * as Option from "effect/Option"
import { type Attempt, type CallStory, type Ended, quote, storyOf } from "./internal/story.ts"

export type { Attempt, CallStory, Ended } from "./internal/story.ts"

/** The story of the call that failed with this error. A copy of the error, and one that was made elsewhere, has none. */
export const of = (error: unknown): Option.Option<CallStory> => storyOf(error)

const because: { readonly [reason in Ended]: string } = {
  final: "another attempt would change nothing",
  unsent: "the request is not valid and was not sent",
  once: "it is sent only once",
  uncertain: "it may have been done, and the backend is not known to honour idempotency keys",
  veto: "the backend said not to",
  attempts: "these were all attempts that the policy allows",
  backoff: "the back-off of the policy ended",
  budget: "too many calls of this client failed lately",
  "retry-after": "the backend asked for more time than the policy gives",
  deadline: "there was no time left for it before the deadline",
  begun: "the answer had begun"
}

const sentence = ({ delay, duration, error, outcome, requestId }: Attempt, index: number): string =>
  [
    `  ${index + 1}. `,
    Duration.isZero(delay) ? "" : `${Duration.format(delay)} later: `,
    error === undefined ? outcome : `${outcome} (${error})`,
    ` after ${Duration.format(duration)}`,
    requestId === undefined ? "" : `, request ${quote(requestId)}`
  ].join("")

/**
 * A story in words, a line an attempt:
 *
 * ```text
 * chats.get failed after 2 attempts:
 *   1. 503 (Unavailable) after 12ms, request r-1
 *   2. 180ms later: 404 (ChatNotFound) after 9ms, request r-2
 * No further attempt: another attempt would change nothing.
 * ```
 */
export const format = ({ attempts, ended, endpoint }: CallStory): string =>
  attempts.length === 0
    ? `${endpoint} failed: ${because[ended]}.`
    : [
        `${endpoint} failed after ${attempts.length === 1 ? "1 attempt" : `${attempts.length} attempts`}:`,
        ...attempts.map(sentence),
        `No further attempt: ${because[ended]}.`
      ].join("\n")
