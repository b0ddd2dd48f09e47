/**
 * The bots, as admins keep them: with their facts, links, feedback and configurations.
 */
import { Api } from "@effect-chatbot/api/Api"
import type { AdminBot, AdminBotSummary, CreateBot, UpdateBot } from "@effect-chatbot/schema/AdminBot"
import type {
  AcsConfiguration,
  AzureOpenAiSearchConfiguration,
  UpdateAcsConfiguration,
  UpdateAzureOpenAiSearchConfiguration
} from "@effect-chatbot/schema/AzureConfiguration"
import type { BotFact, CreateBotFact, UpdateBotFact } from "@effect-chatbot/schema/BotFact"
import type { BotFeedback, BotFeedbackQuery, UpdateBotFeedback } from "@effect-chatbot/schema/BotFeedback"
import type { CreateBotLink, LinkedBot, UnassignedBot, UpdateBotLink } from "@effect-chatbot/schema/BotLink"
import type {
  BotAlreadyLinked,
  BotCodeTaken,
  BotFactNotFound,
  BotLinkNotFound,
  BotNotFound,
  FeedbackNotFound,
  Forbidden,
  IdempotencyKeyInUse,
  IdempotencyKeyReused,
  InvalidRequest,
  OpenAiServiceNotFound,
  PayloadTooLarge
} from "@effect-chatbot/schema/Errors"
import type { BotFactId, BotId, FeedbackId } from "@effect-chatbot/schema/Ids"
import type { Page, PageQuery } from "@effect-chatbot/schema/Page"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"
import type * as Stream from "effect/Stream"
import type { CallError } from "./CallError.ts"
import type { ClientConfig } from "./ClientConfig.ts"
import { callOf } from "./internal/call.ts"
import { layerOf } from "./internal/connection.ts"
import { itemsOf } from "./internal/pages.ts"

const endpoints = Api.groups.adminBots.endpoints
const call = callOf("adminBots")

const calls = {
  list: call(endpoints.list),
  create: call(endpoints.create),
  get: call(endpoints.get),
  update: call(endpoints.update),
  delete: call(endpoints.delete),
  listStartBots: call(endpoints.listStartBots),
  implementationTypes: call(endpoints.implementationTypes),
  setStopped: call(endpoints.setStopped),
  listFacts: call(endpoints.listFacts),
  createFact: call(endpoints.createFact),
  updateFact: call(endpoints.updateFact),
  deleteFact: call(endpoints.deleteFact),
  listLinks: call(endpoints.listLinks),
  listUnassigned: call(endpoints.listUnassigned),
  createLink: call(endpoints.createLink),
  updateLink: call(endpoints.updateLink),
  deleteLink: call(endpoints.deleteLink),
  listFeedback: call(endpoints.listFeedback),
  updateFeedback: call(endpoints.updateFeedback),
  getAcsConfiguration: call(endpoints.getAcsConfiguration),
  updateAcsConfiguration: call(endpoints.updateAcsConfiguration),
  getSearchConfiguration: call(endpoints.getSearchConfiguration),
  updateSearchConfiguration: call(endpoints.updateSearchConfiguration),
  getConfiguration: call(endpoints.getConfiguration),
  updateConfiguration: call(endpoints.updateConfiguration)
}

