/** Backends that break the contract in one thing each: ours, behind a transport that changes what is asked of it or what it answers. */
import * as ServerSentEvents from "@effect-chatbot/api/ServerSentEvents"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { type OperationName, operations } from "../../src/internal/conformance/operations.ts"
import { nobodys } from "../../src/internal/conformance/patterns.ts"

/** Sends a request and gives its answer. */
export type Send = (request: HttpClientRequest.HttpClientRequest) => Effect.Effect<HttpClientResponse, HttpClientError>

/** What is wrong on the way to a backend. */
export interface Change {
  /** The operations that it meets; any other is asked and answered as it was. */
  readonly of: ReadonlyArray<OperationName>
  /** The way, which is made anew for every run, so that it can remember. `tokens` are those of everybody, as `Bearer …`. */
  readonly way: (send: Send, tokens: ReadonlyArray<string>) => Send
}

/** A transport to a backend that is changed so. */
export const broken = (
  http: HttpClient.HttpClient,
  { way }: Change,
  tokens: ReadonlyArray<Redacted.Redacted>
): HttpClient.HttpClient => {
  const send = way(
    http.execute,
    tokens.map((token) => `Bearer ${Redacted.value(token)}`)
  )
  // With the query where it belongs, however it was given.
  return HttpClient.make((request, url) => send(HttpClientRequest.setUrl(request, url)))
}

/** A thing that is wrong with a backend. */
export interface Break {
  /** What is wrong, as one would say it of the backend. */
  readonly name: string
  readonly change: Change
  /** The ids of the checks that find it, and all of them. */
  readonly fails: ReadonlyArray<string>
}

/** A row of a table of breaks. */
export const row = (name: string, change: Change, ...fails: ReadonlyArray<string>): Break => ({ name, change, fails })

/** The ids of the checks of operations for these faults. */
export const checksOf = (
  names: ReadonlyArray<OperationName>,
  ...faults: ReadonlyArray<string>
): ReadonlyArray<string> => names.flatMap((name) => faults.map((fault) => `${name}/${fault}`))

interface Route {
  readonly name: OperationName
  readonly method: string
  readonly path: RegExp
}

const rank = (path: string) => path.replaceAll(":", "~").replaceAll("*", "\uffff")

const routes: ReadonlyArray<Route> = operations
  // A literal segment wins over a parameter: letters come before what stands for one.
  .toSorted((one, other) => (rank(one.path) < rank(other.path) ? -1 : 1))
  .map(({ method, name, path }) => ({
    name,
    method,
    path: new RegExp(`^${path.replaceAll("*", "(?<rest>.*)").replaceAll(/:(\w+)/g, "(?<$1>[^/]+)")}$`, "i")
  }))

/** A request on its way, and which operation it is of. */
export interface Exchange {
  readonly request: HttpClientRequest.HttpClientRequest
  readonly name: OperationName
  /** The parameters of its path as they stand there. */
  readonly params: Readonly<Record<string, string>>
  /** Those of everybody, as `Bearer …`. */
  readonly tokens: ReadonlyArray<string>
}

const matchOf = (request: HttpClientRequest.HttpClientRequest): Pick<Exchange, "name" | "params"> | undefined => {
  const pathname = URL.parse(request.url)?.pathname ?? request.url
  for (const { method, name, path } of routes) {
    const match = method === request.method ? path.exec(pathname) : null
    if (match !== null) return { name, params: { ...match.groups } }
  }
  return undefined
}

/** Which operations. */
export type Of = OperationName | ReadonlyArray<OperationName> | "all"

const namesIn = (of: Of): ReadonlyArray<OperationName> =>
  of === "all" ? operations.map(({ name }) => name) : typeof of === "string" ? [of] : of

/** Meets the requests of these operations in another way, which is made anew for every run. */
export const remembering = (of: Of, make: () => (exchange: Exchange, send: Send) => ReturnType<Send>): Change => {
  const names = namesIn(of)
  return {
    of: names,
    way: (send, tokens) => {
      const meet = make()
      return (request) => {
        const met = matchOf(request)
        return met !== undefined && names.includes(met.name) ? meet({ request, tokens, ...met }, send) : send(request)
      }
    }
  }
}

/** Meets the requests of these operations in another way. */
export const meeting = (of: Of, meet: (exchange: Exchange, send: Send) => ReturnType<Send>): Change =>
  remembering(of, () => meet)

