/** The faults of a backend that answers with events. */
import * as EventStream from "@effect-chatbot/api/EventStream"
import { supportedHeader } from "@effect-chatbot/api/middleware/IdempotencyKeys"
import * as Problem from "@effect-chatbot/api/Problem"
import * as CompletionEvent from "@effect-chatbot/schema/CompletionEvent"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { failing, json, status } from "../support/Scripted.ts"
import { completion, completionId, completionJson, events, received } from "./Answer.ts"
import { backend, type Behaviour, eventResponse, type Exchange, type Options, slowResponse } from "./Backend.ts"
import { stream } from "./Calls.ts"
import { echo } from "./Canaries.ts"
import { backoff, fails, gives, noWaits } from "./Expect.ts"
import type { Expected, Fault, Wait } from "./Fault.ts"

const streams = (name: string, behaviour: Behaviour, expected: Expected, options: Options = {}): Fault => ({
  name,
  asks: options.honoursKeys === true ? "stream, keys" : "stream",
  call: stream,
  setting: Effect.sync(() => backend(behaviour, options)),
  isHonoured: options.honoursKeys === true,
  expected
})

const intact = received(events)

/** What a program has of the first events. */
const first = (count: number) => received(events.slice(0, count))

const named = { [EventStream.completionIdHeader]: completionId }

/** The right answer, or the beginning of it, and what is made of its bytes. */
const bent =
  (bend: (bytes: Uint8Array) => Iterable<Uint8Array | Error>, headers: HeadersInit = named, count?: number) =>
  ({ events }: Exchange): Response =>
    eventResponse(bend(EventStream.encode(events().slice(0, count))), headers)

/** Behaves so at first, and then rightly. */
const once =
  (...first: ReadonlyArray<Behaviour>): Behaviour =>
  (exchange) =>
    (first[exchange.number - 1] ?? (({ work }) => work()))(exchange)

const bytesOf = (text: string) => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

/** What is made of the text of an answer. */
const rewritten = (rewrite: (text: string) => string, count?: number) =>
  bent((bytes) => [bytesOf(rewrite(textOf(bytes)))], named, count)

const inPieces = (bytes: Uint8Array, size: number) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))

const broken = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" })

/** So many of the events that are asked for, and what comes then. */
const some =
  (count: number, ...then: ReadonlyArray<Uint8Array | Error>): Behaviour =>
  ({ events }) =>
    eventResponse([EventStream.encode(events().slice(0, count)), ...then], named)

/** So many of the events, and then nothing. */
const stalling =
  (count: number): Behaviour =>
  ({ events }) =>
    slowResponse(Stream.concat(Stream.succeed(EventStream.encode(events().slice(0, count))), Stream.never), named)

const reset: Behaviour = ({ request }) => failing(request, "ECONNRESET")

const cuts: ReadonlyArray<Fault> = [
  streams("clean end with no terminal event", once(some(5)), gives(intact, [backoff(1)])),
  streams(
    "the same, after every event",
    some(1),
    gives(
      intact,
      Array.from({ length: 11 }, () => backoff(1))
    )
  ),
  streams(
    "the same, for ever",
    (exchange) => (exchange.number === 1 ? some(5) : some(0))(exchange),
    gives(first(5), [backoff(1), backoff(2)], {
      error: "StreamTruncated",
      fields: { lastEventId: "5" },
      because: "attempts"
    })
  ),
  streams(
    "the same, of an answer that cannot be found again",
    (exchange) => (exchange.number === 1 ? some(5) : () => status(404))(exchange),
    gives(first(5), [backoff(1)], { error: "StreamTruncated", fields: { lastEventId: "5" }, because: "final" })
  ),
  streams(
    "no event at all, and no name of the answer",
    bent(() => [], {}),
    gives([], noWaits, { error: "StreamTruncated", because: "uncertain" })
  ),
  streams(
    "no event at all, and no name of the answer",
    once(bent(() => [], { [supportedHeader]: "true" })),
    gives(intact, [backoff(1)]),
    { honoursKeys: true }
  ),
  streams("reset in the stream", once(some(5, broken)), gives(intact, [backoff(1)])),
  streams(
    "reset within an event",
    once(bent((bytes) => [bytes.subarray(0, 300), broken])),
    gives(intact, [backoff(1)])
  ),
  streams(
    "reset before the head, the work begun",
    once(({ events, request }) => {
      events()
      return failing(request, "ECONNRESET")
    }),
    gives([], noWaits, { error: "TransportFailed", fields: { reason: "reset" }, because: "uncertain" })
  ),
  streams(
    "the same, and the key is in use by the answer",
    once(
      ({ events, request }) => {
        events()
        return failing(request, "ECONNRESET")
      },
      () =>
        json(
          { type: Problem.typeOf("IdempotencyKeyInUse"), status: 409, retryAfter: 1, completionId, echo },
          { status: 409 }
        )
    ),
    gives(intact, [backoff(1), backoff(2, 1000)]),
    { honoursKeys: true }
  ),
  streams("reset before the work", once(reset), gives(intact, [backoff(1)]), { honoursKeys: true }),
  streams(
    "503 to who comes back, with Retry-After 2",
    once(some(5), () => status(503, { "retry-after": "2" })),
    gives(intact, [backoff(1), backoff(2, 2000)])
  )
]

