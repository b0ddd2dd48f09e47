/**
 * Who writes the answers.
 */
import type { ProviderFailed, ProviderTimedOut } from "@effect-chatbot/schema/Errors"
import type { BotId, OpenAiServiceId, SourceId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/** The bot that is asked. */
export interface Bot {
  readonly id: BotId
  readonly displayName: string
  /** Its standing instruction. */
  readonly baseSystemMessage: string | undefined
  readonly modelName: string | undefined
  /** The service its model runs on; absent for the embedded provider. */
  readonly openAiServiceId: OpenAiServiceId | undefined
}

/** An earlier question of the chat and its answer. */
export interface Turn {
  readonly userMessage: string
  readonly assistantMessage: string
}

/** A question to a bot. */
export interface Request {
  readonly bot: Bot
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
  /** The bot that answered; absent when it is the bot that was asked, which for a start bot it mostly is not. */
  readonly botId?: BotId | undefined
  /** The documents it draws on, in the order of their use. */
  readonly sources: ReadonlyArray<SourceId>
  /** What kind of answer it is, in a few words for programs. */
  readonly tags: ReadonlyArray<string>
  /** How it came about, a line each: routing, retrieval with scores, provider, timings. Never a secret. */
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
