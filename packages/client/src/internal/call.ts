/**
 * Turns an endpoint of the contract into a call. Only this module and those it imports from its folder know HTTP.
 *
 * A call is compiled once, from the schemas of its endpoint. It encodes its input, sends a request within the policies, and reads the
 * answer: the success of the contract, an error that the endpoint declares, or one that the client found out by itself.
 */
import type { InvalidRequest } from "@effect-chatbot/schema/Errors"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { constTrue } from "effect/Function"
import type * as Sse from "effect/encoding/Sse"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Headers from "effect/http/Headers"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type { BinaryContent } from "../BinaryContent.ts"
import type { ClientError } from "../CallError.ts"
import { ClientConfig } from "../ClientConfig.ts"
import * as Timeouts from "../Timeouts.ts"
import { compileFailure } from "./failure.ts"
import { limitsOf, withPolicies } from "./policies.ts"
import { compileRequest, type Parts, type Prepared } from "./request.ts"
import type { AnyFailure, Read } from "./response.ts"
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
  readonly method: string
  readonly accept: string
  readonly limits: (timeouts: Timeouts.Timeouts) => Timeouts.Limits
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

/** Compiles an endpoint. `limits` says which of the timeouts are its own. */
export const call = <E extends HttpApiEndpoint.Top>(
  endpoint: E,
  limits: (timeouts: Timeouts.Timeouts) => Timeouts.Limits = (timeouts) => timeouts
): Call<Input<E>, Success<E>, Failure<E>> => ({
  method: endpoint.method,
  accept: acceptOf(endpoint),
  limits,
  prepare: compileRequest(endpoint),
  readSuccess: compileSuccess(endpoint),
  readFailure: compileFailure(endpoint)
})

/** Makes a call. */
export interface Run {
  <Input, A, E>(call: Call<Input, A, E>, input: Input): Effect.Effect<A, E>
}

/** What makes the calls to a backend, by its configuration and over its transport. */
export const connect = Effect.gen(function* () {
  const { baseUrl, token } = yield* ClientConfig
  const client = yield* HttpClient.HttpClient
  const standard = yield* Timeouts.Timeouts
  const scope = yield* Effect.scope

  const authorization = Option.match(token, {
    onNone: () => undefined,
    onSome: (token) => ({ authorization: `Bearer ${Redacted.value(token)}` })
  })

  const send = (method: string, accept: string, { json, path, query }: Prepared) => {
    const contentType = json === undefined ? undefined : { "content-type": "application/json" }
    const headers = Headers.fromRecordUnsafe({ accept, ...authorization, ...contentType })
    const body = json === undefined ? HttpBody.empty : HttpBody.text(json, "application/json")
    const request = HttpClientRequest.makeWith(method, baseUrl + path, query, Option.none(), headers, body)
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
      const prepared = call.prepare(input)
      if (Result.isFailure(prepared)) return Effect.fail(prepared.failure)
      const own = Context.getOrUndefined(fiber.context, Timeouts.Timeouts)
      const timeouts = own ?? standard
      const limits = limitsOf(call.limits(timeouts))
      const attempt = Effect.flatMap(send(call.method, call.accept, prepared.success), (response) => {
        const read = response.status === 200 || response.status === 204 ? call.readSuccess : call.readFailure
        return read(response, { input, limits, scope })
      })
      const limited = withPolicies(attempt, limits)
      // The transport sees to one of the limits.
      return timeouts === own || timeouts === Timeouts.standard
        ? limited
        : Effect.provideService(limited, Timeouts.Timeouts, timeouts)
    })

  // An endpoint is read with its own schemas, so what comes out is what its type says.
  return run as Run
})
