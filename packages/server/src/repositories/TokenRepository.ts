/**
 * The bearer tokens in the database: their hashes, whose they are, and how long they are valid.
 */
import { UserId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import { iso, nullable, reader, run, Texts, Utc } from "../internal/rows.ts"

/** A token that was not revoked, and its user. */
export const TokenRow = Schema.Struct({
  id: Schema.String,
  userId: UserId,
  login: Schema.String,
  roles: Texts,
  expiresUtc: nullable(Utc)
})

/** A token that was not revoked, and its user. */
export interface TokenRow extends Schema.Schema.Type<typeof TokenRow> {}

/** A token as it is shown: all of it but the token. */
export const TokenInfo = Schema.Struct({
  id: Schema.String,
  login: Schema.String,
  name: Schema.String,
  createdUtc: Utc,
  expiresUtc: nullable(Utc),
  revokedUtc: nullable(Utc)
})

/** A token as it is shown: all of it but the token. */
export interface TokenInfo extends Schema.Schema.Type<typeof TokenInfo> {}

/** A token to store. */
export interface NewToken {
  readonly id: string
  readonly userId: UserId
  readonly hash: string
  /** What it is for, as its owner calls it. */
  readonly name: string
  readonly expiresUtc: DateTime.Utc | undefined
}

const Row = reader(TokenRow)
const Info = reader(TokenInfo)
const Hash = reader(Schema.Struct({ hash: Schema.String }))

/** The bearer tokens in the database. */
export class TokenRepository extends Context.Service<
  TokenRepository,
  {
    readonly insert: (token: NewToken, now: DateTime.Utc) => Effect.Effect<void>
    /** Stores a token, or makes the one of the same hash valid again, for this user. */
    readonly upsert: (token: NewToken, now: DateTime.Utc) => Effect.Effect<void>
    readonly findByHash: (hash: string) => Effect.Effect<TokenRow | undefined>
    /** The latest tokens, of one user or of all, the newest first; also those that are expired or revoked. */
    readonly list: (login: string | undefined, limit: number) => Effect.Effect<ReadonlyArray<TokenInfo>>
    /** Whether the user has a token that is neither revoked nor expired. */
    readonly hasValid: (userId: UserId, now: DateTime.Utc) => Effect.Effect<boolean>
    /** Revokes a token, and gives its hash if it was not revoked before. */
    readonly revoke: (id: string, now: DateTime.Utc) => Effect.Effect<string | undefined>
    /** Revokes the tokens of a name but the one of `hash`, and gives the hashes of those it revoked. */
    readonly revokeOthers: (
      options: { readonly userId: UserId; readonly name: string; readonly hash: string | undefined },
      now: DateTime.Utc
    ) => Effect.Effect<ReadonlyArray<string>>
  }
>()("@effect-chatbot/server/repositories/TokenRepository") {
  /** The bearer tokens in the database. */
  static readonly layer: Layer.Layer<TokenRepository, never, SqlClient.SqlClient> = Layer.effect(
    TokenRepository,
    Effect.map(SqlClient.SqlClient, (sql) => {
      const columns = ({ expiresUtc, ...token }: NewToken, now: DateTime.Utc) => ({
        ...token,
        createdUtc: iso(now),
        expiresUtc: expiresUtc === undefined ? null : iso(expiresUtc),
        revokedUtc: null
      })
      return {
        insert: (token, now) => run("store a token", sql`INSERT INTO tokens ${sql.insert(columns(token, now))}`),
        upsert: (token, now) =>
          run(
            "store a token",
            sql`INSERT INTO tokens ${sql.insert(columns(token, now))}
              ON CONFLICT (hash) DO UPDATE SET user_id = excluded.user_id, name = excluded.name,
                expires_utc = excluded.expires_utc, revoked_utc = NULL`
          ),
        findByHash: (hash) =>
          Row.first(
            "find a token",
            sql`SELECT t.id, t.user_id, u.login, u.roles, t.expires_utc
              FROM tokens t JOIN users u ON u.id = t.user_id
              WHERE t.hash = ${hash} AND t.revoked_utc IS NULL`
          ),
        list: (login, limit) =>
          Info.all(
            "list tokens",
            sql`SELECT t.id, u.login, t.name, t.created_utc, t.expires_utc, t.revoked_utc
              FROM tokens t JOIN users u ON u.id = t.user_id
              ${login === undefined ? sql.literal("") : sql`WHERE u.login = ${login}`}
              ORDER BY t.created_utc DESC, t.id DESC LIMIT ${limit}`
          ),
        hasValid: (userId, now) =>
          Effect.map(
            Hash.first(
              "find a token",
              sql`SELECT hash FROM tokens
                WHERE user_id = ${userId} AND revoked_utc IS NULL AND (expires_utc IS NULL OR expires_utc > ${iso(now)})
                LIMIT 1`
            ),
            (row) => row !== undefined
          ),
        revoke: (id, now) =>
          Effect.map(
            Hash.first(
              "revoke a token",
              sql`UPDATE tokens SET revoked_utc = ${iso(now)} WHERE id = ${id} AND revoked_utc IS NULL RETURNING hash`
            ),
            (row) => row?.hash
          ),
        revokeOthers: ({ hash, name, userId }, now) =>
          Effect.map(
            Hash.all(
              "revoke tokens",
              sql`UPDATE tokens SET revoked_utc = ${iso(now)}
                WHERE user_id = ${userId} AND name = ${name} AND hash <> ${hash ?? ""} AND revoked_utc IS NULL
                RETURNING hash`
            ),
            (rows) => rows.map(({ hash }) => hash)
          )
      }
    })
  )
}
