// oxlint-disable chatbot/imports -- what follows stands in the README, and its readers import what is short.
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import { Console, Effect, Layer, Stream } from "effect"

const program = Effect.gen(function* () {
  const { bots, chats } = yield* ChatbotClient
  yield* Stream.runForEach(bots.items(), (bot) => Console.log(`${bot.code}: ${bot.displayName}`))

  const { chatId } = yield* chats.createByBotCode("client")
  const answer = yield* chats.complete(chatId, "How do I page through a list?")
  yield* Console.log(answer.assistantMessage)
}).pipe(
  Effect.catchTags({
    BotNotFound: () => Console.log("This backend has no such bot."),
    RateLimited: ({ retryAfter }) => Console.log("Too many questions. Try again in", retryAfter)
  })
)

// CHATBOT_BASE_URL says where the backend is, CHATBOT_TOKEN who calls.
const Client = ChatbotClient.layerConfig.pipe(Layer.provide(NodeTransport.layer))

await Effect.runPromise(Effect.provide(program, Client))
