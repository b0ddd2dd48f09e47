/**
 * The completions in the database, and the documents they were drawn from.
 */
import { BotId, ChatId, CompletionId, SourceId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import { iso, nullable, reader, run, Texts, texts, touches, Utc } from "../internal/rows.ts"

/** A completion as the database has it. */
export const CompletionRow = Schema.Struct({
  id: CompletionId,
  chatId: ChatId,
  /** The bot that answered. */
  botId: BotId,
  userMessage: Schema.String,
  assistantMessage: Schema.String,
  tags: Texts,
  promptTokens: Schema.Int,
  completionTokens: Schema.Int,
  createdUtc: Utc
})

/** A completion as the database has it. */
export interface CompletionRow extends Schema.Schema.Type<typeof CompletionRow> {}

/** A document that a completion was drawn from. */
export const SourceRow = Schema.Struct({
  completionId: CompletionId,
  documentId: SourceId,
  botCode: Schema.String,
  path: Schema.String,
  language: nullable(Schema.String)
})

/** A document that a completion was drawn from. */
export interface SourceRow extends Schema.Schema.Type<typeof SourceRow> {}

/** A question of a chat and its answer. */
export const Turn = Schema.Struct({ userMessage: Schema.String, assistantMessage: Schema.String })

/** A question of a chat and its answer. */
export interface Turn extends Schema.Schema.Type<typeof Turn> {}

const Row = reader(CompletionRow)
const Turns = reader(Turn)
const Source = reader(SourceRow)

/** The completions in the database. */
export class CompletionRepository extends Context.Service<
  CompletionRepository,
  {
    /** The completions of a chat, oldest first. */
    readonly list: (chatId: ChatId) => Effect.Effect<ReadonlyArray<CompletionRow>>
    /** The last turns of a chat, latest first; those that were stopped before a word was said are none. */
    readonly lastTurns: (chatId: ChatId, limit: number) => Effect.Effect<ReadonlyArray<Turn>>
    /** The documents that the completions of a chat were drawn from, in the order they were named. */
    readonly sources: (chatId: ChatId) => Effect.Effect<ReadonlyArray<SourceRow>>
    /** The documents that one completion was drawn from, in the order they were named. */
    readonly sourcesOf: (id: CompletionId) => Effect.Effect<ReadonlyArray<SourceRow>>
    /** Stores a completion. Documents that are gone are left out of its sources. */
    readonly insert: (completion: CompletionRow, sources: ReadonlyArray<string>) => Effect.Effect<void>
    /** Whether there is such a completion in the chat. */
    readonly exists: (chatId: ChatId, id: CompletionId) => Effect.Effect<boolean>
    /** Deletes a completion and the log of its run. Whether there was such a completion in the chat. */
    readonly delete: (chatId: ChatId, id: CompletionId) => Effect.Effect<boolean>
  }
>()("@effect-chatbot/server/repositories/CompletionRepository") {
  /** The completions in the database. */
  static readonly layer: Layer.Layer<CompletionRepository, never, SqlClient.SqlClient> = Layer.effect(
    CompletionRepository,
    Effect.map(SqlClient.SqlClient, (sql) => {
      const source = sql`SELECT s.completion_id, s.document_id, b.code AS bot_code, d.path, d.language
        FROM completion_sources s JOIN documents d ON d.id = s.document_id JOIN bots b ON b.id = d.bot_id`
      return {
        list: (chatId) =>
          Row.all(
            "list the completions of a chat",
            sql`SELECT id, chat_id, bot_id, user_message, assistant_message, tags, prompt_tokens, completion_tokens,
                created_utc
              FROM completions WHERE chat_id = ${chatId} ORDER BY id`
          ),
        lastTurns: (chatId, limit) =>
          Turns.all(
            "read the history of a chat",
            sql`SELECT user_message, assistant_message FROM completions
              WHERE chat_id = ${chatId} AND assistant_message <> '' ORDER BY id DESC LIMIT ${limit}`
          ),
        sources: (chatId) =>
          Source.all(
            "list the sources of a chat",
            sql`${source} WHERE s.completion_id IN (SELECT id FROM completions WHERE chat_id = ${chatId})
              ORDER BY s.completion_id, s.ordinal`
          ),
        sourcesOf: (id) =>
          Source.all(
            "list the sources of a completion",
            sql`${source} WHERE s.completion_id = ${id} ORDER BY s.ordinal`
          ),
        insert: Effect.fnUntraced(function* (completion, sources) {
          yield* run(
            "store a completion",
            sql`INSERT INTO completions ${sql.insert({
              ...completion,
              tags: texts(completion.tags),
              createdUtc: iso(completion.createdUtc)
            })}`
          )
          yield* Effect.forEach(
            Array.from(new Set(sources)).entries(),
            ([ordinal, documentId]) =>
              run(
                "store a source of a completion",
                sql`INSERT INTO completion_sources (completion_id, ordinal, document_id)
                SELECT ${completion.id}, CAST(${ordinal} AS INTEGER), id FROM documents WHERE id = ${documentId}`
              ),
            { discard: true }
          )
        }),
        exists: (chatId, id) =>
          touches("find a completion", sql`SELECT id FROM completions WHERE id = ${id} AND chat_id = ${chatId}`),
        delete: (chatId, id) =>
          Effect.andThen(
            run(
              "delete the log of a run",
              sql`DELETE FROM completion_logs WHERE completion_id = ${id} AND chat_id = ${chatId}`
            ),
            touches(
              "delete a completion",
              sql`DELETE FROM completions WHERE id = ${id} AND chat_id = ${chatId} RETURNING id`
            )
          )
      }
    })
  )
}
