/**
 * Facts: the short texts that a bot knows and admins keep.
 */
import * as Schema from "effect/Schema"
import { BotFactId } from "./Ids.ts"
import { flag, text, utc } from "./internal/wire.ts"
import * as Page from "./Page.ts"

/** A fact of a bot. */
export const BotFact = Schema.Struct({
  botFactId: BotFactId,
  /** Whether the bot answers from it. */
  isActive: flag,
  factText: text,
  createdUtc: utc,
  updatedUtc: utc
}).annotate({ identifier: "AdminGetBotFactsResponseItemDto" })

/** A fact of a bot. */
export interface BotFact extends Schema.Schema.Type<typeof BotFact> {}

/** A page of facts. */
export const BotFactPage = Page.Page(BotFact, "AdminGetBotFactsResponseItemDtoPagingResult")

const fields = {
  /** Whether the bot answers from it. */
  isActive: flag,
  factText: Schema.NonEmptyString
}

/** A new fact. */
export const CreateBotFact = Schema.Struct(fields).annotate({ identifier: "AdminCreateBotFactRequestDto" })

/** A new fact. */
export interface CreateBotFact extends Schema.Schema.Type<typeof CreateBotFact> {}

/** A fact that was created. */
export const CreatedBotFact = Schema.Struct({ botFactId: BotFactId }).annotate({
  identifier: "AdminCreateBotFactResponseDto"
})

/** A fact that was created. */
export interface CreatedBotFact extends Schema.Schema.Type<typeof CreatedBotFact> {}

/** What a fact is from now on. */
export const UpdateBotFact = Schema.Struct(fields).annotate({ identifier: "AdminUpdateBotFactRequestDto" })

/** What a fact is from now on. */
export interface UpdateBotFact extends Schema.Schema.Type<typeof UpdateBotFact> {}
