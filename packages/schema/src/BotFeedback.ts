/**
 * What users said about the answers of a bot, for its admins to work off.
 */
import * as Schema from "effect/Schema"
import { BotId, FeedbackId } from "./Ids.ts"
import { int, Int32, nullable, nullableValue, text, utc, UtcFromString } from "./internal/wire.ts"
import * as Page from "./Page.ts"

/** How far a feedback is. One that is new has no status. */
export const FeedbackStatus = { inWork: 1, done: 2 } as const

/** A feedback about an answer of a bot. */
export const BotFeedback = Schema.Struct({
  id: FeedbackId,
  botId: nullable(BotId),
  userMessage: text,
  assistantMessage: text,
  userComment: text,
  messageCreatedUtc: utc,
  createdUtc: utc,
  /** 1 up, -1 down, 0 withdrawn. */
  voteId: int,
  /** See {@link FeedbackStatus}; absent: new. */
  status: nullableValue(Int32),
  adminComment: text,
  /** When an admin last changed status or comment. */
  adminUpdatedUtc: nullableValue(UtcFromString)
}).annotate({ identifier: "AdminGetBotFeedbackResponseItemDto" })

/** A feedback about an answer of a bot. */
export interface BotFeedback extends Schema.Schema.Type<typeof BotFeedback> {}

/** A page of feedback. */
export const BotFeedbackPage = Page.Page(BotFeedback, "AdminGetBotFeedbackResponseItemDtoPagingResult")

/**
 * Which feedback of a bot; all of it where no filter is given. What `showFeedbacksWithoutStatus` and `filterByStatus` choose is given
 * together.
 */
export interface BotFeedbackQuery extends Page.PageQuery {
  /** Only with this vote: 1 up, -1 down, 0 withdrawn. */
  readonly filterByVote?: number | undefined
  /** Those that are new, and of the others only what the next two choose. */
  readonly showFeedbacksWithoutStatus?: boolean | undefined
  /** Those that have a status, and new ones only if they are chosen too. */
  readonly showFeedbacksWithStatus?: boolean | undefined
  /** Of those with a status only these, see {@link FeedbackStatus}; 0 are those that are new. */
  readonly filterByStatus?: number | undefined
}

/** What an admin says of a feedback. */
export const UpdateBotFeedback = Schema.Struct({
  /** See {@link FeedbackStatus}; 0 makes it new again. */
  status: int,
  /** Absent: no comment. */
  adminComment: text
}).annotate({ identifier: "AdminUpdateBotFeedbackRequestDto" })

/** What an admin says of a feedback. */
export interface UpdateBotFeedback extends Schema.Schema.Type<typeof UpdateBotFeedback> {}
