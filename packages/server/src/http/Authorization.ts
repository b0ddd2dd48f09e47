/**
 * The middleware that finds out who calls and keeps the access rule of the endpoint.
 */
import { Access } from "@effect-chatbot/api/Access"
import { Authorization, type Caller, CurrentCaller } from "@effect-chatbot/api/middleware/Authorization"
import { Forbidden, Unauthorized } from "@effect-chatbot/schema/Errors"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Tokens } from "../Tokens.ts"
import * as ProblemResponse from "./ProblemResponse.ts"
import { tell } from "./RequestStory.ts"

const anonymous: Caller = { _tag: "Anonymous" }

/** A token is checked wherever one is sent: a bad one is refused even where none is needed. */
export const layer: Layer.Layer<Authorization, never, Tokens> = Layer.effect(
  Authorization,
  Effect.gen(function* () {
    const tokens = yield* Tokens
    return {
      bearer: (httpEffect, { credential, endpoint }) => {
        const access = Context.get(endpoint.annotations, Access)
        const authenticate = Effect.flatMap(
          HttpServerRequest.HttpServerRequest,
          ({ headers }): Effect.Effect<Caller, Unauthorized> =>
            Redacted.value(credential) !== ""
              ? tokens.authenticate(credential)
              : access === "Anyone" && headers["authorization"] === undefined
                ? Effect.succeed(anonymous)
                : Effect.fail(new Unauthorized({}))
        )
        return Effect.flatMap(authenticate, (caller) =>
          access === "Admin" && !(caller._tag === "User" && caller.roles.includes("Admin"))
            ? ProblemResponse.fromError(new Forbidden({}))
            : Effect.andThen(
                tell({ userId: caller._tag === "User" ? caller.id : undefined }),
                Effect.provideService(httpEffect, CurrentCaller, caller)
              )
        )
      }
    }
  })
)
