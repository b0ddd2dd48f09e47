/** Breaks of what users and bots do: the 46 operations, without streams, keys and the rules of access. */
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Stream from "effect/Stream"
import type { OperationName } from "../../src/internal/conformance/operations.ts"
import {
  andThen,
  type Answer,
  asks,
  bodies,
  type Break,
  checksOf,
  done,
  having,
  type Head,
  heads,
  items,
  meeting,
  never,
  nothing,
  payloads,
  problems,
  renamed,
  restream,
  row,
  to,
  where,
  without,
  withQuery
} from "./Break.ts"

const snake = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

const snakeCase = (body: object) =>
  Object.fromEntries(Object.entries(body).map(([name, value]) => [snake(name), value]))

/** A backend that does not know this parameter. */
const ignoring = (parameter: string) => (request: HttpClientRequest.HttpClientRequest) =>
  withQuery(request, (query) => query.delete(parameter))

/** The same request to another path, with its query. */
const moved = (request: HttpClientRequest.HttpClientRequest, path: string) =>
  HttpClientRequest.updateUrl(request, (url) => new URL(path, url).href)

const contentTypeOf = ({ body, headers }: HttpClientRequest.HttpClientRequest) =>
  headers["content-type"] ?? (body._tag === "Uint8Array" ? body.contentType : undefined)

const utf8 = (text: string) => new TextEncoder().encode(text)

const inHtml = "<!doctype html><title>Chatbot</title><h1>Chatbot</h1>"

const asHtml = ({ headers }: { readonly headers: Readonly<Record<string, string>> }) => ({
  status: 200,
  headers: { ...headers, "content-type": "text/html; charset=utf-8" },
  text: inHtml
})

/** As frameworks show a developer what went wrong. */
const crash = ({ headers }: Head): Answer => ({
  status: 500,
  headers: { ...headers, "content-type": "text/plain; charset=utf-8" },
  text: "System.NullReferenceException: Object reference not set to an instance of an object.\n   at AiChatBot.Api.Bots.Search(String botId) in /src/Bots.cs:line 42"
})

const isName = (name: unknown) => typeof name === "string" && name !== "" && name.length < 200

const isTrue = (flag: string | undefined) => flag?.toLowerCase() === "true"

/** Another body of what is answered with 200, as it comes. */
const instead = (name: OperationName, body: Stream.Stream<Uint8Array, unknown>) =>
  meeting(name, ({ request }, send) =>
    Effect.map(send(request), (response) => (response.status === 200 ? restream(request, response, body) : response))
  )

/** The checks that read the list of bots. */
const allOfBots = checksOf(
  ["bots.list"],
  "answers-as-described",
  "searches",
  "orders",
  "gives-pages-of-20",
  "leaves-out-what-cannot-be-used",
  "pages"
)