/** The bots, as admins keep them. */
export class AdminBots extends Context.Service<
  AdminBots,
  {
    /** A page of all bots, active or not, without their prompts. */
    readonly list: (query?: PageQuery) => Effect.Effect<Page<AdminBotSummary>, InvalidRequest | Forbidden | CallError>

    /** The bots of all pages of {@link list}, from `pageNumber` on. */
    readonly items: (query?: PageQuery) => Stream.Stream<AdminBotSummary, InvalidRequest | Forbidden | CallError>

    /** Creates a bot and answers its id. */
    readonly create: (
      bot: CreateBot
    ) => Effect.Effect<
      BotId,
      | InvalidRequest
      | Forbidden
      | OpenAiServiceNotFound
      | BotCodeTaken
      | PayloadTooLarge
      | IdempotencyKeyInUse
      | IdempotencyKeyReused
      | CallError
    >

    /** One bot with its prompt and its logins. */
    readonly get: (botId: BotId) => Effect.Effect<AdminBot, InvalidRequest | Forbidden | BotNotFound | CallError>

    /** Changes all of a bot but its type; what is absent is cleared. */
    readonly update: (
      botId: BotId,
      bot: UpdateBot
    ) => Effect.Effect<
      void,
      InvalidRequest | Forbidden | BotNotFound | OpenAiServiceNotFound | BotCodeTaken | PayloadTooLarge | CallError
    >

    /**
     * Deletes a bot with its links, facts, documents, feedback and configurations. Chats with it stay readable; nothing can be asked in
     * them.
     */
    readonly delete: (botId: BotId) => Effect.Effect<void, InvalidRequest | Forbidden | BotNotFound | CallError>

    /** A page of the bots that route to others, active or not. */
    readonly startBots: (
      query?: PageQuery
    ) => Effect.Effect<Page<AdminBotSummary>, InvalidRequest | Forbidden | CallError>

    /** The start bots of all pages of {@link startBots}, from `pageNumber` on. */
    readonly startBotItems: (
      query?: PageQuery
    ) => Stream.Stream<AdminBotSummary, InvalidRequest | Forbidden | CallError>

    /** The types of bots that can be created. */
    readonly implementationTypes: Effect.Effect<ReadonlyArray<string>, Forbidden | CallError>

    /**
     * Stops all bots, or releases them. While they are stopped, completions fail with `BotsStopped`; those that run are broken off. To
     * break them off and let others begin is `bots.stopAll`.
     */
    readonly setStopped: (isStopAllBots: boolean) => Effect.Effect<void, InvalidRequest | Forbidden | CallError>

    /** The facts that admins told a bot. The very next answer follows every change. */
    readonly facts: {
      /** A page of the facts of a bot, active or not. */
      readonly list: (
        botId: BotId,
        query?: PageQuery
      ) => Effect.Effect<Page<BotFact>, InvalidRequest | Forbidden | BotNotFound | CallError>

      /** The facts of all pages of {@link list}, from `pageNumber` on. */
      readonly items: (
        botId: BotId,
        query?: PageQuery
      ) => Stream.Stream<BotFact, InvalidRequest | Forbidden | BotNotFound | CallError>

      /** Tells a bot a fact and answers the id of the fact. */
      readonly create: (
        botId: BotId,
        fact: CreateBotFact
      ) => Effect.Effect<
        BotFactId,
        | InvalidRequest
        | Forbidden
        | BotNotFound
        | PayloadTooLarge
        | IdempotencyKeyInUse
        | IdempotencyKeyReused
        | CallError
      >

      /** Changes a fact, or switches it on or off. */
      readonly update: (
        botId: BotId,
        botFactId: BotFactId,
        fact: UpdateBotFact
      ) => Effect.Effect<void, InvalidRequest | Forbidden | BotNotFound | BotFactNotFound | PayloadTooLarge | CallError>

      /** Deletes a fact. */
      readonly delete: (
        botId: BotId,
        botFactId: BotFactId
      ) => Effect.Effect<void, InvalidRequest | Forbidden | BotNotFound | BotFactNotFound | CallError>
    }

    /** Which bots a start bot routes to. */
    readonly links: {
      /** A page of the bots that a start bot routes to, active or not. */
      readonly list: (
        startBotId: BotId,
        query?: PageQuery
      ) => Effect.Effect<Page<LinkedBot>, InvalidRequest | Forbidden | BotNotFound | CallError>

      /** The bots of all pages of {@link list}, from `pageNumber` on. */
      readonly items: (
        startBotId: BotId,
        query?: PageQuery
      ) => Stream.Stream<LinkedBot, InvalidRequest | Forbidden | BotNotFound | CallError>

      /** A page of the bots that a start bot could route to and does not. */
      readonly unassigned: (
        startBotId: BotId,
        query?: PageQuery
      ) => Effect.Effect<Page<UnassignedBot>, InvalidRequest | Forbidden | BotNotFound | CallError>

      /** The bots of all pages of {@link unassigned}, from `pageNumber` on. */
      readonly unassignedItems: (
        startBotId: BotId,
        query?: PageQuery
      ) => Stream.Stream<UnassignedBot, InvalidRequest | Forbidden | BotNotFound | CallError>

      /** Lets a start bot route to a bot, which cannot be a start bot itself. */
      readonly create: (
        startBotId: BotId,
        botId: BotId,
        link: CreateBotLink
      ) => Effect.Effect<
        void,
        | InvalidRequest
        | Forbidden
        | BotNotFound
        | BotAlreadyLinked
        | PayloadTooLarge
        | IdempotencyKeyInUse
        | IdempotencyKeyReused
        | CallError
      >

      /** Changes the keywords of a link and whether it is the default. */
      readonly update: (
        startBotId: BotId,
        botId: BotId,
        link: UpdateBotLink
      ) => Effect.Effect<void, InvalidRequest | Forbidden | BotNotFound | BotLinkNotFound | PayloadTooLarge | CallError>

      /** Lets a start bot route to a bot no more. */
      readonly delete: (
        startBotId: BotId,
        botId: BotId
      ) => Effect.Effect<void, InvalidRequest | Forbidden | BotNotFound | BotLinkNotFound | CallError>
    }

    /** What users said about the answers of a bot. */
    readonly feedback: {
      /** A page of the feedback about a bot, the latest first unless another order is asked for. */
      readonly list: (
        botId: BotId,
        query?: BotFeedbackQuery
      ) => Effect.Effect<Page<BotFeedback>, InvalidRequest | Forbidden | BotNotFound | CallError>

      /** The feedback of all pages of {@link list}, from `pageNumber` on. */
      readonly items: (
        botId: BotId,
        query?: BotFeedbackQuery
      ) => Stream.Stream<BotFeedback, InvalidRequest | Forbidden | BotNotFound | CallError>

      /** Sets the status and the comment of an admin. */
      readonly update: (
        botId: BotId,
        feedbackId: FeedbackId,
        feedback: UpdateBotFeedback
      ) => Effect.Effect<
        void,
        InvalidRequest | Forbidden | BotNotFound | FeedbackNotFound | PayloadTooLarge | CallError
      >
    }

    /** How a bot searches with Azure Cognitive Search. Secrets are stored and never told again. */
    readonly acsConfiguration: {
      /** What is stored, but for the secrets. */
      readonly get: (
        botId: BotId
      ) => Effect.Effect<AcsConfiguration, InvalidRequest | Forbidden | BotNotFound | CallError>

      /** Stores it; the secrets only where `isUpdateBlobClient` and `isUpdateSearchClient` say so. */
      readonly update: (
        botId: BotId,
        configuration: UpdateAcsConfiguration
      ) => Effect.Effect<void, InvalidRequest | Forbidden | BotNotFound | PayloadTooLarge | CallError>
    }

    /** How a bot answers from a search of Azure OpenAI. Secrets are stored and never told again. */
    readonly searchConfiguration: {
      /** What is stored, but for the secrets. */
      readonly get: (
        botId: BotId
      ) => Effect.Effect<AzureOpenAiSearchConfiguration, InvalidRequest | Forbidden | BotNotFound | CallError>

      /** Stores it; the secrets only where `isUpdateBlobClient` and `isUpdateSearchClient` say so. */
      readonly update: (
        botId: BotId,
        configuration: UpdateAzureOpenAiSearchConfiguration
      ) => Effect.Effect<void, InvalidRequest | Forbidden | BotNotFound | PayloadTooLarge | CallError>
    }

    /** A text of an admin for programs beside the backend, which itself only keeps it. */
    readonly configuration: {
      /** The text; empty when there is none. */
      readonly get: (botId: BotId) => Effect.Effect<string, InvalidRequest | Forbidden | BotNotFound | CallError>

      /** Stores another text; an empty one for none. */
      readonly update: (
        botId: BotId,
        configurationRaw: string
      ) => Effect.Effect<void, InvalidRequest | Forbidden | BotNotFound | PayloadTooLarge | CallError>
    }
  }
