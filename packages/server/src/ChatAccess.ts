/**
 * Which chats a caller may use. A chat that is missing and one of somebody else are the same to a caller, and take the same time: the
 * database finds neither.
 */
import type { Caller } from "@effect-chatbot/api/middleware/Authorization"
import { ChatNotFound } from "@effect-chatbot/schema/Errors"
import type { ChatId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type SignedIn, userId } from "./Callers.ts"
import { ChatRepository, type ChatRow, type Reach } from "./repositories/ChatRepository.ts"

/** Which chats a caller may use. */
export class ChatAccess extends Context.Service<
  ChatAccess,
  {
    /** A chat of the caller, or an anonymous one: whoever knows the unguessable id of that may use it, signed in or not. */
    readonly reachable: (caller: Caller, chatId: ChatId) => Effect.Effect<ChatRow, ChatNotFound>
    /** A chat of the caller. */
    readonly own: (caller: SignedIn, chatId: ChatId) => Effect.Effect<ChatRow, ChatNotFound>
  }
>()("@effect-chatbot/server/ChatAccess") {
  /** The chats in the database. */
  static readonly layer: Layer.Layer<ChatAccess, never, ChatRepository> = Layer.effect(
    ChatAccess,
    Effect.map(ChatRepository, (chats) => {
      const find = Effect.fnUntraced(function* (chatId: ChatId, reach: Reach) {
        const chat = yield* chats.find(chatId, reach)
        return chat ?? (yield* new ChatNotFound({ chatId }))
      })
      return {
        reachable: (caller, chatId) => find(chatId, { userId: userId(caller), orAnonymous: true }),
        own: (caller, chatId) => find(chatId, { userId: caller.id, orAnonymous: false })
      }
    })
  )
}
