/**
 * What may be asked: a question is counted in tokens and searched with, so it is bounded far below the limit of bodies.
 */
import { InvalidRequest } from "@effect-chatbot/schema/Errors"
import * as Effect from "effect/Effect"

/** The most characters a question may have. */
export const maxLength = 64_000

/** Refuses a question that is too long. */
export const check = (userMessage: string): Effect.Effect<void, InvalidRequest> =>
  userMessage.length <= maxLength
    ? Effect.void
    : Effect.fail(
        new InvalidRequest({
          issues: [{ path: ["payload", "userMessage"], message: `Expected at most ${maxLength} characters` }]
        })
      )
