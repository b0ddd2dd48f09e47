import * as Problem from "@effect-chatbot/api/Problem"
import { UnexpectedStatus } from "@effect-chatbot/schema/Errors"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as Headers from "effect/http/Headers"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import type { AnyFailure } from "./anyFailure.ts"
import type { Parts } from "./request.ts"
import { parseJson, type Read, textOf } from "./response.ts"

const compileProblem = (schema: Schema.Constraint) => {
  const errorClass = Problem.errorClassOf(schema)
  const status = SchemaAST.resolveAt<number>("httpApiStatus")(schema.ast)
  const decode = Schema.decodeUnknownResult(Schema.toCodecJson(schema as Schema.Codec<Problem.BackendError>))
  return errorClass === undefined || status === undefined ? [] : { errorClass, status, decode }
}

/** The errors that an endpoint declares: those of its middleware, which any endpoint may answer, and its own. */
const declaredErrors = (endpoint: HttpApiEndpoint.Top) => ({
  anywhere: [...endpoint.middlewares]
    .flatMap((key) => Array.from((key as HttpApiMiddleware.AnyService).error))
    .flatMap(compileProblem),
  own: [...endpoint.error].flatMap(compileProblem)
})

type Declared = ReturnType<typeof declaredErrors>

/** The statuses that say too little: they stand for several classes of the endpoint's own. */
const manifoldStatuses = ({ anywhere, own }: Declared): ReadonlySet<number> => {
  const statuses = own.map(({ status }) => status)
  const told = new Set(anywhere.map(({ status }) => status))
  return new Set(statuses.filter((status, i) => statuses.indexOf(status) !== i && !told.has(status)))
}

/** When to try again, from the answer on, by its `Retry-After`: seconds or a date (RFC 9110, 10.2.3). What is neither is ignored. */
export const retryAfterOf = (response: HttpClientResponse, now: number): Duration.Duration | undefined => {
  const header = Option.fromUndefinedOr(response.headers["retry-after"])
  const parsed = Option.flatMap(header, (text) => Result.getSuccess(Headers.parseRetryAfter(text)))
  return Option.getOrUndefined(Option.map(parsed, (value) => Headers.retryAfterDelay(value, now)))
}

/** The ids that a program gave, under the names that an error class has for them; the contract writes some in lower case. */
const idsOf = ({ params, payload }: Parts, fields: object) => {
  const given = Object.entries({ ...(payload as object), ...(params as object) })
  return Object.fromEntries(
    Object.keys(fields)
      .filter((name) => name.endsWith("Id"))
      .flatMap((name) => given.filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, id]) => [name, id]))
  )
}

/** The id of the request, for who asks for help: the backend's own, or else the trace id of ASP.NET. */
const requestIdOf = (body: { readonly [field: string]: unknown } | undefined, response: HttpClientResponse) =>
  [body?.["requestId"], response.headers["x-request-id"], body?.["traceId"]].find(Predicate.isString)

/**
 * Finds the error that an answer stands for. A problem of the contract tells its class. Of another body only the status counts: it stands
 * for the first class that has it, and those of the middleware come first, for a proxy that answers 503 knows nothing of bots.
 */
const compileError = ({ anywhere, own }: Declared) => {
  const declared = [...anywhere, ...own]
  const byType = new Map(declared.map((error) => [Problem.typeOf(error.errorClass.identifier), error]))
  const byStatus = new Map(declared.toReversed().map((error) => [error.status, error]))

  return (response: HttpClientResponse, text: string, input: Parts, now: number): AnyFailure => {
    const json = Option.getOrUndefined(Option.filter(parseJson(text), Predicate.isReadonlyObject))
    const id = requestIdOf(json, response)
    const requestId = id === undefined ? undefined : { requestId: id }
    const retryAfter = retryAfterOf(response, now)

    const told = byType.get(String(json?.["type"]))?.decode({
      ...(retryAfter === undefined ? undefined : { retryAfter: Duration.toSeconds(retryAfter) }),
      ...json,
      ...requestId
    })
    if (told !== undefined && Result.isSuccess(told)) return told.success

    const body = Redacted.make(text)
    const error = byStatus.get(response.status)
    if (error === undefined) {
      const message = `The answer has the status ${response.status}, which the contract does not know here.`
      return new UnexpectedStatus({ message, status: response.status, ...requestId, body })
    }
    return new error.errorClass({
      ...idsOf(input, error.errorClass.fields),
      ...requestId,
      ...(retryAfter === undefined ? undefined : { retryAfter }),
      body
    })
  }
}

/**
 * The reader of the failures of an endpoint. The status says what happened, even where the body breaks off; but where it says too little,
 * the answer is lost: whether a chat is at another question or still at this one makes a difference to whether it is asked again.
 */
export const compileFailure = (endpoint: HttpApiEndpoint.Top): Read<never> => {
  const declared = declaredErrors(endpoint)
  const errorOf = compileError(declared)
  const manifold = manifoldStatuses(declared)
  return (response, { input }) =>
    Effect.flatMap(
      Effect.zip(
        manifold.has(response.status) ? textOf(response) : Effect.orElseSucceed(textOf(response), () => ""),
        Clock.currentTimeMillis
      ),
      ([text, now]) => Effect.fail(errorOf(response, text, input, now))
    )
}
