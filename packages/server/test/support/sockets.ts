/** Requests as bytes on a socket, for what no client would send, and for many that arrive at once. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { connect, type Socket } from "node:net"

/** An answer as it came. */
export interface RawAnswer {
  /** 0 when the connection ended without an answer. */
  readonly status: number
  /** All of it, head and body, a character a byte. */
  readonly text: string
}

/** A connection to a backend that is open, and goes with the scope. */
export const open = (baseUrl: string): Effect.Effect<Socket, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Socket>((resume) => {
      const { hostname, port } = new URL(baseUrl)
      const socket = connect(Number(port), hostname)
      socket.once("error", (error) => resume(Effect.die(error))).once("connect", () => resume(Effect.succeed(socket)))
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

/** A request without a body, which asks for the connection to be closed after the answer. */
export const head = (method: string, path: string, headers: Record<string, string> = {}): string =>
  [
    `${method} ${path} HTTP/1.1`,
    ...Object.entries({ host: "localhost", connection: "close", ...headers }).map(
      ([name, value]) => `${name}: ${value}`
    ),
    "",
    ""
  ].join("\r\n")

/** Sends a request on a connection, and reads all that comes until it is closed. Of a text, characters beyond ASCII go as UTF-8. */
export const exchange = (
  socket: Socket,
  request: string | Uint8Array,
  { end = false }: { readonly end?: boolean } = {}
): Effect.Effect<RawAnswer> =>
  Effect.callback((resume) => {
    const chunks: Array<Buffer> = []
    const done = () => {
      const text = Buffer.concat(chunks).toString("latin1")
      resume(Effect.succeed({ status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0), text }))
    }
    socket
      .on("data", (chunk) => chunks.push(chunk))
      .once("close", done)
      .once("error", done)
    if (end) socket.end(request)
    else socket.write(request)
  })

/** Sends one request on a connection of its own. */
export const sendRaw = (baseUrl: string, request: string): Effect.Effect<RawAnswer> =>
  Effect.scoped(Effect.flatMap(open(baseUrl), (socket) => exchange(socket, request)))
