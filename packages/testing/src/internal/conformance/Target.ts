import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Redacted from "effect/Redacted"
import type { Leftover } from "../../ConformanceReport.ts"
import type { Blocked } from "./Failure.ts"

/**
 * What a check needs of who runs it: `admin`, a token of an admin; `user`, a token of anybody; `member`, of a user who is no admin; `other`,
 * of a second user; `bot`, a bot to chat with; `bots`, bots that are made for it; `destruction`, that more may be touched than what the check
 * made itself.
 */
export type Need = "admin" | "user" | "member" | "other" | "bot" | "bots" | "destruction"

/** As whom a request is sent. */
export type Caller = "admin" | "user" | "other" | "nobody"

/** A bot that can be asked. */
export interface Bot {
  readonly botId: string
  readonly code: string
  /** Whether it was made for the run, and is nobody else's. */
  readonly isMade: boolean
}

/** The backend that is checked, and what is needed for that. */
export class Target extends Context.Service<
  Target,
  {
    readonly baseUrl: string
    readonly http: HttpClient.HttpClient
    readonly tokens: { readonly [caller in Caller]?: Redacted.Redacted | undefined }
    /** What of the needs of a check is not met, in words. */
    readonly lacks: (need: Need) => string | undefined
    /** How long an answer may take, with its body. */
    readonly timeout: Duration.Duration
    /** A bot to chat with: the one that was named, or else one that is made when it is first needed. */
    readonly bot: Effect.Effect<Bot, Blocked>
    /** The code of the bot that was named. */
    readonly botCode: string | undefined
    /** What that bot is asked. */
    readonly question: string
    /** What the names of all that is made begin with: `conformance-` and the id of the run. */
    readonly prefix: string
    /** A name for something that is made; no two are the same. */
    readonly name: (what: string) => string
    /** Takes down what could not be removed. */
    readonly leave: (leftover: Leftover) => Effect.Effect<void>
  }
>()("@effect-chatbot/testing/conformance/Target") {}
