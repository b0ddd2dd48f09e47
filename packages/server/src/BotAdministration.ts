/**
 * The bots, as admins keep them.
 */
import {
  type AdminBot,
  AdminBotSummary,
  type BotConfiguration,
  type CreateBot,
  type UpdateBot
} from "@effect-chatbot/schema/AdminBot"
import {
  BotCodeTaken,
  BotNotFound,
  InvalidRequest,
  OpenAiServiceNotFound,
  type RequestIssue
} from "@effect-chatbot/schema/Errors"
import { BotId } from "@effect-chatbot/schema/Ids"
import type { Page, PageQuery } from "@effect-chatbot/schema/Page"
import type { TermValue } from "@effect-chatbot/schema/TermValue"
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { administers, contributes } from "./BotAccess.ts"
import * as BotCode from "./BotCode.ts"
import type { SignedIn } from "./Callers.ts"
import * as Paging from "./Paging.ts"
import { AdminBotRepository, codesLock, type AdminBotRow, type EditableRow } from "./repositories/AdminBotRepository.ts"
import { OpenAiServiceRepository } from "./repositories/OpenAiServiceRepository.ts"
import { Transactions } from "./repositories/Transactions.ts"
import * as TextLimits from "./TextLimits.ts"

/** The types of bots there are: `Facts` answers from facts and documents of its own, `Start` routes to the bots it links. */
export const implementationTypes: ReadonlyArray<string> = ["Facts", "Start"]

/** A text without the white space around it; absent when nothing is left. */
const trimmed = (text: string | undefined): string | undefined => text?.trim() || undefined

const toTerm = (value: string | undefined, valueDe: string | undefined): TermValue | undefined =>
  value === undefined && valueDe === undefined ? undefined : { value, valueDe }

const rightsOf = (caller: SignedIn, row: AdminBotRow) => ({
  isBotAdmin: administers(caller, row),
  isBotContributor: contributes(caller, row)
})

const toSummary =
  (caller: SignedIn) =>
  (row: AdminBotRow): AdminBotSummary => ({
    botId: row.id,
    code: row.code,
    implementationType: row.implementationType,
    displayName: row.displayName,
    displayMessage: row.displayMessage,
    description: row.description,
    isActive: row.isActive,
    isStartBot: row.implementationType === "Start",
    isFactBot: row.implementationType === "Facts",
    isOpenBot: row.isOpen,
    isPublic: row.isPublic,
    isEditingSupported: true,
    ...rightsOf(caller, row),
    createdUtc: row.createdUtc,
    updatedUtc: row.updatedUtc,
    openAiServiceId: row.openAiServiceId,
    openAiService: row.openAiService,
    modelName: row.modelName
  })

const toBot = (caller: SignedIn, row: AdminBotRow): AdminBot => ({
  botId: row.id,
  code: row.code,
  implementationType: row.implementationType,
  displayNameTv: toTerm(row.displayName, row.displayNameDe),
  displayMessageTv: toTerm(row.displayMessage, row.displayMessageDe),
  descriptionTv: toTerm(row.description, row.descriptionDe),
  sampleQuestion1Tv: toTerm(row.sampleQuestion1, row.sampleQuestion1De),
  sampleQuestion2Tv: toTerm(row.sampleQuestion2, row.sampleQuestion2De),
  isActive: row.isActive,
  isStartBot: row.implementationType === "Start",
  baseSystemMessage: row.baseSystemMessage,
  isPublic: row.isPublic,
  userLogins: row.userLogins,
  userGroups: undefined,
  adminLogins: row.adminLogins,
  contributorLogins: row.contributorLogins,
  ...rightsOf(caller, row),
  createdUtc: row.createdUtc,
  updatedUtc: row.updatedUtc,
  openAiServiceId: row.openAiServiceId,
  openAiService: row.openAiService,
  modelName: row.modelName
})

