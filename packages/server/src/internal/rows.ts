/**
 * What the repositories share: how rows are read, and what becomes of a database that fails.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import type * as SqlClient from "effect/sql/SqlClient"
import * as SqlError from "effect/sql/SqlError"
import type * as Statement from "effect/sql/Statement"
import type { PageRequest, Slice } from "../Paging.ts"

/** SQLSTATEs of a server that is starting, stopping, only to be read, or out of room for one more connection or row. */
const awayStates = /^(?:08|53|57P0|25006)/

/** SQLite's code for a disk that is full. */
const sqliteFull = 13

const awayReasons: ReadonlySet<SqlError.SqlErrorReason["_tag"]> = new Set([
  "AuthenticationError",
  "ConnectionError",
  "DeadlockError",
  "LockTimeoutError",
  "SerializationError",
  "StatementTimeoutError"
])

const isAway = ({ cause, reason }: SqlError.SqlError): boolean =>
  awayReasons.has(reason._tag) ||
  (Predicate.hasProperty(cause, "code") && Predicate.isString(cause.code) && awayStates.test(cause.code)) ||
  (Predicate.hasProperty(cause, "errcode") &&
    Predicate.isNumber(cause.errcode) &&
    (cause.errcode & 0xff) === sqliteFull)

/**
 * The database failed, or holds what it should not. Nobody can do anything about it but wait or read the log, so it is a defect.
 */
export class StorageFailed extends Schema.TaggedError<StorageFailed>()("StorageFailed", {
  /** What was tried, such as "find a chat". */
  operation: Schema.String,
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `Failed to ${this.operation}`
  }

  /** Whether the database is away or too busy, so that the same may succeed later. */
  get isTemporary(): boolean {
    return SqlError.isSqlError(this.cause) && isAway(this.cause)
  }
}

/** Whether this is a failure of a database that is away or too busy. */
export const isTemporary = (error: unknown): boolean => error instanceof StorageFailed && error.isTemporary

/** Makes the failures of a database defects that say what was tried. */
export const orDie =
  (operation: string) =>
  <A, R>(effect: Effect.Effect<A, SqlError.SqlError | Schema.SchemaError, R>): Effect.Effect<A, never, R> =>
    effect.pipe(Effect.catch((cause) => Effect.die(new StorageFailed({ operation, cause }))))

type Query = Effect.Effect<ReadonlyArray<unknown>, SqlError.SqlError>

/** Reads rows of one kind. */
export interface Reader<out A> {
  readonly all: (operation: string, query: Query) => Effect.Effect<ReadonlyArray<A>>
  /** The first row, if there is one. */
  readonly first: (operation: string, query: Query) => Effect.Effect<A | undefined>
}

/** Reads rows of a schema. */
export const reader = <A, I>(row: Schema.Codec<A, I>): Reader<A> => {
  const decode = Schema.decodeUnknownEffect(Schema.Array(row))
  const all: Reader<A>["all"] = (operation, query) => orDie(operation)(Effect.flatMap(query, (rows) => decode(rows)))
  return { all, first: (operation, query) => Effect.map(all(operation, query), (rows) => rows[0]) }
}

/** Runs a statement for its effect. */
export const run = (operation: string, query: Effect.Effect<unknown, SqlError.SqlError>): Effect.Effect<void> =>
  query.pipe(Effect.asVoid, orDie(operation))

/** How many rows a statement with a `RETURNING` clause touched. */
export const affected = (operation: string, query: Query): Effect.Effect<number> =>
  query.pipe(
    Effect.map((rows) => rows.length),
    orDie(operation)
  )

/** Whether a statement with a `RETURNING` clause touched any row, or a query found one. */
export const touches = (operation: string, query: Query): Effect.Effect<boolean> =>
  Effect.map(affected(operation, query), (count) => count > 0)

/** A 0 or 1 as a boolean. */
export const Flag = Schema.BooleanFromBit

/** A boolean as 0 or 1. */
export const bit = (flag: boolean): 0 | 1 => (flag ? 1 : 0)

/** An ISO 8601 text in UTC. */
export const Utc = Schema.DateTimeUtcFromString

/** A time as ISO 8601 text in UTC, all of one length, so that they sort as text. */
export const iso = (time: DateTime.Utc): string => DateTime.formatIso(time)

/** A column that may be NULL, which is absent. */
export const nullable = <S extends Schema.Constraint>(column: S) =>
  Schema.NullOr(column).pipe(
    Schema.decodeTo(Schema.UndefinedOr(Schema.toType(column)), {
      decode: SchemaGetter.transform((value) => value ?? undefined),
      encode: SchemaGetter.transform((value) => value ?? null)
    })
  )

/** A list of texts as JSON. */
export const Texts = Schema.fromJsonString(Schema.Array(Schema.String))

const encodeTexts = Schema.encodeSync(Texts)

/** A list of texts as JSON. */
export const texts = (values: ReadonlyArray<string>): string => encodeTexts(values)

/** Whether a column in the form of `SearchText` contains a text in the same form. */
export const contains = (sql: SqlClient.SqlClient, column: string, text: string): Statement.Fragment =>
  sql.onDialectOrElse({
    pg: () => sql`strpos(${sql.literal(column)}, ${text}) > 0`,
    orElse: () => sql`instr(${sql.literal(column)}, ${text}) > 0`
  })

/** The order of a page; the same `ids` break every tie, so that pages never overlap. */
export const order = <Field extends string>(
  sql: SqlClient.SqlClient,
  request: PageRequest<Field>,
  columns: { readonly [F in Field]: string },
  ids: ReadonlyArray<string>
): Statement.Fragment => {
  const direction = request.descending ? "DESC" : "ASC"
  const keys = [columns[request.orderBy], ...ids].map((key) => `${key} ${direction}`).join(", ")
  return sql`ORDER BY ${sql.literal(keys)} LIMIT ${request.pageSize} OFFSET ${request.offset}`
}

/** Leaves out rows that others are changing, of the table in the query that `name` stands for: for deletions in batches by many. */
export const unlocked = (sql: SqlClient.SqlClient, name: string): Statement.Fragment =>
  sql.onDialectOrElse({
    pg: () => sql`FOR UPDATE OF ${sql.literal(name)} SKIP LOCKED`,
    orElse: () => sql.literal("")
  })

const Count = reader(Schema.Struct({ total: Schema.Int }))

/** How many rows a query counted, as its column `total`. */
export const total = (operation: string, query: Query): Effect.Effect<number> =>
  Effect.map(Count.first(operation, query), (row) => row?.total ?? 0)

/** One page of rows, and the count of all. */
export const slice = <A>(
  operation: string,
  rows: Reader<A>,
  queries: { readonly count: Query; readonly rows: Query }
): Effect.Effect<Slice<A>> =>
  Effect.flatMap(total(operation, queries.count), (total) =>
    total === 0
      ? Effect.succeed({ total, rows: [] })
      : Effect.map(rows.all(operation, queries.rows), (rows) => ({ total, rows }))
  )
