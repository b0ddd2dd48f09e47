/**
 * The sealed secrets in the database, wherever they stand, to be sealed anew.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import { reader, touches } from "../internal/rows.ts"
import type { Place } from "../SealedPlaces.ts"

const SealedRow = Schema.Struct({
  id: Schema.String,
  /** The second part of its name; empty where it has none. */
  part: Schema.String,
  sealed: Schema.Uint8Array
})

/** A sealed secret, and the name of its row. */
export interface SealedRow extends Schema.Schema.Type<typeof SealedRow> {}

const Row = reader(SealedRow)

/** The sealed secrets in the database. */
export class SealedRepository extends Context.Service<
  SealedRepository,
  {
    /** Some of the secrets, by the order of the names of their rows: those after this one, or the first. */
    readonly list: (
      place: Place,
      after: SealedRow | undefined,
      limit: number
    ) => Effect.Effect<ReadonlyArray<SealedRow>>
    /** Puts one in the place of another, unless that was changed meanwhile. */
    readonly replace: (place: Place, row: SealedRow, sealed: Uint8Array) => Effect.Effect<boolean>
  }
>()("@effect-chatbot/server/repositories/SealedRepository") {
  /** The sealed secrets in the database. */
  static readonly layer: Layer.Layer<SealedRepository, never, SqlClient.SqlClient> = Layer.effect(
    SealedRepository,
    Effect.map(SqlClient.SqlClient, (sql) => {
      const columns = ({ id, part, secret, table }: Place) => ({
        table: sql(table),
        secret: sql(secret),
        id: sql(id),
        // A constant that PostgreSQL takes for no number of a column.
        part: part === undefined ? sql.literal("CAST('' AS TEXT)") : sql(part)
      })
      return {
        list: (place, after, limit) => {
          const { id, part, secret, table } = columns(place)
          return Row.all(
            "list sealed secrets",
            sql`SELECT ${id} AS id, ${part} AS part, ${secret} AS sealed FROM ${table}
              WHERE ${secret} IS NOT NULL AND (${id}, ${part}) > (${after?.id ?? ""}, ${after?.part ?? ""})
              ORDER BY ${id}, ${part} LIMIT ${limit}`
          )
        },
        replace: (place, row, sealed) => {
          const { id, part, secret, table } = columns(place)
          return touches(
            "seal a secret anew",
            sql`UPDATE ${table} SET ${secret} = ${sealed}
              WHERE ${id} = ${row.id} AND ${part} = ${row.part} AND ${secret} = ${row.sealed}
              RETURNING ${id}`
          )
        }
      }
    })
  )
}
