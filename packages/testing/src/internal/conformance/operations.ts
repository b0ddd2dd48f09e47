import { Access } from "@effect-chatbot/api/Access"
import { Api } from "@effect-chatbot/api/Api"
import { document } from "@effect-chatbot/api/Document"
import { RetryClass } from "@effect-chatbot/api/RetryClass"
import * as Context from "effect/Context"
import type * as HttpMethod from "effect/http/HttpMethod"
import * as JsonSchema from "effect/JsonSchema"
import * as Record from "effect/Record"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaRepresentation from "effect/SchemaRepresentation"

type Groups = (typeof Api)["groups"]

/** The name of an operation, as `chats.create`. */
export type OperationName = {
  [Group in keyof Groups & string]: `${Group}.${keyof Groups[Group]["endpoints"] & string}`
}[keyof Groups & string]

/** What is wrong with a body, in words; nothing, if it is right. */
export type Validate = (body: unknown) => ReadonlyArray<string>

/** An operation of the contract, as it is on the wire. */
export interface Operation {
  readonly name: OperationName
  readonly method: HttpMethod.HttpMethod
  /** With parameters as in `/api/chats/:chatId`; `*` is the rest. */
  readonly path: string
  /** What it is called in a report: `GET /api/chats/{chatId}`. */
  readonly label: string
  readonly access: Access
  readonly retry: RetryClass
  /** The media types of its bodies, and what is said of each; of none, where it answers without content. */
  readonly bodies: ReadonlyMap<string, Validate>
}

const day = String.raw`\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])`
const time = String.raw`([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?`

/** What the formats of the document say of texts (RFC 3339, 5.6), and in words. */
const texts = {
  date: { pattern: `^${day}$`, words: "a day as 2026-01-31" },
  "date-time": {
    pattern: `^${day}[Tt]${time}([Zz]|[+-]\\d\\d:\\d\\d)$`,
    words: "a time with its offset, as 2026-01-31T12:00:00Z"
  }
} as const

const formats: Readonly<Record<string, JsonSchema.JsonSchema>> = {
  date: { pattern: texts.date.pattern },
  "date-time": { pattern: texts["date-time"].pattern },
  int32: { minimum: -(2 ** 31), maximum: 2 ** 31 - 1 }
}

/** The message of an issue, with words in the place of patterns. */
const readable = (message: string): string => {
  const text = Object.values(texts).find(({ pattern }) => message.endsWith(pattern))
  return text === undefined ? message : `Expected ${text.words}`
}

const definitions = Record.map(document.components.schemas, (schema) => JsonSchema.fromSchemaOpenApi3_1(schema).schema)

const inWords = SchemaIssue.makeFormatterStandardSchemaV1()

/** Reads a body as the document describes it: no field that is not named there, and of a format what the format says. */
const validator = (schema: JsonSchema.JsonSchema): Validate => {
  let decode: ((body: unknown) => Result.Result<unknown, Schema.SchemaError>) | undefined
  return (body) => {
    // Of the schemas of the contract a run needs some.
    decode ??= Schema.decodeUnknownResult(
      SchemaRepresentation.fromJsonSchemaDocument(
        { ...JsonSchema.fromSchemaOpenApi3_1(schema), definitions },
        {
          patterns: "apply",
          // A text that holds JSON, as the data of an event, is given as that JSON.
          onEnter: (schema) =>
            (schema["contentSchema"] as JsonSchema.JsonSchema | undefined) ?? {
              ...schema,
              ...formats[String(schema["format"])]
            }
        }
      ) as Schema.Codec<unknown>,
      { errors: "all", onExcessProperty: "error" }
    )
    const result = decode(body)
    if (Result.isSuccess(result)) return []
    return inWords(result.failure.issue).issues.map(({ message, path = [] }) =>
      path.length === 0 ? readable(message) : `${path.map(String).join(".")}: ${readable(message)}`
    )
  }
}

const Documented = Schema.Struct({
  responses: Schema.Record(
    Schema.String,
    Schema.Struct({
      content: Schema.optional(
        Schema.Record(Schema.String, Schema.Struct({ schema: Schema.Record(Schema.String, Schema.Unknown) }))
      )
    })
  )
})

const responsesOf = Schema.decodeUnknownSync(Schema.Record(Schema.String, Schema.Record(Schema.String, Documented)))(
  document.paths
)

/** What is said of the bodies of a success, by their media types. */
const bodiesOf = (path: string, method: string): ReadonlyMap<string, Validate> =>
  new Map(
    Object.entries(responsesOf[path]?.[method.toLowerCase()]?.responses["200"]?.content ?? {}).map(
      ([type, { schema }]) => [type, validator(schema)]
    )
  )

/** All operations, in the order of the contract. */
export const operations: ReadonlyArray<Operation> = Object.values(Api.groups).flatMap((group) =>
  Object.values(group.endpoints).map((endpoint): Operation => {
    const path = endpoint.path.replaceAll(/:(\w+)/g, "{$1}").replace("*", "{path}")
    return {
      name: `${group.identifier}.${endpoint.identifier}` as OperationName,
      method: endpoint.method,
      path: endpoint.path,
      label: `${endpoint.method} ${path}`,
      access: Context.get(endpoint.annotations, Access),
      retry: Context.get(endpoint.annotations, RetryClass),
      bodies: bodiesOf(path, endpoint.method)
    }
  })
)

const byName = new Map<string, Operation>(operations.map((operation) => [operation.name, operation]))

/** The operation of this name. */
export const operationOf = (name: OperationName): Operation => byName.get(name)!
