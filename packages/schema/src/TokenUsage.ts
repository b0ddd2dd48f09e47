/**
 * The statistic of used tokens: a row for each day, bot and kind of use.
 */
import * as Schema from "effect/Schema"
import { BotId } from "./Ids.ts"
import { date, int, optionalId, text } from "./internal/wire.ts"
import * as Page from "./Page.ts"
import type { PlainDate } from "./PlainDate.ts"

/** The kinds of use the contract gives a meaning. Another code stays as it came. */
export const TokenUsageType = { completion: 1, search: 2, embedding: 3 } as const

/** What one bot used on one day for one kind of use. */
export const TokenUsage = Schema.Struct({
  requestDate: date,
  botId: optionalId(BotId),
  botDisplayName: text,
  /** See {@link TokenUsageType}. */
  tokenUsageTypeId: int,
  userCount: int,
  requestCount: int,
  promptTokens: int,
  completionTokens: int,
  totalTokens: int
}).annotate({ identifier: "GetTokenUsageStatisticResponseItemDto" })

/** What one bot used on one day for one kind of use. */
export interface TokenUsage extends Schema.Schema.Type<typeof TokenUsage> {}

/** A page of the statistic. */
export const TokenUsagePage = Page.Page(TokenUsage, "GetTokenUsageStatisticResponseItemDtoPagingResult")

/** Which rows of the statistic. */
export interface TokenUsageQuery extends Page.PageQuery {
  /** Only this bot. */
  readonly botId?: BotId | undefined
  /** Only this kind of use, see {@link TokenUsageType}. */
  readonly tokenUsageTypeId?: number | undefined
  /** Only this day and later ones. */
  readonly fromRequestDate?: PlainDate | undefined
  /** Only this day and earlier ones. */
  readonly toRequestDate?: PlainDate | undefined
}
