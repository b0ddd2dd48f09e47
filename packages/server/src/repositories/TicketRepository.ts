/**
 * The tickets for downloads in the database: their hashes, the chats they open and until when.
 */
import type { ChatId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import { affected, iso, run, touches, unlocked } from "../internal/rows.ts"

/** The tickets for downloads in the database. */
export class TicketRepository extends Context.Service<
  TicketRepository,
  {
    readonly insert: (ticket: {
      readonly hash: string
      readonly chatId: ChatId
      readonly expiresUtc: DateTime.Utc
    }) => Effect.Effect<void>
    /** Whether there is such a ticket that has not expired. */
    readonly exists: (hash: string, chatId: ChatId, now: DateTime.Utc) => Effect.Effect<boolean>
    /** Takes a ticket that has not expired out of the database; of many who try at once, one succeeds. */
    readonly take: (hash: string, chatId: ChatId, now: DateTime.Utc) => Effect.Effect<boolean>
    /** Deletes some of the tickets that have expired, and tells how many. */
    readonly deleteExpired: (now: DateTime.Utc, limit: number) => Effect.Effect<number>
  }
>()("@effect-chatbot/server/repositories/TicketRepository") {
  /** The tickets in the database. */
  static readonly layer: Layer.Layer<TicketRepository, never, SqlClient.SqlClient> = Layer.effect(
    TicketRepository,
    Effect.map(SqlClient.SqlClient, (sql) => ({
      insert: ({ chatId, expiresUtc, hash }) =>
        run("store a ticket", sql`INSERT INTO tickets ${sql.insert({ hash, chatId, expiresUtc: iso(expiresUtc) })}`),
      exists: (hash, chatId, now) =>
        touches(
          "find a ticket",
          sql`SELECT hash FROM tickets WHERE hash = ${hash} AND chat_id = ${chatId} AND expires_utc > ${iso(now)}`
        ),
      take: (hash, chatId, now) =>
        touches(
          "take a ticket",
          sql`DELETE FROM tickets WHERE hash = ${hash} AND chat_id = ${chatId} AND expires_utc > ${iso(now)}
              RETURNING hash`
        ),
      deleteExpired: (now, limit) =>
        affected(
          "delete expired tickets",
          sql`DELETE FROM tickets
            WHERE hash IN (SELECT hash FROM tickets WHERE expires_utc <= ${iso(now)}
              LIMIT ${limit} ${unlocked(sql, "tickets")})
            RETURNING hash`
        )
    }))
  )
}
