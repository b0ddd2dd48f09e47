/**
 * Links: which bots a start bot routes to, and by which words.
 */
import * as Schema from "effect/Schema"
import { BotId } from "./Ids.ts"
import { flag, text } from "./internal/wire.ts"
import * as Page from "./Page.ts"

const link = {
  /** Whether it takes what fits no other. A start bot has one such link at most: making one the default takes it from the other. */
  isDefaultBot: flag,
  /** The words and phrases that speak for this bot, separated by commas. */
  keywords: text
}

/** A bot that a start bot routes to. */
export const LinkedBot = Schema.Struct({
  botId: BotId,
  botCode: text,
  botDisplayName: text,
  botDisplayMessage: text,
  botDescription: text,
  isDefaultBot: link.isDefaultBot,
  /** Whether the bot routes to others itself. */
  isStartBot: flag,
  keywords: link.keywords
}).annotate({ identifier: "AdminGetStartBotBotsResponseItemDto" })

/** A bot that a start bot routes to. */
export interface LinkedBot extends Schema.Schema.Type<typeof LinkedBot> {}

/** A page of the bots that a start bot routes to. */
export const LinkedBotPage = Page.Page(LinkedBot, "AdminGetStartBotBotsResponseItemDtoPagingResult")

/** A bot that a start bot could route to and does not. */
export const UnassignedBot = Schema.Struct({
  botId: BotId,
  botDisplayName: text
}).annotate({ identifier: "AdminGetUnassignedBotsResponseItemDto" })

/** A bot that a start bot could route to and does not. */
export interface UnassignedBot extends Schema.Schema.Type<typeof UnassignedBot> {}

/** A page of the bots that a start bot could route to and does not. */
export const UnassignedBotPage = Page.Page(UnassignedBot, "AdminGetUnassignedBotsResponseItemDtoPagingResult")

/** A new link. */
export const CreateBotLink = Schema.Struct(link).annotate({ identifier: "AdminCreateStartBotBotRequestDto" })

/** A new link. */
export interface CreateBotLink extends Schema.Schema.Type<typeof CreateBotLink> {}

/** What a link is from now on. */
export const UpdateBotLink = Schema.Struct(link).annotate({ identifier: "AdminUpdateStartBotBotRequestDto" })

/** What a link is from now on. */
export interface UpdateBotLink extends Schema.Schema.Type<typeof UpdateBotLink> {}
