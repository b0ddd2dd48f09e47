/**
 * An `HttpClient` over the `dispatch` of undici, with as little as possible between the two: a call costs one object that undici tells what
 * happens, one for the response, and no span, signal, Node stream or parsed URL.
 *
 * Whatever ends a call early - an interruption, a limit, a stream that is left, a response that nobody reads - closes its connection, for
 * HTTP/1.1 has no other way to end an answer.
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Cookies from "effect/http/Cookies"
import * as Headers from "effect/http/Headers"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as Url from "effect/http/Url"
import * as UrlParams from "effect/http/UrlParams"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import { pipeArguments } from "effect/Pipeable"
import type * as Pull from "effect/Pull"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Dispatcher } from "undici"
import * as Timeouts from "../Timeouts.ts"
import { ConnectTimedOut } from "./connectTimedOut.ts"

/** How much of a body is kept before somebody reads it; then its connection is told to wait. */
const highWater = 64 * 1024

/** How long the rest of a larger body waits for somebody to begin to read it, in milliseconds. */
const unreadLimit = 60_000

/** The longest time that `setTimeout` knows, in milliseconds. */
const longestTimer = 2 ** 31 - 1

type Chunks = Arr.NonEmptyReadonlyArray<Uint8Array>

type Settle = (effect: Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError>) => void

