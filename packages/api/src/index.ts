/**
 * The typed HTTP contract of the chatbot backend.
 */
export * as Access from "./Access.ts"
export * as Api from "./Api.ts"
export * as CompletionFailure from "./CompletionFailure.ts"
export * as Document from "./Document.ts"
export * as EventStream from "./EventStream.ts"
export * as Authorization from "./middleware/Authorization.ts"
export * as IdempotencyKeys from "./middleware/IdempotencyKeys.ts"
export * as ProblemResponses from "./middleware/ProblemResponses.ts"
export * as Problem from "./Problem.ts"
export * as Problems from "./Problems.ts"
export * as RetryClass from "./RetryClass.ts"
export * as ServerSentEvents from "./ServerSentEvents.ts"