/** Two things that are one: the second sees what the first has left. */
export const both = (first: Change, second: Change): Change => ({
  of: [...first.of, ...second.of],
  way: (send, tokens) => first.way(second.way(send, tokens), tokens)
})

/** Nothing is wrong. */
export const sound: Change = { of: [], way: (send) => send }

/** The head of an answer. */
export interface Head {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}

/** An answer as it stands on the wire. */
export interface Answer extends Head {
  readonly text: string
}

/** Another answer to the same request. */
export const respond = (
  request: HttpClientRequest.HttpClientRequest,
  { headers, status, text }: Answer
): HttpClientResponse => {
  const { "content-length": _length, "content-type": contentType, ...rest } = headers
  return HttpServerResponse.toClientResponse(
    contentType === undefined && text === ""
      ? HttpServerResponse.empty({ status, headers: rest })
      : HttpServerResponse.uint8Array(new TextEncoder().encode(text), { status, headers: rest, contentType }),
    { request }
  )
}

/** Another body of the same answer, as it comes. */
export const restream = (
  request: HttpClientRequest.HttpClientRequest,
  { headers, status }: Head,
  body: Stream.Stream<Uint8Array, unknown>
): HttpClientResponse => {
  const { "content-length": _length, "content-type": contentType, ...rest } = headers
  return HttpServerResponse.toClientResponse(
    HttpServerResponse.stream(body, { status, headers: rest, contentType: contentType ?? "" }),
    { request }
  )
}

/** An answer with the whole of its body. */
export const read = (response: HttpClientResponse): Effect.Effect<Answer, HttpClientError> =>
  Effect.map(response.text, (text) => ({ status: response.status, headers: response.headers, text }))

/** Another answer in place of that of the backend, which has done its work. */
export const answers = (of: Of, change: (answer: Answer, exchange: Exchange) => Answer): Change =>
  meeting(of, (exchange, send) =>
    Effect.map(Effect.flatMap(send(exchange.request), read), (answer) =>
      respond(exchange.request, change(answer, exchange))
    )
  )

/** Another head of the answers; their bodies are as they were. */
export const heads = (of: Of, change: (head: Head, exchange: Exchange) => Head): Change =>
  meeting(of, (exchange, send) =>
    Effect.map(send(exchange.request), (response) =>
      restream(
        exchange.request,
        change({ status: response.status, headers: response.headers }, exchange),
        response.stream
      )
    )
  )

/** Another answer where the backend gives one of this status. */
export const where = (of: Of, status: number, change: (answer: Answer, exchange: Exchange) => Answer): Change =>
  meeting(
    of,
    Effect.fnUntraced(function* (exchange, send) {
      const response = yield* send(exchange.request)
      return response.status === status ? respond(exchange.request, change(yield* read(response), exchange)) : response
    })
  )

// oxlint-disable-next-line typescript/no-explicit-any -- a break knows the body it breaks
type Json = any

/** Another body of JSON where the backend answers one with 200. */
export const bodies = (of: Of, change: (body: Json, exchange: Exchange) => unknown): Change =>
  meeting(
    of,
    Effect.fnUntraced(function* (exchange, send) {
      const response = yield* send(exchange.request)
      const isJson = response.status === 200 && response.headers["content-type"]?.startsWith("application/json")
      if (isJson !== true) return response
      const answer = yield* read(response)
      return respond(exchange.request, { ...answer, text: JSON.stringify(change(JSON.parse(answer.text), exchange)) })
    })
  )

/** Another body of the problems with this status. */
export const problems = (of: Of, status: number, change: (problem: Json) => unknown): Change =>
  where(of, status, (answer) => ({ ...answer, text: JSON.stringify(change(JSON.parse(answer.text))) }))

/** The items of pages are other ones. */
export const items = (of: Of, change: (item: Json) => unknown): Change =>
  bodies(of, (page) => ({ ...page, items: page.items.map(change) }))

/** Another request than the one that was sent. */
export const asks = (
  of: Of,
  change: (request: HttpClientRequest.HttpClientRequest, exchange: Exchange) => HttpClientRequest.HttpClientRequest
): Change => meeting(of, (exchange, send) => send(change(exchange.request, exchange)))

