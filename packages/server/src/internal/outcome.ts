/**
 * What became of a run, as a text, for whoever waits for it in another process.
 */
import { Problems } from "@effect-chatbot/api/Problems"
import { Completion } from "@effect-chatbot/schema/Chat"
import { InternalError } from "@effect-chatbot/schema/Errors"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type { Failure } from "./run.ts"

/** A run, as far as others care: its answer, or what it has failed with. */
const Outcome = Schema.fromJsonString(
  Schema.toCodecJson(
    Schema.Union([
      Schema.Struct({ completion: Completion }),
      Schema.Struct({
        error: Schema.Union([
          Problems.BotsStopped,
          Problems.ChatNotFound,
          Problems.IdempotencyKeyInUse,
          Problems.InternalError,
          Problems.ProviderFailed,
          Problems.ProviderTimedOut,
          Problems.RateLimited,
          Problems.Unavailable
        ])
      })
    ])
  )
)

const encodeOutcome = Schema.encodeSync(Outcome)
const decodeOutcome = Schema.decodeUnknownEffect(Outcome)

/** The text for a result. */
export const encode = (result: Exit.Exit<Completion, Failure>): string => {
  if (Exit.isSuccess(result)) return encodeOutcome({ completion: result.value })
  const failure = Exit.findError(result)
  if (failure._tag === "Success") return encodeOutcome({ error: failure.success })
  const defect = Exit.findDefect(result)
  const isKnown = defect._tag === "Success" && defect.success instanceof InternalError
  return encodeOutcome({ error: isKnown ? defect.success : new InternalError({ ref: "" }) })
}

/** The result that a text is of. A defect of the run is one here too. */
export const decode = Effect.fnUntraced(function* (text: string): Effect.fn.Return<Completion, Failure> {
  const outcome = yield* Effect.orDie(decodeOutcome(text))
  if ("completion" in outcome) return outcome.completion
  return yield* outcome.error._tag === "InternalError" ? Effect.die(outcome.error) : Effect.fail(outcome.error)
})
