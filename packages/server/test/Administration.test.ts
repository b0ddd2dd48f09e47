/** The rules of the administrative operations, on the services. What they do on the wire is in `Contract.test.ts` and `Wire.test.ts`. */
import type { CreateBot } from "@effect-chatbot/schema/AdminBot"
import { FeedbackStatus } from "@effect-chatbot/schema/BotFeedback"
import { BotFactId, BotId, type ChatId } from "@effect-chatbot/schema/Ids"
import { AzureConfigurations } from "@effect-chatbot/server/AzureConfigurations"
import { BotAdministration } from "@effect-chatbot/server/BotAdministration"
import { BotFacts } from "@effect-chatbot/server/BotFacts"
import { BotFeedbacks } from "@effect-chatbot/server/BotFeedbacks"
import { BotLinks } from "@effect-chatbot/server/BotLinks"
import { BotService } from "@effect-chatbot/server/BotService"
import type { SignedIn } from "@effect-chatbot/server/Callers"
import { ChatService } from "@effect-chatbot/server/ChatService"
import { CompletionRuns } from "@effect-chatbot/server/CompletionRuns"
import * as Logins from "@effect-chatbot/server/Logins"
import * as Migrations from "@effect-chatbot/server/sql/Migrations"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Migrator from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import * as Struct from "effect/Struct"
import * as TestClock from "effect/testing/TestClock"
import * as FastCheck from "fast-check"
import { inspect } from "node:util"
import { blobUri } from "../src/internal/urls.ts"
import * as TestDatabase from "./support/TestDatabase.ts"
import * as Services from "./support/TestServices.ts"

type Env = Layer.Success<typeof Services.layer>

const test = <A, E>(effect: Effect.Effect<A, E, Env>) => Effect.provide(effect, Services.layer)

const tagOf = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.match(effect, { onFailure: (error) => error._tag, onSuccess: () => "ok" })

let codes = 0

const newBot = Effect.fnUntraced(function* (more: Partial<CreateBot> = {}) {
  const bots = yield* BotAdministration
  const bot: CreateBot = {
    code: `bot-${++codes}`,
    displayNameTv: { value: "A bot" },
    isActive: true,
    isPublic: true,
    ...more
  }
  return { bot, botId: yield* bots.create(bot) }
})

const ask = (caller: SignedIn, chatId: ChatId, flags?: Parameters<typeof Services.question>[1]) =>
  Effect.flatMap(CompletionRuns, (runs) => runs.complete(caller, chatId, Services.question("Q", flags)))

