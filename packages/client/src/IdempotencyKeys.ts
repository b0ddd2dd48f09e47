/**
 * How a call that is not idempotent by itself becomes so: it carries a key, the same on all of its attempts, and a backend that honours
 * keys does the work of a key once.
 *
 * A program that wants to be sure beyond its own end stores a key, and makes the call with it until it knows how it ended (for workflows,
 * `Activities` do that):
 *
 * ```ts
 * chats.create(botId).pipe(Effect.provideService(IdempotencyKeys.IdempotencyKeys, { ...IdempotencyKeys.standard, key: stored }))
 * ```
 */
import * as Context from "effect/Context"

/** Which keys are sent, and what is thought of the backend. */
export interface IdempotencyKeys {
  /** Whether a call of a keyed endpoint carries a key. */
  readonly enabled: boolean
  /** The key, only sound for one call; a new random UUID without it. */
  readonly key?: string | undefined
  /**
   * Whether the backend honours keys. `learned` believes it from the answer on that says so; until then a call is not made again when it
   * may have been done.
   */
  readonly honoured: boolean | "learned"
}

/** A random key for every call of a keyed endpoint, and no trust before the backend says that it honours keys. */
export const standard: IdempotencyKeys = { enabled: true, honoured: "learned" }

/** The policy in force; {@link standard} unless changed. */
export const IdempotencyKeys = Context.Reference<IdempotencyKeys>("@effect-chatbot/client/IdempotencyKeys", {
  defaultValue: () => standard
})
