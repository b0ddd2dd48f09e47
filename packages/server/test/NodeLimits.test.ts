/** What Node refuses by itself, and callers who are slow on purpose; over raw sockets. */
import * as NodeLimits from "@effect-chatbot/server/http/NodeLimits"
import { assert, describe, it, layer } from "@effect/vitest"
import * as ByteSize from "effect/ByteSize"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { once } from "node:events"
import type { RequestListener, Server, ServerResponse } from "node:http"
import { createConnection } from "node:net"
import { sendTo } from "./support/raw.ts"
import { TestBackend } from "./support/TestBackend.ts"

const limits = {
  ...NodeLimits.defaults,
  maxHeaderSize: ByteSize.kibibytes(8),
  headersTimeout: Duration.millis(200),
  requestTimeout: Duration.millis(400),
  keepAliveTimeout: Duration.millis(200),
  writeTimeout: Duration.millis(300),
  maxConnections: 20
}

const backend = TestBackend.layerWith(limits)

/** A connection to the backend. Closed with the scope. */
const connect = Effect.gen(function* () {
  const { port } = new URL((yield* TestBackend).baseUrl)
  return yield* Effect.acquireRelease(
    Effect.promise(async () => {
      const socket = createConnection({ host: "127.0.0.1", port: Number(port) })
      const chunks: Array<Buffer> = []
      socket.on("data", (chunk) => chunks.push(chunk))
      socket.on("error", () => {})
      const closed = once(socket, "close")
      await once(socket, "connect")
      return { socket, closed, text: () => Buffer.concat(chunks).toString() }
    }),
    ({ socket }) => Effect.sync(() => socket.destroy())
  )
})

/** Sends this and waits until the backend closes the connection; gives what it answered. */
const until = (text: string, more?: (write: (text: string) => void) => () => void) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { closed, socket, text: answer } = yield* connect
      socket.write(text)
      const stop = more?.((text) => socket.writable && socket.write(text))
      yield* Effect.promise(() => closed)
      stop?.()
      return answer()
    })
  )