describe("the logins of a bot", () => {
  it.effect("say who may use it when it is not public", () =>
    test(
      Effect.gen(function* () {
        const admins = yield* BotAdministration
        const bots = yield* BotService
        const chats = yield* ChatService
        const { bot, botId } = yield* newBot({
          isPublic: false,
          userLogins: "ann,  bob@example.org",
          adminLogins: "cleo\n\ndan",
          contributorLogins: "eve"
        })
        const mayUse = Effect.fnUntraced(function* (login: string) {
          const user = yield* Services.user(login)
          const { items } = yield* bots.list(user, {})
          const created = yield* tagOf(chats.create(user, botId))
          // What is listed is what may be used.
          assert.strictEqual(items.length === 1, created === "ok", login)
          return created === "ok"
        })
        for (const login of ["ann", "bob@example.org", "cleo", "dan", "eve"]) assert.isTrue(yield* mayUse(login), login)
        for (const login of ["Ann", "an", "nn", "bob", "example.org", "ann,", "ann\ncleo", "\n", " ann", "zoe"]) {
          assert.isFalse(yield* mayUse(login), JSON.stringify(login))
        }
        assert.strictEqual(yield* tagOf(chats.create(Services.anonymous, botId)), "BotNotFound")
        assert.strictEqual(yield* tagOf(chats.create(yield* Services.admin, botId)), "ok")

        // Who is taken off the list may read on, and ask no more.
        const ann = yield* Services.user("ann")
        const { chatId } = yield* chats.create(ann, botId)
        assert.strictEqual(yield* tagOf(ask(ann, chatId)), "ok")
        yield* admins.update(botId, { ...bot, userLogins: "bob@example.org" })
        assert.isFalse(yield* mayUse("ann"))
        assert.strictEqual(yield* tagOf(ask(ann, chatId)), "Forbidden")
        assert.strictEqual((yield* chats.get(ann, chatId)).completions.length, 1)
      })
    )
  )

  it.effect("say who administers it: admin chats and trace logs are for those, and for no other user", () =>
    test(
      Effect.gen(function* () {
        const admins = yield* BotAdministration
        const chats = yield* ChatService
        const runs = yield* CompletionRuns
        const { bot, botId } = yield* newBot({
          adminLogins: "ann",
          contributorLogins: "bob",
          userLogins: "bob",
          baseSystemMessage: "prompt-canary"
        })
        const ann = yield* Services.user("ann")
        const bob = yield* Services.user("bob")
        const [anns, bobs] = [(yield* chats.create(ann, botId)).chatId, (yield* chats.create(bob, botId)).chatId]
        const { traceLog } = yield* ask(ann, anns, { isTraceLogEnabled: true })
        assert.include(traceLog, "bot: ")
        assert.notInclude(traceLog, "prompt-canary")
        for (const flags of [{ isTraceLogEnabled: true }, { isAdminChat: true }]) {
          assert.strictEqual(yield* tagOf(ask(bob, bobs, flags)), "Forbidden")
        }
        // The events of a run with a trace log, too, in a chat that anybody reaches who knows its id.
        const boss = yield* Services.admin
        yield* admins.update(botId, { ...bot, adminLogins: "ann" })
        const sql = yield* SqlClient.SqlClient
        const { completionId } = yield* ask(boss, (yield* chats.create(boss, botId)).chatId, {
          isTraceLogEnabled: true
        })
        const [row] = yield* sql<{ chatId: ChatId }>`UPDATE chats SET user_id = NULL
          WHERE id = (SELECT chat_id FROM completions WHERE id = ${completionId}) RETURNING id AS chat_id`
        const chatId = row?.chatId ?? assert.fail("no chat")
        assert.strictEqual(yield* tagOf(runs.events(ann, chatId, completionId, 0)), "ok")
        assert.strictEqual(yield* tagOf(runs.events(bob, chatId, completionId, 0)), "CompletionNotFound")

        yield* admins.update(botId, { ...bot, isActive: false })
        assert.strictEqual(yield* tagOf(ask(ann, anns)), "Forbidden")
        assert.strictEqual(yield* tagOf(ask(ann, anns, { isAdminChat: true })), "ok")
        yield* admins.delete(botId)
        const flags = { isAdminChat: true }
        assert.strictEqual(yield* tagOf(ask(ann, anns, flags)), "Forbidden")
        assert.strictEqual(
          yield* tagOf(ask(boss, (yield* chats.create(boss, (yield* newBot()).botId)).chatId, flags)),
          "ok"
        )
      })
    )
  )

  it("are what stands between commas and line breaks, letter by letter", () => {
    assert.deepStrictEqual(Logins.parse(" ann,bob\r\ncleo,, ann\n"), ["ann", "bob", "cleo"])
    assert.strictEqual(Logins.listed("ann", undefined, "bob, ann"), "\nann\nbob\n")
    assert.strictEqual(Logins.listed(undefined, " , "), "")
    for (const login of ["", " ann", "a,b", "a\nb", "a\r"]) assert.isUndefined(Logins.line(login))
  })

  it("name whoever they name, and nobody else", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.string(), FastCheck.string(), (text, login) => {
        const line = Logins.line(login)
        const isNamed = line !== undefined && Logins.listed(text).includes(line)
        assert.strictEqual(isNamed, Logins.parse(text).includes(login))
      })
    )
  })
})

