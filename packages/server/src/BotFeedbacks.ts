/**
 * What users said about the answers of the bots, for admins to work off.
 */
import { BotFeedback, type BotFeedbackQuery, type UpdateBotFeedback } from "@effect-chatbot/schema/BotFeedback"
import { BotNotFound, FeedbackNotFound, InvalidRequest } from "@effect-chatbot/schema/Errors"
import type { BotId, FeedbackId } from "@effect-chatbot/schema/Ids"
import type { Page } from "@effect-chatbot/schema/Page"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Paging from "./Paging.ts"
import { AdminBotRepository } from "./repositories/AdminBotRepository.ts"
import { type FeedbackFilter, FeedbackRepository } from "./repositories/FeedbackRepository.ts"
import { Transactions } from "./repositories/Transactions.ts"
import * as TextLimits from "./TextLimits.ts"

/** What the filters of a query choose together; without any, everything. */
const statusesOf = (query: BotFeedbackQuery): FeedbackFilter["statuses"] => {
  const { filterByStatus, showFeedbacksWithStatus, showFeedbacksWithoutStatus } = query
  const isOne = filterByStatus !== undefined && filterByStatus !== 0
  const isNew = showFeedbacksWithoutStatus === true || filterByStatus === 0
  const statuses = [
    ...(isNew ? (["new"] as const) : []),
    ...(isOne ? [filterByStatus] : showFeedbacksWithStatus === true ? (["any"] as const) : [])
  ]
  return statuses.length === 0 ? undefined : statuses
}

/** What users said about the answers of the bots. */
export class BotFeedbacks extends Context.Service<
  BotFeedbacks,
  {
    /** The latest first, unless another order is asked for. */
    readonly list: (
      botId: BotId,
      query: BotFeedbackQuery
    ) => Effect.Effect<Page<BotFeedback>, InvalidRequest | BotNotFound>
    /** Sets status (0 new, 1 in work, 2 done) and comment. */
    readonly update: (
      botId: BotId,
      id: FeedbackId,
      change: UpdateBotFeedback
    ) => Effect.Effect<void, InvalidRequest | BotNotFound | FeedbackNotFound>
  }
>()("@effect-chatbot/server/BotFeedbacks") {
  /** The feedback in the database. */
  static readonly layer: Layer.Layer<BotFeedbacks, never, AdminBotRepository | FeedbackRepository | Transactions> =
    Layer.effect(
      BotFeedbacks,
      Effect.gen(function* () {
        const bots = yield* AdminBotRepository
        const feedbacks = yield* FeedbackRepository
        const transactions = yield* Transactions

        const list = Effect.fn("BotFeedbacks.list")(function* (botId: BotId, query: BotFeedbackQuery) {
          const request = yield* Paging.request(query, {
            fields: BotFeedback.fields,
            orderBy: "createdUtc",
            descending: true
          })
          if ((yield* bots.typeOf(botId)) === undefined) return yield* new BotNotFound({ botId })
          const filter = { voteId: query.filterByVote, statuses: statusesOf(query) }
          return Paging.page(request, yield* feedbacks.list(botId, filter, request))
        })

        const update = Effect.fn("BotFeedbacks.update")(function* (
          botId: BotId,
          id: FeedbackId,
          { adminComment, status }: UpdateBotFeedback
        ) {
          if (![0, 1, 2].includes(status)) {
            const message = "Expected 0 (new), 1 (in work) or 2 (done)"
            return yield* new InvalidRequest({ issues: [{ path: ["payload", "status"], message }] })
          }
          yield* TextLimits.check({ adminComment })
          const now = yield* DateTime.now
          const change = { status: status === 0 ? undefined : status, adminComment: adminComment?.trim() || undefined }
          yield* transactions.run(
            Effect.gen(function* () {
              if ((yield* bots.typeOf(botId)) === undefined) return yield* new BotNotFound({ botId })
              const found = yield* feedbacks.update(botId, id, change, now)
              if (!found) return yield* new FeedbackNotFound({ feedbackId: id })
            })
          )
        })

        return { list, update }
      })
    )
}
