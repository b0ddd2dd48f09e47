/**
 * Turns an endpoint of the contract into a call. Only this module and those it imports from its folder know HTTP.
 *
 * A call is compiled once, from the schemas of its endpoint. It encodes its input, sends a request within the policies, and reads the
 * answer: the success of the contract, an error that the endpoint declares, or one that the client found out by itself.
 */
import { keyHeader } from "@effect-chatbot/api/middleware/IdempotencyKeys"
import { RetryClass } from "@effect-chatbot/api/RetryClass"
import { InvalidRequest } from "@effect-chatbot/schema/Errors"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import { constTrue } from "effect/Function"
import type * as Sse from "effect/encoding/Sse"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Headers from "effect/http/Headers"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type { BinaryContent } from "../BinaryContent.ts"
import type { ClientError } from "../CallError.ts"
import { ClientConfig } from "../ClientConfig.ts"
import * as Timeouts from "../Timeouts.ts"
import type { AnyFailure } from "./anyFailure.ts"
import { listen, makeBackend } from "./backend.ts"
import { compileFailure } from "./failure.ts"
import { attempt as attemptHeader } from "./headers.ts"
import { limitsOf } from "./limits.ts"
import { begin, type Kind, type Ongoing } from "./ongoing.ts"
import { policiesIn, policiesOf } from "./inForce.ts"
import { withPolicies } from "./policies.ts"
import { compileRequest, type Parts, type Prepared } from "./request.ts"
import type { Read } from "./response.ts"
import { type Entry, tell } from "./story.ts"
import { compileSuccess, isBinary, successesOf } from "./success.ts"
import { transportFailed } from "./transport.ts"

type Part<Name extends keyof Parts, S> = [S] extends [never]
  ? unknown
  : S extends Schema.Constraint
    ? { readonly [N in Name]: S["Type"] }
    : never

/** What a call is given: those parts of a request that its endpoint has. */
type Input<E> = Part<"params", HttpApiEndpoint.Params<E>> &
  Part<"query", HttpApiEndpoint.Query<E>> &
  Part<"payload", HttpApiEndpoint.Payload<E>>

type Value<S> = S extends HttpApiSchema.StreamUint8Array
  ? BinaryContent
  : S extends HttpApiSchema.StreamSse<Sse.EventCodec, Schema.Constraint, unknown>
    ? never
    : S extends Schema.Constraint
      ? S["Type"]
      : never

/** What a call answers. */
type Success<E> = Value<HttpApiEndpoint.Success<E>>

/** All that a call can fail with. */
type Failure<E> = HttpApiEndpoint.Errors<E> | ClientError

/** A compiled endpoint. The types of its input, success and failure are those of the endpoint. */
export interface Call<in Input, out A, out E> {
  readonly "~Input"?: (_: Input) => void
  readonly "~Success"?: A
  readonly "~Failure"?: E
  /** The names of its group and itself, as in `chats.complete`. */
  readonly endpoint: string
  readonly method: string
  readonly accept: string
  readonly kind: Kind
  readonly retryClassOf: (input: Parts) => RetryClass
  readonly prepare: (input: Parts) => Result.Result<Prepared, InvalidRequest>
  /** Reads an answer of status 200 or 204, which is how ASP.NET answers nothing. */
  readonly readSuccess: Read
  /** Reads any other answer. */
  readonly readFailure: Read
}

/** JSON is always accepted: errors come as it. Bytes may be of any type, and a bare text may come as it is. */
const acceptOf = (endpoint: HttpApiEndpoint.Top): string => {
  const successes = successesOf(endpoint)
  if (successes.some(isBinary)) return "*/*"
  return successes.length > 1 ? "application/json, text/plain;q=0.5" : "application/json"
}

/** What of a call does not follow from its endpoint. */
export interface Options<Input> {
  readonly kind?: Kind
  /** Whether a call is sent once, whatever the class of its endpoint. */
  readonly isOnce?: (input: Input) => boolean
}

