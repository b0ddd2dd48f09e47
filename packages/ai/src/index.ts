/**
 * Bots for programs that speak of language models: as one of `effect/ai`, and as tools of an MCP server.
 */
export * as ChatbotMcp from "./ChatbotMcp.ts"
export * as ChatbotModel from "./ChatbotModel.ts"
