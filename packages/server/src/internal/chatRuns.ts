/**
 * What runs on one of several processes that share a database: entities of `effect/cluster`, one a chat, in which its runs are.
 *
 * A process that has the entity of a chat takes its run up, and stores the events as they come. Only who took a run up last may write, so that
 * a process that was thought lost does no harm. An entity that only moves, because a process has joined, leaves its run where it is.
 */
import type { CompletionEvent } from "@effect-chatbot/schema/CompletionEvent"
import { type BotId, CompletionId } from "@effect-chatbot/schema/Ids"
import * as Cause from "effect/Cause"
import * as ClusterSchema from "effect/cluster/ClusterSchema"
import * as Entity from "effect/cluster/Entity"
import type { RunnerAddress } from "effect/cluster/RunnerAddress"
import * as Sharding from "effect/cluster/Sharding"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Rpc from "effect/rpc/Rpc"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import type { Question } from "../Answering.ts"
import * as EventLog from "../EventLog.ts"
import { IdempotencyKeys, KeyedRun } from "../IdempotencyKeys.ts"
import { BotRepository } from "../repositories/BotRepository.ts"
import { CompletionLogRepository } from "../repositories/CompletionLogRepository.ts"
import { CompletionRunRepository, type CompletionRunRow } from "../repositories/CompletionRunRepository.ts"
import { Transactions } from "../repositories/Transactions.ts"
import * as ServerMetrics from "../ServerMetrics.ts"
import { Signals } from "../Signals.ts"
import * as Outcome from "./outcome.ts"
import { type Commit, make as makeRun, type Run, type Said, type Stop } from "./run.ts"
import * as Tails from "./tails.ts"

/** The runs of one chat, wherever they are: the entity has the id of the chat. */
export const ChatEntity = Entity.make("ChatRuns", [
  Rpc.make("Run", {
    payload: { completionId: CompletionId },
    primaryKey: ({ completionId }) => completionId
  }).annotate(ClusterSchema.Persisted, true)
])

/** How often a run is taken up at most with a question to the provider. */
const maxAttempts = 2

/** How long what comes of an answer is gathered before it is stored; a little, so that a fast one costs no transaction a word. */
const flushInterval = Duration.millis(25)

/** How long an entity is kept that has nothing to do. */
const maxIdleTime = Duration.seconds(10)

/** The name that a process has for the others by the address of its runner. */
export const addressOf = ({ host, port }: RunnerAddress): string => `${host}:${port}`

/** Somebody else has taken the run up. */
class Superseded extends Schema.TaggedError<Superseded>()("Superseded", {}) {}

/** What is said in the events of a run. */
const saidIn = (attempt: number, events: ReadonlyArray<CompletionEvent>): Said => {
  let botId: BotId | undefined
  let text = ""
  for (const event of events) {
    if (event._tag === "Started") botId = event.botId
    if (event._tag === "Delta") text += event.text
  }
  return { attempt, botId, text }
}

/** What runs on this process. */
export interface ChatRuns {
  /** Waits until nothing runs here. */
  readonly quiet: Effect.Effect<void>
  /** Takes no more runs. */
  readonly close: Effect.Effect<void>
  /** Breaks off what runs here, and lets the others take it up. */
  readonly handOver: Effect.Effect<void>
}

