/** The backend on a socket with a provider that does what the test says, step by step; and a plain reader of its events. */
import * as Backend from "@effect-chatbot/server/Backend"
import { Tokens } from "@effect-chatbot/server/Tokens"
import type { Part } from "@effect-chatbot/server/CompletionProvider"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as ByteSize from "effect/ByteSize"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type IncomingMessage, createServer, request } from "node:http"
import { type Answer, sendTo } from "./raw.ts"
import * as Services from "./TestServices.ts"

/** Where the backend of the test listens. */
export class StreamServer extends Context.Service<StreamServer, { readonly baseUrl: string }>()("test/StreamServer") {}

/** The backend over these services. */
export const layerOver = <E>(services: Layer.Layer<Layer.Success<typeof Services.layer>, E>) =>
  Layer.effect(
    StreamServer,
    Effect.map(HttpServer.HttpServer, ({ address }) => ({ baseUrl: HttpServer.formatAddress(address) }))
  ).pipe(
    Layer.provideMerge(Backend.serve({ maxBodySize: ByteSize.mebibytes(2) })),
    Layer.provideMerge(services),
    Layer.provideMerge(
      NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 0, gracefulShutdownTimeout: "5 seconds" })
    ),
    Layer.provide(Layer.succeed(References.MinimumLogLevel, "None"))
  )

/** The backend on a database in memory. */
export const layer = layerOver(Services.layer)

/** The same, which breaks off what runs as soon as it shuts down. */
export const layerWithoutGrace = layerOver(Services.layerWith({ requireTerms: false, shutdownGrace: Duration.zero }))

/** A token of the user with this login. */
export const tokenOf = (login: string, roles: ReadonlyArray<"Admin" | "User"> = ["User"]) =>
  Effect.flatMap(Tokens, (tokens) =>
    Effect.map(tokens.create({ login, roles, name: "test" }), ({ token }) => Redacted.value(token))
  )

/** A provider that says what it is told, when it is told. */
export const stepped = Effect.gen(function* () {
  const parts = yield* Queue.unbounded<Part>()
  const asked = yield* Deferred.make<void>()
  const interrupted = yield* Deferred.make<void>()
  const done: Part = { _tag: "Done", promptTokens: 5, completionTokens: 3, sources: [], tags: ["answer"], trace: [] }
  return {
    asked: Deferred.await(asked),
    interrupted: Deferred.await(interrupted),
    say: (text: string) => Effect.asVoid(Queue.offer(parts, { _tag: "Delta", text })),
    finish: Effect.asVoid(Queue.offer(parts, done)),
    streaming: (() =>
      Stream.fromEffect(Deferred.succeed(asked, undefined)).pipe(
        Stream.drain,
        Stream.concat(Stream.fromQueue(parts)),
        Stream.onExit((exit) => (exit._tag === "Failure" ? Deferred.succeed(interrupted, undefined) : Effect.void))
      )) satisfies Services.Streaming
  }
})

/** An event as it came over the wire. */
export interface Received {
  readonly id: number
  readonly name: string
  // oxlint-disable-next-line typescript/no-explicit-any -- what a test expects of an event is what it asserts
  readonly data: any
}

/** An answer with events. */
export interface Events {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  /** The next event; comments are passed over. Dies when the answer has ended. */
  readonly next: Effect.Effect<Received>
  /** The events to the end. */
  readonly rest: Effect.Effect<ReadonlyArray<Received>>
  /** All that came so far, as it came. */
  readonly text: () => string
  /** Breaks the connection off. */
  readonly leave: Effect.Effect<void>
}

/** One block of a stream that the backend wrote, which is stricter than the standard. */
const parse = (block: string): Received => {
  const [, name, id, data] = /^event: (\w+)\nid: (\d+)\ndata: ([^\n]*)$/.exec(block) ?? []
  if (name === undefined || id === undefined || data === undefined) throw new Error(`Not an event: ${block}`)
  return { id: Number(id), name, data: JSON.parse(data) }
}

/** What to send. */
export interface Options {
  readonly token?: string | undefined
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

/** Sends a request that prefers events; a body is sent as JSON. */
export const open = (
  method: string,
  path: string,
  options: Options = {}
): Effect.Effect<Events, never, StreamServer | Scope.Scope> =>
  Effect.gen(function* () {
    const { baseUrl } = yield* StreamServer
    const { body, token } = options
    const outgoing = yield* Effect.acquireRelease(
      Effect.sync(() =>
        request(new URL(path, baseUrl), {
          method,
          agent: false,
          headers: {
            accept: "text/event-stream",
            ...(token === undefined ? undefined : { authorization: `Bearer ${token}` }),
            ...(body === undefined ? undefined : { "content-type": "application/json" }),
            ...options.headers
          }
        })
      ),
      (outgoing) => Effect.sync(() => outgoing.destroy())
    )
    const response = yield* Effect.callback<IncomingMessage>((resume) => {
      outgoing.on("response", (response) => resume(Effect.succeed(response)))
      outgoing.on("error", (error) => resume(Effect.die(error)))
      outgoing.end(body === undefined ? undefined : JSON.stringify(body))
    })
    const events = yield* Queue.unbounded<Received | undefined>()
    let text = ""
    let at = 0
    response.setEncoding("utf8")
    response.on("data", (chunk: string) => {
      text += chunk
      for (let end = text.indexOf("\n\n", at); end !== -1; end = text.indexOf("\n\n", at)) {
        const block = text.slice(at, end)
        at = end + 2
        if (block !== ":") Queue.offerUnsafe(events, parse(block))
      }
    })
    response.on("error", () => {})
    response.on("close", () => Queue.offerUnsafe(events, undefined))
    const rest: Array<Received> = []
    const all: Effect.Effect<ReadonlyArray<Received>> = Effect.flatMap(Queue.take(events), (event) => {
      if (event === undefined) return Effect.succeed(rest)
      rest.push(event)
      return all
    })
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      next: Effect.filterOrElse(Queue.take(events), Predicate.isNotUndefined, () =>
        Effect.die(new Error(`The answer has ended: ${text}`))
      ),
      rest: all,
      text: () => text,
      leave: Effect.sync(() => outgoing.destroy())
    }
  })

/** Sends a request and reads the whole answer. */
export const send = (method: string, path: string, options: Options = {}): Effect.Effect<Answer, never, StreamServer> =>
  Effect.flatMap(StreamServer, ({ baseUrl }) => sendTo(baseUrl, method, path, options))
