/** A fault, what the client should make of it, and whether it did. */
import type { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as CallStory from "@effect-chatbot/client/CallStory"
import type { Event } from "@effect-chatbot/client/Completion"
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { isDeepStrictEqual } from "node:util"

/** The bounds of a wait, in milliseconds. */
export type Wait = readonly [least: number, most: number]

/** How a call should end. */
export type Outcome =
  | { readonly value: unknown }
  /** The events are those of the call, and it ends. */
  | "ends"
  | {
      readonly error: string
      /** What it says beside its message. */
      readonly fields?: { readonly [field: string]: unknown }
      /** Why there was no further attempt. */
      readonly because: CallStory.Ended
    }

/** What should come of a fault. */
export interface Expected {
  readonly outcome: Outcome
  /** What the stream should give before its end. */
  readonly events?: ReadonlyArray<Event>
  /** From one attempt to the next, from beginning to beginning: one less than there are attempts. */
  readonly waits: ReadonlyArray<Wait>
  /** How many requests reach the backend, if not one an attempt. */
  readonly requests?: number
  /** How often the backend did what a POST asks for. */
  readonly effects: number
}

/** A request, as a backend has it. */
export interface Arrival {
  readonly at: number
  readonly key: string | undefined
  readonly lastEventId: string | undefined
}

/** A backend with a fault, and the way to it. */
export interface Setting {
  readonly baseUrl: string
  readonly transport: Layer.Layer<HttpClient.HttpClient>
  /** Whether it is of this process, so that time need not pass. */
  readonly isVirtual: boolean
  readonly arrivals: () => ReadonlyArray<Arrival>
  readonly effects: () => number
}

/** A call that meets a fault. A stream hands out its events. */
export type Call = (
  client: ChatbotClient["Service"],
  onEvent: (event: Event) => void
) => Effect.Effect<unknown, { readonly _tag: string }>

/** A row of the table. */
export interface Fault {
  readonly name: string
  /** What is called, in words. */
  readonly asks: string
  readonly call: Call
  readonly setting: Effect.Effect<Setting, never, Scope.Scope>
  /** Whether the client has heard that the backend honours keys. */
  readonly isHonoured: boolean
  /** Whether the policy gives one attempt, and not three. */
  readonly isOnce?: boolean
  /** Where time is real, how long an attempt, a first event and a silence may take, if not as long as usual; in milliseconds. */
  readonly limit?: number | undefined
  readonly expected: Expected
}

/** What came of a fault. */
export interface Seen {
  readonly exit: Exit.Exit<unknown, { readonly _tag: string }>
  readonly events: ReadonlyArray<Event>
  readonly arrivals: ReadonlyArray<Arrival>
  readonly effects: number
  readonly leaks: ReadonlyArray<string>
  readonly isVirtual: boolean
}

/** A row of the table with what came of it. It is right where nothing is wrong. */
export interface Verdict {
  readonly name: string
  readonly asks: string
  readonly did: string
  readonly wrong: ReadonlyArray<string>
}

/** Absent fields may be there as `undefined`. */
const present = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(present)
  if (typeof value !== "object" || value === null) return value
  if (Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .map(([name, field]) => [name, present(field)])
  )
}

/** Whether two values are the same, where a field that is `undefined` is absent. */
export const isSame = (left: unknown, right: unknown) => isDeepStrictEqual(present(left), present(right))

const show = (value: unknown): string => {
  const text = Duration.isDuration(value) ? Duration.format(value) : (JSON.stringify(value) ?? String(value))
  return text.length > 120 ? `${text.slice(0, 117)}…` : text
}

const errorOf = ({ exit }: Seen) => Option.getOrUndefined(Exit.findErrorOption(exit))

const storyOf = (seen: Seen) => Option.getOrUndefined(CallStory.of(errorOf(seen)))

/** From the beginning of one attempt to that of the next, as the client tells. */
const toldWaits = ({ attempts }: CallStory.CallStory): ReadonlyArray<number> =>
  attempts.slice(1).map(({ delay }, i) => Duration.toMillis(delay) + Duration.toMillis(attempts[i]!.duration))

/**
 * The same as the backend saw it. Where time is real a request may take long to arrive, so that it is better to go by what the client tells, if it
 * does.
 */
const waitsOf = (seen: Seen): ReadonlyArray<number> => {
  const { arrivals, isVirtual } = seen
  const story = storyOf(seen)
  return isVirtual || story === undefined
    ? arrivals.slice(1).map(({ at }, i) => at - arrivals[i]!.at)
    : toldWaits(story)
}

