import { createChatbotClient } from "@effect-chatbot/client/promise"

await using client = createChatbotClient({
  baseUrl: process.env["CHATBOT_BASE_URL"] ?? "http://127.0.0.1:8080",
  token: process.env["CHATBOT_TOKEN"]
})

for await (const bot of client.bots.items()) console.log(`${bot.code}: ${bot.displayName}`)

const { chatId } = await client.chats.createByBotCode("client")
const answer = client.chats.stream(chatId, "How do I page through a list?", { signal: AbortSignal.timeout(60_000) })
for await (const text of answer.text()) process.stdout.write(text)
