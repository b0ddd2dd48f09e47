/** Plain requests, for what a client would never send. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { request } from "node:http"
import { TestBackend } from "./TestBackend.ts"

/** An answer as it came. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly text: string
  /** The body as JSON; fails the test when it is none. */
  // oxlint-disable-next-line typescript/no-explicit-any -- what a test expects of a body is what it asserts
  readonly json: () => any
}

/** What to send. A body that is not a text is sent as JSON; an iterable is sent in chunks without a length. */
export interface Options {
  readonly token?: Redacted.Redacted | string | undefined
  readonly headers?: Record<string, string>
  readonly body?: unknown
}

/** Sends one request to a backend. */
export const sendTo = (baseUrl: string, method: string, path: string, options: Options = {}): Effect.Effect<Answer> =>
  Effect.callback<Answer>((resume, signal) => {
    const { body, token } = options
    const chunked = Array.isArray(body) && body.every((chunk) => chunk instanceof Uint8Array)
    const outgoing = request(new URL(baseUrl), {
      method,
      path,
      agent: false,
      signal,
      headers: {
        ...(body === undefined || chunked ? {} : { "content-type": "application/json" }),
        ...(token === undefined
          ? {}
          : { authorization: `Bearer ${Redacted.isRedacted(token) ? Redacted.value(token) : token}` }),
        ...options.headers
      }
    })
    outgoing.on("response", (response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString()
        const headers: Record<string, string | undefined> = {}
        for (const [name, value] of Object.entries(response.headers)) headers[name] = String(value)
        resume(Effect.succeed({ status: response.statusCode ?? 0, headers, text, json: () => JSON.parse(text) }))
      })
      response.on("error", (error) => resume(Effect.die(error)))
    })
    outgoing.on("error", (error) => resume(Effect.die(error)))
    if (chunked) for (const chunk of body) outgoing.write(chunk)
    else if (body !== undefined) outgoing.write(typeof body === "string" ? body : JSON.stringify(body))
    outgoing.end()
  })

/** Sends one request to the backend of the test. */
export const send = (method: string, path: string, options: Options = {}): Effect.Effect<Answer, never, TestBackend> =>
  Effect.flatMap(TestBackend, ({ baseUrl }) => sendTo(baseUrl, method, path, options))