const toRow = (bot: UpdateBot): EditableRow => ({
  code: bot.code,
  displayName: bot.displayNameTv.value?.trim() ?? "",
  displayNameDe: trimmed(bot.displayNameTv.valueDe),
  displayMessage: trimmed(bot.displayMessageTv?.value),
  displayMessageDe: trimmed(bot.displayMessageTv?.valueDe),
  description: trimmed(bot.descriptionTv?.value),
  descriptionDe: trimmed(bot.descriptionTv?.valueDe),
  sampleQuestion1: trimmed(bot.sampleQuestion1Tv?.value),
  sampleQuestion1De: trimmed(bot.sampleQuestion1Tv?.valueDe),
  sampleQuestion2: trimmed(bot.sampleQuestion2Tv?.value),
  sampleQuestion2De: trimmed(bot.sampleQuestion2Tv?.valueDe),
  baseSystemMessage: trimmed(bot.baseSystemMessage),
  isActive: bot.isActive,
  isPublic: bot.isPublic,
  userLogins: trimmed(bot.userLogins),
  adminLogins: trimmed(bot.adminLogins),
  contributorLogins: trimmed(bot.contributorLogins),
  openAiServiceId: bot.openAiServiceId,
  modelName: trimmed(bot.modelName)
})

/** The bots, as admins keep them. One that was deleted is not found. */
export class BotAdministration extends Context.Service<
  BotAdministration,
  {
    /** Active or not, by their names unless another order is asked for. */
    readonly list: (caller: SignedIn, query: PageQuery) => Effect.Effect<Page<AdminBotSummary>, InvalidRequest>
    /** Those that route to others. */
    readonly startBots: (caller: SignedIn, query: PageQuery) => Effect.Effect<Page<AdminBotSummary>, InvalidRequest>
    readonly create: (bot: CreateBot) => Effect.Effect<BotId, InvalidRequest | OpenAiServiceNotFound | BotCodeTaken>
    readonly get: (caller: SignedIn, botId: BotId) => Effect.Effect<AdminBot, BotNotFound>
    /** What is absent is cleared. */
    readonly update: (
      botId: BotId,
      bot: UpdateBot
    ) => Effect.Effect<void, InvalidRequest | BotNotFound | OpenAiServiceNotFound | BotCodeTaken>
    /** Its links, facts, documents, feedback and configurations go. Chats with it stay readable, under its name. */
    readonly delete: (botId: BotId) => Effect.Effect<void, BotNotFound>
    readonly configuration: (botId: BotId) => Effect.Effect<BotConfiguration, BotNotFound>
    readonly setConfiguration: (
      botId: BotId,
      configuration: BotConfiguration
    ) => Effect.Effect<void, InvalidRequest | BotNotFound>
  }
