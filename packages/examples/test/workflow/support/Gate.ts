/** A proxy between a program and its backend that shows every request at each moment of its way, and lets it stand still there. */
import * as Effect from "effect/Effect"
import { Agent, createServer, type IncomingMessage, request as send, type ServerResponse } from "node:http"
import { listen } from "./Ports.ts"

/** Where a request is on its way. */
export const moments = ["arrived", "passed on", "answered", "half delivered", "delivered"] as const

/** Where a request is on its way. */
export type Moment = (typeof moments)[number]

/** A request of a program: the same object at every moment. */
export interface Passing {
  readonly method: string
  readonly path: string
  /** What the backend answered, once it has. */
  status: number
  /** Whether it had answered so before, to the same key. */
  isReplayed: boolean
  /** The body of the answer. */
  content: Buffer
}

/** Shows a request at a moment; it goes on when the promise ends. */
export type Watch = (request: Passing, moment: Moment) => Promise<void>

/** A proxy on a free port. */
export const make = (backendUrl: string, watch: Watch) =>
  Effect.gen(function* () {
    const agent = new Agent({ keepAlive: true })
    const pass = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
      const request: Passing = {
        method: String(incoming.method),
        path: String(incoming.url),
        status: 0,
        isReplayed: false,
        content: Buffer.alloc(0)
      }
      const body = Buffer.concat(await incoming.toArray())
      await watch(request, "arrived")
      if (outgoing.destroyed) return
      const { headers, method } = incoming
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        const onward = send(backendUrl + request.path, { agent, headers, method }, resolve)
        onward.on("error", reject)
        onward.end(body, () => void watch(request, "passed on"))
      })
      const content = Buffer.concat(await answer.toArray())
      request.content = content
      request.status = answer.statusCode ?? 0
      request.isReplayed = answer.headers["idempotency-replayed"] === "true"
      await watch(request, "answered")
      if (outgoing.destroyed) return
      const { "transfer-encoding": _, ...answered } = answer.headers
      outgoing.writeHead(request.status, { ...answered, "content-length": content.length })
      outgoing.flushHeaders()
      outgoing.write(content.subarray(0, content.length / 2))
      await watch(request, "half delivered")
      outgoing.end(content.subarray(content.length / 2), () => void watch(request, "delivered"))
    }
    // As to a client, the connection ends where that to the backend does.
    const server = createServer((incoming, outgoing) => void pass(incoming, outgoing).catch(() => outgoing.destroy()))
    yield* Effect.addFinalizer(() => Effect.sync(() => agent.destroy()))
    return yield* listen(server)
  })