/** What answers are made of. */
const shapes: ReadonlyArray<Break> = [
  row(
    "a new chat has no id",
    bodies("chats.create", without("chatId")),
    "chats.create/answers-as-described",
    "chats.create/reads-all-kinds-of-json"
  ),
  row(
    "a new chat has null for its id",
    bodies("chats.create", having("chatId", null)),
    "chats.create/answers-as-described",
    "chats.create/reads-all-kinds-of-json"
  ),
  row(
    "a new chat by a code has no id",
    bodies("chats.createByBotCode", without("chatId")),
    "chats.createByBotCode/answers-as-described"
  ),
  row(
    "a new chat has fields in snake case",
    bodies("chats.create", snakeCase),
    "chats.create/answers-as-described",
    "chats.create/reads-all-kinds-of-json"
  ),
  row(
    "a new chat has a text for a flag",
    bodies("chats.create", having("isUserSystemMessageSupported", String)),
    "chats.create/answers-as-described"
  ),
  row(
    "a chat has a number for its name",
    bodies("chats.get", having("displayName", 7)),
    "chats.get/answers-as-described"
  ),
  row(
    "a chat has null for its questions",
    bodies("chats.get", having("completions", null)),
    "chats.get/answers-as-described"
  ),
  row("a chat has no time", bodies("chats.get", having("createdUtc", null)), "chats.get/answers-as-described"),
  row(
    "a chat has a time that is none",
    bodies("chats.get", having("createdUtc", "yesterday")),
    "chats.get/answers-as-described"
  ),
  row("a chat has a field of its own", bodies("chats.get", having("_links", {})), "chats.get/answers-as-described"),
  row(
    "an answer has no text",
    bodies("chats.complete", without("assistantMessage")),
    "chats.complete/answers-as-described",
    "chats.complete/is-kept"
  ),
  row(
    "an answer has no id",
    bodies("chats.complete", without("completionId")),
    ...checksOf(
      ["chats.complete"],
      "answers-as-described",
      "is-kept",
      "answers-json-by-default",
      "streams-only-where-preferred"
    )
  ),
  row(
    "an answer has its tokens as texts",
    bodies("chats.complete", having("totalTokens", String)),
    ...checksOf(["chats.complete"], "answers-as-described", "answers-json-by-default", "streams-only-where-preferred")
  ),
  row(
    "an answer has null for its meta data",
    bodies("chats.complete", having("metaData", null)),
    ...checksOf(["chats.complete"], "answers-as-described", "answers-json-by-default", "streams-only-where-preferred")
  ),
  row(
    "an answer counts its tokens wrongly",
    bodies(
      "chats.complete",
      having("totalTokens", (tokens: number) => tokens + 1)
    ),
    "chats.complete/answers-as-described"
  ),
  row("feedback has no id", bodies("chats.feedback", without("feedbackId")), "chats.feedback/answers-as-described"),
  row(
    "the open bot is a bare id",
    bodies("chats.openBot", ({ openChatBotId }) => openChatBotId),
    "chats.openBot/answers-as-described"
  ),
  row(
    "a ticket is an object",
    bodies("chats.createTicket", (ticket) => ({ ticket })),
    "chats.createTicket/answers-as-described"
  ),
  row(
    "a ticket is a bare text for whoever wants JSON",
    asks("chats.createTicket", (request) => HttpClientRequest.setHeader(request, "accept", "text/plain")),
    "chats.createTicket/answers-as-described"
  ),
  row(
    "bots are a bare list",
    bodies("bots.list", ({ items }) => items),
    ...allOfBots
  ),
  row(
    "bots have null for their items",
    bodies("bots.list", having("items", null)),
    ...checksOf(["bots.list"], "answers-as-described", "searches", "orders", "pages")
  ),
  row(
    "a bot has no id",
    items("bots.list", without("botId")),
    ...checksOf(["bots.list"], "answers-as-described", "searches", "orders", "pages")
  ),
  row("bots are HTML", where("bots.list", 200, asHtml), ...allOfBots),
  row(
    "the bots of a start bot have their texts under other names",
    items("bots.listByStartBot", renamed("displayName", "name")),
    "bots.listByStartBot/answers-as-described"
  ),
  row(
    "the start bots are no page",
    bodies("bots.startBots", without("totalItemCount")),
    ...checksOf(["bots.startBots"], "searches", "gives-pages-of-20", "has-start-bots-alone", "pages")
  ),
  row(
    "a search answers an object",
    bodies("bots.search", (botId) => ({ botId })),
    "bots.search/answers-as-described",
    "bots.search/finds-by-keyword"
  ),
  row(
    "an image is JSON",
    heads("bots.image", ({ headers, status }) => ({
      status,
      headers: { ...headers, "content-type": "application/json" }
    })),
    "bots.image/gives-an-image"
  ),
  row("stopping all bots answers a number", bodies("bots.stopAll", Number), "bots.stopAll/answers-as-described"),
  row("clearing the caches answers nothing", where("cache.clear", 200, done), "cache.clear/answers-as-described"),
  row(
    "the current user has a text for an id",
    bodies("users.current", having("id", String)),
    "users.current/answers-as-described"
  ),
  row("the current user has no login", bodies("users.current", without("login")), "users.current/answers-as-described"),
  row(
    "the current user has roles in one text",
    bodies(
      "users.current",
      having("roles", (roles: ReadonlyArray<string>) => roles.join(","))
    ),
    "users.current/answers-as-described"
  ),
  row(
    "the number of system messages is a bare number",
    bodies("users.countSystemMessages", ({ systemMessageCount }) => systemMessageCount),
    "users.countSystemMessages/answers-as-described"
  ),
  row(
    "a new system message is an object",
    bodies("users.createSystemMessage", (userSystemMessageId) => ({ userSystemMessageId })),
    "users.createSystemMessage/answers-as-described"
  ),
  row(
    "a system message has no text",
    bodies("users.getSystemMessage", without("systemMessage")),
    "users.getSystemMessage/answers-as-described",
    "users.updateSystemMessage/answers-as-described"
  ),
  row(
    "the status is a bare text",
    bodies("system.status", ({ value }) => value),
    "system.status/answers-as-described"
  ),
  row(
    "the days of the statistic are times",
    items(
      "statistics.tokenUsage",
      having("requestDate", (date: string) => `${date}T00:00:00Z`)
    ),
    "statistics.tokenUsage/answers-as-described"
  ),
  row(
    "a new chat is 201",
    where("chats.create", 200, (answer) => ({ ...answer, status: 201 })),
    "chats.create/answers-as-described"
  ),
  row(
    "an answer without content is 204",
    where("chats.rename", 200, (answer) => ({ ...answer, status: 204 })),
    "chats.rename/answers-as-described"
  ),
  row(
    "an answer without content has some",
    where("statistics.recompute", 200, ({ headers, status }) => ({
      status,
      headers: { ...headers, "content-type": "application/json" },
      text: "true"
    })),
    "statistics.recompute/answers-as-described"
  ),
  row(
    "a file is empty",
    where("chats.download", 200, (answer) => ({ ...answer, text: "" })),
    "chats.download/gives-the-file"
  ),
  row(
    "a bare text has quotes for whoever wants none",
    asks("chats.createTicket", (request) => HttpClientRequest.setHeader(request, "accept", "application/json")),
    "chats.createTicket/is-plain-where-that-is-preferred"
  ),
  row(
    "JSON has the type of a text",
    where("chats.get", 200, ({ headers, ...answer }) => ({
      ...answer,
      headers: { ...headers, "content-type": "text/plain; charset=utf-8" }
    })),
    "chats.get/answers-as-described"
  )
]

