/**
 * The log of the backend: a line an event on standard error, for people (`logfmt`) or for programs (`json`).
 *
 * What is logged is bounded, and what would break a line or a terminal is escaped: a part of it may have come from somebody else.
 */
import * as Cause from "effect/Cause"
import * as Formatter from "effect/Formatter"
import type * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Predicate from "effect/Predicate"
import * as References from "effect/References"

/** How lines are written. */
export type Format = "logfmt" | "json"

/** The most characters that a field has, and the cause of a failure with its stack. */
export const limits = { field: 2000, cause: 16_000 } as const

const cut = (text: string, limit: number): string =>
  text.length <= limit ? text : `${text.slice(0, limit)}… (${text.length - limit} more)`

type Field = string | number | boolean | null

const toField = (value: unknown): Field => {
  if (typeof value === "number" || typeof value === "boolean" || value === null) return value
  return cut(typeof value === "string" ? value : Formatter.format(value, { space: 0 }), limits.field)
}

/** Beyond what JSON escapes: what terminals and viewers take for the end of a line or for a command. */
const escapes = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

const toJson = (value: unknown): string =>
  JSON.stringify(value).replace(escapes, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)

const isPlain = (text: string): boolean => /^[\x21\x23-\x3c\x3e-\x7e]+$/.test(text)

const toLogFmt = (fields: Record<string, Field>): string =>
  Object.entries(fields)
    .map(([name, value]) => `${name}=${typeof value === "string" && !isPlain(value) ? toJson(value) : value}`)
    .join(" ")

/** Whether a part of a message says by its names what its values are. */
const isNamed = (part: unknown): part is Record<string, unknown> =>
  Predicate.isObject(part) &&
  Object.getPrototypeOf(part) === Object.prototype &&
  Object.keys(part).every((name) => /^[a-z]\w*$/i.test(name))

const formatter = (format: Format): Logger.Logger<unknown, string> =>
  Logger.make(({ cause, date, fiber, logLevel, message }) => {
    const fields: Record<string, Field> = { timestamp: date.toISOString(), level: logLevel.toUpperCase() }
    const messages: ReadonlyArray<unknown> = Array.isArray(message) ? message : [message]
    const texts = messages.filter((part) => !isNamed(part))
    fields["message"] = cut(texts.map((part) => String(toField(part))).join(" "), limits.field)
    for (const named of [...messages.filter(isNamed), fiber.getRef(References.CurrentLogAnnotations)]) {
      for (const [name, value] of Object.entries(named)) {
        // What a line always has is not to be written over.
        fields[Object.hasOwn(fields, name) ? `${name}_` : name] = toField(value)
      }
    }
    if (cause.reasons.length > 0) fields["cause"] = cut(Cause.pretty(cause), limits.cause)
    return format === "json" ? toJson(fields) : toLogFmt(fields)
  })

/** Logs on standard error. */
export const layer = (format: Format): Layer.Layer<never> => Logger.layer([Logger.withConsoleError(formatter(format))])

/** The line of an event, for a test. */
export const toLine = formatter
