/**
 * Models, ids and errors of the chatbot contract.
 */
export * as Bot from "./Bot.ts"
export * as Chat from "./Chat.ts"
export * as CompletionEvent from "./CompletionEvent.ts"
export * as Errors from "./Errors.ts"
export * as Ids from "./Ids.ts"
export * as OpenAiService from "./OpenAiService.ts"
export * as Page from "./Page.ts"
export * as PlainDate from "./PlainDate.ts"
export * as SystemMessage from "./SystemMessage.ts"
export * as TextBoolean from "./TextBoolean.ts"
export * as TokenUsage from "./TokenUsage.ts"
export * as User from "./User.ts"
