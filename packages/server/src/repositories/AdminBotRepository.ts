/**
 * The bots in the database, as admins keep them. Those that were deleted are not among them.
 */
import type { AdminBotSummary } from "@effect-chatbot/schema/AdminBot"
import { BotId, OpenAiServiceId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import { bit, contains, Flag, iso, nullable, order, reader, run, slice, touches, Utc } from "../internal/rows.ts"
import * as Logins from "../Logins.ts"
import type { PageRequest, Slice } from "../Paging.ts"
import * as SearchText from "../SearchText.ts"

const text = nullable(Schema.String)

/** What of a bot an admin may change. */
export const EditableRow = Schema.Struct({
  code: Schema.String,
  displayName: Schema.String,
  displayNameDe: text,
  displayMessage: text,
  displayMessageDe: text,
  description: text,
  descriptionDe: text,
  sampleQuestion1: text,
  sampleQuestion1De: text,
  sampleQuestion2: text,
  sampleQuestion2De: text,
  baseSystemMessage: text,
  isActive: Flag,
  isPublic: Flag,
  /** As an admin wrote them, and so the next two; see `Logins`. */
  userLogins: text,
  adminLogins: text,
  contributorLogins: text,
  openAiServiceId: nullable(OpenAiServiceId),
  modelName: text
})

/** What of a bot an admin may change. */
export interface EditableRow extends Schema.Schema.Type<typeof EditableRow> {}

/** A bot as admins see it. */
export const AdminBotRow = Schema.Struct({
  ...EditableRow.fields,
  id: BotId,
  implementationType: Schema.String,
  isOpen: Flag,
  /** The name of its OpenAI service. */
  openAiService: text,
  createdUtc: Utc,
  updatedUtc: Utc
})

/** A bot as admins see it. */
export interface AdminBotRow extends Schema.Schema.Type<typeof AdminBotRow> {}

/** What a new bot has beside what can be changed later. */
export interface NewBot extends EditableRow {
  readonly id: BotId
  readonly implementationType: string
}

/** Who gives a bot a code looks first whether another has it, and holds this lock meanwhile. */
export const codesLock = "codes of bots"

const Row = reader(AdminBotRow)
const Type = reader(Schema.Struct({ implementationType: Schema.String }))
const Configuration = reader(Schema.Struct({ configuration: text }))

/** The bots in the database, as admins keep them. */
export class AdminBotRepository extends Context.Service<
  AdminBotRepository,
  {
    readonly list: (
      filter: { readonly onlyStartBots: boolean },
      request: PageRequest<keyof AdminBotSummary>
    ) => Effect.Effect<Slice<AdminBotRow>>
    readonly find: (id: BotId) => Effect.Effect<AdminBotRow | undefined>
    /** The type of a bot; absent when there is no such bot. */
    readonly typeOf: (id: BotId) => Effect.Effect<string | undefined>
    /** Whether another bot than this one has the code, in any case of its letters. */
    readonly isCodeTaken: (code: string, except?: BotId) => Effect.Effect<boolean>
    /** Stores a bot. `false` when its code was taken meanwhile. */
    readonly insert: (bot: NewBot, now: DateTime.Utc) => Effect.Effect<boolean>
    /** Whether there was such a bot. */
    readonly update: (id: BotId, bot: EditableRow, now: DateTime.Utc) => Effect.Effect<boolean>
    /** Notes that an admin changed what a bot knows or links. Whether there is such a bot. */
    readonly edited: (id: BotId, now: DateTime.Utc) => Effect.Effect<boolean>
    /** Empties a bot of all but its name, for the chats with it. Whether there was such a bot. */
    readonly delete: (id: BotId, now: DateTime.Utc) => Effect.Effect<boolean>
    readonly configuration: (id: BotId) => Effect.Effect<string | undefined>
    /** Whether there is such a bot. */
    readonly setConfiguration: (id: BotId, configuration: string | undefined) => Effect.Effect<boolean>
  }
>()("@effect-chatbot/server/repositories/AdminBotRepository") {
  /** The bots in the database, as admins keep them. */
  static readonly layer: Layer.Layer<AdminBotRepository, never, SqlClient.SqlClient> = Layer.effect(
    AdminBotRepository,
    Effect.map(SqlClient.SqlClient, (sql) => {
      const select = sql`SELECT b.id, b.code, b.implementation_type, b.display_name, b.display_name_de, b.display_message,
        b.display_message_de, b.description, b.description_de, b.sample_question1, b.sample_question1_de, b.sample_question2,
        b.sample_question2_de, b.base_system_message, b.is_active, b.is_public, b.is_open, b.user_logins, b.admin_logins,
        b.contributor_logins, b.open_ai_service_id, s.display_name AS open_ai_service, b.model_name, b.created_utc, b.updated_utc
        FROM bots b LEFT JOIN open_ai_services s ON s.id = b.open_ai_service_id`
      const lower = (column: string) => `lower(coalesce(${column}, ''))`
      const startFirst = "CASE WHEN b.implementation_type = 'Start' THEN 1 ELSE 0 END"
      // What is the same for every bot leaves the order to the ids.
      const orders = {
        botId: "b.id",
        code: "lower(b.code)",
        implementationType: "b.implementation_type",
        displayName: "b.search_name",
        displayMessage: lower("b.display_message"),
        description: lower("b.description"),
        isActive: "b.is_active",
        isStartBot: startFirst,
        isFactBot: "CASE WHEN b.implementation_type = 'Facts' THEN 1 ELSE 0 END",
        isOpenBot: "b.is_open",
        isPublic: "b.is_public",
        isEditingSupported: "b.id",
        isBotAdmin: "b.id",
        isBotContributor: "b.id",
        createdUtc: "b.created_utc",
        updatedUtc: "b.updated_utc",
        openAiServiceId: "coalesce(b.open_ai_service_id, '')",
        openAiService: "coalesce(s.search_name, '')",
        modelName: lower("b.model_name")
      } as const

      const columns = (bot: EditableRow) => ({
        code: bot.code,
        displayName: bot.displayName,
        displayNameDe: bot.displayNameDe ?? null,
        displayMessage: bot.displayMessage ?? null,
        displayMessageDe: bot.displayMessageDe ?? null,
        description: bot.description ?? null,
        descriptionDe: bot.descriptionDe ?? null,
        sampleQuestion1: bot.sampleQuestion1 ?? null,
        sampleQuestion1De: bot.sampleQuestion1De ?? null,
        sampleQuestion2: bot.sampleQuestion2 ?? null,
        sampleQuestion2De: bot.sampleQuestion2De ?? null,
        baseSystemMessage: bot.baseSystemMessage ?? null,
        isActive: bit(bot.isActive),
        isPublic: bit(bot.isPublic),
        userLogins: bot.userLogins ?? null,
        adminLogins: bot.adminLogins ?? null,
        contributorLogins: bot.contributorLogins ?? null,
        listedLogins: Logins.listed(bot.userLogins, bot.adminLogins, bot.contributorLogins),
        openAiServiceId: bot.openAiServiceId ?? null,
        modelName: bot.modelName ?? null,
        searchName: SearchText.fold(bot.displayName),
        searchText: SearchText.foldAll([
          bot.displayName,
          bot.displayMessage,
          bot.description,
          bot.sampleQuestion1,
          bot.sampleQuestion2
        ])
      })

      return {
        list: ({ onlyStartBots }, request) => {
          const where = sql.and([
            sql`b.deleted_utc IS NULL`,
            ...(onlyStartBots ? [sql`b.implementation_type = 'Start'`] : []),
            ...(request.search === undefined
              ? []
              : [
                  sql.or([
                    contains(sql, "b.search_text", request.search),
                    contains(sql, "lower(b.code)", request.search)
                  ])
                ])
          ])
          return slice("list bots", Row, {
            count: sql`SELECT CAST(count(*) AS INTEGER) AS total FROM bots b WHERE ${where}`,
            rows: sql`${select} WHERE ${where} ${order(sql, request, orders, ["b.id"])}`
          })
        },
        find: (id) => Row.first("find a bot", sql`${select} WHERE b.id = ${id} AND b.deleted_utc IS NULL`),
        typeOf: (id) =>
          Effect.map(
            Type.first(
              "find the type of a bot",
              sql`SELECT implementation_type FROM bots WHERE id = ${id} AND deleted_utc IS NULL`
            ),
            (row) => row?.implementationType
          ),
        isCodeTaken: (code, except) =>
          touches(
            "look for the code of a bot",
            sql`SELECT id FROM bots WHERE lower(code) = ${code.toLowerCase()} AND id <> ${except ?? ""}`
          ),
        insert: ({ id, implementationType, ...bot }, now) =>
          touches(
            "store a bot",
            sql`INSERT INTO bots ${sql.insert({
              id,
              implementationType,
              ...columns(bot),
              isOpen: 0,
              // No field of the contract switches it on later.
              isUserSystemMessageSupported: 1,
              createdUtc: iso(now),
              updatedUtc: iso(now),
              editedUtc: iso(now)
            })} ON CONFLICT (code) DO NOTHING RETURNING id`
          ),
        update: (id, bot, now) =>
          touches(
            "update a bot",
            sql`UPDATE bots SET ${sql.update({ ...columns(bot), updatedUtc: iso(now), editedUtc: iso(now) })}
              WHERE id = ${id} AND deleted_utc IS NULL RETURNING id`
          ),
        edited: (id, now) =>
          touches(
            "note the change of a bot",
            sql`UPDATE bots SET ${sql.update({ updatedUtc: iso(now), editedUtc: iso(now) })}
              WHERE id = ${id} AND deleted_utc IS NULL RETURNING id`
          ),
        delete: Effect.fnUntraced(function* (id, now) {
          const found = yield* touches(
            "delete a bot",
            sql`UPDATE bots SET ${sql.update({
              // No code looks like this, so that the code of the bot is free again.
              code: `deleted:${id}`,
              displayMessage: null,
              description: null,
              sampleQuestion1: null,
              sampleQuestion2: null,
              displayNameDe: null,
              displayMessageDe: null,
              descriptionDe: null,
              sampleQuestion1De: null,
              sampleQuestion2De: null,
              baseSystemMessage: null,
              userLogins: null,
              adminLogins: null,
              contributorLogins: null,
              listedLogins: "",
              configuration: null,
              openAiServiceId: null,
              isActive: 0,
              isPublic: 0,
              isOpen: 0,
              image: null,
              imageType: null,
              imageEtag: null,
              updatedUtc: iso(now),
              deletedUtc: iso(now)
            })}, search_text = search_name WHERE id = ${id} AND deleted_utc IS NULL RETURNING id`
          )
          if (!found) return false
          yield* Effect.forEach(
            [
              sql`DELETE FROM bot_links WHERE start_bot_id = ${id} OR bot_id = ${id}`,
              sql`DELETE FROM bot_facts WHERE bot_id = ${id}`,
              sql`DELETE FROM documents WHERE bot_id = ${id}`,
              sql`DELETE FROM feedback WHERE bot_id = ${id}`,
              sql`DELETE FROM bot_azure_configurations WHERE bot_id = ${id}`
            ],
            (statement) => run("delete what belongs to a bot", statement),
            { discard: true }
          )
          return true
        }),
        configuration: (id) =>
          Effect.map(
            Configuration.first(
              "read the configuration of a bot",
              sql`SELECT configuration FROM bots WHERE id = ${id}`
            ),
            (row) => row?.configuration
          ),
        setConfiguration: (id, configuration) =>
          touches(
            "store the configuration of a bot",
            sql`UPDATE bots SET ${sql.update({ configuration: configuration ?? null })}
              WHERE id = ${id} AND deleted_utc IS NULL RETURNING id`
          )
      }
    })
  )
}
