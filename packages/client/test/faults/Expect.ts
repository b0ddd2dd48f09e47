/** The words in which the rows say what they expect. */
import type * as CallStory from "@effect-chatbot/client/CallStory"
import type { Event } from "@effect-chatbot/client/Completion"
import type { Expected, Outcome, Wait } from "./Fault.ts"

/**
 * The wait before the further attempt of this number, 1 for the first, by the standard policy: full jitter from 200 ms on, doubled every time,
 * and at least as long as the backend asked for or the attempt before took, in milliseconds.
 */
export const backoff = (number: number, least = 0): Wait => [least, least + 200 * 2 ** (number - 1)]

/** The waits of three attempts. */
export const twoWaits: ReadonlyArray<Wait> = [backoff(1), backoff(2)]

/** Where no attempt follows the first. */
export const noWaits: ReadonlyArray<Wait> = []

/** The call answers this. */
export const value = (value: unknown, waits: ReadonlyArray<Wait>, effects = 0): Expected => ({
  outcome: { value },
  waits,
  effects
})

/** The call fails so. */
export const fails = (
  error: string,
  because: CallStory.Ended,
  waits: ReadonlyArray<Wait>,
  effects = 0,
  fields: { readonly [field: string]: unknown } = {}
): Expected => ({ outcome: { error, because, fields }, waits, effects })

/** The stream gives these events and then ends so. The question is asked once, whatever comes. */
export const gives = (
  events: ReadonlyArray<Event>,
  waits: ReadonlyArray<Wait> = noWaits,
  outcome: Outcome = "ends"
): Expected => ({ outcome, events, waits, effects: 1 })
