import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Check, checksOf, contract, decision } from "./Check.ts"
import { ask } from "./exchange.ts"
import { conforms, equals, fields, hasStatus, holds, itemsOf, json, ok, skip, success } from "./expect.ts"
import * as Given from "./given.ts"
import { type List, listChecks } from "./lists.ts"
import { described, misses, nobodys, refuses } from "./patterns.ts"
import { Target } from "./Target.ts"

const check = checksOf("core")

/** A list of bots, of which each is made by an admin. */
const listOf = (name: List["name"], items: string, payload: { readonly [field: string]: Schema.Json } = {}): List => ({
  name,
  items,
  id: "botId",
  text: "displayName",
  needs: ["user"],
  makes: ["user", "bots"],
  given: Effect.succeed({
    input: {},
    make: (text) =>
      Effect.map(Given.bot({ ...payload, displayNameTv: { value: text, valueDe: text } }), ({ botId }) => botId)
  })
})

/** The first bytes of the images that the contract knows: PNG, JPEG, GIF, and WebP in its container. */
const magic = /^(\x89PNG|\xff\xd8\xff|GIF8|RIFF....WEBP)/s

/** The checks of finding bots, of their images, and of stopping them. */
export const bots: ReadonlyArray<Check> = [
  described(
    check,
    "bots.search",
    "The bot that takes a message is answered by its id, a text in quotes",
    ["user", "bot"],
    Effect.gen(function* () {
      const { bot, question } = yield* Target
      const { botId } = yield* bot
      yield* success("bots.search", { params: { botId }, payload: { userMessage: question } })
    })
  ),
  check(
    "bots.search/finds-by-keyword",
    {
      title:
        "A start bot gives a message to the bot with its keyword, what fits none to its default bot, and another bot takes all itself",
      source: decision,
      needs: ["user", "bots"],
      also: ["adminBots.createLink"]
    },
    Effect.gen(function* () {
      const { botId: startBotId } = yield* Given.startBot
      const { botId: zebras } = yield* Given.bot()
      const { botId: others } = yield* Given.bot()
      yield* Given.link(startBotId, zebras, { keywords: "zebra, stripes" })
      yield* Given.link(startBotId, others, { isDefaultBot: true })
      for (const [botId, userMessage, wanted] of [
        [startBotId, "Tell me about the zebra.", zebras],
        [startBotId, "Qwxz?", others],
        [zebras, "Qwxz?", zebras]
      ] as const) {
        const answer = yield* ok("bots.search", { params: { botId }, payload: { userMessage } })
        yield* equals(answer, "the bot", yield* json(answer), wanted)
      }
    })
  ),
  refuses(
    check,
    "bots.search",
    "a userMessage",
    ["user", "bot"],
    Effect.gen(function* () {
      const { bot } = yield* Target
      const { botId } = yield* bot
      return { params: { botId } }
    }),
    [{}, { userMessage: "" }]
  ),
  misses(
    check,
    "bots.search",
    "A bot",
    ["user"],
    Effect.succeed({ params: { botId: nobodys }, payload: { userMessage: "Who?" } })
  ),
  ...listChecks(check, listOf("bots.list", "bots")),
  check(
    "bots.list/leaves-out-what-cannot-be-used",
    {
      title: "A bot that is not active, or not public, is on no list of a user",
      source: decision,
      needs: ["member", "bots"]
    },
    Effect.gen(function* () {
      for (const payload of [{ isActive: false }, { isPublic: false }]) {
        const { botId, code } = yield* Given.bot(payload)
        const answer = yield* ok("bots.list", { query: { SearchFor: code } })
        const { totalItemCount } = yield* fields(answer, { totalItemCount: Schema.Finite })
        yield* holds(
          answer,
          totalItemCount === 0 && !answer.text.includes(botId),
          `no bot of ${JSON.stringify(payload)}`
        )
      }
    })
  ),
  ...listChecks(check, {
    ...listOf("bots.listByStartBot", "bots of a start bot"),
    needs: ["user", "bots"],
    given: Effect.map(Given.startBot, ({ botId: startBotId }) => ({
      input: { params: { startBotId } },
      make: (text) =>
        Effect.gen(function* () {
          const { botId } = yield* Given.bot({ displayNameTv: { value: text, valueDe: text } })
          yield* Given.link(startBotId, botId)
          return botId
        })
    }))
  }),
  check(
    "bots.listByStartBot/leaves-out-other-bots",
    { title: "A bot that a start bot does not route to is not on the list", source: contract, needs: ["user", "bots"] },
    Effect.gen(function* () {
      const { botId: startBotId } = yield* Given.startBot
      const { botId } = yield* Given.bot()
      yield* Given.bot()
      yield* Given.link(startBotId, botId)
      const answer = yield* ok("bots.listByStartBot", { params: { startBotId } })
      yield* equals(answer, "items", yield* itemsOf(answer, { botId: Schema.String }), [{ botId }])
    })
  ),
  misses(check, "bots.listByStartBot", "A start bot", ["user"], Effect.succeed({ params: { startBotId: nobodys } })),
  ...listChecks(check, listOf("bots.startBots", "start bots", { implementationType: "Start" })),
  check(
    "bots.startBots/has-start-bots-alone",
    { title: "A bot that routes to none is no start bot", source: decision, needs: ["user", "bots"] },
    Effect.gen(function* () {
      const { code } = yield* Given.bot()
      const answer = yield* ok("bots.startBots", { query: { SearchFor: code } })
      const { totalItemCount } = yield* fields(answer, { totalItemCount: Schema.Finite })
      yield* equals(answer, "totalItemCount", totalItemCount, 0)
    })
  ),
  check(
    "bots.image/gives-an-image",
    {
      title: "The image of a bot is a PNG, JPEG, GIF or WebP, and says which",
      source: decision,
      needs: ["user", "bot"]
    },
    Effect.gen(function* () {
      const { bot } = yield* Target
      const { botId } = yield* bot
      const answer = yield* ask("bots.image", { headers: { accept: "*/*" }, params: { botId } })
      if (answer.status === 404) return yield* skip("name a bot that has an image (--bot)")
      yield* hasStatus(answer, 200)
      const isImage = (answer.headers["content-type"] ?? "").startsWith("image/")
      const head = String.fromCharCode(...answer.bytes.subarray(0, 16))
      yield* holds(
        answer,
        isImage && magic.test(head),
        "an image",
        `${answer.headers["content-type"]}, ${answer.bytes.length} bytes`
      )
    })
  ),
  check(
    "bots.image/misses-with-404",
    {
      title: "A bot without an image, or that does not exist, has none: 404",
      source: decision,
      needs: ["user", "bots"]
    },
    Effect.gen(function* () {
      const { botId } = yield* Given.bot()
      for (const id of [botId, nobodys]) yield* hasStatus(yield* ask("bots.image", { params: { botId: id } }), 404)
    })
  ),
  check(
    "bots.stopAll/answers-as-described",
    {
      title: "Stopping all bots answers true or false, and bots answer again afterwards",
      source: decision,
      needs: ["admin", "bot", "destruction"],
      isAlone: true
    },
    Effect.gen(function* () {
      const { chatId } = yield* Given.chat()
      const answer = yield* conforms(yield* ask("bots.stopAll"))
      yield* holds(answer, typeof (yield* json(answer)) === "boolean", "true or false")
      yield* Given.completion(chatId)
    })
  )
]
