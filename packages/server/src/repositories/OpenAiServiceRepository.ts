/**
 * The OpenAI services in the database, their keys sealed.
 */
import { OpenAiServiceId } from "@effect-chatbot/schema/Ids"
import type { OpenAiServiceSummary } from "@effect-chatbot/schema/OpenAiService"
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import { bit, contains, Flag, iso, nullable, order, reader, run, slice, touches } from "../internal/rows.ts"
import type { PageRequest, Slice } from "../Paging.ts"
import * as SearchText from "../SearchText.ts"

/** An OpenAI service as the database has it. */
export const OpenAiServiceRow = Schema.Struct({
  displayName: Schema.String,
  isActive: Flag,
  endpoint: nullable(Schema.String),
  /** Sealed by the `SecretBox`. */
  apiKey: nullable(Schema.Uint8Array)
})

/** An OpenAI service as the database has it. */
export interface OpenAiServiceRow extends Schema.Schema.Type<typeof OpenAiServiceRow> {}

/** What of an OpenAI service is changed. */
export interface OpenAiServiceChange {
  readonly displayName: string
  readonly isActive: boolean
  /** Absent: endpoint and key stay as they are. */
  readonly connection: { readonly endpoint: string | undefined; readonly apiKey: Uint8Array | undefined } | undefined
}

const Row = reader(OpenAiServiceRow)
const SummaryRow = Schema.Struct({ id: OpenAiServiceId, displayName: Schema.String, isActive: Flag })
const Summary = reader(SummaryRow)

/** The OpenAI services in the database. */
export class OpenAiServiceRepository extends Context.Service<
  OpenAiServiceRepository,
  {
    readonly list: (
      request: PageRequest<keyof OpenAiServiceSummary>
    ) => Effect.Effect<Slice<Schema.Schema.Type<typeof SummaryRow>>>
    readonly find: (id: OpenAiServiceId) => Effect.Effect<OpenAiServiceRow | undefined>
    readonly insert: (id: OpenAiServiceId, service: OpenAiServiceRow, now: DateTime.Utc) => Effect.Effect<void>
    /** Whether there was such a service. */
    readonly update: (id: OpenAiServiceId, change: OpenAiServiceChange, now: DateTime.Utc) => Effect.Effect<boolean>
    /** Whether there was such a service. Bots that used it use none. */
    readonly delete: (id: OpenAiServiceId) => Effect.Effect<boolean>
  }
>()("@effect-chatbot/server/repositories/OpenAiServiceRepository") {
  /** The OpenAI services in the database. */
  static readonly layer: Layer.Layer<OpenAiServiceRepository, never, SqlClient.SqlClient> = Layer.effect(
    OpenAiServiceRepository,
    Effect.map(SqlClient.SqlClient, (sql) => {
      const columns = { id: "id", displayName: "search_name", isActive: "is_active" } as const
      const connection = (service: Pick<OpenAiServiceRow, "endpoint" | "apiKey">) => ({
        endpoint: service.endpoint ?? null,
        apiKey: service.apiKey ?? null
      })
      const plain = ({ displayName, isActive }: Pick<OpenAiServiceRow, "displayName" | "isActive">) => ({
        displayName,
        searchName: SearchText.fold(displayName),
        isActive: bit(isActive)
      })
      return {
        list: (request) => {
          const where = request.search === undefined ? sql`1 = 1` : contains(sql, "search_name", request.search)
          return slice("list OpenAI services", Summary, {
            count: sql`SELECT CAST(count(*) AS INTEGER) AS total FROM open_ai_services WHERE ${where}`,
            rows: sql`SELECT id, display_name, is_active FROM open_ai_services
              WHERE ${where} ${order(sql, request, columns, ["id"])}`
          })
        },
        find: (id) =>
          Row.first(
            "find an OpenAI service",
            sql`SELECT display_name, is_active, endpoint, api_key FROM open_ai_services WHERE id = ${id}`
          ),
        insert: (id, service, now) =>
          run(
            "store an OpenAI service",
            sql`INSERT INTO open_ai_services ${sql.insert({
              id,
              ...plain(service),
              ...connection(service),
              createdUtc: iso(now),
              updatedUtc: iso(now)
            })}`
          ),
        update: (id, change, now) =>
          touches(
            "update an OpenAI service",
            sql`UPDATE open_ai_services SET ${sql.update({
              ...plain(change),
              ...(change.connection === undefined ? {} : connection(change.connection)),
              updatedUtc: iso(now)
            })} WHERE id = ${id} RETURNING id`
          ),
        delete: (id) =>
          touches("delete an OpenAI service", sql`DELETE FROM open_ai_services WHERE id = ${id} RETURNING id`)
      }
    })
  )
}
