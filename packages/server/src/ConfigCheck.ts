/**
 * `pnpm serve --check`: the whole configuration, and what would keep the backend from starting with it. Nothing is changed by it.
 */
import { OpenAiServiceId } from "@effect-chatbot/schema/Ids"
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import type * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Record from "effect/Record"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import { connect } from "node:net"
import { DatabaseSync } from "node:sqlite"
import { pathToFileURL } from "node:url"
import * as Backend from "./Backend.ts"
import * as BotsFolder from "./BotsFolder.ts"
import { nearest } from "./internal/nearest.ts"
import * as SealedPlaces from "./SealedPlaces.ts"
import * as SecretBox from "./SecretBox.ts"
import { ServerConfig, settings } from "./ServerConfig.ts"
import type { Setting } from "./Setting.ts"
import * as Database from "./sql/Database.ts"
import * as Migrations from "./sql/Migrations.ts"
import { explain } from "./StartFailed.ts"
import * as Telemetry from "./Telemetry.ts"

/** A variable, as it is in force. */
export interface Listed {
  readonly name: string
  /** Its value; `<redacted>` for a secret. */
  readonly value: string
  readonly isSet: boolean
  /** What it is for. */
  readonly about: string
}

/** What was looked at. A `problem` keeps the backend from starting, or is surely not what was meant; a `note` is good to know. */
export interface Checked {
  readonly name: string
  readonly outcome: "ok" | "note" | "problem"
  readonly message: string
}

/** What the check found. */
export interface Report {
  readonly settings: ReadonlyArray<Listed>
  readonly checks: ReadonlyArray<Checked>
  /** Whether there is no problem. */
  readonly isValid: boolean
}

/** Variables with the prefix of this project that others read: the client, and the tests. */
const foreign = /^CHATBOT_(BASE_URL|TOKEN|TEST_\w+)$/

const hidden = "<redacted>"

const ok = (name: string, message: string): Checked => ({ name, outcome: "ok", message })
const note = (name: string, message: string): Checked => ({ name, outcome: "note", message })
const problem = (name: string, message: string): Checked => ({ name, outcome: "problem", message })

