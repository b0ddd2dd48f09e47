/**
 * The middleware that finds out who calls and keeps the access rule of the endpoint.
 */
import { Access } from "@effect-chatbot/api/Access"
import { Authorization, type Caller, CurrentCaller } from "@effect-chatbot/api/middleware/Authorization"
import { Forbidden, type RateLimited, Unauthorized, type Unavailable } from "@effect-chatbot/schema/Errors"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { AuditLog } from "../AuditLog.ts"
import { isAdmin, userId } from "../Callers.ts"
import { Jwts } from "../Jwts.ts"
import { Tokens } from "../Tokens.ts"
import * as Audit from "./Audit.ts"
import * as ProblemResponse from "./ProblemResponse.ts"
import { RateLimits } from "./RateLimits.ts"
import { tell } from "./RequestStory.ts"

const anonymous: Caller = { _tag: "Anonymous" }

/** The endpoints that ask a provider: what costs most is limited by itself. */
const completionEndpoints: ReadonlySet<string> = new Set(["chats.complete"])

/** A token is checked wherever one is sent: a bad one is refused even where none is needed. */
export const layer: Layer.Layer<Authorization, never, AuditLog | Jwts | RateLimits | Tokens> = Layer.effect(
  Authorization,
  Effect.gen(function* () {
    const audit = yield* Audit.make
    const jwts = yield* Jwts
    const rateLimits = yield* RateLimits
    const tokens = yield* Tokens
    return {
      bearer: (httpEffect, { credential, endpoint, group }) => {
        const access = Context.get(endpoint.annotations, Access)
        const isCompletion = completionEndpoints.has(`${group.identifier}.${endpoint.identifier}`)
        const authenticate = Effect.flatMap(
          HttpServerRequest.HttpServerRequest,
          ({
            headers
          }): Effect.Effect<Caller, RateLimited | Unauthorized | Unavailable, HttpServerRequest.HttpServerRequest> =>
            Redacted.value(credential) !== ""
              ? rateLimits.signIn((jwts.accepts(credential) ? jwts : tokens).authenticate(credential))
              : access === "Anyone" && headers["authorization"] === undefined
                ? Effect.succeed(anonymous)
                : Effect.fail(new Unauthorized({}))
        )
        return authenticate.pipe(
          Effect.tap((caller) =>
            Effect.andThen(tell({ userId: userId(caller) }), rateLimits.call(caller, { isCompletion }))
          ),
          Effect.matchEffect({
            onFailure: (error) =>
              error._tag === "Unauthorized" ? Effect.fail(error) : ProblemResponse.fromError(error),
            onSuccess: (caller) => {
              if (access !== "Admin") return Effect.provideService(httpEffect, CurrentCaller, caller)
              return caller._tag === "User" && isAdmin(caller)
                ? Effect.andThen(audit(endpoint, caller), Effect.provideService(httpEffect, CurrentCaller, caller))
                : Effect.andThen(
                    // Not in the audit log: who is no admin must not be able to fill it.
                    Effect.logWarning("Somebody who is no admin asked for what is for admins", {
                      operation: Audit.operationOf(endpoint),
                      userId: userId(caller)
                    }),
                    ProblemResponse.fromError(new Forbidden({}))
                  )
            }
          })
        )
      }
    }
  })
)
