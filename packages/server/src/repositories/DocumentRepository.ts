/**
 * The documents of the bots in the database.
 */
import { type ChatId, SourceId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import { reader } from "../internal/rows.ts"

/** A document without its content. */
export const DocumentRow = Schema.Struct({
  id: SourceId,
  path: Schema.String,
  mediaType: Schema.String,
  size: Schema.Int,
  etag: Schema.String
})

/** A document without its content. */
export interface DocumentRow extends Schema.Schema.Type<typeof DocumentRow> {}

const Row = reader(DocumentRow)
const Part = reader(Schema.Struct({ bytes: Schema.Uint8Array }))

/** The documents of the bots in the database. */
export class DocumentRepository extends Context.Service<
  DocumentRepository,
  {
    /** The document at a path of a bot, if a completion of the chat was drawn from it. */
    readonly findSource: (chatId: ChatId, botCode: string, path: string) => Effect.Effect<DocumentRow | undefined>
    /** Some bytes of a document; absent when it is no longer the one with this `etag`. */
    readonly part: (
      document: Pick<DocumentRow, "id" | "etag">,
      offset: number,
      length: number
    ) => Effect.Effect<Uint8Array | undefined>
  }
>()("@effect-chatbot/server/repositories/DocumentRepository") {
  /** The documents in the database. */
  static readonly layer: Layer.Layer<DocumentRepository, never, SqlClient.SqlClient> = Layer.effect(
    DocumentRepository,
    Effect.map(SqlClient.SqlClient, (sql) => ({
      findSource: (chatId, botCode, path) =>
        Row.first(
          "find a source of a chat",
          sql`SELECT d.id, d.path, d.media_type, d.size, d.etag
            FROM documents d JOIN bots b ON b.id = d.bot_id
            WHERE b.code = ${botCode} AND d.path = ${path} AND EXISTS (
              SELECT 1 FROM completions c JOIN completion_sources s ON s.completion_id = c.id
              WHERE c.chat_id = ${chatId} AND s.document_id = d.id
            )`
        ),
      part: ({ etag, id }, offset, length) =>
        Effect.map(
          Part.first(
            "read a document",
            sql`SELECT substr(content, ${offset + 1}, ${length}) AS bytes FROM documents
              WHERE id = ${id} AND etag = ${etag}`
          ),
          (row) => row?.bytes
        )
    }))
  )
}