>()("@effect-chatbot/server/BotAdministration") {
  /** The bots in the database. */
  static readonly layer: Layer.Layer<
    BotAdministration,
    never,
    AdminBotRepository | OpenAiServiceRepository | SecureRandom.SecureRandom | Transactions
  > = Layer.effect(
    BotAdministration,
    Effect.gen(function* () {
      const bots = yield* AdminBotRepository
      const openAiServices = yield* OpenAiServiceRepository
      const random = yield* SecureRandom.SecureRandom
      const transactions = yield* Transactions

      const page = Effect.fnUntraced(function* (caller: SignedIn, query: PageQuery, onlyStartBots: boolean) {
        const request = yield* Paging.request(query, { fields: AdminBotSummary.fields, orderBy: "displayName" })
        const { rows, total } = yield* bots.list({ onlyStartBots }, request)
        return Paging.page(request, { total, rows: rows.map(toSummary(caller)) })
      })

      const unlessMissing = (botId: BotId) => (found: boolean) =>
        found ? Effect.void : Effect.fail(new BotNotFound({ botId }))

      const check = Effect.fnUntraced(function* (bot: UpdateBot, others: ReadonlyArray<RequestIssue> = []) {
        const issues = [...others]
        if (!BotCode.pattern.test(bot.code)) {
          const message =
            "Expected letters, digits, dashes, dots and underscores, at most 64, the first a letter or digit"
          issues.push({ path: ["payload", "code"], message })
        }
        yield* TextLimits.check(bot, ["displayNameTv"]).pipe(
          Effect.catch((error) => Effect.sync(() => void issues.push(...error.issues)))
        )
        if (issues.length > 0) return yield* new InvalidRequest({ issues })
      })

      /** What only the database knows; to be run in the transaction that writes. */
      const checkReferences = Effect.fnUntraced(function* (bot: UpdateBot, botId?: BotId) {
        const { openAiServiceId } = bot
        if (openAiServiceId !== undefined && (yield* openAiServices.find(openAiServiceId)) === undefined) {
          return yield* new OpenAiServiceNotFound({ openAiServiceId })
        }
        if (yield* bots.isCodeTaken(bot.code, botId)) return yield* new BotCodeTaken({ code: bot.code })
      })

      /** The type of a new bot, or what is wrong with it. */
      const typeOf = ({ implementationType: type, isStartBot }: CreateBot): string | RequestIssue => {
        if (type === undefined) return isStartBot === true ? "Start" : "Facts"
        const path = ["payload", "implementationType"]
        if (!implementationTypes.includes(type)) {
          return { path, message: `Expected ${implementationTypes.join(" or ")}: this backend runs no other type` }
        }
        return isStartBot !== undefined && isStartBot !== (type === "Start")
          ? { path, message: "Expected what isStartBot says, or no isStartBot" }
          : type
      }

      const list = Effect.fn("BotAdministration.list")((caller: SignedIn, query: PageQuery) =>
        page(caller, query, false)
      )

      const startBots = Effect.fn("BotAdministration.startBots")((caller: SignedIn, query: PageQuery) =>
        page(caller, query, true)
      )

      const create = Effect.fn("BotAdministration.create")(function* (bot: CreateBot) {
        const type = typeOf(bot)
        const implementationType = typeof type === "string" ? type : ""
        yield* check(bot, typeof type === "string" ? [] : [type])
        const id = BotId.make(yield* random.uuidV7())
        const now = yield* DateTime.now
        yield* transactions.run(
          Effect.gen(function* () {
            yield* transactions.lock(codesLock)
            yield* checkReferences(bot)
            const isStored = yield* bots.insert({ ...toRow(bot), id, implementationType }, now)
            if (!isStored) return yield* new BotCodeTaken({ code: bot.code })
          })
        )
        return id
      })

      const get = Effect.fn("BotAdministration.get")(function* (caller: SignedIn, botId: BotId) {
        const row = yield* bots.find(botId)
        return row === undefined ? yield* new BotNotFound({ botId }) : toBot(caller, row)
      })

      const update = Effect.fn("BotAdministration.update")(function* (botId: BotId, bot: UpdateBot) {
        yield* check(bot)
        const now = yield* DateTime.now
        yield* transactions.run(
          Effect.gen(function* () {
            yield* transactions.lock(codesLock)
            if ((yield* bots.typeOf(botId)) === undefined) return yield* new BotNotFound({ botId })
            yield* checkReferences(bot, botId)
            yield* bots.update(botId, toRow(bot), now)
          })
        )
      })

      const remove = Effect.fn("BotAdministration.delete")(function* (botId: BotId) {
        const now = yield* DateTime.now
        const found = yield* transactions.run(
          Effect.andThen(transactions.lock(`bot ${botId}`), bots.delete(botId, now))
        )
        yield* unlessMissing(botId)(found)
      })

      const configuration = Effect.fn("BotAdministration.configuration")(function* (botId: BotId) {
        if ((yield* bots.typeOf(botId)) === undefined) return yield* new BotNotFound({ botId })
        return { configurationRaw: yield* bots.configuration(botId) }
      })

      const setConfiguration = Effect.fn("BotAdministration.setConfiguration")(function* (
        botId: BotId,
        { configurationRaw }: BotConfiguration
      ) {
        yield* TextLimits.check({ configurationRaw })
        const text = configurationRaw === "" ? undefined : configurationRaw
        yield* Effect.flatMap(bots.setConfiguration(botId, text), unlessMissing(botId))
      })

      return { list, startBots, create, get, update, delete: remove, configuration, setConfiguration }
    })
  )
}
