import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Check, checksOf, contract, decision } from "./Check.ts"
import { ask } from "./exchange.ts"
import { equals, fields, hasStatus, holds, ok, prepared, seen, success, text } from "./expect.ts"
import * as Given from "./given.ts"
import { described } from "./patterns.ts"

const check = checksOf("core")

const usage = {
  items: Schema.Array(
    Schema.Struct({
      requestDate: Schema.String,
      botId: text,
      tokenUsageTypeId: Schema.Finite,
      requestCount: Schema.Finite,
      totalTokens: Schema.Finite
    })
  )
}

/** The bot of the run, after it was asked once. */
const askedBot = Effect.gen(function* () {
  const { botId, chatId } = yield* Given.chat()
  yield* Given.completion(chatId)
  return botId
})

/** That bot, when the question is in the statistics: a backend may compute them when it is told to. */
const countedBot = Effect.tap(askedBot, () => prepared(ok("statistics.recompute")))

/** The checks of the caches, of the statistics and of the status that users are shown. */
export const system: ReadonlyArray<Check> = [
  check(
    "cache.clear/answers-as-described",
    { title: "Clearing the caches answers an empty object", source: contract, needs: ["admin", "destruction"] },
    success("cache.clear")
  ),
  described(
    check,
    "statistics.tokenUsage",
    "What a question has cost is counted, by day, bot and kind",
    ["user", "admin", "bot"],
    Effect.gen(function* () {
      const botId = yield* countedBot
      const answer = yield* success("statistics.tokenUsage", { query: { BotId: botId, PageSize: 50 } })
      const { items } = yield* fields(answer, usage)
      yield* holds(
        answer,
        items.every((item) => item.botId === botId),
        `usage of the bot ${botId} alone`
      )
      const asked = items.filter(({ requestCount }) => requestCount > 0)
      yield* holds(answer, asked.length > 0, "at least one question")
    })
  ),
  check(
    "statistics.tokenUsage/selects",
    {
      title: "The usage can be asked for by its kind and by its days",
      source: contract,
      needs: ["user", "admin", "bot"],
      isAlone: true
    },
    Effect.gen(function* () {
      const botId = yield* countedBot
      const { body } = yield* seen("statistics.tokenUsage", { query: { BotId: botId } }, usage)
      const [latest] = body.items
      if (latest === undefined) return
      for (const query of [
        { TokenUsageTypeId: 987_654 },
        { FromRequestDate: "9999-01-01" },
        { ToRequestDate: "1900-01-01" }
      ]) {
        const answer = yield* ok("statistics.tokenUsage", { query: { BotId: botId, ...query } })
        yield* equals(answer, "items", (yield* fields(answer, usage)).items, [])
      }
      const day = latest.requestDate.slice(0, 10)
      const answer = yield* ok("statistics.tokenUsage", {
        query: { BotId: botId, FromRequestDate: day, ToRequestDate: day }
      })
      const { items } = yield* fields(answer, usage)
      const isRight = items.length > 0 && items.every(({ requestDate }) => requestDate.startsWith(day))
      yield* holds(answer, isRight, `usage of ${day} alone`)
    })
  ),
  check(
    "statistics.tokenUsage/refuses-other-queries",
    { title: "Days that are none, and pages that cannot be, are 400", source: decision, needs: ["admin"] },
    Effect.gen(function* () {
      for (const query of [
        { FromRequestDate: "yesterday" },
        { PageSize: 101 },
        { PageNumber: 0 },
        { OrderBy: "nothing" }
      ]) {
        yield* hasStatus(yield* ask("statistics.tokenUsage", { query }), 400)
      }
    })
  ),
  described(
    check,
    "statistics.recompute",
    "The statistics are computed, the same when that is done again, and the answer is empty",
    ["user", "admin", "bot"],
    Effect.gen(function* () {
      const botId = yield* askedBot
      const counted = Effect.gen(function* () {
        yield* success("statistics.recompute")
        return yield* seen("statistics.tokenUsage", { query: { BotId: botId, PageSize: 50 } }, usage)
      })
      const { body } = yield* counted
      const { answer, body: again } = yield* counted
      yield* holds(answer, body.items.length > 0, "at least one question")
      yield* equals(answer, "items", again.items, body.items)
    })
  ),
  described(
    check,
    "system.status",
    "The status is a text, empty when all is well",
    ["user"],
    Effect.flatMap(success("system.status"), (answer) => fields(answer, { value: text }))
  ),
  check(
    "system.setStatus/answers-as-described",
    {
      title: "A status that is set is shown, and the answer is empty",
      source: contract,
      needs: ["user", "admin", "destruction"],
      isAlone: true,
      also: ["system.status"]
    },
    Effect.gen(function* () {
      const { body } = yield* seen("system.status", {}, { value: text })
      yield* Effect.addFinalizer(() =>
        Given.restored("the status", "system.setStatus", { payload: { value: body.value ?? "" } })
      )
      const value = "A check of conformance is running."
      yield* success("system.setStatus", { payload: { value } })
      const after = yield* seen("system.status", {}, { value: text })
      yield* equals(after.answer, "value", after.body.value, value)
    })
  )
]