/** The JSON that a request brings, if it does. */
export const payloadOf = ({ body }: HttpClientRequest.HttpClientRequest): Json => {
  if (body._tag !== "Uint8Array") return undefined
  try {
    return JSON.parse(new TextDecoder().decode(body.body))
  } catch {
    return undefined
  }
}

/** Another payload than the one that was sent; what is no object stays as it is. */
export const payloads = (of: Of, change: (payload: Json) => unknown): Change =>
  asks(of, (request) => {
    const payload = payloadOf(request)
    return typeof payload === "object" && payload !== null
      ? HttpClientRequest.bodyJsonUnsafe(request, change(payload))
      : request
  })

/** The same request to another path. */
export const to = (request: HttpClientRequest.HttpClientRequest, path: string): HttpClientRequest.HttpClientRequest =>
  HttpClientRequest.setUrl(request, new URL(path, request.url))

/** The same request with another query. */
export const withQuery = (
  request: HttpClientRequest.HttpClientRequest,
  change: (query: URLSearchParams) => void
): HttpClientRequest.HttpClientRequest => {
  const url = new URL(request.url)
  for (const [name, value] of request.urlParams) url.searchParams.append(name, String(value))
  change(url.searchParams)
  return HttpClientRequest.setUrl(request, url)
}

const ids = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g

/**
 * The backend is asked for something harmless instead, and where it gives that, it is said that all was done. Who may not do it is told so:
 * the request itself is sent with ids that nothing has.
 */
export const nothing = (of: Of, instead: (exchange: Exchange) => HttpClientRequest.HttpClientRequest): Change =>
  meeting(
    of,
    Effect.fnUntraced(function* (exchange, send) {
      const { request } = exchange
      if (request.url.search(ids) !== -1) {
        const idle = yield* send(HttpClientRequest.updateUrl(request, (url) => url.replaceAll(ids, nobodys)))
        if (idle.status === 401 || idle.status === 403) return idle
      }
      const answer = yield* Effect.flatMap(send(instead(exchange)), read)
      return respond(request, answer.status === 200 ? done(answer) : answer)
    })
  )

/** The answer of what was done, and has nothing to say. */
export const done = ({ headers: { "content-type": _type, ...headers } }: Head): Answer => ({
  status: 200,
  headers,
  text: ""
})

/** Messages of the streams of events are other ones; an ordinary answer stays as it is. */
export const messages = (
  of: Of,
  change: (
    messages: Stream.Stream<ServerSentEvents.Message, unknown>,
    exchange: Exchange
  ) => Stream.Stream<ServerSentEvents.Message, unknown>
): Change =>
  meeting(of, (exchange, send) =>
    Effect.map(send(exchange.request), (response) => {
      if (response.headers["content-type"]?.startsWith(ServerSentEvents.contentType) !== true) return response
      const told = response.stream.pipe(
        ServerSentEvents.decode(),
        Stream.filter((message) => message._tag === "Message")
      )
      const encoded = Stream.map(change(told, exchange), (message) =>
        new TextEncoder().encode(ServerSentEvents.encode(message))
      )
      return restream(exchange.request, response, encoded)
    })
  )

/** Does more after what was done: the answer is that to the request itself. */
export const andThen = (of: Of, more: (exchange: Exchange) => HttpClientRequest.HttpClientRequest): Change =>
  meeting(of, (exchange, send) =>
    Effect.tap(send(exchange.request), ({ status }) =>
      status === 200 ? Effect.flatMap(send(more(exchange)), read) : Effect.void
    )
  )

/** Nothing comes any more, and time passes until nobody waits for it. */
export const never: Effect.Effect<never> = Effect.andThen(TestClock.adjust("1 hour"), Effect.never)

/** A message whose data is another. */
export const withData = (
  message: ServerSentEvents.Message,
  change: (data: Json) => unknown
): ServerSentEvents.Message => ({ ...message, data: JSON.stringify(change(JSON.parse(message.data))) })

/** One field less. */
export const without = (field: string) => (body: Json) => {
  const { [field]: _, ...rest } = body
  return rest
}

/** One field of another value. */
export const having =
  (field: string, value: unknown | ((was: Json) => unknown)) =>
  (body: Json): Json => ({ ...body, [field]: typeof value === "function" ? value(body[field]) : value })

/** One field of another name. */
export const renamed = (field: string, name: string) => (body: Json) => {
  const { [field]: value, ...rest } = body
  return { ...rest, [name]: value }
}
