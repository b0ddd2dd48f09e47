/**
 * The runs of completions in the database, where several processes share it: what runs, and the events of it that may be read.
 */
import { ChatId, CompletionId, BotId, UserId, UserSystemMessageId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import { bit, iso, nullable, reader, run, touches } from "../internal/rows.ts"

/** What is asked, without what can be read elsewhere. */
export const StoredQuestion = Schema.Struct({
  botId: BotId,
  userId: Schema.optionalKey(UserId),
  userSystemMessage: Schema.optionalKey(Schema.Struct({ userId: UserId, id: UserSystemMessageId })),
  userMessage: Schema.String,
  ignoreChatHistory: Schema.Boolean,
  isAdminChat: Schema.Boolean,
  isTraceLogEnabled: Schema.Boolean
})

/** What is asked, without what can be read elsewhere. */
export interface StoredQuestion extends Schema.Schema.Type<typeof StoredQuestion> {}

const QuestionColumn = Schema.fromJsonString(StoredQuestion)
const encodeQuestion = Schema.encodeSync(QuestionColumn)

const StopColumn = Schema.Literals(["Stopped", "BotsStopped"])

/** Why a run is to be broken off. */
export type StopColumn = typeof StopColumn.Type

/** A run as the database has it. */
export const CompletionRunRow = Schema.Struct({
  completionId: CompletionId,
  chatId: ChatId,
  /** How often a process has taken it up. Only the last one that did may write. */
  attempt: Schema.Int,
  question: QuestionColumn,
  /** The hash and the fingerprint of its idempotency key. */
  keyHash: nullable(Schema.String),
  keyFingerprint: nullable(Schema.String),
  stop: nullable(StopColumn)
})

/** A run as the database has it. */
export interface CompletionRunRow extends Schema.Schema.Type<typeof CompletionRunRow> {}

const Row = reader(CompletionRunRow)
const Key = reader(Schema.Struct({ completionId: CompletionId, fingerprint: Schema.String }))
const Live = reader(Schema.Struct({ isForAdmins: Schema.BooleanFromBit, count: Schema.Int }))
const News = reader(Schema.Struct({ firstId: nullable(Schema.Int), events: nullable(Schema.Uint8Array) }))
const Events = reader(Schema.Struct({ events: Schema.Uint8Array }))
const Stops = reader(Schema.Struct({ completionId: CompletionId, stop: StopColumn }))
const Ids = reader(Schema.Struct({ completionId: CompletionId }))
const Progress = reader(Schema.Struct({ completionId: CompletionId, count: Schema.Int }))
const Late = reader(Schema.Struct({ completionId: CompletionId, chatId: ChatId }))

/** How many batches of events are read at a time at most. */
const readLimit = 100

/** The runs of completions in the database. */
export class CompletionRunRepository extends Context.Service<
  CompletionRunRepository,
  {
    /** Stores a run that nobody has taken up yet. Whether it was: not where the chat has one, or its key is in use. */
    readonly insert: (run: {
      readonly completionId: CompletionId
      readonly chatId: ChatId
      readonly question: StoredQuestion
      readonly key: { readonly hash: string; readonly fingerprint: string } | undefined
      readonly createdUtc: DateTime.Utc
    }) => Effect.Effect<boolean>
    /**
     * Takes a run up: whoever had it may not write any more. Not where another process has it that was seen within this time.
     */
    readonly take: (
      id: CompletionId,
      owner: string,
      within: Duration.Duration
    ) => Effect.Effect<CompletionRunRow | undefined>
    /** Says that a process is there, which others reach at this address. */
    readonly appear: (owner: string, address: string) => Effect.Effect<void>
    /** Says that a process is gone, by its name or by its address: its runs may be taken up. */
    readonly disappear: (ownerOrAddress: string) => Effect.Effect<void>
    /** Forgets processes that were not seen for this time. */
    readonly forgetOwners: (after: Duration.Duration) => Effect.Effect<void>
    /** Stores the next events of a run, from the one with this number on. Not when it has ended, or another has taken it up. */
    readonly append: (
      id: CompletionId,
      attempt: number,
      events: { readonly firstId: number; readonly count: number; readonly bytes: Uint8Array }
    ) => Effect.Effect<boolean>
    /** Ends a run, for whoever took it up last. Whether it was that one. */
    readonly end: (id: CompletionId, attempt: number) => Effect.Effect<boolean>
    /** Takes back a run that was never begun. */
    readonly delete: (id: CompletionId) => Effect.Effect<void>
    /** The run of a chat, if it is running. */
    readonly find: (
      chatId: ChatId,
      id: CompletionId
    ) => Effect.Effect<{ readonly isForAdmins: boolean; readonly count: number } | undefined>
    /** The run that an idempotency key is used for, and what for. */
    readonly findByKey: (
      hash: string
    ) => Effect.Effect<{ readonly completionId: CompletionId; readonly fingerprint: string } | undefined>
    /** All events of a run so far. */
    readonly events: (id: CompletionId) => Effect.Effect<Uint8Array>
    /** Events after the one with this number, as batches, and whether there may be more already; nothing when the run has ended. */
    readonly read: (
      id: CompletionId,
      after: number
    ) => Effect.Effect<{ readonly batches: ReadonlyArray<Uint8Array>; readonly isMore: boolean } | undefined>
    /** Wants a run to be broken off, or all; and tells which ones run. */
    readonly stop: (which: CompletionId | "all", why: StopColumn) => Effect.Effect<ReadonlyArray<CompletionId>>
    /** The runs that are to be broken off. */
    readonly stops: Effect.Effect<ReadonlyArray<{ readonly completionId: CompletionId; readonly stop: StopColumn }>>
    /** Which of these run, and how many events they have. */
    readonly progress: (
      ids: ReadonlyArray<CompletionId>
    ) => Effect.Effect<ReadonlyArray<{ readonly completionId: CompletionId; readonly count: number }>>
    /** Runs that were begun before one time and not taken up yet, or before another time. */
    readonly late: (times: {
      readonly untaken: DateTime.Utc
      readonly any: DateTime.Utc
    }) => Effect.Effect<ReadonlyArray<{ readonly completionId: CompletionId; readonly chatId: ChatId }>>
  }
>()("@effect-chatbot/server/repositories/CompletionRunRepository") {
  /** The runs in the database. */
  static readonly layer: Layer.Layer<CompletionRunRepository, never, SqlClient.SqlClient> = Layer.effect(
    CompletionRunRepository,
    Effect.map(SqlClient.SqlClient, (sql) => {
      const columns = sql.literal("completion_id, chat_id, attempt, question, key_hash, key_fingerprint, stop")
      const bytes = sql.onDialectOrElse({ pg: () => sql.literal("BYTEA"), orElse: () => sql.literal("BLOB") })
      // Whoever takes the run up waits until what is being written is, and then reads it.
      const locked = sql.onDialectOrElse({ pg: () => sql.literal("FOR SHARE"), orElse: () => sql.literal("") })
      const now = sql.onDialectOrElse({
        pg: () => sql.literal("CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"),
        orElse: () => sql.literal("CAST(unixepoch('subsec') * 1000 AS INTEGER)")
      })
      // In one order, so that two who stop all do not wait for each other.
      const all = sql.onDialectOrElse({
        pg: () => sql.literal("SELECT completion_id FROM completion_runs ORDER BY completion_id FOR UPDATE"),
        orElse: () => sql.literal("SELECT completion_id FROM completion_runs")
      })
      return {
        insert: ({ chatId, completionId, createdUtc, key, question }) =>
          touches(
            "begin a run",
            sql`INSERT INTO completion_runs ${sql.insert({
              completionId,
              chatId,
              attempt: 0,
              isForAdmins: bit(question.isTraceLogEnabled),
              keyHash: key?.hash ?? null,
              keyFingerprint: key?.fingerprint ?? null,
              stop: null,
              createdUtc: iso(createdUtc),
              question: encodeQuestion(question)
            })} ON CONFLICT DO NOTHING RETURNING completion_id`
          ),
        take: (id, owner, within) =>
          Row.first(
            "take a run up",
            sql`UPDATE completion_runs SET attempt = attempt + 1, owner = ${owner}
              WHERE completion_id = ${id} AND NOT EXISTS (
                SELECT 1 FROM completion_owners o
                WHERE o.owner = completion_runs.owner AND o.owner <> ${owner} AND o.seen > ${now} - ${Duration.toMillis(within)}
              ) RETURNING ${columns}`
          ),
        appear: (owner, address) =>
          run(
            "appear as a process",
            sql`INSERT INTO completion_owners (owner, address, seen) VALUES (${owner}, ${address}, ${now})
              ON CONFLICT (owner) DO UPDATE SET seen = excluded.seen`
          ),
        disappear: (which) =>
          run(
            "disappear as a process",
            sql`DELETE FROM completion_owners WHERE owner = ${which} OR address = ${which}`
          ),
        forgetOwners: (after) =>
          run("forget processes", sql`DELETE FROM completion_owners WHERE seen < ${now} - ${Duration.toMillis(after)}`),
        append: (id, attempt, { bytes: events, count, firstId }) =>
          touches(
            "store the events of a run",
            sql`INSERT INTO completion_events (completion_id, first_id, event_count, events)
              SELECT completion_id, CAST(${firstId} AS INTEGER), CAST(${count} AS INTEGER), CAST(${events} AS ${bytes})
              FROM completion_runs WHERE completion_id = ${id} AND attempt = ${attempt} ${locked}
              RETURNING completion_id`
          ),
        end: (id, attempt) =>
          touches(
            "end a run",
            sql`DELETE FROM completion_runs WHERE completion_id = ${id} AND attempt = ${attempt} RETURNING completion_id`
          ),
        delete: (id) => run("take a run back", sql`DELETE FROM completion_runs WHERE completion_id = ${id}`),
        find: (chatId, id) =>
          Live.first(
            "find a run",
            sql`SELECT r.is_for_admins, CAST(COALESCE(
                (SELECT SUM(e.event_count) FROM completion_events e WHERE e.completion_id = r.completion_id), 0
              ) AS INTEGER) AS count
              FROM completion_runs r WHERE r.completion_id = ${id} AND r.chat_id = ${chatId}`
          ),
        findByKey: (hash) =>
          Key.first(
            "find the run of an idempotency key",
            sql`SELECT completion_id, key_fingerprint AS fingerprint FROM completion_runs WHERE key_hash = ${hash}`
          ),
        events: (id) =>
          Effect.map(
            Events.all(
              "read the events of a run",
              sql`SELECT events FROM completion_events WHERE completion_id = ${id} ORDER BY first_id`
            ),
            (rows) => Buffer.concat(rows.map((row) => row.events))
          ),
        // One look at both, so that no event is missed when the run ends between.
        read: (id, after) =>
          Effect.map(
            News.all(
              "read the events of a run",
              sql`SELECT e.first_id, e.events FROM completion_runs r
                LEFT JOIN completion_events e ON e.completion_id = r.completion_id AND e.first_id > ${after}
                WHERE r.completion_id = ${id} ORDER BY e.first_id LIMIT ${readLimit}`
            ),
            (rows) =>
              rows.length === 0
                ? undefined
                : {
                    batches: rows.flatMap(({ events }) => (events === undefined ? [] : [events])),
                    isMore: rows.length === readLimit
                  }
          ),
        stop: (which, why) =>
          Effect.map(
            Ids.all(
              "stop runs",
              sql`UPDATE completion_runs SET stop = COALESCE(stop, ${why})
                WHERE completion_id IN (${which === "all" ? all : sql`${which}`}) RETURNING completion_id`
            ),
            (rows) => rows.map((row) => row.completionId)
          ),
        stops: Stops.all(
          "find the runs to stop",
          sql`SELECT completion_id, stop FROM completion_runs WHERE stop IS NOT NULL`
        ),
        progress: (ids) =>
          ids.length === 0
            ? Effect.succeed([])
            : Progress.all(
                "find runs",
                sql`SELECT r.completion_id, CAST(COALESCE(SUM(e.event_count), 0) AS INTEGER) AS count
                  FROM completion_runs r LEFT JOIN completion_events e ON e.completion_id = r.completion_id
                  WHERE ${sql.in("r.completion_id", ids)} GROUP BY r.completion_id`
              ),
        late: ({ any, untaken }) =>
          Late.all(
            "find the runs of a while ago",
            sql`SELECT completion_id, chat_id FROM completion_runs
              WHERE created_utc <= ${iso(any)} OR (attempt = 0 AND created_utc <= ${iso(untaken)})`
          )
      }
    })
  )
}
