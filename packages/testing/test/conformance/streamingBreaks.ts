/** Breaks of answers as streams of events: how they are told, followed and stopped. */
import * as EventStream from "@effect-chatbot/api/EventStream"
import * as ServerSentEvents from "@effect-chatbot/api/ServerSentEvents"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Stream from "effect/Stream"
import type { OperationName } from "../../src/internal/conformance/operations.ts"
import {
  asks,
  both,
  type Break,
  done,
  type Exchange,
  having,
  heads,
  meeting,
  messages,
  never,
  nothing,
  payloadOf,
  read,
  remembering,
  respond,
  restream,
  row,
  to,
  where,
  withData,
  without
} from "./Break.ts"

type Message = ServerSentEvents.Message

const idHeader = EventStream.completionIdHeader.toLowerCase()

const isEvents = (headers: Readonly<Record<string, string>>) =>
  headers["content-type"]?.startsWith(ServerSentEvents.contentType) === true

/** Wherever events are told. */
const streams: ReadonlyArray<OperationName> = ["chats.complete", "chats.events"]

const terminal = /^(completed|stopped|failed)$/

const isTerminal = ({ name }: Message) => terminal.test(name)

/** The second piece of a text. */
const isThird = ({ id, name }: Message) => id === "3" && name === "delta"

const each = (of: ReadonlyArray<OperationName>, change: (message: Message) => ReadonlyArray<Message>) =>
  messages(of, (all) => Stream.flatMap(all, (message) => Stream.fromIterable(change(message))))

const isAtLength = ({ request }: Exchange) => String(payloadOf(request)?.userMessage).endsWith("at length.")

/** Events that their reader does not know: one that waits for them waits in vain. */
const unseen = (change: (message: Message) => Message) =>
  messages(streams, (all, exchange) => {
    const changed = Stream.map(all, change)
    return isAtLength(exchange) ? Stream.concat(Stream.take(changed, 2), Stream.fromEffect(never)) : changed
  })

/** The data of events with this name is other. */
const data = (name: string, change: Parameters<typeof withData>[1]) =>
  each(streams, (message) => [message.name === name ? withData(message, change) : message])

const lastEventId = "last-event-id"

/** Another place to go on from. */
const from = (change: (id: number) => number | undefined) =>
  asks("chats.events", (request) => {
    const given = request.headers[lastEventId]
    const id = given === undefined ? undefined : change(Number(given))
    return id === undefined
      ? HttpClientRequest.removeHeader(request, lastEventId)
      : HttpClientRequest.setHeader(request, lastEventId, String(id))
  })

