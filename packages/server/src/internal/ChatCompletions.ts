/**
 * The chat completions of OpenAI, as far as an answer of text needs them: the body of a request, and what comes back, as one JSON document
 * or as events.
 *
 * It is read as tolerantly as the many servers that speak it differ: of an event only a text, the reason of its end, a usage and an error
 * are looked at, wherever they stand.
 */
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Message } from "../Prompt.ts"

/**
 * How an answer is asked for, the best first: as events with the usage in the last one, as events, or as a whole. There are servers that
 * refuse an option they do not know.
 */
export type Form = "events with usage" | "events" | "whole"

/** The body of a request. */
export const requestBody = (form: Form, model: string, messages: ReadonlyArray<Message>): string =>
  JSON.stringify({
    model,
    messages,
    stream: form !== "whole",
    ...(form === "events with usage" ? { stream_options: { include_usage: true } } : undefined)
  })

/** The form to ask for after a refusal with this status and text; nothing when it was not the form that was refused. */
export const simplerForm = (form: Form, status: number, text: string): Form | undefined => {
  if (status !== 400 && status !== 422) return undefined
  if (form === "events with usage" && /\b(?:stream_options|include_usage)\b/.test(text)) return "events"
  // In quotes, for the word alone may stand anywhere.
  return form !== "whole" && /(["'`])stream\1/.test(text) ? "whole" : undefined
}

/** The tokens of an answer, as the provider counted them. */
export interface Usage {
  readonly promptTokens: number
  readonly completionTokens: number
}

/** What is known of an answer so far. */
export interface Reading {
  text: string
  /** Why the answer ended: `stop`, `length`, `content_filter` and the like. */
  finish: string | undefined
  usage: Usage | undefined
  /** Whether the provider said that nothing more comes. */
  isDone: boolean
}

/** Before anything was read. */
export const nothingRead = (): Reading => ({ text: "", finish: undefined, usage: undefined, isDone: false })

/** What a provider sent instead of an answer. */
export type Trouble =
  | { readonly _tag: "NotReadable" }
  /** An error in the place of an answer, and the status that it stands for, if that is known. */
  | { readonly _tag: "Told"; readonly error: unknown; readonly status: number | undefined }

const notReadable: Trouble = { _tag: "NotReadable" }

/** The status an error of the body of an answer stands for: by its code, where that is one, or by the type that OpenAI gives its own. */
const statusOf = (error: unknown): number | undefined => {
  if (!Predicate.isReadonlyObject(error)) return undefined
  const status = [error["status"], error["code"]].map(Number).find((code) => code >= 400 && code <= 599)
  return status ?? (error["type"] === "server_error" ? 500 : undefined)
}

const told = (error: unknown): Trouble => ({ _tag: "Told", error, status: statusOf(error) })

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

const decodeUsage = Schema.decodeUnknownResult(Schema.Struct({ prompt_tokens: Count, completion_tokens: Count }))

const parseJson = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Unknown))

const textOf = (message: unknown): string => {
  if (!Predicate.isReadonlyObject(message)) return ""
  const text = [message["content"], message["refusal"]].find((text) => Predicate.isString(text) && text !== "")
  return Predicate.isString(text) ? text : ""
}

/** Reads a document or an event, which differ in a name only, and gives the text that it adds. */
const read = (reading: Reading, json: string, message: "message" | "delta"): Result.Result<string, Trouble> => {
  const parsed = parseJson(json)
  if (Result.isFailure(parsed) || !Predicate.isReadonlyObject(parsed.success)) return Result.fail(notReadable)
  const { choices, error, usage } = parsed.success as { readonly [field: string]: unknown }
  if (error !== undefined && error !== null) return Result.fail(told(error))
  const counted = decodeUsage(usage)
  if (Result.isSuccess(counted)) {
    const { completion_tokens: completionTokens, prompt_tokens: promptTokens } = counted.success
    reading.usage = { promptTokens, completionTokens }
  }
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined
  if (!Predicate.isReadonlyObject(choice)) return Result.succeed("")
  if (Predicate.isString(choice["finish_reason"]) && choice["finish_reason"] !== "") {
    reading.finish = choice["finish_reason"]
  }
  const text = textOf(choice[message])
  reading.text += text
  return Result.succeed(text)
}

/** Reads an event, and gives the text that it adds. */
export const readEvent = (
  reading: Reading,
  event: { readonly name: string; readonly data: string }
): Result.Result<string, Trouble> => {
  if (event.data.trim() === "[DONE]") {
    reading.isDone = true
    return Result.succeed("")
  }
  if (event.name === "error") {
    const parsed = Result.getOrElse(parseJson(event.data), () => event.data)
    return Result.fail(told(Predicate.isReadonlyObject(parsed) ? (parsed["error"] ?? parsed) : parsed))
  }
  return read(reading, event.data, "delta")
}

/** Reads an answer that came as a whole, and gives its text. */
export const readWhole = (reading: Reading, json: string): Result.Result<string, Trouble> => {
  reading.isDone = true
  return read(reading, json, "message")
}
