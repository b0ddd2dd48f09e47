/**
 * Copies of a SQLite database: taken while the backend runs, and put back while it does not.
 *
 * The secret key is not part of one. Whoever has only a copy reads the chats in it, and none of the keys of OpenAI services.
 */
import * as Arr from "effect/Array"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type * as PlatformError from "effect/PlatformError"
import * as Schema from "effect/Schema"
import { backup as copyPages, DatabaseSync } from "node:sqlite"
import * as Database from "./sql/Database.ts"
import * as Migrations from "./sql/Migrations.ts"
import { isInUse } from "./sql/NodeSqlite.ts"
import { StartFailed } from "./StartFailed.ts"

const failed = (message: string) => new StartFailed({ message })

const describe = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/** Works on a database on a connection of its own. */
const using = <A>(
  file: string,
  options: { readonly readOnly: boolean },
  work: (db: DatabaseSync) => A
): Effect.Effect<A, { readonly cause: unknown }> =>
  Effect.try({
    try: () => {
      const db = new DatabaseSync(file, options)
      try {
        return work(db)
      } finally {
        db.close()
      }
    },
    catch: (cause) => ({ cause })
  })

const Versions = Schema.Array(Schema.Struct({ id: Schema.Int, name: Schema.String }))

/** The migrations of this version, by their numbers. */
const known = Object.keys(Migrations.migrations).map((key) => {
  const [id = "", ...name] = key.split("_")
  return { id: Number(id), name: name.join("_") }
})

/** What is wrong with the pages of a database, and which migrations it has seen. */
const inspect = (db: DatabaseSync) => ({
  integrity: db
    .prepare("PRAGMA integrity_check(1)")
    .all()
    .map((row) => String(row["integrity_check"]))
    .join(),
  versions: db.prepare("SELECT migration_id AS id, name FROM effect_sql_migrations ORDER BY migration_id").all()
})

/** Fails unless the file is a whole database of this backend, of this version or an older one. */
const verify = Effect.fnUntraced(function* (file: string, what: string) {
  const foreign = failed(`${what} is not a database of this backend.`)
  const { integrity, versions } = yield* using(file, { readOnly: true }, inspect).pipe(Effect.mapError(() => foreign))
  if (integrity !== "ok") return yield* failed(`${what} is damaged: ${integrity}`)
  if (!Schema.is(Versions)(versions) || !Arr.isArrayNonEmpty([...versions])) return yield* foreign
  for (const [index, { id, name }] of versions.entries()) {
    const expected = known[index]
    if (expected === undefined) return yield* failed(`${what} was written by a newer version: it has "${name}".`)
    if (expected.id !== id || expected.name !== name) return yield* foreign
  }
  return { version: versions.length }
})

/** What was written is on the disk when this returns. */
const flush = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  yield* Effect.scoped(Effect.flatMap(fs.open(file, { flag: "r" }), ({ sync }) => sync))
})

/** A name beside a file that nobody else has; what is there is removed with the scope. */
const draftOf = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const random = yield* SecureRandom.SecureRandom
  const draft = `${file}.${(yield* random.uuidV4()).slice(0, 8)}.part`
  yield* Effect.addFinalizer(() =>
    Effect.forEach(["", "-journal", "-wal", "-shm"], (suffix) =>
      Effect.ignore(fs.remove(`${draft}${suffix}`, { force: true }))
    )
  )
  return draft
})

const explain = <A, E, R>(effect: Effect.Effect<A, E | PlatformError.PlatformError, R>) =>
  Effect.catchIf(
    effect,
    (error): error is Extract<E | PlatformError.PlatformError, PlatformError.PlatformError> =>
      typeof error === "object" && error !== null && "_tag" in error && error._tag === "PlatformError",
    (error) => Effect.fail(failed(error.message))
  )

/**
 * Writes a copy of the database in the data folder to a file that must not exist yet. It is one moment of the database, also while a
 * backend writes to it, which is not kept waiting. The file appears when it is complete and checked, and only its owner may read it.
 */
export const backup = Effect.fn("Backup.backup")(
  function* (dataDir: string, file: string) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const source = path.join(dataDir, Database.fileName)
    if (!(yield* fs.exists(source))) {
      return yield* failed(`There is no database at ${source}. Set CHATBOT_DATA_DIR to the data folder of the backend.`)
    }
    if (yield* fs.exists(file)) return yield* failed(`${file} exists. Choose another name, or remove it.`)
    const folder = path.dirname(path.resolve(file))
    if (!(yield* fs.exists(folder))) return yield* failed(`There is no folder ${folder} to write the copy to.`)
    const draft = yield* draftOf(file)
    yield* fs.writeFile(draft, new Uint8Array(), { mode: 0o600, flag: "wx" })
    yield* Effect.tryPromise({
      try: async () => {
        const db = new DatabaseSync(source, { readOnly: true })
        try {
          // All pages in one step: a writer in between would make it begin anew.
          await copyPages(db, draft, { rate: 2 ** 31 - 1 })
        } finally {
          db.close()
        }
      },
      catch: (cause) => failed(`The database cannot be copied: ${describe(cause)}`)
    })
    // A copy is one file, without the log of writes beside it.
    yield* using(draft, { readOnly: false }, (db) => db.exec("PRAGMA journal_mode = DELETE")).pipe(
      Effect.mapError(({ cause }) => failed(`The copy cannot be completed: ${describe(cause)}`))
    )
    const { version } = yield* verify(draft, "The copy")
    yield* flush(draft)
    // Fails if somebody else was faster.
    yield* fs.link(draft, file)
    yield* flush(folder)
    const { size } = yield* fs.stat(file)
    return { size: Number(size), version }
  },
  Effect.scoped,
  explain
)

/**
 * Puts a copy in the place of the database in the data folder, and keeps what was there under another name. Fails while anybody has the
 * database open, and for a file that is not a whole database of this version or an older one.
 */
export const restore = Effect.fn("Backup.restore")(
  function* (dataDir: string, file: string) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const target = path.join(dataDir, Database.fileName)
    if (!(yield* fs.exists(file))) return yield* failed(`There is no file ${file}.`)
    yield* fs.makeDirectory(dataDir, { recursive: true, mode: 0o700 })
    const draft = yield* draftOf(target)
    yield* fs.copyFile(file, draft)
    yield* fs.chmod(draft, 0o600)
    const { version } = yield* verify(draft, file)
    yield* flush(draft)
    let kept: string | undefined
    if (yield* fs.exists(target)) {
      // Nobody else may have it open for this; and what is in its log of writes becomes part of it.
      yield* using(target, { readOnly: false }, (db) => db.exec("PRAGMA journal_mode = DELETE")).pipe(
        Effect.catchIf(
          ({ cause }) => !isInUse(cause),
          // It is damaged, which may be why there is a restore.
          () => Effect.void
        ),
        Effect.mapError(() => failed(`The database ${target} is in use. Stop the backend first.`))
      )
      const now = DateTime.formatIso(yield* DateTime.now).replace(/[:.]/g, "-")
      kept = `${target}.${now}`
      for (const suffix of ["-wal", "-shm", ""]) {
        if (yield* fs.exists(`${target}${suffix}`)) yield* fs.rename(`${target}${suffix}`, `${kept}${suffix}`)
      }
    }
    yield* fs.rename(draft, target)
    yield* flush(dataDir)
    return { kept, version }
  },
  Effect.scoped,
  explain
)
