import type { RequestTimedOut, TransportFailed } from "@effect-chatbot/schema/Errors"
import * as Effect from "effect/Effect"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { AnyFailure } from "./anyFailure.ts"
import type { Ongoing } from "./ongoing.ts"
import type { Parts } from "./request.ts"
import { transportFailed } from "./transport.ts"

/** What an answer is read with. */
export interface Exchange {
  readonly input: Parts
  readonly call: Ongoing
  /** The lifetime of the client. */
  readonly scope: Scope.Scope
}

/** Reads an answer: succeeds with its value, or fails with the error it stands for. */
export type Read<A = unknown> = (response: HttpClientResponse, exchange: Exchange) => Effect.Effect<A, AnyFailure>

/** The media type of an answer; empty where it does not say. */
export const mediaTypeOf = (response: HttpClientResponse): string =>
  /^[\w.+-]+\/[\w.+-]+/.exec(response.headers["content-type"] ?? "")?.[0].toLowerCase() ?? ""

/** The text of a body; some backends begin it with a byte order mark. */
export const textOf = (response: HttpClientResponse): Effect.Effect<string, RequestTimedOut | TransportFailed> =>
  Effect.mapBoth(response.text, {
    onFailure: transportFailed,
    onSuccess: (text) => (text.startsWith("\ufeff") ? text.slice(1) : text)
  })

/** The bytes of a body, as they come. */
export const bytesOf = (response: HttpClientResponse): Stream.Stream<Uint8Array, RequestTimedOut | TransportFailed> =>
  response.stream.pipe(
    Stream.catch((error) =>
      error.reason._tag === "EmptyBodyError" ? Stream.empty : Stream.fail(transportFailed(error))
    )
  )

/** What `JSON.parse` complains of quotes the text, so it is not passed on. */
export const parseJson = (text: string): Option.Option<unknown> => {
  try {
    return Option.some(JSON.parse(text))
  } catch {
    return Option.none()
  }
}
