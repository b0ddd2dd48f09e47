/**
 * The databases of the tests. On which one the tests of a project run is its `form`, which `vitest.config.ts` says.
 */
import * as Database from "@effect-chatbot/server/sql/Database"
import * as NodeSqlite from "@effect-chatbot/server/sql/NodeSqlite"
import * as Postgres from "@effect-chatbot/server/sql/Postgres"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { inject } from "vitest"

/** Where the tests of this project keep their data: SQLite in memory or on disk, or PostgreSQL; `cluster` is two processes on that. */
export const form: "memory" | "disk" | "postgres" | "cluster" = inject("form")

const ask = (method: "POST" | "DELETE", name: string): Effect.Effect<string> =>
  Effect.promise(async () => {
    const response = await fetch(`${inject("postgres")}/${name}`, { method })
    const text = await response.text()
    if (!response.ok) throw new Error(text)
    return text
  })

/** The URL of a PostgreSQL database that is gone with the scope; with the tables of the backend, or `empty`. */
export const postgresUrl = (
  content: "migrated" | "empty" = "migrated"
): Effect.Effect<Redacted.Redacted, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(ask("POST", content), (url) => ask("DELETE", new URL(url).pathname.slice(1))),
    (url) => Redacted.make(url)
  )

/** PostgreSQL, with the tables of the backend. */
export const postgres: Database.Database = Layer.unwrap(
  Effect.map(postgresUrl(), (url) => Database.migrated(Postgres.layer({ url, maxConnections: 5 })))
)

/** SQLite in memory, with the tables of the backend. */
export const memory: Database.Database = Database.migrated(NodeSqlite.layer({ filename: ":memory:" }))

/** A database without any tables, in memory or on PostgreSQL. */
export const empty =
  form === "postgres"
    ? Layer.unwrap(Effect.map(postgresUrl("empty"), (url) => Postgres.layer({ url, maxConnections: 5 })))
    : NodeSqlite.layer({ filename: ":memory:" })

/** The database of a test of services: on PostgreSQL, or else in memory. */
export const layer: Database.Database = form === "postgres" ? postgres : memory
