/**
 * The system group: the status shown to users.
 */
import { SystemMessage } from "@effect-chatbot/schema/SystemMessage"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import { operation } from "../internal/operation.ts"
import { Nothing } from "../internal/parts.ts"
import { Problems } from "../Problems.ts"

/** The system group. */
export class System extends HttpApiGroup.make("system")
  .add(
    HttpApiEndpoint.get("status", "/api/System/status/current", {
      success: SystemMessage
    }).annotateMerge(operation({ id: "GetCurrentSystemStatus", access: "Anyone", retry: "safe" })),
    HttpApiEndpoint.put("setStatus", "/api/System/status/current", {
      payload: SystemMessage,
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.PayloadTooLarge]
    }).annotateMerge(operation({ id: "SetCurrentSystemStatus", access: "Admin", retry: "idempotent" }))
  )
  .annotateMerge(OpenApi.annotations({ title: "System", description: "The status shown to users." })) {}
