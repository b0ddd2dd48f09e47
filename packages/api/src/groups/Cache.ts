/**
 * The cache group.
 */
import { Empty } from "@effect-chatbot/schema/SystemMessage"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import { operation } from "../internal/operation.ts"
import { Problems } from "../Problems.ts"

/** The cache group. */
export class Cache extends HttpApiGroup.make("cache")
  .add(
    HttpApiEndpoint.delete("clear", "/cache", {
      success: Empty,
      error: Problems.Forbidden
    }).annotateMerge(operation({ id: "DeleteCacheAsync", access: "Admin", retry: "idempotent" }))
  )
  .annotateMerge(OpenApi.annotations({ title: "Cache", description: "The caches of the backend." })) {}
