/**
 * When a failed attempt is made again, and after how long.
 *
 * To change it for all calls, provide {@link RetryPolicy} to the layer of the client or to the program; for one call, to that call:
 *
 * ```ts
 * chats.get(chatId).pipe(Effect.provideService(RetryPolicy.RetryPolicy, RetryPolicy.none))
 * ```
 */
import type { RetryClass } from "@effect-chatbot/api/RetryClass"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"

/**
 * What follows from an outcome: `again`; `again with key`, which is again only where the request had an idempotency key and the backend
 * is known to honour it; or `final`.
 */
export type Verdict = "again" | "again with key" | "final"

/** What follows from an outcome, by the class of the endpoint. An endpoint of the class `never` is sent once, whatever comes. */
export type Verdicts = { readonly [Class in Exclude<RetryClass, "never">]: Verdict }

/** For what surely was not done: it can be asked for again. */
export const notDone: Verdicts = { safe: "again", idempotent: "again", keyed: "again" }

/** For what may have been done: it can be asked for again where twice has the effect of once. */
export const perhapsDone: Verdicts = { safe: "again", idempotent: "again", keyed: "again with key" }

/** For what another attempt would not change, or should not. */
export const final: Verdicts = { safe: "final", idempotent: "final", keyed: "final" }

/**
 * Every outcome that an attempt can have, but for success, and what follows from it. Statuses that are not here are final, and so is an
 * answer that cannot be read.
 *
 * `refused`, `dns`, `unreachable`, `tls`, `reset` and `unknown` are the reasons of a `TransportFailed`, `connect`, `attempt` and `firstEvent` the
 * limits of a `RequestTimedOut`, `truncated` and `idle` what a `StreamTruncated` and a `StreamIdle` tell. An error of the backend that asks for
 * something else than its status does stands here by its name.
 *
 * A stream is asked for as the `keyed` call it is until it is known which answer it gives, and after that followed, which is `safe`.
 */
export const outcomes = {
  refused: notDone,
  dns: notDone,
  connect: notDone,
  // A way to a backend can also be lost while it answers.
  unreachable: perhapsDone,
  // A certificate does not become valid by asking again.
  tls: final,
  reset: perhapsDone,
  unknown: perhapsDone,
  attempt: perhapsDone,
  firstEvent: perhapsDone,
  truncated: perhapsDone,
  idle: perhapsDone,
  "408": perhapsDone,
  // Too early: the backend did not want to begin (RFC 8470, 5.2).
  "425": notDone,
  "429": notDone,
  "500": perhapsDone,
  "502": perhapsDone,
  "503": notDone,
  "504": perhapsDone,
  // An earlier attempt of this call is still at work, and the answer to the next one will be its.
  IdempotencyKeyInUse: { safe: "final", idempotent: "final", keyed: "again" },
  // The chat is at another question. Which of the two should be asked first is not for a client to say.
  ChatBusy: final,
  // Somebody wanted the bots to stop.
  BotsStopped: final
} as const satisfies { readonly [outcome: string]: Verdicts }

/** The name of an outcome: a status or a tag, or what happened instead of an answer. */
export type Outcome = keyof typeof outcomes

/**
 * What keeps a client from hammering a backend that is down: a bucket of tokens that all calls of a client share. Every further attempt
 * takes some, and when there are too few none is made; every success puts some back.
 */
export interface Budget {
  /** How many tokens there are at the start, and at most. */
  readonly capacity: number
  /** How many a further attempt takes. */
  readonly cost: number
  /** How many a further attempt takes after one that ran into a limit of time. */
  readonly timeoutCost: number
  /** How many a success puts back. */
  readonly refund: number
}

/** When a failed attempt is made again, and after how long. */
export interface RetryPolicy {
  /**
   * How many attempts there are at most, the first one included. Of a stream that breaks it is the last one that brought something. To wait
   * for an attempt of the same call that is still at work (`IdempotencyKeyInUse`) takes none.
   */
  readonly attempts: number
  /** How long to wait before each further attempt; where it ends, so do the attempts. */
  readonly backoff: Schedule.Schedule<unknown>
  /**
   * The longest `Retry-After` to wait for; the wait is then added to that of `backoff`. A backend that asks for more time ends the call,
   * and so does a wait that would go on beyond the deadline.
   */
  readonly maxRetryAfter: Duration.Input
  /** Without one, only `attempts` limits them. */
  readonly budget: Budget | undefined
  /** What follows from which outcome. */
  readonly outcomes: { readonly [outcome in Outcome]: Verdicts }
}

/**
 * Exponential back-off with full jitter: a random wait between nothing and a time that begins with `initial`, grows by `factor` (2 by
 * default) and ends with `max`. So clients that failed together do not come back together.
 */
export const fullJitter = (options: {
  readonly initial: Duration.Input
  readonly factor?: number | undefined
  readonly max: Duration.Input
}): Schedule.Schedule<unknown> =>
  Schedule.min([Schedule.exponential(options.initial, options.factor), Schedule.spaced(options.max)]).pipe(
    Schedule.modifyDelay(({ duration }) => Effect.map(Random.next, (random) => Duration.times(duration, random)))
  )

/**
 * Three attempts, with full jitter from 200 ms to 10 s between them; a `Retry-After` of up to a minute. Of 100 tokens a further attempt
 * takes 5, or 10 after a limit of time, and a success puts back 1.
 */
export const standard: RetryPolicy = {
  attempts: 3,
  backoff: fullJitter({ initial: "200 millis", max: "10 seconds" }),
  maxRetryAfter: "60 seconds",
  budget: { capacity: 100, cost: 5, timeoutCost: 10, refund: 1 },
  outcomes
}

/** One attempt. */
export const none: RetryPolicy = { ...standard, attempts: 1 }

/** The policy in force; {@link standard} unless changed. */
export const RetryPolicy = Context.Reference<RetryPolicy>("@effect-chatbot/client/RetryPolicy", {
  defaultValue: () => standard
})
