/** A backend within this process that does its work rightly, but for a fault. */
import * as EventStream from "@effect-chatbot/api/EventStream"
import { keyHeader, supportedHeader } from "@effect-chatbot/api/middleware/IdempotencyKeys"
import * as Effect from "effect/Effect"
import type { HttpClientError } from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as Stream from "effect/Stream"
import { json, scripted, text } from "../support/Scripted.ts"
import { chatJson, completionId, completionJson, events as theEvents } from "./Answer.ts"
import { echoing } from "./Canaries.ts"
import type { Setting } from "./Fault.ts"

/** A request to the backend, and what it could do with it. */
export interface Exchange {
  readonly request: HttpClientRequest
  /** 1 for the first request. */
  readonly number: number
  /** Does what is asked for and answers it. */
  readonly work: () => Response
  /** Does what is asked for, and has the events that answer it. */
  readonly events: () => ReadonlyArray<EventStream.Numbered>
}

/** What a backend does with a request. */
export type Behaviour = (exchange: Exchange) => Response | Effect.Effect<Response, HttpClientError>

/** What is particular about a backend. */
export interface Options {
  /** Whether it honours keys, and says so. */
  readonly honoursKeys?: boolean
  /** Whether it names the answer of a stream in its head. */
  readonly namesAnswer?: boolean
  /** The events of its answer. */
  readonly events?: ReadonlyArray<EventStream.Numbered>
}

/** An answer with events, in these pieces. A piece that is an error breaks it off. */
export const eventResponse = (pieces: Iterable<Uint8Array | Error>, headers: HeadersInit = {}): Response => {
  const rest = pieces[Symbol.iterator]()
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        const { done, value } = rest.next()
        if (done === true) controller.close()
        else if (value instanceof Error) controller.error(value)
        else controller.enqueue(value)
      }
    },
    { highWaterMark: 0 }
  )
  return new Response(body, { headers: { "content-type": "text/event-stream", ...echoing, ...headers } })
}

/** An answer with events that come as a stream comes, in the time of its reader. */
export const slowResponse = (body: Stream.Stream<Uint8Array, Error>, headers: HeadersInit = {}) =>
  Effect.map(
    Stream.toReadableStreamEffect(body),
    (body) => new Response(body, { headers: { "content-type": "text/event-stream", ...echoing, ...headers } })
  )

const isPost = ({ method }: HttpClientRequest) => method === "POST"

/** The backend at an address that stands for it. */
export const backend = (
  behaviour: Behaviour,
  { events = theEvents, honoursKeys = false, namesAnswer = true }: Options = {}
): Setting & Pick<ReturnType<typeof scripted>, "answer"> => {
  const done = new Set<string>()
  let effects = 0
  let greetings = 0

  const supported: Record<string, string> = honoursKeys ? { [supportedHeader]: "true" } : {}
  const named: Record<string, string> = namesAnswer ? { [EventStream.completionIdHeader]: completionId } : {}

  const act = (request: HttpClientRequest) => {
    const key = request.headers[keyHeader.toLowerCase()]
    if (!isPost(request) || (honoursKeys && key !== undefined && done.has(key))) return
    if (key !== undefined) done.add(key)
    effects++
  }

  const eventsFor = (request: HttpClientRequest) => {
    act(request)
    return events.slice(isPost(request) ? 0 : Number(request.headers["last-event-id"] ?? 0))
  }

  const answer = (request: HttpClientRequest): Response => {
    const { pathname } = new URL(request.url)
    if (request.headers["accept"]?.startsWith("text/event-stream") === true) {
      return eventResponse([EventStream.encode(eventsFor(request))], { ...supported, ...named })
    }
    act(request)
    if (pathname.includes("/downloads/")) return text("file")
    return json(pathname.endsWith("/completions") ? completionJson : chatJson, { headers: supported })
  }

  const {
    answer: respond,
    layer,
    sent
  } = scripted((request, number) => {
    if (request.url.endsWith("/status/current")) {
      greetings++
      return json({ value: "" }, { headers: supported })
    }
    return behaviour({
      request,
      number: number - greetings,
      work: () => answer(request),
      events: () => eventsFor(request)
    })
  })

  return {
    baseUrl: "http://chatbot.test",
    transport: layer,
    isVirtual: true,
    answer: respond,
    arrivals: () =>
      sent.slice(greetings).map(({ at, headers }) => ({
        at,
        key: headers[keyHeader.toLowerCase()],
        lastEventId: headers["last-event-id"]
      })),
    effects: () => effects
  }
}
