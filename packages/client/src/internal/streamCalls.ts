import type { Completion } from "@effect-chatbot/schema/Chat"
import type { ChatId, CompletionId } from "@effect-chatbot/schema/Ids"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { StreamError } from "../CallError.ts"
import type { Event, StreamOptions } from "../Completion.ts"
import * as Timeouts from "../Timeouts.ts"
import type { AnyFailure } from "./anyFailure.ts"
import type { Call } from "./call.ts"
import { completionStream } from "./completionStream.ts"
import { type AnyCall, type Connection, isSuccess } from "./connection.ts"
import type { Prepared } from "./request.ts"
import type { Entry } from "./story.ts"

type OfAnswer = Call<
  { readonly params: { readonly chatId: ChatId; readonly completionId: CompletionId } },
  unknown,
  AnyFailure
>

/** The calls that a stream is made of. */
export interface StreamCalls<Input, E> {
  /** Asks the question. */
  readonly ask: Call<Input, Completion, E>
  /** Asks for the events of an answer from where they broke off. */
  readonly follow: OfAnswer
  /** Stops an answer. */
  readonly stop: OfAnswer
}

/** Makes the calls of a stream. */
export interface RunStream {
  <Input extends { readonly params: { readonly chatId: ChatId } }, E>(
    calls: StreamCalls<Input, E>,
    input: Input,
    options?: StreamOptions
  ): Stream.Stream<Event, E | StreamError>
}

const accept = "text/event-stream, application/json;q=0.5"

/** How long the end of a stream waits for the answer to be stopped. */
const stopLimits = { attempt: "5 seconds", deadline: "5 seconds" } as const

/** What makes the calls of a stream, apart from all others: only who streams loads it. */
export const streamOver = ({ keyOf, prepare, run, scope, send }: Connection["Service"]): RunStream => {
  const stream = (
    { ask, follow, stop }: { readonly ask: AnyCall; readonly follow: OfAnswer; readonly stop: OfAnswer },
    input: { readonly params: { readonly chatId: ChatId } },
    { maxEventSize, onInterrupt = "leave" }: StreamOptions = {}
  ): Stream.Stream<Event, AnyFailure> =>
    Stream.unwrap(
      Effect.withFiber((fiber) => {
        const { ongoing: call, prepared, timeouts } = prepare(fiber, ask, input)
        const { telemetry } = call.policies

        const answerTo = (to: AnyCall, entry: Entry, prepared: Prepared, headers?: Record<string, string>) =>
          Effect.filterOrElse(send(call, entry, { ...to, accept }, prepared, headers), isSuccess, (response) =>
            to.readFailure(response, { call, input, scope })
          )

        const eventsOf = (prepared: Prepared) =>
          completionStream({
            call,
            ask: (entry) => answerTo(ask, entry, prepared, keyOf(call)),
            follow: (entry, completionId, lastEventId) => {
              const place = follow.prepare({ params: { ...input.params, completionId } })
              if (Result.isFailure(place)) return Effect.fail(place.failure)
              const headers = lastEventId === undefined ? undefined : { "last-event-id": lastEventId }
              return answerTo(follow, entry, place.success, headers)
            },
            readWhole: (response) =>
              // The endpoint answers with a completion where it does not stream.
              ask.readSuccess(response, { call, input, scope }) as Effect.Effect<Completion, AnyFailure>,
            onLeave: (completionId) =>
              onInterrupt === "leave"
                ? Effect.void
                : run(stop, { params: { ...input.params, completionId } }).pipe(
                    Effect.provideService(Timeouts.Timeouts, { ...call.policies.timeouts, ...stopLimits }),
                    // Of the error its tag: it has the id of the chat.
                    Effect.catch((error) => Effect.logWarning(`The answer could not be stopped: ${error._tag}.`))
                  ),
            maxEventSize
          })
        const events = Result.isFailure(prepared) ? Stream.fail(prepared.failure) : eventsOf(prepared.success)
        const limited = timeouts === undefined ? events : Stream.provideService(events, Timeouts.Timeouts, timeouts)
        return Effect.succeed(telemetry === "off" ? limited : telemetry.stream(call, limited))
      })
    )

  // An endpoint is read with its own schemas, so what comes out is what its type says.
  return stream as RunStream
}
