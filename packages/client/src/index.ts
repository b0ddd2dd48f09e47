/**
 * The chatbot client: every endpoint as an Effect with its exact errors.
 *
 * `CircuitBreaker` and `Telemetry` are off by default and large, and imported by their path.
 */
export { Admin } from "./Admin.ts"
export { AdminBots } from "./AdminBots.ts"
export type { BinaryContent } from "./BinaryContent.ts"
export { Bots } from "./Bots.ts"
export * as Bulkhead from "./Bulkhead.ts"
export { Cache } from "./Cache.ts"
export type { CallError, ClientError, StreamError } from "./CallError.ts"
export * as CallStory from "./CallStory.ts"
export { ChatbotClient, type Groups } from "./ChatbotClient.ts"
export { Chats, type Question } from "./Chats.ts"
export { ClientConfig, type ClientOptions } from "./ClientConfig.ts"
export * as Completion from "./Completion.ts"
export * as IdempotencyKeys from "./IdempotencyKeys.ts"
export * as Predicates from "./Predicates.ts"
export * as RateLimit from "./RateLimit.ts"
export * as RetryPolicy from "./RetryPolicy.ts"
export * as Sources from "./Sources.ts"
export { Statistics } from "./Statistics.ts"
export { System } from "./System.ts"
export * as Timeouts from "./Timeouts.ts"
export * as Transport from "./Transport.ts"
export { type DeleteChats, Users } from "./Users.ts"
