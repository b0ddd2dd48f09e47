/**
 * Single values in the database, by name.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import { reader, run } from "../internal/rows.ts"

const Row = reader(Schema.Struct({ value: Schema.String }))

/** Single values in the database, by name. */
export class SettingsRepository extends Context.Service<
  SettingsRepository,
  {
    readonly get: (key: string) => Effect.Effect<string | undefined>
    readonly set: (key: string, value: string) => Effect.Effect<void>
  }
>()("@effect-chatbot/server/repositories/SettingsRepository") {
  /** The settings in the database. */
  static readonly layer: Layer.Layer<SettingsRepository, never, SqlClient.SqlClient> = Layer.effect(
    SettingsRepository,
    Effect.map(SqlClient.SqlClient, (sql) => ({
      get: (key) =>
        Effect.map(
          Row.first("read a setting", sql`SELECT value FROM settings WHERE key = ${key}`),
          (row) => row?.value
        ),
      set: (key, value) =>
        run(
          "write a setting",
          sql`INSERT INTO settings ${sql.insert({ key, value })} ON CONFLICT (key) DO UPDATE SET value = excluded.value`
        )
    }))
  )
}
