/**
 * `SqlClient` on SQLite, through Node's built-in `node:sqlite`: no native dependency, nothing to compile.
 *
 * One connection, one permit: a transaction or an open row stream keeps everyone else out until it ends. So collect a row stream
 * before you query again, or put one transaction around both. The driver is synchronous: keep queries indexed and results bounded.
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Pull from "effect/Pull"
import * as Reactivity from "effect/reactivity/Reactivity"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import type * as SqlConnection from "effect/sql/SqlConnection"
import * as SqlError from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import * as Str from "effect/String"
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite"

/** How to open the database. */
export interface Options {
  /** The path of the file, created when missing (its folder is not), or `:memory:`. */
  readonly filename: string
  /** Open an existing file for reading only. Default `false`. */
  readonly readonly?: boolean | undefined
  /** How long to wait for a lock that another process holds; the event loop stands still meanwhile. Default 5 seconds. */
  readonly busyTimeout?: Duration.Input | undefined
  /**
   * `normal` (the default) survives the death of the process at any moment; `full` also survives the loss of power, for one
   * flush to the disk per commit.
   */
  readonly synchronous?: "normal" | "full" | undefined
  /** How many prepared statements to keep, the least recently used going first. Default 200. */
  readonly statementCacheSize?: number | undefined
  /** From the names a program writes to those of the columns. Default camelCase to snake_case. */
  readonly transformQueryNames?: ((name: string) => string) | undefined
  /** From the names of the columns to those a program reads. Default snake_case to camelCase. */
  readonly transformResultNames?: ((name: string) => string) | undefined
}

/** A prepared statement and the modes it was last set to, so that they are set again only when they change. */
interface Prepared {
  readonly statement: StatementSync
  readonly returnsRows: boolean
  safeIntegers: boolean
  arrays: boolean
}

/** The core classifier reads `errno`; node:sqlite calls the extended result code `errcode`. */
const classify = (cause: unknown, message: string, operation: string): SqlError.SqlErrorReason =>
  SqlError.classifySqliteError(
    cause instanceof Error && "errcode" in cause ? Object.assign(cause, { errno: cause.errcode }) : cause,
    { message, operation }
  )

/** Whether a statement on `node:sqlite` failed because of a lock: SQLITE_BUSY and SQLITE_LOCKED, the low byte of their extended codes. */
export const isInUse = (cause: unknown): boolean =>
  cause instanceof Error &&
  "errcode" in cause &&
  typeof cause.errcode === "number" &&
  [5, 6].includes(cause.errcode & 0xff)

const describe = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

const failed = (cause: unknown, operation: "prepare" | "execute" | "stream"): SqlError.SqlError =>
  new SqlError.SqlError({
    reason: classify(cause, `SQLite failed to ${operation} a statement: ${describe(cause)}`, operation)
  })

const notOpened = (filename: string, cause: unknown): SqlError.SqlError =>
  new SqlError.SqlError({
    reason: new SqlError.ConnectionError({
      cause,
      message:
        `Cannot open the SQLite database "${filename}": ${describe(cause)}. ` +
        "Check that its folder exists, that this user may read and write there, and that the file is a SQLite database.",
      operation: "open"
    })
  })

const toParameter = (value: unknown): SQLInputValue => {
  switch (typeof value) {
    case "string":
    case "number":
    case "bigint":
      return value
    case "boolean":
      return value ? 1 : 0
    case "undefined":
      return null
  }
  if (value === null) return null
  if (value instanceof Date) return value.toISOString()
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  throw new TypeError(`a parameter is of a type that SQLite cannot store: ${typeof value}`)
}

/** Column names come from the program's own SQL, so the memory of their translations is bounded by it. */
const memoized = (transform: (name: string) => string): ((name: string) => string) => {
  const known = new Map<string, string>()
  return (name) => {
    let result = known.get(name)
    if (result === undefined) {
      result = transform(name)
      known.set(name, result)
    }
    return result
  }
}

const open = (options: Options): Effect.Effect<DatabaseSync, SqlError.SqlError> =>
  Effect.suspend(() => {
    let db: DatabaseSync | undefined
    try {
      db = new DatabaseSync(options.filename, {
        readOnly: options.readonly ?? false,
        enableForeignKeyConstraints: true,
        enableDoubleQuotedStringLiterals: false
      })
      db.exec(`PRAGMA busy_timeout = ${Math.ceil(Duration.toMillis(options.busyTimeout ?? Duration.seconds(5)))}`)
      if (options.readonly !== true) {
        db.exec("PRAGMA journal_mode = WAL")
        db.exec(`PRAGMA synchronous = ${options.synchronous === "full" ? "FULL" : "NORMAL"}`)
      }
      // The file is looked into only now: what is not a database is found here and not by the first query.
      db.prepare("PRAGMA schema_version").get()
      return Effect.succeed(db)
    } catch (cause) {
      if (db?.isOpen) db.close()
      return Effect.fail(notOpened(options.filename, cause))
    }
  })

