/**
 * The events of one run, in the form in which they go over the wire.
 *
 * An event is encoded once, and any number of readers share its bytes. A reader is a place in the log and nothing else: a slow one makes
 * nobody wait and nothing pile up, and one that comes late, or again, reads what the others read.
 */
import * as EventStream from "@effect-chatbot/api/EventStream"
import type { CompletionEvent } from "@effect-chatbot/schema/CompletionEvent"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"

/** How long a reader is left without a word at most. */
export const heartbeatInterval = Duration.seconds(15)

/** How many events are read at a time at most, so that what is on its way to one reader is bounded. */
const chunkSize = 64

type Bytes = Uint8Array

/** What is said while there is nothing to say: it keeps a connection open, and shows that the backend lives. */
const heartbeat: Arr.NonEmptyReadonlyArray<Bytes> = [EventStream.heartbeat()]

/** The events of one run. They are numbered from 1, and the number is the id of the event on the wire. */
export interface EventLog {
  /** How many events there are. */
  readonly count: number
  /** Their length on the wire. */
  readonly byteLength: number
  /** How many readers wait for the next event. */
  readonly waiting: number
  readonly isEnded: boolean
  /** Waits for the next event, or for the end. */
  readonly changed: Effect.Effect<void>
  readonly append: (event: CompletionEvent) => void
  /** Appends events in the form of the wire, as another log has them. */
  readonly push: (events: ReadonlyArray<Bytes>) => void
  /** The last events, as they will stand in the log. They do so with {@link end}; nothing may be appended before it. */
  readonly prepare: (events: ReadonlyArray<CompletionEvent>) => ReadonlyArray<Bytes>
  /** Ends the log with its last events. */
  readonly end: (last: ReadonlyArray<Bytes>) => void
  /** All events, and then these, as one. */
  readonly toBytes: (last?: ReadonlyArray<Bytes>) => Bytes
  /** The events after the one with this number, as one. */
  readonly bytesAfter: (after: number) => Bytes
  /**
   * The events after the one with this number, and then what is appended until the log ends, with heartbeats where it is silent. It begins
   * with one when there is nothing to read yet, so that the reader gets its answer.
   */
  readonly read: (after: number) => Stream.Stream<Bytes>
}

const make = (events: Array<Bytes>, ended: boolean): EventLog => {
  const waiting = new Set<() => void>()
  let isEnded = ended
  let byteLength = events.reduce((sum, event) => sum + event.length, 0)

  // Small events share the memory that Node sets aside for them.
  const toBytes = (event: CompletionEvent, id: number): Bytes => Buffer.from(EventStream.encode([{ id, event }]))
  const push = (event: Bytes) => {
    events.push(event)
    byteLength += event.length
  }
  const wake = () => {
    const resumes = Array.from(waiting)
    waiting.clear()
    for (const resume of resumes) resume()
  }
  const changed = Effect.callback<void>((resume) => {
    const wake = () => resume(Effect.void)
    waiting.add(wake)
    return Effect.sync(() => waiting.delete(wake))
  })

  const read = (after: number) =>
    Stream.fromPull(
      Effect.sync(() => {
        let next = after
        let isAnswered = false
        const pull: Pull.Pull<Arr.NonEmptyReadonlyArray<Bytes>> = Effect.suspend(() => {
          const chunk = events.slice(next, next + chunkSize)
          if (Arr.isReadonlyArrayNonEmpty(chunk)) {
            next += chunk.length
            isAnswered = true
            return Effect.succeed(chunk)
          }
          if (isEnded) return Cause.done()
          if (!isAnswered) {
            isAnswered = true
            return Effect.succeed(heartbeat)
          }
          // Only the waiting is limited: an event that was taken is never dropped.
          return Effect.flatMap(Effect.timeoutOption(changed, heartbeatInterval), (change) =>
            // A reader runs after who woke it, and finds all that was appended in one go.
            Option.isSome(change) ? Effect.andThen(Effect.yieldNow, pull) : Effect.succeed(heartbeat)
          )
        })
        return pull
      })
    )

  return {
    get count() {
      return events.length
    },
    get byteLength() {
      return byteLength
    },
    get waiting() {
      return waiting.size
    },
    get isEnded() {
      return isEnded
    },
    changed,
    append: (event) => {
      push(toBytes(event, events.length + 1))
      wake()
    },
    push: (more) => {
      for (const event of more) push(event)
      if (more.length > 0) wake()
    },
    prepare: (last) => last.map((event, index) => toBytes(event, events.length + 1 + index)),
    end: (last) => {
      for (const event of last) push(event)
      isEnded = true
      wake()
    },
    toBytes: (last = []) => Buffer.concat([...events, ...last]),
    bytesAfter: (after) => Buffer.concat(events.slice(after)),
    read
  }
}

/** A log without events. */
export const empty = (): EventLog => make([], false)

/** The events in what {@link EventLog.toBytes} made of a log, one by one. */
export const split = (bytes: Uint8Array): Array<Bytes> => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const events: Array<Bytes> = []
  // A blank line ends an event, and there is none within one.
  for (let start = 0; start < buffer.length;) {
    const end = buffer.indexOf("\n\n", start) + 2
    if (end < 2) break
    events.push(buffer.subarray(start, end))
    start = end
  }
  return events
}

/** A log that has ended, from what {@link EventLog.toBytes} made of it. */
export const fromBytes = (bytes: Uint8Array): EventLog => make(split(bytes), true)

/** A log that goes on, from what {@link EventLog.toBytes} made of it. */
export const resume = (bytes: Uint8Array): EventLog => make(split(bytes), false)

/** An event holds a question and its answer, and in JSON a character may take six. */
const maxEventSize = 8 * 2 ** 20

const decodeStream = EventStream.decode({
  maxEventSize,
  onInvalid: ({ name }) => new Error(`Stored an event "${name}" that cannot be read`)
})

/** The events in what {@link EventLog.toBytes} made of a log, as values. */
export const decode = (bytes: Uint8Array): Effect.Effect<ReadonlyArray<CompletionEvent>> =>
  Stream.make(bytes).pipe(
    decodeStream,
    Stream.runCollect,
    Effect.orDie,
    Effect.map((all) => all.flatMap((read) => (read._tag === "Event" ? [read.event] : [])))
  )
