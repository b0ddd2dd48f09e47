/**
 * The logs of finished runs in the database, for readers that come back for the rest of an answer.
 */
import type { ChatId, CompletionId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import { affected, bit, Flag, iso, nullable, reader, run, unlocked } from "../internal/rows.ts"

/** The log of a finished run. */
export const CompletionLogRow = Schema.Struct({
  events: Schema.Uint8Array,
  /** Whether there is a trace log in it. */
  isForAdmins: Flag,
  /** What became of the run, where its last event does not say all of it. */
  outcome: nullable(Schema.String)
})

/** The log of a finished run. */
export interface CompletionLogRow extends Schema.Schema.Type<typeof CompletionLogRow> {}

const Row = reader(CompletionLogRow)

/** The logs of finished runs in the database. */
export class CompletionLogRepository extends Context.Service<
  CompletionLogRepository,
  {
    /** Stores the log of a run; it goes with its chat. If that is gone already, nothing is stored. */
    readonly insert: (
      log: Omit<CompletionLogRow, "outcome"> & {
        readonly completionId: CompletionId
        readonly chatId: ChatId
        readonly createdUtc: DateTime.Utc
      }
    ) => Effect.Effect<void>
    /** Says what became of a run whose log is stored. */
    readonly settle: (id: CompletionId, outcome: string) => Effect.Effect<void>
    readonly find: (chatId: ChatId, id: CompletionId) => Effect.Effect<CompletionLogRow | undefined>
    /** Deletes some of the logs stored before a time, and tells how many. */
    readonly deleteOutdated: (before: DateTime.Utc, limit: number) => Effect.Effect<number>
  }
>()("@effect-chatbot/server/repositories/CompletionLogRepository") {
  /** The logs in the database. */
  static readonly layer: Layer.Layer<CompletionLogRepository, never, SqlClient.SqlClient> = Layer.effect(
    CompletionLogRepository,
    Effect.map(SqlClient.SqlClient, (sql) => ({
      insert: ({ chatId, completionId, createdUtc, events, isForAdmins }) =>
        run(
          "store the log of a run",
          sql`INSERT INTO completion_logs (completion_id, chat_id, events, is_for_admins, created_utc)
            SELECT ${completionId}, id, ${events}, ${bit(isForAdmins)}, ${iso(createdUtc)} FROM chats WHERE id = ${chatId}`
        ),
      settle: (id, outcome) =>
        run(
          "settle the log of a run",
          sql`UPDATE completion_logs SET outcome = ${outcome} WHERE completion_id = ${id}`
        ),
      find: (chatId, id) =>
        Row.first(
          "find the log of a run",
          sql`SELECT events, is_for_admins, outcome FROM completion_logs WHERE completion_id = ${id} AND chat_id = ${chatId}`
        ),
      deleteOutdated: (before, limit) =>
        affected(
          "delete the logs of runs",
          sql`DELETE FROM completion_logs WHERE completion_id IN
            (SELECT completion_id FROM completion_logs WHERE created_utc <= ${iso(before)}
              LIMIT ${limit} ${unlocked(sql, "completion_logs")})
            RETURNING completion_id`
        )
    }))
  )
}