describe("the facts of a bot", () => {
  const everything = Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* TestDatabase.checkIndex
    return {
      facts: yield* sql`SELECT * FROM bot_facts ORDER BY id`,
      passages: yield* sql`SELECT bot_fact_id, text FROM passages ORDER BY bot_fact_id`,
      updated: yield* sql`SELECT updated_utc FROM bots ORDER BY id`
    }
  })

  it.effect("change with their passages and the full-text index, and the bot knows when", () =>
    test(
      Effect.gen(function* () {
        const facts = yield* BotFacts
        const { botId } = yield* newBot()
        const before = yield* everything
        yield* TestClock.adjust("1 hour")
        const id = yield* facts.create(botId, { factText: " Alpha. ", isActive: true })
        const off = yield* facts.create(botId, { factText: "Beta.", isActive: false })
        const created = yield* everything
        assert.deepStrictEqual(created.passages, [{ botFactId: id, text: "Alpha." }])
        assert.notDeepEqual(created.updated, before.updated)
        yield* TestClock.adjust("1 hour")
        yield* facts.update(botId, id, { factText: "Gamma.", isActive: false })
        yield* facts.update(botId, off, { factText: "Beta.", isActive: true })
        const changed = yield* everything
        assert.deepStrictEqual(changed.passages, [{ botFactId: off, text: "Beta." }])
        const { items } = yield* facts.list(botId, { orderBy: "factText" })
        assert.deepStrictEqual(
          items.map(
            ({ createdUtc, updatedUtc }) => DateTime.toEpochMillis(updatedUtc!) - DateTime.toEpochMillis(createdUtc!)
          ),
          [3_600_000, 3_600_000]
        )
        yield* facts.delete(botId, off)
        yield* facts.delete(botId, id)
        const { facts: rows, passages } = yield* everything
        assert.deepStrictEqual([rows, passages], [[], []])
      })
    )
  )

  it.effect("do not change at all where a change is refused", () =>
    test(
      Effect.gen(function* () {
        const facts = yield* BotFacts
        const { botId } = yield* newBot()
        const other = yield* newBot()
        const id = yield* facts.create(botId, { factText: "Alpha.", isActive: true })
        const before = yield* everything
        yield* TestClock.adjust("1 hour")
        const fact = { factText: "Beta.", isActive: true }
        const refused = [
          [facts.update(botId, BotFactId.make("nothing"), fact), "BotFactNotFound"],
          [facts.update(other.botId, id, fact), "BotFactNotFound"],
          [facts.delete(other.botId, id), "BotFactNotFound"],
          [facts.delete(BotId.make("nothing"), id), "BotNotFound"],
          [facts.update(botId, id, { ...fact, factText: "x".repeat(4001) }), "InvalidRequest"],
          [facts.update(botId, id, { ...fact, factText: "\n" }), "InvalidRequest"]
        ] as const
        for (const [call, tag] of refused)
          assert.strictEqual(yield* tagOf<void, { readonly _tag: string }, never>(call), tag)
        assert.deepStrictEqual(yield* everything, before)
      })
    )
  )
})

describe("the code of a bot", () => {
  it.effect("belongs to one of those who ask for it at once", () =>
    test(
      Effect.gen(function* () {
        const tags = yield* Effect.forEach(
          Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? "Race" : "race")),
          (code) => tagOf(newBot({ code })),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(tags.toSorted(), [...Array.from({ length: 19 }, () => "BotCodeTaken"), "ok"])
      })
    )
  )
})

describe("the links of a start bot", () => {
  it.effect("have one default at most, whoever makes it at once", () =>
    test(
      Effect.gen(function* () {
        const links = yield* BotLinks
        const start = yield* newBot({ implementationType: "Start" })
        const linked = yield* Effect.forEach(Array.from({ length: 10 }), () => newBot())
        yield* Effect.forEach(linked, ({ botId }) => links.create(start.botId, botId, { isDefaultBot: true }), {
          concurrency: "unbounded"
        })
        const { items } = yield* links.list(start.botId, {})
        assert.strictEqual(items.length, 10)
        assert.strictEqual(items.filter(({ isDefaultBot }) => isDefaultBot).length, 1)
      })
    )
  )
})