/** What is done, and what is not. */
const effects: ReadonlyArray<Break> = [
  row(
    "a chat is not deleted",
    nothing("chats.delete", ({ request }) => HttpClientRequest.setMethod(request, "GET")),
    "chats.delete/answers-as-described"
  ),
  row(
    "a chat of the user is not deleted",
    nothing("users.deleteChat", ({ params, request }) =>
      HttpClientRequest.setMethod(to(request, `/api/chats/${params["chatid"]}`), "GET")
    ),
    "users.deleteChat/answers-as-described"
  ),
  row(
    "the chats of the user are not deleted",
    nothing("users.deleteChats", ({ params, request }) =>
      to(request, `/api/users/current/chats/bybot/none/${params["keepfavorites"]}`)
    ),
    "users.deleteChats/answers-as-described"
  ),
  row(
    "favourites are deleted though they are to be kept",
    asks("users.deleteChats", (request, { params }) =>
      isTrue(params["keepfavorites"]) ? to(request, "/api/users/current/chats/all/false") : request
    ),
    "users.deleteChats/answers-as-described"
  ),
  row(
    "a question is not deleted",
    nothing("users.deleteCompletion", ({ params, request }) =>
      HttpClientRequest.setMethod(
        to(request, `/api/chats/${params["chatid"]}/completions/${params["completionid"]}/stop`),
        "POST"
      )
    ),
    "users.deleteCompletion/answers-as-described"
  ),
  row(
    "deleting the chats of a bot deletes those of all",
    asks("users.deleteChatsByBot", (request, { params }) =>
      to(request, `/api/users/current/chats/all/${params["keepfavorites"]}`)
    ),
    "users.deleteChatsByBot/answers-as-described"
  ),
  row(
    "a chat keeps its old name",
    payloads(
      "chats.rename",
      having("displayName", (name: unknown) => (isName(name) ? "Chat" : name))
    ),
    "chats.rename/answers-as-described",
    "users.chatsByBot/searches",
    "users.chatsByBot/orders",
    "users.chatsByBotAndSystemMessage/searches",
    "users.chatsByBotAndSystemMessage/orders",
    "users.chats/searches",
    "users.chats/orders"
  ),
  row(
    "a chat is never a favourite",
    payloads("users.setFavorite", having("isFavorite", false)),
    "users.deleteChats/answers-as-described",
    "users.deleteChatsByBot/answers-as-described",
    "users.deleteChatsByBotAndSystemMessage/answers-as-described",
    "users.chatsByBot/has-favourites-alone-where-asked",
    "users.chatsByBotAndSystemMessage/has-favourites-alone-where-asked",
    "users.chats/has-favourites-alone-where-asked",
    "users.setFavorite/answers-as-described"
  ),
  row(
    "a chat stays a favourite",
    payloads("users.setFavorite", having("isFavorite", true)),
    "users.setFavorite/answers-as-described"
  ),
  row(
    "a chat does not take a system message",
    andThen("chats.setUserSystemMessage", ({ request }) =>
      HttpClientRequest.setBody(HttpClientRequest.setMethod(request, "DELETE"), HttpBody.empty)
    ),
    "chats.setUserSystemMessage/answers-as-described",
    "users.deleteChatsByBotAndSystemMessage/answers-as-described",
    ...checksOf(
      ["users.chatsByBotAndSystemMessage"],
      "answers-as-described",
      "searches",
      "orders",
      "has-favourites-alone-where-asked",
      "leaves-out-other-chats",
      "pages"
    )
  ),
  row(
    "a chat keeps its system message",
    nothing("chats.removeUserSystemMessage", ({ params, request }) =>
      HttpClientRequest.setMethod(to(request, `/api/chats/${params["chatId"]}`), "GET")
    ),
    "chats.removeUserSystemMessage/answers-as-described"
  ),
  row(
    "a system message keeps its old text",
    payloads("users.updateSystemMessage", having("systemMessage", "Be brief.")),
    "users.updateSystemMessage/answers-as-described"
  ),
  row(
    "a system message is not deleted",
    nothing("users.deleteSystemMessage", ({ request }) => HttpClientRequest.setMethod(request, "GET")),
    "users.deleteSystemMessage/answers-as-described"
  ),
  row(
    "the system messages are counted on one page",
    bodies("users.countSystemMessages", having("systemMessageCount", 1)),
    "users.countSystemMessages/answers-as-described"
  ),
  row(
    "the settings of the user stay as they are",
    payloads("users.update", having("keepChatHistoryForDays", 30)),
    "users.update/answers-as-described"
  ),
  row(
    "the terms are never accepted",
    bodies("users.current", having("isTermsAccepted", false)),
    "users.acceptTerms/answers-as-described"
  ),
  row(
    "a question is not in its chat",
    bodies("chats.get", having("completions", [])),
    "chats.complete/is-kept",
    "users.deleteCompletion/answers-as-described",
    "chats.complete/streams-what-is-kept",
    "chats.stop/keeps-what-was-said",
    "chats.complete/asks-once-with-its-key"
  ),
  row(
    "a question is another in its chat",
    bodies(
      "chats.get",
      having("completions", (completions: ReadonlyArray<object>) =>
        completions.map(having("userMessage", "What is it?"))
      )
    ),
    "chats.complete/is-kept"
  ),
  row(
    "an answer is to another question",
    bodies("chats.complete", having("userMessage", "What is it?")),
    "chats.complete/answers-as-described"
  ),
  row(
    "an answer is of another chat",
    bodies("chats.complete", having("chatId", "019a0000-0000-7000-8000-000000000000")),
    "chats.complete/answers-as-described"
  ),
  row(
    "a chat by a code is with another bot",
    bodies("chats.createByBotCode", having("botId", "019a0000-0000-7000-8000-000000000000")),
    "bots.search/answers-as-described",
    "chats.createByBotCode/answers-as-described"
  ),
  row(
    "the status stays as it is",
    payloads("system.setStatus", having("value", "All is well.")),
    "system.setStatus/answers-as-described"
  ),
  row(
    "a search names no bot",
    bodies("bots.search", () => "019a0000-0000-7000-8000-000000000000"),
    "bots.search/finds-by-keyword"
  )
]

