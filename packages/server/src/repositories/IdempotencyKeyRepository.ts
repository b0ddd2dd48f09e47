/**
 * The idempotency keys in the database: for what request each was used, and the answer, sealed.
 */
import type { ChatId, UserId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import { affected, iso, reader, touches, unlocked } from "../internal/rows.ts"

/** An idempotency key as the database has it. */
export const IdempotencyKeyRow = Schema.Struct({
  /** What request the key was used for. */
  fingerprint: Schema.String,
  status: Schema.Int,
  contentType: Schema.String,
  body: Schema.Uint8Array
})

/** An idempotency key as the database has it. */
export interface IdempotencyKeyRow extends Schema.Schema.Type<typeof IdempotencyKeyRow> {}

const Row = reader(IdempotencyKeyRow)

/** The idempotency keys in the database. */
export class IdempotencyKeyRepository extends Context.Service<
  IdempotencyKeyRepository,
  {
    /** The key with this hash, unless it has expired. */
    readonly find: (hash: string, now: DateTime.Utc) => Effect.Effect<IdempotencyKeyRow | undefined>
    /** Whether the key was free: not there, or expired. With the chat or the user the key goes too. */
    readonly insert: (
      key: IdempotencyKeyRow & {
        readonly hash: string
        readonly userId: UserId | undefined
        readonly chatId: ChatId | undefined
        readonly expiresUtc: DateTime.Utc
      },
      now: DateTime.Utc
    ) => Effect.Effect<boolean>
    /** Deletes some of the keys that have expired, and tells how many. */
    readonly deleteExpired: (now: DateTime.Utc, limit: number) => Effect.Effect<number>
  }
>()("@effect-chatbot/server/repositories/IdempotencyKeyRepository") {
  /** The idempotency keys in the database. */
  static readonly layer: Layer.Layer<IdempotencyKeyRepository, never, SqlClient.SqlClient> = Layer.effect(
    IdempotencyKeyRepository,
    Effect.map(SqlClient.SqlClient, (sql) => ({
      find: (hash, now) =>
        Row.first(
          "find an idempotency key",
          sql`SELECT fingerprint, status, content_type, body FROM idempotency_keys
            WHERE hash = ${hash} AND expires_utc > ${iso(now)}`
        ),
      // Where two processes insert the same key at once, the second waits for the transaction of the first, and finds it taken.
      insert: ({ expiresUtc, ...key }, now) =>
        touches(
          "store an idempotency key",
          sql`INSERT INTO idempotency_keys ${sql.insert({ ...key, expiresUtc: iso(expiresUtc) })}
            ON CONFLICT (hash) DO UPDATE SET fingerprint = excluded.fingerprint, user_id = excluded.user_id,
              chat_id = excluded.chat_id, status = excluded.status, content_type = excluded.content_type,
              expires_utc = excluded.expires_utc, body = excluded.body
            WHERE idempotency_keys.expires_utc <= ${iso(now)}
            RETURNING hash`
        ),
      deleteExpired: (now, limit) =>
        affected(
          "delete expired idempotency keys",
          sql`DELETE FROM idempotency_keys
            WHERE hash IN (SELECT hash FROM idempotency_keys WHERE expires_utc <= ${iso(now)}
              LIMIT ${limit} ${unlocked(sql, "idempotency_keys")})
            RETURNING hash`
        )
    }))
  )
}
