/**
 * What an operator may choose about the rules of the backend.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"

/** How many tokens may be used; without a number, any number. See `TokenBudgets`. */
export interface TokenBudgetOptions {
  /** By one user, in a day. */
  readonly userPerDay?: number | undefined
  /** By one user, in a month. */
  readonly userPerMonth?: number | undefined
  /** By all questions to one bot, in a day. */
  readonly botPerDay?: number | undefined
  /** By all questions to one bot, in a month. */
  readonly botPerMonth?: number | undefined
  /** How many are held for an answer while it is written, beside the `promptTokens`: as many as an answer may have. Default 4096. */
  readonly answerTokens?: number | undefined
}

/** What an operator may choose about the rules of the backend. */
export interface ServerOptions {
  /**
   * Whether a chat can be created only by a user who has accepted the terms. Anonymous callers cannot accept anything, so with this the
   * open bot is closed to them. Default `false`.
   */
  readonly requireTerms: boolean
  /** How long running completions may go on when the server shuts down, before they are broken off. Default 10 seconds. */
  readonly shutdownGrace?: Duration.Duration | undefined
  /** The most tokens that the prompt of a model may have, as the `Tokenizer` counts them. Default 8000. */
  readonly promptTokens?: number | undefined
  /**
   * Whether OpenAI services may be at link-local addresses and those of metadata services, where clouds hand out the credentials of the
   * machine. Default `false`.
   */
  readonly allowLinkLocalProviders?: boolean | undefined
  /** For how many days the audit log is kept. Default 365. */
  readonly auditDays?: number | undefined
  /** How many tokens users and bots may use. Default any number. */
  readonly tokenBudgets?: TokenBudgetOptions | undefined
}

/** The options in force; provide it to change them. */
export const ServerOptions = Context.Reference<ServerOptions>("@effect-chatbot/server/ServerOptions", {
  defaultValue: () => ({ requireTerms: false })
})
