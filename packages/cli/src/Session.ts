/**
 * One run of `start`, once there is a backend: a conversation, answers from a pipe, or the tour.
 */
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { Backend } from "./Backend.ts"
import { converse } from "./Conversation.ts"
import { Keyboard } from "./Keyboard.ts"
import * as Pipe from "./Pipe.ts"
import { tour } from "./Tour.ts"

/** Answers the lines of standard input; if it ends without one, shows the tour instead. Succeeds with the exit code. */
const answerOrTour = Effect.gen(function* () {
  const { stdin } = yield* Stdio.Stdio
  const { asked, failed } = yield* Pipe.answer(stdin.pipe(Stream.decodeText, Stream.splitLines))
  if (asked === 0) yield* tour
  return failed === 0 ? 0 : 1
})

/**
 * Talks with the person where both standard input and output are a terminal, and otherwise answers what comes from standard input.
 * Succeeds with the exit code; fails when the backend is lost.
 */
export const run = Effect.gen(function* () {
  const { baseUrl, lost, token } = yield* Backend
  const stdio = yield* Stdio.Stdio
  const isConversation = (yield* stdio.stdinIsTerminal) && (yield* stdio.stdoutIsTerminal)
  const session = Effect.gen(function* () {
    if (!isConversation) return yield* answerOrTour
    yield* Effect.provide(converse, Keyboard.layer)
    return 0
  })
  return yield* session.pipe(
    Effect.raceFirst(lost),
    Effect.provide(
      Layer.provide(ChatbotClient.layer({ baseUrl, token: Option.getOrUndefined(token) }), NodeTransport.layer)
    )
  )
})
