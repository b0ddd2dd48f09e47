/**
 * The databases of the tests. On which one the tests of a project run is its `form`, which `vitest.config.ts` says.
 */
import * as Database from "@effect-chatbot/server/sql/Database"
import * as NodeSqlite from "@effect-chatbot/server/sql/NodeSqlite"
import type { StartFailed } from "@effect-chatbot/server/StartFailed"
import * as Postgres from "@effect-chatbot/server/sql/Postgres"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import type * as SqlError from "effect/sql/SqlError"

/** Where tests keep their data: SQLite in memory or on disk, or PostgreSQL; `cluster` is two processes on that. */
export type Form = "memory" | "disk" | "postgres" | "cluster"

const forms: ReadonlyArray<string> = ["memory", "disk", "postgres", "cluster"] satisfies ReadonlyArray<Form>
const isForm = (name: string | undefined): name is Form => name !== undefined && forms.includes(name)

// A program that a test starts has no project.
const given = process.env["CHATBOT_TEST_FORM"]

/** Where the tests of this project keep their data. */
export const form: Form = isForm(given) ? given : "memory"

// Programs that tests start load this too, and must not load vitest.
const broker = Effect.promise(async () => (await import("vitest")).inject("postgres"))

const ask = (method: "POST" | "DELETE", name: string): Effect.Effect<string> =>
  broker.pipe(
    Effect.flatMap((url) => HttpClient.execute(HttpClientRequest.make(method)(`${url}/${name}`))),
    Effect.flatMap(HttpClientResponse.filterStatusOk),
    Effect.flatMap(({ text }) => text),
    Effect.provide(FetchHttpClient.layer),
    Effect.orDie
  )

/** The URL of a PostgreSQL database that is gone with the scope; with the tables of the backend, or `empty`. */
export const postgresUrl = (
  content: "migrated" | "empty" = "migrated"
): Effect.Effect<Redacted.Redacted, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(ask("POST", content), (url) => ask("DELETE", new URL(url).pathname.slice(1))),
    (url) => Redacted.make(url)
  )

/** On the clock of the machine: a test that lets years pass would else let its pool wake up for each minute of them. */
const onPostgres = (content: "migrated" | "empty"): ReturnType<typeof Postgres.layer> =>
  Layer.effectContext(
    Effect.flatMap(postgresUrl(content), (url) => Layer.build(Postgres.layer({ url, maxConnections: 5 }))).pipe(
      Effect.provideService(Clock.Clock, Clock.Clock.defaultValue())
    )
  )

/** PostgreSQL, with the tables of the backend. */
export const postgres: Database.Database = onPostgres("migrated")

/** SQLite in memory, with the tables of the backend. */
export const memory: Database.Database = Database.migrated(NodeSqlite.layer({ filename: ":memory:" }))

/** A database without any tables, in memory or on PostgreSQL. */
export const empty: Layer.Layer<SqlClient.SqlClient, SqlError.SqlError | StartFailed> =
  form === "postgres" ? onPostgres("empty") : NodeSqlite.layer({ filename: ":memory:" })

/** The database of a test of services: on PostgreSQL, or else in memory. */
export const layer: Database.Database = form === "postgres" ? postgres : memory

/** Lets the database refuse every row of a table, or those for which a condition on `new` holds. */
export const refuse = Effect.fnUntraced(function* (table: string, condition = "true") {
  const sql = yield* SqlClient.SqlClient
  const statements = sql.onDialectOrElse({
    pg: () => [
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$`,
      `CREATE TRIGGER refuse BEFORE INSERT ON ${table} FOR EACH ROW WHEN (${condition}) EXECUTE FUNCTION refuse()`
    ],
    orElse: () => [
      `CREATE TRIGGER refuse BEFORE INSERT ON ${table} WHEN ${condition} BEGIN SELECT RAISE(ABORT, 'no'); END`
    ]
  })
  for (const statement of statements) yield* sql.unsafe(statement)
})

/** Dies unless the full-text index has all passages and no others. On PostgreSQL it cannot but have them. */
export const checkIndex = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.onDialectOrElse({
    sqlite: () => Effect.asVoid(sql`INSERT INTO passages_search (passages_search, rank) VALUES ('integrity-check', 1)`),
    orElse: () => Effect.void
  })
})