/** What is on which list. */
const lists: ReadonlyArray<Break> = [
  row(
    "the favourites are all chats",
    asks(["users.chats", "users.chatsByBot", "users.chatsByBotAndSystemMessage"], ignoring("OnlyFavorites")),
    "users.chatsByBot/has-favourites-alone-where-asked",
    "users.chatsByBotAndSystemMessage/has-favourites-alone-where-asked",
    "users.chats/has-favourites-alone-where-asked"
  ),
  row(
    "the chats of a bot are those of all",
    asks("users.chatsByBot", (request) => moved(request, "/api/users/current/chats")),
    "users.chatsByBot/leaves-out-other-chats"
  ),
  row(
    "the chats with a system message are those without too",
    asks("users.chatsByBotAndSystemMessage", (request, { params }) =>
      moved(request, `/api/users/current/chats/${params["botid"]}`)
    ),
    "users.chatsByBotAndSystemMessage/leaves-out-other-chats"
  ),
  row(
    "the start bots are all bots",
    asks("bots.startBots", (request) => moved(request, "/api/bots")),
    "bots.startBots/has-start-bots-alone"
  ),
  row(
    "the bots of a start bot are all bots",
    meeting("bots.listByStartBot", (exchange, send) =>
      Effect.filterOrElse(
        send(exchange.request),
        ({ status }) => status !== 200,
        () => send(moved(exchange.request, "/api/bots"))
      )
    ),
    "bots.listByStartBot/leaves-out-other-bots"
  ),
  row(
    "the statistic is of all bots",
    asks("statistics.tokenUsage", ignoring("BotId")),
    "statistics.tokenUsage/answers-as-described"
  ),
  row(
    "the statistic is of all kinds",
    asks("statistics.tokenUsage", ignoring("TokenUsageTypeId")),
    "statistics.tokenUsage/selects"
  ),
  row(
    "the statistic has no end",
    asks("statistics.tokenUsage", ignoring("ToRequestDate")),
    "statistics.tokenUsage/selects"
  )
]

