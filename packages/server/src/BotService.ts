/**
 * The bots that a caller may use.
 */
import type { Caller } from "@effect-chatbot/api/middleware/Authorization"
import { Bot } from "@effect-chatbot/schema/Bot"
import { BotImageNotFound, BotNotFound, type InvalidRequest } from "@effect-chatbot/schema/Errors"
import type { BotId } from "@effect-chatbot/schema/Ids"
import type { Page, PageQuery } from "@effect-chatbot/schema/Page"
import { fromDateTime } from "@effect-chatbot/schema/PlainDate"
import { TokenUsageType } from "@effect-chatbot/schema/TokenUsage"
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as BotAccess from "./BotAccess.ts"
import { BotRouter } from "./BotRouter.ts"
import type { SignedIn } from "./Callers.ts"
import * as Paging from "./Paging.ts"
import { type BotFilter, type BotImageRow, BotRepository, type BotRow } from "./repositories/BotRepository.ts"
import { TokenUsageRepository } from "./repositories/TokenUsageRepository.ts"
import { Tokenizer } from "./Tokenizer.ts"
import * as TextLimits from "./TextLimits.ts"

/** The image of a bot. */
export interface BotImage extends BotImageRow {}

const toBot = (row: BotRow): Bot => ({
  botId: row.id,
  code: row.code,
  displayName: row.displayName,
  displayMessage: row.displayMessage,
  sampleQuestion1: row.sampleQuestion1,
  sampleQuestion2: row.sampleQuestion2,
  description: row.description,
  modelName: row.modelName,
  isStartBot: row.implementationType === "Start",
  createdUtc: row.createdUtc,
  updatedUtc: row.updatedUtc
})

/** The bots that a caller may use, see `BotAccess`; others are not found. Lists are by name, unless another order is asked for. */
export class BotService extends Context.Service<
  BotService,
  {
    readonly list: (caller: Caller, query: PageQuery) => Effect.Effect<Page<Bot>, InvalidRequest>
    /** The bots that a start bot routes to. */
    readonly listByStartBot: (
      caller: Caller,
      startBotId: BotId,
      query: PageQuery
    ) => Effect.Effect<Page<Bot>, InvalidRequest | BotNotFound>
    /** The bots that route to others. */
    readonly startBots: (caller: Caller, query: PageQuery) => Effect.Effect<Page<Bot>, InvalidRequest>
    readonly image: (caller: Caller, botId: BotId) => Effect.Effect<BotImage, BotNotFound | BotImageNotFound>
    /** The bot that should take this message; the bot itself unless it is a start bot. Counts as a use of the bot that was asked. */
    readonly search: (
      caller: SignedIn,
      botId: BotId,
      userMessage: string
    ) => Effect.Effect<BotId, InvalidRequest | BotNotFound>
  }
>()("@effect-chatbot/server/BotService") {
  /** The bots in the database. */
  static readonly layer: Layer.Layer<
    BotService,
    never,
    BotRepository | BotRouter | SecureRandom.SecureRandom | Tokenizer | TokenUsageRepository
  > = Layer.effect(
    BotService,
    Effect.gen(function* () {
      const bots = yield* BotRepository
      const router = yield* BotRouter
      const random = yield* SecureRandom.SecureRandom
      const tokenizer = yield* Tokenizer
      const usage = yield* TokenUsageRepository

      const find = Effect.fnUntraced(function* (caller: Caller, botId: BotId) {
        const bot = yield* bots.findAmong({ id: botId }, BotAccess.filter(caller))
        return bot ?? (yield* new BotNotFound({ botId }))
      })

      const page = Effect.fnUntraced(function* (caller: Caller, query: PageQuery, filter: BotFilter) {
        const request = yield* Paging.request(query, { fields: Bot.fields, orderBy: "displayName" })
        const { rows, total } = yield* bots.list({ ...BotAccess.filter(caller), ...filter }, request)
        return Paging.page(request, { total, rows: rows.map(toBot) })
      })

      const list = Effect.fn("BotService.list")((caller: Caller, query: PageQuery) => page(caller, query, {}))

      const listByStartBot = Effect.fn("BotService.listByStartBot")(function* (
        caller: Caller,
        startBotId: BotId,
        query: PageQuery
      ) {
        const bot = yield* find(caller, startBotId)
        if (bot.implementationType !== "Start") return yield* new BotNotFound({ botId: startBotId })
        return yield* page(caller, query, { startBotId })
      })

      const startBots = Effect.fn("BotService.startBots")((caller: Caller, query: PageQuery) =>
        page(caller, query, { onlyStartBots: true })
      )

      const image = Effect.fn("BotService.image")(function* (caller: Caller, botId: BotId) {
        yield* find(caller, botId)
        const image = yield* bots.image(botId)
        return image ?? (yield* new BotImageNotFound({ botId }))
      })

      const search = Effect.fn("BotService.search")(function* (caller: SignedIn, botId: BotId, userMessage: string) {
        yield* TextLimits.check({ userMessage }, ["userMessage"])
        const bot = yield* find(caller, botId)
        const route = yield* router.route(bot, userMessage)
        const now = yield* DateTime.now
        yield* usage.record({
          id: yield* random.uuidV7(),
          requestDate: fromDateTime(now),
          botId,
          userId: caller.id,
          tokenUsageTypeId: TokenUsageType.search,
          promptTokens: yield* tokenizer.count(userMessage),
          completionTokens: 0
        })
        // A start bot may route to bots that the caller cannot ask otherwise; then it has to be asked itself.
        return route !== undefined && BotAccess.mayUse(caller, route.bot) ? route.bot.id : botId
      })

      return { list, listByStartBot, startBots, image, search }
    })
  )
}