function* wrongOutcome(outcome: Outcome, seen: Seen): Iterable<string> {
  const error = errorOf(seen)
  if (outcome === "ends" || "value" in outcome) {
    if (Exit.isFailure(seen.exit)) yield `it failed: ${error?._tag ?? "by a defect"}`
    else if (outcome !== "ends" && !isSame(seen.exit.value, outcome.value)) {
      yield `the value is ${show(seen.exit.value)} and not ${show(outcome.value)}`
    }
    return
  }
  if (error?._tag !== outcome.error) {
    yield `${error?._tag ?? (Exit.isSuccess(seen.exit) ? "success" : "a defect")} and not ${outcome.error}`
    return
  }
  for (const [name, expected] of Object.entries(outcome.fields ?? {})) {
    const found: unknown = Reflect.get(error, name)
    if (!isSame(found, expected)) yield `${name} is ${show(found)} and not ${show(expected)}`
  }
  const story = storyOf(seen)
  if (story?.ended !== outcome.because) yield `it ended because of "${story?.ended}" and not "${outcome.because}"`
}

/** What the story of a failed call says must be what the backend saw. */
function* wrongStory(seen: Seen, attempts: number): Iterable<string> {
  const story = storyOf(seen)
  if (story === undefined) return
  if (story.attempts.length !== attempts) yield `the story tells of ${story.attempts.length} attempts`
  if (!seen.isVirtual) return
  const told = toldWaits(story)
  const isTrue = waitsOf(seen).every((wait, i) => Math.abs(wait - (told[i] ?? NaN)) <= 1)
  if (!isTrue) yield `the story tells of waits of ${told.join(", ")} ms`
}

/** A timer of a real clock may end a millisecond early, and on a busy machine late: only what is too short is wrong. */
const isWithin = (wait: number, [least, most]: Wait, isVirtual: boolean) =>
  isVirtual ? wait >= least && wait <= most : wait >= least - 2

function* wrongs(
  { isHonoured, expected: { effects, events = [], outcome, requests, waits } }: Fault,
  seen: Seen
): Iterable<string> {
  const attempts = waits.length + 1
  yield* wrongOutcome(outcome, seen)
  if (!isSame(seen.events, events)) {
    const at = events.findIndex((event, i) => !isSame(event, seen.events[i]))
    yield `of ${events.length} events ${seen.events.length} came, and the first that is another is at ${at}`
  }
  const reached = requests ?? attempts
  if (seen.arrivals.length !== reached) yield `${seen.arrivals.length} requests came and not ${reached}`
  const found = waitsOf(seen)
  if (found.length !== waits.length) yield `there are ${found.length} waits and not ${waits.length}`
  for (const [i, [least, most]] of waits.entries()) {
    const wait = found[i] ?? NaN
    if (!isWithin(wait, [least, most], seen.isVirtual)) yield `wait ${i + 1} is ${wait} ms and not ${least} to ${most}`
  }
  yield* wrongStory(seen, attempts)
  if (seen.effects !== effects) yield `it was done ${seen.effects} times and not ${effects}`
  if (isHonoured && new Set(seen.arrivals.flatMap(({ key }) => key ?? [])).size > 1) yield "the key changed"
  yield* seen.leaks
}

const inWords = (seen: Seen): string => {
  const { arrivals, effects, events, exit } = seen
  const error = errorOf(seen)
  const reason = Option.match(CallStory.of(error), { onNone: () => "", onSome: ({ ended }) => ` (${ended})` })
  const detail = error === undefined ? undefined : (Reflect.get(error, "reason") ?? Reflect.get(error, "limit"))
  const end = Exit.isSuccess(exit)
    ? events.length > 0
      ? `${events.length} events`
      : "value"
    : `${events.length > 0 ? `${events.length} events, ` : ""}${error?._tag ?? "defect"}${
        detail === undefined ? "" : ` ${String(detail)}`
      }${reason}`
  const waits = waitsOf(seen).map((wait) => Duration.format(Duration.millis(Math.round(wait))))
  return [
    end,
    `${arrivals.length} ${arrivals.length === 1 ? "request" : "requests"}`,
    ...(waits.length > 0 ? [`waits ${waits.join(", ")}`] : []),
    ...(effects > 0 ? [`done ${effects === 1 ? "once" : `${effects} times`}`] : [])
  ].join("; ")
}

/** Compares what came of a fault with what should. */
export const judge = (fault: Fault, seen: Seen): Verdict => ({
  name: fault.name,
  asks: fault.asks,
  did: inWords(seen),
  wrong: [...wrongs(fault, seen)]
})