/** Every break of this kind. */
export const streamingBreaks: ReadonlyArray<Break> = [
  row(
    "events are not told, though asked for",
    meeting("chats.complete", (exchange, send) =>
      isAtLength(exchange) ? never : send(HttpClientRequest.setHeader(exchange.request, "accept", "application/json"))
    ),
    "chats.complete/streams"
  ),
  row(
    "events are told, though JSON is asked for",
    asks("chats.complete", (request) => HttpClientRequest.setHeader(request, "accept", "text/event-stream")),
    "chats.complete/answers-as-described",
    "chats.complete/is-kept",
    "chats.complete/traces-when-asked",
    "chats.complete/answers-json-by-default",
    "chats.complete/streams-only-where-preferred",
    "chats.complete/answers-again-with-its-key"
  ),
  row(
    "events are called a text",
    heads(streams, ({ headers, status }) => ({
      status,
      headers: {
        ...headers,
        ...(headers["content-type"] === "text/event-stream" ? { "content-type": "text/plain" } : {})
      }
    })),
    "chats.complete/streams"
  ),
  row(
    "proxies may keep events",
    heads(streams, ({ headers: { "cache-control": _cache, ...headers }, status }) => ({
      status,
      headers: { ...headers, "cache-control": "public, max-age=60" }
    })),
    "chats.complete/streams-to-nobody-else"
  ),
  row(
    "a refusal is told as an event",
    where("chats.complete", 404, ({ headers, text }) => ({
      status: 200,
      headers: { ...headers, "content-type": "text/event-stream" },
      text: `event: failed\nid: 1\ndata: ${text}\n\n`
    })),
    "chats.complete/misses-with-404",
    "chats.complete/streams-no-refusal"
  ),
  row(
    "a stream has no first event",
    each(streams, (message) => (message.name === "started" ? [] : [message])),
    "chats.complete/streams-a-beginning"
  ),
  row(
    "a stream has no last event",
    each(streams, (message) => (isTerminal(message) ? [] : [message])),
    "chats.complete/streams-an-end",
    "chats.complete/goes-on-when-left",
    "chats.stop/stops"
  ),
  row(
    "a stream ends twice",
    each(streams, (message) => (isTerminal(message) ? [message, again(message)] : [message])),
    "chats.complete/streams-nothing-after-the-end"
  ),
  row(
    "sources come after the end",
    messages(streams, (all) => {
      let held: Message | undefined
      return Stream.flatMap(all, (message) => {
        if (message.name === "sources") {
          held = message
          return Stream.empty
        }
        return held !== undefined && isTerminal(message)
          ? Stream.make({ ...message, id: held.id }, { ...held, id: message.id })
          : Stream.make(message)
      })
    }),
    "chats.complete/streams-nothing-after-the-end",
    "chats.events/ends-after-the-last"
  ),
  row(
    "a stream ends in the middle",
    messages(streams, Stream.take(2)),
    "chats.complete/streams-an-end",
    "chats.complete/goes-on-when-left",
    "chats.events/goes-on-after-any",
    "chats.events/ends-after-the-last",
    "chats.stop/stops"
  ),
  row(
    "a stream is cut off",
    messages(["chats.complete"], (all) => Stream.concat(Stream.take(all, 2), Stream.fail("reset"))),
    "chats.complete/streams-an-end",
    "chats.stop/stops"
  ),
  row(
    "a stream never ends",
    messages(["chats.complete"], (all) => Stream.concat(Stream.take(all, 2), Stream.fromEffect(never))),
    "chats.complete/streams-an-end",
    "chats.stop/stops"
  ),
  row(
    "a stream stays open when all was said",
    messages(streams, (all) => Stream.concat(all, Stream.fromEffect(never))),
    "chats.complete/streams-nothing-after-the-end",
    "chats.events/ends-after-the-last"
  ),
  row(
    "events have no ids",
    each(streams, (message) => [{ ...message, id: undefined }]),
    "chats.complete/streams-numbers"
  ),
  row(
    "events have one id",
    each(streams, (message) => [{ ...message, id: "1" }]),
    "chats.complete/streams-numbers"
  ),
  row(
    "events count down",
    each(streams, (message) => [{ ...message, id: String(1000 - Number(message.id)) }]),
    "chats.complete/streams-numbers"
  ),
  row(
    "the number of an event comes twice",
    each(streams, (message) => [{ ...message, id: message.id === "3" ? "2" : message.id }]),
    "chats.complete/streams-numbers"
  ),
  row(
    "a text comes twice",
    each(streams, (message) => (isThird(message) ? [message, message] : [message])),
    "chats.complete/streams-numbers",
    "chats.complete/streams-the-text"
  ),
  row(
    "a text is left out",
    each(streams, (message) => (isThird(message) ? [] : [message])),
    "chats.complete/streams-the-text"
  ),
  row(
    "the whole text is another",
    data("completed", having("completion", having("assistantMessage", "Well."))),
    "chats.complete/streams-the-text",
    "chats.complete/streams-what-is-kept"
  ),
  row(
    "texts are under another name",
    data("delta", ({ text }: { readonly text: string }) => ({ content: text })),
    "chats.complete/streams-as-described"
  ),
  row(
    "texts are no JSON",
    each(streams, (message) => [message.name === "delta" ? { ...message, data: "Well" } : message]),
    "chats.complete/streams-as-described"
  ),
  row(
    "the first event names no answer",
    data("started", without("completionId")),
    "chats.complete/streams-as-described"
  ),
  row("the last event has no answer", data("completed", without("completion")), "chats.complete/streams-as-described"),
  row(
    "the last event is of another answer",
    data("completed", having("completion", having("completionId", "1"))),
    "chats.complete/streams-one-id",
    "chats.complete/streams-what-is-kept"
  ),
  row(
    "events have names in capitals",
    unseen((message) => ({ ...message, name: message.name.toUpperCase() })),
    "chats.complete/streams-a-beginning",
    "chats.complete/streams-an-end",
    "chats.complete/streams-as-described"
  ),
  row(
    "events have no names",
    unseen((message) => ({ ...message, name: "message" })),
    "chats.complete/streams-a-beginning",
    "chats.complete/streams-an-end",
    "chats.complete/streams-as-described"
  ),
  row(
    "the sources of events are others",
    data("sources", () => ({ metaData: { tags: [], sources: [] } })),
    "chats.complete/streams-the-sources"
  ),
  row(
    "no header names the answer",
    heads(streams, ({ headers: { [idHeader]: _id, ...headers }, status }) => ({
      status,
      headers
    })),
    "chats.complete/streams-one-id"
  ),
  row(
    "a header names another answer",
    heads(streams, ({ headers, status }) => ({
      status,
      headers: { ...headers, [idHeader]: "1" }
    })),
    "chats.complete/streams-one-id"
  ),
  row(
    "what was told with events is not kept",
    remembering(["chats.complete", "chats.get"], () => {
      const told = new Set<string>()
      return Effect.fnUntraced(function* ({ name, request }, send) {
        const response = yield* send(request)
        if (name === "chats.complete") {
          if (isEvents(response.headers)) told.add(response.headers[idHeader] ?? "")
          return response
        }
        const answer = yield* read(response)
        if (answer.status !== 200) return respond(request, answer)
        const { completions, ...chat } = JSON.parse(answer.text)
        const kept = completions.filter(
          ({ completionId }: { readonly completionId: string }) => !told.has(completionId)
        )
        return respond(request, { ...answer, text: JSON.stringify({ ...chat, completions: kept }) })
      })
    }),
    "chats.complete/streams-what-is-kept",
    "chats.stop/keeps-what-was-said"
  ),
  row(
    "an answer is followed from its beginning only",
    from(() => undefined),
    "chats.events/goes-on-after-any",
    "chats.events/ends-after-the-last",
    "chats.events/refuses-no-number"
  ),
  row(
    "an answer is followed one event too early",
    from((id) => Math.max(0, id - 1)),
    "chats.events/goes-on-after-any",
    "chats.events/ends-after-the-last"
  ),
  row(
    "an answer is followed one event too late",
    from((id) => id + 1),
    "chats.events/goes-on-after-any",
    "chats.events/ends-after-the-last"
  ),
  row(
    "an answer cannot be followed",
    where("chats.events", 200, ({ headers }) => ({ status: 410, headers, text: "" })),
    "chats.complete/goes-on-when-left",
    "chats.events/goes-on-after-any",
    "chats.events/begins-at-the-beginning",
    "chats.events/ends-after-the-last"
  ),
  row(
    "an answer that is missing is followed",
    where("chats.events", 404, ({ headers }) => ({
      status: 200,
      headers: { ...headers, "content-type": "text/event-stream" },
      text: ""
    })),
    "chats.events/misses-with-404"
  ),
  row(
    "an answer may be followed from anywhere",
    asks("chats.events", (request) =>
      /^\d*$/.test(request.headers[lastEventId] ?? "") ? request : HttpClientRequest.removeHeader(request, lastEventId)
    ),
    "chats.events/refuses-no-number"
  ),
  row(
    "an answer is followed with other texts",
    messages(
      ["chats.events"],
      Stream.map((message) => (message.name === "delta" ? withData(message, having("text", "Well.")) : message))
    ),
    "chats.events/goes-on-after-any",
    "chats.events/begins-at-the-beginning"
  ),
  row(
    "an answer is followed with other numbers",
    messages(["chats.events"], (all) =>
      all.pipe(
        Stream.zipWithIndex,
        Stream.map(([message, index]) => ({ ...message, id: String(index + 1) }))
      )
    ),
    "chats.events/goes-on-after-any"
  ),
  row(
    "stopping does not stop",
    both(
      messages("chats.complete", (all, exchange) =>
        isAtLength(exchange) ? Stream.concat(Stream.take(all, 2), Stream.fromEffect(never)) : all
      ),
      nothing("chats.stop", ({ params, request }) => {
        const { chatId, completionId } = params
        return HttpClientRequest.setMethod(
          to(request, `/api/chats/${chatId}/completions/${completionId}/events`),
          "GET"
        )
      })
    ),
    "chats.stop/stops"
  ),
  row(
    "stopping is not there",
    where("chats.stop", 200, ({ headers }) => ({ status: 404, headers, text: "" })),
    "chats.stop/stops",
    "chats.stop/leaves-what-has-ended"
  ),
  row("what is missing is stopped", where("chats.stop", 404, done), "chats.stop/misses-with-404"),
  row("a stopped answer has lost its text", data("stopped", having("text", "")), "chats.stop/keeps-what-was-said"),
  row(
    "leaving an answer stops it",
    meeting("chats.complete", ({ request }, send) =>
      Effect.map(send(request), (response) => {
        const { [idHeader]: completionId } = response.headers
        const stop = HttpClientRequest.updateUrl(request, (url) => `${url}/${completionId}/stop`)
        return completionId === undefined
          ? response
          : restream(
              request,
              response,
              // By another fiber: the one that leaves is interrupted.
              Stream.ensuring(
                response.stream,
                Effect.flatMap(Effect.forkDetach(send(HttpClientRequest.setBody(stop, HttpBody.empty))), Fiber.await)
              )
            )
      })
    ),
    "chats.complete/goes-on-when-left"
  )
]

const again = (message: Message): Message => ({ ...message, id: String(Number(message.id) + 1) })
