/**
 * The user system messages in the database.
 */
import { type UserId, UserSystemMessageId } from "@effect-chatbot/schema/Ids"
import type { EditUserSystemMessage, UserSystemMessageSummary } from "@effect-chatbot/schema/User"
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import { affected, bit, contains, iso, order, reader, run, slice, total, touches, unlocked } from "../internal/rows.ts"
import type { PageRequest, Slice } from "../Paging.ts"
import * as SearchText from "../SearchText.ts"

/** A user system message as the database has it. */
export const UserSystemMessageRow = Schema.Struct({
  userSystemMessageId: UserSystemMessageId,
  displayName: Schema.String,
  systemMessage: Schema.String
})

/** A user system message as the database has it. */
export interface UserSystemMessageRow extends Schema.Schema.Type<typeof UserSystemMessageRow> {}

const Row = reader(UserSystemMessageRow)
const Summary = reader(Schema.Struct({ userSystemMessageId: UserSystemMessageId, displayName: Schema.String }))

/** The user system messages in the database; each call touches those of one user only. */
export class UserSystemMessageRepository extends Context.Service<
  UserSystemMessageRepository,
  {
    readonly list: (
      userId: UserId,
      request: PageRequest<keyof UserSystemMessageSummary>
    ) => Effect.Effect<Slice<Pick<UserSystemMessageRow, "userSystemMessageId" | "displayName">>>
    readonly count: (userId: UserId) => Effect.Effect<number>
    readonly find: (userId: UserId, id: UserSystemMessageId) => Effect.Effect<UserSystemMessageRow | undefined>
    /** Stores a message. One that is there for one answer is in no list. */
    readonly insert: (
      userId: UserId,
      id: UserSystemMessageId,
      message: EditUserSystemMessage & { readonly isOneTime: boolean },
      now: DateTime.Utc
    ) => Effect.Effect<void>
    /** Whether there was such a message. */
    readonly update: (
      userId: UserId,
      id: UserSystemMessageId,
      message: EditUserSystemMessage,
      now: DateTime.Utc
    ) => Effect.Effect<boolean>
    /** Whether there was such a message. Chats that followed it follow none. */
    readonly delete: (userId: UserId, id: UserSystemMessageId) => Effect.Effect<boolean>
    /** Deletes some of the messages that were there for one answer and made before a time, and tells how many. */
    readonly deleteOutdated: (before: DateTime.Utc, limit: number) => Effect.Effect<number>
  }
>()("@effect-chatbot/server/repositories/UserSystemMessageRepository") {
  /** The user system messages in the database. */
  static readonly layer: Layer.Layer<UserSystemMessageRepository, never, SqlClient.SqlClient> = Layer.effect(
    UserSystemMessageRepository,
    Effect.map(SqlClient.SqlClient, (sql) => {
      const columns = { userSystemMessageId: "id", displayName: "search_name" } as const
      const texts = ({ displayName, systemMessage }: EditUserSystemMessage) => ({
        displayName,
        searchName: SearchText.fold(displayName),
        systemMessage
      })
      const listed = (userId: UserId) => sql`user_id = ${userId} AND is_one_time = 0`
      return {
        list: (userId, request) => {
          const where =
            request.search === undefined
              ? listed(userId)
              : sql`${listed(userId)} AND ${contains(sql, "search_name", request.search)}`
          return slice("list user system messages", Summary, {
            count: sql`SELECT CAST(count(*) AS INTEGER) AS total FROM user_system_messages WHERE ${where}`,
            rows: sql`SELECT id AS user_system_message_id, display_name FROM user_system_messages
              WHERE ${where} ${order(sql, request, columns, ["id"])}`
          })
        },
        count: (userId) =>
          total(
            "count user system messages",
            sql`SELECT CAST(count(*) AS INTEGER) AS total FROM user_system_messages WHERE ${listed(userId)}`
          ),
        find: (userId, id) =>
          Row.first(
            "find a user system message",
            sql`SELECT id AS user_system_message_id, display_name, system_message FROM user_system_messages
              WHERE id = ${id} AND user_id = ${userId}`
          ),
        insert: (userId, id, message, now) =>
          run(
            "store a user system message",
            sql`INSERT INTO user_system_messages ${sql.insert({
              id,
              userId,
              ...texts(message),
              isOneTime: bit(message.isOneTime),
              createdUtc: iso(now),
              updatedUtc: iso(now)
            })}`
          ),
        update: (userId, id, message, now) =>
          touches(
            "update a user system message",
            sql`UPDATE user_system_messages SET ${sql.update({ ...texts(message), updatedUtc: iso(now) })}
                WHERE id = ${id} AND user_id = ${userId} RETURNING id`
          ),
        delete: (userId, id) =>
          touches(
            "delete a user system message",
            sql`DELETE FROM user_system_messages WHERE id = ${id} AND user_id = ${userId} RETURNING id`
          ),
        deleteOutdated: (before, limit) =>
          affected(
            "delete user system messages of one answer",
            sql`DELETE FROM user_system_messages WHERE id IN (
              SELECT m.id FROM user_system_messages m WHERE m.is_one_time = 1 AND m.created_utc < ${iso(before)}
              LIMIT ${limit} ${unlocked(sql, "m")}
            ) RETURNING id`
          )
      }
    })
  )
}
