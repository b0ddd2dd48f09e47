/**
 * How long the texts may be that callers store, and of what. Lists show a hundred names at once and every question counts its words and those of the
 * user system message, so texts are bounded far below the limit of bodies.
 */
import { InvalidRequest } from "@effect-chatbot/schema/Errors"
import type { TermValue } from "@effect-chatbot/schema/TermValue"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Struct from "effect/Struct"

/** The most characters of each text, by its name in the contract; of a text in two languages, of each. */
export const limits = {
  adminComment: 16_000,
  adminLogins: 16_000,
  assistantMessage: 64_000,
  azureOpenAiEndpoint: 2_000,
  baseSystemMessage: 20_000,
  blobClientConnectionString: 4_000,
  configurationRaw: 64_000,
  contributorLogins: 16_000,
  descriptionTv: 2_000,
  displayMessageTv: 2_000,
  displayName: 200,
  displayNameTv: 100,
  embeddingModelName: 200,
  factText: 4_000,
  indexFields: 4_000,
  indexName: 200,
  keywords: 10_000,
  modelName: 200,
  sampleQuestion1Tv: 500,
  sampleQuestion2Tv: 500,
  searchClientCredential: 4_000,
  searchClientEndpoint: 2_000,
  searchFilter: 4_000,
  semanticSearchConfigurationName: 200,
  systemMessage: 32_000,
  userComment: 16_000,
  userLogins: 16_000,
  userMessage: 64_000,
  value: 4_000
} as const

type Text = string | Redacted.Redacted | TermValue | undefined

/** Texts of a payload, by their names in the contract. */
export type Texts = { readonly [Name in keyof typeof limits]?: Text }

const names: ReadonlyArray<keyof Texts> = Struct.keys(limits)

/** The texts in a text, the one that may be needed first, with where each stands in it. */
const partsOf = (text: Text): ReadonlyArray<readonly [path: ReadonlyArray<string>, text: string | undefined]> => {
  if (Redacted.isRedacted(text)) return [[[], Redacted.value(text)]]
  if (typeof text === "object") {
    return [
      [["value"], text.value],
      [["valueDe"], text.valueDe]
    ]
  }
  return [[[], text]]
}

/** Whether a text has neither NUL characters, which PostgreSQL cannot store, nor halves of characters, which have no UTF-8. */
export const isPlain = (text: string): boolean => !text.includes("\0") && text.isWellFormed()

/** What is said of a text that is not plain. */
export const plainMessage = "Expected a text without NUL characters and without halves of characters"

/** A text as it can be stored, of a source that is not to be refused. */
export const toPlain = (text: string): string => text.toWellFormed().replaceAll("\0", "\uFFFD")

/** Refuses texts that are too long or not plain, and those of the names in `needed` that are blank; all of them at once. */
export const check = (texts: Texts, needed: ReadonlyArray<keyof Texts> = []): Effect.Effect<void, InvalidRequest> => {
  const issues = names.flatMap((name) =>
    partsOf(texts[name]).flatMap(([path, text], index) => {
      const message =
        text !== undefined && text.length > limits[name]
          ? `Expected at most ${limits[name]} characters`
          : index === 0 && needed.includes(name) && (text === undefined || text.trim() === "")
            ? "Expected a text that is not blank"
            : text !== undefined && !isPlain(text)
              ? plainMessage
              : undefined
      return message === undefined ? [] : [{ path: ["payload", name, ...path], message }]
    })
  )
  return issues.length === 0 ? Effect.void : Effect.fail(new InvalidRequest({ issues }))
}
