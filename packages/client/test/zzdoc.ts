import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import * as Timeouts from "@effect-chatbot/client/Timeouts"
import * as Transport from "@effect-chatbot/client/Transport"
import type { ChatId } from "@effect-chatbot/schema/Ids"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"

const Client = ChatbotClient.layer({
  baseUrl: "http://127.0.0.1:8080",
  token: "my-token"
}).pipe(Layer.provide(Transport.layer))

const program = Effect.gen(function*() {
  const { users } = yield* ChatbotClient
  const user = yield* users.current
  yield* Effect.log(user.login)
})
export const x1 = Effect.runPromise(program.pipe(Effect.provide(Client)))
export const ask = Effect.gen(function*() {
  const { chats } = yield* ChatbotClient
  const chat = yield* chats.createByBotCode("guide")
  const answer = yield* chats.complete(chat.chatId, "What can you do?")
  yield* Effect.log(answer.assistantMessage, answer.metaData.sources)
})
export const allBots = Effect.gen(function*() {
  const { bots } = yield* ChatbotClient
  return yield* Stream.runCollect(bots.items())
})
export const rest = (chatId: ChatId) => Effect.gen(function*() {
  const { bots, chats, users } = yield* ChatbotClient
  const page = yield* bots.list({ pageNumber: 2, pageSize: 50 })
  const chat = chats.get(chatId).pipe(
    Effect.catchTag("ChatNotFound", () => Effect.succeed(undefined))
  )
  const { contentType, stream } = yield* chats.download(chatId, "client/install.md")
  const bytes = yield* Stream.mkUint8Array(stream)
  yield* users.deleteChats({ keepFavorites: true })
  yield* chats.get(chatId).pipe(
    Effect.provideService(Timeouts.Timeouts, { ...Timeouts.standard, attempt: "5 seconds" })
  )
  return { page, chat, contentType, bytes }
})
export const C2 = ChatbotClient.layerConfig.pipe(Layer.provide(NodeTransport.layer))
