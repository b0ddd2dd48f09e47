import * as NodeSqlite from "@effect-chatbot/server/sql/NodeSqlite"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"

const memory = NodeSqlite.layer({ filename: ":memory:" })

const build = (options: NodeSqlite.Options) => Layer.build(NodeSqlite.layer(options))

const inMemory = <A, E>(effect: Effect.Effect<A, E, SqlClient.SqlClient>) => Effect.provide(effect, memory)

const temporaryFile = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped()).pipe(
  Effect.map((folder) => `${folder}/test.sqlite`),
  Effect.provide(NodeFileSystem.layer)
)

const people = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE people (id INTEGER PRIMARY KEY, full_name TEXT NOT NULL UNIQUE, is_active INTEGER, picture BLOB)`
  yield* sql`CREATE TABLE pets (id INTEGER PRIMARY KEY, owner_id INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE)`
  return sql
})

const numbers = (count: number) =>
  `WITH RECURSIVE r (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < ${count}) SELECT i AS row_number FROM r`

describe("NodeSqlite", () => {
  it.effect("writes camelCase to snake_case columns and reads it back", () =>
    inMemory(
      Effect.gen(function* () {
        const sql = yield* people
        const picture = new Uint8Array([0, 1, 255])
        yield* sql`INSERT INTO people ${sql.insert({ id: 1, fullName: "Ada", isActive: true, picture })}`
        yield* sql`INSERT INTO people ${sql.insert([{ id: 2, fullName: "Bob", isActive: undefined, picture: null }])}`
        yield* sql`UPDATE people SET ${sql.update({ fullName: "Ada L." })} WHERE id = 1`
        const rows = yield* sql<{ fullName: string; isActive: number | null; picture: Uint8Array | null }>`
        SELECT full_name, is_active, picture FROM people ORDER BY id`
        assert.deepStrictEqual(rows, [
          { fullName: "Ada L.", isActive: 1, picture },
          { fullName: "Bob", isActive: null, picture: null }
        ])
        const plain = sql.withoutTransforms()
        assert.deepStrictEqual(
          { ...(yield* plain`SELECT full_name FROM people WHERE id = 1`)[0] },
          { full_name: "Ada L." }
        )
      })
    )
  )

  it.effect("reads rows as arrays and integers as bigint when asked, through the same statement", () =>
    inMemory(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const query = sql<{ n: number | bigint }>`SELECT 1 AS n`
        assert.deepStrictEqual(yield* query, [{ n: 1 }])
        assert.deepStrictEqual(yield* Effect.provideService(query, SqlClient.SafeIntegers, true), [{ n: 1n }])
        assert.deepStrictEqual(yield* query.values, [[1]])
        assert.deepStrictEqual(yield* query, [{ n: 1 }])
      })
    )
  )

  it.effect("enforces foreign keys and cascades", () =>
    inMemory(
      Effect.gen(function* () {
        const sql = yield* people
        const error = yield* Effect.flip(sql`INSERT INTO pets ${sql.insert({ id: 1, ownerId: 7 })}`)
        assert.strictEqual(error.reason._tag, "ConstraintError")
        yield* sql`INSERT INTO people ${sql.insert({ id: 7, fullName: "Ada" })}`
        yield* sql`INSERT INTO pets ${sql.insert({ id: 1, ownerId: 7 })}`
        yield* sql`DELETE FROM people WHERE id = 7`
        assert.deepStrictEqual(yield* sql`SELECT * FROM pets`, [])
      })
    )
  )

  it.effect("tells what went wrong", () =>
    inMemory(
      Effect.gen(function* () {
        const sql = yield* people
        const insert = sql`INSERT INTO people ${sql.insert({ fullName: "Ada" })}`
        yield* insert
        const taken = yield* Effect.flip(insert)
        assert.isTrue(taken.reason._tag === "UniqueViolation" && taken.reason.constraint === "people.full_name")
        const syntax = yield* Effect.flip(sql`SELEKT 1`)
        assert.include(syntax.message, `near "SELEKT": syntax error`)
        const parameter = yield* Effect.flip(sql`SELECT ${{ a: 1 }} AS x`)
        assert.include(parameter.message, "of a type that SQLite cannot store")
        assert.deepStrictEqual(yield* sql`SELECT 1 AS still_usable`, [{ stillUsable: 1 }])
      })
    )
  )

  it.effect("rolls back what fails and what is interrupted, and nested transactions alone", () =>
    inMemory(
      Effect.gen(function* () {
        const sql = yield* people
        const insert = (fullName: string) => sql`INSERT INTO people ${sql.insert({ fullName })}`
        yield* Effect.flip(sql.withTransaction(Effect.andThen(insert("failed"), Effect.fail("no"))))
        const inside = yield* Deferred.make<void>()
        const fiber = yield* sql
          .withTransaction(
            insert("interrupted").pipe(
              Effect.andThen(Deferred.succeed(inside, undefined)),
              Effect.andThen(Effect.never)
            )
          )
          .pipe(Effect.forkChild)
        yield* Deferred.await(inside)
        yield* Fiber.interrupt(fiber)
        yield* sql.withTransaction(
          Effect.gen(function* () {
            yield* insert("outer")
            yield* Effect.flip(sql.withTransaction(Effect.andThen(insert("inner"), Effect.fail("no"))))
          })
        )
        assert.deepStrictEqual(yield* sql`SELECT full_name FROM people`, [{ fullName: "outer" }])
      })
    )
  )

  it.effect("runs concurrent transactions one after the other", () =>
    inMemory(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`CREATE TABLE counter (n INTEGER NOT NULL)`
        yield* sql`INSERT INTO counter VALUES (0)`
        const increment = sql.withTransaction(
          Effect.gen(function* () {
            const [row] = yield* sql<{ n: number }>`SELECT n FROM counter`
            yield* Effect.yieldNow
            yield* sql`UPDATE counter SET n = ${(row?.n ?? 0) + 1}`
          })
        )
        yield* Effect.all(
          Array.from({ length: 20 }, () => increment),
          { concurrency: "unbounded", discard: true }
        )
        assert.deepStrictEqual(yield* sql`SELECT n FROM counter`, [{ n: 20 }])
      })
    )
  )

  it.effect("streams rows, may be left early, and fails in the error channel", () =>
    inMemory(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const all = yield* Stream.runCollect(sql.unsafe<{ rowNumber: number }>(numbers(1000)).stream)
        assert.strictEqual(all.length, 1000)
        assert.strictEqual(all[999]?.rowNumber, 1000)
        const some = yield* sql
          .unsafe<{ rowNumber: number }>(numbers(1000))
          .stream.pipe(Stream.take(300), Stream.runCollect)
        assert.strictEqual(some.length, 300)
        // A cursor that is still open would lock the table.
        yield* sql`CREATE TABLE numbers AS SELECT * FROM (${sql.literal(numbers(1000))})`
        yield* sql`SELECT * FROM numbers`.stream.pipe(Stream.take(1), Stream.runDrain)
        yield* sql`DROP TABLE numbers`
        assert.deepStrictEqual(yield* Stream.runCollect(sql`SELECT 1 AS x WHERE 0`.stream), [])
        // The integer overflows in the second row, after the cursor was opened.
        const error = yield* sql`SELECT abs(column1) AS x FROM (VALUES (1), (-9223372036854775807 - 1))`.stream.pipe(
          Stream.runDrain,
          Effect.flip
        )
        assert.include(error.message, "integer overflow")
        assert.deepStrictEqual(yield* sql`SELECT 1 AS x`, [{ x: 1 }])
      })
    )
  )

  it.effect("keeps answering right when the statement cache is too small", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      for (let i = 0; i < 3; i++) {
        assert.deepStrictEqual(yield* sql`SELECT ${i} AS first`, [{ first: i }])
        assert.deepStrictEqual(yield* sql`SELECT ${i} AS second`, [{ second: i }])
      }
    }).pipe(Effect.provide(NodeSqlite.layer({ filename: ":memory:", statementCacheSize: 1 })))
  )

  it.effect("keeps what was written, in WAL mode, and leaves only the database file when closed", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const filename = yield* temporaryFile
      yield* Effect.gen(function* () {
        const sql = yield* people
        yield* sql`INSERT INTO people ${sql.insert({ fullName: "Ada" })}`
        assert.deepStrictEqual(yield* sql`PRAGMA journal_mode`, [{ journalMode: "wal" }])
        assert.deepStrictEqual(yield* sql`PRAGMA foreign_keys`, [{ foreignKeys: 1 }])
        assert.isTrue(yield* fs.exists(`${filename}-wal`))
      }).pipe(Effect.provide(NodeSqlite.layer({ filename }), { local: true }))
      assert.isFalse(yield* fs.exists(`${filename}-wal`))
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        assert.deepStrictEqual(yield* sql`SELECT full_name FROM people`, [{ fullName: "Ada" }])
        const refused = yield* Effect.flip(sql`DELETE FROM people`)
        assert.include(refused.message, "readonly")
      }).pipe(Effect.provide(NodeSqlite.layer({ filename, readonly: true }), { local: true }))
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )

  it.effect("gives up on a lock after the busy timeout", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const one = yield* SqlClient.SqlClient.pipe(Effect.provide(yield* build({ filename })))
      const two = yield* SqlClient.SqlClient.pipe(Effect.provide(yield* build({ filename, busyTimeout: 1 })))
      yield* one`CREATE TABLE t (x INTEGER)`
      const error = yield* one.withTransaction(Effect.flip(two`INSERT INTO t VALUES (1)`))
      assert.strictEqual(error.reason._tag, "LockTimeoutError")
      assert.isTrue(error.isRetryable)
      yield* two`INSERT INTO t VALUES (1)`
      assert.deepStrictEqual(yield* one`SELECT x FROM t`, [{ x: 1 }])
    }).pipe(Effect.scoped)
  )

  it.effect("says which file cannot be opened and why", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      yield* fs.writeFileString(`${folder}/text.sqlite`, "This is not a database. ".repeat(100))
      for (const [filename, reason] of [
        [`${folder}/missing/x.sqlite`, "unable to open database file"],
        [folder, "unable to open database file"],
        [`${folder}/text.sqlite`, "file is not a database"]
      ] as const) {
        const error = yield* Effect.flip(build({ filename }))
        assert.strictEqual(error.reason._tag, "ConnectionError")
        assert.include(error.message, `Cannot open the SQLite database "${filename}"`)
        assert.include(error.message, reason)
      }
      const unread = yield* Effect.flip(build({ filename: `${folder}/text.sqlite`, readonly: true }))
      assert.include(unread.message, "file is not a database")
      assert.strictEqual(
        (yield* Effect.flip(build({ filename: `${folder}/new.sqlite`, readonly: true }))).reason._tag,
        "ConnectionError"
      )
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )
})