const stalled = (seconds: number): Wait => backoff(1, seconds * 1000)

const silences: ReadonlyArray<Fault> = [
  streams("stall", once(stalling(5)), gives(intact, [stalled(45)])),
  streams(
    "stall after every event",
    stalling(1),
    gives(
      intact,
      Array.from({ length: 11 }, () => stalled(45))
    )
  ),
  // Who comes back waits for a first event again.
  streams(
    "stall on every attempt",
    (exchange) => (exchange.number === 1 ? stalling(5) : stalling(0))(exchange),
    gives(first(5), [stalled(45), backoff(2, 120_000)], {
      error: "RequestTimedOut",
      fields: { limit: "firstEvent", duration: Duration.minutes(2) },
      because: "attempts"
    })
  ),
  {
    ...streams(
      "stall on the only attempt",
      stalling(5),
      gives(first(5), noWaits, {
        error: "StreamIdle",
        fields: { duration: Duration.seconds(45), lastEventId: "5" },
        because: "attempts"
      })
    ),
    isOnce: true
  },
  streams("no first event", stalling(0), {
    ...fails("RequestTimedOut", "attempts", [backoff(1, 120_000), backoff(2, 120_000)], 1, {
      limit: "firstEvent",
      duration: Duration.minutes(2)
    })
  }),
  streams(
    "comments alone for 3 minutes",
    ({ events }) => {
      const all = events()
      const beats = Stream.tick("15 seconds").pipe(Stream.map(EventStream.heartbeat), Stream.take(12))
      return slowResponse(
        Stream.succeed(EventStream.encode(all.slice(0, 5))).pipe(
          Stream.concat(beats),
          Stream.concat(Stream.succeed(EventStream.encode(all.slice(5))))
        ),
        named
      )
    },
    gives(intact)
  ),
  streams("open after its terminal event", stalling(events.length), gives(intact))
]

const frames: ReadonlyArray<Fault> = [
  streams(
    "missing last blank line",
    rewritten((text) => text.slice(0, -1)),
    gives(intact)
  ),
  streams(
    "missing last line end too",
    rewritten((text) => text.slice(0, -2)),
    gives(intact)
  ),
  streams(
    "CRLF",
    rewritten((text) => text.replaceAll("\n", "\r\n")),
    gives(intact)
  ),
  streams(
    "CR",
    rewritten((text) => text.replaceAll("\n", "\r")),
    gives(intact)
  ),
  streams(
    "CRLF, split everywhere",
    bent((bytes) => inPieces(bytesOf(textOf(bytes).replaceAll("\n", "\r\n")), 1)),
    gives(intact)
  ),
  streams(
    "split UTF-8",
    bent((bytes) => inPieces(bytes, 3)),
    gives(intact)
  ),
  streams(
    "1-byte chunks",
    bent((bytes) => inPieces(bytes, 1)),
    gives(intact)
  ),
  streams(
    "BOM",
    rewritten((text) => `\ufeff${text}`),
    gives(intact)
  ),
  streams(
    "BOM in 1-byte chunks",
    bent((bytes) => inPieces(bytesOf(`\ufeff${textOf(bytes)}`), 1)),
    gives(intact)
  ),
  streams(
    "comments between the lines",
    rewritten((text) => text.replaceAll("\n", `\n: ${echo}\n`)),
    gives(intact)
  ),
  streams(
    "unknown fields and events",
    rewritten((text) => `echo: ${echo}\n\nevent: x\n\n${text.replaceAll("data:", `x: ${echo}\ndata:`)}`),
    gives(intact)
  ),
  streams(
    "`retry:` line",
    once(({ events }) => eventResponse([bytesOf("retry: 3000\n\n"), EventStream.encode(events().slice(0, 5))], named)),
    gives(intact, [backoff(1, 3000)])
  ),
  streams(
    "`retry:` line of a year",
    once(({ events }) =>
      eventResponse([bytesOf("retry: 31536000000\n\n"), EventStream.encode(events().slice(0, 5))], named)
    ),
    gives(intact, [backoff(1, 60_000)])
  ),
  streams(
    "`retry:` line that is no time",
    once(({ events }) =>
      eventResponse([bytesOf("retry: -1\nretry: abc\n\n"), EventStream.encode(events().slice(0, 5))], named)
    ),
    gives(intact, [backoff(1)])
  )
]

