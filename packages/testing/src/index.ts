/**
 * What tests of programs that use the chatbot client need: the backend in memory, mocks, faults and recordings; and what backends are checked with.
 */
export * as Arbitraries from "./Arbitraries.ts"
export * as ChatbotTest from "./ChatbotTest.ts"
export * as ChatLife from "./ChatLife.ts"
export * as Conformance from "./Conformance.ts"
export * as ConformanceReport from "./ConformanceReport.ts"
export * as Faults from "./Faults.ts"
export * as Recorder from "./Recorder.ts"
export * as Recording from "./Recording.ts"
export type * as Model from "./Model.ts"
export type * as Seed from "./Seed.ts"
