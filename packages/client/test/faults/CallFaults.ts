/** The faults of a backend that answers as a whole. */
import * as Problem from "@effect-chatbot/api/Problem"
import { ChatId } from "@effect-chatbot/schema/Ids"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { failing, json, status, text } from "../support/Scripted.ts"
import { chat, chatJson, completion } from "./Answer.ts"
import { backend, type Behaviour, type Options } from "./Backend.ts"
import { complete, get } from "./Calls.ts"
import { echo, echoing } from "./Canaries.ts"
import { backoff, fails, noWaits, twoWaits, value } from "./Expect.ts"
import type { Call, Expected, Fault } from "./Fault.ts"

const row = (
  name: string,
  call: Call,
  asks: string,
  behaviour: Behaviour,
  expected: Expected,
  options: Options = {}
): Fault => ({
  name,
  asks,
  call,
  setting: Effect.sync(() => backend(behaviour, options)),
  isHonoured: options.honoursKeys === true,
  expected
})

/** A call that is safe to make again. */
const reads = (name: string, behaviour: Behaviour, expected: Expected) => row(name, get, "GET", behaviour, expected)

/** A call that does something, of a backend that is not known to honour keys. */
const asks = (name: string, behaviour: Behaviour, expected: Expected) =>
  row(name, complete, "POST", behaviour, expected)

/** The same of one that does. */
const asksWithKey = (name: string, behaviour: Behaviour, expected: Expected) =>
  row(name, complete, "POST, keys", behaviour, expected, { honoursKeys: true })

/** Behaves so at first, and then rightly. */
const once =
  (...first: ReadonlyArray<Behaviour>): Behaviour =>
  (exchange) =>
    (first[exchange.number - 1] ?? (({ work }) => work()))(exchange)

/** Does the work, and then behaves as if it had not. */
const afterWork =
  (behaviour: Behaviour): Behaviour =>
  (exchange) => {
    exchange.work()
    return behaviour(exchange)
  }

const answers = (code: number, headers: Record<string, string> = {}): Behaviour => {
  return () => new Response(`${echo} failed`, { status: code, headers: { ...echoing, ...headers } })
}

const problem =
  (tag: string, code: number, fields: object = {}, headers: Record<string, string> = {}): Behaviour =>
  () =>
    json(
      { type: Problem.typeOf(tag), title: Problem.titleOf(tag), status: code, echo, ...fields },
      { status: code, headers: { ...echoing, ...headers, "content-type": Problem.contentType } }
    )

const reset: Behaviour = ({ request }) => failing(request, "ECONNRESET")
const silent: Behaviour = () => Effect.never

const html = `<html><body>${echo}</body></html>`
const page = (code: number): Behaviour => {
  return () => new Response(html, { status: code, headers: { "content-type": "text/html; charset=utf-8" } })
}

const statuses: ReadonlyArray<Fault> = [
  reads("503 for ever", answers(503), fails("Unavailable", "attempts", twoWaits)),
  asks("503 for ever", answers(503), fails("Unavailable", "attempts", twoWaits)),
  reads("503 once", once(answers(503)), value(chat, [backoff(1)])),
  asks("503 once", once(answers(503)), value(completion, [backoff(1)], 1)),
  reads(
    "500 for ever",
    problem("InternalError", 500, { ref: "r-1" }),
    fails("InternalError", "attempts", twoWaits, 0, { ref: "r-1" })
  ),
  reads("502 with HTML", page(502), fails("UnexpectedStatus", "attempts", twoWaits, 0, { status: 502 })),
  asks("502 with HTML, the work done", afterWork(page(502)), fails("ProviderFailed", "uncertain", noWaits, 1)),
  asksWithKey("502 with HTML, the work done", once(afterWork(page(502))), value(completion, [backoff(1)], 1)),
  reads("409", answers(409), fails("UnexpectedStatus", "final", noWaits, 0, { status: 409 })),
  asks(
    "409 ChatBusy",
    problem("ChatBusy", 409, { chatId: "c-2" }),
    fails("ChatBusy", "final", noWaits, 0, { chatId: ChatId.make("c-2") })
  ),
  asksWithKey(
    "409 IdempotencyKeyInUse after a reset",
    once(afterWork(reset), problem("IdempotencyKeyInUse", 409, { retryAfter: 3 })),
    value(completion, [backoff(1), backoff(2, 3000)], 1)
  ),
  reads("503 with a veto", answers(503, { "x-should-retry": "false" }), fails("Unavailable", "veto", noWaits)),
  asksWithKey("429 with a veto", answers(429, { "x-should-retry": "false" }), fails("RateLimited", "veto", noWaits))
]

/** What a `Retry-After` asks for, in seconds; `undefined` where it is no time. The clock begins with the year 1970. */
const retryAfters: ReadonlyArray<readonly [text: string, seconds: number | undefined, means?: string]> = [
  ["0", 0],
  ["2", 2],
  ["Thu, 01 Jan 1970 00:00:02 GMT", 2, "a date in 2 s"],
  ["Wed, 31 Dec 1969 23:59:00 GMT", 0, "a past date"],
  ["-1", undefined],
  ["abc", undefined],
  ["3600", 3600],
  ["1e12", undefined],
  ["1000000000000", 1e12]
]

