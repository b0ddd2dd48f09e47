/**
 * Turns an endpoint of the contract into a call: how its input becomes a request, and what its answers are. That is compiled once, from the
 * schemas of the endpoint; `connection.ts` makes the call.
 */
import { RetryClass } from "@effect-chatbot/api/RetryClass"
import type { InvalidRequest } from "@effect-chatbot/schema/Errors"
import * as Context from "effect/Context"
import type * as Sse from "effect/encoding/Sse"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import type * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type { BinaryContent } from "../BinaryContent.ts"
import type { ClientError } from "../CallError.ts"
import { compileFailure } from "./failure.ts"
import type { Kind } from "./ongoing.ts"
import { compileRequest, type Parts, type Prepared } from "./request.ts"
import type { Read } from "./response.ts"
import { compileSuccess, isBinary, successesOf } from "./success.ts"

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
  /** Its path as the contract writes it, as in `/api/chats/:chatId`. */
  readonly route: string
  readonly accept: string
  readonly kind: Kind
  readonly retryClassOf: (input: Parts) => RetryClass
  readonly prepare: (input: Parts) => Result.Result<Prepared, InvalidRequest>
  /** Reads an answer of status 200 or 204, which is how ASP.NET answers nothing. */
  readonly readSuccess: Read
  /** Reads any other answer. */
  readonly readFailure: Read<never>
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
      route: endpoint.path,
      accept: acceptOf(endpoint),
      kind,
      // An endpoint is called with its own input.
      retryClassOf: (input) => (isOnce?.(input as Input<E>) === true ? "never" : retryClass),
      prepare: compileRequest(endpoint),
      readSuccess: compileSuccess(endpoint),
      readFailure: compileFailure(endpoint)
    }
  }
