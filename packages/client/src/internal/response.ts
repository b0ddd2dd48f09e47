import * as Problem from "@effect-chatbot/api/Problem"
import { InvalidResponse, type TransportFailed, UnexpectedStatus } from "@effect-chatbot/schema/Errors"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Headers from "effect/http/Headers"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import type * as Scope from "effect/Scope"
import { binaryContent, close } from "./binary.ts"
import { inWords, issuesOf } from "./issues.ts"
import type { CallLimits } from "./policies.ts"
import type { Parts } from "./request.ts"
import { transportFailed } from "./transport.ts"

/** What an answer is read with. */
export interface Exchange {
  readonly input: Parts
  readonly limits: CallLimits
  /** The lifetime of the client. */
  readonly scope: Scope.Scope
}

/** Reads an answer: succeeds with its value, or fails with the error it stands for. */
export type Read = (response: HttpClientResponse, exchange: Exchange) => Effect.Effect<unknown, unknown>

const requestIdOf = (response: HttpClientResponse) => {
  const requestId = response.headers["x-request-id"]
  return requestId === undefined ? undefined : { requestId }
}

/** The media type of an answer; empty where it does not say. */
const mediaTypeOf = (response: HttpClientResponse): string =>
  /^[\w.+-]+\/[\w.+-]+/.exec(response.headers["content-type"] ?? "")?.[0].toLowerCase() ?? ""

/** The text of a body; some backends begin it with a byte order mark. */
const textOf = (response: HttpClientResponse): Effect.Effect<string, TransportFailed> =>
  Effect.mapBoth(response.text, {
    onFailure: transportFailed,
    onSuccess: (text) => (text.startsWith("\ufeff") ? text.slice(1) : text)
  })

/** What `JSON.parse` complains of quotes the text, so it is not passed on. */
const parseJson = (text: string): Option.Option<unknown> => {
  try {
    return Option.some(JSON.parse(text))
  } catch {
    return Option.none()
  }
}

// ----------------------------------------------------------------------------------------------------------------------
// Successes
// ----------------------------------------------------------------------------------------------------------------------

const invalidResponse = (response: HttpClientResponse, why: string, text?: string): InvalidResponse =>
  new InvalidResponse({
    message: `The answer is not what the contract says: ${why}.`,
    status: response.status,
    ...requestIdOf(response),
    ...(text === undefined ? undefined : { body: Redacted.make(text) })
  })

/** Gets the value out of a text, or nothing where not even the form of it is right. */
type Parse = (text: string, mediaType: string) => Option.Option<unknown>

/** ASP.NET answers 204 or `null` for nothing, which is an object without a field. */
const parseObject: Parse = (text) => Option.map(parseJson(text === "" ? "{}" : text), (value) => value ?? {})

/**
 * ASP.NET answers a bare text as it is, or as JSON, where JSON was preferred. A page of a proxy is no such text, and neither is JSON that
 * broke off.
 */
