/**
 * Which bots the start bots route to, as admins keep it.
 */
import { LinkedBot, type CreateBotLink, UnassignedBot, type UpdateBotLink } from "@effect-chatbot/schema/BotLink"
import { BotAlreadyLinked, BotLinkNotFound, BotNotFound, InvalidRequest } from "@effect-chatbot/schema/Errors"
import type { BotId } from "@effect-chatbot/schema/Ids"
import type { Page, PageQuery } from "@effect-chatbot/schema/Page"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Paging from "./Paging.ts"
import { AdminBotRepository } from "./repositories/AdminBotRepository.ts"
import { BotLinkRepository, type Link } from "./repositories/BotLinkRepository.ts"
import { Transactions } from "./repositories/Transactions.ts"
import * as TextLimits from "./TextLimits.ts"

const toLink = ({ isDefaultBot, keywords }: CreateBotLink): Link => ({
  isDefaultBot,
  keywords: keywords?.trim() || undefined
})

/** Which bots the start bots route to. A bot that is no start bot is not found as one. */
export class BotLinks extends Context.Service<
  BotLinks,
  {
    /** Active or not, by their names unless another order is asked for. */
    readonly list: (startBotId: BotId, query: PageQuery) => Effect.Effect<Page<LinkedBot>, InvalidRequest | BotNotFound>
    /** The bots that it could route to and does not. */
    readonly unassigned: (
      startBotId: BotId,
      query: PageQuery
    ) => Effect.Effect<Page<UnassignedBot>, InvalidRequest | BotNotFound>
    /** A start bot cannot be linked: a message is routed once. */
    readonly create: (
      startBotId: BotId,
      botId: BotId,
      link: CreateBotLink
    ) => Effect.Effect<void, InvalidRequest | BotNotFound | BotAlreadyLinked>
    readonly update: (
      startBotId: BotId,
      botId: BotId,
      link: UpdateBotLink
    ) => Effect.Effect<void, InvalidRequest | BotNotFound | BotLinkNotFound>
    readonly delete: (startBotId: BotId, botId: BotId) => Effect.Effect<void, BotNotFound | BotLinkNotFound>
  }
>()("@effect-chatbot/server/BotLinks") {
  /** The links in the database. */
  static readonly layer: Layer.Layer<BotLinks, never, AdminBotRepository | BotLinkRepository | Transactions> =
    Layer.effect(
      BotLinks,
      Effect.gen(function* () {
        const bots = yield* AdminBotRepository
        const links = yield* BotLinkRepository
        const transactions = yield* Transactions

        const checkStartBot = Effect.fnUntraced(function* (startBotId: BotId) {
          if ((yield* bots.typeOf(startBotId)) !== "Start") return yield* new BotNotFound({ botId: startBotId })
        })

        const list = Effect.fn("BotLinks.list")(function* (startBotId: BotId, query: PageQuery) {
          const request = yield* Paging.request(query, { fields: LinkedBot.fields, orderBy: "botDisplayName" })
          yield* checkStartBot(startBotId)
          return Paging.page(request, yield* links.list(startBotId, request))
        })

        const unassigned = Effect.fn("BotLinks.unassigned")(function* (startBotId: BotId, query: PageQuery) {
          const request = yield* Paging.request(query, { fields: UnassignedBot.fields, orderBy: "botDisplayName" })
          yield* checkStartBot(startBotId)
          return Paging.page(request, yield* links.unassigned(startBotId, request))
        })

        /** Changes a link, in a transaction. Where it cannot be changed nothing is, nor noted. */
        const change = Effect.fnUntraced(function* <E, Refused>(
          startBotId: BotId,
          botId: BotId,
          write: Effect.Effect<boolean, E>,
          otherwise: Refused
        ) {
          const now = yield* DateTime.now
          yield* transactions.run(
            Effect.gen(function* () {
              yield* transactions.lock(`bot ${startBotId}`, `bot ${botId}`)
              yield* checkStartBot(startBotId)
              if ((yield* bots.typeOf(botId)) === undefined) return yield* new BotNotFound({ botId })
              if (!(yield* write)) return yield* Effect.fail(otherwise)
              yield* bots.edited(startBotId, now)
            })
          )
        })

        const create = Effect.fn("BotLinks.create")(function* (startBotId: BotId, botId: BotId, link: CreateBotLink) {
          yield* TextLimits.check({ keywords: link.keywords })
          const write = Effect.gen(function* () {
            if ((yield* bots.typeOf(botId)) === "Start") {
              const message = "Expected a bot that answers: a start bot cannot be linked"
              return yield* new InvalidRequest({ issues: [{ path: ["params", "botId"], message }] })
            }
            return yield* links.insert(startBotId, botId, toLink(link))
          })
          yield* change(startBotId, botId, write, new BotAlreadyLinked({ startBotId, botId }))
        })

        const update = Effect.fn("BotLinks.update")(function* (startBotId: BotId, botId: BotId, link: UpdateBotLink) {
          yield* TextLimits.check({ keywords: link.keywords })
          const write = links.update(startBotId, botId, toLink(link))
          yield* change(startBotId, botId, write, new BotLinkNotFound({ startBotId, botId }))
        })

        const remove = Effect.fn("BotLinks.delete")(function* (startBotId: BotId, botId: BotId) {
          const write = links.delete(startBotId, botId)
          yield* change(startBotId, botId, write, new BotLinkNotFound({ startBotId, botId }))
        })

        return { list, unassigned, create, update, delete: remove }
      })
    )
}
