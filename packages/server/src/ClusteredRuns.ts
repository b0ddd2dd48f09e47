/**
 * The {@link CompletionRuns} of several processes that share a database: entities of `effect/cluster`, one a chat.
 *
 * A run is a row of the database from when it is begun until it ends, and a message to the entity of its chat. The process that has the
 * entity takes the run up, and stores the events as they come; every process reads them there. When that process is lost, another one gets
 * the entity and the message, and takes the run up again: once it asks the provider anew, and goes on where the answer begins with what was
 * said already. Only who took a run up last may write, so that a process that was thought lost does no harm. An entity that only moves,
 * because a process has joined, leaves its run where it is.
 */
import * as EventStream from "@effect-chatbot/api/EventStream"
import type { Caller } from "@effect-chatbot/api/middleware/Authorization"
import type { CompletionRequest } from "@effect-chatbot/schema/Chat"
import {
  BotsStopped,
  ChatBusy,
  ChatNotFound,
  CompletionNotFound,
  IdempotencyKeyInUse,
  InternalError,
  InvalidRequest,
  Unavailable
} from "@effect-chatbot/schema/Errors"
import { type BotId, type ChatId, CompletionId } from "@effect-chatbot/schema/Ids"
import * as Cause from "effect/Cause"
import * as ClusterSchema from "effect/cluster/ClusterSchema"
import * as Entity from "effect/cluster/Entity"
import * as EntityAddress from "effect/cluster/EntityAddress"
import * as EntityId from "effect/cluster/EntityId"
import * as MessageStorage from "effect/cluster/MessageStorage"
import type { RunnerAddress } from "effect/cluster/RunnerAddress"
import * as Sharding from "effect/cluster/Sharding"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Rpc from "effect/rpc/Rpc"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Answering, type Question } from "./Answering.ts"
import { administers } from "./BotAccess.ts"
import { ChatAccess } from "./ChatAccess.ts"
import { CompletionRuns } from "./CompletionRuns.ts"
import * as EventLog from "./EventLog.ts"
import { IdempotencyKeys, KeyedRun } from "./IdempotencyKeys.ts"
import * as Outcome from "./internal/outcome.ts"
import { type Commit, make as makeRun, type Run, type Said, type Stop } from "./internal/run.ts"
import * as Tails from "./internal/tails.ts"
import { BotRepository } from "./repositories/BotRepository.ts"
import { CompletionLogRepository } from "./repositories/CompletionLogRepository.ts"
import { CompletionRepository } from "./repositories/CompletionRepository.ts"
import { CompletionRunRepository, type CompletionRunRow } from "./repositories/CompletionRunRepository.ts"
import { Transactions } from "./repositories/Transactions.ts"
import * as ServerMetrics from "./ServerMetrics.ts"
import { ServerOptions } from "./ServerOptions.ts"
import { Signals } from "./Signals.ts"
import { Singletons } from "./Singletons.ts"
import { StopFlag } from "./StopFlag.ts"

/** The runs of one chat, wherever they are: the entity has the id of the chat. */
export const ChatRuns = Entity.make("ChatRuns", [
  Rpc.make("Run", {
    payload: { completionId: CompletionId },
    primaryKey: ({ completionId }) => completionId
  }).annotate(ClusterSchema.Persisted, true)
])

/** How often a run is taken up at most with a question to the provider. */
const maxAttempts = 2

/** How long what comes of an answer is gathered before it is stored; a little, so that a fast one costs no transaction a word. */
const flushInterval = Duration.millis(25)

/** How long whoever stops a run waits at most until it has ended. */
const stopTimeout = Duration.seconds(30)

/** A run that was not taken up, or has not ended, after this time is sent to its entity again, in case it never came there. */
const remindAfter = { untaken: Duration.seconds(2), any: Duration.seconds(30) }

/** How long an entity is kept that has nothing to do. */
const maxIdleTime = Duration.seconds(10)

/** The name that a process has for the others by the address of its runner. */
export const addressOf = ({ host, port }: RunnerAddress): string => `${host}:${port}`

