/**
 * Deletes what is not to be kept: chats, as their users set it, what answers of the past were asked in, the logs of runs after a day, tickets
 * and idempotency keys that have expired, token budgets of the past, and the audit log after a year, or as it is configured.
 */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AuditRepository } from "./repositories/AuditRepository.ts"
import { ChatRepository, type Outdated } from "./repositories/ChatRepository.ts"
import { CompletionLogRepository } from "./repositories/CompletionLogRepository.ts"
import { IdempotencyKeyRepository } from "./repositories/IdempotencyKeyRepository.ts"
import { TokenBudgetRepository } from "./repositories/TokenBudgetRepository.ts"
import { TicketRepository } from "./repositories/TicketRepository.ts"
import { UserRepository } from "./repositories/UserRepository.ts"
import { UserSystemMessageRepository } from "./repositories/UserSystemMessageRepository.ts"
import { ServerOptions } from "./ServerOptions.ts"
import { Singletons } from "./Singletons.ts"

/** Chats of users who keep no history go when they were left for this long. */
export const notKeptFor = Duration.hours(1)

/** What was there for one answer goes with it, or else after this long: no answer takes as much. */
export const oneTimeKeptFor = Duration.hours(1)

/** Anonymous chats belong to nobody who could delete them or say how long to keep them; they are kept for this long after their last use. */
export const anonymousKeptFor = Duration.days(30)

/** For how long after its end the events of an answer can be read again. */
export const logsKeptFor = Duration.hours(24)

/** For how long a token budget is kept after the end of its period: what was held in it is settled by then. */
export const budgetsKeptFor = Duration.days(1)

/** For how many days the audit log is kept, unless the `ServerOptions` say otherwise. */
export const defaultAuditDays = 365

/** How often the job runs, beside on start. */
export const interval = Duration.hours(1)

/** How much is deleted at a time, so that others get at the database between. */
const batchSize = 200

/** What was deleted. */
export interface Deleted {
  readonly chats: number
  readonly userSystemMessages: number
  readonly logs: number
  readonly tickets: number
  readonly idempotencyKeys: number
  readonly tokenBudgets: number
  readonly auditEntries: number
}

/** Deletes what is not to be kept. */
export class Retention extends Context.Service<
  Retention,
  {
    /** Deletes it now. Running it twice at once does no harm. */
    readonly run: Effect.Effect<Deleted>
  }
>()("@effect-chatbot/server/Retention") {
  /** What the database keeps. */
  static readonly layer: Layer.Layer<
    Retention,
    never,
    | AuditRepository
    | ChatRepository
    | CompletionLogRepository
    | IdempotencyKeyRepository
    | TicketRepository
    | TokenBudgetRepository
    | UserRepository
    | UserSystemMessageRepository
  > = Layer.effect(
    Retention,
    Effect.gen(function* () {
      const { auditDays = defaultAuditDays } = yield* ServerOptions
      const audit = yield* AuditRepository
      const budgets = yield* TokenBudgetRepository
      const chats = yield* ChatRepository
      const keys = yield* IdempotencyKeyRepository
      const logs = yield* CompletionLogRepository
      const tickets = yield* TicketRepository
      const users = yield* UserRepository
      const messages = yield* UserSystemMessageRepository

      const inBatches = Effect.fnUntraced(function* (deleteSome: (limit: number) => Effect.Effect<number>) {
        let total = 0
        while (true) {
          const deleted = yield* deleteSome(batchSize)
          total += deleted
          if (deleted < batchSize) return total
          yield* Effect.yieldNow
        }
      })

      const run = Effect.gen(function* () {
        const now = yield* DateTime.now
        const keptFor = (
          kept: Duration.Duration,
          deleteSome: (before: DateTime.Utc, limit: number) => Effect.Effect<number>
        ) => {
          // What is kept since before the calendar of the machine begins is kept for ever.
          const before = DateTime.toEpochMillis(now) - Duration.toMillis(kept)
          return before < 0 ? Effect.succeed(0) : inBatches((limit) => deleteSome(DateTime.makeUnsafe(before), limit))
        }
        const chatsBefore = (which: Outdated, kept: Duration.Duration) =>
          keptFor(kept, (before, limit) => chats.deleteOutdated(which, before, limit))
        let count = yield* chatsBefore({ _tag: "NotKept" }, notKeptFor)
        for (const days of yield* users.daysOfHistory) {
          count += yield* chatsBefore({ _tag: "KeptForDays", days }, Duration.days(days))
        }
        count += yield* chatsBefore({ _tag: "Anonymous" }, anonymousKeptFor)
        count += yield* chatsBefore({ _tag: "OneTime" }, oneTimeKeptFor)
        return {
          chats: count,
          userSystemMessages: yield* keptFor(oneTimeKeptFor, messages.deleteOutdated),
          logs: yield* inBatches((limit) => logs.deleteOutdated(DateTime.subtractDuration(now, logsKeptFor), limit)),
          tickets: yield* inBatches((limit) => tickets.deleteExpired(now, limit)),
          idempotencyKeys: yield* inBatches((limit) => keys.deleteExpired(now, limit)),
          tokenBudgets: yield* inBatches((limit) =>
            budgets.deleteEnded(DateTime.subtractDuration(now, budgetsKeptFor), limit)
          ),
          auditEntries: yield* keptFor(Duration.days(auditDays), audit.deleteOutdated)
        }
      }).pipe(Effect.withSpan("Retention.run"))

      return { run }
    })
  )

  /** The job that runs on start and every hour, in one process at a time. When it fails, that is logged, and it runs again an hour later. */
  static readonly layerJob: Layer.Layer<never, never, Retention | Singletons> = Layer.effectDiscard(
    Effect.gen(function* () {
      const retention = yield* Retention
      const once = retention.run.pipe(
        Effect.tap((deleted) =>
          Object.values(deleted).every((count) => count === 0)
            ? Effect.void
            : Effect.logInfo("Deleted what is not to be kept", deleted)
        ),
        Effect.catchCause((cause) => Effect.logError("Failed to delete what is not to be kept", cause))
      )
      const singletons = yield* Singletons
      yield* singletons.run("Retention", Effect.forever(Effect.andThen(once, Effect.sleep(interval))))
    })
  )
}
