/**
 * Errors as OpenAI says them: `{ "error": { "message", "type", "param", "code" } }`. Their statuses and headers are those of the contract.
 */
import { tagOf } from "@effect-chatbot/api/Problem"
import type { Failed } from "@effect-chatbot/schema/CompletionEvent"
import { BotNotFound, InvalidRequest } from "@effect-chatbot/schema/Errors"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as ProblemResponse from "./ProblemResponse.ts"
import type * as ProblemResponses from "./ProblemResponses.ts"

/** Whether what is at this URL answers so; as that of all routes, its path is matched in any case. */
export const isSpokenAt = (url: string): boolean => /^\/+v1(?![^/?#])/i.test(url)

/** A place in a request as OpenAI writes it: `messages[0].content`. */
const toParam = (path: ReadonlyArray<string | number>): string =>
  path.reduce<string>(
    (param, key) => (typeof key === "number" ? `${param}[${key}]` : param === "" ? key : `${param}.${key}`),
    ""
  )

/** The kinds of errors that clients of OpenAI tell apart; most go by the status. */
const kinds: { readonly [tag: string]: readonly [type: string, code: string] } = {
  InvalidRequest: ["invalid_request_error", "invalid_request"],
  PayloadTooLarge: ["invalid_request_error", "request_too_large"],
  Unauthorized: ["invalid_request_error", "invalid_api_key"],
  Forbidden: ["permission_error", "forbidden"],
  TermsNotAccepted: ["permission_error", "terms_not_accepted"],
  BotNotFound: ["invalid_request_error", "model_not_found"],
  RateLimited: ["rate_limit_error", "rate_limit_exceeded"],
  BotsStopped: ["server_error", "bots_stopped"]
}

const toBody = (tag: string, message: string, param: string | null = null) => {
  const [type, code] = kinds[tag] ?? ["server_error", "server_error"]
  return { error: { message, type, param, code } }
}

type BackendError = Effect.Success<ReturnType<typeof ProblemResponses.toError>>

/** The body for an error. */
export const bodyOf = (error: BackendError, model?: string) => {
  if (error instanceof BotNotFound) {
    return toBody(error._tag, `The model \`${model ?? ""}\` does not exist or you do not have access to it.`, "model")
  }
  if (!(error instanceof InvalidRequest)) return toBody(error._tag, error.message)
  const told = error.issues.map(({ message, path }) => ({
    message,
    // The names of the contract mean nothing here: a text of a chat is one of a message.
    param: toParam(path[0] === "payload" ? ["messages"] : path)
  }))
  const message = told.map(({ message, param }) => (param === "" ? message : `${param}: ${message}`)).join(". ")
  return toBody(error._tag, message === "" ? error.message : message, told[0]?.param || null)
}

/** The answer for an error. */
export const fromError = (error: BackendError, model?: string) =>
  Effect.map(ProblemResponse.fromError(error), (response) =>
    HttpServerResponse.setBody(response, HttpBody.jsonUnsafe(bodyOf(error, model)))
  )

/** The body for an answer that failed. */
export const bodyOfFailure = ({ detail, title, type = "" }: Failed) =>
  toBody(tagOf(type) ?? "InternalError", detail ?? title ?? "The answer failed.")

/** The answer for an answer that failed. */
export const fromFailure = (failure: Failed) =>
  HttpServerResponse.jsonUnsafe(bodyOfFailure(failure), {
    status: failure.status ?? 500,
    ...(failure.retryAfter === undefined
      ? undefined
      : { headers: { "retry-after": String(Math.ceil(Duration.toSeconds(failure.retryAfter))) } })
  })

/** Writes the problems of what knows nothing of this, as routes and limits do. */
export const written: ProblemResponse.Written = ({ detail, title = "", type }) => {
  const tag = tagOf(type)
  const { error } = toBody(tag ?? "InvalidRequest", detail ?? title)
  return { error: tag === undefined ? { ...error, code: title.toLowerCase().replaceAll(" ", "_") } : error }
}
