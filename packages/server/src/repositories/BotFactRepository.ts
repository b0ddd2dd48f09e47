/**
 * The facts of the bots in the database, with the passages that answers are found in.
 */
import type { BotFact } from "@effect-chatbot/schema/BotFact"
import { BotFactId, type BotId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import { bit, contains, Flag, iso, order, reader, run, slice, touches, Utc } from "../internal/rows.ts"
import type { PageRequest, Slice } from "../Paging.ts"
import * as SearchText from "../SearchText.ts"

/** A fact as the database has it. */
export const BotFactRow = Schema.Struct({
  botFactId: BotFactId,
  isActive: Flag,
  factText: Schema.String,
  createdUtc: Utc,
  updatedUtc: Utc
})

/** A fact as the database has it. */
export interface BotFactRow extends Schema.Schema.Type<typeof BotFactRow> {}

/** What of a fact can be changed. */
export interface Fact {
  readonly factText: string
  readonly isActive: boolean
}

const Row = reader(BotFactRow)

/** The facts of the bots in the database. To be changed in a transaction: a fact and its passage change together. */
export class BotFactRepository extends Context.Service<
  BotFactRepository,
  {
    readonly list: (botId: BotId, request: PageRequest<keyof BotFact>) => Effect.Effect<Slice<BotFactRow>>
    readonly insert: (botId: BotId, id: BotFactId, fact: Fact, now: DateTime.Utc) => Effect.Effect<void>
    /** Whether the bot had such a fact. */
    readonly update: (botId: BotId, id: BotFactId, fact: Fact, now: DateTime.Utc) => Effect.Effect<boolean>
    /** Whether the bot had such a fact. */
    readonly delete: (botId: BotId, id: BotFactId) => Effect.Effect<boolean>
  }
>()("@effect-chatbot/server/repositories/BotFactRepository") {
  /** The facts in the database. */
  static readonly layer: Layer.Layer<BotFactRepository, never, SqlClient.SqlClient> = Layer.effect(
    BotFactRepository,
    Effect.map(SqlClient.SqlClient, (sql) => {
      const orders = {
        botFactId: "id",
        isActive: "is_active",
        factText: "search_text",
        createdUtc: "created_utc",
        updatedUtc: "updated_utc"
      } as const
      const columns = ({ factText, isActive }: Fact) => ({
        factText,
        isActive: bit(isActive),
        searchText: SearchText.fold(factText)
      })
      /** A passage is inserted and deleted, and never updated: the full-text index follows these two. */
      const index = (botId: BotId, id: BotFactId, { factText, isActive }: Fact) =>
        isActive
          ? run(
              "store the passage of a fact",
              sql`INSERT INTO passages ${sql.insert({ botId, botFactId: id, ordinal: 0, heading: "", text: factText })}`
            )
          : Effect.void
      return {
        list: (botId, request) => {
          const where = sql.and([
            sql`bot_id = ${botId}`,
            ...(request.search === undefined ? [] : [contains(sql, "search_text", request.search)])
          ])
          return slice("list the facts of a bot", Row, {
            count: sql`SELECT CAST(count(*) AS INTEGER) AS total FROM bot_facts WHERE ${where}`,
            rows: sql`SELECT id AS bot_fact_id, is_active, fact_text, created_utc, updated_utc FROM bot_facts
              WHERE ${where} ${order(sql, request, orders, ["id"])}`
          })
        },
        insert: (botId, id, fact, now) =>
          Effect.andThen(
            run(
              "store a fact",
              sql`INSERT INTO bot_facts ${sql.insert({
                id,
                botId,
                ...columns(fact),
                createdUtc: iso(now),
                updatedUtc: iso(now)
              })}`
            ),
            index(botId, id, fact)
          ),
        update: Effect.fnUntraced(function* (botId, id, fact, now) {
          const found = yield* touches(
            "update a fact",
            sql`UPDATE bot_facts SET ${sql.update({ ...columns(fact), updatedUtc: iso(now) })}
              WHERE id = ${id} AND bot_id = ${botId} RETURNING id`
          )
          if (!found) return false
          yield* run("delete the passage of a fact", sql`DELETE FROM passages WHERE bot_fact_id = ${id}`)
          yield* index(botId, id, fact)
          return true
        }),
        delete: (botId, id) =>
          touches("delete a fact", sql`DELETE FROM bot_facts WHERE id = ${id} AND bot_id = ${botId} RETURNING id`)
      }
    })
  )
}
