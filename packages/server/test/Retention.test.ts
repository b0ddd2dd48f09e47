import type { Caller } from "@effect-chatbot/api/middleware/Authorization"
import type { SignedIn } from "@effect-chatbot/server/Callers"
import { ChatService } from "@effect-chatbot/server/ChatService"
import { CompletionRuns } from "@effect-chatbot/server/CompletionRuns"
import { OneTimeChats } from "@effect-chatbot/server/OneTimeChats"
import { Retention } from "@effect-chatbot/server/Retention"
import { UserService } from "@effect-chatbot/server/UserService"
import { UserSystemMessages } from "@effect-chatbot/server/UserSystemMessages"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as TestDatabase from "./support/TestDatabase.ts"
import * as Services from "./support/TestServices.ts"

type Env = Layer.Success<typeof Services.layer>

const test = <A, E>(effect: Effect.Effect<A, E, Env>) => Effect.provide(effect, Services.layer)

const setUp = Effect.gen(function* () {
  const chats = yield* ChatService
  const users = yield* UserService
  const botId = yield* Services.bot({ code: "open", isOpen: 1 })
  const create = (caller: Caller) => Effect.map(chats.create(caller, botId), (_) => _.chatId)
  const favorite = Effect.fnUntraced(function* (caller: SignedIn) {
    const chatId = yield* create(caller)
    yield* chats.setFavorite(caller, chatId, true)
    return chatId
  })
  const keep = (
    caller: SignedIn,
    isKeepChatHistory: boolean,
    keepChatHistoryForDays: number,
    isKeepFavoritesForever: boolean
  ) => users.update(caller, { isKeepChatHistory, keepChatHistoryForDays, isKeepFavoritesForever })
  return { chats, create, favorite, keep, ann: yield* Services.user("ann"), bob: yield* Services.user("bob") }
})

const left = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ id: string }>`SELECT id FROM chats ORDER BY id`
  return rows.map(({ id }) => id)
})

const run = Effect.flatMap(Retention, (retention) => retention.run)

