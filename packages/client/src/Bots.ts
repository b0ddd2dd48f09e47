/**
 * Bots: finding them, showing them and stopping them.
 */
import { Api } from "@effect-chatbot/api/Api"
import type { Bot } from "@effect-chatbot/schema/Bot"
import type {
  BotImageNotFound,
  BotNotFound,
  Forbidden,
  InvalidRequest,
  PayloadTooLarge
} from "@effect-chatbot/schema/Errors"
import type { BotId } from "@effect-chatbot/schema/Ids"
import type { Page, PageQuery } from "@effect-chatbot/schema/Page"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"
import type * as Stream from "effect/Stream"
import type { BinaryContent } from "./BinaryContent.ts"
import type { CallError } from "./CallError.ts"
import type { ClientConfig } from "./ClientConfig.ts"
import { callOf } from "./internal/call.ts"
import { layerOf } from "./internal/connection.ts"
import { itemsOf } from "./internal/pages.ts"

const endpoints = Api.groups.bots.endpoints
const call = callOf("bots")

const calls = {
  list: call(endpoints.list),
  listByStartBot: call(endpoints.listByStartBot),
  startBots: call(endpoints.startBots),
  image: call(endpoints.image),
  search: call(endpoints.search),
  stopAll: call(endpoints.stopAll)
}

/** Bots: finding them, showing them and stopping them. */
export class Bots extends Context.Service<
  Bots,
  {
    /** A page of the bots that the user may chat with. */
    readonly list: (query?: PageQuery) => Effect.Effect<Page<Bot>, InvalidRequest | CallError>

    /** The bots of all pages of {@link list}, from `pageNumber` on. */
    readonly items: (query?: PageQuery) => Stream.Stream<Bot, InvalidRequest | CallError>

    /** A page of the bots that a start bot routes to. */
    readonly listByStartBot: (
      startBotId: BotId,
      query?: PageQuery
    ) => Effect.Effect<Page<Bot>, InvalidRequest | BotNotFound | CallError>

    /** The bots of all pages of {@link listByStartBot}, from `pageNumber` on. */
    readonly itemsByStartBot: (
      startBotId: BotId,
      query?: PageQuery
    ) => Stream.Stream<Bot, InvalidRequest | BotNotFound | CallError>

    /** A page of the start bots: those that route to others. */
    readonly startBots: (query?: PageQuery) => Effect.Effect<Page<Bot>, InvalidRequest | CallError>

    /** The start bots of all pages of {@link startBots}, from `pageNumber` on. */
    readonly startBotItems: (query?: PageQuery) => Stream.Stream<Bot, InvalidRequest | CallError>

    /** The image of a bot as a stream of bytes with its type. That of the open bot needs no token. */
    readonly image: (
      botId: BotId
    ) => Effect.Effect<BinaryContent, InvalidRequest | BotNotFound | BotImageNotFound | CallError>

    /**
     * The id of the bot that should take a message: for a start bot the best match among its bots, else its default bot; for any other bot
     * that bot itself.
     */
    readonly search: (
      botId: BotId,
      userMessage: string
    ) => Effect.Effect<BotId, InvalidRequest | BotNotFound | PayloadTooLarge | CallError>

    /** Breaks off every running completion of every bot and answers `true`. For admins. It is never tried again by itself. */
    readonly stopAll: Effect.Effect<boolean, Forbidden | CallError>
  }
>()("@effect-chatbot/client/Bots") {
  /** Over the {@link ClientConfig} and a transport. */
  static readonly layer: Layer.Layer<Bots, never, ClientConfig | HttpClient.HttpClient> = layerOf(Bots, ({ run }) => {
    const list = (query: PageQuery = {}) => run(calls.list, { query })
    const listByStartBot = (startBotId: BotId, query: PageQuery = {}) =>
      run(calls.listByStartBot, { params: { startBotId }, query })
    const startBots = (query: PageQuery = {}) => run(calls.startBots, { query })
    return {
      list,
      items: (query = {}) => itemsOf(list, query),
      listByStartBot,
      itemsByStartBot: (startBotId, query = {}) => itemsOf((query) => listByStartBot(startBotId, query), query),
      startBots,
      startBotItems: (query = {}) => itemsOf(startBots, query),
      image: (botId) => run(calls.image, { params: { botId } }),
      search: (botId, userMessage) => run(calls.search, { params: { botId }, payload: { userMessage } }),
      stopAll: run(calls.stopAll, {})
    }
  })
}
