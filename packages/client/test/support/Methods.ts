/** A call of every method, with what it sends and an answer to it. */
import { RetryClass } from "@effect-chatbot/api/RetryClass"
import { Api } from "@effect-chatbot/api/Api"
import type { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import {
  BotFactId,
  BotId,
  ChatId,
  CompletionId,
  FeedbackId,
  OpenAiServiceId,
  Ticket,
  UserSystemMessageId
} from "@effect-chatbot/schema/Ids"
import { PlainDate } from "@effect-chatbot/schema/PlainDate"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import type * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { json, text } from "./Scripted.ts"

type Client = ChatbotClient["Service"]

/** The bot that is called for. */
export const botId = BotId.make("bot 1")
/** The chat that is called for. */
export const chatId = ChatId.make("chat/1")
const completionId = CompletionId.make("c?1")
const botFactId = BotFactId.make("f/1")
const startBotId = BotId.make("start 1")
const feedbackId = FeedbackId.make("b#1")
const openAiServiceId = OpenAiServiceId.make("s#1")
const userSystemMessageId = UserSystemMessageId.make("ü1")

const emptyPage = () => json({ items: null })
const nothing = () => new Response(null)
const chat = () => json({ chatId: "x" })

/** A call, what it sends and an answer to it. */
export interface Row {
  readonly call: (client: Client) => Effect.Effect<unknown, { readonly _tag: string }>
  readonly answer: () => Response
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly accept?: string
}

const bareText = "application/json, text/plain;q=0.5"
const paging = { searchFor: "a b&c", orderBy: "displayName desc", pageNumber: 2, pageSize: 50 }
const pagingQuery = "SearchFor=a+b%26c&OrderBy=displayName+desc&PageNumber=2&PageSize=50"

/** A bot, as it is created and changed. */
const edited = {
  code: "c",
  displayNameTv: { value: "n", valueDe: "N" },
  descriptionTv: { value: "d" },
  isActive: true,
  baseSystemMessage: "prompt",
  isPublic: false,
  userLogins: "ann, bob"
}
const editedBody = {
  code: "c",
  displayNameTv: { value: "n", valueDe: "N" },
  descriptionTv: { value: "d", valueDe: null },
  isActive: true,
  baseSystemMessage: "prompt",
  isPublic: false,
  userLogins: "ann, bob",
  adminLogins: null,
  contributorLogins: null,
  openAiServiceId: null,
  modelName: null
}

/** What every method sends, by its endpoint. */
export const rows: { readonly [endpoint: string]: Row } = {
  "admin.listOpenAiServices": {
    call: ({ admin }) => admin.openAiServices.list(paging),
    answer: emptyPage,
    method: "GET",
    path: `/api/admin/openAiServices?${pagingQuery}`
  },
  "admin.createOpenAiService": {
    call: ({ admin }) =>
      admin.openAiServices.create({
        displayName: "d",
        isActive: true,
        azureOpenAiEndpoint: "https://e",
        azureOpenAiApiKey: Redacted.make("key")
      }),
    answer: () => json("id"),
    method: "POST",
    path: "/api/admin/openAiServices",
    body: { displayName: "d", isActive: true, azureOpenAiEndpoint: "https://e", azureOpenAiApiKey: "key" },
    accept: bareText
  },
  "admin.getOpenAiService": {
    call: ({ admin }) => admin.openAiServices.get(openAiServiceId),
    answer: () => json({}),
    method: "GET",
    path: "/api/admin/openAiServices/s%231"
  },
  "admin.updateOpenAiService": {
    call: ({ admin }) =>
      admin.openAiServices.update(openAiServiceId, { displayName: "d", isActive: false, isUpdateOpenAi: false }),
    answer: nothing,
    method: "PUT",
    path: "/api/admin/openAiServices/s%231",
    body: {
      displayName: "d",
      isActive: false,
      isUpdateOpenAi: false,
      azureOpenAiEndpoint: null,
      azureOpenAiApiKey: null
    }
  },
  "admin.deleteOpenAiService": {
    call: ({ admin }) => admin.openAiServices.delete(openAiServiceId),
    answer: nothing,
    method: "DELETE",
    path: "/api/admin/openAiService/s%231"
  },
  "adminBots.list": {
    call: ({ adminBots }) => adminBots.list(paging),
    answer: emptyPage,
    method: "GET",
    path: `/api/admin/bots?${pagingQuery}`
  },
  "adminBots.create": {
    call: ({ adminBots }) => adminBots.create({ ...edited, implementationType: "Facts" }),
    answer: () => json({ botId }),
    method: "POST",
    path: "/api/admin/bots",
    body: { ...editedBody, implementationType: "Facts", isStartBot: null }
  },
  "adminBots.get": {
    call: ({ adminBots }) => adminBots.get(botId),
    answer: () => json({ botId }),
    method: "GET",
    path: "/api/admin/bots/bot%201"
  },
  "adminBots.update": {
    call: ({ adminBots }) => adminBots.update(botId, edited),
    answer: nothing,
    method: "PUT",
    path: "/api/admin/bots/bot%201",
    body: editedBody
  },
  "adminBots.delete": {
    call: ({ adminBots }) => adminBots.delete(botId),
    answer: nothing,
    method: "DELETE",
    path: "/api/admin/bots/bot%201"
  },
  "adminBots.listStartBots": {
    call: ({ adminBots }) => adminBots.startBots(),
    answer: emptyPage,
    method: "GET",
    path: "/api/admin/bots/startbots"
  },
  "adminBots.implementationTypes": {
    call: ({ adminBots }) => adminBots.implementationTypes,
    answer: () => json(["Facts"]),
    method: "GET",
    path: "/api/admin/bots/implementationTypes"
  },
  "adminBots.setStopped": {
    call: ({ adminBots }) => adminBots.setStopped(true),
    answer: nothing,
    method: "PUT",
    path: "/api/admin/bots/stop/true"
  },
  "adminBots.listFacts": {
    call: ({ adminBots }) => adminBots.facts.list(botId, paging),
    answer: emptyPage,
    method: "GET",
    path: `/api/admin/bots/bot%201/facts?${pagingQuery}`
  },
  "adminBots.createFact": {
    call: ({ adminBots }) => adminBots.facts.create(botId, { isActive: true, factText: "t" }),
    answer: () => json({ botFactId }),
    method: "POST",
    path: "/api/admin/bots/bot%201/facts",
    body: { isActive: true, factText: "t" }
  },
  "adminBots.updateFact": {
    call: ({ adminBots }) => adminBots.facts.update(botId, botFactId, { isActive: false, factText: "t" }),
    answer: nothing,
    method: "PUT",
    path: "/api/admin/bots/bot%201/facts/f%2F1",
    body: { isActive: false, factText: "t" }
  },
  "adminBots.deleteFact": {
    call: ({ adminBots }) => adminBots.facts.delete(botId, botFactId),
    answer: nothing,
    method: "DELETE",
    path: "/api/admin/bots/bot%201/facts/f%2F1"
  },
  "adminBots.listLinks": {
    call: ({ adminBots }) => adminBots.links.list(startBotId),
    answer: emptyPage,
    method: "GET",
    path: "/api/admin/bots/start%201/bots"
  },
  "adminBots.listUnassigned": {
    call: ({ adminBots }) => adminBots.links.unassigned(startBotId, { pageSize: 1 }),
    answer: emptyPage,
    method: "GET",
    path: "/api/admin/bots/start%201/unassignedbots?PageSize=1"
  },
  "adminBots.createLink": {
    call: ({ adminBots }) => adminBots.links.create(startBotId, botId, { isDefaultBot: true, keywords: "a, b" }),
    answer: nothing,
    method: "POST",
    path: "/api/admin/bots/start%201/bots/bot%201",
    body: { isDefaultBot: true, keywords: "a, b" }
  },
  "adminBots.updateLink": {
    call: ({ adminBots }) => adminBots.links.update(startBotId, botId, { isDefaultBot: false }),
    answer: nothing,
    method: "PUT",
    path: "/api/admin/bots/start%201/bots/bot%201",
    body: { isDefaultBot: false, keywords: null }
  },
  "adminBots.deleteLink": {
    call: ({ adminBots }) => adminBots.links.delete(startBotId, botId),
    answer: nothing,
    method: "DELETE",
    path: "/api/admin/bots/start%201/bots/bot%201"
  },
  "adminBots.listFeedback": {
    call: ({ adminBots }) =>
      adminBots.feedback.list(botId, {
        filterByVote: -1,
        showFeedbacksWithoutStatus: true,
        showFeedbacksWithStatus: false,
        filterByStatus: 2,
        ...paging
      }),
    answer: emptyPage,
    method: "GET",
    path: `/api/admin/bots/bot%201/feedback?FilterByVote=-1&ShowFeedbacksWithoutStatus=true&ShowFeedbacksWithStatus=false&FilterByStatus=2&${pagingQuery}`
  },
  "adminBots.updateFeedback": {
    call: ({ adminBots }) => adminBots.feedback.update(botId, feedbackId, { status: 2, adminComment: "ok" }),
    answer: nothing,
    method: "PUT",
    path: "/api/admin/bots/bot%201/feedback/b%231",
    body: { status: 2, adminComment: "ok" }
  },
  "adminBots.getAcsConfiguration": {
    call: ({ adminBots }) => adminBots.acsConfiguration.get(botId),
    answer: () => json({}),
    method: "GET",
    path: "/api/admin/bots/bot%201/acsBotConfiguration"
  },
  "adminBots.updateAcsConfiguration": {
    call: ({ adminBots }) =>
      adminBots.acsConfiguration.update(botId, {
        isUpdateBlobClient: true,
        blobClientConnectionString: Redacted.make("secret"),
        isUpdateSearchClient: false,
        useSemanticSearch: true,
        maxResults: 3
      }),
    answer: nothing,
    method: "PUT",
    path: "/api/admin/bots/bot%201/acsBotConfiguration",
    body: {
      isUpdateBlobClient: true,
      blobClientConnectionString: "secret",
      isUpdateSearchClient: false,
      searchClientEndpoint: null,
      searchClientCredential: null,
      indexName: null,
      indexFields: null,
      useSemanticSearch: true,
      semanticSearchConfigurationName: null,
      maxResults: 3,
      maxCharsTotal: null
    }
  },
  "adminBots.getSearchConfiguration": {
    call: ({ adminBots }) => adminBots.searchConfiguration.get(botId),
    answer: () => json({}),
    method: "GET",
    path: "/api/admin/bots/bot%201/azureOpenAISearchBotConfiguration"
  },
  "adminBots.updateSearchConfiguration": {
    call: ({ adminBots }) =>
      adminBots.searchConfiguration.update(botId, {
        isUpdateBlobClient: false,
        isUpdateSearchClient: true,
        searchClientEndpoint: "https://e",
        searchClientCredential: Redacted.make("secret"),
        temperature: 0.5,
        searchShouldRestrictResultScope: false
      }),
    answer: nothing,
    method: "PUT",
    path: "/api/admin/bots/bot%201/azureOpenAISearchBotConfiguration",
    body: {
      isUpdateBlobClient: false,
      blobClientConnectionString: null,
      isUpdateSearchClient: true,
      searchClientEndpoint: "https://e",
      searchClientCredential: "secret",
      indexName: null,
      semanticSearchConfigurationName: null,
      embeddingModelName: null,
      maxResults: null,
      temperature: 0.5,
      searchFilter: null,
      searchStrictness: null,
      searchShouldRestrictResultScope: false
    }
  },
  "adminBots.getConfiguration": {
    call: ({ adminBots }) => adminBots.configuration.get(botId),
    answer: () => json({ configurationRaw: "{}" }),
    method: "GET",
    path: "/api/admin/bots/bot%201/configuration"
  },
  "adminBots.updateConfiguration": {
    call: ({ adminBots }) => adminBots.configuration.update(botId, "{}"),
    answer: nothing,
    method: "PUT",
    path: "/api/admin/bots/bot%201/configuration",
    body: { configurationRaw: "{}" }
  },
  "bots.search": {
    call: ({ bots }) => bots.search(botId, "hello"),
    answer: () => json("id"),
    method: "POST",
    path: "/api/bots/bot%201/search",
    body: { userMessage: "hello" },
    accept: bareText
  },
  "bots.list": { call: ({ bots }) => bots.list(), answer: emptyPage, method: "GET", path: "/api/bots" },
  "bots.listByStartBot": {
    call: ({ bots }) => bots.listByStartBot(botId, { pageSize: 1, pageNumber: undefined }),
    answer: emptyPage,
    method: "GET",
    path: "/api/bots/bystartbot/bot%201?PageSize=1"
  },
  "bots.startBots": {
    call: ({ bots }) => bots.startBots(paging),
    answer: emptyPage,
    method: "GET",
    path: `/api/bots/startbots?${pagingQuery}`
  },
  "bots.image": {
    call: ({ bots }) => bots.image(botId),
    answer: () => new Response("png", { headers: { "content-type": "image/png" } }),
    method: "GET",
    path: "/api/bots/botimage/bot%201",
    accept: "*/*"
  },
  "bots.stopAll": { call: ({ bots }) => bots.stopAll, answer: () => json(true), method: "GET", path: "/api/bots/stop" },
  "cache.clear": { call: ({ cache }) => cache.clear, answer: () => json({}), method: "DELETE", path: "/cache" },
  "chats.create": {
    call: ({ chats }) => chats.create(botId),
    answer: chat,
    method: "POST",
    path: "/api/chats",
    body: { botId }
  },
  "chats.createByBotCode": {
    call: ({ chats }) => chats.createByBotCode("guide"),
    answer: chat,
    method: "POST",
    path: "/api/chats/create/bybotcode",
    body: { botCode: "guide" }
  },
  "chats.complete": {
    call: ({ chats }) => chats.complete(chatId, "hello"),
    answer: () => json({ completionId: "x" }),
    method: "POST",
    path: "/api/chats/chat%2F1/completions",
    body: { userMessage: "hello", ignoreChatHistory: false, isAdminChat: false, isTraceLogEnabled: false }
  },
  "chats.stop": {
    call: ({ chats }) => chats.stop(chatId, completionId),
    answer: nothing,
    method: "POST",
    path: "/api/chats/chat%2F1/completions/c%3F1/stop"
  },
  "chats.openBot": {
    call: ({ chats }) => chats.openBot,
    answer: () => json({}),
    method: "GET",
    path: "/api/chats/OpenChatBotId"
  },
  "chats.get": {
    call: ({ chats }) => chats.get(chatId),
    answer: chat,
    method: "GET",
    path: "/api/chats/chat%2F1"
  },
  "chats.delete": {
    call: ({ chats }) => chats.delete(chatId),
    answer: nothing,
    method: "DELETE",
    path: "/api/chats/chat%2F1"
  },
  "chats.feedback": {
    call: ({ chats }) =>
      chats.feedback(chatId, {
        userMessage: "q",
        assistantMessage: "a",
        messageCreatedUtc: DateTime.makeUnsafe("2026-01-02T03:04:05Z"),
        voteId: -1
      }),
    answer: () => json({ feedbackId: "f" }),
    method: "POST",
    path: "/api/chats/chat%2F1/feedback",
    body: {
      chatId,
      userMessage: "q",
      assistantMessage: "a",
      messageCreatedUtc: "2026-01-02T03:04:05.000Z",
      userComment: null,
      voteId: -1
    }
  },
  "chats.rename": {
    call: ({ chats }) => chats.rename(chatId, "name"),
    answer: nothing,
    method: "PUT",
    path: "/api/chats/chat%2F1/displayName",
    body: { displayName: "name" }
  },
  "chats.setUserSystemMessage": {
    call: ({ chats }) => chats.setUserSystemMessage(chatId, userSystemMessageId),
    answer: nothing,
    method: "PUT",
    path: "/api/chats/chat%2F1/userSystemMessage",
    body: { userSystemMessageId }
  },
  "chats.removeUserSystemMessage": {
    call: ({ chats }) => chats.removeUserSystemMessage(chatId),
    answer: nothing,
    method: "DELETE",
    path: "/api/chats/chat%2F1/userSystemMessage"
  },
  "chats.createTicket": {
    call: ({ chats }) => chats.createTicket(chatId),
    answer: () => json("t"),
    method: "POST",
    path: "/api/chats/chat%2F1/tickets",
    accept: bareText
  },
  "chats.download": {
    call: ({ chats }) => chats.download(chatId, "docs/a b?.md", { ticket: Ticket.make("t&1") }),
    answer: () => text("x"),
    method: "GET",
    path: "/api/chats/chat%2F1/downloads/docs/a%20b%3F.md?ticket=t%261",
    accept: "*/*"
  },
  "statistics.recompute": {
    call: ({ statistics }) => statistics.recompute,
    answer: nothing,
    method: "PUT",
    path: "/api/statistic"
  },
  "statistics.tokenUsage": {
    call: ({ statistics }) =>
      statistics.tokenUsage({
        botId,
        tokenUsageTypeId: 1,
        fromRequestDate: PlainDate.make("2026-01-02"),
        toRequestDate: PlainDate.make("2026-02-03"),
        ...paging
      }),
    answer: emptyPage,
    method: "GET",
    path: `/api/statistic/tokenUsageStatistic?BotId=bot+1&TokenUsageTypeId=1&FromRequestDate=2026-01-02&ToRequestDate=2026-02-03&${pagingQuery}`
  },
  "system.status": {
    call: ({ system }) => system.status,
    answer: () => json({}),
    method: "GET",
    path: "/api/System/status/current"
  },
  "system.setStatus": {
    call: ({ system }) => system.setStatus("down at noon"),
    answer: nothing,
    method: "PUT",
    path: "/api/System/status/current",
    body: { value: "down at noon" }
  },
  "users.current": {
    call: ({ users }) => users.current,
    answer: () => json({ id: 1 }),
    method: "GET",
    path: "/api/users/current"
  },
  "users.update": {
    call: ({ users }) =>
      users.update({ isKeepChatHistory: true, keepChatHistoryForDays: 7, isKeepFavoritesForever: false }),
    answer: nothing,
    method: "PUT",
    path: "/api/users/current",
    body: { isKeepChatHistory: true, keepChatHistoryForDays: 7, isKeepFavoritesForever: false }
  },
  "users.acceptTerms": {
    call: ({ users }) => users.acceptTerms,
    answer: nothing,
    method: "PUT",
    path: "/api/users/current/acceptTerms"
  },
  "users.deleteChats": {
    call: ({ users }) => users.deleteChats({ keepFavorites: true }),
    answer: nothing,
    method: "DELETE",
    path: "/api/users/current/chats/all/true"
  },
  "users.deleteChat": {
    call: ({ users }) => users.deleteChat(chatId),
    answer: nothing,
    method: "DELETE",
    path: "/api/users/current/chats/byid/chat%2F1"
  },
  "users.deleteCompletion": {
    call: ({ users }) => users.deleteCompletion(chatId, completionId),
    answer: nothing,
    method: "DELETE",
    path: "/api/users/current/chats/chat%2F1/completion/c%3F1"
  },
  "users.deleteChatsByBot": {
    call: ({ users }) => users.deleteChatsByBot(botId, { keepFavorites: false }),
    answer: nothing,
    method: "DELETE",
    path: "/api/users/current/chats/bybot/bot%201/false"
  },
  "users.deleteChatsByBotAndSystemMessage": {
    call: ({ users }) => users.deleteChatsByBotAndSystemMessage(botId, userSystemMessageId, { keepFavorites: true }),
    answer: nothing,
    method: "DELETE",
    path: "/api/users/current/chats/bybot/bot%201/%C3%BC1/true"
  },
  "users.chatsByBot": {
    call: ({ users }) => users.chatsByBot(botId, { onlyFavorites: false }),
    answer: emptyPage,
    method: "GET",
    path: "/api/users/current/chats/bot%201?OnlyFavorites=false"
  },
  "users.chatsByBotAndSystemMessage": {
    call: ({ users }) => users.chatsByBotAndSystemMessage(botId, userSystemMessageId),
    answer: emptyPage,
    method: "GET",
    path: "/api/users/current/chats/bot%201/%C3%BC1"
  },
  "users.chats": {
    call: ({ users }) => users.chats({ onlyFavorites: true, ...paging }),
    answer: emptyPage,
    method: "GET",
    path: `/api/users/current/chats?OnlyFavorites=true&${pagingQuery}`
  },
  "users.setFavorite": {
    call: ({ users }) => users.setFavorite(chatId, true),
    answer: nothing,
    method: "PUT",
    path: "/api/users/current/chats/chat%2F1/isfavorite",
    body: { isFavorite: true }
  },
  "users.listSystemMessages": {
    call: ({ users }) => users.systemMessages.list(),
    answer: emptyPage,
    method: "GET",
    path: "/api/users/current/userSystemMessage"
  },
  "users.createSystemMessage": {
    call: ({ users }) => users.systemMessages.create({ displayName: "d", systemMessage: "m" }),
    answer: () => json("id"),
    method: "POST",
    path: "/api/users/current/userSystemMessage",
    body: { displayName: "d", systemMessage: "m" },
    accept: bareText
  },
  "users.getSystemMessage": {
    call: ({ users }) => users.systemMessages.get(userSystemMessageId),
    answer: () => json({ userSystemMessageId }),
    method: "GET",
    path: "/api/users/current/userSystemMessage/%C3%BC1"
  },
  "users.updateSystemMessage": {
    call: ({ users }) => users.systemMessages.update(userSystemMessageId, { displayName: "d", systemMessage: "m" }),
    answer: nothing,
    method: "PUT",
    path: "/api/users/current/userSystemMessage/%C3%BC1",
    body: { displayName: "d", systemMessage: "m" }
  },
  "users.deleteSystemMessage": {
    call: ({ users }) => users.systemMessages.delete(userSystemMessageId),
    answer: nothing,
    method: "DELETE",
    path: "/api/users/current/userSystemMessage/%C3%BC1"
  },
  "users.countSystemMessages": {
    call: ({ users }) => users.systemMessages.count,
    answer: () => json({ systemMessageCount: 3 }),
    method: "GET",
    path: "/api/users/current/userSystemMessageCount"
  }
}

/** The class of every endpoint, by its name. */
export const classes: ReadonlyMap<string, RetryClass> = new Map(
  Object.values(Api.groups).flatMap((group) =>
    Object.values(group.endpoints).map((endpoint) => [
      `${group.identifier}.${endpoint.identifier}`,
      Context.get(endpoint.annotations, RetryClass)
    ])
  )
)

/** What is answered with events alone: `chats.stream` reads them. */
export const streamed: ReadonlyArray<string> = ["chats.events"]
