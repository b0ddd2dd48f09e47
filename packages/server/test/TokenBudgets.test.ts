/** Token budgets: what may be used, whoever asks at once. */
import { ChatService } from "@effect-chatbot/server/ChatService"
import { CompletionRuns } from "@effect-chatbot/server/CompletionRuns"
import { Retention } from "@effect-chatbot/server/Retention"
import type { TokenBudgetOptions } from "@effect-chatbot/server/ServerOptions"
import * as Database from "@effect-chatbot/server/sql/Database"
import * as NodeSqlite from "@effect-chatbot/server/sql/NodeSqlite"
import * as Postgres from "@effect-chatbot/server/sql/Postgres"
import type { Caller } from "@effect-chatbot/api/middleware/Authorization"
import { ProviderFailed, type RateLimited } from "@effect-chatbot/schema/Errors"
import type { BotId } from "@effect-chatbot/schema/Ids"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import * as StreamServer from "./support/StreamServer.ts"
import { sendTo } from "./support/raw.ts"
import { form, postgresUrl } from "./support/TestDatabase.ts"
import * as Services from "./support/TestServices.ts"

/** What an answer of the provider of the tests costs. */
const cost = 5

const optionsOf = (tokenBudgets: TokenBudgetOptions) => ({
  requireTerms: false,
  // What is held is what it costs.
  promptTokens: 3,
  tokenBudgets: { answerTokens: 2, ...tokenBudgets }
})

const layerWith = (budgets: TokenBudgetOptions) => Services.layerWith(optionsOf(budgets))

/** Asks in a chat of its own. */
const ask = Effect.fnUntraced(function* (caller: Caller, botId: BotId, userMessage = "Hello") {
  const { chatId } = yield* (yield* ChatService).create(caller, botId)
  return yield* (yield* CompletionRuns).complete(caller, chatId, Services.question(userMessage))
})

const used = Effect.map(
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) =>
      sql<{
        total: number | null
      }>`SELECT CAST(sum(prompt_tokens + completion_tokens) AS INTEGER) AS total FROM token_usage`
  ),
  ([row]) => row?.total ?? 0
).pipe(Effect.orDie)

const budgetRows = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) =>
    sql<{
      subject: string
      period: string
      used: number
      reserved: number
    }>`SELECT subject, period, used, reserved FROM token_budgets ORDER BY subject, period`
).pipe(Effect.orDie)

const refusal = <A, E, R>(effect: Effect.Effect<A, E | RateLimited, R>) =>
  Effect.map(Effect.flip(effect), (error) => {
    assert.propertyVal(error, "_tag", "RateLimited")
    return error as RateLimited
  })

const seconds = ({ retryAfter }: RateLimited) => (retryAfter === undefined ? undefined : Duration.toSeconds(retryAfter))

