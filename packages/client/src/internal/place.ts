import type * as EventStream from "@effect-chatbot/api/EventStream"
import type { CompletionEvent } from "@effect-chatbot/schema/CompletionEvent"
import { StreamIdle, StreamTruncated } from "@effect-chatbot/schema/Errors"
import type { CompletionId } from "@effect-chatbot/schema/Ids"
import * as Duration from "effect/Duration"

/** How far a stream has been read, across all the answers that it comes in. */
export interface Place {
  /** The answer that is read, from when it is known: it can be followed. */
  completionId: CompletionId | undefined
  /** What to say when coming back. */
  lastEventId: string | undefined
  /** Whether that names this place: not where the last event came without an id. */
  isNamed: boolean
  /** How many events were taken, where they are numbered from 1 as the contract says. */
  count: number | undefined
  /** How long the backend asked to wait before coming back, in milliseconds. */
  retry: number
}

/** The place before the first event. */
export const beginning = (): Place => ({
  completionId: undefined,
  lastEventId: undefined,
  isNamed: true,
  count: 0,
  retry: 0
})

/**
 * Whether the stream can go on from here. Where the last event came without an id, what came would come again; and so it would where the
 * question has to be asked again, but for events that are numbered as the contract says.
 */
export const canGoOn = ({ completionId, count, isNamed }: Place): boolean =>
  isNamed && (completionId !== undefined || count !== undefined)

const at = ({ lastEventId }: Place) => (lastEventId === undefined ? undefined : { lastEventId })

/** The stream broke here. */
export const truncated = (place: Place, message?: string): StreamTruncated =>
  new StreamTruncated({ ...(message === undefined ? undefined : { message }), ...at(place) })

/** The stream fell silent here. */
export const fellSilent = (place: Place, duration: Duration.Duration): StreamIdle =>
  new StreamIdle({ message: `Nothing came for ${Duration.format(duration)}.`, duration, ...at(place) })

/**
 * Whether an event is the next one. Of numbered events each is taken once and in order: one that was read before is passed over, and where
 * one is missing the stream broke. Ids of another kind say nothing about that.
 */
export const arrive = (
  place: Place,
  { event, hasOwnId, id }: EventStream.Received
): CompletionEvent | StreamTruncated | undefined => {
  const number = hasOwnId && /^\d{1,9}$/.test(id ?? "") ? Number(id) : undefined
  if (number === undefined || (place.count === 0 && number !== 1)) {
    // What does not begin with 1, or has gaps, is numbered in some other way, if at all.
    place.count = undefined
  } else if (place.count !== undefined) {
    if (number <= place.count) return undefined
    if (number > place.count + 1) return truncated(place, "An event of the stream is missing.")
    place.count = number
  }
  place.lastEventId = id
  place.isNamed = hasOwnId
  if (event._tag === "Started") place.completionId = event.completionId
  return event
}
