/** A backend on a port with one bot, the guide, that begins to answer and never ends. */
import * as ChatbotTest from "@effect-chatbot/testing/ChatbotTest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import type { Environment } from "./Program.ts"
import { server } from "./Sockets.ts"

/** The backend. */
export class Slow extends Context.Service<
  Slow,
  {
    readonly env: Environment
    /** Waits until an answer was stopped, and gives the question. Leaving an answer does not stop it. */
    readonly stopped: Effect.Effect<string>
  }
>()("test/Slow") {
  static readonly layerWith = (options: Pick<ChatbotTest.Options, "corsOrigins"> = {}) =>
    Layer.unwrap(
      Effect.gen(function* () {
        const stopped = yield* Queue.unbounded<string>()
        const backend = ChatbotTest.layerServed({
          ...options,
          bots: { guide: { isOpen: true } },
          answers: ({ userMessage }) =>
            Stream.make("One,", " two,").pipe(
              Stream.concat(Stream.never),
              Stream.ensuring(Queue.offer(stopped, userMessage))
            )
        })
        const slow = Effect.gen(function* () {
          const { baseUrl, tokenOf } = yield* ChatbotTest.Backend
          const token = Redacted.value(yield* tokenOf("ada"))
          return { env: { CHATBOT_BASE_URL: baseUrl, CHATBOT_TOKEN: token }, stopped: Queue.take(stopped) }
        })
        return Layer.provideMerge(Layer.effect(Slow, slow), backend)
      })
    ).pipe(Layer.provide([Layer.fresh(server), Logger.layer([])]))

  static readonly layer = Slow.layerWith()
}
