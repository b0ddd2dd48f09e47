/**
 * The feedback in the database.
 */
import type { Feedback } from "@effect-chatbot/schema/Chat"
import type { BotId, ChatId, FeedbackId, UserId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import { iso, run } from "../internal/rows.ts"

/** A feedback to store. */
export interface NewFeedback extends Omit<Feedback, "chatId"> {
  readonly id: FeedbackId
  readonly botId: BotId
  readonly chatId: ChatId
  /** Absent for an anonymous caller. */
  readonly userId: UserId | undefined
}

/** The feedback in the database. */
export class FeedbackRepository extends Context.Service<
  FeedbackRepository,
  {
    readonly insert: (feedback: NewFeedback, now: DateTime.Utc) => Effect.Effect<void>
  }
>()("@effect-chatbot/server/repositories/FeedbackRepository") {
  /** The feedback in the database. */
  static readonly layer: Layer.Layer<FeedbackRepository, never, SqlClient.SqlClient> = Layer.effect(
    FeedbackRepository,
    Effect.map(SqlClient.SqlClient, (sql) => ({
      insert: (feedback, now) =>
        run(
          "store a feedback",
          sql`INSERT INTO feedback ${sql.insert({
            id: feedback.id,
            botId: feedback.botId,
            chatId: feedback.chatId,
            userId: feedback.userId ?? null,
            userMessage: feedback.userMessage ?? null,
            assistantMessage: feedback.assistantMessage ?? null,
            userComment: feedback.userComment ?? null,
            messageCreatedUtc: feedback.messageCreatedUtc === undefined ? null : iso(feedback.messageCreatedUtc),
            voteId: feedback.voteId,
            createdUtc: iso(now)
          })}`
        )
    }))
  )
}