const maxSeconds = 60

const retryAfter: ReadonlyArray<Fault> = (
  [
    [429, "RateLimited"],
    [503, "Unavailable"]
  ] as const
).flatMap(([code, tag]) =>
  retryAfters.flatMap(([header, seconds = 0, means = header]) => {
    const name = `${code} with Retry-After ${means}`
    const behaviour = once(answers(code, { "retry-after": header }))
    const tooLong = fails(tag, "retry-after", noWaits, 0, { retryAfter: Duration.seconds(seconds) })
    const isLong = seconds > maxSeconds
    return [
      reads(name, behaviour, isLong ? tooLong : value(chat, [backoff(1, seconds * 1000)])),
      asks(name, behaviour, isLong ? tooLong : value(completion, [backoff(1, seconds * 1000)], 1))
    ]
  })
)

const lost: ReadonlyArray<Fault> = [
  reads("reset for ever", reset, fails("TransportFailed", "attempts", twoWaits, 0, { reason: "reset" })),
  asks("reset before the work", once(reset), fails("TransportFailed", "uncertain", noWaits, 0, { reason: "reset" })),
  asks(
    "reset after the work",
    once(afterWork(reset)),
    fails("TransportFailed", "uncertain", noWaits, 1, { reason: "reset" })
  ),
  asksWithKey("reset before the work", once(reset), value(completion, [backoff(1)], 1)),
  asksWithKey("reset after the work", once(afterWork(reset)), value(completion, [backoff(1)], 1)),
  asksWithKey(
    "reset after the work, for ever",
    afterWork(reset),
    fails("TransportFailed", "attempts", twoWaits, 1, { reason: "reset" })
  ),
  asks(
    "refused once",
    once(({ request }) => failing(request, "ECONNREFUSED")),
    value(completion, [backoff(1)], 1)
  ),
  // Two attempts of 30 s are the 60 s of the deadline.
  reads(
    "no answer",
    silent,
    fails("RequestTimedOut", "deadline", [backoff(1, 30_000)], 0, { limit: "deadline", duration: Duration.minutes(1) })
  ),
  asksWithKey(
    "no answer, the work done",
    afterWork(silent),
    fails("RequestTimedOut", "deadline", noWaits, 1, { limit: "attempt", duration: Duration.minutes(10) })
  )
]

const bodies: ReadonlyArray<Fault> = [
  reads("JSON as text/plain", () => text(JSON.stringify(chatJson)), value(chat, noWaits)),
  reads(
    "JSON without a type",
    () => new Response(new TextEncoder().encode(JSON.stringify(chatJson))),
    value(chat, noWaits)
  ),
  reads("200 with HTML", page(200), fails("InvalidResponse", "final", noWaits, 0, { status: 200 })),
  asks(
    "200 with HTML, the work done",
    afterWork(page(200)),
    fails("InvalidResponse", "final", noWaits, 1, { status: 200 })
  ),
  reads(
    "truncated JSON",
    () => text(`{"chatId":"c","displayName":"${echo}`),
    fails("InvalidResponse", "final", noWaits, 0, { status: 200 })
  ),
  reads("JSON of another shape", () => json([echo]), fails("InvalidResponse", "final", noWaits, 0, { status: 200 })),
  reads(
    "a field of another type",
    () => json({ ...chatJson, displayName: { echo } }),
    fails("InvalidResponse", "final", noWaits, 0, { status: 200 })
  ),
  reads("empty body", () => status(200), fails("InvalidResponse", "final", noWaits, 0, { status: 200 })),
  asksWithKey(
    "empty body, the work done",
    afterWork(() => status(200)),
    fails("InvalidResponse", "final", noWaits, 1, { status: 200 })
  ),
  reads(
    "unknown fields, and null for every known one",
    () => json({ echo, nested: { echo }, chatId: chat.chatId, displayName: null, completions: null, isFavorite: null }),
    value({ chatId: chat.chatId, completions: [], isFavorite: false, isUserSystemMessageSupported: false }, noWaits)
  ),
  row(
    "unknown codes",
    ({ statistics }) => statistics.tokenUsage(),
    "GET",
    () => json({ items: [{ tokenUsageTypeId: 99, echo }], echo }),
    value(
      {
        items: [
          {
            tokenUsageTypeId: 99,
            userCount: 0,
            requestCount: 0,
            promptTokens: 0,
            completionTokens: 0,
            totalTokens: 0
          }
        ],
        pageNumber: 0,
        totalPageCount: 0,
        pageSize: 0,
        totalItemCount: 0,
        hasPrevious: false,
        hasNext: false
      },
      noWaits
    )
  )
]

/** The faults of a backend that answers as a whole. */
export const callFaults: ReadonlyArray<Fault> = [...statuses, ...retryAfter, ...lost, ...bodies]