describe("a budget", () => {
  it.effect("is overrun by one question at most, however many ask at once", () =>
    Effect.gen(function* () {
      const botId = yield* Services.bot({ code: "a" })
      const ann = yield* Services.user("ann")
      const asked = yield* Effect.forEach(Array.from({ length: 100 }), () => Effect.exit(ask(ann, botId)), {
        concurrency: "unbounded"
      })
      const answered = asked.filter((exit) => exit._tag === "Success").length
      assert.strictEqual(answered, 11)
      assert.strictEqual(yield* used, 55)
      assert.deepInclude((yield* budgetRows)[0], { subject: `user ${ann.id}`, used: 55, reserved: 0 })
      assert.strictEqual(yield* Services.count("token_reservations"), 0)
    }).pipe(Effect.provide(layerWith({ userPerDay: 52 })))
  )

  it.effect("is overrun by one question at most over two processes, and while answers take their time", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped({ prefix: "chatbot-test-" })
      const database =
        form === "postgres"
          ? Postgres.layer({ url: yield* postgresUrl(), maxConnections: 5 })
          : Database.migrated(NodeSqlite.layer({ filename: `${folder}/chatbot.db` }))
      const build = Layer.build(Layer.fresh(Services.layerOver(optionsOf({ botPerMonth: 52 }), database)))
      const [one, two] = [yield* build, yield* build]
      const botId = yield* Services.bot({ code: "a" }).pipe(Effect.provide(one))
      const go = yield* Deferred.make<void>()
      for (const process of [one, two]) {
        yield* Context.get(process, Services.TestProvider).behave(() =>
          Effect.as(Deferred.await(go), Services.answer({}))
        )
      }
      const fibers = yield* Effect.forEach(Array.from({ length: 60 }), (_, index) =>
        Effect.forkChild(
          Effect.exit(Effect.flatMap(Services.user(`user ${index}`), (user) => ask(user, botId))).pipe(
            Effect.provide(index % 2 === 0 ? one : two)
          )
        )
      )
      // Those refused are refused before any is answered.
      const refused = Effect.map(
        Effect.forEach(fibers, (fiber) => Effect.sync(() => fiber.pollUnsafe() !== undefined)),
        (ended) => ended.filter(Boolean).length
      )
      yield* Effect.repeat(Effect.andThen(Effect.yieldNow, refused), { until: (count) => count === 49 })
      yield* Deferred.succeed(go, undefined)
      const exits = yield* Effect.forEach(fibers, Fiber.join)
      assert.strictEqual(exits.filter((exit) => exit._tag === "Success").length, 11)
      assert.strictEqual(yield* Effect.provide(used, one), 55)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.effect("says which it is, and when the next begins", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.UTC(2026, 10, 30, 18, 0, 0))
      const botId = yield* Services.bot({ code: "a" })
      const ann = yield* Services.user("ann")
      yield* ask(ann, botId)
      const byDay = yield* refusal(ask(ann, botId))
      assert.strictEqual(byDay.message, "The token budget of this user for the day is used up.")
      assert.strictEqual(seconds(byDay), 6 * 3600)
      // Somebody else has another.
      const ben = yield* Services.user("ben")
      yield* ask(ben, botId)
      yield* TestClock.adjust("6 hours")
      yield* ask(ann, botId)
      assert.deepStrictEqual(
        (yield* budgetRows).map(({ period, subject, used }) => [subject, period, used]),
        [
          [`bot ${botId}`, "2026-11", 10],
          [`bot ${botId}`, "2026-12", 5],
          [`user ${ann.id}`, "2026-11-30", 5],
          [`user ${ann.id}`, "2026-12-01", 5],
          [`user ${ben.id}`, "2026-11-30", 5]
        ]
      )
      yield* ask(ben, botId)
      const byMonth = yield* refusal(ask(yield* Services.user("cat"), botId))
      assert.strictEqual(byMonth.message, "The token budget of this bot for the month is used up.")
      assert.strictEqual(seconds(byMonth), 31 * 24 * 3600)
    }).pipe(Effect.provide(layerWith({ userPerDay: 5, botPerMonth: 10 })))
  )

  it.effect("is that of the bot that answers, not of the start bot before it", () =>
    Effect.gen(function* () {
      const start = yield* Services.bot({ code: "start", implementationType: "Start" })
      const botId = yield* Services.bot({ code: "a" })
      yield* Services.link(start, botId, null, 1)
      const ann = yield* Services.user("ann")
      yield* ask(ann, start)
      yield* refusal(ask(ann, start))
      yield* refusal(ask(ann, botId))
      assert.deepStrictEqual(
        (yield* budgetRows).map(({ subject }) => subject),
        [`bot ${botId}`]
      )
    }).pipe(Effect.provide(layerWith({ botPerDay: 5 })))
  )

  it.effect("holds nothing for a question that failed, and is charged for one that was stopped", () =>
    Effect.gen(function* () {
      const { behave } = yield* Services.TestProvider
      const { complete, stopAll } = yield* CompletionRuns
      const chats = yield* ChatService
      const botId = yield* Services.bot({ code: "a", baseSystemMessage: "Be brief and kind." })
      const ann = yield* Services.user("ann")
      yield* behave(() => Effect.fail(new ProviderFailed({})))
      assert.strictEqual((yield* Effect.flip(ask(ann, botId)))._tag, "ProviderFailed")
      yield* behave(() => Effect.die(new Error("a defect")))
      yield* Effect.exit(ask(ann, botId))
      assert.deepInclude((yield* budgetRows)[0], { used: 0, reserved: 0 })

      const asked = yield* Deferred.make<void>()
      yield* behave(() => Effect.andThen(Deferred.succeed(asked, undefined), Effect.never))
      const { chatId } = yield* chats.create(ann, botId)
      const fiber = yield* Effect.forkChild(complete(ann, chatId, Services.question("One two three")))
      yield* Deferred.await(asked)
      assert.deepInclude((yield* budgetRows)[0], { used: 0, reserved: cost })
      // What is held stands in the way of others, for a moment only.
      const held = yield* refusal(ask(ann, botId))
      assert.include(held.message, "is held for answers that are being written")
      assert.strictEqual(seconds(held), 10)
      yield* stopAll
      yield* Effect.exit(Fiber.join(fiber))
      assert.deepInclude((yield* budgetRows)[0], { used: 7, reserved: 0 })
    }).pipe(Effect.provide(layerWith({ userPerDay: 5 })))
  )

  it.effect("is charged for an answer whose chat was deleted meanwhile", () =>
    Effect.gen(function* () {
      const { behave } = yield* Services.TestProvider
      const chats = yield* ChatService
      const { complete } = yield* CompletionRuns
      const botId = yield* Services.bot({ code: "a" })
      const ann = yield* Services.user("ann")
      const { chatId } = yield* chats.create(ann, botId)
      yield* behave(() => Effect.as(chats.delete(ann, chatId).pipe(Effect.orDie), Services.answer({})))
      assert.strictEqual((yield* Effect.flip(complete(ann, chatId, Services.question("Hello"))))._tag, "ChatNotFound")
      assert.deepInclude((yield* budgetRows)[0], { used: cost, reserved: 0 })
      yield* refusal(ask(ann, botId))
    }).pipe(Effect.provide(layerWith({ userPerDay: 5 })))
  )

  it.effect("is free again of what a process held that is gone", () =>
    Effect.gen(function* () {
      const { behave } = yield* Services.TestProvider
      const botId = yield* Services.bot({ code: "a" })
      const ann = yield* Services.user("ann")
      const sql = yield* SqlClient.SqlClient
      yield* ask(ann, botId)
      // As a process leaves it that was killed while it waited for a provider.
      yield* sql`UPDATE token_budgets SET reserved = 5`
      const [{ period } = { period: "" }] = yield* budgetRows
      yield* sql`INSERT INTO token_reservations ${sql.insert({
        id: "gone",
        subject: `user ${ann.id}`,
        period,
        tokens: 5,
        expiresUtc: "1970-01-01T00:15:00.000Z"
      })}`
      yield* behave(() => Effect.succeed(Services.answer({})))
      yield* refusal(ask(ann, botId))
      yield* TestClock.adjust("15 minutes")
      yield* ask(ann, botId)
      assert.deepInclude((yield* budgetRows)[0], { used: 10, reserved: 0 })
    }).pipe(Effect.provide(layerWith({ userPerDay: 10 })))
  )

  it.effect("is not that of callers without a token, who are under that of the bot", () =>
    Effect.gen(function* () {
      const botId = yield* Services.bot({ code: "open", isOpen: 1 })
      yield* Effect.repeat(ask(Services.anonymous, botId), { times: 2 })
      yield* refusal(ask(Services.anonymous, botId))
    }).pipe(Effect.provide(layerWith({ userPerDay: 1, botPerDay: 15 })))
  )

  it.effect("is forgotten a day after the end of its period", () =>
    Effect.gen(function* () {
      const botId = yield* Services.bot({ code: "a" })
      yield* ask(yield* Services.user("ann"), botId)
      const { run } = yield* Retention
      yield* TestClock.adjust("47 hours")
      assert.strictEqual((yield* run).tokenBudgets, 0)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual((yield* run).tokenBudgets, 1)
    }).pipe(Effect.provide(layerWith({ userPerDay: 100 })))
  )
})

layer(StreamServer.layerOver(layerWith({ userPerDay: 5 })), { excludeTestServices: true })("on the wire", (it) => {
  it.effect("it is a 429 that says when to come back, asked for JSON and for events alike", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* StreamServer.StreamServer
      yield* Services.bot({ code: "a" })
      const token = yield* StreamServer.tokenOf("ann")
      const send = (path: string, body: unknown, headers = {}) =>
        sendTo(baseUrl, "POST", path, { token, body, headers })
      const { chatId } = (yield* send("/api/chats", { botId: "bot-a" })).json()
      const question = { userMessage: "Hello" }
      assert.strictEqual((yield* send(`/api/chats/${chatId}/completions`, question)).status, 200)
      for (const accept of ["application/json", "text/event-stream"]) {
        const { headers, json, status } = yield* send(`/api/chats/${chatId}/completions`, question, { accept })
        assert.strictEqual(status, 429)
        assert.strictEqual(json().type, "urn:effect-chatbot:problem:RateLimited")
        assert.include(json().detail, "this user for the day")
        assert.isAtMost(Number(headers["retry-after"]), 24 * 3600)
      }
    })
  )
})
