/**
 * Answers from a pipe: a question a line, an answer a line.
 */
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import type { ChatId } from "@effect-chatbot/schema/Ids"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { explain } from "./Explain.ts"
import * as Render from "./Render.ts"
import { Screen } from "./Screen.ts"
import * as Talk from "./Talk.ts"

/** How the questions of a pipe went. */
export interface Outcome {
  /** How many there were. */
  readonly asked: number
  /** How many of them were not answered. */
  readonly failed: number
}

/**
 * Asks each line that is not blank in one chat, one after the other, and shows each answer on one line. A question that fails is told
 * about on standard error, and the next one is asked. Nothing is asked of the backend before the first question.
 */
export const answer = Effect.fnUntraced(function* <E, R>(lines: Stream.Stream<string, E, R>) {
  const { chats } = yield* ChatbotClient
  const screen = yield* Screen
  let chatId: ChatId | undefined
  let asked = 0
  let failed = 0

  const ask = Effect.fnUntraced(function* (question: string) {
    chatId ??= (yield* Talk.open).chatId
    const { assistantMessage } = yield* chats.complete(chatId, question)
    yield* screen.lines(Render.fold(assistantMessage ?? ""))
  })

  yield* Stream.runForEach(lines, (line) => {
    const question = line.trim()
    if (question === "") return Effect.void
    asked++
    return ask(question).pipe(
      Effect.catch((error) => {
        failed++
        return Console.error(`Question ${asked} was not answered: ${explain(error)}`)
      })
    )
  })
  return { asked, failed } satisfies Outcome
})
