/**
 * The bots in the database.
 */
import type { Bot } from "@effect-chatbot/schema/Bot"
import { BotId, OpenAiServiceId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import { contains, Flag, nullable, order, reader, slice, Utc } from "../internal/rows.ts"
import type { PageRequest, Slice } from "../Paging.ts"

/** A bot as the database has it, without its image. */
export const BotRow = Schema.Struct({
  id: BotId,
  code: Schema.String,
  implementationType: Schema.String,
  displayName: Schema.String,
  displayMessage: nullable(Schema.String),
  description: nullable(Schema.String),
  sampleQuestion1: nullable(Schema.String),
  sampleQuestion2: nullable(Schema.String),
  baseSystemMessage: nullable(Schema.String),
  isActive: Flag,
  isPublic: Flag,
  isOpen: Flag,
  isUserSystemMessageSupported: Flag,
  openAiServiceId: nullable(OpenAiServiceId),
  modelName: nullable(Schema.String),
  /** The logins of its admins, as one of them wrote them; see `Logins`. */
  adminLogins: nullable(Schema.String),
  /** The logins of all who may use it when it is not public, as `Logins.listed` makes them. */
  listedLogins: Schema.String,
  /** Whether it was deleted and is only kept for the chats with it. */
  isDeleted: Flag,
  createdUtc: Utc,
  updatedUtc: Utc
})

/** A bot as the database has it, without its image. */
export interface BotRow extends Schema.Schema.Type<typeof BotRow> {}

/** A bot that a start bot routes to. */
export const LinkedBotRow = Schema.Struct({
  ...BotRow.fields,
  /** Separated by commas. */
  keywords: nullable(Schema.String)
})

/** A bot that a start bot routes to. */
export interface LinkedBotRow extends Schema.Schema.Type<typeof LinkedBotRow> {}

/** The image of a bot. */
export const BotImageRow = Schema.Struct({
  bytes: Schema.Uint8Array,
  mediaType: Schema.String,
  etag: Schema.String
})

/** The image of a bot. */
export interface BotImageRow extends Schema.Schema.Type<typeof BotImageRow> {}

/** Which bots. Those that are not active are never among them. */
export interface BotFilter {
  /** Only those that are open to everyone; all by default. */
  readonly onlyOpen?: boolean | undefined
  /** Only those that are public; all by default. */
  readonly onlyPublic?: boolean | undefined
  /** With `onlyPublic`, also those in whose `listedLogins` this stands. */
  readonly orListing?: string | undefined
  /** Only those that route to others; all by default. */
  readonly onlyStartBots?: boolean | undefined
  /** Only those this start bot routes to; all by default. */
  readonly startBotId?: BotId | undefined
}

const Row = reader(BotRow)
const Linked = reader(LinkedBotRow)
const Image = reader(BotImageRow)

/** The bots in the database. */
export class BotRepository extends Context.Service<
  BotRepository,
  {
    /** Also one that was deleted. */
    readonly find: (id: BotId) => Effect.Effect<BotRow | undefined>
    readonly findByCode: (code: string) => Effect.Effect<BotRow | undefined>
    /** An active bot that is one of these. One that is not costs what one costs that is not there. */
    readonly findAmong: (
      bot: { readonly id: BotId } | { readonly code: string },
      filter: BotFilter
    ) => Effect.Effect<BotRow | undefined>
    /** The bot that is open to everyone: active, public and open. */
    readonly findOpen: Effect.Effect<BotRow | undefined>
    /** The active bots that a start bot routes to, the default first; none for any other bot. */
    readonly linked: (startBotId: BotId) => Effect.Effect<ReadonlyArray<LinkedBotRow>>
    readonly list: (filter: BotFilter, request: PageRequest<keyof Bot>) => Effect.Effect<Slice<BotRow>>
    readonly image: (id: BotId) => Effect.Effect<BotImageRow | undefined>
  }
>()("@effect-chatbot/server/repositories/BotRepository") {
  /** The bots in the database. */
  static readonly layer: Layer.Layer<BotRepository, never, SqlClient.SqlClient> = Layer.effect(
    BotRepository,
    Effect.map(SqlClient.SqlClient, (sql) => {
      const columns = sql.literal(
        "id, code, implementation_type, display_name, display_message, description, sample_question1, sample_question2, " +
          "base_system_message, is_active, is_public, is_open, is_user_system_message_supported, open_ai_service_id, " +
          "model_name, admin_logins, listed_logins, CASE WHEN deleted_utc IS NULL THEN 0 ELSE 1 END AS is_deleted, " +
          "created_utc, updated_utc"
      )
      const text = (column: string) => `lower(coalesce(${column}, ''))`
      const orders = {
        botId: "id",
        code: text("code"),
        displayName: "search_name",
        displayMessage: text("display_message"),
        sampleQuestion1: text("sample_question1"),
        sampleQuestion2: text("sample_question2"),
        description: text("description"),
        modelName: text("model_name"),
        isStartBot: "CASE WHEN implementation_type = 'Start' THEN 1 ELSE 0 END",
        createdUtc: "created_utc",
        updatedUtc: "updated_utc"
      } as const
      const matches = (filter: BotFilter) => [
        sql`is_active = 1`,
        ...(filter.onlyOpen === true ? [sql`is_open = 1`] : []),
        ...(filter.onlyPublic !== true
          ? []
          : filter.orListing === undefined
            ? [sql`is_public = 1`]
            : [sql.or([sql`is_public = 1`, contains(sql, "listed_logins", filter.orListing)])]),
        ...(filter.onlyStartBots === true ? [sql`implementation_type = 'Start'`] : []),
        ...(filter.startBotId === undefined
          ? []
          : [sql`id IN (SELECT bot_id FROM bot_links WHERE start_bot_id = ${filter.startBotId})`])
      ]
      return {
        find: (id) => Row.first("find a bot", sql`SELECT ${columns} FROM bots WHERE id = ${id}`),
        findByCode: (code) => Row.first("find a bot", sql`SELECT ${columns} FROM bots WHERE code = ${code}`),
        findAmong: (bot, filter) => {
          const named = "id" in bot ? sql`id = ${bot.id}` : sql`code = ${bot.code}`
          return Row.first("find a bot", sql`SELECT ${columns} FROM bots WHERE ${sql.and([named, ...matches(filter)])}`)
        },
        findOpen: Row.first(
          "find the open bot",
          sql`SELECT ${columns} FROM bots WHERE is_open = 1 AND is_public = 1 AND is_active = 1 ORDER BY id LIMIT 1`
        ),
        linked: (startBotId) =>
          Linked.all(
            "list the bots that a bot routes to",
            sql`SELECT ${columns}, keywords FROM bots JOIN bot_links ON bot_id = id
              WHERE start_bot_id = ${startBotId} AND is_active = 1 ORDER BY is_default DESC, code`
          ),
        list: (filter, request) => {
          const where = sql.and([
            ...matches(filter),
            ...(request.search === undefined ? [] : [contains(sql, "search_text", request.search)])
          ])
          return slice("list bots", Row, {
            count: sql`SELECT CAST(count(*) AS INTEGER) AS total FROM bots WHERE ${where}`,
            rows: sql`SELECT ${columns} FROM bots WHERE ${where} ${order(sql, request, orders, ["id"])}`
          })
        },
        image: (id) =>
          Image.first(
            "read the image of a bot",
            sql`SELECT image AS bytes, image_type AS media_type, image_etag AS etag FROM bots
              WHERE id = ${id} AND image IS NOT NULL`
          )
      }
    })
  )
}
