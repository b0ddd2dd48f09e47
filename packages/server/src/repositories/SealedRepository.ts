/**
 * The sealed secrets in the database, wherever they stand, to be sealed anew.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import { reader, touches } from "../internal/rows.ts"

/** Where sealed secrets stand: the table, the column that names a row, and the column of the secret. */
const places = {
  apiKeys: { table: "open_ai_services", id: "id", secret: "api_key" },
  answers: { table: "idempotency_keys", id: "hash", secret: "body" }
} as const

/** The keys of OpenAI services, and the answers that are kept for idempotency keys. */
export type Place = keyof typeof places

const SealedRow = Schema.Struct({ id: Schema.String, sealed: Schema.Uint8Array })

/** A sealed secret, and the id of its row. */
export interface SealedRow extends Schema.Schema.Type<typeof SealedRow> {}

const Row = reader(SealedRow)

/** The sealed secrets in the database. */
export class SealedRepository extends Context.Service<
  SealedRepository,
  {
    /** Some of the secrets, by the order of their ids: those after this one, or the first. */
    readonly list: (place: Place, after: string, limit: number) => Effect.Effect<ReadonlyArray<SealedRow>>
    /** Puts one in the place of another, unless that was changed meanwhile. */
    readonly replace: (place: Place, row: SealedRow, sealed: Uint8Array) => Effect.Effect<boolean>
  }
>()("@effect-chatbot/server/repositories/SealedRepository") {
  /** The sealed secrets in the database. */
  static readonly layer: Layer.Layer<SealedRepository, never, SqlClient.SqlClient> = Layer.effect(
    SealedRepository,
    Effect.map(SqlClient.SqlClient, (sql) => ({
      list: (place, after, limit) => {
        const { id, secret, table } = places[place]
        return Row.all(
          "list sealed secrets",
          sql`SELECT ${sql.literal(id)} AS id, ${sql.literal(secret)} AS sealed FROM ${sql.literal(table)}
            WHERE ${sql.literal(secret)} IS NOT NULL AND ${sql.literal(id)} > ${after}
            ORDER BY ${sql.literal(id)} LIMIT ${limit}`
        )
      },
      replace: (place, row, sealed) => {
        const { id, secret, table } = places[place]
        return touches(
          "seal a secret anew",
          sql`UPDATE ${sql.literal(table)} SET ${sql.literal(secret)} = ${sealed}
            WHERE ${sql.literal(id)} = ${row.id} AND ${sql.literal(secret)} = ${row.sealed}
            RETURNING ${sql.literal(id)}`
        )
      }
    }))
  )
}