/** One request and its answer: what undici reports to, and what the readers of the body take from. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly request: HttpClientRequest.HttpClientRequest
  readonly settle: Settle
  readonly fiber: Fiber.Fiber<unknown, unknown>
  /** Given when the request is on a connection. */
  controller: Dispatcher.DispatchController | undefined = undefined
  response: Response | undefined = undefined
  /** Nobody reads, somebody reads it as a whole, or bit by bit. */
  reading: "nobody" | "whole" | "parts" = "nobody"
  chunks: Array<Buffer> = []
  size = 0
  /** No more comes, whyever. */
  ended = false
  /** Why it did not end well. */
  failure: unknown = undefined
  /** Called when there is something to read. */
  wake: (() => void) | undefined = undefined
  waking = false
  /** The limit of the connection first, that of an unread body later. */
  timer: NodeJS.Timeout | undefined = undefined
  /** Waits no more for the end of the fiber. */
  unobserve: (() => void) | undefined = undefined

  constructor(request: HttpClientRequest.HttpClientRequest, settle: Settle, fiber: Fiber.Fiber<unknown, unknown>) {
    this.request = request
    this.settle = settle
    this.fiber = fiber
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // An abort would close the connection, which has had nothing to do with this request; an error here is that of the request alone.
    if (this.ended) throw new Error("The request was left before it was sent")
    this.unwatch()
    this.controller = controller
  }

  onRequestUpgrade(_: Dispatcher.DispatchController, __: number, ___: object, socket: { destroy(): void }): void {
    socket.destroy()
    this.onResponseError(undefined, new Error("The connection was upgraded though nobody asked for it"))
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | Array<string> | undefined>>
  ): void {
    // What a server says in between, such as 103, is not the answer.
    if (status < 200 || this.ended) return
    this.controller = controller
    this.response = new Response(this, status, headers)
    this.settle(Effect.succeed(this.response))
    // The fiber has gone on by now, and mostly reads already. Where it does not, the connection must not depend on it for ever.
    if (this.reading === "nobody" && !this.ended) this.watch()
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.ended) return
    this.chunks.push(chunk)
    if (this.reading === "whole") return
    this.size += chunk.length
    this.wakeSoon()
    if (this.size >= highWater) controller.pause()
  }

  onResponseEnd(): void {
    this.end()
  }

  onResponseError(_: unknown, error: unknown): void {
    if (this.ended) return
    this.failure = error
    this.end()
  }

  /** Ends it before its end. */
  leave(reason: string): void {
    if (this.ended) return
    const error = new Error(reason)
    this.failure = error
    this.chunks = []
    this.end()
    this.controller?.abort(error)
  }

  /** Limits the wait for a connection. */
  limitConnect(millis: number): void {
    this.timer = setTimeout(() => {
      this.onResponseError(undefined, new ConnectTimedOut({ duration: Duration.millis(millis) }))
    }, millis)
  }

  private fail(cause = this.failure): Effect.Effect<never, HttpClientError.HttpClientError> {
    const { request, response } = this
    const reason =
      response === undefined
        ? new HttpClientError.TransportError({ request, cause })
        : new HttpClientError.DecodeError({ request, response, cause })
    return Effect.fail(new HttpClientError.HttpClientError({ reason }))
  }

  /** Takes the body for one reader; it can be read as a whole again, but bit by bit only once. */
  private claim(reading: "whole" | "parts"): Effect.Effect<never, HttpClientError.HttpClientError> | undefined {
    if (this.reading === "nobody" || (this.reading === "whole" && this.ended)) {
      this.reading = reading
      this.unwatch()
      return undefined
    }
    return this.fail(new Error("The body of a response can be read once"))
  }

  get bytes(): Effect.Effect<Buffer, HttpClientError.HttpClientError> {
    return Effect.callback((resume) => {
      const refused = this.claim("whole")
      if (refused !== undefined) return resume(refused)
      if (this.ended) return resume(this.whole())
      this.wake = () => resume(this.whole())
      this.controller?.resume()
      return Effect.sync(() => this.leave("The body of the response was not read to its end"))
    })
  }

  private whole(): Effect.Effect<Buffer, HttpClientError.HttpClientError> {
    if (this.failure !== undefined) return this.fail()
    const [first] = this.chunks
    const all = first !== undefined && this.chunks.length === 1 ? first : Buffer.concat(this.chunks)
    this.chunks = [all]
    return Effect.succeed(all)
  }

  get stream(): Stream.Stream<Uint8Array, HttpClientError.HttpClientError> {
    return Stream.scoped(Stream.fromPull(this.open))
  }

  private get open(): Effect.Effect<
    Pull.Pull<Chunks, HttpClientError.HttpClientError>,
    HttpClientError.HttpClientError,
    Scope.Scope
  > {
    return Effect.acquireRelease(
      Effect.suspend(() => this.claim("parts") ?? Effect.succeed(Effect.suspend(() => this.next() ?? this.wait()))),
      () => Effect.sync(() => this.leave("The body of the response was not read to its end"))
    )
  }

  /** All that is there to read, or else the end. */
  private next(): Pull.Pull<Chunks, HttpClientError.HttpClientError> | undefined {
    const { chunks } = this
    if (Arr.isArrayNonEmpty(chunks)) {
      this.chunks = []
      this.size = 0
      return Effect.succeed(chunks)
    }
    if (!this.ended) return undefined
    return this.failure === undefined ? Cause.done() : this.fail()
  }

  private wait(): Pull.Pull<Chunks, HttpClientError.HttpClientError> {
    return Effect.callback((resume) => {
      this.wake = () => {
        const next = this.next()
        if (next !== undefined) resume(next)
      }
      this.controller?.resume()
      return Effect.sync(() => {
        this.wake = undefined
      })
    })
  }

  /** Undici reports every bit of what it read from a socket, one after the other: they are handed on together. */
  private wakeSoon(): void {
    if (this.wake === undefined || this.waking) return
    this.waking = true
    queueMicrotask(() => {
      this.waking = false
      this.wakeNow()
    })
  }

  private wakeNow(): void {
    const { wake } = this
    this.wake = undefined
    wake?.()
  }

  private end(): void {
    this.ended = true
    this.unwatch()
    if (this.response === undefined) this.settle(this.fail())
    else if (this.reading === "parts") this.wakeSoon()
    else this.wakeNow()
  }

  /** Closes what a fiber that was interrupted has left unread, and what nobody reads. */
  private watch(): void {
    const close = () => {
      if (this.reading === "nobody") this.leave("Nobody read the body of the response")
    }
    this.timer = setTimeout(close, unreadLimit).unref()
    this.unobserve = this.fiber.addObserver((exit) => {
      if (Exit.hasInterrupts(exit)) close()
    })
  }

  private unwatch(): void {
    if (this.timer === undefined) return
    clearTimeout(this.timer)
    this.timer = undefined
    this.unobserve?.()
  }
}

