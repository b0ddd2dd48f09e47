/**
 * The Azure configurations of the bots in the database, their secrets sealed.
 */
import type { BotId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import { nullable, reader, run } from "../internal/rows.ts"

/** Which of the two configurations. */
export type Kind = "acs" | "search"

/** A configuration as the database has it. */
export const AzureConfigurationRow = Schema.Struct({
  /** JSON. */
  settings: Schema.String,
  /** Where the blob storage is. */
  blobUri: nullable(Schema.String),
  searchEndpoint: nullable(Schema.String),
  /** Sealed by the `SecretBox`, and so the next. */
  blobConnection: nullable(Schema.Uint8Array),
  searchCredential: nullable(Schema.Uint8Array)
})

/** A configuration as the database has it. */
export interface AzureConfigurationRow extends Schema.Schema.Type<typeof AzureConfigurationRow> {}

const Row = reader(AzureConfigurationRow)

/** The Azure configurations of the bots in the database. */
export class AzureConfigurationRepository extends Context.Service<
  AzureConfigurationRepository,
  {
    readonly find: (botId: BotId, kind: Kind) => Effect.Effect<AzureConfigurationRow | undefined>
    readonly set: (botId: BotId, kind: Kind, row: AzureConfigurationRow) => Effect.Effect<void>
  }
>()("@effect-chatbot/server/repositories/AzureConfigurationRepository") {
  /** The configurations in the database. */
  static readonly layer: Layer.Layer<AzureConfigurationRepository, never, SqlClient.SqlClient> = Layer.effect(
    AzureConfigurationRepository,
    Effect.map(SqlClient.SqlClient, (sql) => ({
      find: (botId, kind) =>
        Row.first(
          "find an Azure configuration",
          sql`SELECT settings, blob_uri, search_endpoint, blob_connection, search_credential FROM bot_azure_configurations
            WHERE bot_id = ${botId} AND kind = ${kind}`
        ),
      set: (botId, kind, row) =>
        run(
          "store an Azure configuration",
          sql`INSERT INTO bot_azure_configurations ${sql.insert({
            botId,
            kind,
            settings: row.settings,
            blobUri: row.blobUri ?? null,
            searchEndpoint: row.searchEndpoint ?? null,
            blobConnection: row.blobConnection ?? null,
            searchCredential: row.searchCredential ?? null
          })} ON CONFLICT (bot_id, kind) DO UPDATE SET settings = excluded.settings, blob_uri = excluded.blob_uri,
            search_endpoint = excluded.search_endpoint, blob_connection = excluded.blob_connection,
            search_credential = excluded.search_credential`
        )
    }))
  )
}
