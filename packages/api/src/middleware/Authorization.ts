/**
 * Finds out who calls, from the bearer token (RFC 6750), and keeps the {@link Access} rule of the endpoint.
 */
import type { UserId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import { Problems } from "../Problems.ts"

/** Who calls: a user with a valid token, or somebody without one. */
export type Caller =
  | { readonly _tag: "User"; readonly id: UserId; readonly login: string; readonly roles: ReadonlyArray<string> }
  | { readonly _tag: "Anonymous" }

/** The caller of the request being answered. */
export class CurrentCaller extends Context.Service<CurrentCaller, Caller>()("@effect-chatbot/api/CurrentCaller") {}

/** The middleware of every endpoint that provides the {@link CurrentCaller}. */
export class Authorization extends HttpApiMiddleware.Service<Authorization, { provides: CurrentCaller }>()(
  "@effect-chatbot/api/Authorization",
  {
    security: { bearer: HttpApiSecurity.bearer },
    error: Problems.Unauthorized
  }
) {}
