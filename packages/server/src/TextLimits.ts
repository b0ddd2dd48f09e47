/**
 * How long the texts may be that callers store. Lists show a hundred names at once and every question counts its words and those of the
 * user system message, so texts are bounded far below the limit of bodies.
 */
import { InvalidRequest } from "@effect-chatbot/schema/Errors"
import * as Effect from "effect/Effect"
import * as Struct from "effect/Struct"

/** The most characters of each text, by its name in the contract. */
export const limits = {
  assistantMessage: 64_000,
  azureOpenAiEndpoint: 2_000,
  displayName: 200,
  systemMessage: 32_000,
  userComment: 16_000,
  userMessage: 64_000,
  value: 4_000
} as const

/** Texts of a payload, by their names in the contract. */
export type Texts = { readonly [Name in keyof typeof limits]?: string | undefined }

const names: ReadonlyArray<keyof Texts> = Struct.keys(limits)

/** Refuses texts that are too long, and those of the names in `needed` that are blank; all of them at once. */
export const check = (texts: Texts, needed: ReadonlyArray<keyof Texts> = []): Effect.Effect<void, InvalidRequest> => {
  const issues = names.flatMap((name) => {
    const text = texts[name]
    const message =
      text !== undefined && text.length > limits[name]
        ? `Expected at most ${limits[name]} characters`
        : needed.includes(name) && (text === undefined || text.trim() === "")
          ? "Expected a text that is not blank"
          : undefined
    return message === undefined ? [] : [{ path: ["payload", name], message }]
  })
  return issues.length === 0 ? Effect.void : Effect.fail(new InvalidRequest({ issues }))
}
