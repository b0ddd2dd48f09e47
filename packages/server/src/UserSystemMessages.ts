/**
 * The standing instructions that a user keeps for bots.
 */
import { type InvalidRequest, UserSystemMessageNotFound } from "@effect-chatbot/schema/Errors"
import { UserSystemMessageId } from "@effect-chatbot/schema/Ids"
import type { Page, PageQuery } from "@effect-chatbot/schema/Page"
import {
  type EditUserSystemMessage,
  type UserSystemMessage,
  type UserSystemMessageCount,
  UserSystemMessageSummary
} from "@effect-chatbot/schema/User"
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { SignedIn } from "./Callers.ts"
import * as Paging from "./Paging.ts"
import { UserSystemMessageRepository } from "./repositories/UserSystemMessageRepository.ts"
import * as TextLimits from "./TextLimits.ts"

/** The user system messages of the user who calls; those of others are not found. */
export class UserSystemMessages extends Context.Service<
  UserSystemMessages,
  {
    /** By their names, unless another order is asked for. */
    readonly list: (caller: SignedIn, query: PageQuery) => Effect.Effect<Page<UserSystemMessageSummary>, InvalidRequest>
    /** With `isOneTime`, for one answer; its maker deletes it. */
    readonly create: (
      caller: SignedIn,
      message: EditUserSystemMessage,
      options?: { readonly isOneTime: boolean }
    ) => Effect.Effect<UserSystemMessageId, InvalidRequest>
    readonly get: (
      caller: SignedIn,
      id: UserSystemMessageId
    ) => Effect.Effect<UserSystemMessage, UserSystemMessageNotFound>
    /** Chats that follow it follow the new text from their next question on. */
    readonly update: (
      caller: SignedIn,
      id: UserSystemMessageId,
      message: EditUserSystemMessage
    ) => Effect.Effect<void, InvalidRequest | UserSystemMessageNotFound>
    /** Chats that followed it stay, and follow none. */
    readonly delete: (caller: SignedIn, id: UserSystemMessageId) => Effect.Effect<void, UserSystemMessageNotFound>
    readonly count: (caller: SignedIn) => Effect.Effect<UserSystemMessageCount>
  }
>()("@effect-chatbot/server/UserSystemMessages") {
  /** The user system messages in the database. */
  static readonly layer: Layer.Layer<
    UserSystemMessages,
    never,
    UserSystemMessageRepository | SecureRandom.SecureRandom
  > = Layer.effect(
    UserSystemMessages,
    Effect.gen(function* () {
      const messages = yield* UserSystemMessageRepository
      const random = yield* SecureRandom.SecureRandom

      const unlessMissing = (id: UserSystemMessageId) => (found: boolean) =>
        found ? Effect.void : Effect.fail(new UserSystemMessageNotFound({ userSystemMessageId: id }))

      const list = Effect.fn("UserSystemMessages.list")(function* (caller: SignedIn, query: PageQuery) {
        const request = yield* Paging.request(query, {
          fields: UserSystemMessageSummary.fields,
          orderBy: "displayName"
        })
        return Paging.page(request, yield* messages.list(caller.id, request))
      })

      const create = Effect.fn("UserSystemMessages.create")(function* (
        caller: SignedIn,
        message: EditUserSystemMessage,
        { isOneTime }: { readonly isOneTime: boolean } = { isOneTime: false }
      ) {
        yield* TextLimits.check(message, ["displayName", "systemMessage"])
        const id = UserSystemMessageId.make(yield* random.uuidV7())
        yield* messages.insert(caller.id, id, { ...message, isOneTime }, yield* DateTime.now)
        return id
      })

      const get = Effect.fn("UserSystemMessages.get")(function* (caller: SignedIn, id: UserSystemMessageId) {
        const message = yield* messages.find(caller.id, id)
        return message ?? (yield* new UserSystemMessageNotFound({ userSystemMessageId: id }))
      })

      const update = Effect.fn("UserSystemMessages.update")(function* (
        caller: SignedIn,
        id: UserSystemMessageId,
        message: EditUserSystemMessage
      ) {
        yield* TextLimits.check(message, ["displayName", "systemMessage"])
        const found = yield* messages.update(caller.id, id, message, yield* DateTime.now)
        yield* unlessMissing(id)(found)
      })

      const remove = Effect.fn("UserSystemMessages.delete")((caller: SignedIn, id: UserSystemMessageId) =>
        Effect.flatMap(messages.delete(caller.id, id), unlessMissing(id))
      )

      const count = Effect.fn("UserSystemMessages.count")((caller: SignedIn) =>
        Effect.map(messages.count(caller.id), (systemMessageCount) => ({ systemMessageCount }))
      )

      return { list, create, get, update, delete: remove, count }
    })
  )
}
