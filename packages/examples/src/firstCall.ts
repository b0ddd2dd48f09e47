/**
 * A first call: asks a bot a question, and prints the answer with its sources.
 *
 * ```sh
 * pnpm serve
 * node packages/examples/src/firstCall.ts "How do I page through a list?"
 * ```
 *
 * `CHATBOT_BASE_URL` says where the backend is (`http://127.0.0.1:8080` by default), `CHATBOT_TOKEN` who calls (nobody by default: who has
 * no token may chat with the open bot).
 */
import { ChatbotClient } from "@effect-chatbot/client"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Layer } from "effect"

const [, , question = "How do I page through a list?"] = process.argv

const program = Effect.gen(function* () {
  const { chats } = yield* ChatbotClient
  const { chatId } = yield* chats.createByBotCode("guide")
  const { assistantMessage, metaData } = yield* chats.complete(chatId, question)
  yield* Console.log(assistantMessage)
  for (const { fileName } of metaData?.sources ?? []) yield* Console.log(`- ${fileName}`)
})

const Client = ChatbotClient.layerConfig.pipe(Layer.provide(NodeTransport.layer))

program.pipe(Effect.provide(Client), NodeRuntime.runMain)