/** Compiles the endpoints of a group. */
export const callOf =
  (group: string) =>
  <E extends HttpApiEndpoint.Top>(
    endpoint: E,
    { isOnce, kind = "call" }: Options<Input<E>> = {}
  ): Call<Input<E>, Success<E>, Failure<E>> => {
    const retryClass = Context.get(endpoint.annotations, RetryClass)
    return {
      endpoint: `${group}.${endpoint.identifier}`,
      method: endpoint.method,
      accept: acceptOf(endpoint),
      kind,
      // An endpoint is called with its own input.
      retryClassOf: (input) => (isOnce?.(input as Input<E>) === true ? "never" : retryClass),
      prepare: compileRequest(endpoint),
      readSuccess: compileSuccess(endpoint),
      readFailure: compileFailure(endpoint)
    }
  }

/** Makes a call. */
export interface Run {
  <Input, A, E>(call: Call<Input, A, E>, input: Input): Effect.Effect<A, E>
}

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

  const send = (
    method: string,
    accept: string,
    { json, path, query }: Prepared,
    key: string | undefined,
    n: number
  ) => {
    const contentType = json === undefined ? undefined : { "content-type": "application/json" }
    const headers: Record<string, string> = { accept, ...authorization, ...contentType }
    if (key !== undefined) headers[keyHeaderName] = key
    if (n > 1) headers[attemptHeader] = String(n)
    const body = json === undefined ? HttpBody.empty : HttpBody.text(json, "application/json")
    const request = HttpClientRequest.makeWith(
      method,
      baseUrl + path,
      query,
      Option.none(),
      Headers.fromRecordUnsafe(headers),
      body
    )
    return client.execute(request).pipe(
      // A client that refuses some statuses has the answer all the same.
      Effect.catch((error) =>
        error.response === undefined ? Effect.fail(transportFailed(error)) : Effect.succeed(error.response)
      ),
      // No span and no header for it: they cost a fifth of a call, and in a browser a preflight.
      Effect.provideService(HttpClient.TracerDisabledWhen, constTrue)
    )
  }

  const run = (
    call: Call<never, unknown, AnyFailure>,
    input: Parts
  ): Effect.Effect<unknown, AnyFailure | InvalidRequest> =>
    Effect.withFiber((fiber) => {
      const policies = policiesIn(fiber.context, built)
      const { keys, retry, timeouts } = policies
      const retryClass = call.retryClassOf(input)
      const key = retryClass === "keyed" && keys.enabled ? (keys.key ?? SecureRandom.uuidV4Unsafe()) : undefined
      const ongoing: Ongoing = begin({
        endpoint: call.endpoint,
        kind: call.kind,
        retryClass,
        backend,
        policies,
        limits: limitsOf(call.kind === "completion" ? timeouts.completions : timeouts),
        clock: Context.get(fiber.context, Clock.Clock),
        key
      })
      const prepared = key === undefined || isKey(key) ? call.prepare(input) : Result.fail(invalidKey())
      if (Result.isFailure(prepared)) return Effect.fail(tell(ongoing, prepared.failure, "unsent"))
      const limited = withPolicies(ongoing, (entry: Entry) =>
        Effect.flatMap(send(call.method, call.accept, prepared.success, key, entry.number), (response) => {
          entry.response = response
          listen(backend, response, key !== undefined, retry.budget)
          const read = response.status === 200 || response.status === 204 ? call.readSuccess : call.readFailure
          return read(response, { call: ongoing, input, scope })
        })
      )
      // The transport sees to one of the limits.
      return timeouts === fiber.getRef(Timeouts.Timeouts)
        ? limited
        : Effect.provideService(limited, Timeouts.Timeouts, timeouts)
    })

  // An endpoint is read with its own schemas, so what comes out is what its type says.
  return run as Run
})

/** What makes the calls of a client: one for all of its groups, for they share what it knows of the backend. */
export class Connection extends Context.Service<Connection, Run>()("@effect-chatbot/client/internal/Connection") {
  /** Over the {@link ClientConfig} and a transport. */
  static readonly layer: Layer.Layer<Connection, never, ClientConfig | HttpClient.HttpClient> = Layer.effect(
    Connection,
    connect
  )
}

/** The layer of a service, from what makes its calls. */
export const layerOf = <Self, Shape>(
  service: Context.Service<Self, Shape>,
  make: (run: Run) => Shape
): Layer.Layer<Self, never, ClientConfig | HttpClient.HttpClient> =>
  Layer.provide(Layer.effect(service, Effect.map(Connection, make)), Connection.layer)
