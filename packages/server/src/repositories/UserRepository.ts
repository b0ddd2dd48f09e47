/**
 * The users in the database.
 */
import { UserId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import { bit, Flag, iso, nullable, reader, run, Texts, texts, Utc } from "../internal/rows.ts"

/** A user as the database has it. */
export const UserRow = Schema.Struct({
  id: UserId,
  login: Schema.String,
  roles: Texts,
  isKeepChatHistory: Flag,
  keepChatHistoryForDays: Schema.Int,
  isKeepFavoritesForever: Flag,
  termsAcceptedUtc: nullable(Utc)
})

/** A user as the database has it. */
export interface UserRow extends Schema.Schema.Type<typeof UserRow> {}

/** What a user may change. */
export type UserSettings = Pick<UserRow, "isKeepChatHistory" | "keepChatHistoryForDays" | "isKeepFavoritesForever">

const Row = reader(UserRow)
const Days = reader(Schema.Struct({ days: Schema.Int }))

/** The users in the database. */
export class UserRepository extends Context.Service<
  UserRepository,
  {
    readonly find: (id: UserId) => Effect.Effect<UserRow | undefined>
    /** The user of this login, made with these roles and settings when there is none. */
    readonly findOrCreate: (
      user: UserSettings & Pick<UserRow, "login" | "roles">,
      now: DateTime.Utc
    ) => Effect.Effect<UserRow>
    readonly update: (id: UserId, settings: UserSettings) => Effect.Effect<void>
    /** Records when the user accepted the terms, unless that is recorded already. */
    readonly acceptTerms: (id: UserId, now: DateTime.Utc) => Effect.Effect<void>
    /** Every number of days, over 0, that any user keeps chats for. */
    readonly daysOfHistory: Effect.Effect<ReadonlyArray<number>>
  }
>()("@effect-chatbot/server/repositories/UserRepository") {
  /** The users in the database. */
  static readonly layer: Layer.Layer<UserRepository, never, SqlClient.SqlClient> = Layer.effect(
    UserRepository,
    Effect.map(SqlClient.SqlClient, (sql) => {
      const columns = sql.literal(
        "id, login, roles, is_keep_chat_history, keep_chat_history_for_days, is_keep_favorites_forever, terms_accepted_utc"
      )
      const flags = (settings: UserSettings) => ({
        isKeepChatHistory: bit(settings.isKeepChatHistory),
        keepChatHistoryForDays: settings.keepChatHistoryForDays,
        isKeepFavoritesForever: bit(settings.isKeepFavoritesForever)
      })
      const findByLogin = (login: string) =>
        Row.first("find a user", sql`SELECT ${columns} FROM users WHERE login = ${login}`)
      return {
        find: (id) => Row.first("find a user", sql`SELECT ${columns} FROM users WHERE id = ${id}`),
        findOrCreate: Effect.fnUntraced(function* ({ login, roles, ...settings }, now) {
          const known = yield* findByLogin(login)
          if (known !== undefined) return known
          // Another process may have made it since.
          yield* run(
            "create a user",
            sql`INSERT INTO users ${sql.insert({ login, roles: texts(roles), ...flags(settings), createdUtc: iso(now) })}
              ON CONFLICT (login) DO NOTHING`
          )
          const user = yield* findByLogin(login)
          return user ?? (yield* Effect.die(new Error("A user just made is not there")))
        }),
        update: (id, settings) =>
          run("update a user", sql`UPDATE users SET ${sql.update(flags(settings))} WHERE id = ${id}`),
        acceptTerms: (id, now) =>
          run(
            "accept the terms",
            sql`UPDATE users SET terms_accepted_utc = ${iso(now)} WHERE id = ${id} AND terms_accepted_utc IS NULL`
          ),
        daysOfHistory: Effect.map(
          Days.all(
            "list for how long users keep chats",
            sql`SELECT DISTINCT keep_chat_history_for_days AS days FROM users WHERE keep_chat_history_for_days > 0`
          ),
          (rows) => rows.map(({ days }) => days)
        )
      }
    })
  )
}
