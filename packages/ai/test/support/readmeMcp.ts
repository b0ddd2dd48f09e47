import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"

const agent = new Client({ name: "my-agent", version: "1.0.0" })
const { CHATBOT_BASE_URL = "http://127.0.0.1:8080", CHATBOT_TOKEN = "" } = process.env
await agent.connect(
  new StdioClientTransport({
    command: "node",
    args: ["packages/ai/src/mcp.ts"],
    env: { CHATBOT_BASE_URL, CHATBOT_TOKEN }
  })
)

const { content } = await agent.callTool({
  name: "ask_bot",
  arguments: { botCode: "client", question: "How do I page through a list?" }
})
console.log(content)
await agent.close()
