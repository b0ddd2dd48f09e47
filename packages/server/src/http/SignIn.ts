/**
 * Finds out who calls, by the bearer token of a request.
 */
import type { Caller } from "@effect-chatbot/api/middleware/Authorization"
import { type RateLimited, Unauthorized, type Unavailable } from "@effect-chatbot/schema/Errors"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Redacted from "effect/Redacted"
import { userId } from "../Callers.ts"
import { Jwts } from "../Jwts.ts"
import { Tokens } from "../Tokens.ts"
import { RateLimits } from "./RateLimits.ts"
import { tell } from "./RequestStory.ts"

const anonymous: Caller = { _tag: "Anonymous" }

/** What is known of what is called. */
export interface Called {
  /** Whether it can be called without a token. */
  readonly isAnonymousAllowed: boolean
  /** Whether it asks a provider. */
  readonly isCompletion: boolean
}

/**
 * Gives what finds out who calls, and counts the call. A token is checked wherever one is sent: a bad one is refused even where none is
 * needed. One that is empty was not sent.
 */
export const make = Effect.gen(function* () {
  const jwts = yield* Jwts
  const rateLimits = yield* RateLimits
  const tokens = yield* Tokens
  return (
    credential: Redacted.Redacted,
    { isAnonymousAllowed, isCompletion }: Called
  ): Effect.Effect<Caller, RateLimited | Unauthorized | Unavailable, HttpServerRequest.HttpServerRequest> =>
    Effect.flatMap(
      HttpServerRequest.HttpServerRequest,
      ({
        headers
      }): Effect.Effect<Caller, RateLimited | Unauthorized | Unavailable, HttpServerRequest.HttpServerRequest> =>
        Redacted.value(credential) !== ""
          ? rateLimits.signIn((jwts.accepts(credential) ? jwts : tokens).authenticate(credential))
          : isAnonymousAllowed && headers["authorization"] === undefined
            ? Effect.succeed(anonymous)
            : Effect.fail(new Unauthorized({}))
    ).pipe(
      Effect.tap((caller) =>
        Effect.andThen(tell({ userId: userId(caller) }), rateLimits.call(caller, { isCompletion }))
      )
    )
})
