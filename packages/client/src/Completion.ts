/**
 * What to do with a completion that is streamed, see `Chats.stream`.
 *
 * ```ts
 * const { chats } = yield* ChatbotClient
 * yield* chats.stream(chatId, "How do I page?").pipe(Completion.text, Stream.runForEach((text) => terminal.display(text)))
 * ```
 */
import type { Completion, InformationSource } from "@effect-chatbot/schema/Chat"
import type { CompletionEvent, Failed } from "@effect-chatbot/schema/CompletionEvent"
import type { CompletionId } from "@effect-chatbot/schema/Ids"
import type * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/**
 * An event of a completion: `Started`, `Delta` after `Delta`, `Sources`, and last either `Completed` or `Stopped`. An answer that fails ends
 * its stream with the error `CompletionFailed`. An event that this version does not know is `Unknown`; pass it over.
 */
export type Event = Exclude<CompletionEvent, Failed>

/** How an answer is streamed. */
export interface StreamOptions {
  /**
   * What becomes of the answer when the stream is left before its end, by interruption or because no more is wanted. By default it is
   * finished and stored, as if somebody listened; `stop` stops it, as `Chats.stop` does, and waits for that at most 5 seconds. An answer
   * that has not even begun to come cannot be stopped.
   */
  readonly onInterrupt?: "leave" | "stop" | undefined
  /** How large an event may be, in UTF-16 code units; 1 Mi by default. A larger one ends the stream with `EventTooLarge`. */
  readonly maxEventSize?: number | undefined
}

/** An answer as far as it has come. */
export interface Answer {
  /** From when it is known, which is mostly the first event on. */
  readonly completionId: CompletionId | undefined
  readonly text: string
  /** What it is drawn from. */
  readonly sources: ReadonlyArray<InformationSource>
  /** `Stopped` was ended by somebody before its end. Absent as long as more may come, and where the stream was left. */
  readonly ended: "Completed" | "Stopped" | undefined
  /** The answer as it is stored, with what it used. Only of one that is `Completed`. */
  readonly completion: Completion | undefined
}

const nothing: Answer = {
  completionId: undefined,
  text: "",
  sources: [],
  ended: undefined,
  completion: undefined
}

const add = (answer: Answer, event: Event): Answer => {
  switch (event._tag) {
    case "Started":
      return { ...answer, completionId: event.completionId }
    case "Delta":
      return { ...answer, text: answer.text + event.text }
    case "Sources":
      return { ...answer, sources: event.metaData.sources }
    case "Completed": {
      const { completion } = event
      const { assistantMessage: text = answer.text, completionId, metaData } = completion
      return { completionId, text, sources: metaData?.sources ?? answer.sources, ended: "Completed", completion }
    }
    case "Stopped": {
      const { completionId, text = answer.text } = event
      return { ...answer, completionId, text, ended: "Stopped" }
    }
    case "Unknown":
      return answer
  }
}

/** The text of an answer, piece by piece as it comes. */
export const text = <E, R>(self: Stream.Stream<Event, E, R>): Stream.Stream<string, E, R> =>
  Stream.flattenIterable(
    Stream.map(self, (event): ReadonlyArray<string> => (event._tag === "Delta" ? [event.text] : []))
  )

/** The answer as far as it has come, after every event: for what shows it while it grows. */
export const answers = <E, R>(self: Stream.Stream<Event, E, R>): Stream.Stream<Answer, E, R> =>
  Stream.drop(
    Stream.scan(self, () => nothing, add),
    1
  )

/**
 * The answer, when its stream has ended.
 *
 * What is `Completed` or `Stopped` has its text as the backend stored it. Only a stream that was left before, as by `Stream.take`, gives an
 * answer that has not ended.
 */
export const collect = <E, R>(self: Stream.Stream<Event, E, R>): Effect.Effect<Answer, E, R> =>
  Stream.runFold(self, () => nothing, add)
