/**
 * The feedback in the database.
 */
import type { BotFeedback } from "@effect-chatbot/schema/BotFeedback"
import type { Feedback } from "@effect-chatbot/schema/Chat"
import { BotId, type ChatId, FeedbackId, type UserId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import { contains, iso, nullable, order, reader, run, slice, touches, Utc } from "../internal/rows.ts"
import type { PageRequest, Slice } from "../Paging.ts"
import * as SearchText from "../SearchText.ts"

/** A feedback to store. */
export interface NewFeedback extends Omit<Feedback, "chatId"> {
  readonly id: FeedbackId
  readonly botId: BotId
  readonly chatId: ChatId
  /** Absent for an anonymous caller. */
  readonly userId: UserId | undefined
}

/** A feedback as the database has it. */
export const FeedbackRow = Schema.Struct({
  id: FeedbackId,
  botId: BotId,
  userMessage: nullable(Schema.String),
  assistantMessage: nullable(Schema.String),
  userComment: nullable(Schema.String),
  messageCreatedUtc: nullable(Utc),
  createdUtc: Utc,
  voteId: Schema.Int,
  /** Absent: new. */
  status: nullable(Schema.Int),
  adminComment: nullable(Schema.String),
  adminUpdatedUtc: nullable(Utc)
})

/** A feedback as the database has it. */
export interface FeedbackRow extends Schema.Schema.Type<typeof FeedbackRow> {}

/** Which feedback of a bot; all of it by default. */
export interface FeedbackFilter {
  readonly voteId?: number | undefined
  /** Only those with one of these: `new` has no status, `any` has one, a number has this one. */
  readonly statuses?: ReadonlyArray<"new" | "any" | number> | undefined
}

const Row = reader(FeedbackRow)

/** The feedback in the database. */
export class FeedbackRepository extends Context.Service<
  FeedbackRepository,
  {
    readonly insert: (feedback: NewFeedback, now: DateTime.Utc) => Effect.Effect<void>
    readonly list: (
      botId: BotId,
      filter: FeedbackFilter,
      request: PageRequest<keyof BotFeedback>
    ) => Effect.Effect<Slice<FeedbackRow>>
    /** Whether there was such a feedback about the bot. */
    readonly update: (
      botId: BotId,
      id: FeedbackId,
      change: { readonly status: number | undefined; readonly adminComment: string | undefined },
      now: DateTime.Utc
    ) => Effect.Effect<boolean>
  }
>()("@effect-chatbot/server/repositories/FeedbackRepository") {
  /** The feedback in the database. */
  static readonly layer: Layer.Layer<FeedbackRepository, never, SqlClient.SqlClient> = Layer.effect(
    FeedbackRepository,
    Effect.map(SqlClient.SqlClient, (sql) => {
      const text = (column: string) => `lower(coalesce(${column}, ''))`
      const orders = {
        id: "id",
        botId: "bot_id",
        userMessage: text("user_message"),
        assistantMessage: text("assistant_message"),
        userComment: text("user_comment"),
        messageCreatedUtc: "coalesce(message_created_utc, '')",
        createdUtc: "created_utc",
        voteId: "vote_id",
        status: "coalesce(status, 0)",
        adminComment: text("admin_comment"),
        adminUpdatedUtc: "coalesce(admin_updated_utc, '')"
      } as const
      return {
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
              createdUtc: iso(now),
              searchText: SearchText.foldAll([feedback.userMessage, feedback.assistantMessage, feedback.userComment])
            })}`
          ),
        list: (botId, { statuses, voteId }, request) => {
          const where = sql.and([
            sql`bot_id = ${botId}`,
            ...(voteId === undefined ? [] : [sql`vote_id = ${voteId}`]),
            ...(statuses === undefined
              ? []
              : [
                  sql.or(
                    statuses.map((status) =>
                      status === "new"
                        ? sql`status IS NULL`
                        : status === "any"
                          ? sql`status IS NOT NULL`
                          : sql`status = ${status}`
                    )
                  )
                ]),
            ...(request.search === undefined
              ? []
              : [
                  sql.or([
                    contains(sql, "search_text", request.search),
                    contains(sql, "search_comment", request.search)
                  ])
                ])
          ])
          return slice("list the feedback about a bot", Row, {
            count: sql`SELECT CAST(count(*) AS INTEGER) AS total FROM feedback WHERE ${where}`,
            rows: sql`SELECT id, bot_id, user_message, assistant_message, user_comment, message_created_utc, created_utc, vote_id,
              status, admin_comment, admin_updated_utc
            FROM feedback WHERE ${where} ${order(sql, request, orders, ["id"])}`
          })
        },
        update: (botId, id, { adminComment, status }, now) =>
          touches(
            "update a feedback",
            sql`UPDATE feedback SET ${sql.update({
              status: status ?? null,
              adminComment: adminComment ?? null,
              searchComment: SearchText.fold(adminComment ?? ""),
              adminUpdatedUtc: iso(now)
            })} WHERE id = ${id} AND bot_id = ${botId} RETURNING id`
          )
      }
    })
  )
}
