/**
 * The links of the start bots in the database.
 */
import type { LinkedBot, UnassignedBot } from "@effect-chatbot/schema/BotLink"
import { BotId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import type * as Statement from "effect/sql/Statement"
import { bit, contains, Flag, nullable, order, reader, run, slice, touches } from "../internal/rows.ts"
import type { PageRequest, Slice } from "../Paging.ts"

const text = nullable(Schema.String)

/** A link with the bot it leads to. */
export const BotLinkRow = Schema.Struct({
  botId: BotId,
  botCode: Schema.String,
  botDisplayName: Schema.String,
  botDisplayMessage: text,
  botDescription: text,
  isDefaultBot: Flag,
  isStartBot: Flag,
  keywords: text
})

/** A link with the bot it leads to. */
export interface BotLinkRow extends Schema.Schema.Type<typeof BotLinkRow> {}

/** A bot that could be linked. */
export const UnassignedRow = Schema.Struct({ botId: BotId, botDisplayName: Schema.String })

/** A bot that could be linked. */
export interface UnassignedRow extends Schema.Schema.Type<typeof UnassignedRow> {}

/** What of a link can be changed. */
export interface Link {
  readonly isDefaultBot: boolean
  /** Separated by commas. */
  readonly keywords: string | undefined
}

const Row = reader(BotLinkRow)
const Unassigned = reader(UnassignedRow)

/** The links of the start bots in the database. To be changed in a transaction: of a start bot, one link at most is the default. */
export class BotLinkRepository extends Context.Service<
  BotLinkRepository,
  {
    /** The bots that a start bot links, active or not. */
    readonly list: (startBotId: BotId, request: PageRequest<keyof LinkedBot>) => Effect.Effect<Slice<BotLinkRow>>
    /** The bots that a start bot could link and does not, active or not. */
    readonly unassigned: (
      startBotId: BotId,
      request: PageRequest<keyof UnassignedBot>
    ) => Effect.Effect<Slice<UnassignedRow>>
    /** Stores a link. `false` when there was one. */
    readonly insert: (startBotId: BotId, botId: BotId, link: Link) => Effect.Effect<boolean>
    /** Whether there was such a link. */
    readonly update: (startBotId: BotId, botId: BotId, link: Link) => Effect.Effect<boolean>
    /** Whether there was such a link. */
    readonly delete: (startBotId: BotId, botId: BotId) => Effect.Effect<boolean>
  }
>()("@effect-chatbot/server/repositories/BotLinkRepository") {
  /** The links in the database. */
  static readonly layer: Layer.Layer<BotLinkRepository, never, SqlClient.SqlClient> = Layer.effect(
    BotLinkRepository,
    Effect.map(SqlClient.SqlClient, (sql) => {
      const lower = (column: string) => `lower(coalesce(${column}, ''))`
      const isStart = "CASE WHEN b.implementation_type = 'Start' THEN 1 ELSE 0 END"
      const orders = {
        botId: "b.id",
        botCode: "lower(b.code)",
        botDisplayName: "b.search_name",
        botDisplayMessage: lower("b.display_message"),
        botDescription: lower("b.description"),
        isDefaultBot: "l.is_default",
        isStartBot: isStart,
        keywords: lower("l.keywords")
      } as const
      const unassignedOrders = { botId: "b.id", botDisplayName: "b.search_name" } as const
      const matching = (search: string | undefined) =>
        search === undefined
          ? []
          : [sql.or([contains(sql, "b.search_text", search), contains(sql, "lower(b.code)", search)])]
      const columns = ({ isDefaultBot, keywords }: Link) => ({
        isDefault: bit(isDefaultBot),
        keywords: keywords ?? null
      })
      /** Writes a link, and takes the default from the others if it is the default now. */
      const write = Effect.fnUntraced(function* (
        startBotId: BotId,
        botId: BotId,
        link: Link,
        statement: Statement.Statement<unknown>
      ) {
        const written = yield* touches("store a link", statement)
        if (written && link.isDefaultBot) {
          yield* run(
            "make a link the default",
            sql`UPDATE bot_links SET is_default = 0 WHERE start_bot_id = ${startBotId} AND bot_id <> ${botId}`
          )
        }
        return written
      })
      return {
        list: (startBotId, request) => {
          const where = sql.and([sql`l.start_bot_id = ${startBotId}`, ...matching(request.search)])
          const from = sql`FROM bot_links l JOIN bots b ON b.id = l.bot_id`
          return slice("list the links of a start bot", Row, {
            count: sql`SELECT CAST(count(*) AS INTEGER) AS total ${from} WHERE ${where}`,
            rows: sql`SELECT b.id AS bot_id, b.code AS bot_code, b.display_name AS bot_display_name,
                b.display_message AS bot_display_message, b.description AS bot_description, l.is_default AS is_default_bot,
                ${sql.literal(isStart)} AS is_start_bot, l.keywords
              ${from} WHERE ${where} ${order(sql, request, orders, ["b.id"])}`
          })
        },
        unassigned: (startBotId, request) => {
          const where = sql.and([
            sql`b.deleted_utc IS NULL`,
            sql`b.implementation_type <> 'Start'`,
            sql`b.id NOT IN (SELECT bot_id FROM bot_links WHERE start_bot_id = ${startBotId})`,
            ...matching(request.search)
          ])
          return slice("list the bots that a start bot does not link", Unassigned, {
            count: sql`SELECT CAST(count(*) AS INTEGER) AS total FROM bots b WHERE ${where}`,
            rows: sql`SELECT b.id AS bot_id, b.display_name AS bot_display_name FROM bots b
              WHERE ${where} ${order(sql, request, unassignedOrders, ["b.id"])}`
          })
        },
        insert: (startBotId, botId, link) =>
          write(
            startBotId,
            botId,
            link,
            sql`INSERT INTO bot_links ${sql.insert({ startBotId, botId, ...columns(link) })}
              ON CONFLICT (start_bot_id, bot_id) DO NOTHING RETURNING bot_id`
          ),
        update: (startBotId, botId, link) =>
          write(
            startBotId,
            botId,
            link,
            sql`UPDATE bot_links SET ${sql.update(columns(link))}
              WHERE start_bot_id = ${startBotId} AND bot_id = ${botId} RETURNING bot_id`
          ),
        delete: (startBotId, botId) =>
          touches(
            "delete a link",
            sql`DELETE FROM bot_links WHERE start_bot_id = ${startBotId} AND bot_id = ${botId} RETURNING bot_id`
          )
      }
    })
  )
}
