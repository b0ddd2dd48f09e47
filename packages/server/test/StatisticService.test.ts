import { BotService } from "@effect-chatbot/server/BotService"
import { ChatService } from "@effect-chatbot/server/ChatService"
import { CompletionRuns } from "@effect-chatbot/server/CompletionRuns"
import { TokenUsageRepository } from "@effect-chatbot/server/repositories/TokenUsageRepository"
import { Transactions } from "@effect-chatbot/server/repositories/Transactions"
import { StatisticService } from "@effect-chatbot/server/StatisticService"
import { BotId, UserId } from "@effect-chatbot/schema/Ids"
import { PlainDate } from "@effect-chatbot/schema/PlainDate"
import type { TokenUsageQuery } from "@effect-chatbot/schema/TokenUsage"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import * as TestDatabase from "./support/TestDatabase.ts"
import * as Services from "./support/TestServices.ts"

type Env = Layer.Success<typeof Services.layer>

const test = <A, E>(effect: Effect.Effect<A, E, Env>) => Effect.provide(effect, Services.layer)

const list = (query: TokenUsageQuery) => Effect.flatMap(StatisticService, (statistic) => statistic.list(query))

describe("the statistic", () => {
  it.effect("counts completions and searches, by day, bot and kind", () =>
    test(
      Effect.gen(function* () {
        const bots = yield* BotService
        const chats = yield* ChatService
        const runs = yield* CompletionRuns
        const one = yield* Services.bot({ code: "one", displayName: "One", isOpen: 1 })
        const two = yield* Services.bot({ code: "two", displayName: "Two", implementationType: "Start" })
        yield* Services.link(two, one, null, 1)
        const ann = yield* Services.user("ann")
        const bob = yield* Services.user("bob")
        for (const caller of [ann, ann, bob, Services.anonymous, Services.anonymous]) {
          const { chatId } = yield* chats.create(caller, one)
          yield* runs.complete(caller, chatId, Services.question("Q"))
        }
        assert.strictEqual(yield* bots.search(ann, two, "three words here"), one)
        assert.strictEqual(yield* bots.search(ann, one, "two words"), one)
        yield* TestClock.adjust("1 day")
        const { chatId } = yield* chats.create(ann, two)
        yield* runs.complete(ann, chatId, Services.question("Q"))

        const day = (date: string) => PlainDate.make(date)
        const row = (
          date: string,
          botId: BotId,
          name: string,
          type: number,
          users: number,
          requests: number,
          prompt: number,
          completion: number
        ) => ({
          requestDate: day(date),
          botId,
          botDisplayName: name,
          tokenUsageTypeId: type,
          userCount: users,
          requestCount: requests,
          promptTokens: prompt,
          completionTokens: completion,
          totalTokens: prompt + completion
        })
        const completions = row("1970-01-01", one, "One", 1, 3, 5, 15, 10)
        const searchOfOne = row("1970-01-01", one, "One", 2, 1, 1, 2, 0)
        const searchOfTwo = row("1970-01-01", two, "Two", 2, 1, 1, 3, 0)
        const nextDay = row("1970-01-02", one, "One", 1, 1, 1, 3, 2)
        assert.deepStrictEqual((yield* list({})).items, [nextDay, searchOfTwo, searchOfOne, completions])
        assert.deepStrictEqual((yield* list({ botId: two })).items, [searchOfTwo])
        assert.deepStrictEqual((yield* list({ tokenUsageTypeId: 2, orderBy: "botDisplayName" })).items, [
          searchOfOne,
          searchOfTwo
        ])
        assert.deepStrictEqual((yield* list({ fromRequestDate: day("1970-01-02") })).items, [nextDay])
        assert.deepStrictEqual(
          (yield* list({ toRequestDate: day("1970-01-01"), botId: one, tokenUsageTypeId: 1 })).items,
          [completions]
        )
        assert.deepStrictEqual((yield* list({ fromRequestDate: day("1970-01-03") })).items, [])
        assert.deepStrictEqual((yield* list({ searchFor: "TW" })).items, [searchOfTwo])
        assert.deepStrictEqual((yield* list({ orderBy: "totalTokens desc", pageSize: 1 })).items, [completions])
      })
    )
  )

  it.effect("keeps what was used by a bot that is gone, without its name", () =>
    test(
      Effect.gen(function* () {
        const runs = yield* CompletionRuns
        const chats = yield* ChatService
        const sql = yield* SqlClient.SqlClient
        const botId = yield* Services.bot({ code: "gone" })
        const ann = yield* Services.user("ann")
        const { chatId } = yield* chats.create(ann, botId)
        yield* runs.complete(ann, chatId, Services.question("Q"))
        yield* sql`DELETE FROM bots`
        const { items } = yield* list({})
        assert.deepStrictEqual(
          items.map((_) => [_.botId, _.botDisplayName, _.requestCount]),
          [[botId, undefined, 1]]
        )
        yield* Effect.flatMap(StatisticService, (statistic) => statistic.recompute)
        assert.deepStrictEqual((yield* list({})).items, items)
      })
    )
  )

  const use = Schema.Struct({
    day: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3 })),
    bot: Schema.Literals(["x", "y"]),
    user: Schema.UndefinedOr(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3 }))),
    type: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3 })),
    prompt: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 })),
    completion: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 }))
  })

  it.effect.prop(
    "is the same use by use and recomputed, and what the ledger says",
    { uses: Schema.Array(use).check(Schema.isMaxLength(40)) },
    ({ uses }) =>
      Effect.gen(function* () {
        const usage = yield* TokenUsageRepository
        const sql = yield* SqlClient.SqlClient
        const users = new Map<string, Set<number>>()
        const expected = new Map<string, Array<number>>()
        for (const [index, { bot, completion, day, prompt, type, user }] of uses.entries()) {
          const requestDate = PlainDate.make(`2026-01-0${day}`)
          yield* usage.record({
            id: `use-${index}`,
            requestDate,
            botId: BotId.make(bot),
            userId: user === undefined ? undefined : UserId.make(user),
            tokenUsageTypeId: type,
            promptTokens: prompt,
            completionTokens: completion
          })
          const key = [requestDate, bot, type].join()
          const seen = users.get(key) ?? new Set()
          users.set(key, seen.add(user ?? 0))
          const [, requests = 0, prompts = 0, completions = 0] = expected.get(key) ?? []
          expected.set(key, [seen.size, requests + 1, prompts + prompt, completions + completion])
        }
        const rows = Effect.map(
          sql`SELECT request_date, bot_id, token_usage_type_id, user_count, request_count, prompt_tokens, completion_tokens
          FROM token_usage_statistic ORDER BY request_date, bot_id, token_usage_type_id`.values,
          (rows) => rows.map(([date, bot, type, ...counts]) => [[date, bot, type].join(), counts])
        )
        const incremental = yield* rows
        assert.deepStrictEqual(
          incremental,
          Array.from(expected).toSorted(([a], [b]) => (a < b ? -1 : 1))
        )
        yield* usage.recompute
        assert.deepStrictEqual(yield* rows, incremental)
        yield* sql`DELETE FROM token_usage_statistic`
        yield* usage.recompute
        assert.deepStrictEqual(yield* rows, incremental)
        return true
      }).pipe(
        Effect.provide(
          TokenUsageRepository.layer.pipe(Layer.provide(Transactions.layer), Layer.provideMerge(Services.database))
        )
      ),
    { arbitrary: { runs: TestDatabase.form === "postgres" ? 10 : 100 } }
  )
})
