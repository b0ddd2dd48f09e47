import { InvalidRequest, type RequestIssue } from "@effect-chatbot/schema/Errors"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as UrlParams from "effect/http/UrlParams"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { inWords, issuesOf } from "./issues.ts"

/** The parts of a request, as a program states them. */
export type Parts = { readonly [part in "params" | "query" | "payload"]?: unknown }

/** A request, but for what a backend and a caller add to it. */
export interface Prepared {
  readonly path: string
  readonly query: UrlParams.UrlParams
  /** The body, as JSON. */
  readonly json: string | undefined
}

type Strings = { readonly [name: string]: string | undefined }

/** `..` would reach another endpoint, and a half of a surrogate pair cannot be written. */
const encodeSegment = (text: string): string | undefined =>
  text === "." || text === ".." || !text.isWellFormed() ? undefined : encodeURIComponent(text)

const literal = (text: string) => () => text

const parameter =
  (name: string) =>
  (params: Strings, issues: Array<RequestIssue>): string => {
    const value = params[name] ?? ""
    // `*` is the rest of a path and keeps its slashes.
    const segments = (name === "*" ? value.split("/") : [value]).map(encodeSegment)
    if (value === "" || segments.includes(undefined)) {
      const path = ["params", name === "*" ? "path" : name]
      issues.push({ path, message: "Expected a text that can stand in the path of a URL" })
    }
    return segments.join("/")
  }

const compilePath = (template: string) => {
  const segments = template
    .split("/")
    .map((segment) =>
      segment === "*" ? parameter("*") : segment.startsWith(":") ? parameter(segment.slice(1)) : literal(segment)
    )
  return (params: Strings, issues: Array<RequestIssue>): string =>
    segments.map((write) => write(params, issues)).join("/")
}

/** The request of an endpoint, from its parts. Everything that is wrong with them is told at once. */
export const compileRequest = (endpoint: HttpApiEndpoint.Top) => {
  const [payload] = endpoint.payload.values()
  const schemas = { params: endpoint.params, query: endpoint.query, payload: payload?.schemas[0] }
  const encoders = Object.entries(schemas).flatMap(([part, schema]) =>
    // The schemas of the contract need no services; the type of any endpoint does not say so.
    schema === undefined
      ? []
      : {
          part: part as keyof Parts,
          encode: Schema.encodeUnknownResult(schema as Schema.Codec<unknown>, { errors: "all" })
        }
  )
  const writePath = compilePath(endpoint.path)

  return (input: Parts): Result.Result<Prepared, InvalidRequest> => {
    const issues: Array<RequestIssue> = []
    const encoded: { -readonly [part in keyof Parts]: unknown } = {}
    for (const { encode, part } of encoders) {
      const result = encode(input[part])
      if (Result.isSuccess(result)) encoded[part] = result.success
      else issues.push(...issuesOf(result.failure.issue, [part]))
    }
    const path = issues.length === 0 ? writePath((encoded.params ?? {}) as Strings, issues) : ""
    if (issues.length > 0) {
      return Result.fail(new InvalidRequest({ message: `The request is not valid: ${inWords(issues)}.`, issues }))
    }
    return Result.succeed({
      path,
      query: encoded.query === undefined ? UrlParams.empty : UrlParams.fromInput(encoded.query as Strings),
      json: encoded.payload === undefined ? undefined : JSON.stringify(encoded.payload)
    })
  }
}