const parseText: Parse = (text, mediaType) => {
  const json = Option.filter(parseJson(text), (value) => typeof value === "string" || typeof value === "object")
  if (Option.isSome(json)) return json
  const isText = mediaType.endsWith("json")
    ? !/^\s*["{[]/.test(text)
    : (mediaType === "" || mediaType === "text/plain") && !/^\s*"/.test(text)
  return isText ? Option.some(text.trim()) : Option.none()
}

/** Some backends write `True`, and some quote it. */
const parseBoolean: Parse = (text) => parseJson(text.toLowerCase().replaceAll("\"", ""))

const parsers: { readonly [tag: string]: Parse } = { String: parseText, Boolean: parseBoolean }

const readValue = (schema: Schema.Codec<unknown>): Read => {
  const parse = parsers[SchemaAST.toEncoded(schema.ast)._tag] ?? parseObject
  const decode = Schema.decodeUnknownResult(schema)
  return (response) =>
    Effect.flatMap(textOf(response), (text) => {
      const value = parse(text, mediaTypeOf(response))
      if (Option.isNone(value)) {
        return Effect.fail(invalidResponse(response, `a body of type "${mediaTypeOf(response)}" cannot be read`, text))
      }
      const result = decode(value.value)
      return Result.isSuccess(result)
        ? Effect.succeed(result.success)
        : Effect.fail(invalidResponse(response, inWords(issuesOf(result.failure.issue)), text))
    })
}

/** What a backend sends where nothing is said is read, so that its connection is free again, and not looked at. */
const readNothing: Read = (response) => Effect.ignore(response.arrayBuffer)

/** What is declared as an image may come without a type, but not as the page of a proxy. */
const readBinary = (declared: string): Read => {
  const isDeclared = declared === "image/*" ? /^$|^image\/|^application\/octet-stream$/ : /^/
  return (response, { limits, scope }) => {
    if (response.status === 200 && isDeclared.test(mediaTypeOf(response))) {
      return binaryContent(response, limits.attempt, scope)
    }
    const why = response.status === 204 ? "there is no body" : `a body of type "${mediaTypeOf(response)}" is not expected`
    return Effect.andThen(close(response), Effect.fail(invalidResponse(response, why)))
  }
}

/** Whether an endpoint answers with bytes. */
export const isBinary = (schema: unknown): schema is HttpApiSchema.StreamUint8Array =>
  Predicate.isTagged(schema, "StreamUint8Array")

const compileSuccess = (endpoint: HttpApiEndpoint.Top): Read => {
  // A bare text is declared twice, quoted and as it is; the reader takes either.
  const [schema] = endpoint.success
  if (schema === undefined || HttpApiSchema.isNoContent(schema.ast)) return readNothing
  if (isBinary(schema)) return readBinary(schema.contentType)
  // The schemas of the contract need no services; the type of any endpoint does not say so.
  return readValue(schema as Schema.Codec<unknown>)
}

// ----------------------------------------------------------------------------------------------------------------------
// Failures
// ----------------------------------------------------------------------------------------------------------------------

/** The errors that an endpoint declares: those of its middleware, which any endpoint may answer, and its own. */
const declaredErrors = (endpoint: HttpApiEndpoint.Top) => {
  const ofMiddleware = [...endpoint.middlewares].flatMap((key) => Array.from((key as HttpApiMiddleware.AnyService).error))
  return [...ofMiddleware, ...endpoint.error].flatMap((schema) => {
    const errorClass = Problem.errorClassOf(schema)
    const status = SchemaAST.resolveAt<number>("httpApiStatus")(schema.ast)
    const decode = Schema.decodeUnknownResult(Schema.toCodecJson(schema as Schema.Codec<unknown>))
    return errorClass === undefined || status === undefined ? [] : { errorClass, status, decode }
  })
}

/** When to try again, from the answer on, by its `Retry-After`: seconds or a date (RFC 9110, 10.2.3). What is neither is ignored. */
const retryAfterOf = (response: HttpClientResponse, now: number): Duration.Duration | undefined => {
  const header = Option.fromUndefinedOr(response.headers["retry-after"])
  const parsed = Option.flatMap(header, (text) => Result.getSuccess(Headers.parseRetryAfter(text)))
  return Option.getOrUndefined(Option.map(parsed, (value) => Headers.retryAfterDelay(value, now)))
}

/** The ids that a program gave, under the names that an error class has for them; the contract writes some in lower case. */
const idsOf = ({ params, payload }: Parts, fields: object) => {
  const given = Object.entries({ ...payload as object, ...params as object })
  return Object.fromEntries(
    Object.keys(fields).filter((name) => name.endsWith("Id")).flatMap((name) =>
      given.filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, id]) => [name, id])
    )
  )
}

/**
 * Finds the error that an answer stands for. A problem of the contract tells its class. Of another body only the status counts: it stands
 * for the first class that has it, and those of the middleware come first, for a proxy that answers 503 knows nothing of bots.
 */
const compileFailure = (endpoint: HttpApiEndpoint.Top) => {
  const declared = declaredErrors(endpoint)
  const byType = new Map(declared.map((error) => [Problem.typeOf(error.errorClass.identifier), error]))
  const byStatus = new Map(declared.toReversed().map((error) => [error.status, error]))

  return (response: HttpClientResponse, text: string, input: Parts, now: number): unknown => {
    const requestId = requestIdOf(response)
    const retryAfter = retryAfterOf(response, now)

    const body = Option.getOrUndefined(Option.filter(parseJson(text), Predicate.isReadonlyObject))
    const told = byType.get(String(body?.["type"]))?.decode({
      ...requestId,
      ...(retryAfter === undefined ? undefined : { retryAfter: Duration.toSeconds(retryAfter) }),
      ...body
    })
    if (told !== undefined && Result.isSuccess(told)) return told.success

    const error = byStatus.get(response.status)
    if (error === undefined) {
      return new UnexpectedStatus({
        message: `The answer has the status ${response.status}, which the contract does not know here.`,
        status: response.status,
        ...requestId,
        body: Redacted.make(text)
      })
    }
    return new error.errorClass({
      ...idsOf(input, error.errorClass.fields),
      ...requestId,
      ...(retryAfter === undefined ? undefined : { retryAfter }),
      body: Redacted.make(text)
    })
  }
}

/** The reader of the answers of an endpoint. */
export const compileRead = (endpoint: HttpApiEndpoint.Top): Read => {
  const success = compileSuccess(endpoint)
  const failure = compileFailure(endpoint)
  return (response, exchange) =>
    response.status === 200 || response.status === 204
      ? success(response, exchange)
      : Effect.flatMap(
        // The status says what happened, even where the body breaks off.
        Effect.zip(Effect.orElseSucceed(textOf(response), () => ""), Clock.currentTimeMillis),
        ([text, now]) => Effect.fail(failure(response, text, exchange.input, now))
      )
}