class Response extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [HttpIncomingMessage.TypeId]: typeof HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly [HttpClientResponse.TypeId]: typeof HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly status: number
  readonly #exchange: Exchange
  readonly #rawHeaders: Readonly<Record<string, string | Array<string> | undefined>>
  #headers: Headers.Headers | undefined = undefined

  constructor(
    exchange: Exchange,
    status: number,
    headers: Readonly<Record<string, string | Array<string> | undefined>>
  ) {
    super()
    this.#exchange = exchange
    this.#rawHeaders = headers
    this.status = status
  }

  get request() {
    return this.#exchange.request
  }

  get url() {
    return Option.match(HttpClientRequest.toUrl(this.request), {
      onNone: () => "",
      onSome: (url) => url.origin + url.pathname + url.search
    })
  }

  /** Several values of one name are joined by commas, as they may be (RFC 9110, 5.3), but for cookies: these are apart in `cookies`. */
  get headers() {
    return (this.#headers ??= Headers.fromInput(this.#rawHeaders))
  }

  get cookies() {
    return Cookies.fromSetCookie(this.#rawHeaders["set-cookie"] ?? [])
  }

  get remoteAddress() {
    return Option.none()
  }

  get stream() {
    return this.#exchange.stream
  }

  get arrayBuffer() {
    return Effect.map(this.#exchange.bytes, (bytes) => new Uint8Array(bytes).buffer)
  }

  get text() {
    return Effect.map(this.#exchange.bytes, (bytes) => {
      const text = bytes.toString()
      return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
    })
  }

  get json() {
    return this.#parse((text): Schema.Json => (text === "" ? null : JSON.parse(text)))
  }

  get urlParamsBody() {
    return this.#parse((text) => UrlParams.fromInput(new URLSearchParams(text)))
  }

  get formData(): Effect.Effect<FormData, HttpClientError.HttpClientError> {
    return Effect.flatMap(this.arrayBuffer, (body) =>
      Effect.tryPromise({
        try: () => new globalThis.Response(body, { headers: { ...this.headers } }).formData(),
        catch: (cause) => this.#decodeError(cause)
      })
    )
  }

  get upgrade(): Effect.Effect<never, HttpClientError.HttpClientError> {
    return Effect.fail(
      new HttpClientError.HttpClientError({
        reason: new HttpClientError.StatusCodeError({
          request: this.request,
          response: this,
          description: "this transport does not upgrade connections"
        })
      })
    )
  }

  pipe() {
    return pipeArguments(this, arguments)
  }

  override toJSON() {
    return HttpIncomingMessage.inspect(this, {
      _id: "HttpClientResponse",
      request: this.request.toJSON(),
      status: this.status
    })
  }

  #parse<A>(parse: (text: string) => A): Effect.Effect<A, HttpClientError.HttpClientError> {
    return Effect.flatMap(this.text, (text) =>
      Effect.try({ try: () => parse(text), catch: (cause) => this.#decodeError(cause) })
    )
  }

  #decodeError(cause: unknown): HttpClientError.HttpClientError {
    return new HttpClientError.HttpClientError({
      reason: new HttpClientError.DecodeError({ request: this.request, response: this, cause })
    })
  }
}

interface Target {
  readonly origin: string
  readonly path: string
}

/** A path and a query that a URL would leave as they are. */
const plainPath = /^(?:\/(?!\.|%2e)[\w\-.~!$&'()*+,;=:@%]*)+(?:\?[\w\-.~!$&'()*+,;=:@%/?]*)?$/i

const isPlainOrigin = (text: string): boolean => {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) && url.origin === text
}

