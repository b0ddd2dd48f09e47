/** A transport that answers from a script and keeps what was sent. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"

/** A request, as it would stand on the wire. */
export interface Sent {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  /** When, in milliseconds of the clock. */
  readonly at: number
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
  const answer: Parameters<typeof HttpClient.make>[0] = (request, url, _, fiber) => {
    const { headers, method } = request
    const at = Context.get(fiber.context, Clock.Clock).currentTimeMillisUnsafe()
    sent.push({ method, url: url.href, headers: { ...headers }, body: bodyOf(request), at })
    const response = script(request, sent.length)
    return Effect.map(Effect.isEffect(response) ? response : Effect.succeed(response), (response) =>
      HttpClientResponse.fromWeb(request, response)
    )
  }
  return { answer, sent, layer: Layer.succeed(HttpClient.HttpClient, HttpClient.make(answer)) }
}

/** An answer of JSON. */
export const json = (value: unknown, init?: ResponseInit): Response => Response.json(value, init)

/** An answer of text. */
export const text = (body: string, init?: ResponseInit): Response =>
  new Response(body, { headers: { "content-type": "text/plain" }, ...init })

/** A transport that fails, as Node and undici do: by this code. */
export const failing = (request: HttpClientRequest, code: string) =>
  Effect.fail(
    new HttpClientError.HttpClientError({
      reason: new HttpClientError.TransportError({
        request,
        cause: Object.assign(new Error("failed"), { code })
      })
    })
  )

/** An answer of this status that is not of the contract. */
export const status = (status: number, headers: HeadersInit = {}): Response => new Response(null, { status, headers })
