/**
 * How requests travel on Node: by undici, over connections that are kept open for the next request and closed with the layer.
 *
 * Redirects are not followed, answers are not decompressed (none is asked for), and the variables of proxies in the environment are not
 * heeded: what a program wants of these it says. A call ends by its own limits, of which `connect` is the time until its request is on a
 * connection.
 */
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { Socket } from "node:net"
import type { ConnectionOptions } from "node:tls"
import { Agent, buildConnector, type Dispatcher, Pool, ProxyAgent } from "undici"
import { make } from "./internal/undici.ts"

/** How connections are made. `ca`, `cert`, `key` and their like are those of `node:tls`. */
export interface ConnectOptions extends Omit<
  ConnectionOptions,
  "ALPNProtocols" | "host" | "path" | "port" | "session" | "socket" | "timeout"
> {
  /** Connects to a Unix socket or a Windows pipe, whatever the host of the URL is. Not with a proxy. */
  readonly socketPath?: string
}

/** What may be said of the connections. */
export interface Options {
  /**
   * The most connections to one origin; no limit by default. A call waits for its turn, and for no longer than its `connect` limit, so
   * leave room for the completions that are streamed: each has a connection for as long as it takes.
   */
  readonly connections?: number
  /** The most requests that are sent on one connection before the first is answered; 1 by default. An answer that is left ends them all. */
  readonly pipelining?: number
  /** How connections are made. */
  readonly connect?: ConnectOptions
  /**
   * The http or https URL of a proxy, which may have a user and a password. It is asked to tunnel (`CONNECT`) to an https backend, and to
   * forward to an http one.
   */
  readonly proxy?: string | URL | Redacted.Redacted
  /** How long a connection is kept for the next request where the backend does not say; 4 seconds by default. */
  readonly keepAliveTimeout?: Duration.Input
}

/** A connection that nobody waits for any more is given up after this time, in milliseconds. */
const connectTimeout = 60_000

const isProxyUrl = (text: string): boolean => /^https?:$/.test(URL.parse(text)?.protocol ?? "")

const Positive = Schema.Finite.check(Schema.isGreaterThan(0))
const Count = Schema.Int.check(Schema.isGreaterThan(0))

const decode = Schema.decodeEffect(
  Schema.Struct({
    connections: Schema.optional(Count),
    pipelining: Schema.optional(Count),
    keepAliveTimeout: Schema.optional(Positive),
    proxy: Schema.optional(
      Schema.String.check(Schema.makeFilter(isProxyUrl, { expected: "an http or https URL of a proxy" }))
    )
  })
)

const checked = ({ connections, keepAliveTimeout, pipelining, proxy }: Options) =>
  decode({
    connections,
    pipelining,
    keepAliveTimeout:
      keepAliveTimeout === undefined ? undefined : Duration.toMillis(Duration.fromInputUnsafe(keepAliveTimeout)),
    proxy: proxy === undefined ? undefined : Redacted.isRedacted(proxy) ? Redacted.value(proxy) : String(proxy)
  }).pipe(Effect.mapError((error) => new Config.ConfigError(error)))

/** Remembers the connections that are being made, for undici would finish them though nobody wants them. */
const remembering =
  (pending: Set<Socket>, connect: buildConnector.connector) =>
  (options: buildConnector.Options, callback: buildConnector.Callback): void => {
    const made: unknown = connect(options, (...result) => {
      if (made instanceof Socket) pending.delete(made)
      callback(...result)
    })
    // A connector of undici returns its socket, though its type does not say so.
    if (made instanceof Socket) pending.add(made)
  }

const makeDispatcher = (options: Options) =>
  Effect.gen(function* () {
    const { connections = null, keepAliveTimeout = 4000, pipelining = 1, proxy } = yield* checked(options)
    const pending = new Set<Socket>()
    const { socketPath, ...connect } = { ...options.connect, timeout: connectTimeout }
    // HTTP/2 of undici is still on trial.
    const allowH2 = false
    const pool = { allowH2, connections, keepAliveTimeout, pipelining }

    const agent = (): Dispatcher =>
      new Agent({
        ...pool,
        connect: remembering(
          pending,
          buildConnector({ ...connect, allowH2, ...(socketPath === undefined ? undefined : { socketPath }) })
        )
      })

    const proxyAgent = (uri: string): Dispatcher =>
      new ProxyAgent({
        ...pool,
        uri,
        requestTls: connect,
        // The certificate of a client is for the backend; those that a company trusts are for its proxy as well.
        proxyTls: { timeout: connectTimeout, ...(connect.ca === undefined ? undefined : { ca: connect.ca }) },
        factory: (origin, given) => new Pool(origin, { ...pool, ...given })
      })

    return yield* Effect.acquireRelease(
      Effect.sync(() => (proxy === undefined ? agent() : proxyAgent(proxy))),
      (dispatcher) =>
        Effect.promise(() => {
          for (const socket of pending) socket.destroy()
          return dispatcher.destroy()
        })
    )
  })

/** Requests over connections as they are described. Fails with what is wrong with the options, without the URL of a proxy. */
export const layerOptions = (options: Options): Layer.Layer<HttpClient.HttpClient, Config.ConfigError> =>
  Layer.effect(HttpClient.HttpClient, Effect.map(makeDispatcher(options), make))

/** Requests over connections as they are by default: as many as there are calls at a time, and to the backend itself. */
export const layer: Layer.Layer<HttpClient.HttpClient> = Layer.orDie(layerOptions({}))

/** Requests by a dispatcher of undici, such as one with interceptors, or a mock. It is not closed with the layer. */
export const layerDispatcher = (dispatcher: Dispatcher): Layer.Layer<HttpClient.HttpClient> =>
  Layer.succeed(HttpClient.HttpClient, make(dispatcher))
