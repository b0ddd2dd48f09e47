/**
 * The chatbot backend, for programs that run it in their own process. To run it by itself: `@effect-chatbot/server/main`.
 */
export * as Backend from "./Backend.ts"
export * as BotsFolder from "./BotsFolder.ts"
export * as BotsSync from "./BotsSync.ts"
export * as Server from "./Server.ts"
export * as ServerConfig from "./ServerConfig.ts"
export * as Tokens from "./Tokens.ts"
