/**
 * The parts of the chatbot command.
 */
export * as Backend from "./Backend.ts"
export * as Conversation from "./Conversation.ts"
export * as Explain from "./Explain.ts"
export * as Keyboard from "./Keyboard.ts"
export * as Pipe from "./Pipe.ts"
export * as Render from "./Render.ts"
export * as Screen from "./Screen.ts"
export * as Session from "./Session.ts"
export * as Spinner from "./Spinner.ts"
export * as Talk from "./Talk.ts"
export * as Tour from "./Tour.ts"