/** Opens the database and closes it with the scope. Fails with a `ConnectionError` that names the file when it cannot be opened. */
export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<SqlClient.SqlClient, SqlError.SqlError, Scope.Scope | Reactivity.Reactivity> {
  const db = yield* Effect.acquireRelease(open(options), (db) => Effect.sync(() => db.close()))

  const prepare = (sql: string): Prepared => {
    const statement = db.prepare(sql)
    return { statement, returnsRows: statement.columns().length > 0, safeIntegers: false, arrays: false }
  }
  const cacheSize = Math.max(1, options.statementCacheSize ?? 200)
  // A Map keeps the order of insertion, so the first key is the one not used for longest.
  const cache = new Map<string, Prepared>()
  const prepareCached = (sql: string): Prepared => {
    const known = cache.get(sql)
    if (known !== undefined) {
      cache.delete(sql)
      cache.set(sql, known)
      return known
    }
    const prepared = prepare(sql)
    if (cache.size >= cacheSize) {
      for (const oldest of cache.keys()) {
        cache.delete(oldest)
        break
      }
    }
    cache.set(sql, prepared)
    return prepared
  }

  const setModes = (prepared: Prepared, safeIntegers: boolean, arrays: boolean): void => {
    if (prepared.safeIntegers !== safeIntegers) {
      prepared.statement.setReadBigInts(safeIntegers)
      prepared.safeIntegers = safeIntegers
    }
    if (prepared.arrays !== arrays) {
      prepared.statement.setReturnArrays(arrays)
      prepared.arrays = arrays
    }
  }

  const run = <A>(
    sql: string,
    parameters: ReadonlyArray<unknown>,
    prepareWith: (sql: string) => Prepared,
    arrays: boolean,
    use: (prepared: Prepared, parameters: ReadonlyArray<SQLInputValue>) => A
  ): Effect.Effect<A, SqlError.SqlError> =>
    Effect.withFiber((fiber) => {
      try {
        const prepared = prepareWith(sql)
        setModes(prepared, fiber.getRef(SqlClient.SafeIntegers), arrays)
        return Effect.succeed(use(prepared, parameters.map(toParameter)))
      } catch (cause) {
        return Effect.fail(failed(cause, "execute"))
      }
    })
  const rows = ({ returnsRows, statement }: Prepared, parameters: ReadonlyArray<SQLInputValue>) => {
    if (returnsRows) return statement.all(...parameters)
    statement.run(...parameters)
    return []
  }
  // In array mode a row is an array, which the types of node:sqlite do not know.
  const values = (prepared: Prepared, parameters: ReadonlyArray<SQLInputValue>) =>
    rows(prepared, parameters) as unknown as ReadonlyArray<ReadonlyArray<unknown>>
  const raw = ({ returnsRows, statement }: Prepared, parameters: ReadonlyArray<SQLInputValue>): unknown =>
    returnsRows ? statement.all(...parameters) : statement.run(...parameters)

  const execute =
    (prepareWith: (sql: string) => Prepared): SqlConnection.Connection["execute"] =>
    (sql, parameters, transformRows) => {
      const result = run(sql, parameters, prepareWith, false, rows)
      return transformRows === undefined ? result : Effect.map(result, transformRows)
    }

  const pull = (
    iterator: Iterator<SqlConnection.Row>,
    transformRows: Parameters<SqlConnection.Connection["executeStream"]>[2]
  ): Pull.Pull<Arr.NonEmptyReadonlyArray<SqlConnection.Row>, SqlError.SqlError> =>
    Effect.suspend((): ReturnType<typeof pull> => {
      try {
        const chunk: Array<SqlConnection.Row> = []
        while (chunk.length < 128) {
          const next = iterator.next()
          if (next.done === true) break
          chunk.push(next.value)
        }
        const rows = transformRows === undefined ? chunk : transformRows(chunk)
        return Arr.isReadonlyArrayNonEmpty(rows) ? Effect.succeed(rows) : Cause.done()
      } catch (cause) {
        return Effect.fail(failed(cause, "stream"))
      }
    })

  const connection: SqlConnection.Connection = {
    execute: execute(prepareCached),
    executeUnprepared: execute(prepare),
    executeRaw: (sql, parameters) => run(sql, parameters, prepareCached, false, raw),
    executeValues: (sql, parameters) => run(sql, parameters, prepareCached, true, values),
    executeValuesUnprepared: (sql, parameters) => run(sql, parameters, prepare, true, values),
    // A statement of its own, so that an open cursor never shares state with the cache.
    executeStream: (sql, parameters, transformRows) =>
      run(sql, parameters, prepare, false, ({ statement }, parameters) => statement.iterate(...parameters)).pipe(
        (iterator) => Effect.acquireRelease(iterator, (iterator) => Effect.sync(() => iterator.return?.())),
        Effect.map((iterator) => Stream.fromPull(Effect.succeed(pull(iterator, transformRows)))),
        Stream.unwrap
      )
  }

  return yield* SqlClient.make({
    ...SqlClient.makeSqliteAcquirers({
      connection: Effect.succeed(connection),
      semaphore: yield* Semaphore.make(1),
      isTransaction: () => db.isTransaction
    }),
    compiler: Statement.makeCompilerSqlite(memoized(options.transformQueryNames ?? Str.camelToSnake)),
    transformRows: Statement.defaultTransforms(memoized(options.transformResultNames ?? Str.snakeToCamel), false).array,
    driver: "node-sqlite",
    prepareTransactionControls: true,
    // A transaction that reads first and writes later would otherwise fail when another process wrote in between.
    beginTransaction: "BEGIN IMMEDIATE",
    releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`,
    spanAttributes: [["db.system.name", "sqlite"]]
  })
})

/**
 * A `SqlClient` on the given file, with foreign keys, WAL, and snake_case columns read and written as camelCase.
 *
 * **Example** (Opening a database)
 *
 * ```ts
 * const Sql = NodeSqlite.layer({ filename: "chatbot.sqlite" })
 * ```
 */
export const layer = (options: Options): Layer.Layer<SqlClient.SqlClient, SqlError.SqlError> =>
  Layer.effect(SqlClient.SqlClient, make(options)).pipe(Layer.provide(Reactivity.layer))
