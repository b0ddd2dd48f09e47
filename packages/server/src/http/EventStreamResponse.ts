/**
 * Events as answers: `text/event-stream` (WHATWG HTML, 9.2).
 */
import { contentType } from "@effect-chatbot/api/ServerSentEvents"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Stream from "effect/Stream"
import { prefers } from "./Accept.ts"

/** The answer that is this stream of events; nobody keeps a copy of it, and no proxy holds it back. */
export const eventStream = (events: Stream.Stream<Uint8Array>): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.stream(events, {
    contentType,
    headers: { "cache-control": "no-store", "x-accel-buffering": "no" }
  })

/** Whether the caller would rather have events than JSON. */
export const wantsEvents: Effect.Effect<boolean, never, HttpServerRequest.HttpServerRequest> = Effect.map(
  HttpServerRequest.HttpServerRequest,
  ({ headers }) => prefers(headers["accept"], contentType)
)
