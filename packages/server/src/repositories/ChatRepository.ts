/**
 * The chats in the database.
 */
import type { ChatSummary } from "@effect-chatbot/schema/Chat"
import { BotId, ChatId, UserId, UserSystemMessageId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import {
  affected,
  bit,
  contains,
  Flag,
  iso,
  nullable,
  order,
  reader,
  run,
  slice,
  unlocked,
  Utc
} from "../internal/rows.ts"
import type { PageRequest, Slice } from "../Paging.ts"
import * as SearchText from "../SearchText.ts"

/** A chat as the database has it, with the names of what it refers to. */
export const ChatRow = Schema.Struct({
  chatId: ChatId,
  botId: BotId,
  botDisplayName: Schema.String,
  /** Absent for an anonymous chat. */
  userId: nullable(UserId),
  /** The name of the chat; that of its bot as long as it has none of its own. */
  displayName: Schema.String,
  isFavorite: Flag,
  userSystemMessageId: nullable(UserSystemMessageId),
  userSystemMessageDisplayName: nullable(Schema.String),
  createdUtc: Utc,
  lastAccessedUtc: Utc
})

/** A chat as the database has it, with the names of what it refers to. */
export interface ChatRow extends Schema.Schema.Type<typeof ChatRow> {}

/** Whose a chat must be for somebody to find it. */
export interface Reach {
  /** Absent for somebody who is not signed in, and has no chats. */
  readonly userId: UserId | undefined
  /** Whether an anonymous one is found too. */
  readonly orAnonymous: boolean
}

/** Which chats of a user; all by default. */
export interface ChatFilter {
  readonly botId?: BotId | undefined
  readonly userSystemMessageId?: UserSystemMessageId | undefined
  /** Favourites only, or all but favourites. */
  readonly isFavorite?: boolean | undefined
}

/** Which chats were left for too long. */
export type Outdated =
  /** Of users who keep no history. */
  | { readonly _tag: "NotKept" }
  /** Of users who keep their history for this number of days. */
  | { readonly _tag: "KeptForDays"; readonly days: number }
  /** Of nobody. */
  | { readonly _tag: "Anonymous" }
  /** That were there for one answer. */
  | { readonly _tag: "OneTime" }

const Row = reader(ChatRow)
const Answered = reader(Schema.Struct({ displayName: Schema.String }))

/** The chats in the database. */
export class ChatRepository extends Context.Service<
  ChatRepository,
  {
    /** A chat within reach. One that is not costs what one costs that is not there. */
    readonly find: (id: ChatId, reach: Reach) => Effect.Effect<ChatRow | undefined>
    readonly list: (
      userId: UserId,
      filter: ChatFilter,
      request: PageRequest<keyof ChatSummary>
    ) => Effect.Effect<Slice<ChatRow>>
    /** Stores a chat. One that is there for one answer is in no list, and none of those that are deleted together. */
    readonly insert: (
      chat: {
        readonly id: ChatId
        readonly botId: BotId
        readonly userId: UserId | undefined
        readonly isOneTime: boolean
      },
      now: DateTime.Utc
    ) => Effect.Effect<void>
    /** Notes that a chat was used. */
    readonly touch: (id: ChatId, now: DateTime.Utc) => Effect.Effect<void>
    /** Notes that a chat was answered in, and names it unless it has a name. Gives its name, if it is there. */
    readonly answered: (id: ChatId, name: string, now: DateTime.Utc) => Effect.Effect<string | undefined>
    readonly rename: (id: ChatId, displayName: string) => Effect.Effect<void>
    readonly setFavorite: (id: ChatId, isFavorite: boolean) => Effect.Effect<void>
    readonly setUserSystemMessage: (id: ChatId, messageId: UserSystemMessageId | undefined) => Effect.Effect<void>
    /** Deletes a chat and its completions. */
    readonly delete: (id: ChatId) => Effect.Effect<void>
    readonly deleteMany: (userId: UserId, filter: ChatFilter) => Effect.Effect<void>
    /** Deletes some of the chats last used before a time, and tells how many. Favourites kept for ever are not among them. */
    readonly deleteOutdated: (which: Outdated, before: DateTime.Utc, limit: number) => Effect.Effect<number>
  }
>()("@effect-chatbot/server/repositories/ChatRepository") {
  /** The chats in the database. */
  static readonly layer: Layer.Layer<ChatRepository, never, SqlClient.SqlClient> = Layer.effect(
    ChatRepository,
    Effect.map(SqlClient.SqlClient, (sql) => {
      const select = sql`SELECT c.id AS chat_id, c.bot_id, b.display_name AS bot_display_name, c.user_id,
        coalesce(c.display_name, b.display_name) AS display_name, c.is_favorite, c.user_system_message_id,
        m.display_name AS user_system_message_display_name, c.created_utc, c.last_accessed_utc`
      const joins = sql`chats c JOIN bots b ON b.id = c.bot_id
        LEFT JOIN user_system_messages m ON m.id = c.user_system_message_id`
      const name = "coalesce(c.search_name, b.search_name)"
      const orders = {
        chatId: "c.id",
        displayName: name,
        lastAccessedUtc: "c.last_accessed_utc",
        botId: "c.bot_id",
        botDisplayName: "b.search_name",
        userSystemMessageId: "coalesce(c.user_system_message_id, '')",
        userSystemMessageDisplayName: "coalesce(m.search_name, '')",
        isFavorite: "c.is_favorite"
      } as const
      const matches = (userId: UserId, filter: ChatFilter) => [
        sql`c.user_id = ${userId} AND c.is_one_time = 0`,
        ...(filter.botId === undefined ? [] : [sql`c.bot_id = ${filter.botId}`]),
        ...(filter.userSystemMessageId === undefined
          ? []
          : [sql`c.user_system_message_id = ${filter.userSystemMessageId}`]),
        ...(filter.isFavorite === undefined ? [] : [sql`c.is_favorite = ${bit(filter.isFavorite)}`])
      ]
      const outdated = (which: Outdated) => {
        switch (which._tag) {
          case "NotKept":
            return sql`u.is_keep_chat_history = 0 AND (c.is_favorite = 0 OR u.is_keep_favorites_forever = 0)`
          case "KeptForDays":
            return sql`u.keep_chat_history_for_days = ${which.days}
              AND (c.is_favorite = 0 OR u.is_keep_favorites_forever = 0)`
          case "Anonymous":
            return sql`c.user_id IS NULL`
          case "OneTime":
            return sql`c.is_one_time = 1`
        }
      }
      return {
        find: (id, { orAnonymous, userId }) => {
          const owners = [
            ...(userId === undefined ? [] : [sql`c.user_id = ${userId}`]),
            ...(orAnonymous ? [sql`c.user_id IS NULL`] : [])
          ]
          return Row.first("find a chat", sql`${select} FROM ${joins} WHERE c.id = ${id} AND ${sql.or(owners)}`)
        },
        list: (userId, filter, request) => {
          const where = sql.and([
            ...matches(userId, filter),
            ...(request.search === undefined
              ? []
              : [
                  sql.or([
                    contains(sql, name, request.search),
                    contains(sql, "b.search_name", request.search),
                    contains(sql, "m.search_name", request.search)
                  ])
                ])
          ])
          return slice("list chats", Row, {
            // Without a search the joins cannot change the count.
            count: sql`SELECT CAST(count(*) AS INTEGER) AS total
              FROM ${request.search === undefined ? sql.literal("chats c") : joins} WHERE ${where}`,
            rows: sql`${select} FROM ${joins} WHERE ${where} ${order(sql, request, orders, ["c.id"])}`
          })
        },
        insert: ({ botId, id, isOneTime, userId }, now) =>
          run(
            "store a chat",
            sql`INSERT INTO chats ${sql.insert({
              id,
              botId,
              userId: userId ?? null,
              isFavorite: 0,
              isOneTime: bit(isOneTime),
              createdUtc: iso(now),
              lastAccessedUtc: iso(now)
            })}`
          ),
        touch: (id, now) =>
          run("note the use of a chat", sql`UPDATE chats SET last_accessed_utc = ${iso(now)} WHERE id = ${id}`),
        answered: (id, name, now) =>
          Effect.map(
            Answered.first(
              "note the answer of a chat",
              sql`UPDATE chats SET last_accessed_utc = ${iso(now)}, display_name = coalesce(display_name, ${name}),
                search_name = coalesce(search_name, ${SearchText.fold(name)})
                WHERE id = ${id} RETURNING display_name`
            ),
            (row) => row?.displayName
          ),
        rename: (id, displayName) =>
          run(
            "rename a chat",
            sql`UPDATE chats SET ${sql.update({ displayName, searchName: SearchText.fold(displayName) })} WHERE id = ${id}`
          ),
        setFavorite: (id, isFavorite) =>
          run("make a chat a favourite", sql`UPDATE chats SET is_favorite = ${bit(isFavorite)} WHERE id = ${id}`),
        setUserSystemMessage: (id, messageId) =>
          run(
            "attach a user system message to a chat",
            sql`UPDATE chats SET user_system_message_id = ${messageId ?? null} WHERE id = ${id}`
          ),
        delete: (id) => run("delete a chat", sql`DELETE FROM chats WHERE id = ${id}`),
        deleteMany: (userId, filter) =>
          run("delete chats", sql`DELETE FROM chats AS c WHERE ${sql.and(matches(userId, filter))}`),
        deleteOutdated: (which, before, limit) =>
          affected(
            "delete outdated chats",
            sql`DELETE FROM chats WHERE id IN (
              SELECT c.id FROM chats c LEFT JOIN users u ON u.id = c.user_id
              WHERE ${outdated(which)} AND c.last_accessed_utc < ${iso(before)}
              LIMIT ${limit} ${unlocked(sql, "c")}
            ) RETURNING id`
          )
      }
    })
  )
}
