/**
 * How long a call may take.
 *
 * To change it for all calls, provide {@link Timeouts} to the layer of the client or to the program; for one call, to that call:
 *
 * ```ts
 * chats.get(chatId).pipe(Effect.provideService(Timeouts.Timeouts, { ...Timeouts.standard, attempt: "5 seconds" }))
 * ```
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"

/** The limits of a call. `"Infinity"` is no limit. */
export interface Limits {
  /**
   * For one request and its answer with the body. Of an image or a download it is the limit for the answer to begin, and then for
   * each wait for more bytes.
   */
  readonly attempt: Duration.Input
  /** For the whole call with all its attempts. Of an image or a download it ends where the bytes begin. */
  readonly deadline: Duration.Input
}

/** The limits of a stream, beside the deadline of completions. `"Infinity"` is no limit. */
export interface StreamLimits {
  /** For one request until its first event. A backend that does not stream must have answered by then. */
  readonly firstEvent: Duration.Input
  /** For each silence after that, in which not even a heartbeat comes. */
  readonly idle: Duration.Input
}

/** The limits of all calls, and those of completions, which take as long as a bot takes to answer. */
export interface Timeouts extends Limits {
  /**
   * For the request to be on a connection: a free one, or a new one with all it takes (name, proxy, TLS). Only the transport for Node can
   * be told; what `fetch` has for a limit is its own.
   */
  readonly connect: Duration.Input
  /** Those of completions. A stream has their deadline, for the whole of it. */
  readonly completions: Limits
  /** Those of completions that are streamed. */
  readonly streams: StreamLimits
}

/**
 * 10 seconds for a connection, 30 seconds an attempt, 60 seconds a call, and 10 minutes for a completion. A stream has 2 minutes for its first
 * event, and is given up after a silence of 45 seconds: the backend sends a heartbeat every 15.
 */
export const standard: Timeouts = {
  connect: "10 seconds",
  attempt: "30 seconds",
  deadline: "60 seconds",
  completions: { attempt: "10 minutes", deadline: "10 minutes" },
  streams: { firstEvent: "2 minutes", idle: "45 seconds" }
}

/** The limits in force; {@link standard} unless changed. */
export const Timeouts = Context.Reference<Timeouts>("@effect-chatbot/client/Timeouts", {
  defaultValue: () => standard
})
