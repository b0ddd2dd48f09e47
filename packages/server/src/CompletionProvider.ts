/**
 * Who writes the answers.
 */
import type { ProviderFailed, ProviderTimedOut } from "@effect-chatbot/schema/Errors"
import type { SourceId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import type * as Stream from "effect/Stream"
import type { BotRow } from "./repositories/BotRepository.ts"
import type { Turn } from "./repositories/CompletionRepository.ts"

/** A question to a bot. */
export interface Request {
  /** Who is asked; never a start bot that has routed the question to another. */
  readonly bot: BotRow
  readonly userMessage: string
  /** What may be drawn on, the oldest first; empty when the history is to be ignored. */
  readonly history: ReadonlyArray<Turn>
  /** The user's own standing instruction for this chat. */
  readonly userSystemMessage: string | undefined
}

/** The next piece of the text of an answer. */
export interface Delta {
  readonly _tag: "Delta"
  readonly text: string
}

/** What is known of an answer when its text is complete. */
export interface Done {
  readonly _tag: "Done"
  /** Of all that was read: instructions, history, what was retrieved, and the question. */
  readonly promptTokens: number
  /** Of the answer. */
  readonly completionTokens: number
  /** The documents it draws on, in the order of their use. */
  readonly sources: ReadonlyArray<SourceId>
  /** What kind of answer it is, in a few words for programs. */
  readonly tags: ReadonlyArray<string>
  /** How it came about, a line each: provider, retrieval with scores, its timing. Never a secret. */
  readonly trace: ReadonlyArray<string>
}

/** A part of an answer: any number of pieces, then what is known of the whole. */
export type Part = Delta | Done

/** An answer as a whole. */
export interface Answer extends Omit<Done, "_tag"> {
  readonly assistantMessage: string
}

/** A word and the white space after it; white space the text begins with is a piece of its own, and a word without end is cut. */
const piece = /\S{1,40}\s*|\s+/gu

/** The pieces of a text that is there as a whole, word by word. */
export const toDeltas = (text: string): ReadonlyArray<Delta> =>
  (text.match(piece) ?? []).map((text) => ({ _tag: "Delta", text }))

/** The parts of an answer that is there as a whole, word by word. */
export const toParts = ({ assistantMessage, ...done }: Answer): ReadonlyArray<Part> => [
  ...toDeltas(assistantMessage),
  { _tag: "Done", ...done }
]

/** The whole of an answer; nothing when it broke off before its end. */
export const fromParts = (parts: Iterable<Part>): Answer | undefined => {
  let assistantMessage = ""
  for (const part of parts) {
    if (part._tag === "Delta") {
      assistantMessage += part.text
    } else {
      const { _tag, ...done } = part
      return { assistantMessage, ...done }
    }
  }
  return undefined
}

/** Answers questions to bots. */
export class CompletionProvider extends Context.Service<
  CompletionProvider,
  {
    /**
     * Answers one question, piece by piece. May be interrupted at any time. What comes after {@link Done} is not looked at; an answer that
     * ends without it has failed.
     */
    readonly complete: (request: Request) => Stream.Stream<Part, ProviderFailed | ProviderTimedOut>
  }
>()("@effect-chatbot/server/CompletionProvider") {}
