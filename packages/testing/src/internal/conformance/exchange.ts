import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Violation } from "./Failure.ts"
import { type Operation, type OperationName, operationOf } from "./operations.ts"
import { type Caller, Target } from "./Target.ts"

/** What is sent to an operation. */
export interface Input {
  /** As whom; by default as an admin where only they may, and else as the user. */
  readonly as?: Caller | undefined
  readonly params?: { readonly [name: string]: string } | undefined
  readonly query?: { readonly [name: string]: string | number | boolean } | undefined
  /** The body, as JSON. */
  readonly payload?: Schema.Json | undefined
  /** The body as it is, of the media type that the headers say. */
  readonly body?: string | undefined
  /** By their names in lower case. Without an `accept`, it is `application/json`; without an `authorization`, the token of the caller. */
  readonly headers?: { readonly [name: string]: string } | undefined
  /** Writes the path and the query in another way. */
  readonly spell?: ((target: string) => string) | undefined
}

/** An answer, as it came. */
export interface Answer {
  readonly operation: Operation
  /** The request, as `PUT /api/chats/1/displayName as user, with {"displayName":"Name"}`. */
  readonly request: string
  readonly status: number
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Uint8Array
  readonly text: string
}

/** An answer whose body has not come yet. */
export interface Opened extends Omit<Answer, "bytes" | "text"> {
  /** The body as it comes. It fails when it is larger than any answer may be, and where its connection breaks. */
  readonly body: Stream.Stream<Uint8Array, Violation>
}

/** The most that is read of a body. */
const maxBodySize = 8 * 2 ** 20

/** How much of the body of a request stands in a report. */
const shownBody = 200

/** A text in a path, without what would lead to another operation. */
const segment = (text: string): string => encodeURIComponent(text)

const pathOf = ({ path }: Operation, params: NonNullable<Input["params"]>): string =>
  path
    .split("/")
    .map((part) => {
      if (part === "*") return (params["*"] ?? "").split("/").map(segment).join("/")
      return part.startsWith(":") ? segment(params[part.slice(1)] ?? "") : part
    })
    .join("/")

const queryOf = (query: NonNullable<Input["query"]>): string => {
  const text = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)])).toString()
  return text === "" ? "" : `?${text}`
}

const codeOf = (error: unknown): string | undefined => {
  for (let inner: unknown = error; Predicate.isObject(inner);) {
    if (Predicate.hasProperty(inner, "code") && typeof inner.code === "string") return inner.code
    inner = Predicate.hasProperty(inner, "cause") ? inner.cause : undefined
  }
  return undefined
}

const broken = (request: string, error: HttpClientError.HttpClientError) =>
  new Violation({
    request,
    expected: "an answer",
    actual: `the connection broke${codeOf(error) === undefined ? "" : `: ${codeOf(error)}`}`
  })

const bodyOf = (request: string, response: HttpClientResponse): Stream.Stream<Uint8Array, Violation> =>
  Stream.suspend(() => {
    let size = 0
    return response.stream.pipe(
      Stream.mapError((error) => broken(request, error)),
      Stream.mapEffect((bytes) => {
        size += bytes.length
        return size > maxBodySize
          ? Effect.fail(new Violation({ request, expected: `a body of at most ${maxBodySize} bytes`, actual: "more" }))
          : Effect.succeed(bytes)
      })
    )
  })

/** Sends a request, and gives the answer as soon as its head is there. The connection is closed with the scope. */
export const open = Effect.fnUntraced(function* (
  name: OperationName,
  { as, body, headers = {}, params = {}, payload, query = {}, spell = (target) => target }: Input = {}
): Effect.fn.Return<Opened, Violation, Target | Scope.Scope> {
  const { baseUrl, http, timeout, tokens } = yield* Target
  const operation = operationOf(name)
  const caller = as ?? (operation.access === "Admin" ? "admin" : "user")
  const token = tokens[caller]
  const target = spell(`${pathOf(operation, params)}${queryOf(query)}`)
  const text = body ?? (payload === undefined ? undefined : JSON.stringify(payload))
  const request = [
    `${operation.method} ${target.replace(/(?<=[?&]ticket=)[^&]+/i, "…")} as ${caller}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${name === "authorization" ? "…" : value}`),
    ...(text === undefined ? [] : [`with ${text.length > shownBody ? `${text.slice(0, shownBody)}…` : text}`])
  ].join(", ")
  const contentType = headers["content-type"] ?? "application/json"
  const outgoing = HttpClientRequest.make(operation.method)(`${baseUrl}${target}`, {
    headers: {
      accept: "application/json",
      ...(token === undefined ? undefined : { authorization: `Bearer ${Redacted.value(token)}` }),
      ...headers
    }
  })
  const response = yield* http
    .execute(text === undefined ? outgoing : HttpClientRequest.bodyText(outgoing, text, contentType))
    .pipe(
      Effect.mapError((error) => broken(request, error)),
      Effect.timeoutOrElse({ duration: timeout, orElse: () => Effect.fail(tooLate(request, timeout)) })
    )
  return {
    operation,
    request,
    status: response.status,
    headers: response.headers,
    body: bodyOf(request, response)
  }
})

const tooLate = (request: string, timeout: Duration.Duration) =>
  new Violation({ request, expected: "an answer", actual: `no whole answer within ${Duration.format(timeout)}` })

const concat = (chunks: ReadonlyArray<Uint8Array>): Uint8Array => {
  const whole = new Uint8Array(chunks.reduce((size, { length }) => size + length, 0))
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

/** Sends a request, and gives the whole answer, whatever it is. */
export const ask = (name: OperationName, input: Input = {}): Effect.Effect<Answer, Violation, Target> =>
  Effect.flatMap(Target, ({ timeout }) =>
    Effect.scoped(
      Effect.gen(function* () {
        const { body, ...head } = yield* open(name, input)
        const bytes = concat(
          yield* Stream.runCollect(body).pipe(
            Effect.timeoutOrElse({ duration: timeout, orElse: () => Effect.fail(tooLate(head.request, timeout)) })
          )
        )
        return { ...head, bytes, text: new TextDecoder().decode(bytes) }
      })
    )
  )
