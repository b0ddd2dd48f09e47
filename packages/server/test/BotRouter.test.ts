import { BotId } from "@effect-chatbot/schema/Ids"
import * as BotRouter from "@effect-chatbot/server/BotRouter"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as TestDatabase from "./support/TestDatabase.ts"

const seed = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const bot = (id: string, implementationType: string, isActive = 1) =>
    sql`INSERT INTO bots ${sql.insert({
      id,
      code: id,
      implementationType,
      displayName: id,
      searchName: id,
      searchText: id,
      isActive,
      isPublic: 1,
      isOpen: 0,
      isUserSystemMessageSupported: 0,
      createdUtc: "2026-01-01T00:00:00.000Z",
      updatedUtc: "2026-01-01T00:00:00.000Z"
    })}`
  const link = (startBotId: string, botId: string, keywords: string | null, isDefault = 0) =>
    sql`INSERT INTO bot_links ${sql.insert({ startBotId, botId, keywords, isDefault })}`
  const knows = (botId: string, text: string) =>
    sql`INSERT INTO passages ${sql.insert({ botId, ordinal: 0, heading: "", text })}`

  for (const id of ["holidays", "pay", "other", "asleep"]) yield* bot(id, "Facts", id === "asleep" ? 0 : 1)
  for (const id of ["start", "lonely", "untied"]) yield* bot(id, "Start")
  yield* link("start", "holidays", "holiday, day off, leave")
  yield* link("start", "pay", "pay, salary, day off, C++ bonus")
  yield* link("start", "other", null, 1)
  yield* link("start", "asleep", "dream, holiday, leave")
  yield* link("lonely", "asleep", "dream", 1)
  yield* link("untied", "holidays", null)
  yield* link("untied", "pay", null)
  yield* knows("holidays", "Beaches are best in summer. A day off must be asked for in advance.")
  yield* knows("pay", "The thirteenth month is paid in November.")
  yield* knows("asleep", "Beaches, beaches, beaches in summer dreams.")
})

layer(Layer.provideMerge(Layer.effectDiscard(seed), Layer.provideMerge(BotRouter.layer, TestDatabase.layer)))(
  "BotRouter.route",
  (it) => {
    const route = (botId: string, message: string, ...earlier: ReadonlyArray<string>) =>
      Effect.gen(function* () {
        const router = yield* BotRouter.BotRouter
        const chosen = yield* router.route({ id: BotId.make(botId) }, message, earlier)
        return chosen === undefined ? "itself" : `${chosen.bot.id} by ${chosen.reason}`
      })
    const routes = (cases: ReadonlyArray<readonly [message: string, expected: string]>, botId = "start") =>
      Effect.forEach(
        cases,
        ([message, expected]) =>
          Effect.map(route(botId, message), (found) => assert.strictEqual(found, expected, message)),
        { discard: true }
      )

    it.effect("leaves its messages to a bot that is no start bot", () =>
      routes([["How much is my salary?", "itself"]], "holidays")
    )

    it.effect("goes by keywords: whole words and phrases, in any case, in the singular or plural", () =>
      routes([
        ["HOLIDAYS?", "holidays by keywords"],
        ["what is my Salary", "pay by keywords"],
        ["When do I get my c++ bonus", "pay by keywords"],
        // "day" alone is no keyword, and neither is a part of a word.
        ["What a day", "holidays by text"],
        ["The payload is on holidaymakers", "other by default"]
      ])
    )

    it.effect("prefers the bot with more keywords, and among equals the one that knows more about it", () =>
      routes([
        ["Is my pay lower on a holiday on leave?", "holidays by keywords"],
        ["A day off in advance", "holidays by keywords"],
        ["A day off in November", "pay by keywords"]
      ])
    )

    it.effect("goes by the text of what the bots know when no keyword fits", () =>
      routes([
        ["Where are the best beaches?", "holidays by text"],
        ["the thirteenth month", "pay by text"]
      ])
    )

    it.effect("takes the default when nothing fits", () =>
      routes([
        ["What is the meaning of life?", "other by default"],
        // One word of three that a bot happens to have.
        ["Is the summer festival expensive?", "other by default"],
        ["", "other by default"],
        ["?!\0", "other by default"]
      ])
    )

    it.effect("takes the first bot by its code when no link is the default", () =>
      routes([["Nothing fits", "holidays by default"]], "untied")
    )

    it.effect("never routes to a bot that is not active", () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* route("start", "I had a dream"), "other by default")
        assert.strictEqual(yield* route("lonely", "I had a dream"), "itself")
      })
    )

    it.effect("goes by the last message that stands for itself when this one has nothing of its own to go by", () =>
      Effect.gen(function* () {
        assert.strictEqual(
          yield* route("start", "And why is that?", "When is the thirteenth month paid?"),
          "pay by text"
        )
        assert.strictEqual(yield* route("start", "and how much is it?", "What is my salary?"), "pay by keywords")
        assert.strictEqual(yield* route("start", "And my holidays?", "What is my salary?"), "holidays by keywords")
        assert.strictEqual(
          yield* route("start", "Where are the best beaches of Europe?", "What is my salary?"),
          "holidays by text"
        )
        assert.strictEqual(yield* route("start", "And why is that?", "Well?"), "other by default")
        assert.strictEqual(
          yield* route("start", "And when is it?", "My holidays?", "What is my salary?", "And why is that?", "Thanks!"),
          "pay by keywords"
        )
      })
    )
  }
)
