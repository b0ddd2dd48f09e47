/**
 * How long the texts may be that callers store. Lists show a hundred names at once and every question counts its words and those of the
 * user system message, so texts are bounded far below the limit of bodies.
 */
import { InvalidRequest } from "@effect-chatbot/schema/Errors"
import * as Effect from "effect/Effect"

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

/** Refuses texts that are too long, all of them at once. */
export const check = (texts: Texts): Effect.Effect<void, InvalidRequest> => {
  const issues = Object.entries(limits).flatMap(([name, limit]) =>
    (texts[name as keyof Texts]?.length ?? 0) > limit
      ? [{ path: ["payload", name], message: `Expected at most ${limit} characters` }]
      : []
  )
  return issues.length === 0 ? Effect.void : Effect.fail(new InvalidRequest({ issues }))
}
