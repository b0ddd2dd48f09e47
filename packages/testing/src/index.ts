/**
 * What tests of programs that use the chatbot client need: the backend in memory, mocks, faults and recordings.
 */
export * as ChatbotTest from "./ChatbotTest.ts"
export * as Faults from "./Faults.ts"
export type * as Model from "./Model.ts"
export type * as Seed from "./Seed.ts"
