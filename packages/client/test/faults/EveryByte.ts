/** A recorded answer that breaks off after any of its bytes and is followed: the same events, each once, in order. */
import * as EventStream from "@effect-chatbot/api/EventStream"
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import type { Event } from "@effect-chatbot/client/Completion"
import * as RetryPolicy from "@effect-chatbot/client/RetryPolicy"
import { supportedHeader } from "@effect-chatbot/api/middleware/IdempotencyKeys"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { chatId, completionId, eventsOf, received } from "./Answer.ts"
import { backend, type Behaviour, eventResponse } from "./Backend.ts"
import { prompt } from "./Canaries.ts"
import { isSame } from "./Fault.ts"

const events = eventsOf(200)
const recording = EventStream.encode(events)
/** Where events begin, in bytes, and where the last one ends. */
const starts = [0]
for (const event of events) starts.push(starts.at(-1)! + EventStream.encode([event]).length)

const broken = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" })

/** Asks again at once, as often as it takes. */
const eagerly = { ...RetryPolicy.standard, budget: undefined, backoff: Schedule.spaced(0) }

/** How a backend may be come back to. */
const backends = {
  "names its answer": { namesAnswer: true, honoursKeys: false },
  "honours keys": { namesAnswer: false, honoursKeys: true },
  "does neither": { namesAnswer: false, honoursKeys: false }
} as const

/** One way to be cut off. */
interface Cut {
  readonly offset: number
  readonly kind: "end" | "reset"
  readonly from: keyof typeof backends
}

/** A client that asks again at once, and reads each time from another backend. */
const reader = (from: Cut["from"]) =>
  Effect.gen(function* () {
    const { honoursKeys, namesAnswer } = backends[from]
    const headers = {
      ...(namesAnswer ? { [EventStream.completionIdHeader]: completionId } : undefined),
      ...(honoursKeys ? { [supportedHeader]: "true" } : undefined)
    }
    let current = backend(({ work }) => work())
    const transport = HttpClient.make((...request) => current.answer(...request))
    const { chats } = yield* Effect.provide(
      ChatbotClient,
      ChatbotClient.layer({ baseUrl: current.baseUrl }).pipe(
        Layer.provide(Layer.succeed(HttpClient.HttpClient, transport)),
        Layer.provide(Layer.succeed(RetryPolicy.RetryPolicy, eagerly)),
        Layer.orDie
      )
    )

    /** The events of an answer that is cut there, and how it ends. */
    return ({ kind, offset }: Pick<Cut, "kind" | "offset">) =>
      Effect.suspend(() => {
        const behaviour: Behaviour = ({ events: take, number }) => {
          const rest = take()
          const bytes =
            number > 1 ? recording.subarray(starts[events.length - rest.length]) : recording.subarray(0, offset)
          return eventResponse(number === 1 && kind === "reset" ? [bytes, broken] : [bytes], headers)
        }
        const setting = backend(behaviour, { honoursKeys, namesAnswer, events })
        current = setting
        const found: Array<Event> = []
        const add = (events: ReadonlyArray<Event>) => Effect.sync(() => found.push(...events))
        return Effect.map(Effect.exit(Stream.runForEachArray(chats.stream(chatId, prompt), add)), (exit) => ({
          exit,
          found,
          effects: setting.effects(),
          requests: setting.arrivals().length
        }))
      })
  })

type Read = Effect.Success<ReturnType<Effect.Success<ReturnType<typeof reader>>>>

/** What is wrong with how an answer that is cut there was read. `intact` is how it is read where it is not cut. */
function* wrongs(
  { from, kind, offset }: Cut,
  { effects, exit, found, requests }: Read,
  intact: string
): Iterable<string> {
  // Of an answer that just ends, the last line end may be missing, and the blank line that closes an event.
  const spare = kind === "end" ? 2 : 0
  const isWhole = offset >= recording.length - spare
  // The first event says which answer it is, at the latest.
  const isFound = from !== "does neither" || offset >= starts[1]! - spare
  const error = Option.getOrUndefined(Exit.findErrorOption(exit))?._tag
  const expected = isFound ? undefined : kind === "end" ? "StreamTruncated" : "TransportFailed"
  const at = `${from}, ${kind} at byte ${offset}:`
  if (JSON.stringify(found) !== (isFound ? intact : "[]")) yield `${at} ${found.length} events, not those of the answer`
  if (error !== expected || Exit.hasDies(exit)) yield `${at} it ends with ${error}`
  if (requests !== (isWhole || !isFound ? 1 : 2)) yield `${at} ${requests} requests`
  if (effects !== 1) yield `${at} done ${effects} times`
}

/** Every offset below a bound, or where not all are wanted those around the ends of events, and some between them. */
const offsetsOf = (isFull: boolean, bound: number): ReadonlyArray<number> => {
  const around = new Set(starts.flatMap((start) => [start - 1, start]))
  return Array.from({ length: bound }, (_, offset) => offset).filter(
    (offset) => isFull || around.has(offset) || offset % 101 === 0
  )
}

/** Cuts the answer at every byte or at some, and tells what is wrong, and how often it was cut. */
export const everyByte = (isFull: boolean) =>
  Effect.gen(function* () {
    const wrong: Array<string> = []
    let count = 0
    for (const from of Object.keys(backends) as ReadonlyArray<Cut["from"]>) {
      const read = yield* reader(from)
      const { found } = yield* read({ kind: "end", offset: recording.length })
      if (!isSame(found, received(events))) wrong.push(`${from}: of the intact answer come ${found.length} events`)
      const intact = JSON.stringify(found)
      // Where the second event has come, the answer is known, and it makes no difference any more what else is.
      const bound = from === "names its answer" ? recording.length + 1 : starts[2]!
      for (const offset of offsetsOf(isFull, bound)) {
        for (const kind of ["end", "reset"] as const) {
          count++
          wrong.push(...wrongs({ from, kind, offset }, yield* read({ kind, offset }), intact))
        }
      }
    }
    return { count, wrong }
  }).pipe(Effect.provide(TestClock.layer()))
