/**
 * Refuses texts that no database of ours can hold: with NUL characters, which PostgreSQL does not store, or with halves of characters,
 * which have no UTF-8. So a request is answered alike whatever the database, and nothing is stored that comes back as something else.
 */
import { InvalidRequest, type RequestIssue } from "@effect-chatbot/schema/Errors"
import * as Effect from "effect/Effect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import { isPlain, plainMessage } from "../TextLimits.ts"
import * as QueryNames from "./QueryNames.ts"

/** The same URL, with no NUL character in its path: what such an id or name stands for is not there, and is answered as that. */
export const withPlainPath = (url: string): string =>
  url.includes("%00") ? url.replace(/^[^?]*/, (path) => path.replaceAll("%00", "%EF%BF%BD")) : url

/** Fails if a text in the query of a URL is not plain, of those that the contract knows. In a URL, halves of characters have no spelling. */
export const checkQuery = (url: string): Effect.Effect<void, InvalidRequest> => {
  const start = url.indexOf("?")
  if (start === -1 || !url.includes("%00", start)) return Effect.void
  const names = new Set(
    url
      .slice(start + 1)
      .split("&")
      .filter((pair) => pair.includes("%00"))
      .map((pair) => pair.split("=", 1)[0]!)
      .filter(QueryNames.isKnown)
  )
  if (names.size === 0) return Effect.void
  const issues = Array.from(names, (name) => ({ path: ["query", name], message: plainMessage }))
  return Effect.fail(new InvalidRequest({ issues }))
}

// In JSON, only an escape can spell such a text; most bodies have none, and are not looked at any closer.
const mayNotBePlain = /\\u(?:0000|d[89a-f])/i

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    // Whoever reads the body finds out.
    return undefined
  }
}

/** The texts of a JSON value that are not plain. It may be nested deeper than a call could follow. */
const issuesOf = (body: unknown): ReadonlyArray<RequestIssue> => {
  const issues: Array<RequestIssue> = []
  const left: Array<{ readonly path: ReadonlyArray<string | number>; readonly value: unknown }> = [
    { path: ["payload"], value: body }
  ]
  for (let next = left.pop(); next !== undefined && issues.length < 100; next = left.pop()) {
    const { path, value } = next
    if (typeof value === "string") {
      if (!isPlain(value)) issues.push({ path, message: plainMessage })
    } else if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) left.push({ path: [...path, index], value: item })
    } else if (typeof value === "object" && value !== null) {
      for (const [name, item] of Object.entries(value)) left.push({ path: [...path, name], value: item })
    }
  }
  return issues.toReversed()
}

const refuse = (text: string): Effect.Effect<void> => {
  const issues = mayNotBePlain.test(text) ? issuesOf(parse(text)) : []
  // Reading a body has no such error, and whoever answers a defect that the contract knows answers it as that.
  return issues.length === 0 ? Effect.void : Effect.die(new InvalidRequest({ issues }))
}

/** The same request, whose body is refused when it is read and a text in it is not plain. */
export const withPlainBody = (request: HttpServerRequest.HttpServerRequest): HttpServerRequest.HttpServerRequest =>
  new Proxy(request, {
    get: (target, key) => (key === "text" ? Effect.tap(target.text, refuse) : Reflect.get(target, key, target))
  })
