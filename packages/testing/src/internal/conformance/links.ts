import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { admin, bots, check, missingBot, named } from "./adminGiven.ts"
import { type Check, decision } from "./Check.ts"
import { ask } from "./exchange.ts"
import { equals, hasStatus, itemsOf, ok, prepared, seen, success, text } from "./expect.ts"
import * as Given from "./given.ts"
import { listChecks } from "./lists.ts"
import { described, misses, nobodys } from "./patterns.ts"

/** A start bot with a bot that it could route to. */
const pair = Effect.gen(function* () {
  const { botId: startBotId } = yield* Given.startBot
  const { botId } = yield* Given.bot()
  return { startBotId, botId }
})

const listed = {
  items: Schema.Array(Schema.Struct({ botId: Schema.String, isDefaultBot: Schema.Boolean, keywords: text }))
}

const linkPayload = { isDefaultBot: true, keywords: "zebra, stripes" }

const linksOf = (startBotId: string) => seen("adminBots.listLinks", { params: { startBotId } }, listed)

const missingLink = Effect.map(pair, (params) => ({ params, payload: linkPayload }))

/** The checks of what start bots route to. */
export const links: ReadonlyArray<Check> = [
  ...listChecks(check, {
    ...bots,
    name: "adminBots.listLinks",
    items: "links",
    text: "botDisplayName",
    given: Effect.map(Given.startBot, ({ botId: startBotId }) => ({
      input: { params: { startBotId } },
      make: (text) => Effect.tap(named(text), (botId) => Given.link(startBotId, botId))
    }))
  }),
  misses(check, "adminBots.listLinks", "The links of a start bot", admin, missingBot),
  ...listChecks(check, {
    ...bots,
    name: "adminBots.listUnassigned",
    items: "bots without a link",
    text: "botDisplayName",
    given: Effect.map(Given.startBot, ({ botId: startBotId }) => ({
      input: { params: { startBotId } },
      make: (text) => named(text)
    }))
  }),
  check(
    "adminBots.listUnassigned/leaves-out-what-is-linked",
    { title: "A bot that is linked is not among those that could be", source: decision, needs: admin },
    Effect.gen(function* () {
      const { botId: startBotId } = yield* Given.startBot
      const { botId, code } = yield* Given.bot()
      const input = { params: { startBotId }, query: { SearchFor: code } }
      yield* Given.link(startBotId, botId)
      const answer = yield* ok("adminBots.listUnassigned", input)
      yield* equals(answer, "items", yield* itemsOf(answer, { botId: Schema.String }), [])
    })
  ),
  misses(check, "adminBots.listUnassigned", "The bots without a link to a start bot", admin, missingBot),
  described(
    check,
    "adminBots.createLink",
    "A link that is made is one of the start bot, and the answer is empty",
    admin,
    Effect.gen(function* () {
      const params = yield* pair
      yield* success("adminBots.createLink", { params, payload: linkPayload })
      const { answer, body } = yield* linksOf(params.startBotId)
      yield* equals(answer, "links", body.items, [{ botId: params.botId, ...linkPayload }])
    })
  ),
  check(
    "adminBots.createLink/refuses-a-second-one",
    { title: "A bot that is linked is not linked again: 409", source: decision, needs: admin },
    Effect.gen(function* () {
      const params = yield* pair
      yield* Given.link(params.startBotId, params.botId)
      yield* hasStatus(yield* ask("adminBots.createLink", { params, payload: linkPayload }), 409)
    })
  ),
  misses(
    check,
    "adminBots.createLink",
    "A link to a bot",
    admin,
    Effect.map(Given.startBot, ({ botId }) => ({
      params: { startBotId: botId, botId: nobodys },
      payload: linkPayload
    }))
  ),
  described(
    check,
    "adminBots.updateLink",
    "A link that is changed is what it was changed to, and the answer is empty",
    admin,
    Effect.gen(function* () {
      const params = yield* pair
      yield* Given.link(params.startBotId, params.botId)
      yield* success("adminBots.updateLink", { params, payload: linkPayload })
      const { answer, body } = yield* linksOf(params.startBotId)
      yield* equals(answer, "links", body.items, [{ botId: params.botId, ...linkPayload }])
    })
  ),
  check(
    "adminBots.updateLink/leaves-one-default",
    {
      title: "A start bot has one default bot: making another one the default takes it from the first",
      source: decision,
      needs: admin
    },
    Effect.gen(function* () {
      const { botId: first, startBotId } = yield* pair
      const { botId: second } = yield* Given.bot()
      yield* Given.link(startBotId, first, { isDefaultBot: true })
      yield* Given.link(startBotId, second)
      yield* ok("adminBots.updateLink", { params: { startBotId, botId: second }, payload: linkPayload })
      const { answer, body } = yield* linksOf(startBotId)
      const defaults = body.items.filter(({ isDefaultBot }) => isDefaultBot).map(({ botId }) => botId)
      yield* equals(answer, "default bots", defaults, [second])
    })
  ),
  misses(check, "adminBots.updateLink", "A link", admin, missingLink),
  described(
    check,
    "adminBots.deleteLink",
    "A link that is deleted is gone, the bot is not, and the answer is empty",
    admin,
    Effect.gen(function* () {
      const params = yield* pair
      yield* Given.link(params.startBotId, params.botId)
      yield* success("adminBots.deleteLink", { params })
      const { answer, body } = yield* linksOf(params.startBotId)
      yield* equals(answer, "links", body.items, [])
      yield* prepared(ok("adminBots.get", { params: { botId: params.botId } }))
    })
  ),
  misses(check, "adminBots.deleteLink", "A link", admin, missingLink)
]