>()("@effect-chatbot/client/AdminBots") {
  /** Over the {@link ClientConfig} and a transport. */
  static readonly layer: Layer.Layer<AdminBots, never, ClientConfig | HttpClient.HttpClient> = layerOf(
    AdminBots,
    ({ run }) => {
      const list = (query: PageQuery = {}) => run(calls.list, { query })
      const startBots = (query: PageQuery = {}) => run(calls.listStartBots, { query })
      const listFacts = (botId: BotId, query: PageQuery = {}) => run(calls.listFacts, { params: { botId }, query })
      const listLinks = (startBotId: BotId, query: PageQuery = {}) =>
        run(calls.listLinks, { params: { startBotId }, query })
      const unassigned = (startBotId: BotId, query: PageQuery = {}) =>
        run(calls.listUnassigned, { params: { startBotId }, query })
      const listFeedback = (botId: BotId, query: BotFeedbackQuery = {}) =>
        run(calls.listFeedback, { params: { botId }, query })
      return {
        list,
        items: (query = {}) => itemsOf(list, query),
        create: (payload) => Effect.map(run(calls.create, { payload }), ({ botId }) => botId),
        get: (botId) => run(calls.get, { params: { botId } }),
        update: (botId, payload) => run(calls.update, { params: { botId }, payload }),
        delete: (botId) => run(calls.delete, { params: { botId } }),
        startBots,
        startBotItems: (query = {}) => itemsOf(startBots, query),
        implementationTypes: run(calls.implementationTypes, {}),
        setStopped: (isStopAllBots) => run(calls.setStopped, { params: { isStopAllBots } }),
        facts: {
          list: listFacts,
          items: (botId, query = {}) => itemsOf((query) => listFacts(botId, query), query),
          create: (botId, payload) =>
            Effect.map(run(calls.createFact, { params: { botId }, payload }), ({ botFactId }) => botFactId),
          update: (botId, botFactId, payload) => run(calls.updateFact, { params: { botId, botFactId }, payload }),
          delete: (botId, botFactId) => run(calls.deleteFact, { params: { botId, botFactId } })
        },
        links: {
          list: listLinks,
          items: (startBotId, query = {}) => itemsOf((query) => listLinks(startBotId, query), query),
          unassigned,
          unassignedItems: (startBotId, query = {}) => itemsOf((query) => unassigned(startBotId, query), query),
          create: (startBotId, botId, payload) => run(calls.createLink, { params: { startBotId, botId }, payload }),
          update: (startBotId, botId, payload) => run(calls.updateLink, { params: { startBotId, botId }, payload }),
          delete: (startBotId, botId) => run(calls.deleteLink, { params: { startBotId, botId } })
        },
        feedback: {
          list: listFeedback,
          items: (botId, query = {}) => itemsOf((query) => listFeedback(botId, query), query),
          update: (botId, feedbackId, payload) => run(calls.updateFeedback, { params: { botId, feedbackId }, payload })
        },
        acsConfiguration: {
          get: (botId) => run(calls.getAcsConfiguration, { params: { botId } }),
          update: (botId, payload) => run(calls.updateAcsConfiguration, { params: { botId }, payload })
        },
        searchConfiguration: {
          get: (botId) => run(calls.getSearchConfiguration, { params: { botId } }),
          update: (botId, payload) => run(calls.updateSearchConfiguration, { params: { botId }, payload })
        },
        configuration: {
          get: (botId) =>
            Effect.map(
              run(calls.getConfiguration, { params: { botId } }),
              ({ configurationRaw }) => configurationRaw ?? ""
            ),
          update: (botId, configurationRaw) =>
            run(calls.updateConfiguration, { params: { botId }, payload: { configurationRaw } })
        }
      }
    }
  )
}
