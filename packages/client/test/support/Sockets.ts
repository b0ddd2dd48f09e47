/** Servers that are bare sockets and say exactly what a test wants, and proxies. */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { readFileSync } from "node:fs"
import { createServer as createHttpServer, request } from "node:http"
import { createServer as createHttpsServer } from "node:https"
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net"
import { createServer as createTlsServer } from "node:tls"
import { resolve } from "node:path"

const fixture = (name: string) => readFileSync(resolve(import.meta.dirname, "../fixtures", name), "utf8")

/** A certificate for localhost and 127.0.0.1 that nobody has signed but itself, of 2026 and good for a hundred years. */
export const certificate = { cert: fixture("loopback.cert.pem"), key: fixture("loopback.key.pem") }

/** Answers a request on its socket, the first one of the server as number 1. */
export type Answer = (socket: Socket, head: string, number: number) => void

const serve = (server: Server) => {
  const sockets = new Set<Socket>()
  return Effect.gen(function* () {
    const closed = yield* Queue.unbounded<void>()
    let connections = 0
    server.on("connection", (socket) => {
      connections++
      sockets.add(socket)
      socket.on("error", () => {})
      socket.on("close", () => {
        sockets.delete(socket)
        Queue.offerUnsafe(closed, undefined)
      })
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          for (const socket of sockets) socket.destroy()
        })
    )
    const { port } = server.address() as AddressInfo
    return {
      port,
      host: `127.0.0.1:${port}`,
      /** Gets an item whenever a connection is closed. */
      closed,
      /** The number of connections there have been. */
      connections: () => connections,
      /** The number of connections there are. */
      open: () => sockets.size
    }
  })
}

/** Reads requests without bodies from a socket, each to its blank line. */
const requests = (answer: (socket: Socket, head: string) => void) => (socket: Socket) => {
  let text = ""
  socket.on("error", () => {})
  socket.on("data", (bytes) => {
    text += bytes.toString("latin1")
    for (let end = text.indexOf("\r\n\r\n"); end !== -1; end = text.indexOf("\r\n\r\n")) {
      const head = text.slice(0, end)
      text = text.slice(end + 4)
      answer(socket, head)
    }
  })
}

/** A server of bare sockets on a free port. */
export const socketServer = (answer: Answer) => {
  let number = 0
  return serve(createServer(requests((socket, head) => answer(socket, head, ++number))))
}

/** The same with TLS and {@link certificate}. */
export const tlsServer = (answer: Answer) => {
  let number = 0
  return serve(
    createTlsServer(
      certificate,
      requests((socket, head) => answer(socket, head, ++number))
    )
  )
}

/** A proxy that tunnels and forwards, and knows one user. `asked` is what it was asked for. */
export const proxyServer = (authorization: string, tls: boolean) =>
  Effect.gen(function* () {
    const asked: Array<string> = []
    const server = tls ? createHttpsServer(certificate) : createHttpServer()
    server.on("connect", (incoming, socket: Socket) => {
      asked.push(`CONNECT ${incoming.url}`)
      socket.on("error", () => {})
      if (incoming.headers["proxy-authorization"] !== authorization) {
        return socket.end("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
      }
      const [host, port] = String(incoming.url).split(":")
      const onward = connect(Number(port), host, () => {
        socket.write("HTTP/1.1 200 Connection Established\r\n\r\n")
        socket.pipe(onward)
        onward.pipe(socket)
      })
      onward.on("error", () => socket.destroy())
      return socket.on("close", () => onward.destroy())
    })
    server.on("request", (incoming, outgoing) => {
      asked.push(`${incoming.method} ${incoming.url}`)
      if (incoming.headers["proxy-authorization"] !== authorization) {
        outgoing.writeHead(407).end()
        return
      }
      const { "proxy-authorization": _, ...headers } = incoming.headers
      request(String(incoming.url), { method: String(incoming.method), headers }, (answer) => {
        outgoing.writeHead(Number(answer.statusCode), answer.headers)
        answer.pipe(outgoing)
      }).end()
    })
    return { asked, ...(yield* serve(server)) }
  })