const assertProblem = (answer: string, status: number) => {
  const [head = "", body = ""] = answer.split("\r\n\r\n")
  assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} `))
  assert.include(head, "content-type: application/problem+json")
  assert.include(head, "connection: close")
  assert.include(head, "x-content-type-options: nosniff")
  assert.include(head, "cache-control: no-store")
  const problem: unknown = JSON.parse(body)
  assert.containSubset(problem, { type: "about:blank", status })
  assert.match(head, /x-request-id: [\w-]{36}/)
}

layer(backend, { excludeTestServices: true })("a connection", (it) => {
  it.effect("is told with a problem what is wrong with its request", () =>
    Effect.gen(function* () {
      assertProblem(yield* until("nonsense\r\n\r\n"), 400)
      assertProblem(yield* until("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n"), 400)
      assertProblem(
        yield* until("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
        400
      )
      assertProblem(yield* until(`GET / HTTP/1.1\r\nHost: a\r\nX-Long: ${"x".repeat(9000)}\r\n\r\n`), 431)
      assertProblem(yield* until(`GET /${"x".repeat(9000)} HTTP/1.1\r\nHost: a\r\n\r\n`), 431)
    })
  )

  it.effect("is cut off when its head does not come, however often a byte does", () =>
    Effect.gen(function* () {
      assertProblem(yield* until("GET /api/bots HTTP/1.1\r\nHost: a\r\n"), 408)
      const slow = yield* until("GET /api/bots HTTP/1.1\r\nHost: a\r\n", (write) => {
        const timer = setInterval(() => write("X-A: b\r\n"), 20)
        return () => clearInterval(timer)
      })
      assertProblem(slow, 408)
    })
  )

  it.effect("is cut off when its body does not come, however often a byte does", () =>
    Effect.gen(function* () {
      const { adminToken } = yield* TestBackend
      const head = (token: string) =>
        "PUT /api/System/status/current HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" +
        `Content-Length: 100000\r\nAuthorization: Bearer ${token}\r\n\r\n`
      const slowly = (write: (text: string) => void) => {
        const timer = setInterval(() => write(" "), 20)
        return () => clearInterval(timer)
      }
      assertProblem(yield* until(head(Redacted.value(adminToken)), slowly), 408)
      // Who is refused before the body is read is answered at once, and cut off all the same.
      assert.match(yield* until(head("ecb_nobody"), slowly), /^HTTP\/1\.1 401 /)
    })
  )

  it.effect("is closed when nothing more is asked for", () =>
    Effect.map(until("GET /api/bots HTTP/1.1\r\nHost: a\r\n\r\n"), (answer) => {
      assert.match(answer, /^HTTP\/1\.1 401 /)
      assert.notInclude(answer, "HTTP/1.1 408")
    })
  )
})

/** A server that answers as told. */
const serving = (handler: RequestListener) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const server = NodeLimits.makeServer(limits)
      server.on("request", handler)
      server.listen(0, "127.0.0.1")
      await once(server, "listening")
      return server
    }),
    (server) =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )

const portOf = (server: Server): number => {
  const address = server.address()
  return address === null || typeof address === "string" ? 0 : address.port
}

describe("an answer", () => {
  it.live("may take longer to be found than a caller may take to read", () =>
    Effect.gen(function* () {
      const server = yield* serving((_request, response) => {
        setTimeout(() => response.end("found"), 3 * Duration.toMillis(limits.writeTimeout))
      })
      const { text } = yield* sendTo(`http://127.0.0.1:${portOf(server)}`, "GET", "/")
      assert.strictEqual(text, "found")
    })
  )

  it.live("that nobody reads is broken off", () =>
    Effect.gen(function* () {
      let ended: (bytes: number) => void
      const broken = new Promise<number>((resolve) => (ended = resolve))
      const server = yield* serving((_request, response) => {
        let bytes = 0
        const chunk = Buffer.alloc(64 * 1024)
        const write = () => {
          while (!response.destroyed) {
            bytes += chunk.length
            if (!response.write(chunk)) return void response.once("drain", write)
          }
        }
        response.once("close", () => ended(bytes))
        write()
      })
      const socket = createConnection({ host: "127.0.0.1", port: portOf(server) })
      socket.on("error", () => {})
      yield* Effect.promise(() => once(socket, "connect"))
      // Never read from.
      socket.pause()
      socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      // What the system buffers, and no more.
      assert.isBelow(yield* Effect.promise(() => broken), 64 * 2 ** 20)
      socket.destroy()
    })
  )

  it.live("goes on for who reads slowly, and ends", () =>
    Effect.gen(function* () {
      const server = yield* serving((_request, response) => {
        let left = 5
        const timer = setInterval(
          () => {
            response.write("event\n")
            if (--left > 0) return
            clearInterval(timer)
            response.end()
          },
          0.6 * Duration.toMillis(limits.writeTimeout)
        )
      })
      const { text } = yield* sendTo(`http://127.0.0.1:${portOf(server)}`, "GET", "/")
      assert.strictEqual(text, "event\n".repeat(5))
    })
  )
})

describe("a server that shuts down", () => {
  it.live("waits for the answers that are being given, and for no connection behind them", () =>
    Effect.gen(function* () {
      const asked = Promise.withResolvers<ServerResponse>()
      const server = NodeLimits.makeServer({ ...limits, keepAliveTimeout: Duration.hours(1) })
      server.on("request", (_request, response) => asked.resolve(response))
      server.listen(0, "127.0.0.1")
      yield* Effect.promise(() => once(server, "listening"))
      const socket = createConnection({ host: "127.0.0.1", port: portOf(server) })
      socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      const response = yield* Effect.promise(() => asked.promise)
      const closed = once(server, "close")
      server.close()
      response.end("here")
      const [answer]: ReadonlyArray<unknown> = yield* Effect.promise(() => once(socket, "data"))
      assert.include(String(answer), "here")
      yield* Effect.promise(() => closed)
      socket.destroy()
    })
  )
})

describe("one connection too many", () => {
  it.live("is closed, and the others are served", () =>
    Effect.gen(function* () {
      const server = yield* serving((_request, response) => void response.end("here"))
      const dropped = new Promise<void>((resolve) => server.once("drop", () => resolve()))
      const sockets = Array.from({ length: limits.maxConnections + 1 }, () =>
        createConnection({ host: "127.0.0.1", port: portOf(server) })
      )
      for (const socket of sockets) socket.on("error", () => {})
      yield* Effect.promise(() => dropped)
      sockets[0]!.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      const [answer]: ReadonlyArray<unknown> = yield* Effect.promise(() => once(sockets[0]!, "data"))
      assert.include(String(answer), "here")
      for (const socket of sockets) socket.destroy()
    })
  )
})
