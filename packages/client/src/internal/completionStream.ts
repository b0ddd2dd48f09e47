/**
 * A completion as one stream of events, whatever happens to the answers that they come in.
 *
 * A stream that breaks is followed from where it broke, on the route that gives the events of an answer, within the policies of retry and the
 * deadline; as long as it is not known which answer it is, the question is asked again instead. It ends with a terminal event or it fails.
 */
import * as CompletionFailure from "@effect-chatbot/api/CompletionFailure"
import * as EventStream from "@effect-chatbot/api/EventStream"
import { contentType, type Retry } from "@effect-chatbot/api/ServerSentEvents"
import type { Completion } from "@effect-chatbot/schema/Chat"
import { isTerminal } from "@effect-chatbot/schema/CompletionEvent"
import * as Errors from "@effect-chatbot/schema/Errors"
import { CompletionId } from "@effect-chatbot/schema/Ids"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Event } from "../Completion.ts"
import type { AnyFailure } from "./anyFailure.ts"
import { inWords, issuesOf } from "./issues.ts"
import { streamLimitsOf } from "./limits.ts"
import { enter, type Ongoing } from "./ongoing.ts"
import { arrive, beginning, canGoOn, fellSilent, truncated } from "./place.ts"
import { admitted, withAttemptPolicies, withLimit } from "./policies.ts"
import { bytesOf, mediaTypeOf } from "./response.ts"
import { nextAfter, type Step } from "./retry.ts"
import { type Entry, retell } from "./story.ts"

/** What a stream is made with. */
export interface Following {
  readonly call: Ongoing
  /** Asks the question. Fails where the answer is an error. */
  readonly ask: (entry: Entry) => Effect.Effect<HttpClientResponse, AnyFailure>
  /** Asks for the events of an answer after the one with this id. Fails where the answer is an error. */
  readonly follow: (
    entry: Entry,
    completionId: CompletionId,
    lastEventId: string | undefined
  ) => Effect.Effect<HttpClientResponse, AnyFailure>
  /** Reads an answer that is no stream. */
  readonly readWhole: (response: HttpClientResponse) => Effect.Effect<Completion, AnyFailure>
  /** What happens to the answer when the stream is left before its end, from when it is known which one it is. */
  readonly onLeave: (completionId: CompletionId) => Effect.Effect<void>
  readonly maxEventSize: number | undefined
}

type Events = Pull.Pull<Arr.NonEmptyReadonlyArray<Event>, AnyFailure>

/** An answer with events, as it is read. */
type Answer = Pull.Pull<Arr.NonEmptyReadonlyArray<EventStream.Received | Retry>, AnyFailure>

/** Its bytes. */
type Bytes = Pull.Pull<Arr.NonEmptyReadonlyArray<Uint8Array>, AnyFailure>

/** What one read brought: events, and what comes after them if it is not the next read. */
interface Taken {
  readonly events: ReadonlyArray<Event>
  readonly after: AnyFailure | "end" | undefined
}

/** An attempt, and how long what it has opened is open. */
interface Trial {
  readonly entry: Entry
  readonly scope: Scope.Closeable
  /** Whether its first event has come. */
  isBegun: boolean
}

/** The events of an answer with events. */
const eventsOf = (
  response: HttpClientResponse,
  maxEventSize: number | undefined,
  limited: (pull: Bytes) => Bytes
): Stream.Stream<EventStream.Received | Retry, AnyFailure> =>
  Stream.transformPull(bytesOf(response), (pull) => Effect.succeed(limited(pull))).pipe(
    EventStream.decode({
      maxEventSize,
      onInvalid: ({ issue, name }) =>
        new Errors.InvalidResponse({
          message: `The answer is not what the contract says: an event "${name}": ${inWords(issuesOf(issue))}.`,
          status: response.status
        })
    })
  )

/** The events that stand for an answer that came as a whole. */
const takenOf = (completion: Completion): Taken => ({
  events: [
    ...(completion.assistantMessage ? [{ _tag: "Delta", text: completion.assistantMessage } as const] : []),
    { _tag: "Completed", completion }
  ],
  after: "end"
})

/**
 * Whether an error says of an answer that it cannot be followed any further. A backend that knows nothing of following answers 404 too, but
 * does not say that there is no such chat.
 */
const isGone = (error: AnyFailure): boolean =>
  error instanceof Errors.CompletionNotFound ||
  error instanceof Errors.InvalidRequest ||
  error instanceof Errors.UnexpectedStatus ||
  (error instanceof Errors.ChatNotFound && error.body !== undefined)

const completionIdHeader = EventStream.completionIdHeader.toLowerCase()

