import * as ChatName from "@effect-chatbot/server/ChatName"
import * as Hash from "effect/Hash"
import type * as Schema from "effect/Schema"
import * as Parts from "./parts.ts"

/** The fields of the contract that hold what users and operators write for models. */
const prompts = ["userMessage", "systemMessage", "baseSystemMessage", "userComment"]

/** Those that hold secrets. */
const secrets = ["azureOpenAiApiKey", "blobClientConnectionString", "searchClientCredential"]

const redactedFields: ReadonlySet<string> = new Set([...prompts, ...secrets])

/** A text this short stands in others by chance. */
const shortest = 6

/** What looks like a secret, whatever it is for. */
const patterns: ReadonlyArray<readonly [what: string, pattern: RegExp]> = [
  ["a token of a chatbot backend", /\becb_[\w-]{16,}/],
  ["an API key", /\bsk-[\w-]{16,}/],
  ["a bearer token", /\bBearer\s+[\w.~+/-]{8,}/i],
  ["a JWT", /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\./],
  ["a private key", /-----BEGIN [A-Z ]*PRIVATE KEY-----/]
]

const digest = (text: string): string => (Hash.string(text) >>> 0).toString(16).padStart(8, "0")

/** Puts names in the place of secrets and prompts, and knows which is whose. */
export interface Redaction {
  /** The request body without its secrets and prompts, which are known from then on. */
  readonly request: (body: Schema.Json) => Schema.Json
  /** Makes a text a secret, and gives its name. */
  readonly hide: (what: string, text: string) => string
  /** Anything without the secrets that are known. */
  readonly without: (json: Schema.Json) => Schema.Json
  readonly textWithout: (text: string) => string
  /** The pieces of a text without those secrets that stand in it part by part. */
  readonly piecesWithout: (pieces: ReadonlyArray<string>) => ReadonlyArray<string>
  /** Anything with the secrets that are known in their places again. */
  readonly withSecrets: (text: string) => string
  /** What must not stand in a recording and does: what it is, never itself. */
  readonly leaks: (text: string) => ReadonlyArray<string>
}

const mapTexts = (json: Schema.Json, map: (text: string, field: string) => string, field = ""): Schema.Json => {
  if (typeof json === "string") return map(json, field)
  if (Array.isArray(json)) return json.map((item) => mapTexts(item, map, field))
  if (typeof json !== "object" || json === null) return json
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, mapTexts(value, map, name)]))
}

/** In a text of JSON, a secret stands as JSON has it. */
const escaped = (text: string): string => JSON.stringify(text).slice(1, -1)

/** A redaction that knows nothing yet but these secrets. */
export const makeRedaction = (known: ReadonlyArray<string> = []): Redaction => {
  const names = new Map<string, string>()
  const texts = new Map<string, string>()

  const hide = (what: string, text: string): string => {
    // A program that plays a recording says again what it was told, and that may be a name already.
    if (text === "" || /^<\w+ [0-9a-f]{8}>$/.test(text)) return text
    const name = names.get(text) ?? `<${what} ${digest(text)}>`
    names.set(text, name)
    texts.set(name, escaped(text))
    // A chat is named by its first question.
    if (what === "userMessage") hide("chatName", ChatName.fromQuestion(text))
    return name
  }

  for (const text of known) hide("secret", text)

  const textWithout = (text: string): string => {
    const exact = names.get(text)
    if (exact !== undefined) return exact
    let result = text
    for (const [secret, name] of names) {
      if (secret.length >= shortest) result = result.replaceAll(secret, name).replaceAll(escaped(secret), name)
    }
    return result
  }

  return {
    hide,
    request: (body) =>
      mapTexts(body, (text, field) => (redactedFields.has(field) ? hide(field, text) : textWithout(text))),
    without: (json) => mapTexts(json, (text) => textWithout(text)),
    textWithout,
    piecesWithout: (pieces) =>
      Parts.without(
        pieces,
        [...names].flatMap(([secret, name]) => (secret.length >= shortest ? [[escaped(secret), name] as const] : []))
      ),
    withSecrets: (text) =>
      text.replace(
        /<(\w+ [0-9a-f]{8})(?: (\d+)-(\d+))?>/g,
        (found, name: string, from: string = "0", to?: string) =>
          texts.get(`<${name}>`)?.slice(Number(from), to === undefined ? undefined : Number(to)) ?? found
      ),
    leaks: (text) => [
      ...[...names].flatMap(([secret, name]) =>
        secret.length >= shortest && (text.includes(secret) || text.includes(escaped(secret))) ? [name] : []
      ),
      ...patterns.flatMap(([what, pattern]) => (pattern.test(text) ? [what] : []))
    ]
  }
}
