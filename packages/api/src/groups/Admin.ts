/**
 * The admin group: the OpenAI services that bots answer through.
 */
import { OpenAiServiceId } from "@effect-chatbot/schema/Ids"
import {
  CreateOpenAiService,
  OpenAiService,
  OpenAiServicePage,
  UpdateOpenAiService
} from "@effect-chatbot/schema/OpenAiService"
import { PageQuery } from "@effect-chatbot/schema/Page"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import { operation } from "../internal/operation.ts"
import { bareText, keyErrors, Nothing } from "../internal/parts.ts"
import { IdempotencyKeys } from "../middleware/IdempotencyKeys.ts"
import { Problems } from "../Problems.ts"

const params = { openAiServiceId: OpenAiServiceId }

/** The admin group. */
export class Admin extends HttpApiGroup.make("admin")
  .add(
    HttpApiEndpoint.get("listOpenAiServices", "/api/admin/openAiServices", {
      query: PageQuery,
      success: OpenAiServicePage,
      error: [Problems.InvalidRequest, Problems.Forbidden]
    }).annotateMerge(operation({ id: "AdminGetOpenAiServices", access: "Admin", retry: "safe" })),
    HttpApiEndpoint.post("createOpenAiService", "/api/admin/openAiServices", {
      payload: CreateOpenAiService,
      success: bareText(OpenAiServiceId),
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.PayloadTooLarge, ...keyErrors]
    })
      .middleware(IdempotencyKeys)
      .annotateMerge(operation({ id: "AdminCreateOpenAiService", access: "Admin", retry: "keyed" })),
    HttpApiEndpoint.get("getOpenAiService", "/api/admin/openAiServices/:openAiServiceId", {
      params,
      success: OpenAiService,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.OpenAiServiceNotFound]
    }).annotateMerge(operation({ id: "AdminGetOpenAiService", access: "Admin", retry: "safe" })),
    HttpApiEndpoint.put("updateOpenAiService", "/api/admin/openAiServices/:openAiServiceId", {
      params,
      payload: UpdateOpenAiService,
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.OpenAiServiceNotFound, Problems.PayloadTooLarge]
    }).annotateMerge(operation({ id: "AdminUpdateOpenAiService", access: "Admin", retry: "idempotent" })),
    HttpApiEndpoint.delete("deleteOpenAiService", "/api/admin/openAiService/:openAiServiceId", {
      params,
      success: Nothing,
      error: [Problems.InvalidRequest, Problems.Forbidden, Problems.OpenAiServiceNotFound]
    }).annotateMerge(operation({ id: "AdminDeleteOpenAiService", access: "Admin", retry: "idempotent" }))
  )
  .annotateMerge(
    OpenApi.annotations({ title: "Admin", description: "The OpenAI services that bots answer through." })
  ) {}
