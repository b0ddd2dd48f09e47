import type { OpenAPISpec } from "effect/http-api/OpenApi"
import * as Predicate from "effect/Predicate"
import { keyHeader, replayedHeader, supportedHeader } from "../middleware/IdempotencyKeys.ts"
import { texts } from "./texts.ts"

type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json }
type JsonObject = { readonly [key: string]: Json }

const isObject = (json: Json | undefined): json is JsonObject => Predicate.isObject(json) && !Array.isArray(json)

const int32 = { type: "integer", format: "int32" }

/** The numeric texts and flags of URLs, which the generator sees as strings. */
const urlTypes: Record<string, JsonObject> = {
  FilterByStatus: int32,
  FilterByVote: int32,
  OnlyFavorites: { type: "boolean" },
  ShowFeedbacksWithStatus: { type: "boolean" },
  ShowFeedbacksWithoutStatus: { type: "boolean" },
  isStopAllBots: { type: "boolean" },
  PageNumber: { ...int32, minimum: 1 },
  PageSize: { ...int32, minimum: 1, maximum: 100, default: 20 },
  TokenUsageTypeId: int32,
  FromRequestDate: { type: "string", format: "date" },
  ToRequestDate: { type: "string", format: "date" },
  keepfavorites: { type: "boolean" }
}

/** The contract has `null` for texts and lists, and where a model says so; that the decoders bear it elsewhere is no promise of the document. */
const isNullable = (schema: JsonObject): boolean =>
  (schema["type"] === "string" && schema["format"] === undefined) || schema["type"] === "array"

/** What the middleware reads of a request of the retry class `keyed`. */
const keyParameter = {
  name: keyHeader,
  in: "header",
  required: false,
  description:
    "Makes the request take effect once within 24 hours, however often it is sent: a quoted string or the bare text, 1 to 255 visible ASCII characters.",
  schema: { type: "string", minLength: 1 }
}

const says = (description: string) => ({ description, schema: { type: "string", enum: ["true"] } })

/** What it writes into the answer. */
const answerHeaders = {
  [supportedHeader]: says("This backend honours idempotency keys."),
  [replayedHeader]: says("The request was answered before, and this is that answer.")
}

/** An operation with its texts, and with what follows from who may call it and whether it may be sent again. */
const describe = (json: JsonObject): JsonObject => {
  const { operationId, parameters, responses } = json
  if (typeof operationId !== "string" || !Array.isArray(parameters) || !isObject(responses)) return json
  const success = responses["200"]
  const keyed =
    json["x-retry"] === "keyed" && isObject(success)
      ? {
          parameters: [...parameters, keyParameter],
          responses: { ...responses, "200": { ...success, headers: answerHeaders } }
        }
      : undefined
  // An empty requirement makes the token optional (OpenAPI 3.1, 4.8.10).
  const security = json["x-access"] === "Anyone" ? [{}, { bearer: [] }] : [{ bearer: [] }]
  return { ...json, ...texts[operationId], ...keyed, security }
}

const simplifyJson = (json: Json): Json => {
  if (Array.isArray(json)) return json.map(simplifyJson)
  if (!isObject(json)) return json
  if (isObject(json["not"])) return { type: "object", properties: {}, additionalProperties: false }
  if (json["type"] === "integer") {
    return typeof json["minimum"] === "number" && json["minimum"] >= 0 ? { ...int32, minimum: json["minimum"] } : int32
  }
  const alternatives = json["anyOf"]
  if (Array.isArray(alternatives) && alternatives.length === 2) {
    const [some, none] = alternatives
    if (isObject(some) && isObject(none) && none["type"] === "null" && !isNullable(some) && json["default"] !== null)
      return simplifyJson(some)
  }
  const simple: Record<string, Json> = {}
  for (const [key, value] of Object.entries(json)) {
    // How the framework would report that a stream of events failed; there is an event for that.
    if (key === "x-effect-stream" && isObject(value) && value["encoding"] === "sse") continue
    simple[key] = simplifyJson(value)
  }
  if (typeof json["name"] === "string" && json["in"] !== undefined) {
    const { name } = json
    if (Object.hasOwn(urlTypes, name)) simple["schema"] = urlTypes[name]!
    // OpenAPI has no catch-all path: the rest of the path becomes a parameter of its own.
    if (name === "*") simple["name"] = "path"
    if (name === "last-event-id") simple["name"] = "Last-Event-ID"
  }
  const { requestBody, responses } = simple
  if (isObject(requestBody) && isObject(requestBody["content"]) && isObject(responses)) {
    // The other two spellings of JSON are normalised before the router, which also refuses all others.
    const json = requestBody["content"]["application/json"] ?? {}
    const content = { "application/json": json, "text/json": json, "application/*+json": json }
    simple["requestBody"] = { ...requestBody, content }
    simple["responses"] = { ...responses, "415": { description: "UnsupportedMediaType" } }
  }
  return describe(simple)
}

/** The shape of what is simplified stays: only schemas and names change. */
const simplify = <A>(part: A): A => simplifyJson(JSON.parse(JSON.stringify(part))) as A

/** Says in the document what the generator cannot know about the contract. */
export const transformDocument = (document: OpenAPISpec): OpenAPISpec => {
  const paths: OpenAPISpec["paths"] = {}
  for (const [path, item] of Object.entries(document.paths)) paths[path.replace("*", "{path}")] = simplify(item)
  return { ...document, paths, components: simplify(document.components) }
}