/** What is wrong, without where: a problem has its name already. */
const wrong = (error: Config.ConfigError): string =>
  explain(error)
    .message.replace(/^.*?: /, "")
    .replace(/\n\s+at \[.*/s, "")

/** The problem of a setting, if it has one. A value that does not fit may be in what is said of it, and then is no secret. */
const checkSetting = (env: Env, { config, isSecret, name }: Setting) =>
  Effect.match(config, {
    onFailure: (error) => {
      const message = wrong(error)
      const isTold = isSecret && message.includes(env[name] ?? "")
      return [problem(name, isTold ? "The value does not fit." : message)]
    },
    onSuccess: () => []
  })

const list = (env: Env, { about, default: text, isSecret, name }: Omit<Listed, "value" | "isSet"> & Shown): Listed => {
  const value = env[name]
  return { name, value: value === undefined ? text : isSecret ? hidden : value, isSet: value !== undefined, about }
}

interface Shown {
  readonly default: string
  readonly isSecret: boolean
}

type Env = Readonly<Record<string, string | undefined>>

const unknown = (env: Env) => {
  const names = Object.values(settings).map(({ name }) => name)
  return Object.keys(env)
    .filter((name) => name.startsWith("CHATBOT_") && !names.includes(name) && !foreign.test(name))
    .map((name) => problem(name, `There is no such setting. Is ${nearest(name, names)} meant?`))
}

/** What cannot be looked at is not there. */
const exists = (file: string) => FileSystem.FileSystem.use((fs) => Effect.orElseSucceed(fs.exists(file), () => false))

const checkDataDir = Effect.fnUntraced(function* (dataDir: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  let folder = path.resolve(dataDir)
  while (!(yield* exists(folder))) folder = path.dirname(folder)
  const isFolder = (yield* fs.stat(folder)).type === "Directory"
  if (!isFolder || !(yield* Effect.isSuccess(fs.access(folder, { writable: true })))) {
    return problem(
      "data folder",
      `${folder} is no folder that this user may write to. Set CHATBOT_DATA_DIR to another.`
    )
  }
  return folder === path.resolve(dataDir)
    ? ok("data folder", `${dataDir} can be written to.`)
    : note("data folder", `${dataDir} is not there yet, and will be made.`)
})

/** A key of an OpenAI service as it is stored. */
const Sealed = Schema.Struct({ id: Schema.String, sealed: Schema.Uint8Array })

/** What is known of a database without changing it. */
interface Found {
  readonly check: Checked
  readonly sealed: ReadonlyArray<typeof Sealed.Type>
}

const needed = Record.size(Migrations.migrations)

const database = (where: string, version: number): Checked => {
  if (version > needed) {
    return problem("database", `${where} is of version ${version}, and this program knows ${needed}.`)
  }
  return version < needed
    ? note("database", `${where} is of version ${version}, and will be brought to ${needed}.`)
    : ok("database", `${where} is of version ${version}.`)
}

const unreadable = (message: string): Found => ({ check: problem("database", message), sealed: [] })

/** The SQLite database in the data folder. It is read without a trace, if nobody else has it open. */
const readSqlite = Effect.fnUntraced(function* ({ dataDir }: ServerConfig) {
  const path = yield* Path.Path
  const file = path.join(dataDir, Database.fileName)
  if (!(yield* exists(file))) return { check: note("database", "It will be made on the first start."), sealed: [] }
  const url = pathToFileURL(path.resolve(file))
  if (!(yield* exists(`${file}-wal`))) url.searchParams.set("immutable", "1")
  return yield* Effect.try({
    try: (): Found => {
      const db = new DatabaseSync(url, { readOnly: true })
      try {
        const row = db.prepare("SELECT max(migration_id) AS version FROM effect_sql_migrations").get()
        const sealed = db
          .prepare("SELECT id, api_key AS sealed FROM open_ai_services WHERE api_key IS NOT NULL LIMIT 1000")
          .all()
        return { check: database(file, Number(row?.["version"])), sealed: sealed.filter(Schema.is(Sealed)) }
      } finally {
        db.close()
      }
    },
    catch: (cause) => `${file} cannot be read: ${cause instanceof Error ? cause.message : cause}`
  }).pipe(Effect.catch((message) => Effect.succeed(unreadable(message))))
})

/** The PostgreSQL database. */
const readPostgres = Effect.fnUntraced(function* (url: Redacted.Redacted) {
  const Postgres = yield* Effect.promise(() => import("./sql/Postgres.ts"))
  return yield* Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const [there] = yield* sql<{ isThere: boolean }>`
      SELECT to_regclass('effect_sql_migrations') IS NOT NULL AS is_there`
    if (there?.isThere !== true) return { check: note("database", "It is empty, and will be set up."), sealed: [] }
    const [row] = yield* sql<{ version: number | null }>`SELECT max(migration_id) AS version FROM effect_sql_migrations`
    const sealed = yield* sql`SELECT id, api_key AS sealed FROM open_ai_services WHERE api_key IS NOT NULL LIMIT 1000`
    return { check: database("It", row?.version ?? 0), sealed: sealed.filter(Schema.is(Sealed)) }
  }).pipe(
    Effect.provide(Postgres.layer({ url, maxConnections: 1 })),
    Effect.catch(({ message }) => Effect.succeed(unreadable(message)))
  )
})

/** Whether this can be one of several processes, if it is to be. */
const checkCluster = (config: ServerConfig) =>
  Effect.match(Backend.processesOf(config, true), {
    onFailure: ({ message }) => [problem("cluster", message)],
    onSuccess: () => (config.cluster ? [ok("cluster", "It can be one of several processes.")] : [])
  })

const readDatabase = (config: ServerConfig): Effect.Effect<Found, never, FileSystem.FileSystem | Path.Path> =>
  config.databaseUrl === undefined ? readSqlite(config) : readPostgres(config.databaseUrl)

