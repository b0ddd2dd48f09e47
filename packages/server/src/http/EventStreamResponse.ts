/**
 * Events as answers: `text/event-stream` (WHATWG HTML, 9.2).
 */
import { completionIdHeader } from "@effect-chatbot/api/EventStream"
import { contentType } from "@effect-chatbot/api/ServerSentEvents"
import type { CompletionId } from "@effect-chatbot/schema/Ids"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Stream from "effect/Stream"
import { prefers } from "./Accept.ts"

/** The answer that is the events of this completion; nobody keeps a copy of it, and no proxy holds it back. */
export const eventStream = (
  completionId: CompletionId,
  events: Stream.Stream<Uint8Array>
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.stream(events, {
    contentType,
    headers: {
      "cache-control": "no-store",
      "x-accel-buffering": "no",
      // An id that came in the path of a request may hold what cannot stand in a header.
      ...(/^[\x21-\x7e]+$/.test(completionId) ? { [completionIdHeader]: completionId } : undefined)
    }
  })

/** Whether the caller would rather have events than JSON. */
export const wantsEvents: Effect.Effect<boolean, never, HttpServerRequest.HttpServerRequest> = Effect.map(
  HttpServerRequest.HttpServerRequest,
  ({ headers }) => prefers(headers["accept"], contentType)
)
