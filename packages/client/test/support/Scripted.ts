/** A transport that answers from a script and keeps what was sent. */
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"

/** A request, as it would stand on the wire. */
export interface Sent {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

/** Answers a request, the first one as number 1. */
export type Script = (
  request: HttpClientRequest,
  number: number
) => Response | Effect.Effect<Response, HttpClientError.HttpClientError>

const bodyOf = ({ body }: HttpClientRequest): string | undefined =>
  body._tag === "Uint8Array" ? new TextDecoder().decode(body.body) : undefined

/** A transport that answers from a script and keeps what was sent. */
export const scripted = (script: Script) => {
  const sent: Array<Sent> = []
  const layer = Layer.succeed(
    HttpClient.HttpClient,
    HttpClient.make((request, url) => {
      sent.push({ method: request.method, url: url.href, headers: { ...request.headers }, body: bodyOf(request) })
      const answer = script(request, sent.length)
      return Effect.map(Effect.isEffect(answer) ? answer : Effect.succeed(answer), (response) =>
        HttpClientResponse.fromWeb(request, response)
      )
    })
  )
  return { sent, layer }
}

/** An answer of JSON. */
export const json = (value: unknown, init?: ResponseInit): Response => Response.json(value, init)

/** An answer of text. */
export const text = (body: string, init?: ResponseInit): Response =>
  new Response(body, { headers: { "content-type": "text/plain" }, ...init })
