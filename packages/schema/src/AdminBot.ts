/**
 * Bots as admins see and change them.
 */
import * as Schema from "effect/Schema"
import { BotId, OpenAiServiceId } from "./Ids.ts"
import { flag, nullable, nullableValue, text, utc } from "./internal/wire.ts"
import * as Page from "./Page.ts"
import { term, TermValue } from "./TermValue.ts"

/** A bot as it stands in a list for admins. */
export const AdminBotSummary = Schema.Struct({
  botId: BotId,
  /** The short name that `chats.createByBotCode` takes. */
  code: text,
  /** What kind of bot it is: on a backend of this project `Facts`, which answers from what it knows, or `Start`, which routes to others. */
  implementationType: text,
  displayName: text,
  displayMessage: text,
  description: text,
  /** Whether it can be used at all. */
  isActive: flag,
  /** Whether it routes to others. */
  isStartBot: flag,
  /** Whether it answers from facts. */
  isFactBot: flag,
  /** Whether it may be used without a token, as long as it is public and active. */
  isOpenBot: flag,
  /** Whether every user may use it; else only admins and those who are named in its logins. */
  isPublic: flag,
  /** Whether it can be changed here. */
  isEditingSupported: flag,
  /** Whether the caller may administer it. */
  isBotAdmin: flag,
  /** Whether the caller may change its facts. */
  isBotContributor: flag,
  createdUtc: utc,
  updatedUtc: utc,
  openAiServiceId: nullable(OpenAiServiceId),
  /** The name of its OpenAI service. */
  openAiService: text,
  modelName: text
}).annotate({ identifier: "AdminGetBotsResponseItemDto" })

/** A bot as it stands in a list for admins. */
export interface AdminBotSummary extends Schema.Schema.Type<typeof AdminBotSummary> {}

/** A page of bots for admins. */
export const AdminBotPage = Page.Page(AdminBotSummary, "AdminGetBotsResponseItemDtoPagingResult")

/** A bot with all that admins may know of it. */
export const AdminBot = Schema.Struct({
  botId: BotId,
  /** The short name that `chats.createByBotCode` takes. */
  code: text,
  /** What kind of bot it is: on a backend of this project `Facts`, which answers from what it knows, or `Start`, which routes to others. */
  implementationType: text,
  displayNameTv: term,
  /** The greeting shown in a new chat. */
  displayMessageTv: term,
  descriptionTv: term,
  sampleQuestion1Tv: term,
  sampleQuestion2Tv: term,
  /** Whether it can be used at all. */
  isActive: flag,
  /** Whether it routes to others. */
  isStartBot: flag,
  /** The standing instruction of the bot. Only admins see it. */
  baseSystemMessage: text,
  /** Whether every user may use it; else only admins and those who are named in its logins. */
  isPublic: flag,
  /** The logins of those who may use it when it is not public, as an admin wrote them: by commas or lines. */
  userLogins: text,
  /** Groups of users; a backend of this project knows none. */
  userGroups: text,
  /** The logins of its admins, by commas or lines. */
  adminLogins: text,
  /** The logins of those who may change its facts, by commas or lines. */
  contributorLogins: text,
  /** Whether the caller may administer it. */
  isBotAdmin: flag,
  /** Whether the caller may change its facts. */
  isBotContributor: flag,
  createdUtc: utc,
  updatedUtc: utc,
  openAiServiceId: nullable(OpenAiServiceId),
  /** The name of its OpenAI service. */
  openAiService: text,
  modelName: text
}).annotate({ identifier: "AdminGetBotResponseDto" })

/** A bot with all that admins may know of it. */
export interface AdminBot extends Schema.Schema.Type<typeof AdminBot> {}

/** A new bot. */
export const CreateBot = Schema.Struct({
  /** The short name that `chats.createByBotCode` takes; no two bots have the same. */
  code: Schema.NonEmptyString,
  displayNameTv: TermValue,
  /** The greeting shown in a new chat. */
  displayMessageTv: term,
  descriptionTv: term,
  /** Whether it can be used at all. */
  isActive: flag,
  /** The standing instruction of the bot. */
  baseSystemMessage: text,
  /** Whether every user may use it; else only admins and those who are named in its logins. */
  isPublic: flag,
  /** The logins of those who may use it when it is not public, by commas or lines. */
  userLogins: text,
  /** The logins of its admins, by commas or lines. */
  adminLogins: text,
  /** The logins of those who may change its facts, by commas or lines. */
  contributorLogins: text,
  sampleQuestion1Tv: term,
  sampleQuestion2Tv: term,
  /** One of `implementationTypes`. It cannot be changed later. */
  implementationType: text,
  /** Absent: it answers by the embedded provider. */
  openAiServiceId: nullable(OpenAiServiceId),
  modelName: text,
  /** Deprecated: says the same as `implementationType`, and only counts where that is absent. */
  isStartBot: nullableValue(Schema.Boolean)
}).annotate({ identifier: "AdminCreateBotRequestDto" })

/** A new bot. */
export interface CreateBot extends Schema.Schema.Type<typeof CreateBot> {}

/** A bot that was created. */
export const CreatedBot = Schema.Struct({ botId: BotId }).annotate({ identifier: "AdminCreateBotResponseDto" })

/** A bot that was created. */
export interface CreatedBot extends Schema.Schema.Type<typeof CreatedBot> {}

/** What a bot is made of from now on: what is absent is cleared. */
export const UpdateBot = Schema.Struct({
  /** The short name that `chats.createByBotCode` takes; no two bots have the same. */
  code: Schema.NonEmptyString,
  displayNameTv: TermValue,
  /** The greeting shown in a new chat. */
  displayMessageTv: term,
  descriptionTv: term,
  /** The standing instruction of the bot. */
  baseSystemMessage: text,
  /** Whether it can be used at all. */
  isActive: flag,
  /** Whether every user may use it; else only admins and those who are named in its logins. */
  isPublic: flag,
  /** The logins of those who may use it when it is not public, by commas or lines. */
  userLogins: text,
  /** The logins of its admins, by commas or lines. */
  adminLogins: text,
  /** The logins of those who may change its facts, by commas or lines. */
  contributorLogins: text,
  sampleQuestion1Tv: term,
  sampleQuestion2Tv: term,
  /** Absent: it answers by the embedded provider. */
  openAiServiceId: nullable(OpenAiServiceId),
  modelName: text
}).annotate({ identifier: "AdminUpdateBotRequestDto" })

/** What a bot is made of from now on: what is absent is cleared. */
export interface UpdateBot extends Schema.Schema.Type<typeof UpdateBot> {}

/** The kinds of bots that can be created. */
export const ImplementationTypes = Schema.Array(Schema.String)

/** The configuration of a bot, as an admin wrote it: a text for programs beside the backend, which itself only keeps it. */
export const BotConfiguration = Schema.Struct({
  configurationRaw: text
}).annotate({ identifier: "AdminGetBotConfigurationResponseDto" })

/** The configuration of a bot, as an admin wrote it: a text for programs beside the backend, which itself only keeps it. */
export interface BotConfiguration extends Schema.Schema.Type<typeof BotConfiguration> {}

/** A new configuration of a bot; absent for none. */
export const UpdateBotConfiguration = Schema.Struct({
  configurationRaw: text
}).annotate({ identifier: "AdminUpdateBotConfigurationRequestDto" })

/** A new configuration of a bot; absent for none. */
export interface UpdateBotConfiguration extends Schema.Schema.Type<typeof UpdateBotConfiguration> {}