describe("Retention", () => {
  it.effect("keeps chats for ever unless a user wants otherwise", () =>
    test(
      Effect.gen(function* () {
        const { ann, create } = yield* setUp
        const kept = yield* create(ann)
        yield* TestClock.adjust("10000 days")
        yield* run
        assert.deepStrictEqual(yield* left, [kept])
      })
    )
  )

  it.effect("deletes chats of users who keep no history, an hour after their last use", () =>
    test(
      Effect.gen(function* () {
        const { ann, bob, chats, create, keep } = yield* setUp
        const runs = yield* CompletionRuns
        yield* keep(ann, false, 0, true)
        const used = yield* create(ann)
        yield* create(ann)
        const bobs = yield* create(bob)
        yield* TestClock.adjust("59 minutes")
        yield* runs.complete(ann, used, Services.question("Still here."))
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(yield* run, {
          chats: 0,
          userSystemMessages: 0,
          logs: 0,
          tickets: 0,
          idempotencyKeys: 0,
          tokenBudgets: 0,
          auditEntries: 0
        })
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(yield* run, {
          chats: 1,
          userSystemMessages: 0,
          logs: 0,
          tickets: 0,
          idempotencyKeys: 0,
          tokenBudgets: 0,
          auditEntries: 0
        })
        assert.deepStrictEqual(yield* left, [used, bobs])
        yield* TestClock.adjust("59 minutes")
        yield* run
        assert.deepStrictEqual(yield* left, [bobs])
        assert.strictEqual(yield* Services.count("completions"), 0)
        assert.strictEqual((yield* chats.list(ann, {})).totalItemCount, 0)
      })
    )
  )

  it.effect("deletes chats after the days a user keeps them for", () =>
    test(
      Effect.gen(function* () {
        const { ann, bob, create, keep } = yield* setUp
        yield* keep(ann, true, 7, true)
        yield* keep(bob, true, 30, true)
        yield* create(ann)
        const bobs = yield* create(bob)
        yield* TestClock.adjust("7 days")
        assert.strictEqual((yield* run).chats, 0)
        yield* TestClock.adjust(1)
        assert.strictEqual((yield* run).chats, 1)
        assert.deepStrictEqual(yield* left, [bobs])
        yield* TestClock.adjust("23 days")
        assert.strictEqual((yield* run).chats, 1)
        assert.deepStrictEqual(yield* left, [])
      })
    )
  )

  it.effect("keeps favourites for ever where a user wants that, and only there", () =>
    test(
      Effect.gen(function* () {
        const { ann, bob, favorite, keep } = yield* setUp
        const carl = yield* Services.user("carl")
        const dora = yield* Services.user("dora")
        yield* keep(ann, false, 0, true)
        yield* keep(bob, false, 0, false)
        yield* keep(carl, true, 1, true)
        yield* keep(dora, true, 1, false)
        const kept = yield* favorite(ann)
        yield* favorite(bob)
        const alsoKept = yield* favorite(carl)
        yield* favorite(dora)
        yield* TestClock.adjust("400 days")
        yield* run
        assert.deepStrictEqual(yield* left, [kept, alsoKept])
      })
    )
  )

  it.effect("bears any number of days", () =>
    test(
      Effect.gen(function* () {
        const { ann, create, keep } = yield* setUp
        yield* keep(ann, true, 2 ** 31 - 1, true)
        const kept = yield* create(ann)
        yield* TestClock.adjust("1000 days")
        assert.deepStrictEqual(yield* run, {
          chats: 0,
          userSystemMessages: 0,
          logs: 0,
          tickets: 0,
          idempotencyKeys: 0,
          tokenBudgets: 0,
          auditEntries: 0
        })
        assert.deepStrictEqual(yield* left, [kept])
      })
    )
  )

  it.effect("keeps anonymous chats for 30 days after their last use", () =>
    test(
      Effect.gen(function* () {
        const { chats, create } = yield* setUp
        const used = yield* create(Services.anonymous)
        yield* create(Services.anonymous)
        yield* TestClock.adjust("15 days")
        yield* chats.get(Services.anonymous, used)
        yield* TestClock.adjust("15 days")
        assert.strictEqual((yield* run).chats, 0)
        yield* TestClock.adjust(1)
        assert.strictEqual((yield* run).chats, 1)
        assert.deepStrictEqual(yield* left, [used])
      })
    )
  )

  it.effect("deletes what an answer was asked in whose process was killed, which is in no list until then", () =>
    test(
      Effect.gen(function* () {
        const { ann, chats } = yield* setUp
        const messages = yield* UserSystemMessages
        yield* Services.bot({ code: "helper", isUserSystemMessageSupported: 1 })
        // It is never closed, as that of a process that was killed.
        const scope = yield* Scope.make()
        const conversation = { botCode: "helper", instructions: "Be brief.", history: [], question: "Hello?" }
        const asked = Effect.flatMap(OneTimeChats, (_) => _.ask(ann, conversation))
        yield* Stream.runDrain((yield* Scope.provide(asked, scope)).events)
        yield* chats.deleteMany(ann, { keepFavorites: false })
        assert.lengthOf(yield* left, 1)
        assert.strictEqual((yield* chats.list(ann, {})).totalItemCount, 0)
        assert.strictEqual((yield* messages.list(ann, {})).totalItemCount, 0)
        assert.strictEqual((yield* messages.count(ann)).systemMessageCount, 0)
        yield* TestClock.adjust("1 hour")
        assert.strictEqual((yield* run).chats, 0)
        yield* TestClock.adjust(1)
        const { chats: deletedChats, userSystemMessages } = yield* run
        assert.deepStrictEqual([deletedChats, userSystemMessages], [1, 1])
        assert.deepStrictEqual(yield* left, [])
        assert.strictEqual(yield* Services.count("user_system_messages"), 0)
      })
    )
  )

  it.effect("deletes more than fits into one batch", () =>
    test(
      Effect.gen(function* () {
        const { ann, create, keep } = yield* setUp
        yield* keep(ann, false, 0, true)
        yield* Effect.replicateEffect(create(ann), 450)
        yield* TestClock.adjust("61 minutes")
        assert.deepStrictEqual(yield* run, {
          chats: 450,
          userSystemMessages: 0,
          logs: 0,
          tickets: 0,
          idempotencyKeys: 0,
          tokenBudgets: 0,
          auditEntries: 0
        })
      })
    )
  )

  // Only what is done in memory is done when the clock of the test has been moved.
  if (TestDatabase.form !== "postgres") {
    it.effect("runs on start and every hour by itself, also after a failure", () =>
      Effect.gen(function* () {
        yield* TestClock.adjust("100 days")
        const seeded = Layer.effectDiscard(
          Effect.gen(function* () {
            const sql = yield* SqlClient.SqlClient
            yield* Services.bot({ code: "open", isOpen: 1 })
            yield* sql`INSERT INTO chats ${sql.insert({
              id: "old",
              botId: "bot-open",
              isFavorite: 0,
              createdUtc: "1970-01-01T00:00:00.000Z",
              lastAccessedUtc: "1970-01-01T00:00:00.000Z"
            })}`
          })
        ).pipe(Layer.provideMerge(Services.database))

        yield* Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          yield* TestClock.adjust(0)
          assert.deepStrictEqual(yield* left, [])
          const chats = yield* ChatService
          const users = yield* UserService
          const ann = yield* Services.user("ann")
          yield* users.update(ann, {
            isKeepChatHistory: false,
            keepChatHistoryForDays: 0,
            isKeepFavoritesForever: true
          })
          yield* chats.createByBotCode(ann, "open")
          yield* sql`ALTER TABLE tickets RENAME TO tickets_away`
          yield* TestClock.adjust("2 hours")
          yield* chats.createByBotCode(ann, "open")
          yield* sql`ALTER TABLE tickets_away RENAME TO tickets`
          yield* TestClock.adjust("1 hour")
          assert.strictEqual((yield* left).length, 1)
          yield* TestClock.adjust("1 hour")
          assert.deepStrictEqual(yield* left, [])
        }).pipe(Effect.provide(Services.layerWithJobs(seeded)))
      })
    )
  }
})
