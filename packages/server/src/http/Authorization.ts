/**
 * The middleware that finds out who calls and keeps the access rule of the endpoint.
 */
import { Access } from "@effect-chatbot/api/Access"
import { Authorization, CurrentCaller } from "@effect-chatbot/api/middleware/Authorization"
import { Forbidden } from "@effect-chatbot/schema/Errors"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { AuditLog } from "../AuditLog.ts"
import { isAdmin, userId } from "../Callers.ts"
import type { Jwts } from "../Jwts.ts"
import type { Tokens } from "../Tokens.ts"
import * as Audit from "./Audit.ts"
import * as ProblemResponse from "./ProblemResponse.ts"
import type { RateLimits } from "./RateLimits.ts"
import * as SignIn from "./SignIn.ts"

/** The endpoints that ask a provider: what costs most is limited by itself. */
const completionEndpoints: ReadonlySet<string> = new Set(["chats.complete"])

/** Who calls is found out by {@link SignIn}, whatever the endpoint; then it is looked at who may. */
export const layer: Layer.Layer<Authorization, never, AuditLog | Jwts | RateLimits | Tokens> = Layer.effect(
  Authorization,
  Effect.gen(function* () {
    const audit = yield* Audit.make
    const signIn = yield* SignIn.make
    return {
      bearer: (httpEffect, { credential, endpoint, group }) => {
        const access = Context.get(endpoint.annotations, Access)
        const isCompletion = completionEndpoints.has(`${group.identifier}.${endpoint.identifier}`)
        return signIn(credential, { isAnonymousAllowed: access === "Anyone", isCompletion }).pipe(
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
