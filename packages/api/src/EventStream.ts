/**
 * A completion as a stream of events, in bytes and back.
 */
import * as CompletionEvent from "@effect-chatbot/schema/CompletionEvent"
import type { EventTooLarge } from "@effect-chatbot/schema/Errors"
import * as Result from "effect/Result"
import type * as SchemaIssue from "effect/SchemaIssue"
import type * as Stream from "effect/Stream"
import { type Decoder, through } from "./internal/decoder.ts"
import * as ServerSentEvents from "./ServerSentEvents.ts"

/** The response header that names the answer whose events these are, so that a reader can come back though not one of them has come. */
export const completionIdHeader = "Completion-Id"

/** An event and its id: events count from 1, and a reader comes back with the id of the last one it has. */
export interface Numbered {
  readonly id: number
  readonly event: CompletionEvent.CompletionEvent
}

/** Events as the bytes to send. No text in an event, whatever it holds, can become an event. */
export const encode = (events: Iterable<Numbered>): Uint8Array => {
  let text = ""
  for (const { event, id } of events) {
    text += ServerSentEvents.encode({ id: String(id), ...CompletionEvent.encode(event) })
  }
  return new TextEncoder().encode(text)
}

/** What to send when nothing was sent for a while. */
export const heartbeat = (): Uint8Array => new TextEncoder().encode(ServerSentEvents.heartbeat)

/** An event that was read, with the id to come back with: its own, or else the last one before it. A backend may have ids of its own. */
export interface Received {
  readonly _tag: "Event"
  readonly id: string | undefined
  /** Whether it came with the id itself. */
  readonly hasOwnId: boolean
  readonly event: CompletionEvent.CompletionEvent
}

/** An event that is not what the contract says. Its data may hold anything, so do not print it. */
export interface Invalid {
  readonly name: string
  readonly data: string
  readonly issue: SchemaIssue.Issue
}

/** How events are read. */
export interface DecodeOptions<E> extends ServerSentEvents.DecodeOptions {
  /** What the stream fails with at an event that is not what the contract says. */
  readonly onInvalid: (invalid: Invalid) => E
}

// A message that lacks its closing blank line may be cut off in its data. What is left of a JSON object is never JSON.
const isWhole = ({ data }: ServerSentEvents.Received): boolean => {
  try {
    JSON.parse(data)
    return true
  } catch {
    return false
  }
}

const decoder = <E>(options: DecodeOptions<E>): Decoder<Received | ServerSentEvents.Retry, E | EventTooLarge> => {
  const messages = ServerSentEvents.decoder(options)

  const events = (
    read: ReadonlyArray<ServerSentEvents.Received | ServerSentEvents.Retry>,
    out: Array<Received | ServerSentEvents.Retry>
  ): E | undefined => {
    for (const message of read) {
      if (message._tag === "Retry") {
        out.push(message)
        continue
      }
      const { data, hasOwnId, id, name } = message
      const event = CompletionEvent.decode(name, data)
      if (Result.isFailure(event)) return options.onInvalid({ name, data, issue: event.failure })
      out.push({ _tag: "Event", id, hasOwnId, event: event.success })
    }
    return undefined
  }

  return {
    feed: (bytes, out) => {
      const read: Array<ServerSentEvents.Received | ServerSentEvents.Retry> = []
      const failure = messages.feed(bytes, read)
      return events(read, out) ?? failure
    },
    end: (out) => {
      const read: Array<ServerSentEvents.Received | ServerSentEvents.Retry> = []
      const failure = messages.end(read)
      return (
        events(
          read.filter((message) => message._tag === "Retry" || isWhole(message)),
          out
        ) ?? failure
      )
    }
  }
}

/**
 * Reads the events of a stream, cut into reads as it may be: one Effect a read, whatever number of events is in it. Time is linear and
 * memory bounded.
 *
 * A `retry` of the server is a value among the events. An event over the limit and one that `onInvalid` is called for end the stream, after
 * the events before it. An event with an unknown name does not. A stream that was cut off just ends: see
 * `CompletionEvent.isTerminal`. What is left of the event it was cut off in is dropped, unless only the closing blank line is missing.
 */
export const decode = <E2>(
  options: DecodeOptions<E2>
): (<E, R>(
  self: Stream.Stream<Uint8Array, E, R>
) => Stream.Stream<Received | ServerSentEvents.Retry, E | E2 | EventTooLarge, R>) => through(() => decoder(options))
