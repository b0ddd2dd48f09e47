// oxlint-disable chatbot/imports -- what follows stands in the README, and its readers import what is short.
import { ChatbotModel } from "@effect-chatbot/ai"
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import { Console, Effect, Layer, Stream } from "effect"
import { Chat, LanguageModel } from "effect/ai"

const program = Effect.gen(function* () {
  const { text, usage } = yield* LanguageModel.generateText({ prompt: "How do I page through a list?" })
  yield* Console.log(text, usage.outputTokens.total)

  const chat = yield* Chat.fromPrompt([{ role: "system", content: "Answer in one sentence." }])
  yield* Stream.runForEach(chat.streamText({ prompt: "And what is a stream?" }), (part) =>
    part.type === "text-delta" ? Console.log(part.delta) : Effect.void
  )
})

const Client = ChatbotClient.layerConfig.pipe(Layer.provide(NodeTransport.layer))
const Model = ChatbotModel.layer({ botCode: "client" }).pipe(Layer.provide(Client))

await Effect.runPromise(Effect.provide(program, Model))
