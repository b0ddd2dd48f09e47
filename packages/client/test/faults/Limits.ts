/** Every limit of time, whatever it is, ends what it limits within a twentieth of it. */
import * as CallStory from "@effect-chatbot/client/CallStory"
import * as EventStream from "@effect-chatbot/api/EventStream"
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as RetryPolicy from "@effect-chatbot/client/RetryPolicy"
import * as Timeouts from "@effect-chatbot/client/Timeouts"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as FastCheck from "fast-check"
import { completionId, events } from "./Answer.ts"
import { backend, type Behaviour, slowResponse } from "./Backend.ts"
import { get, stream } from "./Calls.ts"
import { type Call, isSame } from "./Fault.ts"
import { inVirtualTime } from "./VirtualTime.ts"

/** A limit, and what ends when it is reached, in milliseconds. */
interface Limit {
  readonly name: string
  readonly call: Call
  readonly behaviour: (limit: number) => Behaviour
  readonly timeouts: (limit: number, other: number) => Timeouts.Timeouts
  readonly policy: RetryPolicy.RetryPolicy
  /** What the error is and says. */
  readonly error: (limit: number) => object
  readonly ended: CallStory.Ended
}

const silent = (): Behaviour => () => Effect.never

const saying =
  (events: ReadonlyArray<EventStream.Numbered>, then: Stream.Stream<Uint8Array>): Behaviour =>
  () =>
    slowResponse(Stream.concat(Stream.succeed(EventStream.encode(events)), then), {
      [EventStream.completionIdHeader]: completionId
    })

/** So many events, and then heartbeats. */
const beating = (count: number) => (limit: number) =>
  saying(events.slice(0, count), Stream.map(Stream.tick(limit / 7), EventStream.heartbeat))

/** So many events, and then nothing. */
const stalling = (count: number) => () => saying(events.slice(0, count), Stream.never)

const { standard } = Timeouts
const endless = { attempt: "Infinity", deadline: "Infinity" } as const
const without = {
  ...standard,
  ...endless,
  completions: endless,
  streams: { firstEvent: "Infinity", idle: "Infinity" }
} as const

/** Attempt after attempt, so that only the deadline ends them. */
const restless = { ...RetryPolicy.standard, attempts: Infinity, budget: undefined, backoff: Schedule.spaced(0) }

const timedOut = (name: string) => (limit: number) => ({
  _tag: "RequestTimedOut",
  limit: name,
  duration: Duration.millis(limit)
})

const limits: ReadonlyArray<Limit> = [
  {
    name: "attempt",
    call: get,
    behaviour: silent,
    timeouts: (limit) => ({ ...without, attempt: limit }),
    policy: RetryPolicy.none,
    error: timedOut("attempt"),
    ended: "attempts"
  },
  {
    name: "deadline",
    call: get,
    behaviour: silent,
    // It breaks the second attempt off.
    timeouts: (limit, other) => ({ ...without, deadline: limit, attempt: limit * (0.55 + (other % 40) / 100) }),
    policy: restless,
    error: timedOut("deadline"),
    ended: "deadline"
  },
  {
    name: "deadline of a stream",
    call: stream,
    behaviour: beating(1),
    timeouts: (limit) => ({ ...without, completions: { ...endless, deadline: limit } }),
    policy: restless,
    error: timedOut("deadline"),
    ended: "deadline"
  },
  {
    name: "first event",
    call: stream,
    behaviour: beating(0),
    timeouts: (limit, other) => ({ ...without, streams: { firstEvent: limit, idle: other } }),
    policy: RetryPolicy.none,
    error: timedOut("firstEvent"),
    ended: "attempts"
  },
  {
    name: "idle",
    call: stream,
    behaviour: stalling(1),
    timeouts: (limit, other) => ({ ...without, streams: { firstEvent: other, idle: limit } }),
    policy: RetryPolicy.none,
    error: (limit) => ({ _tag: "StreamIdle", lastEventId: "1", duration: Duration.millis(limit) }),
    ended: "attempts"
  }
]

const end = ({ behaviour, call, policy, timeouts }: Limit, limit: number, other: number) =>
  Effect.suspend(() => {
    const { baseUrl, transport } = backend(behaviour(limit))
    const begun = Effect.flatMap(ChatbotClient, (client) =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(call(client, () => {}))
        return { exit, took: yield* Clock.currentTimeMillis }
      })
    )
    return begun.pipe(
      Effect.provide(Layer.provide(ChatbotClient.layer({ baseUrl }), transport)),
      Effect.provideService(RetryPolicy.RetryPolicy, policy),
      Effect.provideService(Timeouts.Timeouts, timeouts(limit, other)),
      Effect.orDie
    )
  }).pipe(inVirtualTime)

const isHeld = (row: Limit, limit: number, other: number): Promise<boolean> =>
  Effect.runPromise(
    Effect.map(end(row, limit, other), ({ exit, took }) => {
      const error = Option.getOrUndefined(Exit.findErrorOption(exit))
      const isRight = Object.entries(row.error(limit)).every(
        ([name, value]) => error !== undefined && isSame(Reflect.get(error, name), value)
      )
      const ended = Option.getOrUndefined(CallStory.of(error))?.ended
      return isRight && ended === row.ended && Math.abs(took - limit) <= limit / 20
    })
  )

/** From a twentieth of a second on, below which a millisecond is much, up to an hour. */
const milliseconds = FastCheck.integer({ min: 50, max: 3_600_000 })

/** A limit that is random, as often as `runs` says, and what is wrong with how it is held. */
const heldBy = (row: Limit, runs: number) =>
  Effect.map(
    Effect.promise(() =>
      FastCheck.check(
        FastCheck.asyncProperty(milliseconds, milliseconds, (limit, other) => isHeld(row, limit, other)),
        { numRuns: runs }
      )
    ),
    ({ counterexample }) =>
      counterexample === null
        ? []
        : [`${row.name}: a limit of ${counterexample[0]} ms, beside one of ${counterexample[1]} ms`]
  )

/** Tries every limit so often, and tells which was not held. */
export const limitsHeld = (runs: number) =>
  Effect.map(
    Effect.forEach(limits, (row) => heldBy(row, runs)),
    (wrong) => ({ count: limits.length * runs, wrong: wrong.flat() })
  )
