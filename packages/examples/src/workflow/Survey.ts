/**
 * A durable fan-out: asks many bots one question, a few at a time, each of them once. A bot that cannot answer does not hold up the others.
 */
import * as Activities from "@effect-chatbot/client/Activities"
import { Effect, Schema } from "effect"
import { Workflow } from "effect/workflow"

/** A question to many bots. */
export const Survey = Workflow.make("Survey", {
  payload: { surveyId: Schema.String, question: Schema.String, bots: Schema.Array(Schema.String) },
  idempotencyKey: ({ surveyId }) => surveyId,
  /** The answers by the codes of the bots, or the tag of what went wrong. */
  success: Schema.Record(Schema.String, Schema.String)
})

/** How many bots are asked at a time. */
const atATime = 3

const ask = (bot: string, question: string) =>
  Effect.gen(function* () {
    const { chatId } = yield* Activities.createByBotCode(`open ${bot}`, bot).pipe(
      Activities.deleteOnFailure(`give up ${bot}`)
    )
    const answer = yield* Effect.result(Activities.complete(`ask ${bot}`, chatId, question))
    yield* Activities.deleteChat(`clean up ${bot}`, chatId)
    return (yield* Effect.fromResult(answer)).assistantMessage ?? ""
  }).pipe(Effect.catch(({ _tag }) => Effect.succeed(_tag)))

/** Runs surveys. */
export const SurveyLive = Survey.toLayer(
  Effect.fnUntraced(function* ({ bots, question }) {
    const answers = yield* Effect.forEach(
      new Set(bots),
      (bot) => Effect.map(ask(bot, question), (answer) => [bot, answer] as const),
      { concurrency: atATime }
    )
    return Object.fromEntries(answers)
  })
)