describe("the Azure configurations of a bot", () => {
  it.effect("are told without their secrets, which the database has only sealed", () =>
    test(
      Effect.gen(function* () {
        const azure = yield* AzureConfigurations
        const sql = yield* SqlClient.SqlClient
        const { botId } = yield* newBot()
        const change = {
          isUpdateBlobClient: true,
          blobClientConnectionString: Redacted.make(
            "BlobEndpoint=https://blobs.example.org/x?sig=canary;SharedAccessSignature=canary"
          ),
          isUpdateSearchClient: true,
          searchClientEndpoint: "https://search.example.org",
          searchClientCredential: Redacted.make("canary"),
          useSemanticSearch: false
        }
        yield* azure.setAcs(botId, change)
        yield* azure.setSearch(botId, change)
        const told = [yield* azure.acs(botId), yield* azure.search(botId)]
        for (const { blobServiceClientDisplayUri, isBlobServiceClientSet, isSearchClientSet } of told) {
          assert.deepStrictEqual(
            [blobServiceClientDisplayUri, isBlobServiceClientSet, isSearchClientSet],
            ["https://blobs.example.org/x", true, true]
          )
        }
        const rows = yield* sql<Record<string, unknown>>`SELECT * FROM bot_azure_configurations`
        assert.strictEqual(rows.length, 2)
        const text = rows.flatMap((row) =>
          Object.values(row).map((value) =>
            value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : value
          )
        )
        for (const shown of [JSON.stringify(text), inspect(told, { depth: 9 }), inspect(change, { depth: 9 })]) {
          assert.notInclude(shown, "canary")
        }
        // Half a client is none.
        yield* azure.setAcs(botId, { ...change, searchClientCredential: Redacted.make(" ") })
        const half = yield* azure.acs(botId)
        assert.deepStrictEqual(
          [half.isSearchClientSet, half.searchClientEndpoint],
          [false, "https://search.example.org"]
        )
        yield* Effect.flatMap(BotAdministration, (bots) => bots.delete(botId))
        assert.strictEqual(yield* Services.count("bot_azure_configurations"), 0)
      })
    )
  )

  it.each([
    [
      "AccountName=blobs;AccountKey=a2V5==;EndpointSuffix=core.chinacloudapi.cn",
      "https://blobs.blob.core.chinacloudapi.cn/"
    ],
    ["DefaultEndpointsProtocol=http;accountname=blobs;AccountKey=x", "http://blobs.blob.core.windows.net/"],
    ["UseDevelopmentStorage=true", "http://127.0.0.1:10000/devstoreaccount1"],
    [
      "BlobEndpoint=https://user:pass@blobs.example.org/a?sig=x#y;SharedAccessSignature=z",
      "https://blobs.example.org/a"
    ],
    ["https://blobs.example.org/a?sv=1&sig=x", "https://blobs.example.org/a"],
    ["", undefined],
    ["nonsense", undefined],
    ["AccountKey=x", undefined],
    ["AccountName=a/../b;AccountKey=x", undefined],
    ["AccountName=blobs;EndpointSuffix=x/y?z", undefined],
    ["DefaultEndpointsProtocol=ftp;AccountName=blobs", undefined],
    ["BlobEndpoint=file:///etc/passwd", undefined]
  ])("say of the connection %s where it leads to", (connection, expected) => {
    assert.strictEqual(blobUri(connection), expected)
  })
})