/** Somebody else has taken the run up. */
class Superseded extends Schema.TaggedError<Superseded>()("Superseded", {}) {}

/** An event holds a question and its answer, and in JSON a character may take six. */
const maxEventSize = 8 * 2 ** 20

const decodeEvents = EventStream.decode({
  maxEventSize,
  onInvalid: ({ name }) => new Error(`Stored an event "${name}" that cannot be read`)
})

/** What stands in the events of a run. */
const readBack = Effect.fnUntraced(function* (attempt: number, bytes: Uint8Array) {
  let botId: BotId | undefined
  let text = ""
  yield* Stream.make(bytes).pipe(
    decodeEvents,
    Stream.runForEach((read) =>
      Effect.sync(() => {
        if (read._tag !== "Event") return
        if (read.event._tag === "Started") botId = read.event.botId
        if (read.event._tag === "Delta") text += read.event.text
      })
    ),
    Effect.orDie
  )
  return { attempt, botId, text } satisfies Said
})

/** Runs in the entities of their chats. They are handed over with the scope. */
export const layer: Layer.Layer<
  CompletionRuns,
  never,
  | Answering
  | BotRepository
  | ChatAccess
  | CompletionLogRepository
  | CompletionRepository
  | CompletionRunRepository
  | IdempotencyKeys
  | MessageStorage.MessageStorage
  | SecureRandom.SecureRandom
  | Sharding.Sharding
  | ShardingConfig.ShardingConfig
  | Signals
  | Singletons
  | StopFlag
  | Transactions