const checkSecretKey = Effect.fnUntraced(function* (config: ServerConfig, sealed: Found["sealed"]) {
  const name = "secret key"
  const path = yield* Path.Path
  const { secretKey: key, secretKeyPrevious: previous } = config
  const file = path.join(config.dataDir, "secret-key")
  if ((key === undefined || Redacted.value(key) === "") && !(yield* exists(file))) {
    return sealed.length === 0
      ? note(name, "It will be made on the first start.")
      : problem(
          name,
          `${sealed.length} keys of OpenAI services need the one they were encrypted with. Set CHATBOT_SECRET_KEY.`
        )
  }
  return yield* Effect.gen(function* () {
    const box = yield* SecretBox.SecretBox
    const opened = yield* Effect.forEach(sealed, ({ id, sealed }) =>
      Effect.isSuccess(box.open(sealed, SealedPlaces.apiKey.purpose(OpenAiServiceId.make(id))))
    )
    const lost = opened.filter((isOpen) => !isOpen).length
    return lost === 0
      ? ok(name, `It fits the ${sealed.length} keys of OpenAI services that are stored.`)
      : problem(name, `It does not fit ${lost} of the ${sealed.length} keys of OpenAI services that are stored.`)
  }).pipe(
    Effect.provide(SecretBox.layer({ key, previous, file })),
    Effect.catch(({ message }) => Effect.succeed(problem(name, message)))
  )
})

const checkBots = ({ botsDir }: ServerConfig) =>
  BotsFolder.load(botsDir).pipe(
    Effect.provide(NodeCrypto.layerDigest),
    Effect.map((bots) => ok("bots folder", `${botsDir} has ${bots.bots.length} bots.`)),
    Effect.catch(({ message }) => Effect.succeed(problem("bots folder", message)))
  )

/** Whether somebody listens there already: this backend, if it runs. */
const checkPort = ({ host, port }: ServerConfig): Effect.Effect<Checked> =>
  Effect.callback<Checked>((resume) => {
    if (port === 0) return resume(Effect.succeed(ok("port", "A free one will be taken.")))
    const socket = connect({ host: /^(0\.0\.0\.0|::)$/.test(host) ? "localhost" : host, port, timeout: 2000 })
    const answer = (checked: Checked) => {
      socket.destroy()
      resume(Effect.succeed(checked))
    }
    socket.once("connect", () =>
      answer(note("port", `Something listens on ${host}:${port} already: this backend, or another program.`))
    )
    socket.once("error", () => answer(ok("port", `Nothing listens on ${host}:${port} yet.`)))
    socket.once("timeout", () => answer(note("port", `${host}:${port} does not answer.`)))
  })

/** Looks at everything. What depends on settings that cannot be read is left out. */
export const check = Effect.fn("ConfigCheck.check")(function* (env: Env) {
  const provider = ConfigProvider.fromEnv({
    env: Object.fromEntries(
      Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
    )
  })
  const read = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.provideService(effect, ConfigProvider.ConfigProvider, provider)
  const problems = (yield* read(
    Effect.forEach(Object.values<Setting>(settings), (setting) => checkSetting(env, setting))
  )).flat()
  const telemetry = yield* read(
    Effect.match(Telemetry.check, {
      onFailure: (error) => problem("telemetry", explain(error).message),
      onSuccess: () => ok("telemetry", "The variables of OpenTelemetry can be read.")
    })
  )
  const checks: Array<Checked> = [...unknown(env), ...problems, telemetry]
  const config = yield* Effect.result(read(ServerConfig))
  if (Result.isFailure(config)) {
    // Each setting can be read, but not all of them together.
    if (problems.length === 0) checks.push(problem("settings", wrong(config.failure)))
  } else {
    const found = yield* readDatabase(config.success)
    checks.push(
      yield* checkDataDir(config.success.dataDir),
      found.check,
      ...(yield* checkCluster(config.success)),
      yield* checkSecretKey(config.success, found.sealed),
      yield* checkBots(config.success),
      yield* checkPort(config.success)
    )
  }
  const report: Report = {
    settings: [
      ...Object.values<Setting>(settings).map((setting) => list(env, setting)),
      ...Telemetry.variables.map((variable) => list(env, variable))
    ],
    checks,
    isValid: checks.every(({ outcome }) => outcome !== "problem")
  }
  return report
})

const table = (rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd()
  )
}

/** The report for people. */
export const toText = ({ checks, settings }: Report): string =>
  [
    ...table(
      settings.map(({ about, isSet, name, value }) => [
        name,
        value === "" ? "-" : value,
        isSet ? "set" : "default",
        about
      ])
    ),
    "",
    ...table(checks.map(({ message, name, outcome }) => [outcome, name, message]))
  ].join("\n")
