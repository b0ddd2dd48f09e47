/**
 * Who writes the answers.
 */
import type { ProviderFailed, ProviderTimedOut } from "@effect-chatbot/schema/Errors"
import type { SourceId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
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

/** An answer. */
export interface Answer {
  readonly assistantMessage: string
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

/** Answers questions to bots. */
export class CompletionProvider extends Context.Service<
  CompletionProvider,
  {
    /** Answers one question. May be interrupted at any time. */
    readonly complete: (request: Request) => Effect.Effect<Answer, ProviderFailed | ProviderTimedOut>
  }
>()("@effect-chatbot/server/CompletionProvider") {}
