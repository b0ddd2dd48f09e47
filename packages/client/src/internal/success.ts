import { InvalidResponse } from "@effect-chatbot/schema/Errors"
import * as Effect from "effect/Effect"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { binaryContent, close } from "./binary.ts"
import { inWords, issuesOf } from "./issues.ts"
import { mediaTypeOf, parseJson, type Read, textOf } from "./response.ts"

const invalidResponse = (response: HttpClientResponse, why: string, text?: string): InvalidResponse => {
  const requestId = response.headers["x-request-id"]
  return new InvalidResponse({
    message: `The answer is not what the contract says: ${why}.`,
    status: response.status,
    ...(requestId === undefined ? undefined : { requestId }),
    ...(text === undefined ? undefined : { body: Redacted.make(text) })
  })
}

const unexpected = (response: HttpClientResponse, text?: string): InvalidResponse =>
  invalidResponse(
    response,
    response.status === 204 ? "there is no body" : `a body of type "${mediaTypeOf(response)}" is not expected`,
    text
  )

/** Gets the value out of a text, or nothing where not even the form of it is right. */
type Parse = (text: string, response: HttpClientResponse) => Option.Option<unknown>

/** ASP.NET answers 204 or `null` for nothing, which is an object without a field. */
const parseObject: Parse = (text) => Option.map(parseJson(text === "" ? "{}" : text), (value) => value ?? {})

/**
 * ASP.NET answers a bare text as it is, or as JSON, where JSON was preferred. A page of a proxy is no such text, and neither is JSON that
 * broke off.
 */
const parseText: Parse = (text, response) => {
  const json = Option.filter(parseJson(text), (value) => typeof value === "string" || typeof value === "object")
  if (Option.isSome(json)) return json
  const mediaType = mediaTypeOf(response)
  const isText = mediaType.endsWith("json")
    ? !/^\s*["{[]/.test(text)
    : (mediaType === "" || mediaType === "text/plain") && !/^\s*"/.test(text)
  return isText ? Option.some(text.trim()) : Option.none()
}

/** Some backends write `True`, and some quote it. */
const parseBoolean: Parse = (text) => parseJson(text.toLowerCase().replaceAll('"', ""))

const parsers: { readonly [tag: string]: Parse } = { String: parseText, Boolean: parseBoolean }

const readValue = (schema: Schema.Codec<unknown>): Read => {
  const parse = parsers[SchemaAST.toEncoded(schema.ast)._tag] ?? parseObject
  const decode = Schema.decodeUnknownResult(schema)
  return (response) =>
    Effect.flatMap(textOf(response), (text) => {
      const value = parse(text, response)
      if (Option.isNone(value)) {
        return Effect.fail(invalidResponse(response, `a body of type "${mediaTypeOf(response)}" cannot be read`, text))
      }
      const result = decode(value.value)
      return Result.isSuccess(result)
        ? Effect.succeed(result.success)
        : Effect.fail(invalidResponse(response, inWords(issuesOf(result.failure.issue)), text))
    })
}

/**
 * What a backend sends where nothing is said is read, so that its connection is free again, and not looked at. But the page of a proxy, as
 * one to log in, does not say that anything was done.
 */
const readNothing: Read = (response) =>
  mediaTypeOf(response) === "text/html"
    ? Effect.flatMap(textOf(response), (text) => Effect.fail(unexpected(response, text)))
    : Effect.ignore(response.arrayBuffer)

/** What is declared as an image may come without a type, but not as the page of a proxy. */
const readBinary = (declared: string): Read => {
  const isDeclared = declared === "image/*" ? /^$|^image\/|^application\/octet-stream$/ : /^/
  return (response, { call, scope }) => {
    if (response.status === 200 && isDeclared.test(mediaTypeOf(response))) {
      return binaryContent(response, call, scope)
    }
    return Effect.andThen(close(response), Effect.fail(unexpected(response)))
  }
}

/** Whether an endpoint answers with bytes. */
export const isBinary = (schema: unknown): schema is HttpApiSchema.StreamUint8Array =>
  Predicate.isTagged(schema, "StreamUint8Array")

/** What an endpoint answers a call with. The events that some answer instead, where they are asked for, are no answer to a call. */
export const successesOf = ({ success }: HttpApiEndpoint.Top) =>
  Array.from(success).filter((schema) => !Predicate.isTagged(schema, "StreamSse"))

/** The reader of the successes of an endpoint. */
export const compileSuccess = (endpoint: HttpApiEndpoint.Top): Read => {
  // A bare text is declared twice, quoted and as it is; the reader takes either.
  const [schema] = successesOf(endpoint)
  if (schema === undefined || HttpApiSchema.isNoContent(schema.ast)) return readNothing
  if (isBinary(schema)) return readBinary(schema.contentType)
  // The schemas of the contract need no services; the type of any endpoint does not say so.
  return readValue(schema as Schema.Codec<unknown>)
}