/** Splits the URLs of requests. Parsing one costs more than the rest of this module does, so it is done once an origin where it can be. */
const makeTargets = () => {
  const origins = new Set<string>()

  const parsed = (request: HttpClientRequest.HttpClientRequest): Result.Result<Target, unknown> => {
    const url = Url.make(request.url, request.urlParams, undefined)
    if (Result.isFailure(url)) return Result.fail(url.failure)
    const { origin, password, pathname, protocol, search, username } = url.success
    return /^https?:$/.test(protocol) && username === "" && password === ""
      ? Result.succeed({ origin, path: pathname + search })
      : Result.fail(new Error("Not an http or https URL without credentials"))
  }

  return (request: HttpClientRequest.HttpClientRequest): Result.Result<Target, unknown> => {
    const { url, urlParams } = request
    const slash = url.indexOf("/", "https://".length)
    if (slash === -1) return parsed(request)
    const origin = url.slice(0, slash)
    if (!origins.has(origin)) {
      if (origins.size > 100 || !isPlainOrigin(origin)) return parsed(request)
      origins.add(origin)
    }
    const own = url.slice(slash)
    if (!plainPath.test(own)) return parsed(request)
    if (urlParams.params.length === 0) return Result.succeed({ origin, path: own })
    return Result.succeed({ origin, path: `${own}${own.includes("?") ? "&" : "?"}${UrlParams.toString(urlParams)}` })
  }
}

/** The bytes of a body. Streams and forms are refused: no endpoint sends any. */
const bodyOf = ({ body }: HttpClientRequest.HttpClientRequest): Result.Result<Uint8Array | string | null, string> => {
  switch (body._tag) {
    case "Empty":
      return Result.succeed(null)
    case "Uint8Array":
      return Result.succeed(body.body)
    case "Raw":
      return typeof body.body === "string" || body.body instanceof Uint8Array
        ? Result.succeed(body.body)
        : Result.fail("this transport sends a raw body as a text or as bytes only")
    default:
      return Result.fail(`this transport does not send a body of ${body._tag}`)
  }
}

/** The time that a request may wait for a connection, in milliseconds; nothing is no limit. */
const makeConnectLimit = () => {
  let known: Duration.Input | undefined
  let millis = 0
  return (limit: Duration.Input): number | undefined => {
    if (limit !== known) {
      known = limit
      millis = Duration.toMillis(Duration.fromInputUnsafe(limit))
    }
    return millis > longestTimer ? undefined : millis
  }
}

/** A client that sends its requests by a dispatcher. */
export const make = (dispatcher: Dispatcher): HttpClient.HttpClient => {
  const targetOf = makeTargets()
  const connectLimitOf = makeConnectLimit()

  const send = (request: HttpClientRequest.HttpClientRequest) =>
    Effect.withFiber<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError>((fiber) => {
      const target = targetOf(request)
      if (Result.isFailure(target)) {
        const reason = new HttpClientError.InvalidUrlError({ request, cause: target.failure })
        return Effect.fail(new HttpClientError.HttpClientError({ reason }))
      }
      const body = bodyOf(request)
      if (Result.isFailure(body)) {
        const reason = new HttpClientError.EncodeError({ request, description: body.failure })
        return Effect.fail(new HttpClientError.HttpClientError({ reason }))
      }
      return Effect.callback((resume) => {
        const exchange = new Exchange(request, resume, fiber)
        const { origin, path } = target.success
        const { headers, method } = request
        // The limits of time are those of the caller.
        const options = { origin, path, method, headers, body: body.success, headersTimeout: 0, bodyTimeout: 0 }
        try {
          dispatcher.dispatch(options, exchange)
        } catch (error) {
          exchange.onResponseError(undefined, error)
        }
        if (exchange.controller === undefined && !exchange.ended) {
          const limit = connectLimitOf(fiber.getRef(Timeouts.Timeouts).connect)
          if (limit !== undefined) exchange.limitConnect(limit)
        }
        return Effect.sync(() => exchange.leave("The request was interrupted"))
      })
    })

  return HttpClient.makeWith<HttpClientError.HttpClientError, never, HttpClientError.HttpClientError, never>(
    (request) => Effect.flatMap(request, send),
    Effect.succeed
  )
}