/** Takes runs until the scope is closed. */
export const make = Effect.fnUntraced(function* (tails: Tails.Tails) {
  const { answer, failed } = yield* makeRun
  const bots = yield* BotRepository
  const keys = yield* IdempotencyKeys
  const logs = yield* CompletionLogRepository
  const random = yield* SecureRandom.SecureRandom
  const runs = yield* CompletionRunRepository
  const sharding = yield* Sharding.Sharding
  const signals = yield* Signals
  const transactions = yield* Transactions
  const scope = yield* Effect.scope
  const entities = yield* Scope.fork(scope)
  const runScope = yield* Scope.fork(scope)
  const self = yield* random.uuidV4()
  const { runnerAddress, shardLockExpiration } = yield* ShardingConfig.ShardingConfig
  const address = Option.match(runnerAddress, { onNone: () => "", onSome: addressOf })
  const failover = Duration.fromInputUnsafe(shardLockExpiration)
  /** The runs of this process. */
  const own = new Map<CompletionId, Run>()
  const fibers = new Map<CompletionId, Fiber.Fiber<void>>()

  /** Breaks off what is to be stopped. */
  const obeyStops = Effect.suspend(() =>
    own.size === 0
      ? Effect.void
      : Effect.map(runs.stops, (stops) => {
          for (const { completionId, stop } of stops) {
            const run = own.get(completionId)
            if (run !== undefined) Deferred.doneUnsafe(run.stop, Exit.succeed(stop))
          }
        })
  )
  yield* signals.on("stops", () => obeyStops)
  yield* obeyStops.pipe(
    Effect.catchCause((cause) => Effect.logWarning("Failed to look for runs to stop", cause)),
    Effect.andThen(Effect.sleep(Tails.pollInterval)),
    Effect.forever,
    Effect.forkScoped
  )

  /** Stores the events of a run as they come. Ends when somebody else has taken the run up. */
  const storeEvents = Effect.fnUntraced(function* ({ log, question }: Run, attempt: number) {
    const { completionId } = question
    let stored = log.count
    // What was begun is finished: whether it was stored must be known.
    const flush = Effect.uninterruptible(
      Effect.gen(function* () {
        const { count } = log
        const events = { firstId: stored + 1, count: count - stored, bytes: log.bytesAfter(stored) }
        if (!(yield* runs.append(completionId, attempt, events))) return false
        stored = count
        yield* signals.publish("events", completionId)
        return true
      })
    )
    const next = Effect.gen(function* () {
      if (log.count === stored) {
        yield* log.changed
        // Whatever comes in one go is stored in one.
        yield* Effect.yieldNow
      }
      const isOurs = yield* Effect.catchCause(flush, (cause) =>
        Effect.logWarning("Failed to store events", cause).pipe(
          Effect.andThen(Effect.sleep("1 second")),
          Effect.as(true)
        )
      )
      yield* Effect.sleep(flushInterval)
      return isOurs
    })
    yield* Effect.repeat(next, { while: (isOurs) => isOurs })
  })

  const begun = Effect.fnUntraced(function* (row: CompletionRunRow) {
    const { botId, userId, userSystemMessage, ...request } = row.question
    const { attempt, chatId, completionId } = row
    const bot = yield* bots.find(botId)
    if (bot === undefined) return undefined
    const bytes = yield* runs.events(completionId)
    const stop = Deferred.makeUnsafe<Stop>()
    if (row.stop !== undefined) Deferred.doneUnsafe(stop, Exit.succeed(row.stop))
    else if (attempt > maxAttempts) Deferred.doneUnsafe(stop, Exit.succeed("Unavailable"))
    const question: Question = { chatId, completionId, bot, userId, userSystemMessage, request }
    const said = attempt === 1 ? undefined : saidIn(attempt, yield* EventLog.decode(bytes))
    const run: Run = { question, log: EventLog.resume(bytes), stop, said }
    return run
  })

  const perform = Effect.fnUntraced(function* (run: Run, { attempt, keyFingerprint, keyHash }: CompletionRunRow) {
    const { chatId, completionId, userId } = run.question
    const storing = yield* Effect.forkChild(storeEvents(run, attempt))
    const lost = Effect.flatMap(Fiber.await(storing), (exit) =>
      Exit.isSuccess(exit) ? Effect.fail(new Superseded()) : Effect.never
    )

    const inOne = <A, E>(
      store: Effect.Effect<A, E>,
      resultOf: (stored: A) => Parameters<typeof Outcome.encode>[0]
    ): Effect.Effect<A, E | Superseded> =>
      Fiber.interrupt(storing).pipe(
        Effect.andThen(
          transactions.run(
            Effect.gen(function* () {
              const stored = yield* store
              if (!(yield* runs.end(completionId, attempt))) return yield* new Superseded()
              const result = resultOf(stored)
              // Of one that was not stopped, and has not failed, the last event tells all.
              if (Exit.isFailure(result) || Deferred.isDoneUnsafe(run.stop)) {
                yield* logs.settle(completionId, Outcome.encode(result))
              }
              return stored
            })
          )
        ),
        Effect.uninterruptible
      )
    const commit: Commit<Superseded> = {
      answer: inOne,
      failure: (store, result) => inOne(store, () => result)
    }

    const keyed: KeyedRun = {
      ...(yield* KeyedRun),
      ...(keyHash === undefined || keyFingerprint === undefined
        ? undefined
        : keys.ofRun({ hash: keyHash, fingerprint: keyFingerprint }, { chatId, userId }))
    }
    const ended = answer(run, commit).pipe(
      Effect.provideService(KeyedRun, keyed),
      Effect.catchTag("Superseded", () => Effect.undefined),
      Effect.catchCause((cause) =>
        failed(run, cause, commit).pipe(
          Effect.sandbox,
          // When the database was away for a moment, how it ended is said all the same.
          Effect.retry({
            times: 3,
            schedule: Schedule.spaced("1 second"),
            while: ({ reasons }) => reasons.some(Cause.isDieReason)
          }),
          Effect.catch((cause) => Effect.failCause(cause))
        )
      ),
      Effect.filterOrFail(Predicate.isNotUndefined, () => new Superseded())
    )
    const { outcome } = yield* Effect.raceFirst(ended, lost)
    yield* ServerMetrics.completions(1, outcome)
  })

  const runTaken = Effect.fn("ClusteredRuns.run")(function* (row: CompletionRunRow) {
    const { attempt, completionId } = row
    yield* Effect.annotateCurrentSpan({ completionId, attempt })
    if (attempt > 1) {
      yield* Effect.logWarning("Takes up a run whose process was lost").pipe(
        Effect.annotateLogs({ completionId, attempt })
      )
    }
    const run = yield* begun(row)
    if (run === undefined) return yield* runs.delete(completionId)
    own.set(completionId, run)
    yield* Effect.ensuring(
      perform(run, row),
      Effect.sync(() => own.delete(completionId))
    )
  })

  /** Takes a run up and sees it to its end. Nothing, where a process that is there has it. */
  const runOnce = Effect.fnUntraced(function* (completionId: CompletionId) {
    const row = yield* runs.take(completionId, self, failover)
    if (row === undefined) return
    yield* runTaken(row).pipe(
      Effect.catchTag("Superseded", () =>
        Effect.logWarning("Another process has taken a run up").pipe(Effect.annotateLogs({ completionId }))
      ),
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause)
          ? Effect.interrupt
          : // A run must not hold its chat for ever, whatever is wrong with it.
            Effect.andThen(Effect.logError("Failed to end a run", cause), runs.delete(completionId))
      )
    )
    yield* signals.publish("end", completionId)
  })

  /**
   * Waits until a run has ended, and runs it whenever nobody does. A run goes on where it is when its entity moves, so that it is not
   * begun anew for that; who gets the entity waits for it here, or for the process to be lost.
   */
  const handle = (completionId: CompletionId): Effect.Effect<void> =>
    Effect.gen(function* () {
      // An entity that comes back to a process finds the run that it left there.
      const running = fibers.get(completionId)
      if (running !== undefined) {
        yield* Fiber.await(running)
        return
      }
      const fiber = yield* Effect.forkIn(runOnce(completionId), runScope)
      fibers.set(completionId, fiber)
      fiber.addObserver(() => fibers.delete(completionId))
      yield* Fiber.await(fiber)
    }).pipe(
      Effect.andThen(
        tails
          .ended(completionId)
          .pipe(
            Effect.as(true),
            Effect.timeoutOrElse({ duration: Tails.pollInterval, orElse: () => Effect.succeed(false) })
          )
      ),
      Effect.repeat({ until: (hasEnded) => hasEnded }),
      Effect.asVoid
    )

  const appear = runs.appear(self, address)
  yield* appear
  yield* appear.pipe(
    Effect.andThen(runs.forgetOwners(Duration.times(failover, 10))),
    Effect.catchCause((cause) => Effect.logWarning("Failed to tell the others that this process is there", cause)),
    Effect.andThen(Effect.sleep(Duration.times(failover, 0.2))),
    Effect.forever,
    Effect.forkIn(runScope)
  )

  yield* sharding
    .registerEntity(ChatEntity, Effect.succeed(ChatEntity.of({ Run: ({ payload }) => handle(payload.completionId) })), {
      maxIdleTime
    })
    .pipe(Scope.provide(entities))

  const quiet = Effect.repeat(Effect.sleep("50 millis"), { until: () => fibers.size === 0 })
  const handOver = Effect.suspend(() => {
    const ids = Array.from(fibers.keys())
    return Scope.close(runScope, Exit.void).pipe(
      Effect.andThen(runs.disappear(self)),
      Effect.andThen(Effect.forEach(ids, (id) => signals.publish("end", id), { discard: true })),
      Effect.catchCause((cause) => Effect.logWarning("Failed to hand over what runs", cause))
    )
  })

  return { quiet, close: Scope.close(entities, Exit.void), handOver }
})
