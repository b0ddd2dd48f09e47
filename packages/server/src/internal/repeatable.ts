/**
 * What a provider said of a failure, made fit to be told to who asked: short, on one line, without the key, and without the prompt, which
 * providers like to repeat and which holds what the bot was told in confidence.
 */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Words from "./Words.ts"

const longest = 300

/** How many characters in a row what was said and a secret may not have in common, and how long a secret is that is looked for at all. */
const shared = { prompt: 16, key: 8, least: 4 } as const

const parseJson = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Unknown))

/** The message in the body of an error, by the places where providers have it. What is no JSON, such as the page of a proxy, has none. */
export const messageOf = (body: unknown): string | undefined => {
  if (Predicate.isString(body)) return body
  if (Array.isArray(body)) return messageOf(body[0])
  if (!Predicate.isReadonlyObject(body)) return undefined
  for (const name of ["error", "message", "detail", "msg"]) {
    const message = messageOf(body[name])
    if (message !== undefined) return message
  }
  return undefined
}

/** The body of an error, if it is JSON. */
export const bodyOf = (text: string): unknown => Option.getOrUndefined(parseJson(text))

/** The text with dots for every run of so many characters that it shares with a secret. A shorter secret is looked for as a whole. */
const without = (text: string, secret: string, run: number): string => {
  const size = Math.min(run, secret.length)
  if (size < shared.least) return text
  let result = ""
  let at = 0
  while (at < text.length) {
    let end = at
    if (secret.includes(text.slice(at, at + size)) && at + size <= text.length) {
      end = at + size
      while (end < text.length && secret.includes(text.slice(end - size + 1, end + 1))) end++
    }
    if (end === at) result += text[at++]
    else {
      result += "…"
      at = end
    }
  }
  return result
}

/** What may be told of what was said. */
export const repeatable = (
  said: string,
  secrets: { readonly key: string | undefined; readonly prompt: ReadonlyArray<string> }
): string => {
  const short = (text: string) => text.replace(/[\p{C}\s]+/gu, " ").trim()
  // Cut twice: what is looked through must be bounded, and what is left too.
  let text = Words.truncate(short(said.slice(0, 8 * longest)), 2 * longest)
  text = without(text, secrets.key ?? "", shared.key)
  for (const part of secrets.prompt) text = without(text, short(part), shared.prompt)
  return text.length <= longest ? text : `${Words.truncate(text, longest - 1)}…`
}