/** What is refused, and how. */
const refusals: ReadonlyArray<Break> = [
  row(
    "a chat that is missing is null",
    where("chats.get", 404, ({ headers }) => ({
      status: 200,
      headers: { ...headers, "content-type": "application/json" },
      text: "null"
    })),
    "chats.get/misses-with-404",
    "chats.get/tells-in-a-problem-what-is-missing",
    "chats.delete/answers-as-described",
    "users.deleteChats/answers-as-described",
    "users.deleteChat/answers-as-described",
    "users.deleteChatsByBot/answers-as-described",
    "users.deleteChatsByBotAndSystemMessage/answers-as-described"
  ),
  row("deleting what is missing is 200", where("chats.delete", 404, done), "chats.delete/misses-with-404"),
  row(
    "a body of XML is 400",
    where("chats.create", 415, (answer) => ({ ...answer, status: 400 })),
    "chats.create/refuses-other-types"
  ),
  row(
    "the statistic of days that are none is 500",
    where("statistics.tokenUsage", 400, crash),
    "statistics.tokenUsage/refuses-other-queries"
  ),
  row(
    "problems have no type",
    problems("chats.get", 404, without("type")),
    "chats.get/tells-in-a-problem-what-is-missing"
  ),
  row(
    "problems have another status",
    problems("chats.get", 404, having("status", 400)),
    "chats.get/tells-in-a-problem-what-is-missing"
  ),
  row(
    "problems are plain JSON",
    where("chats.get", 404, ({ headers, ...answer }) => ({
      ...answer,
      headers: { ...headers, "content-type": "application/json" }
    })),
    "chats.get/tells-in-a-problem-what-is-missing"
  ),
  row(
    "problems are HTML",
    where("chats.get", 404, (answer) => ({ ...asHtml(answer), status: 404 })),
    "chats.get/tells-in-a-problem-what-is-missing"
  ),
  row(
    "what is not JSON is 500",
    where("chats.create", 400, crash),
    ...checksOf(
      ["chats.create"],
      "refuses-what-is-no-json",
      "refuses-a-body-that-lacks-something",
      "tells-nothing-of-its-insides"
    )
  ),
  row(
    "a flag in a path may be anything",
    asks("users.deleteChats", (request, { params }) =>
      /^(true|false)$/i.test(params["keepfavorites"] ?? "") ? request : to(request, "/api/users/current/chats/all/true")
    ),
    "users.deleteChats/refuses-what-is-neither-true-nor-false"
  ),
  row(
    "a flag in a path may be anything, of a bot",
    asks("users.deleteChatsByBot", (request, { params }) =>
      /^(true|false)$/i.test(params["keepfavorites"] ?? "")
        ? request
        : to(request, `/api/users/current/chats/bybot/${params["botid"]}/true`)
    ),
    "users.deleteChatsByBot/refuses-what-is-neither-true-nor-false"
  ),
  row(
    "a flag in a path must be in lower case",
    asks(["users.deleteChats", "users.deleteChatsByBot"], (request, { params }) =>
      /[A-Z]/.test(params["keepfavorites"] ?? "") ? to(request, "/api/users/current/chats/all/maybe") : request
    ),
    "users.deleteChats/answers-as-described",
    "users.deleteChatsByBot/answers-as-described"
  ),
  row(
    "text/json is refused",
    meeting("chats.create", ({ request }, send) =>
      contentTypeOf(request) === "application/json"
        ? send(request)
        : send(HttpClientRequest.setHeader(request, "content-type", "application/x-unknown"))
    ),
    "chats.create/reads-all-kinds-of-json"
  ),
  row(
    "a bot that is missing has a chat",
    where("chats.create", 404, ({ headers }) => ({
      status: 200,
      headers: { ...headers, "content-type": "application/json" },
      text: JSON.stringify({ chatId: "1", isUserSystemMessageSupported: false })
    })),
    ...checksOf(["chats.create"], "misses-with-404", "hides-bots-that-are-not-public", "tells-nothing-of-its-insides")
  ),
  row(
    "an empty question is answered",
    payloads("chats.complete", (payload) => ({ ...payload, userMessage: payload.userMessage || "Well?" })),
    "chats.complete/refuses-a-body-that-lacks-something"
  )
]

