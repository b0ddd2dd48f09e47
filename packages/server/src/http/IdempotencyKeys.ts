/**
 * The middleware that makes a request with an idempotency key take effect once.
 */
import { type Caller, CurrentCaller } from "@effect-chatbot/api/middleware/Authorization"
import * as Api from "@effect-chatbot/api/middleware/IdempotencyKeys"
import { Completion } from "@effect-chatbot/schema/Chat"
import { IdempotencyKeyInUse, IdempotencyKeyReused, InvalidRequest } from "@effect-chatbot/schema/Errors"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { CompletionRuns } from "../CompletionRuns.ts"
import { type Answer, IdempotencyKeys } from "../IdempotencyKeys.ts"
import { eventStream, wantsEvents } from "./EventStreamResponse.ts"
import * as ProblemResponse from "./ProblemResponse.ts"

/**
 * The key in a header: the string of a structured field (RFC 9651, 3.3.3), or the text as it is. 1 to 255 visible ASCII characters, else
 * there is none.
 */
export const parseKey = (header: string): string | undefined => {
  const text = header.trim()
  const quoted = /^"((?:[^"\\]|\\["\\])*)"$/.exec(text)?.[1]?.replace(/\\(.)/g, "$1")
  const key = quoted ?? (text.startsWith('"') ? "" : text)
  return /^[\x21-\x7e]{1,255}$/.test(key) ? key : undefined
}

const keyHeader = Api.keyHeader.toLowerCase()

const invalidKey = new InvalidRequest({
  issues: [
    {
      path: ["headers", Api.keyHeader],
      message: "Expected 1 to 255 visible ASCII characters, as a quoted string or as they are"
    }
  ]
})

/** The endpoints that wait for somebody else than the database, which cannot stand still for them. */
const longEndpoints: ReadonlySet<string> = new Set(["chats.complete"])

/** What of an answer is stored: all of a success. */
const answerOf = ({ body, status }: HttpServerResponse.HttpServerResponse): Effect.Effect<Answer | undefined> => {
  if (status < 200 || status > 299) return Effect.undefined
  if (body._tag === "Empty") return Effect.succeed({ status, contentType: "", body: new Uint8Array() })
  return body._tag === "Uint8Array"
    ? Effect.succeed({ status, contentType: body.contentType, body: body.body })
    : Effect.die(new Error("A keyed endpoint answers with what cannot be stored"))
}

const decodeCompletion = Schema.decodeUnknownEffect(Schema.fromJsonString(Completion))

const noBytes = new ArrayBuffer(0)

type Refusal = InvalidRequest | IdempotencyKeyInUse | IdempotencyKeyReused

const isRefusal = (error: unknown): error is Refusal =>
  error instanceof InvalidRequest || error instanceof IdempotencyKeyInUse || error instanceof IdempotencyKeyReused

const toResponse = ({ body, contentType, status }: Answer) =>
  contentType === ""
    ? HttpServerResponse.empty({ status })
    : HttpServerResponse.uint8Array(body, { status, contentType })

/** Requests without a key pass by. */
export const layer: Layer.Layer<Api.IdempotencyKeys, never, CompletionRuns | IdempotencyKeys> = Layer.effect(
  Api.IdempotencyKeys,
  Effect.gen(function* () {
    const keys = yield* IdempotencyKeys
    const runs = yield* CompletionRuns

    /** The events of a completion that was answered before, as long as there are any. */
    const eventsOf = Effect.fnUntraced(function* (caller: Caller, { body }: Answer) {
      const { chatId, completionId } = yield* decodeCompletion(new TextDecoder().decode(body))
      if (chatId === undefined) return undefined
      return eventStream(completionId, yield* runs.events(caller, chatId, completionId, 0))
    })

    return (httpEffect, { endpoint, group }) => {
      const name = `${group.identifier}.${endpoint.identifier}`

      const keyed = Effect.fnUntraced(function* (header: string, request: HttpServerRequest.HttpServerRequest) {
        const key = parseKey(header)
        if (key === undefined) return yield* ProblemResponse.fromError(invalidKey)
        const caller = yield* CurrentCaller
        const params = yield* HttpRouter.params
        // What cannot be read is answered as it is without a key.
        const body = endpoint.payload.size === 0 ? noBytes : yield* Effect.orDie(request.arrayBuffer)
        const keyedRequest = { key, caller, endpoint: name, params, body: new Uint8Array(body) }
        const outcome = yield* longEndpoints.has(name)
          ? keys.inRun(keyedRequest, httpEffect)
          : keys.atOnce(keyedRequest, httpEffect, answerOf)
        if (outcome._tag === "Replayed") {
          const events =
            longEndpoints.has(name) && (yield* wantsEvents)
              ? yield* Effect.orElseSucceed(eventsOf(caller, outcome.answer), () => undefined)
              : undefined
          return HttpServerResponse.setHeader(events ?? toResponse(outcome.answer), Api.replayedHeader, "true")
        }
        // What is stored is also what is answered, so that the two cannot differ; a stream has no end yet.
        return outcome.stored === undefined || outcome.value.body._tag === "Stream"
          ? outcome.value
          : toResponse(outcome.stored)
      })

      return Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
        const header = request.headers[keyHeader]
        return header === undefined
          ? httpEffect
          : Effect.catchIf(keyed(header, request), isRefusal, ProblemResponse.fromError)
      })
    }
  })
)
