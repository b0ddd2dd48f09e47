/**
 * The {@link CompletionRuns} of several processes that share a database.
 *
 * A run is a row of the database from when it is begun until it ends, and a message to the entity of its chat. The process that has the
 * entity takes the run up, and stores the events as they come; every process reads them there. When that process is lost, another one gets
 * the entity and the message, and takes the run up again: once it asks the provider anew, and goes on where the answer begins with what was
 * said already.
 */
import type { Caller } from "@effect-chatbot/api/middleware/Authorization"
import type { CompletionRequest } from "@effect-chatbot/schema/Chat"
import {
  BotsStopped,
  ChatBusy,
  ChatNotFound,
  IdempotencyKeyInUse,
  InternalError,
  Unavailable
} from "@effect-chatbot/schema/Errors"
import type { ChatId, CompletionId } from "@effect-chatbot/schema/Ids"
import * as EntityAddress from "effect/cluster/EntityAddress"
import * as EntityId from "effect/cluster/EntityId"
import * as MessageStorage from "effect/cluster/MessageStorage"
import * as Sharding from "effect/cluster/Sharding"
import type * as ShardingConfig from "effect/cluster/ShardingConfig"
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Answering } from "./Answering.ts"
import type { ChatAccess } from "./ChatAccess.ts"
import { CompletionRuns } from "./CompletionRuns.ts"
import * as EventLog from "./EventLog.ts"
import { type IdempotencyKeys, KeyedRun } from "./IdempotencyKeys.ts"
import * as ChatRuns from "./internal/chatRuns.ts"
import * as Outcome from "./internal/outcome.ts"
import type { Stop } from "./internal/run.ts"
import { runsOf } from "./internal/runsOf.ts"
import * as Tails from "./internal/tails.ts"
import type { BotRepository } from "./repositories/BotRepository.ts"
import { CompletionLogRepository } from "./repositories/CompletionLogRepository.ts"
import type { CompletionRepository } from "./repositories/CompletionRepository.ts"
import { CompletionRunRepository } from "./repositories/CompletionRunRepository.ts"
import type { Transactions } from "./repositories/Transactions.ts"
import { ServerOptions } from "./ServerOptions.ts"
import { Signals } from "./Signals.ts"
import { Singletons } from "./Singletons.ts"
import { StopFlag } from "./StopFlag.ts"

/** How long whoever stops a run waits at most until it has ended. */
const stopTimeout = Duration.seconds(30)

/** A run that was not taken up, or has not ended, after this time is sent to its entity again, in case it never came there. */
const remindAfter = { untaken: Duration.seconds(2), any: Duration.seconds(30) }

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
    const answering = yield* Answering
    const logs = yield* CompletionLogRepository
    const messages = yield* MessageStorage.MessageStorage
    const runs = yield* CompletionRunRepository
    const sharding = yield* Sharding.Sharding
    const signals = yield* Signals
    const singletons = yield* Singletons
    const stopFlag = yield* StopFlag
    const { shutdownGrace = Duration.seconds(10) } = yield* ServerOptions
    const scope = yield* Effect.scope
    const tails = yield* Tails.make
    const chatRuns = yield* ChatRuns.make(tails)
    const client = yield* ChatRuns.ChatEntity.client
    const released = yield* Deferred.make<void>()
    let isClosed = false

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
          const shardId = sharding.getShardId(entityId, ChatRuns.ChatEntity.getShardGroup(entityId))
          return EntityAddress.make({ shardId, entityType: ChatRuns.ChatEntity.type, entityId })
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
      const { key, unlessAnswered } = yield* KeyedRun
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
          // Read when no other process can begin with the key: one that has ended since the first look asked already.
          yield* Effect.onError(unlessAnswered, () => runs.delete(completionId))
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
      const [last] = yield* EventLog.decode(EventLog.split(log.events).at(-1) ?? new Uint8Array())
      if (last?._tag === "Completed") return last.completion
      return yield* Effect.die(new InternalError({ message: "A run has ended without a result" }))
    })

    /** Waits until these have ended, but not for ever: a process that was just lost is not missed at once. */
    const allEnded = (ids: ReadonlyArray<CompletionId>) =>
      Effect.asVoid(
        Effect.timeoutOption(Effect.forEach(ids, tails.ended, { concurrency: "unbounded", discard: true }), stopTimeout)
      )

    const stop = Effect.fnUntraced(function* (what: CompletionId | "all", why: Exclude<Stop, "Unavailable">) {
      const ids = yield* runs.stop(what, why)
      yield* signals.publish("stops")
      yield* allEnded(ids)
    })

    /** What runs or is read here may end by itself for a while. Then it is let go, and goes on in another process. */
    const shutDown = Effect.suspend(() => {
      if (isClosed) return Effect.void
      isClosed = true
      const quiet = Effect.all([chatRuns.quiet, tails.idle], { concurrency: "unbounded", discard: true })
      return Effect.forkDetach(chatRuns.close).pipe(
        Effect.andThen(Effect.timeoutOption(quiet, shutdownGrace)),
        Effect.andThen(tails.release),
        Effect.andThen(Deferred.succeed(released, undefined)),
        Effect.andThen(chatRuns.handOver)
      )
    })
    yield* Effect.addFinalizer(() => shutDown)

    const asked = yield* runsOf({
      begin: (caller, chatId, request) =>
        Effect.map(begin(caller, chatId, request), (completionId) => ({
          completionId,
          events: tails.read(chatId, completionId, 0),
          result: Effect.andThen(ended(completionId), resultOf(chatId, completionId))
        })),
      running: (chatId, completionId) =>
        Effect.map(
          runs.find(chatId, completionId),
          (run) =>
            run && {
              ...run,
              read: (after) => tails.read(chatId, completionId, after),
              stop: stop(completionId, "Stopped")
            }
        ),
      stopAll: Effect.withSpan(stop("all", "BotsStopped"), "CompletionRuns.stopAll")
    })

    return { ...asked, shutDown }
  })
)
