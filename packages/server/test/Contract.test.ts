import type { Api } from "@effect-chatbot/api/Api"
import { Vote } from "@effect-chatbot/schema/Chat"
import { BotId, ChatId, CompletionId, OpenAiServiceId, Ticket, UserSystemMessageId } from "@effect-chatbot/schema/Ids"
import { TokenUsageType } from "@effect-chatbot/schema/TokenUsage"
import { assert, layer } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as HttpApi from "effect/http-api/HttpApi"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { send } from "./support/raw.ts"
import { TestBackend } from "./support/TestBackend.ts"

type Groups = typeof Api extends HttpApi.HttpApi<infer _Id, infer G> ? G : never
type EndpointName = Groups extends infer G
  ? G extends { readonly identifier: infer I extends string; readonly endpoints: infer E }
    ? `${I}.${keyof E & string}`
    : never
  : never

type Scenario = Effect.Effect<unknown, { readonly _tag: string }, TestBackend | Scope.Scope>

let logins = 0

/** A client of a user of its own, so that scenarios do not see each other. */
const someone = Effect.gen(function* () {
  const backend = yield* TestBackend
  const login = `user-${++logins}`
  return { login, client: yield* backend.client({ login }) }
})

const admin = Effect.flatMap(TestBackend, (backend) => backend.client("admin"))
const nobody = Effect.flatMap(TestBackend, (backend) => backend.client("nobody"))

/** A user with a chat in which a question was answered with sources. */
const someoneWithAnswer = Effect.gen(function* () {
  const { client, login } = yield* someone
  const chat = yield* client.chats.createByBotCode("client")
  const completion = yield* client.chats.complete(chat.chatId, chat.botSampleQuestion1 ?? "")
  const source = completion.metaData?.sources[0]
  assert.isDefined(source?.url)
  const url = new URL(source.url, "http://backend")
  const path = decodeURIComponent(url.pathname.slice(`/api/chats/${chat.chatId}/downloads/`.length))
  return { client, login, chat, completion, source, path }
})

const text = <E>(stream: Stream.Stream<Uint8Array, E>) => Stream.mkString(Stream.decodeText(stream))

/** What a call fails with; a call that succeeds fails the test. */
const failureOf = <E, R>(effect: Effect.Effect<unknown, E, R>): Effect.Effect<E, never, R> =>
  Effect.matchEffect(effect, {
    onFailure: Effect.succeed,
    onSuccess: () => Effect.die(new Error("This call should have failed"))
  })

const tagOf = <E extends { readonly _tag: string }, R>(effect: Effect.Effect<unknown, E, R>) =>
  Effect.map(failureOf(effect), (error) => error._tag)

const noChat = ChatId.make("00000000-0000-7000-8000-000000000000")
const noBot = BotId.make("00000000-0000-7000-8000-000000000000")
const noMessage = UserSystemMessageId.make("00000000-0000-7000-8000-000000000000")

