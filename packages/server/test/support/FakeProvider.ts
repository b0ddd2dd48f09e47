/** A provider that speaks the chat completions of OpenAI over real sockets, with every quirk that a test wants. */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { createServer } from "node:http"
import type { Socket } from "node:net"
import { listen } from "./loopback.ts"

/** A request as it came. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  // oxlint-disable-next-line typescript/no-explicit-any -- what a test expects of a body is what it asserts
  readonly body: any
  /** 1 for the first request. */
  readonly number: number
}

/** Answers a request by what it writes on the socket, from the status line on. */
export type Script = (socket: Socket, asked: Asked) => void

/** A provider on a free port. */
export interface FakeProvider {
  readonly url: string
  readonly port: number
  /** All requests, the first one first. */
  readonly asked: ReadonlyArray<Asked>
  /** Gets an item with every request. */
  readonly requests: Queue.Dequeue<Asked>
  /** Gets an item whenever a connection is closed, by whom ever. */
  readonly closed: Queue.Dequeue<void>
  /** Answers from now on by this script. */
  readonly answer: (script: Script) => void
}

/** The head of an answer that ends with its connection. */
export const head = (status: number, headers: Readonly<Record<string, string>> = {}): string =>
  [
    `HTTP/1.1 ${status} Whatever`,
    ...Object.entries({ connection: "close", ...headers }).map(([name, value]) => `${name}: ${value}`),
    "",
    ""
  ].join("\r\n")

/** The head of an answer of events. */
export const eventsHead = head(200, { "content-type": "text/event-stream; charset=utf-8" })

/** A whole answer of JSON. */
export const json = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): string =>
  `${head(status, { "content-type": "application/json", ...headers })}${JSON.stringify(body)}`

/** An event with a value as JSON, or a text as it is. */
export const event = (data: unknown): string => `data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`

/** An event that adds to the answer, or ends it. */
export const chunk = (delta: object, finish: string | null = null): string =>
  event({ id: "1", object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason: finish }] })

/** The last event of an answer, with its usage and no choices. */
export const usage = (prompt: number, completion: number): string =>
  event({
    choices: [],
    usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion }
  })

/** An answer of events as OpenAI gives it. */
export const saying = (...texts: ReadonlyArray<string>): string =>
  [
    eventsHead,
    chunk({ role: "assistant", content: "" }),
    ...texts.map((content) => chunk({ content })),
    chunk({}, "stop"),
    usage(11, 7),
    event("[DONE]")
  ].join("")

/** Writes all of this, and ends. */
export const whole =
  (text: string): Script =>
  (socket) => {
    socket.end(text)
  }

/** Answers the first request by the first script, and so on; those that come later by the last one. */
export const inTurn =
  (...scripts: ReadonlyArray<Script>): Script =>
  (socket, asked) =>
    scripts[Math.min(asked.number, scripts.length) - 1]?.(socket, asked)

/** A provider that says hello until it is told to do something else. */
export const make: Effect.Effect<FakeProvider, never, Scope.Scope> = Effect.gen(function* () {
  const asked: Array<Asked> = []
  const closed = yield* Queue.unbounded<void>()
  const requests = yield* Queue.unbounded<Asked>()
  let script: Script = whole(saying("Hel", "lo!"))
  const server = createServer((incoming, outgoing) => {
    const chunks: Array<Buffer> = []
    incoming.on("data", (bytes: Buffer) => chunks.push(bytes))
    incoming.on("end", () => {
      const request: Asked = {
        method: String(incoming.method),
        path: String(incoming.url),
        headers: incoming.headers,
        body: JSON.parse(Buffer.concat(chunks).toString() || "null"),
        number: asked.length + 1
      }
      asked.push(request)
      Queue.offerUnsafe(requests, request)
      if (outgoing.socket !== null) script(outgoing.socket, request)
    })
  })
  server.on("connection", (socket) => socket.on("close", () => Queue.offerUnsafe(closed, undefined)))
  const port = yield* listen(server)
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    asked,
    requests,
    closed,
    answer: (next) => {
      script = next
    }
  }
})
