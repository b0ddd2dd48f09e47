/**
 * What the model of a backend in memory answers, for `ChatbotTest`.
 *
 * ```ts
 * const answers: Model.Answers = ({ userMessage }) =>
 *   userMessage === "slowly" ? Stream.make("Hel", "lo").pipe(Stream.schedule(Schedule.spaced("1 second"))) : "Hello"
 * ```
 */
import type { ProviderFailed, ProviderTimedOut } from "@effect-chatbot/schema/Errors"
import type * as Stream from "effect/Stream"

/** What the model is asked. */
export interface Asked {
  /** The code of the bot that answers; not that of the chat where that is a start bot. */
  readonly bot: string
  /** The standing instruction of the bot. */
  readonly baseSystemMessage: string | undefined
  /** That of the user for this chat. */
  readonly userSystemMessage: string | undefined
  /** The earlier questions of the chat and their answers, the oldest first; empty where they are to be ignored. */
  readonly history: ReadonlyArray<{ readonly userMessage: string; readonly assistantMessage: string }>
  readonly userMessage: string
}

/**
 * The text of an answer, or the pieces that it is made of as they come. A stream may take its time (by the clock of the test), fail, which is
 * a failure of the provider, or never end.
 */
export type Text = string | Stream.Stream<string, ProviderFailed | ProviderTimedOut>

/** An answer, as its text or with the documents that it names. */
export type Answer =
  | Text
  | {
      readonly text: Text
      /** The paths of documents as `Seed` has them, of the bot that answers. They can be downloaded from the chat. */
      readonly sources: ReadonlyArray<string>
    }

/**
 * The answers: one for each question, in the order in which they are asked, or what tells the answer to a question. A question for which none
 * is left is a mistake of the test, and a defect of the call; so is what a function throws, as an assertion about what was asked.
 */
export type Answers = ReadonlyArray<Answer> | ((asked: Asked) => Answer)