> = Layer.effect(
  CompletionRuns,
  Effect.gen(function* () {
    const access = yield* ChatAccess
    const answering = yield* Answering
    const { answer, failed } = yield* makeRun
    const bots = yield* BotRepository
    const completions = yield* CompletionRepository
    const keys = yield* IdempotencyKeys
    const logs = yield* CompletionLogRepository
    const random = yield* SecureRandom.SecureRandom
    const messages = yield* MessageStorage.MessageStorage
    const runs = yield* CompletionRunRepository
    const sharding = yield* Sharding.Sharding
    const signals = yield* Signals
    const singletons = yield* Singletons
    const stopFlag = yield* StopFlag
    const tails = yield* Tails.make
    const transactions = yield* Transactions
    const { shutdownGrace = Duration.seconds(10) } = yield* ServerOptions
    const scope = yield* Effect.scope
    const entities = yield* Scope.fork(scope)
    const runScope = yield* Scope.fork(scope)
    const self = yield* random.uuidV4()
    const { runnerAddress, shardLockExpiration } = yield* ShardingConfig.ShardingConfig
    const address = Option.match(runnerAddress, { onNone: () => "", onSome: addressOf })
    const failover = Duration.fromInputUnsafe(shardLockExpiration)
    const client = yield* ChatRuns.client
    /** The runs of this process. */
    const own = new Map<CompletionId, Run>()
    const fibers = new Map<CompletionId, Fiber.Fiber<void>>()
    const released = yield* Deferred.make<void>()
    let isClosed = false

    // --- What runs here ---

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
      const said = attempt === 1 ? undefined : yield* readBack(attempt, bytes)
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
      .registerEntity(ChatRuns, Effect.succeed(ChatRuns.of({ Run: ({ payload }) => handle(payload.completionId) })), {
        maxIdleTime
      })
      .pipe(Scope.provide(entities))

    // --- What is asked here ---

    /** Sends a run to its entity. It is not waited for: the run is in the database, and is sent again when it does not come there. */
    const send = (chatId: ChatId, completionId: CompletionId) =>
      client(chatId)
        .Run({ completionId }, { discard: true })
        .pipe(
          Effect.catchCause((cause) => Effect.logWarning("Failed to send a run to its entity", cause)),
          Effect.forkIn(scope)
        )

    // A message that was claimed by a process just when its entity moved is kept for that one, and read by nobody.
    const remind = Effect.gen(function* () {
      const now = yield* DateTime.now
      const late = yield* runs.late({
        untaken: DateTime.subtractDuration(now, remindAfter.untaken),
        any: DateTime.subtractDuration(now, remindAfter.any)
      })
      if (late.length === 0) return
      yield* messages.resetAddresses(
        late.map(({ chatId }) => {
          const entityId = EntityId.make(chatId)
          const shardId = sharding.getShardId(entityId, ChatRuns.getShardGroup(entityId))
          return EntityAddress.make({ shardId, entityType: ChatRuns.type, entityId })
        })
      )
      yield* Effect.forEach(late, ({ chatId, completionId }) => send(chatId, completionId), { discard: true })
    })
    yield* singletons.run(
      "ChatRuns.remind",
      remind.pipe(
        Effect.catchCause((cause) => Effect.logWarning("Failed to look for runs that nobody has", cause)),
        Effect.andThen(Effect.sleep(Tails.pollInterval)),
        Effect.forever
      )
    )

    const begin = Effect.fnUntraced(function* (caller: Caller, chatId: ChatId, request: CompletionRequest) {
      const question = yield* answering.admit(caller, chatId, request)
      const { key } = yield* KeyedRun
      const { bot, completionId, userId, userSystemMessage } = question
      if (isClosed) return yield* new Unavailable({})
      return yield* Effect.uninterruptible(
        Effect.gen(function* () {
          const isBegun = yield* runs.insert({
            completionId,
            chatId,
            question: {
              botId: bot.id,
              ...(userId === undefined ? undefined : { userId }),
              ...(userSystemMessage === undefined ? undefined : { userSystemMessage }),
              userMessage: request.userMessage,
              ignoreChatHistory: request.ignoreChatHistory,
              isAdminChat: request.isAdminChat,
              isTraceLogEnabled: request.isTraceLogEnabled
            },
            key,
            createdUtc: yield* DateTime.now
          })
          if (!isBegun) {
            const other = key === undefined ? undefined : yield* runs.findByKey(key.hash)
            return yield* other === undefined
              ? new ChatBusy({ chatId })
              : new IdempotencyKeyInUse({ retryAfter: Duration.seconds(1), completionId: other.completionId })
          }
          // Read when whoever sets the flag can see the run: one of the two finds the other.
          if (yield* Effect.onError(stopFlag.get, () => runs.delete(completionId))) {
            yield* runs.delete(completionId)
            return yield* new BotsStopped({})
          }
          yield* send(chatId, completionId)
          return completionId
        })
      )
    })

    const ended = (completionId: CompletionId) =>
      Effect.raceFirst(
        tails.ended(completionId),
        Effect.andThen(Deferred.await(released), Effect.fail(new Unavailable({})))
      )

    /** The answer of a run that has ended. */
    const resultOf = Effect.fnUntraced(function* (chatId: ChatId, completionId: CompletionId) {
      const log = yield* logs.find(chatId, completionId)
      if (log === undefined) return yield* new ChatNotFound({ chatId })
      if (log.outcome !== undefined) return yield* Outcome.decode(log.outcome)
      const last = EventLog.split(log.events).at(-1) ?? new Uint8Array()
      const events = yield* Stream.make(last).pipe(decodeEvents, Stream.runCollect, Effect.orDie)
      for (const read of events) {
        if (read._tag === "Event" && read.event._tag === "Completed") return read.event.completion
      }
      return yield* Effect.die(new InternalError({ message: "A run has ended without a result" }))
    })

    const complete = Effect.fn("CompletionRuns.complete")(function* (
      caller: Caller,
      chatId: ChatId,
      request: CompletionRequest
    ) {
      const completionId = yield* begin(caller, chatId, request)
      yield* ended(completionId)
      return yield* resultOf(chatId, completionId)
    })

    const stream = Effect.fn("CompletionRuns.stream")(function* (
      caller: Caller,
      chatId: ChatId,
      request: CompletionRequest
    ) {
      const completionId = yield* begin(caller, chatId, request)
      return { completionId, events: tails.read(chatId, completionId, 0) }
    })

    /** The events of a run, and whether it has a trace log in it. What runs is looked for first: its log is stored when it ends. */
    const find = Effect.fnUntraced(function* (chatId: ChatId, completionId: CompletionId) {
      const live = yield* runs.find(chatId, completionId)
      if (live !== undefined) return { ...live, read: (after: number) => tails.read(chatId, completionId, after) }
      const row = yield* logs.find(chatId, completionId)
      if (row === undefined) return undefined
      const { count, read } = EventLog.fromBytes(row.events)
      return { isForAdmins: row.isForAdmins, count, read }
    })

    const events = Effect.fn("CompletionRuns.events")(function* (
      caller: Caller,
      chatId: ChatId,
      completionId: CompletionId,
      after: number
    ) {
      const { botId } = yield* access.reachable(caller, chatId)
      const found = yield* find(chatId, completionId)
      const bot = found?.isForAdmins === true ? yield* bots.find(botId) : undefined
      if (found === undefined || (found.isForAdmins && (bot === undefined || !administers(caller, bot)))) {
        return yield* new CompletionNotFound({ completionId })
      }
      if (after > found.count) {
        const message = `Expected the id of an event of this completion, at most ${found.count}`
        return yield* new InvalidRequest({ issues: [{ path: ["headers", "last-event-id"], message }] })
      }
      return found.read(after)
    })

    /** Waits until these have ended, but not for ever: a process that was just lost is not missed at once. */
    const allEnded = (ids: ReadonlyArray<CompletionId>) =>
      Effect.asVoid(
        Effect.timeoutOption(Effect.forEach(ids, tails.ended, { concurrency: "unbounded", discard: true }), stopTimeout)
      )

    const stop = Effect.fn("CompletionRuns.stop")(function* (
      caller: Caller,
      chatId: ChatId,
      completionId: CompletionId
    ) {
      yield* access.reachable(caller, chatId)
      if ((yield* runs.find(chatId, completionId)) !== undefined) {
        const ids = yield* runs.stop(completionId, "Stopped")
        yield* signals.publish("stops")
        return yield* allEnded(ids)
      }
      // A run that failed has only a log, and of an old one there is only the completion.
      const isKnown =
        (yield* completions.exists(chatId, completionId)) || (yield* logs.find(chatId, completionId)) !== undefined
      if (!isKnown) return yield* new CompletionNotFound({ completionId })
    })

    const stopAll = Effect.gen(function* () {
      const ids = yield* runs.stop("all", "BotsStopped")
      yield* signals.publish("stops")
      yield* allEnded(ids)
    }).pipe(Effect.withSpan("CompletionRuns.stopAll"))

    const setStopped = Effect.fn("CompletionRuns.setStopped")(function* (isStopped: boolean) {
      yield* stopFlag.set(isStopped)
      if (isStopped) yield* stopAll
    })

    /** Breaks off what runs here, and lets the others take it up. */
    const handOver = Effect.suspend(() => {
      const ids = Array.from(fibers.keys())
      return Scope.close(runScope, Exit.void).pipe(
        Effect.andThen(runs.disappear(self)),
        Effect.andThen(Effect.forEach(ids, (id) => signals.publish("end", id), { discard: true })),
        Effect.catchCause((cause) => Effect.logWarning("Failed to hand over what runs", cause))
      )
    })

    /** What runs or is read here may end by itself for a while. Then it is let go, and goes on in another process. */
    const shutDown = Effect.suspend(() => {
      if (isClosed) return Effect.void
      isClosed = true
      const quiet = Effect.all(
        [Effect.repeat(Effect.sleep("50 millis"), { until: () => fibers.size === 0 }), tails.idle],
        { concurrency: "unbounded", discard: true }
      )
      return Effect.forkDetach(Scope.close(entities, Exit.void)).pipe(
        Effect.andThen(Effect.timeoutOption(quiet, shutdownGrace)),
        Effect.andThen(tails.release),
        Effect.andThen(Deferred.succeed(released, undefined)),
        Effect.andThen(handOver)
      )
    })
    yield* Effect.addFinalizer(() => shutDown)

    return { complete, stream, events, stop, stopAll, setStopped, shutDown }
  })
)
