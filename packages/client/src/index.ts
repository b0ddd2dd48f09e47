/**
 * The chatbot client: every endpoint as an Effect with its exact errors.
 */
export { Admin } from "./Admin.ts"
export type { BinaryContent } from "./BinaryContent.ts"
export { Bots } from "./Bots.ts"
export { Cache } from "./Cache.ts"
export type { CallError, ClientError } from "./CallError.ts"
export { ChatbotClient, type Groups } from "./ChatbotClient.ts"
export { Chats, type Question } from "./Chats.ts"
export { ClientConfig, type ClientOptions } from "./ClientConfig.ts"
export * as Predicates from "./Predicates.ts"
export { Statistics } from "./Statistics.ts"
export { System } from "./System.ts"
export * as Timeouts from "./Timeouts.ts"
export * as Transport from "./Transport.ts"
export { type DeleteChats, Users } from "./Users.ts"
