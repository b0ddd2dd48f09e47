/**
 * The audit log in the database: who did what as an admin.
 */
import { UserId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import { affected, iso, nullable, reader, run, Utc } from "../internal/rows.ts"

/** The ids in the path of a request, by their names. */
const Resources = Schema.fromJsonString(Schema.Record(Schema.String, Schema.String))

/** One action. */
export const AuditRow = Schema.Struct({
  id: Schema.String,
  atUtc: Utc,
  userId: UserId,
  /** The login at the time. */
  login: Schema.String,
  /** The `operationId` of the contract. */
  operation: Schema.String,
  resources: Resources,
  requestId: Schema.String,
  /** From where; empty where that is not known. */
  address: Schema.String,
  /** How it was answered; absent while it runs, and when the process was killed meanwhile. */
  status: nullable(Schema.Int)
})

/** One action. */
export interface AuditRow extends Schema.Schema.Type<typeof AuditRow> {}

const Row = reader(AuditRow)
const encodeResources = Schema.encodeSync(Resources)

/** The audit log in the database. */
export class AuditRepository extends Context.Service<
  AuditRepository,
  {
    readonly insert: (action: Omit<AuditRow, "status">) => Effect.Effect<void>
    /** Says how an action was answered. */
    readonly finish: (id: string, status: number) => Effect.Effect<void>
    /** Some actions since a time and after the one with this id, the oldest first. */
    readonly list: (since: DateTime.Utc, after: string, limit: number) => Effect.Effect<ReadonlyArray<AuditRow>>
    /** Deletes some of the actions before a time, and tells how many. */
    readonly deleteOutdated: (before: DateTime.Utc, limit: number) => Effect.Effect<number>
  }
>()("@effect-chatbot/server/repositories/AuditRepository") {
  /** The audit log in the database. */
  static readonly layer: Layer.Layer<AuditRepository, never, SqlClient.SqlClient> = Layer.effect(
    AuditRepository,
    Effect.map(SqlClient.SqlClient, (sql) => ({
      insert: ({ atUtc, resources, ...action }) =>
        run(
          "write the audit log",
          sql`INSERT INTO audit_log ${sql.insert({ ...action, atUtc: iso(atUtc), resources: encodeResources(resources), status: null })}`
        ),
      finish: (id, status) => run("write the audit log", sql`UPDATE audit_log SET status = ${status} WHERE id = ${id}`),
      list: (since, after, limit) =>
        Row.all(
          "read the audit log",
          sql`SELECT id, at_utc, user_id, login, operation, resources, request_id, address, status FROM audit_log
            WHERE at_utc >= ${iso(since)} AND id > ${after} ORDER BY id LIMIT ${limit}`
        ),
      deleteOutdated: (before, limit) =>
        affected(
          "delete from the audit log",
          sql`DELETE FROM audit_log WHERE id IN
            (SELECT id FROM audit_log WHERE at_utc <= ${iso(before)} LIMIT ${limit}) RETURNING id`
        )
    }))
  )
}