/** What reads the stream, and what is to be done when it is left. `whole` is how long it is read. */
const makeReader = (following: Following, whole: Scope.Scope) => {
  const { ask, call, follow, maxEventSize, onLeave, readWhole } = following
  const { retry, timeouts } = call.policies
  const { firstEvent, idle } = streamLimitsOf(timeouts.streams)
  const longestRetry = Duration.toMillis(Duration.fromInputUnsafe(retry.maxRetryAfter))
  const place = beginning()
  let step: Step | undefined
  let isOver = false

  const know = (completionId: CompletionId | undefined) => {
    if (completionId === undefined) return
    place.completionId = completionId
    // From here on the answer is followed, which may always be done again.
    call.retryClass = "safe"
  }

  const look = ({ entry }: Trial, read: Iterable<EventStream.Received | Retry>): Taken => {
    const events: Array<Event> = []
    for (const item of read) {
      if (item._tag === "Retry") {
        place.retry = Math.min(Duration.toMillis(item.delay), longestRetry)
        continue
      }
      const event = arrive(place, item)
      if (event === undefined) continue
      if (event._tag === "StreamTruncated") return { events, after: event }
      if (event._tag === "Failed") return { events, after: CompletionFailure.toError(event) }
      if (event._tag === "Started") know(event.completionId)
      events.push(event)
      call.progressed = entry.number
      step = undefined
      if (isTerminal(event)) return { events, after: "end" }
    }
    return { events, after: undefined }
  }

  const take = (trial: Trial, answer: Answer): Effect.Effect<Taken, AnyFailure> =>
    Pull.matchEffect(answer, {
      onSuccess: (read) => Effect.succeed(look(trial, read)),
      onFailure: Effect.failCause,
      onDone: () => Effect.succeed({ events: [], after: truncated(place) })
    })

  const takeFirst = (trial: Trial, answer: Answer): Effect.Effect<Taken, AnyFailure> =>
    Effect.flatMap(take(trial, answer), (taken) => {
      const { events, after } = taken
      if (events.length === 0 && after === undefined) return takeFirst(trial, answer)
      return events.length === 0 && typeof after === "object" ? Effect.fail(after) : Effect.succeed(taken)
    })

  /** Opens an answer and takes its first events. */
  const begin = Effect.fnUntraced(function* (trial: Trial) {
    const { completionId, lastEventId } = place
    const response = yield* completionId === undefined
      ? ask(trial.entry)
      : follow(trial.entry, completionId, lastEventId)
    if (completionId === undefined && mediaTypeOf(response) !== contentType) {
      return { taken: takenOf(yield* readWhole(response)), answer: undefined }
    }
    const named = response.headers[completionIdHeader]
    know(named === undefined ? undefined : CompletionId.make(named))
    // Until the first event, the attempt has its own limit. Then every read has: what is no event is a sign of life too.
    const limited = (pull: Bytes): Bytes =>
      Effect.suspend(() =>
        trial.isBegun ? withLimit(call, call.now(), idle, pull, () => fellSilent(place, idle)) : pull
      )
    const answer = yield* Scope.provide(Stream.toPull(eventsOf(response, maxEventSize, limited)), trial.scope)
    return { taken: yield* takeFirst(trial, answer), answer }
  })

  const attempt = (wait: number): Events =>
    Effect.suspend(() => {
      const trial = { entry: enter(call, wait), scope: Scope.forkUnsafe(whole), isBegun: false }
      return Effect.matchEffect(withAttemptPolicies(call, trial.entry, firstEvent, begin(trial)), {
        onSuccess: ({ answer, taken }) => emit(trial, answer ?? Cause.done(), taken),
        onFailure: (error) => recover(trial, error)
      })
    })

  const read = (trial: Trial, answer: Answer): Events =>
    Effect.matchEffect(take(trial, answer), {
      onSuccess: (taken) => emit(trial, answer, taken),
      onFailure: (error) => recover(trial, error)
    })

  /** Reads the end of an answer too, if it comes: its connection is then free for another. */
  const finish = (answer: Answer): Events =>
    Effect.flatMap(Effect.timeoutOption(Effect.exit(Effect.forever(answer)), "1 second"), () => Cause.done())

  const emit = (trial: Trial, answer: Answer, { events, after }: Taken): Events => {
    trial.isBegun = true
    isOver = after === "end"
    if (call.trace !== undefined) for (const event of events) call.trace.event(event)
    next = isOver ? finish(answer) : typeof after === "object" ? recover(trial, after) : read(trial, answer)
    return Arr.isReadonlyArrayNonEmpty(events) ? Effect.succeed(events) : next
  }

  /** Goes on after an attempt that broke, or fails. */
  const recover = ({ entry, scope }: Trial, error: AnyFailure): Events =>
    Effect.suspend(() => {
      entry.asked = place.retry
      const reason = canGoOn(place) ? undefined : "begun"
      return Scope.close(scope, Exit.void).pipe(
        Effect.andThen(nextAfter(call, step, error, entry, reason)),
        Effect.matchEffect({
          onSuccess: (following) => {
            step = following.step
            if (error instanceof Errors.IdempotencyKeyInUse) know(error.completionId)
            return attempt(following.wait)
          },
          onFailure: (error) => {
            isOver = true
            return Effect.fail(
              place.completionId !== undefined && isGone(error) ? retell(error, truncated(place)) : error
            )
          }
        })
      )
    })

  let next: Events = attempt(0)

  return {
    pull: Effect.suspend(() => next),
    leave: Effect.suspend(() =>
      isOver || place.completionId === undefined ? Effect.void : onLeave(place.completionId)
    )
  }
}

/** The events of the completion. */
export const completionStream = (following: Following): Stream.Stream<Event, AnyFailure> =>
  Effect.scope.pipe(
    Effect.flatMap((whole) => {
      const { leave, pull } = makeReader(following, whole)
      return Effect.addFinalizer(() => leave).pipe(Effect.andThen(admitted(following.call)), Effect.as(pull))
    }),
    Stream.fromPull,
    Stream.scoped
  )
