/**
 * Bots: who answers, and the start bots that route to them.
 */
import * as Schema from "effect/Schema"
import { BotId } from "./Ids.ts"
import { flag, optionalId, text, utc } from "./internal/wire.ts"
import * as Page from "./Page.ts"

/** A bot as users see it. */
export const Bot = Schema.Struct({
  botId: BotId,
  /** The short name that `chats.createByBotCode` takes. */
  code: text,
  displayName: text,
  /** The greeting shown in a new chat. */
  displayMessage: text,
  sampleQuestion1: text,
  sampleQuestion2: text,
  description: text,
  modelName: text,
  /** Whether this bot routes to others. */
  isStartBot: flag,
  createdUtc: utc,
  updatedUtc: utc
}).annotate({ identifier: "GetBotsResponseItemDto" })

/** A bot as users see it. */
export interface Bot extends Schema.Schema.Type<typeof Bot> {}

/** A page of bots. */
export const BotPage = Page.Page(Bot, "GetBotsResponseItemDtoPagingResult")

/** A message to find a bot for. */
export const BotSearch = Schema.Struct({
  userMessage: Schema.NonEmptyString
}).annotate({ identifier: "SearchBotByStartBotRequestDto" })

/** A message to find a bot for. */
export interface BotSearch extends Schema.Schema.Type<typeof BotSearch> {}

/** The bot that may be used without a token, if there is one. */
export const OpenChatBot = Schema.Struct({
  openChatBotId: optionalId(BotId),
  isPublic: flag
}).annotate({ identifier: "GetOpenChatBotIdResponseDto" })

/** The bot that may be used without a token, if there is one. */
export interface OpenChatBot extends Schema.Schema.Type<typeof OpenChatBot> {}
