import type * as Problem from "@effect-chatbot/api/Problem"
import type { ClientError, StreamError } from "../CallError.ts"

/** All that any call can fail with. */
export type AnyFailure = Problem.BackendError | ClientError | StreamError
