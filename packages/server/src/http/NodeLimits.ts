/**
 * How much a connection may ask of Node before a request is read: its head, its time, its number. What Node refuses by itself is answered
 * with a problem too.
 */
import * as ByteSize from "effect/ByteSize"
import * as Duration from "effect/Duration"
import { randomUUID } from "node:crypto"
import { createServer, type RequestListener, type Server, type ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { contentType } from "@effect-chatbot/api/Problem"
import * as RequestId from "./RequestId.ts"
import * as SecurityHeaders from "./SecurityHeaders.ts"

/** The limits of connections. */
export interface NodeLimits {
  /** The most the head of a request may have, its URI included. */
  readonly maxHeaderSize: ByteSize.ByteSize
  /** How long the head of a request may take. */
  readonly headersTimeout: Duration.Duration
  /** How long a request may take until it is there as a whole; its answer may take longer. */
  readonly requestTimeout: Duration.Duration
  /** How long a connection may wait for the next request. */
  readonly keepAliveTimeout: Duration.Duration
  /** How long a caller may read nothing of an answer that is there for it, such as the events of a stream. */
  readonly writeTimeout: Duration.Duration
  /** The most connections at a time; one more is closed at once. */
  readonly maxConnections: number
}

/** What is chosen where nothing is said. Balancers keep idle connections for 60 seconds, and must be the first to close them. */
export const defaults: NodeLimits = {
  maxHeaderSize: ByteSize.kibibytes(16),
  headersTimeout: Duration.seconds(15),
  requestTimeout: Duration.minutes(2),
  keepAliveTimeout: Duration.seconds(65),
  writeTimeout: Duration.minutes(1),
  maxConnections: 10_000
}

const tooLarge = { status: 431, title: "Request Header Fields Too Large" } as const
const timedOut = { status: 408, title: "Request Timeout", detail: "The request took too long to come." } as const
const malformed = { status: 400, title: "Bad Request", detail: "This is not a request of HTTP." } as const

/** Makes the server of Node, with these limits. */
export const makeServer = (limits: NodeLimits): Server => {
  const millis = (duration: Duration.Duration) => Math.ceil(Duration.toMillis(duration))
  const headersTimeout = millis(limits.headersTimeout)
  const requestTimeout = Math.max(headersTimeout, millis(limits.requestTimeout))
  const maxHeaderSize = Number(limits.maxHeaderSize)
  const server = createServer({
    maxHeaderSize,
    headersTimeout,
    requestTimeout,
    keepAliveTimeout: millis(limits.keepAliveTimeout),
    // Limits are kept to a quarter of themselves.
    connectionsCheckingInterval: Math.max(10, Math.min(5000, headersTimeout / 4))
  })
  server.maxConnections = limits.maxConnections
  server.timeout = millis(limits.writeTimeout)

  /** The answers that are being given. */
  const answering = new WeakMap<Socket, ServerResponse>()
  const follow: RequestListener = ({ socket }, response) => {
    answering.set(socket, response)
    response.once("finish", () => {
      // A server that shuts down closes the connections that are idle then, and would wait for those that become so later.
      if (!server.listening) setImmediate(() => server.closeIdleConnections())
    })
  }
  server.prependListener("request", follow)
  server.prependListener("checkContinue", follow)

  server.on("timeout", (socket) => {
    const answer = answering.get(socket)
    const isWaitedFor = answer !== undefined && !answer.writableFinished && !answer.destroyed
    // An answer may take its time to be found; but what is there of it must be read.
    if (!isWaitedFor || socket.writableLength > 0) socket.destroy()
  })

  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    const answer = answering.get(socket)
    if (error.code === "ECONNRESET" || !socket.writable || (answer?.headersSent === true && !answer.writableFinished)) {
      socket.destroy(error)
      return
    }
    const problem =
      error.code === "HPE_HEADER_OVERFLOW"
        ? { ...tooLarge, detail: `The head of a request may have ${maxHeaderSize} bytes.` }
        : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
          ? timedOut
          : malformed
    const requestId = randomUUID()
    const body = JSON.stringify({ type: "about:blank", ...problem, requestId })
    const head = {
      ...SecurityHeaders.headers,
      [RequestId.header]: requestId,
      "content-type": contentType,
      "content-length": String(Buffer.byteLength(body)),
      connection: "close"
    }
    const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`)
    // Who does not read the answer is not waited for either.
    socket.setTimeout(headersTimeout, () => socket.destroy())
    socket.end(`HTTP/1.1 ${problem.status} ${problem.title}\r\n${lines.join("")}\r\n${body}`, () =>
      socket.destroySoon()
    )
  })
  return server
}