const limit = 2 ** 20
const large = CompletionEvent.Delta.make({ text: "x".repeat(limit - 100) })
const huge = CompletionEvent.Delta.make({ text: echo.padEnd(limit + 1, "x") })
const withThird = (event: CompletionEvent.CompletionEvent) =>
  events.map((given) => (given.id === 3 ? { id: 3, event } : given))

const failed = CompletionEvent.Failed.make({
  completionId,
  type: Problem.typeOf("ProviderFailed"),
  title: "Provider failed",
  status: 502,
  detail: "It is down.",
  requestId: "r-1",
  retryAfter: Duration.seconds(3)
})

const contents: ReadonlyArray<Fault> = [
  streams("an event as large as may be", ({ work }) => work(), gives(received(withThird(large))), {
    events: withThird(large)
  }),
  streams(
    "huge event",
    ({ work }) => work(),
    gives(first(2), noWaits, { error: "EventTooLarge", fields: { maxEventSize: limit }, because: "final" }),
    { events: withThird(huge) }
  ),
  streams(
    "error event",
    ({ work }) => work(),
    gives(first(5), noWaits, {
      error: "CompletionFailed",
      fields: { reason: "ProviderFailed", completionId, requestId: "r-1", retryAfter: Duration.seconds(3) },
      because: "final"
    }),
    { events: [...events.slice(0, 5), { id: 6, event: failed }] }
  ),
  streams(
    "an event that is not what the contract says",
    rewritten((text) => text.replace('data: {"text":"Höllo"}', `data: {"text":{"echo":"${echo}"}}`)),
    gives(first(1), noWaits, { error: "InvalidResponse", fields: { status: 200 }, because: "final" })
  ),
  streams(
    "an event that is no JSON",
    rewritten((text) => text.replace('data: {"text":"Höllo"}', `data: ${echo}`)),
    gives(first(1), noWaits, { error: "InvalidResponse", fields: { status: 200 }, because: "final" })
  ),
  streams(
    "duplicate events",
    ({ events }) =>
      eventResponse(
        events().flatMap((event) => [EventStream.encode([event, event])]),
        named
      ),
    gives(intact)
  ),
  streams(
    "the events from the beginning to who comes back",
    ({ events: rest, number }) => {
      rest()
      return eventResponse([EventStream.encode(number === 1 ? events.slice(0, 5) : events)], named)
    },
    gives(intact, [backoff(1)])
  ),
  streams(
    "reordered events",
    once(({ events }) => {
      const [one, two, three, four, ...rest] = events()
      return eventResponse([EventStream.encode([one!, two!, four!, three!, ...rest])], named)
    }),
    gives(intact, [backoff(1)])
  ),
  streams(
    "a missing event, for ever",
    ({ events }) => eventResponse([EventStream.encode(events().filter(({ id }) => id !== 3))], named),
    gives(first(2), [backoff(1), backoff(2)], {
      error: "StreamTruncated",
      fields: { lastEventId: "2" },
      because: "attempts"
    })
  )
]

const whole = received([
  { id: 1, event: CompletionEvent.Delta.make({ text: completion.assistantMessage! }) },
  { id: 2, event: CompletionEvent.Completed.make({ completion }) }
])

const foreign: ReadonlyArray<Fault> = [
  streams(
    "JSON, of a backend that does not stream",
    ({ events }) => {
      events()
      return json(completionJson)
    },
    gives(whole)
  ),
  streams(
    "200 with HTML",
    ({ events }) => {
      events()
      return new Response(echo, { headers: { "content-type": "text/html" } })
    },
    gives([], noWaits, { error: "InvalidResponse", fields: { status: 200 }, because: "final" })
  ),
  // Who came back would get events again that were read before.
  streams(
    "events without ids, cut",
    rewritten((text) => text.replaceAll(/^id: .*\n/gm, ""), 4),
    gives(first(4), noWaits, { error: "StreamTruncated", because: "begun" })
  ),
  streams(
    "events of which the last has no id, cut",
    rewritten((text) => text.replace("id: 4\n", ""), 4),
    gives(first(4), noWaits, { error: "StreamTruncated", fields: { lastEventId: "3" }, because: "begun" })
  )
]

/** The faults of a backend that answers with events. */
export const streamFaults: ReadonlyArray<Fault> = [...cuts, ...silences, ...frames, ...contents, ...foreign]
