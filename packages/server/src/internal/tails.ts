/**
 * The logs of runs that go on anywhere, as far as the database has them, for the readers in this process.
 *
 * All readers of a run share one copy of its log, which is brought up to date when it is told that there is more, or looks by itself.
 */
import { toEvent } from "@effect-chatbot/api/CompletionFailure"
import { ChatNotFound } from "@effect-chatbot/schema/Errors"
import type { ChatId, CompletionId } from "@effect-chatbot/schema/Ids"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as RcMap from "effect/RcMap"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as EventLog from "../EventLog.ts"
import { CompletionLogRepository } from "../repositories/CompletionLogRepository.ts"
import { CompletionRunRepository } from "../repositories/CompletionRunRepository.ts"
import { Signals } from "../Signals.ts"

/** How often to look by itself whether there is more. */
export const pollInterval = Duration.seconds(1)

/** How long a copy is kept for the next reader. */
const keptFor = Duration.seconds(2)

class Key extends Data.Class<{ readonly chatId: ChatId; readonly completionId: CompletionId }> {}

/** The copy of a log, and up to which event its readers have it already, if only in part from here. */
interface Followed {
  readonly log: EventLog.EventLog
  read: number
}

interface Watched {
  readonly count: () => number
  readonly wake: Latch.Latch
}

/** Runs, as the readers of this process see them. */
export interface Tails {
  /** The events of a run after the one with this number, until it ends. */
  readonly read: (chatId: ChatId, completionId: CompletionId, after: number) => Stream.Stream<Uint8Array>
  /** Waits until a run has ended. */
  readonly ended: (completionId: CompletionId) => Effect.Effect<void>
  /** Waits until nobody reads a run that is still running. */
  readonly idle: Effect.Effect<void>
  /** Lets go of all readers, who will come back to another process. */
  readonly release: Effect.Effect<void>
}

/** The runs in the database. */
export const make: Effect.Effect<
  Tails,
  never,
  CompletionLogRepository | CompletionRunRepository | Signals | Scope.Scope
> = Effect.gen(function* () {
  const runs = yield* CompletionRunRepository
  const logs = yield* CompletionLogRepository
  const signals = yield* Signals
  const watched = new Map<CompletionId, Set<Watched>>()
  const followed = new Set<EventLog.EventLog>()
  let isReleased = false

  const watch = (completionId: CompletionId, count: () => number) =>
    Effect.acquireRelease(
      Effect.sync((): Watched => {
        const own = { count, wake: Latch.makeUnsafe(false) }
        const others = watched.get(completionId) ?? new Set()
        watched.set(completionId, others.add(own))
        return own
      }),
      (own) =>
        Effect.sync(() => {
          const others = watched.get(completionId)
          others?.delete(own)
          if (others?.size === 0) watched.delete(completionId)
        })
    )

  const wake = (subject: string | undefined) =>
    Effect.sync(() => {
      for (const [completionId, all] of watched) {
        if (subject !== undefined && subject !== completionId) continue
        for (const { wake } of all) wake.openUnsafe()
      }
    })
  yield* signals.on("events", wake)
  yield* signals.on("end", wake)

  // One look for all, in case a signal was lost.
  const look = Effect.suspend(() => {
    const ids = Array.from(watched.keys())
    return Effect.map(runs.progress(ids), (rows) => {
      const counts = new Map(rows.map(({ completionId, count }) => [completionId, count]))
      for (const completionId of ids) {
        const count = counts.get(completionId)
        for (const own of watched.get(completionId) ?? []) {
          if (count === undefined || count > own.count()) own.wake.openUnsafe()
        }
      }
    })
  })
  yield* look.pipe(
    Effect.catchCause((cause) => Effect.logWarning("Failed to look for news of the runs", cause)),
    Effect.andThen(Effect.sleep(pollInterval)),
    Effect.forever,
    Effect.forkScoped
  )

  /** Does a step until it says that all is done; when the database fails, again a little later. */
  const untilDone = (step: Effect.Effect<boolean>): Effect.Effect<void> =>
    step.pipe(
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause)
          ? Effect.interrupt
          : Effect.logWarning("Failed to follow a run", cause).pipe(
              Effect.andThen(Effect.sleep(pollInterval)),
              Effect.as(false)
            )
      ),
      Effect.repeat({ until: (isDone) => isDone }),
      Effect.asVoid
    )

  const follow = Effect.fnUntraced(function* ({ chatId, completionId }: Key) {
    const log = EventLog.empty()
    const own: Followed = { log, read: 0 }
    if (isReleased) {
      log.end([])
      return own
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => followed.add(log)),
      () => Effect.sync(() => followed.delete(log))
    )
    const { wake } = yield* watch(completionId, () => log.count)
    const finish = Effect.map(logs.find(chatId, completionId), (row) => {
      if (log.isEnded) return
      if (row !== undefined) return log.end(EventLog.split(row.events).slice(log.count))
      // Without a log, the chat is gone. That comes after whatever somebody has read, though it may not have come here.
      log.push(Array.from({ length: Math.max(0, own.read - log.count) }, () => new Uint8Array()))
      log.end(log.prepare([toEvent(new ChatNotFound({ chatId }), completionId)]))
    })
    const step = Effect.gen(function* () {
      wake.closeUnsafe()
      const news = yield* runs.read(completionId, log.count)
      if (log.isEnded) return true
      if (news === undefined) {
        yield* finish
        return true
      }
      log.push(news.batches.flatMap(EventLog.split))
      if (!news.isMore) yield* wake.await
      return log.isEnded
    })
    yield* Effect.forkScoped(untilDone(step))
    return own
  })

  const tails = yield* RcMap.make({ lookup: follow, idleTimeToLive: keptFor })

  const read: Tails["read"] = (chatId, completionId, after) =>
    Stream.unwrap(
      Effect.map(RcMap.get(tails, new Key({ chatId, completionId })), (followed) => {
        followed.read = Math.max(followed.read, after)
        // What was promised to be there may still have to be read.
        return followed.log.read(after)
      })
    )

  const ended: Tails["ended"] = (completionId) =>
    Effect.scoped(
      Effect.gen(function* () {
        const { wake } = yield* watch(completionId, () => Infinity)
        yield* untilDone(
          Effect.gen(function* () {
            wake.closeUnsafe()
            if ((yield* runs.progress([completionId])).length === 0) return true
            yield* wake.await
            return false
          })
        )
      })
    )

  const idle = Effect.suspend(() =>
    Effect.forEach(
      Array.from(followed),
      (log) =>
        Effect.repeat(
          Effect.suspend(() => (log.isEnded ? Effect.void : log.changed)),
          { until: () => log.isEnded }
        ),
      { concurrency: "unbounded", discard: true }
    )
  )

  const release = Effect.sync(() => {
    isReleased = true
    for (const log of followed) if (!log.isEnded) log.end([])
    for (const all of watched.values()) for (const { wake } of all) wake.openUnsafe()
  })

  return { read, ended, idle, release }
})
