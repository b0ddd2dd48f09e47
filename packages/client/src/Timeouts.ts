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

/** The limits of all calls, and those of completions, which take as long as a bot takes to answer. */
export interface Timeouts extends Limits {
  /**
   * For the request to be on a connection: a free one, or a new one with all it takes (name, proxy, TLS). Only the transport for Node can
   * be told; what `fetch` has for a limit is its own.
   */
  readonly connect: Duration.Input
  readonly completions: Limits
}

/** 10 seconds for a connection, 30 seconds an attempt, 60 seconds a call, and 10 minutes for a completion. */
export const standard: Timeouts = {
  connect: "10 seconds",
  attempt: "30 seconds",
  deadline: "60 seconds",
  completions: { attempt: "10 minutes", deadline: "10 minutes" }
}

/** The limits in force; {@link standard} unless changed. */
export const Timeouts = Context.Reference<Timeouts>("@effect-chatbot/client/Timeouts", {
  defaultValue: () => standard
})
