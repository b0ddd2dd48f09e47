import * as Backup from "@effect-chatbot/server/Backup"
import * as Migrations from "@effect-chatbot/server/sql/Migrations"
import * as Database from "@effect-chatbot/server/sql/Database"
import * as NodeSqlite from "@effect-chatbot/server/sql/NodeSqlite"
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import type * as SqlError from "effect/sql/SqlError"
import { sendTo } from "./support/raw.ts"
import * as ServerProcess from "./support/ServerProcess.ts"

const token = "an-admin-token-of-the-tests"

/** Works on the database in this folder, as a backend does. */
const within = <A, E>(dataDir: string, effect: Effect.Effect<A, E, SqlClient.SqlClient>) =>
  Effect.provide(
    effect,
    Migrations.layer.pipe(Layer.provideMerge(NodeSqlite.layer({ filename: `${dataDir}/${Database.fileName}` })))
  )

const put = (value: string) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => sql`INSERT INTO settings ${sql.insert({ key: value, value })}`)

const settings = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.map(sql<{ key: string }>`SELECT key FROM settings ORDER BY key`, (rows) => rows.map(({ key }) => key))
)

const refusal = <A, E extends { readonly message: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), ({ message }) => message)

layer(Layer.merge(NodeServices.layer, NodeCrypto.layerSecureRandom), { excludeTestServices: true })(
  "a copy of the database",
  (it) => {
    it.effect("has everything that was answered before it, while others write, and can be put back", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const dataDir = yield* ServerProcess.dataDir
        const env = {
          CHATBOT_PORT: "0",
          CHATBOT_DATA_DIR: dataDir,
          CHATBOT_ADMIN_TOKEN: token,
          CHATBOT_LOG_LEVEL: "Error"
        }
        const file = `${dataDir}/copy.db`
        const first = yield* ServerProcess.start(env)
        const baseUrl = yield* first.listening
        const answered: Array<string> = []
        const write = Effect.gen(function* () {
          const made = yield* sendTo(baseUrl, "POST", "/api/chats/create/bybotcode", {
            token,
            body: { botCode: "client" }
          })
          answered.push(made.json().chatId)
        })
        yield* Effect.replicateEffect(write, 100, { concurrency: 4, discard: true })
        const writers = yield* Effect.forkChild(
          Effect.forEach([1, 2, 3, 4], () => Effect.forever(write), { concurrency: "unbounded" })
        )
        const before = answered.length
        const made = yield* ServerProcess.chatbot(env, "backup", file)
        const after = answered.length
        assert.strictEqual(made.code, 0, made.stderr)
        assert.match(made.stdout, /checked/)
        assert.match(made.stderr, /secret-key/)
        assert.isAbove(after, before)
        assert.strictEqual((yield* fs.stat(file)).mode & 0o777, 0o600)
        yield* Fiber.interrupt(writers)

        // Not while the backend runs.
        const refused = yield* ServerProcess.chatbot(env, "restore", file)
        assert.strictEqual(refused.code, 1)
        assert.match(refused.stderr, /^chatbot: .* is in use\. Stop the backend first\.$/m)
        assert.strictEqual((yield* sendTo(baseUrl, "GET", `/api/chats/${answered[0]}`, { token })).status, 200)
        yield* first.kill("SIGTERM")

        const restored = yield* ServerProcess.chatbot(env, "restore", file)
        assert.strictEqual(restored.code, 0, restored.stderr)
        const kept = /is kept at (\S+)\.$/m.exec(restored.stdout)?.[1] ?? ""
        assert.isTrue(yield* fs.exists(kept))
        const second = yield* ServerProcess.start(env)
        const again = yield* second.listening
        for (const chatId of answered.slice(0, before)) {
          assert.strictEqual((yield* sendTo(again, "GET", `/api/chats/${chatId}`, { token })).status, 200)
        }
        assert.deepStrictEqual(
          (yield* fs.readDirectory(dataDir)).filter((name) => name.endsWith(".part")),
          []
        )
      })
    )

    it.effect("replaces what is there, and keeps that aside, with what was only in its log of writes", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const dataDir = yield* ServerProcess.dataDir
        const file = `${dataDir}/copy.db`
        yield* within(dataDir, put("one"))
        yield* Backup.backup(dataDir, file)
        yield* within(dataDir, put("two"))
        const { kept = "", version } = yield* Backup.restore(dataDir, file)
        assert.strictEqual(version, Object.keys(Migrations.migrations).length)
        assert.deepStrictEqual(yield* within(dataDir, settings), ["one"])
        yield* fs.rename(kept, `${dataDir}/${Database.fileName}`)
        assert.deepStrictEqual(yield* within(dataDir, settings), ["one", "two"])
      })
    )

    it.effect("can be put where there is nothing yet, or something broken", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const dataDir = yield* ServerProcess.dataDir
        const file = `${dataDir}/copy.db`
        yield* within(dataDir, put("one"))
        yield* Backup.backup(dataDir, file)
        const other = `${dataDir}/not/there/yet`
        assert.isUndefined((yield* Backup.restore(other, file)).kept)
        assert.deepStrictEqual(yield* within(other, settings), ["one"])
        yield* fs.writeFileString(`${dataDir}/${Database.fileName}`, "not a database at all")
        assert.isDefined((yield* Backup.restore(dataDir, file)).kept)
        assert.deepStrictEqual(yield* within(dataDir, settings), ["one"])
      })
    )

    it.effect("is refused where it is not one, and nothing is changed then", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const dataDir = yield* ServerProcess.dataDir
        const other = yield* ServerProcess.dataDir
        yield* within(dataDir, put("one"))
        yield* within(other, put("other"))
        const file = `${other}/copy.db`
        const altered = (
          name: string,
          change: (sql: SqlClient.SqlClient) => Effect.Effect<unknown, SqlError.SqlError>
        ) =>
          Effect.gen(function* () {
            const folder = `${other}/${name}`
            yield* fs.makeDirectory(folder)
            yield* within(folder, Effect.flatMap(SqlClient.SqlClient, change))
            yield* fs.copyFile(`${folder}/${Database.fileName}`, `${folder}.db`)
            return `${folder}.db`
          })
        yield* Backup.backup(other, file)
        const bytes = yield* fs.readFile(file)
        yield* fs.writeFile(
          `${other}/damaged.db`,
          bytes.map((byte, index) => (index > 8192 && index % 7 === 0 ? 255 : byte))
        )
        yield* fs.writeFile(`${other}/half.db`, bytes.subarray(0, bytes.length / 2))
        yield* fs.writeFileString(`${other}/text.db`, "a text")
        const newer = yield* altered(
          "newer",
          (sql) => sql`INSERT INTO effect_sql_migrations (migration_id, name) VALUES (9999, 'of_tomorrow')`
        )
        const foreign = yield* altered("foreign", (sql) => sql`UPDATE effect_sql_migrations SET name = 'something'`)
        for (const [path, reason] of [
          [newer, "of_tomorrow"],
          [foreign, "not a database of this backend"],
          [`${other}/damaged.db`, "damaged"],
          [`${other}/half.db`, ""],
          [`${other}/text.db`, "not a database of this backend"],
          [`${other}/nowhere.db`, "There is no file"]
        ] as const) {
          assert.include(yield* refusal(Backup.restore(dataDir, path)), reason)
        }
        assert.deepStrictEqual(yield* within(dataDir, settings), ["one"])
        assert.match(yield* refusal(Backup.backup(dataDir, file)), /exists/)
        assert.match(yield* refusal(Backup.backup(`${other}/empty`, `${other}/x.db`)), /There is no database/)
        assert.match(
          yield* refusal(Backup.backup(dataDir, `${other}/no/folder/x.db`)),
          /There is no folder .*\/no\/folder /
        )
      })
    )
  }
)
