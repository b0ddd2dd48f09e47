/** A backend behind a bare socket, for the faults of connections. */
import * as EventStream from "@effect-chatbot/api/EventStream"
import { keyHeader, supportedHeader } from "@effect-chatbot/api/middleware/IdempotencyKeys"
import * as Effect from "effect/Effect"
import type { Socket } from "node:net"
import { socketServer } from "../support/Sockets.ts"
import { chatJson, completionId, completionJson, events } from "./Answer.ts"
import { echo } from "./Canaries.ts"
import type { Arrival, Setting } from "./Fault.ts"

/** A request on its socket, and what could be done with it. */
export interface Wire {
  readonly socket: Socket
  /** 1 for the first request. */
  readonly number: number
  /** Does what is asked for, and has the answer as it stands on the wire. */
  readonly answer: () => Buffer
  /** Does what is asked for, and has the head of the answer, and the events that it answers with. */
  readonly events: () => { readonly head: Buffer; readonly events: ReadonlyArray<EventStream.Numbered> }
}

/** What a backend does with a request. */
export type WireBehaviour = (wire: Wire) => void

/** A piece of a body in chunks. */
export const chunk = (bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")])

/** The end of a body in chunks. */
export const lastChunk = Buffer.from("0\r\n\r\n")

const headerOf = (head: string, name: string) => new RegExp(`^${name}: *(.*?)\r?$`, "im").exec(head)?.[1]

const headOf = (fields: ReadonlyArray<string>) => `HTTP/1.1 200 OK\r\n${fields.join("\r\n")}\r\n\r\n`

/** The backend on a free port, until the scope ends. */
export const socketBackend = (behaviour: WireBehaviour, transport: Setting["transport"], honoursKeys = false) =>
  Effect.gen(function* () {
    const done = new Set<string>()
    const arrivals: Array<Arrival> = []
    let effects = 0
    const common = [`x-echo: ${echo}`, ...(honoursKeys ? [`${supportedHeader}: true`] : [])]

    const whole = (value: unknown) => {
      const body = JSON.stringify(value)
      const fields = ["content-type: application/json", `content-length: ${Buffer.byteLength(body)}`, ...common]
      return Buffer.from(headOf(fields) + body)
    }

    const { host } = yield* socketServer((socket, text) => {
      // Before it may be the body of the request before it.
      const head = /(?:GET|POST) [^]*/.exec(text)?.[0] ?? ""
      if (/^GET \S+\/status\/current /.test(head)) return socket.write(whole({ value: "" }))
      const isPost = head.startsWith("POST")
      const key = headerOf(head, keyHeader)
      const lastEventId = headerOf(head, "last-event-id")
      arrivals.push({ at: performance.now(), key, lastEventId })

      const act = () => {
        if (!isPost || (honoursKeys && key !== undefined && done.has(key))) return
        if (key !== undefined) done.add(key)
        effects++
      }

      return behaviour({
        socket,
        number: arrivals.length,
        answer: () => {
          act()
          return whole(isPost ? completionJson : chatJson)
        },
        events: () => {
          act()
          const named = `${EventStream.completionIdHeader}: ${completionId}`
          const fields = ["content-type: text/event-stream", "transfer-encoding: chunked", named, ...common]
          return { head: Buffer.from(headOf(fields)), events: events.slice(Number(lastEventId ?? 0)) }
        }
      })
    })

    return {
      baseUrl: `http://${host}`,
      transport,
      isVirtual: false,
      arrivals: () => arrivals,
      effects: () => effects
    } satisfies Setting
  })

/** An address that no request arrives at. */
export const nowhere = (baseUrl: string, transport: Setting["transport"]): Setting => ({
  baseUrl,
  transport,
  isVirtual: false,
  arrivals: () => [],
  effects: () => 0
})
