/**
 * The passages of facts and documents in the database, and their full-text index.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import { nullable, reader } from "../internal/rows.ts"

/** A passage that has words of a question. */
export const FoundRow = Schema.Struct({
  id: Schema.Int,
  botId: Schema.String,
  /** The document it is from; absent for a fact. */
  documentId: nullable(Schema.String),
  /** Its place in the document, from 0. */
  ordinal: Schema.Int,
  /** Empty for a fact. */
  heading: Schema.String,
  text: Schema.String,
  /** The path of the document; absent for a fact. */
  path: nullable(Schema.String),
  /** How well it fits by BM25; more is better. */
  relevance: Schema.Finite,
  /** How many passages the bots have together. */
  total: Schema.Int
})

/** A passage that has words of a question. */
export interface FoundRow extends Schema.Schema.Type<typeof FoundRow> {}

/** What is looked for: any of the words, and words that follow each other, all of letters and digits only. */
export interface FullTextQuery {
  readonly words: ReadonlyArray<string>
  readonly phrases: ReadonlyArray<ReadonlyArray<string>>
}

/** What a word in a heading counts against one in the text. */
const headingWeight = 1.5

const Row = reader(FoundRow)

/** The passages in the database. */
export class PassageRepository extends Context.Service<
  PassageRepository,
  {
    /** The passages of these bots that have any of what is looked for, in any form of a word; the best by BM25 first. */
    readonly find: (
      botIds: ReadonlyArray<string>,
      query: FullTextQuery,
      limit: number
    ) => Effect.Effect<ReadonlyArray<FoundRow>>
  }
>()("@effect-chatbot/server/repositories/PassageRepository") {
  /** The passages in the database. */
  static readonly layer: Layer.Layer<PassageRepository, never, SqlClient.SqlClient> = Layer.effect(
    PassageRepository,
    Effect.flatMap(SqlClient.SqlClient, (sql) =>
      sql.onDialectOrElse({
        sqlite: () =>
          Effect.succeed({
            find: (botIds: ReadonlyArray<string>, { phrases, words }: FullTextQuery, limit: number) => {
              // In quotes, no word can be read as an operator of the query language of FTS5.
              const match = [...words, ...phrases.map((phrase) => phrase.join(" "))]
                .map((text) => `"${text}"`)
                .join(" OR ")
              // The inner query decides before any text is read.
              return Row.all(
                "search passages",
                sql`SELECT p.id, p.bot_id, p.document_id, p.ordinal, p.heading, p.text, d.path, f.relevance,
                    (SELECT count(*) FROM passages WHERE ${sql.in("bot_id", botIds)}) AS total
                  FROM (
                    SELECT passages_search.rowid AS id, -bm25(passages_search, ${headingWeight}, 1.0) AS relevance
                    FROM passages_search JOIN passages ON passages.id = passages_search.rowid
                    WHERE passages_search MATCH ${match} AND ${sql.in("passages.bot_id", botIds)}
                    ORDER BY 2 DESC, passages_search.rowid LIMIT ${limit}
                  ) f
                  JOIN passages p ON p.id = f.id
                  LEFT JOIN documents d ON d.id = p.document_id
                  ORDER BY f.relevance DESC, p.id`
              )
            }
          }),
        pg: () =>
          Effect.succeed({
            find: (botIds: ReadonlyArray<string>, { phrases, words }: FullTextQuery, limit: number) => {
              const terms = JSON.stringify([...words.map((word) => [word]), ...phrases])
              // BM25 as FTS5 has it, for PostgreSQL has none: over all passages, with k1 = 1.2 and b = 0.75.
              return Row.all(
                "search passages",
                sql`WITH term AS MATERIALIZED (
                    SELECT t.number,
                      ARRAY(SELECT (ts_lexize('chatbot_stem', w.word))[1]
                        FROM jsonb_array_elements_text(t.words) WITH ORDINALITY w (word, place) ORDER BY w.place) AS lexemes
                    FROM jsonb_array_elements(CAST(${terms} AS JSONB)) WITH ORDINALITY t (words, number)
                  ), query AS MATERIALIZED (
                    SELECT number, lexemes,
                      (SELECT string_agg(quote_literal(lexeme), ' <-> ' ORDER BY place)
                        FROM unnest(lexemes) WITH ORDINALITY l (lexeme, place))::tsquery AS query
                    FROM term
                  ), whole AS MATERIALIZED (
                    SELECT count(*)::float8 AS passages, greatest(avg(search_length)::float8, 1) AS length FROM passages
                  ), weighted AS MATERIALIZED (
                    SELECT q.*, greatest(ln((w.passages - n.having + 0.5) / (n.having + 0.5)), 1e-6) AS weight
                    FROM query q CROSS JOIN whole w
                    CROSS JOIN LATERAL (SELECT count(*)::float8 AS having FROM passages WHERE search @@ q.query) n
                  ), hit AS (
                    SELECT p.id, p.search_length, q.weight, (
                      SELECT sum(CASE WHEN a.weight = 'A' THEN ${headingWeight}::float8 ELSE 1 END)
                      FROM unnest(p.search) v CROSS JOIN LATERAL unnest(v.positions, v.weights) a (place, weight)
                      WHERE v.lexeme = q.lexemes[1] AND NOT EXISTS (
                        SELECT 1 FROM unnest(q.lexemes) WITH ORDINALITY l (lexeme, place)
                        WHERE l.place > 1 AND NOT EXISTS (
                          SELECT 1 FROM unnest(p.search) o
                          WHERE o.lexeme = l.lexeme AND (a.place + l.place - 1)::int2 = ANY(o.positions)
                        )
                      )
                    ) AS count
                    FROM passages p JOIN weighted q ON p.search @@ q.query
                    WHERE ${sql.in("p.bot_id", botIds)}
                  ), found AS (
                    SELECT h.id,
                      sum(h.weight * h.count * 2.2 / (h.count + 1.2 * (0.25 + 0.75 * h.search_length / w.length))) AS relevance
                    FROM hit h CROSS JOIN whole w
                    GROUP BY h.id ORDER BY relevance DESC, h.id LIMIT ${limit}
                  )
                  SELECT p.id, p.bot_id, p.document_id, p.ordinal, p.heading, p.text, d.path, f.relevance,
                    (SELECT CAST(count(*) AS INTEGER) FROM passages WHERE ${sql.in("bot_id", botIds)}) AS total
                  FROM found f JOIN passages p ON p.id = f.id LEFT JOIN documents d ON d.id = p.document_id
                  ORDER BY f.relevance DESC, p.id`
              )
            }
          }),
        orElse: () => Effect.die(new Error("There is full-text search for SQLite and PostgreSQL only."))
      })
    )
  )
}
