/**
 * The audit log: every action of an admin that changes something, written down before it is done.
 *
 * So no such action is done without a line about it; what cannot be written down is not done. A line that says nothing of an answer is of an
 * action whose process was killed, or that still runs.
 */
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Option from "effect/Option"
import { AuditRepository, type AuditRow } from "./repositories/AuditRepository.ts"

/** An action that is about to be done. */
export type Action = Omit<AuditRow, "id" | "atUtc" | "status">

/** How many lines are read at a time. */
const pageSize = 500

/** What a caller chose stands in the log, so it is plain and bounded. */
const plain = (text: string): string => text.slice(0, 200).replace(/\p{C}/gu, "\uFFFD")

/** The audit log. */
export class AuditLog extends Context.Service<
  AuditLog,
  {
    /** Writes down an action, and gives what says later how it was answered. */
    readonly begin: (action: Action) => Effect.Effect<(status: number) => Effect.Effect<void>>
    /** The actions since a time, the oldest first. */
    readonly since: (time: DateTime.Utc) => Stream.Stream<AuditRow>
  }
>()("@effect-chatbot/server/AuditLog") {
  /** The audit log in the database; each line is also one of the log. */
  static readonly layer: Layer.Layer<AuditLog, never, AuditRepository | SecureRandom.SecureRandom> = Layer.effect(
    AuditLog,
    Effect.gen(function* () {
      const repository = yield* AuditRepository
      const random = yield* SecureRandom.SecureRandom
      return {
        begin: Effect.fn("AuditLog.begin")(function* ({ address, resources, ...rest }: Action) {
          const id = yield* random.uuidV7()
          const action = {
            ...rest,
            address: plain(address),
            resources: Object.fromEntries(Object.entries(resources).map(([name, value]) => [name, plain(value)]))
          }
          yield* repository.insert({ ...action, id, atUtc: yield* DateTime.now })
          return (status) =>
            repository.finish(id, status).pipe(
              // It is done by now, and its line is there.
              Effect.catchCause((cause) =>
                Effect.logError("Failed to write down how the action of an admin was answered", cause)
              ),
              Effect.andThen(Effect.logInfo("An admin acted", { ...action, auditId: id, status }))
            )
        }),
        since: (time) =>
          Stream.paginate("", (after) =>
            Effect.map(repository.list(time, after, pageSize), (rows) => [
              rows,
              rows.length < pageSize ? Option.none() : Option.some(rows[rows.length - 1]!.id)
            ])
          )
      }
    })
  )
}
