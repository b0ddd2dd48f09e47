/**
 * The documents of the bots in the database.
 */
import { type BotId, type ChatId, SourceId } from "@effect-chatbot/schema/Ids"
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
const Title = reader(Schema.Struct({ title: Schema.String }))
const Part = reader(Schema.Struct({ bytes: Schema.Uint8Array }))

/** The documents of the bots in the database. */
export class DocumentRepository extends Context.Service<
  DocumentRepository,
  {
    /** The document at a path of a bot, if a completion of the chat was drawn from it. */
    readonly findSource: (chatId: ChatId, botCode: string, path: string) => Effect.Effect<DocumentRow | undefined>
    /** The titles of some of the documents that a bot answers from, by their paths. */
    readonly titles: (botId: BotId, limit: number) => Effect.Effect<ReadonlyArray<string>>
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
      // A cross join, for SQLite then begins with the few completions of the chat, and not with all those of the document.
      findSource: (chatId, botCode, path) =>
        Row.first(
          "find a source of a chat",
          sql`SELECT d.id, d.path, d.media_type, d.size, d.etag
            FROM documents d JOIN bots b ON b.id = d.bot_id
            WHERE b.code = ${botCode} AND d.path = ${path} AND EXISTS (
              SELECT 1 FROM completions c CROSS JOIN completion_sources s
              WHERE c.chat_id = ${chatId} AND s.completion_id = c.id AND s.document_id = d.id
            )`
        ),
      titles: (botId, limit) =>
        Effect.map(
          Title.all(
            "list the documents of a bot",
            sql`SELECT title FROM documents d
              WHERE bot_id = ${botId} AND EXISTS (SELECT 1 FROM passages WHERE document_id = d.id)
              ORDER BY path LIMIT ${limit}`
          ),
          (rows) => rows.map(({ title }) => title)
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