/** What each endpoint does, through the client, over a socket, to the database and back. */
const scenarios: { readonly [Name in EndpointName]: Scenario } = {
  "admin.listOpenAiServices": Effect.gen(function* () {
    const client = yield* admin
    const id = yield* client.admin.openAiServices.create({ displayName: "Listed", isActive: true })
    const page = yield* client.admin.openAiServices.list({ searchFor: "listed" })
    assert.deepInclude(page.items, { id, displayName: "Listed", isActive: true })
    const items = yield* Stream.runCollect(client.admin.openAiServices.items({ pageSize: 1 }))
    assert.isTrue(items.some((item) => item.id === id))
    const { client: user } = yield* someone
    assert.strictEqual(yield* tagOf(user.admin.openAiServices.list()), "Forbidden")
  }),
  "admin.createOpenAiService": Effect.gen(function* () {
    const client = yield* admin
    const id = yield* client.admin.openAiServices.create({
      displayName: "New",
      isActive: true,
      azureOpenAiEndpoint: "https://example.org",
      azureOpenAiApiKey: Redacted.make("key-1")
    })
    assert.deepStrictEqual(yield* client.admin.openAiServices.get(id), {
      displayName: "New",
      isActive: true,
      isAzureOpenAiSet: true,
      azureOpenAiEndpoint: "https://example.org"
    })
    const error = yield* failureOf(
      client.admin.openAiServices.create({
        displayName: "Bad",
        isActive: true,
        azureOpenAiEndpoint: "ftp://example.org"
      })
    )
    assert.strictEqual(error._tag, "InvalidRequest")
  }),
  "admin.getOpenAiService": Effect.gen(function* () {
    const client = yield* admin
    assert.strictEqual(
      yield* tagOf(client.admin.openAiServices.get(OpenAiServiceId.make("nothing"))),
      "OpenAiServiceNotFound"
    )
  }),
  "admin.updateOpenAiService": Effect.gen(function* () {
    const client = yield* admin
    const id = yield* client.admin.openAiServices.create({
      displayName: "Before",
      isActive: true,
      azureOpenAiEndpoint: "https://before.example.org",
      azureOpenAiApiKey: Redacted.make("key-1")
    })
    yield* client.admin.openAiServices.update(id, {
      displayName: "After",
      isActive: false,
      isUpdateOpenAi: false,
      azureOpenAiEndpoint: "https://after.example.org"
    })
    const kept = yield* client.admin.openAiServices.get(id)
    assert.strictEqual(kept.azureOpenAiEndpoint, "https://before.example.org")
    assert.isTrue(kept.isAzureOpenAiSet)
    yield* client.admin.openAiServices.update(id, { displayName: "After", isActive: false, isUpdateOpenAi: true })
    assert.deepStrictEqual(yield* client.admin.openAiServices.get(id), {
      displayName: "After",
      isActive: false,
      isAzureOpenAiSet: false
    })
  }),
  "admin.deleteOpenAiService": Effect.gen(function* () {
    const client = yield* admin
    const id = yield* client.admin.openAiServices.create({ displayName: "Gone", isActive: true })
    yield* client.admin.openAiServices.delete(id)
    assert.strictEqual(yield* tagOf(client.admin.openAiServices.delete(id)), "OpenAiServiceNotFound")
  }),
  "bots.search": Effect.gen(function* () {
    const { client } = yield* someone
    const bots = yield* Stream.runCollect(client.bots.items())
    const start = bots.find((bot) => bot.isStartBot)
    const server = bots.find((bot) => bot.code === "server")
    assert.isDefined(start)
    assert.isDefined(server)
    const found = yield* client.bots.search(start.botId, "Which port does the backend listen on with pnpm serve?")
    assert.strictEqual(found, server.botId)
    assert.strictEqual(yield* client.bots.search(server.botId, "anything"), server.botId)
    assert.strictEqual(yield* tagOf(client.bots.search(noBot, "anything")), "BotNotFound")
    assert.strictEqual(yield* tagOf(client.bots.search(start.botId, "")), "InvalidRequest")
  }),
  "bots.list": Effect.gen(function* () {
    const { client } = yield* someone
    const page = yield* client.bots.list({ pageSize: 2, orderBy: "displayName" })
    assert.strictEqual(page.items.length, 2)
    assert.isTrue(page.hasNext)
    const all = yield* Stream.runCollect(client.bots.items({ pageSize: 1, orderBy: "displayName" }))
    assert.strictEqual(all.length, page.totalItemCount)
    assert.strictEqual(new Set(all.map((bot) => bot.botId)).size, all.length)
    assert.strictEqual(yield* tagOf(client.bots.list({ orderBy: "nothing" })), "InvalidRequest")
    assert.strictEqual(yield* tagOf(client.bots.list({ pageSize: 101 })), "InvalidRequest")
  }),
  "bots.listByStartBot": Effect.gen(function* () {
    const { client } = yield* someone
    const { items: starts } = yield* client.bots.startBots()
    const linked = yield* Stream.runCollect(client.bots.itemsByStartBot(starts[0]!.botId))
    assert.includeMembers(
      linked.map((bot) => bot.code),
      ["client", "api", "server"]
    )
    assert.strictEqual((yield* client.bots.listByStartBot(starts[0]!.botId, { pageSize: 1 })).items.length, 1)
    assert.strictEqual(yield* tagOf(client.bots.listByStartBot(noBot)), "BotNotFound")
  }),
  "bots.startBots": Effect.gen(function* () {
    const { client } = yield* someone
    const { items } = yield* client.bots.startBots()
    assert.isNotEmpty(items)
    assert.isTrue(items.every((bot) => bot.isStartBot))
    assert.strictEqual((yield* Stream.runCollect(client.bots.startBotItems())).length, items.length)
  }),
  "bots.image": Effect.gen(function* () {
    const { client } = yield* someone
    const [bot] = yield* Stream.runCollect(Stream.take(client.bots.items(), 1))
    const image = yield* client.bots.image(bot!.botId)
    assert.strictEqual(image.contentType, "image/png")
    const bytes = yield* Stream.mkUint8Array(image.stream)
    assert.strictEqual(bytes.length, image.contentLength)
    assert.deepStrictEqual([...bytes.subarray(0, 4)], [0x89, 0x50, 0x4e, 0x47])
    assert.strictEqual(yield* tagOf(client.bots.image(noBot)), "BotNotFound")
  }),
  "bots.stopAll": Effect.gen(function* () {
    assert.isTrue(yield* (yield* admin).bots.stopAll)
    assert.strictEqual(yield* tagOf((yield* someone).client.bots.stopAll), "Forbidden")
  }),
  "cache.clear": Effect.gen(function* () {
    yield* (yield* admin).cache.clear
    assert.strictEqual(yield* tagOf((yield* someone).client.cache.clear), "Forbidden")
  }),
  "chats.create": Effect.gen(function* () {
    const { client } = yield* someone
    const bots = yield* Stream.runCollect(client.bots.items())
    const bot = bots.find((bot) => bot.code === "client")
    const chat = yield* client.chats.create(bot!.botId)
    assert.deepInclude(chat, {
      botId: bot!.botId,
      botDisplayName: bot!.displayName,
      botSampleQuestion1: bot!.sampleQuestion1
    })
    assert.strictEqual(yield* tagOf(client.chats.create(noBot)), "BotNotFound")
    assert.strictEqual(yield* tagOf((yield* nobody).chats.create(bot!.botId)), "BotNotFound")
  }),
  "chats.createByBotCode": Effect.gen(function* () {
    const { client } = yield* someone
    const chat = yield* client.chats.createByBotCode("server")
    assert.strictEqual((yield* client.chats.get(chat.chatId)).botDisplayName, chat.botDisplayName)
    assert.strictEqual(yield* tagOf(client.chats.createByBotCode("nothing")), "BotNotFound")
  }),
  "chats.complete": Effect.gen(function* () {
    const { chat, client, completion } = yield* someoneWithAnswer
    assert.strictEqual(completion.chatId, chat.chatId)
    assert.isAbove(completion.assistantMessage?.length ?? 0, 20)
    assert.isAbove(completion.promptTokens, 0)
    assert.strictEqual(completion.totalTokens, completion.promptTokens + completion.completionTokens)
    assert.isUndefined(completion.traceLog)
    const stored = yield* client.chats.get(chat.chatId)
    assert.strictEqual(stored.completions[0]?.completionId, completion.completionId)
    assert.strictEqual(stored.completions[0]?.assistantMessage, completion.assistantMessage)
    assert.deepStrictEqual(stored.completions[0]?.metaData, completion.metaData)
    const traced = { userMessage: "What is a ticket?", isTraceLogEnabled: true }
    assert.strictEqual(yield* tagOf(client.chats.complete(chat.chatId, traced)), "Forbidden")
    assert.strictEqual(yield* tagOf(client.chats.complete(noChat, "Hello?")), "ChatNotFound")
    const boss = yield* admin
    const open = yield* boss.chats.createByBotCode("api")
    const told = yield* boss.chats.complete(open.chatId, { ...traced, isAdminChat: true })
    assert.isAbove(told.traceLog?.length ?? 0, 0)
  }),
  "chats.events": Effect.gen(function* () {
    const { chat, client, completion, login } = yield* someoneWithAnswer
    const { tokenOf } = yield* TestBackend
    const path = `/api/chats/${chat.chatId}/completions/${completion.completionId}/events`
    const { headers, status, text } = yield* send("GET", path, { token: yield* tokenOf(login) })
    assert.deepStrictEqual([status, headers["content-type"]], [200, "text/event-stream"])
    assert.deepStrictEqual(
      [...new Set(text.match(/^event: \w+$/gm))],
      ["event: started", "event: delta", "event: sources", "event: completed"]
    )
    yield* client.users.deleteCompletion(chat.chatId, completion.completionId)
    assert.strictEqual((yield* send("GET", path, { token: yield* tokenOf(login) })).status, 404)
  }),
  "chats.stop": Effect.gen(function* () {
    const { chat, client, completion } = yield* someoneWithAnswer
    yield* client.chats.stop(chat.chatId, completion.completionId)
    assert.strictEqual(
      (yield* client.chats.get(chat.chatId)).completions[0]?.assistantMessage,
      completion.assistantMessage
    )
    const missing = CompletionId.make("nothing")
    assert.strictEqual(yield* tagOf(client.chats.stop(chat.chatId, missing)), "CompletionNotFound")
    const { client: other } = yield* someone
    assert.strictEqual(yield* tagOf(other.chats.stop(chat.chatId, completion.completionId)), "ChatNotFound")
  }),
  "chats.openBot": Effect.gen(function* () {
    const stranger = yield* nobody
    const open = yield* stranger.chats.openBot
    assert.isTrue(open.isPublic)
    const chat = yield* stranger.chats.create(open.openChatBotId!)
    const completion = yield* stranger.chats.complete(chat.chatId, "How do I create a chat with the client?")
    assert.isAbove(completion.assistantMessage?.length ?? 0, 20)
    assert.strictEqual((yield* stranger.chats.get(chat.chatId)).completions.length, 1)
  }),
  "chats.get": Effect.gen(function* () {
    const { chat, client } = yield* someoneWithAnswer
    const stored = yield* client.chats.get(chat.chatId)
    assert.isDefined(stored.createdUtc)
    assert.isTrue(DateTime.isGreaterThanOrEqualTo(stored.lastAccessedUtc!, stored.createdUtc!))
    const missing = yield* failureOf(client.chats.get(noChat))
    const foreign = yield* failureOf((yield* someone).client.chats.get(chat.chatId))
    assert.strictEqual(missing._tag, "ChatNotFound")
    assert.strictEqual(foreign._tag, "ChatNotFound")
    assert.strictEqual(foreign.message, missing.message)
  }),
  "chats.delete": Effect.gen(function* () {
    const { chat, client } = yield* someoneWithAnswer
    const other = yield* someone
    assert.strictEqual(yield* tagOf(other.client.chats.delete(chat.chatId)), "ChatNotFound")
    yield* client.chats.delete(chat.chatId)
    assert.strictEqual(yield* tagOf(client.chats.get(chat.chatId)), "ChatNotFound")
  }),
  "chats.feedback": Effect.gen(function* () {
    const { chat, client, completion } = yield* someoneWithAnswer
    const id = yield* client.chats.feedback(chat.chatId, {
      userMessage: completion.userMessage,
      assistantMessage: completion.assistantMessage,
      voteId: Vote.up
    })
    assert.isNotEmpty(id)
    assert.strictEqual(yield* tagOf(client.chats.feedback(noChat, { voteId: Vote.down })), "ChatNotFound")
  }),
  "chats.rename": Effect.gen(function* () {
    const { chat, client } = yield* someoneWithAnswer
    yield* client.chats.rename(chat.chatId, "Another name")
    assert.strictEqual((yield* client.chats.get(chat.chatId)).displayName, "Another name")
    assert.strictEqual(yield* tagOf(client.chats.rename(chat.chatId, "")), "InvalidRequest")
    assert.strictEqual(yield* tagOf(client.chats.rename(noChat, "x")), "ChatNotFound")
  }),
  "chats.setUserSystemMessage": Effect.gen(function* () {
    const { chat, client } = yield* someoneWithAnswer
    const id = yield* client.users.systemMessages.create({ displayName: "Brief", systemMessage: "Be brief." })
    yield* client.chats.setUserSystemMessage(chat.chatId, id)
    assert.deepInclude(yield* client.chats.get(chat.chatId), {
      userSystemMessageId: id,
      userSystemMessageDisplayName: "Brief"
    })
    assert.strictEqual(
      yield* tagOf(client.chats.setUserSystemMessage(chat.chatId, noMessage)),
      "UserSystemMessageNotFound"
    )
  }),
  "chats.removeUserSystemMessage": Effect.gen(function* () {
    const { chat, client } = yield* someoneWithAnswer
    const id = yield* client.users.systemMessages.create({ displayName: "Brief", systemMessage: "Be brief." })
    yield* client.chats.setUserSystemMessage(chat.chatId, id)
    yield* client.chats.removeUserSystemMessage(chat.chatId)
    assert.isUndefined((yield* client.chats.get(chat.chatId)).userSystemMessageId)
    assert.strictEqual((yield* client.users.systemMessages.get(id)).systemMessage, "Be brief.")
  }),
  "chats.createTicket": Effect.gen(function* () {
    const { chat, client, path } = yield* someoneWithAnswer
    const ticket = yield* client.chats.createTicket(chat.chatId)
    assert.isAtLeast(ticket.length, 22)
    const stranger = yield* nobody
    yield* Effect.flatMap(stranger.chats.download(chat.chatId, path, { ticket }), ({ stream }) => text(stream))
    assert.strictEqual(yield* tagOf(stranger.chats.download(chat.chatId, path, { ticket })), "Unauthorized")
    const another = yield* client.chats.createTicket(chat.chatId)
    const other = (yield* someone).client
    assert.strictEqual(yield* tagOf(other.chats.download(chat.chatId, path, { ticket: another })), "Unauthorized")
    assert.strictEqual(yield* tagOf(client.chats.createTicket(noChat)), "ChatNotFound")
  }),
  "chats.download": Effect.gen(function* () {
    const { chat, client, path, source } = yield* someoneWithAnswer
    const file = yield* client.chats.download(chat.chatId, path)
    assert.strictEqual(file.fileName, source.fileName)
    assert.match(file.contentType, /^text\/markdown/)
    const content = yield* text(file.stream)
    assert.strictEqual(new TextEncoder().encode(content).length, file.contentLength)
    assert.match(content, /^#/)
    assert.strictEqual(yield* tagOf(client.chats.download(chat.chatId, "client/nothing.md")), "DownloadNotFound")
    assert.strictEqual(yield* tagOf((yield* nobody).chats.download(chat.chatId, path)), "Unauthorized")
    assert.strictEqual(
      yield* tagOf((yield* nobody).chats.download(chat.chatId, path, { ticket: Ticket.make("nothing") })),
      "Unauthorized"
    )
    assert.strictEqual(yield* tagOf((yield* someone).client.chats.download(chat.chatId, path)), "ChatNotFound")
  }),
  "statistics.recompute": Effect.gen(function* () {
    yield* someoneWithAnswer
    const client = yield* admin
    const before = yield* client.statistics.tokenUsage({ tokenUsageTypeId: TokenUsageType.completion })
    assert.isNotEmpty(before.items)
    yield* client.statistics.recompute
    const after = yield* client.statistics.tokenUsage({ tokenUsageTypeId: TokenUsageType.completion })
    assert.deepStrictEqual(after.items, before.items)
    assert.strictEqual(yield* tagOf((yield* someone).client.statistics.recompute), "Forbidden")
  }),
  "statistics.tokenUsage": Effect.gen(function* () {
    const { completion } = yield* someoneWithAnswer
    const client = yield* admin
    const rows = yield* Stream.runCollect(
      client.statistics.tokenUsageItems({ botId: completion.botId, tokenUsageTypeId: TokenUsageType.completion })
    )
    assert.strictEqual(rows.length, 1)
    assert.isAtLeast(rows[0]!.requestCount, 1)
    assert.isAtLeast(rows[0]!.totalTokens, completion.totalTokens)
    assert.strictEqual(rows[0]!.botDisplayName, completion.botDisplayName)
    assert.strictEqual(yield* tagOf((yield* someone).client.statistics.tokenUsage()), "Forbidden")
  }),
  "system.status": Effect.gen(function* () {
    assert.isString(yield* (yield* nobody).system.status)
  }),
  "system.setStatus": Effect.gen(function* () {
    const client = yield* admin
    yield* client.system.setStatus("Back at noon.")
    assert.strictEqual(yield* client.system.status, "Back at noon.")
    yield* client.system.setStatus("")
    assert.strictEqual(yield* client.system.status, "")
    assert.strictEqual(yield* tagOf((yield* someone).client.system.setStatus("x")), "Forbidden")
  }),
  "users.current": Effect.gen(function* () {
    const { client, login } = yield* someone
    assert.deepInclude(yield* client.users.current, { login, roles: ["User"], isTermsAccepted: false })
    assert.strictEqual(yield* tagOf((yield* nobody).users.current), "Unauthorized")
  }),
  "users.update": Effect.gen(function* () {
    const { client } = yield* someone
    const settings = { isKeepChatHistory: true, keepChatHistoryForDays: 7, isKeepFavoritesForever: true }
    yield* client.users.update(settings)
    assert.deepInclude(yield* client.users.current, settings)
    assert.strictEqual(yield* tagOf(client.users.update({ ...settings, keepChatHistoryForDays: -1 })), "InvalidRequest")
  }),
  "users.acceptTerms": Effect.gen(function* () {
    const { client } = yield* someone
    yield* client.users.acceptTerms
    assert.isTrue((yield* client.users.current).isTermsAccepted)
  }),
  "users.deleteChats": Effect.gen(function* () {
    const { client } = yield* someone
    const favorite = yield* client.chats.createByBotCode("client")
    yield* client.chats.createByBotCode("client")
    yield* client.users.setFavorite(favorite.chatId, true)
    yield* client.users.deleteChats({ keepFavorites: true })
    assert.deepStrictEqual(
      (yield* client.users.chats()).items.map((chat) => chat.chatId),
      [favorite.chatId]
    )
    yield* client.users.deleteChats({ keepFavorites: false })
    assert.deepStrictEqual((yield* client.users.chats()).items, [])
  }),
  "users.deleteChat": Effect.gen(function* () {
    const { chat, client } = yield* someoneWithAnswer
    assert.strictEqual(yield* tagOf((yield* someone).client.users.deleteChat(chat.chatId)), "ChatNotFound")
    yield* client.users.deleteChat(chat.chatId)
    assert.strictEqual(yield* tagOf(client.users.deleteChat(chat.chatId)), "ChatNotFound")
  }),
  "users.deleteCompletion": Effect.gen(function* () {
    const { chat, client, completion } = yield* someoneWithAnswer
    const kept = yield* client.chats.complete(chat.chatId, "What is a ticket?")
    yield* client.users.deleteCompletion(chat.chatId, completion.completionId)
    const { completions } = yield* client.chats.get(chat.chatId)
    assert.deepStrictEqual(
      completions.map((stored) => stored.completionId),
      [kept.completionId]
    )
    assert.strictEqual(
      yield* tagOf(client.users.deleteCompletion(chat.chatId, CompletionId.make("nothing"))),
      "CompletionNotFound"
    )
  }),
  "users.deleteChatsByBot": Effect.gen(function* () {
    const { client } = yield* someone
    const one = yield* client.chats.createByBotCode("client")
    const favorite = yield* client.chats.createByBotCode("client")
    const other = yield* client.chats.createByBotCode("api")
    yield* client.users.setFavorite(favorite.chatId, true)
    yield* client.users.deleteChatsByBot(one.botId!, { keepFavorites: true })
    assert.sameMembers(
      (yield* client.users.chats()).items.map((chat) => chat.chatId),
      [favorite.chatId, other.chatId]
    )
    yield* client.users.deleteChatsByBot(one.botId!, { keepFavorites: false })
    assert.sameMembers(
      (yield* client.users.chats()).items.map((chat) => chat.chatId),
      [other.chatId]
    )
  }),
  "users.deleteChatsByBotAndSystemMessage": Effect.gen(function* () {
    const { client } = yield* someone
    const id = yield* client.users.systemMessages.create({ displayName: "Brief", systemMessage: "Be brief." })
    const plain = yield* client.chats.createByBotCode("client")
    const followed = yield* client.chats.createByBotCode("client")
    yield* client.chats.setUserSystemMessage(followed.chatId, id)
    yield* client.users.deleteChatsByBotAndSystemMessage(plain.botId!, id, { keepFavorites: true })
    assert.deepStrictEqual(
      (yield* client.users.chats()).items.map((chat) => chat.chatId),
      [plain.chatId]
    )
  }),
  "users.chatsByBot": Effect.gen(function* () {
    const { client } = yield* someone
    const one = yield* client.chats.createByBotCode("client")
    yield* client.chats.createByBotCode("api")
    const { items } = yield* client.users.chatsByBot(one.botId!)
    assert.deepStrictEqual(
      items.map((chat) => chat.chatId),
      [one.chatId]
    )
    assert.strictEqual((yield* Stream.runCollect(client.users.chatItemsByBot(one.botId!))).length, 1)
  }),
  "users.chatsByBotAndSystemMessage": Effect.gen(function* () {
    const { client } = yield* someone
    const id = yield* client.users.systemMessages.create({ displayName: "Brief", systemMessage: "Be brief." })
    yield* client.chats.createByBotCode("client")
    const followed = yield* client.chats.createByBotCode("client")
    yield* client.chats.setUserSystemMessage(followed.chatId, id)
    const { items } = yield* client.users.chatsByBotAndSystemMessage(followed.botId!, id)
    assert.deepStrictEqual(
      items.map((chat) => chat.chatId),
      [followed.chatId]
    )
    const streamed = yield* Stream.runCollect(client.users.chatItemsByBotAndSystemMessage(followed.botId!, id))
    assert.strictEqual(streamed.length, 1)
  }),
  "users.chats": Effect.gen(function* () {
    const { client } = yield* someone
    for (let i = 0; i < 5; i++) {
      const { chatId } = yield* client.chats.createByBotCode("client")
      yield* client.chats.rename(chatId, `Chat ${i}`)
      if (i === 3) yield* client.users.setFavorite(chatId, true)
    }
    const page = yield* client.users.chats({ pageNumber: 2, pageSize: 2, orderBy: "displayName desc" })
    assert.deepStrictEqual(
      page.items.map((chat) => chat.displayName),
      ["Chat 2", "Chat 1"]
    )
    assert.deepInclude(page, {
      pageNumber: 2,
      pageSize: 2,
      totalItemCount: 5,
      totalPageCount: 3,
      hasNext: true,
      hasPrevious: true
    })
    const favorites = yield* client.users.chats({ onlyFavorites: true })
    assert.deepStrictEqual(
      favorites.items.map((chat) => chat.displayName),
      ["Chat 3"]
    )
    const found = yield* client.users.chats({ searchFor: "cHAT 4" })
    assert.deepStrictEqual(
      found.items.map((chat) => chat.displayName),
      ["Chat 4"]
    )
    const all = yield* Stream.runCollect(client.users.chatItems({ pageSize: 2 }))
    assert.strictEqual(all.length, 5)
    assert.deepStrictEqual((yield* (yield* someone).client.users.chats()).items, [])
  }),
  "users.setFavorite": Effect.gen(function* () {
    const { chat, client } = yield* someoneWithAnswer
    yield* client.users.setFavorite(chat.chatId, true)
    assert.isTrue((yield* client.chats.get(chat.chatId)).isFavorite)
    yield* client.users.setFavorite(chat.chatId, false)
    assert.isFalse((yield* client.chats.get(chat.chatId)).isFavorite)
    assert.strictEqual(yield* tagOf((yield* someone).client.users.setFavorite(chat.chatId, true)), "ChatNotFound")
  }),
  "users.listSystemMessages": Effect.gen(function* () {
    const { client } = yield* someone
    const id = yield* client.users.systemMessages.create({ displayName: "Brief", systemMessage: "Be brief." })
    const { items } = yield* client.users.systemMessages.list({ searchFor: "BRIEF" })
    assert.deepStrictEqual(items, [{ userSystemMessageId: id, displayName: "Brief" }])
    assert.strictEqual((yield* Stream.runCollect(client.users.systemMessages.items())).length, 1)
  }),
  "users.createSystemMessage": Effect.gen(function* () {
    const { client } = yield* someone
    const message = { displayName: "Ümläut „quoted“", systemMessage: "Line one\nLine two \u{1F600}" }
    const id = yield* client.users.systemMessages.create(message)
    assert.deepStrictEqual(yield* client.users.systemMessages.get(id), { userSystemMessageId: id, ...message })
    assert.strictEqual(
      yield* tagOf(client.users.systemMessages.create({ displayName: "", systemMessage: "x" })),
      "InvalidRequest"
    )
  }),
  "users.getSystemMessage": Effect.gen(function* () {
    const { client } = yield* someone
    const id = yield* client.users.systemMessages.create({ displayName: "Brief", systemMessage: "Be brief." })
    assert.strictEqual((yield* client.users.systemMessages.get(id)).systemMessage, "Be brief.")
    const other = (yield* someone).client
    assert.strictEqual(yield* tagOf(other.users.systemMessages.get(id)), "UserSystemMessageNotFound")
  }),
  "users.updateSystemMessage": Effect.gen(function* () {
    const { client } = yield* someone
    const id = yield* client.users.systemMessages.create({ displayName: "Brief", systemMessage: "Be brief." })
    yield* client.users.systemMessages.update(id, { displayName: "Long", systemMessage: "Be long." })
    assert.deepInclude(yield* client.users.systemMessages.get(id), { displayName: "Long", systemMessage: "Be long." })
    assert.strictEqual(
      yield* tagOf(client.users.systemMessages.update(noMessage, { displayName: "x", systemMessage: "y" })),
      "UserSystemMessageNotFound"
    )
  }),
  "users.deleteSystemMessage": Effect.gen(function* () {
    const { chat, client } = yield* someoneWithAnswer
    const id = yield* client.users.systemMessages.create({ displayName: "Brief", systemMessage: "Be brief." })
    yield* client.chats.setUserSystemMessage(chat.chatId, id)
    yield* client.users.systemMessages.delete(id)
    assert.isUndefined((yield* client.chats.get(chat.chatId)).userSystemMessageId)
    assert.strictEqual(yield* tagOf(client.users.systemMessages.delete(id)), "UserSystemMessageNotFound")
  }),
  "users.countSystemMessages": Effect.gen(function* () {
    const { client } = yield* someone
    assert.strictEqual(yield* client.users.systemMessages.count, 0)
    yield* client.users.systemMessages.create({ displayName: "Brief", systemMessage: "Be brief." })
    assert.strictEqual(yield* client.users.systemMessages.count, 1)
  })
}

layer(TestBackend.layer, { excludeTestServices: true })("the client against the backend", (it) => {
  it.effect.each(Object.entries<Scenario>(scenarios))("%s", ([, scenario]) => scenario)
})
