/** The calls that meet the faults. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { chatId } from "./Answer.ts"
import { prompt, ticket } from "./Canaries.ts"
import type { Call } from "./Fault.ts"

/** Of the class `safe`. */
export const get: Call = ({ chats }) => chats.get(chatId)

/** Of the class `keyed`: asks a question, of which is counted how often it is answered. */
export const complete: Call = ({ chats }) => chats.complete(chatId, prompt)

/** The same as a stream. */
export const stream: Call = ({ chats }, onEvent) =>
  Stream.runForEach(chats.stream(chatId, prompt), (event) => Effect.sync(() => onEvent(event)))

/** Sent once, with a ticket in its URL. */
export const download: Call = ({ chats }) =>
  Effect.flatMap(chats.download(chatId, "a.md", { ticket }), ({ stream }) => Stream.mkUint8Array(stream))

/** All of them. */
export const calls: ReadonlyArray<Call> = [get, complete, stream, download]
