import { Bots } from "@effect-chatbot/client/Bots"
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import { Unauthorized } from "@effect-chatbot/schema/Errors"
import { BotId, UserSystemMessageId } from "@effect-chatbot/schema/Ids"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { json, type Script, scripted } from "./support/Scripted.ts"

const client = (script: Script) => {
  const backend = scripted(script)
  const layer = Layer.provide(ChatbotClient.layer({ baseUrl: "http://chatbot.test" }), backend.layer)
  return { layer, pages: () => backend.sent.map(({ url }) => new URL(url).searchParams.get("PageNumber")) }
}

const page = (names: ReadonlyArray<string>, rest: object) =>
  json({ items: names.map((botId) => ({ botId, createdUtc: "2026-01-02T03:04:05Z" })), ...rest })

const items = (query?: { readonly pageNumber?: number; readonly pageSize?: number }) =>
  Effect.flatMap(Bots, (bots) => Stream.runCollect(Stream.map(bots.items(query), ({ botId }) => String(botId))))

/** Gives pages as the contract has them. */
const correct =
  (pages: ReadonlyArray<ReadonlyArray<string>>): Script =>
  (request) => {
    const pageNumber = Number(Object.fromEntries(request.urlParams.params)["PageNumber"] ?? 1)
    return page(pages[pageNumber - 1] ?? [], {
      pageNumber,
      totalPageCount: pages.length,
      hasNext: pageNumber < pages.length
    })
  }

describe("the items of all pages", () => {
  it.effect("come in order, one request a page", () =>
    Effect.gen(function* () {
      const { layer, pages } = client(correct([["a", "b"], ["c", "d"], ["e"]]))
      assert.deepStrictEqual(yield* Effect.provide(items({ pageSize: 2 }), layer), ["a", "b", "c", "d", "e"])
      assert.deepStrictEqual(pages(), ["1", "2", "3"])
    })
  )

  it.effect("begin at the page asked for", () =>
    Effect.gen(function* () {
      const { layer, pages } = client(correct([["a"], ["b"], ["c"]]))
      assert.deepStrictEqual(yield* Effect.provide(items({ pageNumber: 2 }), layer), ["b", "c"])
      assert.deepStrictEqual(pages(), ["2", "3"])
    })
  )

  it.effect("are asked for when they are wanted", () =>
    Effect.gen(function* () {
      const { layer, pages } = client(correct([["a", "b"], ["c"], ["d"]]))
      yield* Effect.flatMap(Bots, (bots) => Stream.runDrain(Stream.take(bots.items(), 2))).pipe(Effect.provide(layer))
      assert.deepStrictEqual(pages(), ["1"])
    })
  )

  it.effect("are none of an empty list", () =>
    Effect.gen(function* () {
      const { layer, pages } = client(() => json({ items: null }))
      assert.deepStrictEqual(yield* Effect.provide(items(), layer), [])
      assert.deepStrictEqual(pages(), ["1"])
    })
  )

  it.effect("can be read again from the start", () =>
    Effect.gen(function* () {
      const { layer } = client(correct([["a"], ["b"]]))
      const twice = yield* Effect.flatMap(Bots, (bots) => {
        const stream = bots.items()
        return Effect.all([Stream.runCollect(stream), Stream.runCollect(stream)])
      }).pipe(Effect.provide(layer))
      assert.deepStrictEqual(
        twice.map((bots) => bots.length),
        [2, 2]
      )
    })
  )

  it.effect("end with the error of a page", () =>
    Effect.gen(function* () {
      const { layer } = client((_, number) =>
        number === 1 ? page(["a"], { hasNext: true }) : new Response(null, { status: 401 })
      )
      const seen: Array<string> = []
      const error = yield* Effect.flatMap(Bots, (bots) =>
        Effect.flip(Stream.runForEach(bots.items(), ({ botId }) => Effect.sync(() => seen.push(botId))))
      ).pipe(Effect.provide(layer))
      assert.instanceOf(error, Unauthorized)
      assert.deepStrictEqual(seen, ["a"])
    })
  )
})

describe("a backend that always has a next page", () => {
  it.effect("is left at an empty page", () =>
    Effect.gen(function* () {
      const { layer, pages } = client((_, number) => page(number <= 2 ? [`bot-${number}`] : [], { hasNext: true }))
      assert.deepStrictEqual(yield* Effect.provide(items(), layer), ["bot-1", "bot-2"])
      assert.deepStrictEqual(pages(), ["1", "2", "3"])
    })
  )

  it.effect("is left when it repeats a page", () =>
    Effect.gen(function* () {
      const { layer, pages } = client(() => page(["a", "b"], { pageNumber: 1, hasNext: true }))
      assert.deepStrictEqual(yield* Effect.provide(items(), layer), ["a", "b"])
      assert.deepStrictEqual(pages(), ["1", "2"])
    })
  )

  it.effect("is left at the last page it counts", () =>
    Effect.gen(function* () {
      const { layer, pages } = client((_, number) => page([`bot-${number}`], { totalPageCount: 3, hasNext: true }))
      assert.deepStrictEqual(yield* Effect.provide(items(), layer), ["bot-1", "bot-2", "bot-3"])
      assert.deepStrictEqual(pages(), ["1", "2", "3"])
    })
  )
})

describe("every stream of items", () => {
  const botId = BotId.make("bot")
  const messageId = UserSystemMessageId.make("message")
  const streams: {
    readonly [name: string]: (client: ChatbotClient["Service"]) => Stream.Stream<unknown, { readonly _tag: string }>
  } = {
    "/api/admin/openAiServices": ({ admin }) => admin.openAiServices.items({ pageSize: 1 }),
    "/api/bots": ({ bots }) => bots.items({ pageSize: 1 }),
    "/api/bots/bystartbot/bot": ({ bots }) => bots.itemsByStartBot(botId, { pageSize: 1 }),
    "/api/bots/startbots": ({ bots }) => bots.startBotItems({ pageSize: 1 }),
    "/api/statistic/tokenUsageStatistic": ({ statistics }) => statistics.tokenUsageItems({ pageSize: 1 }),
    "/api/users/current/chats": ({ users }) => users.chatItems({ pageSize: 1 }),
    "/api/users/current/chats/bot": ({ users }) => users.chatItemsByBot(botId, { pageSize: 1 }),
    "/api/users/current/chats/bot/message": ({ users }) =>
      users.chatItemsByBotAndSystemMessage(botId, messageId, { pageSize: 1 }),
    "/api/users/current/userSystemMessage": ({ users }) => users.systemMessages.items({ pageSize: 1 })
  }

  it.effect.each(Object.keys(streams))("reads the pages of %s", (path) =>
    Effect.gen(function* () {
      const ids = (id: string) => ({
        id,
        botId: id,
        chatId: id,
        userSystemMessageId: id,
        requestCount: 1,
        promptTokens: id.length
      })
      const backend = scripted((_, number) => json({ items: [ids("x".repeat(number))], hasNext: number < 3 }))
      const all = yield* Effect.flatMap(ChatbotClient, (client) => Stream.runCollect(streams[path]!(client))).pipe(
        Effect.provide(Layer.provide(ChatbotClient.layer({ baseUrl: "http://chatbot.test" }), backend.layer))
      )
      assert.strictEqual(all.length, 3)
      assert.deepStrictEqual(
        backend.sent.map(({ url }) => url),
        [1, 2, 3].map((number) => `http://chatbot.test${path}?PageNumber=${number}&PageSize=1`)
      )
    })
  )
})
