import OpenAI from "openai"

const { CHATBOT_BASE_URL = "http://127.0.0.1:8080", CHATBOT_TOKEN } = process.env
const openai = new OpenAI({ baseURL: `${CHATBOT_BASE_URL}/v1`, apiKey: CHATBOT_TOKEN })

const answer = await openai.chat.completions.create({
  model: "client",
  messages: [{ role: "user", content: "How do I page through a list?" }],
  stream: true
})
for await (const { choices } of answer) process.stdout.write(choices[0]?.delta.content ?? "")
