/**
 * Writes the actions of admins into the audit log, by what the contract says of the endpoints.
 */
import { Access } from "@effect-chatbot/api/Access"
import { RetryClass } from "@effect-chatbot/api/RetryClass"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as OpenApi from "effect/http-api/OpenApi"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Predicate from "effect/Predicate"
import * as Record from "effect/Record"
import { AuditLog } from "../AuditLog.ts"
import type { SignedIn } from "../Callers.ts"
import { clientAddress } from "./ClientAddress.ts"
import { RequestId } from "./RequestId.ts"

type Endpoint = Pick<HttpApiEndpoint.Top, "annotations" | "method" | "identifier">

/** Whether an endpoint is for admins and changes something, or does with `GET` what is not to be done twice. */
export const isAudited = ({ annotations, method }: Endpoint): boolean =>
  Context.get(annotations, Access) === "Admin" && (method !== "GET" || Context.get(annotations, RetryClass) !== "safe")

/** The `operationId` of an endpoint. */
export const operationOf = ({ annotations, identifier }: Endpoint): string =>
  Context.getOrUndefined(annotations, OpenApi.Identifier) ?? identifier

/** Gives what writes down an action of an admin, before it is done and when it is answered. Nothing of its body is looked at. */
export const make = Effect.map(
  AuditLog,
  (log) =>
    (endpoint: Endpoint, { id, login }: SignedIn) =>
      isAudited(endpoint)
        ? Effect.gen(function* () {
            const finish = yield* log.begin({
              userId: id,
              login,
              operation: operationOf(endpoint),
              resources: Record.filter(yield* HttpRouter.params, Predicate.isNotUndefined),
              requestId: yield* RequestId,
              address: yield* clientAddress
            })
            // The status as it goes out, whatever the answer was made from.
            yield* HttpEffect.appendPreResponseHandler((_request, response) =>
              Effect.as(finish(response.status), response)
            )
          })
        : Effect.void
)
