/** An answer with events, and a backend that gives it, in pieces if need be, and lets it be followed. */
import * as EventStream from "@effect-chatbot/api/EventStream"
import * as CompletionEvent from "@effect-chatbot/schema/CompletionEvent"
import { ChatId, CompletionId } from "@effect-chatbot/schema/Ids"
import type { Event } from "@effect-chatbot/client/Completion"
import { type Script, status } from "./Scripted.ts"

/** The answer. */
export const completionId = CompletionId.make("k1")

/** The events of an answer of so many pieces of text, from the first to the last. */
export const answerOf = (pieces: number): ReadonlyArray<Event> => {
  const texts = Array.from({ length: pieces }, (_, i) => `${i} wörd€ `)
  const completion = {
    completionId,
    assistantMessage: texts.join(""),
    promptTokens: 1,
    completionTokens: 2,
    totalTokens: 3
  }
  return [
    CompletionEvent.Started.make({ completionId, chatId: ChatId.make("c") }),
    ...texts.map((text) => CompletionEvent.Delta.make({ text })),
    CompletionEvent.Sources.make({ metaData: { tags: ["answer"], sources: [{ fileName: "a.md" }] } }),
    CompletionEvent.Completed.make({ completion })
  ]
}

/** Events as they are numbered. */
export const numbered = (events: ReadonlyArray<CompletionEvent.CompletionEvent>, after = 0) =>
  events.map((event, i) => ({ id: i + 1, event })).slice(after)

/** Events as bytes. */
export const bytesOf = (events: ReadonlyArray<CompletionEvent.CompletionEvent>, after = 0): Uint8Array =>
  EventStream.encode(numbered(events, after))

/** How a body ends. */
export type End = "end" | "reset" | "stall"

/** A body of these bytes. */
export const bodyOf = (bytes: Uint8Array, end: End = "end"): ReadableStream<Uint8Array> => {
  let isSent = false
  return new ReadableStream({
    pull: (body) => {
      if (!isSent && bytes.length > 0) {
        isSent = true
        body.enqueue(bytes)
      } else if (end === "end") body.close()
      else if (end === "reset") body.error(Object.assign(new Error("reset"), { code: "ECONNRESET" }))
      else return new Promise(() => {})
      return undefined
    }
  })
}

/** An answer with events, of these bytes. */
export const stream = (bytes: Uint8Array | string, end?: End, headers?: Record<string, string>): Response =>
  new Response(bodyOf(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes, end), {
    headers: { "content-type": "text/event-stream", ...headers }
  })

/** The id that a request comes back with, as a number; of one that does not, 0. */
export const lastEventId = ({ headers }: Parameters<Script>[0]): number => Number(headers["last-event-id"] ?? 0)

/** A backend that answers the question with one response, and lets the answer be followed from any event on. */
export const followed =
  (
    events: ReadonlyArray<CompletionEvent.CompletionEvent>,
    first: (request: Parameters<Script>[0]) => Response
  ): Script =>
  (request) => {
    if (request.method === "POST") return first(request)
    return request.url.endsWith(`/completions/${completionId}/events`)
      ? stream(bytesOf(events, lastEventId(request)))
      : status(404)
  }