/** Backends that are hardly there. */
const transports: ReadonlyArray<Break> = [
  row(
    "an operation is somewhere else",
    where("bots.list", 200, ({ headers }) => ({
      status: 302,
      headers: { ...headers, location: "/api/v2/bots" },
      text: ""
    })),
    ...allOfBots
  ),
  row(
    "an operation is not there",
    asks("chats.feedback", (request) => to(request, "/nowhere")),
    "chats.feedback/answers-as-described",
    "chats.feedback/refuses-other-tokens"
  ),
  row(
    "an operation crashes and tells all",
    where("bots.search", 200, crash),
    "bots.search/answers-as-described",
    "bots.search/finds-by-keyword"
  ),
  row(
    "an answer never comes",
    meeting("chats.openBot", () => never),
    ...checksOf(["chats.openBot"], "answers-as-described", "matches-in-any-case", "refuses-other-tokens")
  ),
  row(
    "an answer never ends",
    instead("users.current", Stream.concat(Stream.succeed(utf8("{")), Stream.fromEffect(never))),
    ...checksOf(
      ["users.current"],
      "answers-as-described",
      "is-kept-by-no-cache",
      "is-of-no-other-type",
      "is-for-no-other-origin"
    )
  ),
  row(
    "a connection is cut in a body",
    instead("bots.list", Stream.concat(Stream.succeed(utf8('{"items":[')), Stream.fail("reset"))),
    ...allOfBots
  ),
  row(
    "an answer has no end of bytes",
    instead("bots.startBots", Stream.forever(Stream.succeed(utf8(" ".repeat(65_536))))),
    ...checksOf(
      ["bots.startBots"],
      "answers-as-described",
      "searches",
      "orders",
      "gives-pages-of-20",
      "has-start-bots-alone",
      "pages"
    )
  )
]

/** Every break of this kind. */
export const coreBreaks: ReadonlyArray<Break> = [...shapes, ...effects, ...lists, ...refusals, ...transports]