describe("the flag that stops all bots", () => {
  it.effect("breaks off what runs, lets nothing begin, and holds until it is taken back", () =>
    test(
      Effect.gen(function* () {
        const chats = yield* ChatService
        const provider = yield* Services.TestProvider
        const runs = yield* CompletionRuns
        const ann = yield* Services.user("ann")
        const { botId } = yield* newBot()
        const { chatId } = yield* chats.create(ann, botId)
        const asked = yield* Deferred.make<void>()
        yield* provider.behave(() => Effect.andThen(Deferred.succeed(asked, undefined), Effect.never))
        const waiting = yield* Effect.forkChild(tagOf(ask(ann, chatId)))
        yield* Deferred.await(asked)
        yield* runs.setStopped(true)
        assert.strictEqual(yield* Fiber.join(waiting), "BotsStopped")
        assert.strictEqual(yield* Services.count("completions"), 1)

        assert.strictEqual(yield* tagOf(ask(ann, chatId)), "BotsStopped")
        assert.strictEqual(yield* tagOf(runs.stream(ann, chatId, Services.question("Q"))), "BotsStopped")
        // Stopping what runs is something else, and changes nothing of it.
        yield* runs.stopAll
        assert.strictEqual(yield* tagOf(ask(ann, chatId)), "BotsStopped")
        assert.deepStrictEqual([provider.requests.length, yield* Services.count("completions")], [1, 1])

        yield* provider.behave(() => Effect.succeed(Services.answer({})))
        yield* runs.setStopped(false)
        assert.strictEqual(yield* tagOf(ask(ann, chatId)), "ok")
      })
    )
  )

  it.effect("is that of the database, which other processes set", () =>
    test(
      Effect.gen(function* () {
        const chats = yield* ChatService
        const sql = yield* SqlClient.SqlClient
        const ann = yield* Services.user("ann")
        const { chatId } = yield* chats.create(ann, (yield* newBot()).botId)
        yield* Effect.flatMap(CompletionRuns, (runs) => runs.setStopped(true))
        const [row] = yield* sql<{ key: string }>`DELETE FROM settings WHERE value = 'true' RETURNING key`
        assert.strictEqual(yield* tagOf(ask(ann, chatId)), "ok")
        yield* sql`INSERT INTO settings ${sql.insert({ key: row?.key ?? "", value: "true" })}`
        assert.strictEqual(yield* tagOf(ask(ann, chatId)), "BotsStopped")
      })
    )
  )

  it.effect("lets no question slip through that is asked while it is set", () =>
    test(
      Effect.gen(function* () {
        const chats = yield* ChatService
        const provider = yield* Services.TestProvider
        const runs = yield* CompletionRuns
        const ann = yield* Services.user("ann")
        const { botId } = yield* newBot()
        yield* provider.behave(() => Effect.never)
        const ids = yield* Effect.forEach(Array.from({ length: 50 }), () => chats.create(ann, botId))
        const asking = yield* Effect.forkChild(
          Effect.forEach(ids, ({ chatId }) => Effect.andThen(Effect.yieldNow, tagOf(ask(ann, chatId))), {
            concurrency: "unbounded"
          })
        )
        yield* Effect.yieldNow
        yield* runs.setStopped(true)
        // A run that had slipped through would never end.
        assert.deepStrictEqual(new Set(yield* Fiber.join(asking)), new Set(["BotsStopped"]))
      })
    )
  )
})

describe("the feedback about a bot", () => {
  it.effect("keeps what an admin said of it, with when", () =>
    test(
      Effect.gen(function* () {
        const chats = yield* ChatService
        const feedbacks = yield* BotFeedbacks
        const ann = yield* Services.user("ann")
        const { botId } = yield* newBot()
        const { chatId } = yield* chats.create(ann, botId)
        const { feedbackId } = yield* chats.giveFeedback(ann, chatId, { voteId: 2_147_483_647, userComment: "c" })
        yield* TestClock.adjust("2 hours")
        yield* feedbacks.update(botId, feedbackId, { status: FeedbackStatus.inWork, adminComment: "  " })
        const [item] = (yield* feedbacks.list(botId, {})).items
        assert.deepStrictEqual(
          DateTime.toEpochMillis(item!.adminUpdatedUtc!) - DateTime.toEpochMillis(item!.createdUtc!),
          7_200_000
        )
        assert.deepStrictEqual([item?.status, item?.adminComment, item?.voteId], [1, undefined, 2_147_483_647])
        // It stays when the chat goes.
        yield* chats.delete(ann, chatId)
        assert.strictEqual((yield* feedbacks.list(botId, {})).totalItemCount, 1)
      })
    )
  )
})

