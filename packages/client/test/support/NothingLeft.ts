/**
 * Many calls that end in all the ways there are, and what is left of them: made by a process of its own, so that nothing but them is
 * measured.
 */
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { answerOf, bytesOf } from "./Answers.ts"
import { type Answer, socketServer } from "./Sockets.ts"

/** How often is measured, after as many calls each. */
export const batches = 9

/** How many calls there are at a time. */
export const concurrency = 8

/** What there is after a batch. */
export interface Sample {
  /** The bytes of the heap in use. */
  readonly heap: number
  /** The open sockets of the transport. */
  readonly sockets: number
  /** The most listeners that one of them has. */
  readonly listeners: number
}

/** What the process says. */
export interface Report {
  readonly samples: ReadonlyArray<Sample>
  /** The most sockets there were at a time. */
  readonly peak: number
  /** How often each kind of call ended how: with `success`, or the tag of an error. */
  readonly outcomes: { readonly [call: string]: { readonly [outcome: string]: number } }
  /** What is left when the layer is closed. */
  readonly left: {
    /** Of them, how many were still open when the layer was. */
    readonly socketsAtClose: number
    readonly sockets: number
    readonly signalListeners: number
    readonly processListeners: number
    readonly observers: number
  }
  readonly warnings: ReadonlyArray<string>
}

const program = fileURLToPath(new URL("../fixtures/nothingLeft.ts", import.meta.url))

const answer = (status: string, type: string, body: string | Uint8Array): Buffer => {
  const bytes = Buffer.from(body)
  const head = `HTTP/1.1 ${status}\r\nkeep-alive: timeout=3\r\ncontent-type: ${type}\r\ncontent-length: ${bytes.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), bytes])
}

const chat = answer("200 OK", "application/json", '{"chatId":"chat"}')
const events = answer("200 OK", "text/event-stream", bytesOf(answerOf(3)))

/** What the backend does with a chat of this name; with any other it closes the connection. */
const answers: { readonly [chat: string]: Buffer } = {
  chat,
  missing: answer("404 Not Found", "application/problem+json", "{}"),
  busy: answer("503 Service Unavailable", "text/plain", "busy"),
  html: answer("200 OK", "text/html", "<html></html>"),
  half: chat.subarray(0, -5),
  silent: Buffer.alloc(0),
  file: answer("200 OK", "application/octet-stream", "x".repeat(2 ** 17)),
  events,
  halfevents: events.subarray(0, -50)
}

// The body of a request stands before the next one.
const answerTo: Answer = (socket, head) => {
  const [, name = ""] = /(?:GET|POST) \/api\/chats\/(\w+)\S* HTTP/.exec(head) ?? []
  const bytes = answers[name]
  if (bytes === undefined) socket.destroy()
  else socket.write(bytes)
}

/** Makes so many calls over a transport. Dies when the process does. */
export const nothingLeft = (transport: "undici" | "fetch", rounds: number) =>
  Effect.gen(function* () {
    const { host } = yield* socketServer(answerTo)
    return yield* Effect.callback<Report>((resume, signal) => {
      const flags = ["--expose-gc", "--unhandled-rejections=strict"]
      const args = [...flags, program, `http://${host}`, transport, String(rounds)]
      execFile(process.execPath, args, { signal }, (error, stdout, stderr) =>
        resume(error === null ? Effect.succeed(JSON.parse(stdout)) : Effect.die(new Error(stderr, { cause: error })))
      )
    })
  })
