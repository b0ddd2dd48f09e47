/**
 * Makes the calls to a backend: it encodes the input of a call, sends requests within the policies, and reads the answer. That is the success
 * of the contract, an error that the endpoint declares, or one that the client found out by itself. Only this module and those it imports
 * from its folder know HTTP.
 */
import { keyHeader } from "@effect-chatbot/api/middleware/IdempotencyKeys"
import { InvalidRequest } from "@effect-chatbot/schema/Errors"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { constTrue } from "effect/Function"
import * as Headers from "effect/http/Headers"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { ClientConfig } from "../ClientConfig.ts"
import * as Timeouts from "../Timeouts.ts"
import type { AnyFailure } from "./anyFailure.ts"
import { listen, makeBackend } from "./backend.ts"
import type { Call } from "./call.ts"
import { DurableKey } from "./durableKey.ts"
import { attempt as attemptHeader } from "./headers.ts"
import { limitsOf } from "./limits.ts"
import { policiesIn, policiesOf } from "./inForce.ts"
import { begin, type Ongoing } from "./ongoing.ts"
import { withPolicies } from "./policies.ts"
import type { Parts, Prepared } from "./request.ts"
import { type Entry, tell } from "./story.ts"
import type { Route } from "./trace.ts"
import { transportFailed } from "./transport.ts"

/** Makes a call. */
export interface Run {
  <Input, A, E>(call: Call<Input, A, E>, input: Input): Effect.Effect<A, E>
}

/** A call of any endpoint. */
export type AnyCall = Call<never, unknown, AnyFailure>

// Transports know headers by names in lower case.
const keyHeaderName = keyHeader.toLowerCase()

const isKey = (text: string): boolean => /^[\x21-\x7e]{1,255}$/.test(text)

const invalidKey = () => {
  const issue = { path: ["headers", keyHeader], message: "Expected 1 to 255 visible ASCII characters" }
  return new InvalidRequest({
    message: `The request is not valid: ${issue.path.join(".")}: ${issue.message}.`,
    issues: [issue]
  })
}

/** Whether an answer is a success: 204 is how ASP.NET answers nothing. */
export const isSuccess = ({ status }: HttpClientResponse): boolean => status === 200 || status === 204

/** Where a request goes, and what it asks for. */
type Target = Route & { readonly accept: string }

/** What makes the calls to a backend, by its configuration and over its transport. */
const connect = Effect.gen(function* () {
  const { baseUrl, token } = yield* ClientConfig
  const client = yield* HttpClient.HttpClient
  const built = policiesOf(yield* Effect.context())
  const scope = yield* Effect.scope
  const backend = makeBackend(baseUrl)

  const authorization = Option.match(token, {
    onNone: () => undefined,
    onSome: (token) => ({ authorization: `Bearer ${Redacted.value(token)}` })
  })

  /** Sends one request, and learns from the head of its answer. */
  const sendUntold = (
    call: Ongoing,
    entry: Entry,
    { accept, method }: Target,
    { json, path, query }: Prepared,
    own?: Record<string, string>
  ) => {
    const contentType = json === undefined ? undefined : { "content-type": "application/json" }
    const headers: Record<string, string> = { accept, ...authorization, ...contentType, ...own }
    if (entry.number > 1) headers[attemptHeader] = String(entry.number)
    const body = json === undefined ? HttpBody.empty : HttpBody.text(json, "application/json")
    const request = HttpClientRequest.makeWith(
      method,
      baseUrl + path,
      query,
      Option.none(),
      Headers.fromRecordUnsafe(headers),
      body
    )
    const sent = client.execute(request).pipe(
      // A client that refuses some statuses has the answer all the same.
      Effect.catch((error) =>
        error.response === undefined ? Effect.fail(transportFailed(error)) : Effect.succeed(error.response)
      ),
      Effect.tap((response) =>
        Effect.sync(() => {
          entry.response = response
          listen(backend, response, headers[keyHeaderName] !== undefined, call.policies.retry.budget)
        })
      ),
      // No span and no header for it: they cost a fifth of a call, in a browser a preflight, and tell the path. See `Telemetry`.
      Effect.provideService(HttpClient.TracerDisabledWhen, constTrue)
    )
    return sent
  }

  /** The same, as an attempt of its call that is told of. */
  const send: typeof sendUntold = (call, entry, target, prepared, own) =>
    call.trace === undefined
      ? sendUntold(call, entry, target, prepared, own)
      : call.trace.send(entry, target, (traced) => sendUntold(call, entry, target, prepared, { ...own, ...traced }))

  const keyOf = ({ key }: Ongoing) => (key === undefined ? undefined : { [keyHeaderName]: key })

  /** The beginning of a call in a fiber, and its request, if it can be made. */
  const prepare = (fiber: Fiber.Fiber<unknown, unknown>, call: AnyCall, input: Parts) => {
    const policies = policiesIn(fiber.context, built)
    const { keys, timeouts } = policies
    const retryClass = call.retryClassOf(input)
    const durable = fiber.getRef(DurableKey)
    const key =
      retryClass === "keyed" && keys.enabled ? (keys.key ?? durable ?? SecureRandom.uuidV4Unsafe()) : undefined
    const ongoing = begin({
      endpoint: call.endpoint,
      kind: call.kind,
      retryClass,
      backend,
      policies,
      limits: limitsOf(call.kind === "completion" ? timeouts.completions : timeouts),
      clock: Context.get(fiber.context, Clock.Clock),
      key,
      isDurable: durable !== undefined
    })
    const prepared = key === undefined || isKey(key) ? call.prepare(input) : Result.fail(invalidKey())
    return {
      ongoing,
      prepared: Result.mapError(prepared, (error) => tell(ongoing, error, "unsent")),
      // The transport sees to one of the limits.
      timeouts: timeouts === fiber.getRef(Timeouts.Timeouts) ? undefined : timeouts
    }
  }

  const run = (call: AnyCall, input: Parts): Effect.Effect<unknown, AnyFailure> =>
    Effect.withFiber((fiber) => {
      const { ongoing, prepared, timeouts } = prepare(fiber, call, input)
      const { telemetry } = ongoing.policies
      const made = Result.isFailure(prepared)
        ? Effect.fail(prepared.failure)
        : withPolicies(ongoing, (entry) =>
            Effect.flatMap(send(ongoing, entry, call, prepared.success, keyOf(ongoing)), (response) =>
              (isSuccess(response) ? call.readSuccess : call.readFailure)(response, { call: ongoing, input, scope })
            )
          )
      const limited = timeouts === undefined ? made : Effect.provideService(made, Timeouts.Timeouts, timeouts)
      return telemetry === "off" ? limited : telemetry.call(ongoing, limited)
    })

  // An endpoint is read with its own schemas, so what comes out is what its type says.
  return { run: run as Run, keyOf, prepare, scope, send }
})

/** What makes the calls of a client: one for all of its groups, for they share what it knows of the backend. */
export class Connection extends Context.Service<Connection, Effect.Success<typeof connect>>()(
  "@effect-chatbot/client/internal/Connection"
) {
  /** Over the {@link ClientConfig} and a transport. */
  static readonly layer: Layer.Layer<Connection, never, ClientConfig | HttpClient.HttpClient> = Layer.effect(
    Connection,
    connect
  )
}

/** The layer of a service, from what makes its calls. */
export const layerOf = <Self, Shape>(
  service: Context.Service<Self, Shape>,
  make: (connection: Connection["Service"]) => Shape
): Layer.Layer<Self, never, ClientConfig | HttpClient.HttpClient> =>
  Layer.provide(Layer.effect(service, Effect.map(Connection, make)), Connection.layer)