describe("a database of an earlier version", () => {
  it.effect("can be searched for its facts and feedback", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const earlier = Object.fromEntries(Object.entries(Migrations.migrations).filter(([name]) => name < "0004"))
      yield* Migrator.make({})({ loader: Migrator.fromRecord(earlier) })
      const image = new Uint8Array([1, 2, 3])
      yield* sql`INSERT INTO bots ${sql.insert({
        id: "b",
        code: "b",
        implementationType: "Facts",
        displayName: "B",
        searchName: "b",
        searchText: "b",
        isActive: 1,
        isPublic: 1,
        isOpen: 0,
        isUserSystemMessageSupported: 0,
        createdUtc: "",
        updatedUtc: "",
        image
      })}`
      yield* sql`INSERT INTO bot_facts ${sql.insert({
        id: "f",
        botId: "b",
        factText: "ÄPFEL",
        isActive: 1,
        createdUtc: "",
        updatedUtc: ""
      })}`
      for (let index = 0; index < 250; index++) {
        yield* sql`INSERT INTO feedback ${sql.insert({
          id: `f${index}`,
          botId: "b",
          userComment: `ÖL ${index}`,
          voteId: 1,
          createdUtc: ""
        })}`
      }
      yield* Migrator.make({})({ loader: Migrator.fromRecord(Migrations.migrations) })
      assert.deepStrictEqual(yield* sql`SELECT search_text FROM bot_facts`, [{ searchText: "äpfel" }])
      assert.deepStrictEqual(
        yield* sql`SELECT CAST(count(*) AS INTEGER) AS n FROM feedback WHERE search_text = lower('öl ') || substr(id, 2)`,
        [{ n: 250 }]
      )
      const [bot] = yield* sql<Record<string, unknown>>`SELECT * FROM bots`
      assert.deepStrictEqual(Struct.pick(bot!, ["image", "listedLogins", "deletedUtc"]), {
        image,
        listedLogins: "",
        deletedUtc: null
      })
      assert.strictEqual(Object.keys(bot!).at(-1), "image")
    }).pipe(Effect.provide(TestDatabase.empty))
  )
})

describe("the prompt of a bot", () => {
  it.effect("is in no answer to who is no admin", () =>
    test(
      Effect.gen(function* () {
        const admins = yield* BotAdministration
        const bots = yield* BotService
        const chats = yield* ChatService
        const runs = yield* CompletionRuns
        const ann = yield* Services.user("ann")
        const { bot, botId } = yield* newBot({
          baseSystemMessage: "canary",
          contributorLogins: "canary",
          adminLogins: "canary",
          userLogins: "canary"
        })
        yield* admins.setConfiguration(botId, { configurationRaw: "canary" })
        const chat = yield* chats.createByBotCode(ann, bot.code)
        const { completionId, events } = yield* runs.stream(ann, chat.chatId, Services.question("Q"))
        const seen = [
          chat,
          yield* Stream.mkString(Stream.decodeText(events)),
          yield* ask(ann, chat.chatId),
          yield* Stream.mkString(Stream.decodeText(yield* runs.events(ann, chat.chatId, completionId, 0))),
          yield* chats.get(ann, chat.chatId),
          yield* chats.list(ann, {}),
          yield* bots.list(ann, {}),
          yield* bots.search(ann, botId, "Q")
        ]
        assert.notInclude(JSON.stringify(seen), "canary")
        assert.include(JSON.stringify(yield* admins.get(yield* Services.admin, botId)), "canary")
      })
    )
  )
})
