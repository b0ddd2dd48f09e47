import * as ChatName from "@effect-chatbot/server/ChatName"
import { ChatService } from "@effect-chatbot/server/ChatService"
import { CompletionRuns } from "@effect-chatbot/server/CompletionRuns"
import { UserService } from "@effect-chatbot/server/UserService"
import { UserSystemMessages } from "@effect-chatbot/server/UserSystemMessages"
import type { Caller } from "@effect-chatbot/api/middleware/Authorization"
import type { Page } from "@effect-chatbot/schema/Page"
import type { ChatSummary } from "@effect-chatbot/schema/Chat"
import {
  BotId,
  type ChatId,
  ChatId as ChatIdSchema,
  CompletionId,
  UserSystemMessageId
} from "@effect-chatbot/schema/Ids"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import * as TestDatabase from "./support/TestDatabase.ts"
import * as Services from "./support/TestServices.ts"

type Env = Layer.Success<typeof Services.layer>

const test = <A, E>(effect: Effect.Effect<A, E, Env>) => Effect.provide(effect, Services.layer)

const tagOf = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.match(effect, { onFailure: (error) => error._tag, onSuccess: () => "ok" })

const issuesOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), (error) =>
    JSON.parse(JSON.stringify(error)).issues?.map((_: { path: unknown }) => _.path)
  )

const names = (page: Page<ChatSummary>) => page.items.map(({ displayName }) => displayName)

const setUp = Effect.gen(function* () {
  const chats = yield* ChatService
  const open = yield* Services.bot({ code: "open", displayName: "Open Bot", isOpen: 1, displayMessage: "Hello!" })
  const plain = yield* Services.bot({ code: "plain", displayName: "Plain Bot", isUserSystemMessageSupported: 1 })
  const ann = yield* Services.user("ann")
  const bob = yield* Services.user("bob")
  return { chats, open, plain, ann, bob, missing: ChatIdSchema.make("missing") }
})

const ask = (caller: Caller, chatId: ChatId, message: string) =>
  Effect.flatMap(CompletionRuns, (runs) => runs.complete(caller, chatId, Services.question(message)))

describe("ChatService.create", () => {
  it.effect("greets with the texts of the bot, by its id or its code", () =>
    test(
      Effect.gen(function* () {
        const { ann, chats, plain } = yield* setUp
        const botId = yield* Services.bot({
          code: "talker",
          displayName: "Talker",
          displayMessage: "Hi!",
          description: "Talks."
        })
        const byId = yield* chats.create(ann, botId)
        const byCode = yield* chats.createByBotCode(ann, "talker")
        assert.notStrictEqual(byId.chatId, byCode.chatId)
        assert.deepStrictEqual({ ...byCode, chatId: byId.chatId }, byId)
        assert.deepStrictEqual(byId, {
          chatId: byId.chatId,
          botId,
          botDisplayName: "Talker",
          botDisplayMessage: "Hi!",
          botDescription: "Talks.",
          botSampleQuestion1: undefined,
          botSampleQuestion2: undefined,
          isUserSystemMessageSupported: false
        })
        assert.isTrue((yield* chats.create(ann, plain)).isUserSystemMessageSupported)
        assert.match(byId.chatId, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      })
    )
  )

  it.effect("is for the bots a caller may use", () =>
    test(
      Effect.gen(function* () {
        const { ann, chats, open, plain } = yield* setUp
        const hidden = yield* Services.bot({ code: "hidden", isPublic: 0 })
        const resting = yield* Services.bot({ code: "resting", isActive: 0 })
        const boss = yield* Services.admin
        const outcomes = (caller: Caller) =>
          Effect.forEach([open, plain, hidden, resting, BotId.make("none")], (botId) =>
            tagOf(chats.create(caller, botId))
          )
        assert.deepStrictEqual(yield* outcomes(Services.anonymous), [
          "ok",
          "BotNotFound",
          "BotNotFound",
          "BotNotFound",
          "BotNotFound"
        ])
        assert.deepStrictEqual(yield* outcomes(ann), ["ok", "ok", "BotNotFound", "BotNotFound", "BotNotFound"])
        assert.deepStrictEqual(yield* outcomes(boss), ["ok", "ok", "ok", "BotNotFound", "BotNotFound"])
        assert.strictEqual(yield* tagOf(chats.createByBotCode(Services.anonymous, "plain")), "BotNotFound")
        assert.strictEqual(yield* tagOf(chats.createByBotCode(ann, "none")), "BotNotFound")
        assert.strictEqual(yield* Services.count("chats"), 6)
        assert.deepStrictEqual(yield* chats.openBot, { openChatBotId: open, isPublic: true })
      })
    )
  )

  it.effect("has no open bot where there is none", () =>
    test(
      Effect.gen(function* () {
        const chats = yield* ChatService
        yield* Services.bot({ code: "was-open", isOpen: 1, isActive: 0 })
        assert.deepStrictEqual(yield* chats.openBot, { openChatBotId: undefined, isPublic: false })
      })
    )
  )

  it.effect("waits for the terms where they are required", () =>
    Effect.gen(function* () {
      const { ann, bob, chats, open } = yield* setUp
      const users = yield* UserService
      assert.strictEqual(yield* tagOf(chats.create(ann, open)), "TermsNotAccepted")
      assert.strictEqual(yield* tagOf(chats.createByBotCode(ann, "open")), "TermsNotAccepted")
      assert.strictEqual(yield* tagOf(chats.create(Services.anonymous, open)), "TermsNotAccepted")
      yield* users.acceptTerms(ann)
      assert.strictEqual(yield* tagOf(chats.create(ann, open)), "ok")
      assert.strictEqual(yield* tagOf(chats.create(bob, open)), "TermsNotAccepted")
      assert.strictEqual(yield* Services.count("chats"), 1)
    }).pipe(Effect.provide(Services.layerWith({ requireTerms: true })))
  )
})

describe("ChatService and chats of others", () => {
  it.effect("finds a chat of another user as little as none at all", () =>
    test(
      Effect.gen(function* () {
        const { ann, bob, chats, missing, plain } = yield* setUp
        const messages = yield* UserSystemMessages
        const { chatId } = yield* chats.create(ann, plain)
        const { completionId } = yield* ask(ann, chatId, "Mine.")
        const bobs = yield* messages.create(bob, { displayName: "m", systemMessage: "m" })
        const before = yield* chats.get(ann, chatId)
        const calls = (id: ChatId) => [
          tagOf(chats.get(bob, id)),
          tagOf(chats.get(Services.anonymous, id)),
          tagOf(chats.delete(bob, id)),
          tagOf(chats.delete(Services.anonymous, id)),
          tagOf(chats.rename(bob, id, "Taken")),
          tagOf(chats.giveFeedback(bob, id, { voteId: 1 })),
          tagOf(chats.setUserSystemMessage(bob, id, bobs)),
          tagOf(chats.removeUserSystemMessage(bob, id)),
          tagOf(chats.setFavorite(bob, id, true)),
          tagOf(chats.deleteOwn(bob, id)),
          tagOf(chats.deleteCompletion(bob, id, completionId)),
          tagOf(ask(bob, id, "Not mine.")),
          tagOf(ask(Services.anonymous, id, "Not mine."))
        ]
        for (const id of [chatId, missing]) {
          for (const [index, call] of calls(id).entries()) assert.strictEqual(yield* call, "ChatNotFound", `${index}`)
        }
        yield* chats.deleteMany(bob, { keepFavorites: false })
        assert.deepStrictEqual(yield* chats.get(ann, chatId), before)
        assert.strictEqual(yield* Services.count("feedback"), 0)
        const foreign = yield* Effect.flip(chats.get(bob, chatId))
        assert.deepStrictEqual({ ...foreign }, { ...(yield* Effect.flip(chats.get(bob, missing))), chatId })
      })
    )
  )

  it.effect("lets anybody use an anonymous chat by its id, and lists it nowhere", () =>
    test(
      Effect.gen(function* () {
        const { ann, chats, open } = yield* setUp
        const { chatId } = yield* chats.create(Services.anonymous, open)
        yield* ask(Services.anonymous, chatId, "Hello?")
        yield* chats.rename(ann, chatId, "Found")
        assert.strictEqual((yield* chats.get(Services.anonymous, chatId)).displayName, "Found")
        assert.strictEqual((yield* chats.get(ann, chatId)).completions.length, 1)
        assert.strictEqual((yield* chats.list(ann, {})).totalItemCount, 0)
        // It is nobody's favourite, and follows nobody's messages.
        assert.strictEqual(yield* tagOf(chats.setFavorite(ann, chatId, true)), "ChatNotFound")
        assert.strictEqual(yield* tagOf(chats.deleteOwn(ann, chatId)), "ChatNotFound")
        yield* chats.delete(Services.anonymous, chatId)
        assert.strictEqual(yield* tagOf(chats.get(Services.anonymous, chatId)), "ChatNotFound")
      })
    )
  )
})

describe("ChatService.get", () => {
  it.effect("has the completions, oldest first, with their sources and tags", () =>
    test(
      Effect.gen(function* () {
        const { ann, chats, plain } = yield* setUp
        const provider = yield* Services.TestProvider
        const one = yield* Services.document(plain, "one.md")
        const two = yield* Services.document(plain, "sub/two.md")
        const { chatId } = yield* chats.create(ann, plain)
        yield* provider.behave(() =>
          Effect.succeed(Services.answer({ assistantMessage: "A1", tags: ["answer", "x"], sources: [two, one, two] }))
        )
        const first = yield* ask(ann, chatId, "Q1")
        yield* provider.behave(() => Effect.succeed(Services.answer({ assistantMessage: "A2" })))
        yield* TestClock.adjust("1 second")
        yield* ask(ann, chatId, "Q2")
        const { completions } = yield* chats.get(ann, chatId)
        assert.deepStrictEqual(
          completions.map((_) => [_.userMessage, _.assistantMessage]),
          [
            ["Q1", "A1"],
            ["Q2", "A2"]
          ]
        )
        assert.deepStrictEqual(completions[0]?.metaData, first.metaData)
        assert.deepStrictEqual(first.metaData?.tags, ["answer", "x"])
        assert.deepStrictEqual(
          first.metaData?.sources.map((_) => _.fileName),
          ["two.md", "one.md"]
        )
        assert.deepStrictEqual(completions[1]?.metaData, { tags: [], sources: [] })
        assert.deepStrictEqual(
          completions.map((_) => DateTime.toEpochMillis(_.createdUtc ?? DateTime.makeUnsafe(-1))),
          [0, 1000]
        )
      })
    )
  )

  it.effect("notes that the chat was used, once a minute at most", () =>
    test(
      Effect.gen(function* () {
        const { ann, chats, plain } = yield* setUp
        const sql = yield* SqlClient.SqlClient
        const { chatId } = yield* chats.create(ann, plain)
        const stored = Effect.map(
          sql<{ lastAccessedUtc: string }>`SELECT last_accessed_utc FROM chats`,
          ([row]) => row?.lastAccessedUtc
        )
        yield* TestClock.adjust("60 seconds")
        yield* chats.get(ann, chatId)
        assert.strictEqual(yield* stored, "1970-01-01T00:00:00.000Z")
        yield* TestClock.adjust("1 millis")
        const chat = yield* chats.get(ann, chatId)
        assert.strictEqual(yield* stored, "1970-01-01T00:01:00.001Z")
        assert.strictEqual(
          DateTime.formatIso(chat.lastAccessedUtc ?? DateTime.makeUnsafe(0)),
          "1970-01-01T00:01:00.001Z"
        )
      })
    )
  )
})

describe("the name of a chat", () => {
  it.effect("is that of its bot, then its first question, and no later one", () =>
    test(
      Effect.gen(function* () {
        const { ann, chats, plain } = yield* setUp
        const { chatId } = yield* chats.create(ann, plain)
        assert.strictEqual((yield* chats.get(ann, chatId)).displayName, "Plain Bot")
        assert.strictEqual((yield* ask(ann, chatId, "  What is\n this? ")).chatDisplayName, "What is this?")
        assert.strictEqual((yield* ask(ann, chatId, "And that?")).chatDisplayName, "What is this?")
        assert.strictEqual((yield* chats.get(ann, chatId)).displayName, "What is this?")
      })
    )
  )

  it.effect("stays what the user made it, even the name of the bot", () =>
    test(
      Effect.gen(function* () {
        const { ann, chats, plain } = yield* setUp
        const { chatId } = yield* chats.create(ann, plain)
        yield* chats.rename(ann, chatId, " Plain Bot ")
        yield* ask(ann, chatId, "What is this?")
        assert.strictEqual((yield* chats.get(ann, chatId)).displayName, "Plain Bot")
        assert.deepStrictEqual(yield* issuesOf(chats.rename(ann, chatId, " \n ")), [["payload", "displayName"]])
      })
    )
  )

  const sixty = "x".repeat(60)
  it.each([
    ["short", "short"],
    [sixty, sixty],
    [`${sixty}y`, `${"x".repeat(59)}…`],
    [`${"word ".repeat(11)}wordy`, `${"word ".repeat(11)}wordy`],
    [`${"word ".repeat(12)}word`, `${"word ".repeat(11)}word…`],
    [`${"x".repeat(59)} y z`, `${"x".repeat(59)}…`],
    [`a ${"x".repeat(70)}`, "a…"],
    ["👨‍👩‍👧‍👦".repeat(61), `${"👨‍👩‍👧‍👦".repeat(59)}…`],
    ["a\t\tb\u00a0c", "a b c"]
  ])("from %j is %j", (question, name) => {
    assert.strictEqual(ChatName.fromQuestion(question), name)
  })

  it("is bounded whatever the question is", () => {
    assert.isBelow(ChatName.fromQuestion(`e${"\u0301".repeat(1_000_000)}`).length, 2000)
  })
})

describe("user system messages of a chat", () => {
  it.effect("are attached, shown and detached", () =>
    test(
      Effect.gen(function* () {
        const { ann, chats, plain } = yield* setUp
        const messages = yield* UserSystemMessages
        const { chatId } = yield* chats.create(ann, plain)
        const id = yield* messages.create(ann, { displayName: "Short", systemMessage: "Be short." })
        yield* chats.setUserSystemMessage(ann, chatId, id)
        const shown = Effect.map(chats.get(ann, chatId), (_) => [_.userSystemMessageId, _.userSystemMessageDisplayName])
        assert.deepStrictEqual(yield* shown, [id, "Short"])
        yield* chats.removeUserSystemMessage(ann, chatId)
        yield* chats.removeUserSystemMessage(ann, chatId)
        assert.deepStrictEqual(yield* shown, [undefined, undefined])
        yield* chats.setUserSystemMessage(ann, chatId, id)
        yield* messages.delete(ann, id)
        assert.deepStrictEqual(yield* shown, [undefined, undefined])
      })
    )
  )

  it.effect("must be the user's own, and the bot must follow them", () =>
    test(
      Effect.gen(function* () {
        const { ann, bob, chats, open, plain } = yield* setUp
        const messages = yield* UserSystemMessages
        const { chatId } = yield* chats.create(ann, plain)
        const { chatId: deaf } = yield* chats.create(ann, open)
        const own = yield* messages.create(ann, { displayName: "m", systemMessage: "m" })
        const foreign = yield* messages.create(bob, { displayName: "m", systemMessage: "m" })
        assert.strictEqual(yield* tagOf(chats.setUserSystemMessage(ann, chatId, foreign)), "UserSystemMessageNotFound")
        assert.strictEqual(
          yield* tagOf(chats.setUserSystemMessage(ann, chatId, UserSystemMessageId.make("none"))),
          "UserSystemMessageNotFound"
        )
        assert.deepStrictEqual(yield* issuesOf(chats.setUserSystemMessage(ann, deaf, own)), [
          ["payload", "userSystemMessageId"]
        ])
      })
    )
  )
})

describe("ChatService.giveFeedback", () => {
  it.effect("stores it for the bot of the chat", () =>
    test(
      Effect.gen(function* () {
        const { ann, chats, missing, plain } = yield* setUp
        const sql = yield* SqlClient.SqlClient
        const { chatId } = yield* chats.create(ann, plain)
        const { feedbackId } = yield* chats.giveFeedback(ann, chatId, {
          chatId,
          userMessage: "Q",
          assistantMessage: "A",
          userComment: "Good",
          messageCreatedUtc: DateTime.makeUnsafe(5),
          voteId: 2 ** 31 - 1
        })
        yield* chats.giveFeedback(ann, chatId, { voteId: -1 })
        const rows =
          yield* sql`SELECT id, bot_id, chat_id, user_id, user_comment, message_created_utc, vote_id, status FROM feedback ORDER BY id`
        assert.deepStrictEqual(rows[0], {
          id: feedbackId,
          botId: plain,
          chatId,
          userId: ann.id,
          userComment: "Good",
          messageCreatedUtc: "1970-01-01T00:00:00.005Z",
          voteId: 2_147_483_647,
          status: null
        })
        assert.strictEqual(rows[1]?.["voteId"], -1)
        assert.deepStrictEqual(yield* issuesOf(chats.giveFeedback(ann, chatId, { chatId: missing, voteId: 1 })), [
          ["payload", "chatId"]
        ])
        assert.strictEqual(rows.length, yield* Services.count("feedback"))
        // What a user thought of a bot outlives the chat.
        yield* chats.delete(ann, chatId)
        assert.strictEqual(yield* Services.count("feedback"), 2)
      })
    )
  )
})

describe("ChatService.list", () => {
  const chatsOfAnn = Effect.gen(function* () {
    const { ann, bob, chats, open, plain } = yield* setUp
    const messages = yield* UserSystemMessages
    const short = yield* messages.create(ann, { displayName: "Çok kısa", systemMessage: "m" })
    const make = Effect.fnUntraced(function* (caller: typeof ann, botId: BotId, name: string) {
      const { chatId } = yield* chats.create(caller, botId)
      yield* chats.rename(caller, chatId, name)
      yield* TestClock.adjust("1 second")
      return chatId
    })
    const apples = yield* make(ann, plain, "Äpfel")
    const pears = yield* make(ann, open, "birnen")
    const plums = yield* make(ann, plain, "100% Pflaumen_saft")
    yield* make(bob, plain, "Äpfel von Bob")
    const { chatId: unnamed } = yield* chats.create(ann, open)
    yield* chats.setFavorite(ann, pears, true)
    yield* chats.setUserSystemMessage(ann, plums, short)
    return { ann, bob, chats, open, plain, short, apples, pears, plums, unnamed }
  })

  it.effect("has the chats of the user, the last used first", () =>
    test(
      Effect.gen(function* () {
        const { ann, apples, chats, pears, plums, short, unnamed } = yield* chatsOfAnn
        const page = yield* chats.list(ann, {})
        assert.deepStrictEqual(
          page.items.map((_) => _.chatId),
          [unnamed, plums, pears, apples]
        )
        assert.deepStrictEqual(page.items[1], {
          chatId: plums,
          displayName: "100% Pflaumen_saft",
          lastAccessedUtc: DateTime.makeUnsafe(2000),
          botId: BotId.make("bot-plain"),
          botDisplayName: "Plain Bot",
          userSystemMessageId: short,
          userSystemMessageDisplayName: "Çok kısa",
          isFavorite: false
        })
        yield* TestClock.adjust("1 second")
        yield* ask(ann, apples, "Again?")
        assert.strictEqual((yield* chats.list(ann, { pageSize: 1 })).items[0]?.chatId, apples)
      })
    )
  )

  it.effect("keeps to favourites, to a bot and to a user system message", () =>
    test(
      Effect.gen(function* () {
        const { ann, bob, chats, open, plain, short } = yield* chatsOfAnn
        assert.deepStrictEqual(names(yield* chats.list(ann, { onlyFavorites: true })), ["birnen"])
        assert.strictEqual((yield* chats.list(ann, { onlyFavorites: false })).totalItemCount, 4)
        assert.deepStrictEqual(names(yield* chats.list(ann, {}, { botId: plain })), ["100% Pflaumen_saft", "Äpfel"])
        assert.deepStrictEqual(names(yield* chats.list(ann, { onlyFavorites: true }, { botId: plain })), [])
        assert.deepStrictEqual(names(yield* chats.list(ann, {}, { botId: plain, userSystemMessageId: short })), [
          "100% Pflaumen_saft"
        ])
        assert.deepStrictEqual(names(yield* chats.list(ann, {}, { botId: open, userSystemMessageId: short })), [])
        assert.deepStrictEqual(names(yield* chats.list(bob, {}, { userSystemMessageId: short })), [])
      })
    )
  )

  it.effect("searches every text it shows, in any case of any language, and takes no text for a pattern", () =>
    test(
      Effect.gen(function* () {
        const { ann, chats } = yield* chatsOfAnn
        const found = (searchFor: string) => Effect.map(chats.list(ann, { searchFor, orderBy: "displayName" }), names)
        assert.deepStrictEqual(yield* found("äPF"), ["Äpfel"])
        assert.deepStrictEqual(yield* found("A\u0308PFEL"), ["Äpfel"])
        assert.deepStrictEqual(yield* found("ÇOK"), ["100% Pflaumen_saft"])
        assert.deepStrictEqual(yield* found("PLAIN b"), ["100% Pflaumen_saft", "Äpfel"])
        assert.deepStrictEqual(yield* found("open bot"), ["birnen", "Open Bot"])
        assert.deepStrictEqual(yield* found("%"), ["100% Pflaumen_saft"])
        assert.deepStrictEqual(yield* found("_"), ["100% Pflaumen_saft"])
        assert.deepStrictEqual(yield* found("p%n"), [])
        assert.deepStrictEqual(yield* found("\\"), [])
        assert.deepStrictEqual(yield* found("' OR 1=1 --"), [])
      })
    )
  )

  it.effect("sorts by every field of the item", () =>
    test(
      Effect.gen(function* () {
        const { ann, chats } = yield* chatsOfAnn
        const order = (orderBy: string) => Effect.map(chats.list(ann, { orderBy }), names)
        assert.deepStrictEqual(yield* order("displayName"), ["100% Pflaumen_saft", "birnen", "Open Bot", "Äpfel"])
        assert.deepStrictEqual(yield* order("displayName desc"), ["Äpfel", "Open Bot", "birnen", "100% Pflaumen_saft"])
        assert.deepStrictEqual(yield* order("lastAccessedUtc"), ["Äpfel", "birnen", "100% Pflaumen_saft", "Open Bot"])
        assert.deepStrictEqual(yield* order("botDisplayName"), ["birnen", "Open Bot", "Äpfel", "100% Pflaumen_saft"])
        assert.deepStrictEqual((yield* order("isFavorite desc"))[0], "birnen")
        assert.deepStrictEqual((yield* order("userSystemMessageDisplayName desc"))[0], "100% Pflaumen_saft")
        for (const field of ["chatId", "botId", "userSystemMessageId"])
          assert.strictEqual((yield* order(field)).length, 4)
        assert.deepStrictEqual(yield* issuesOf(chats.list(ann, { orderBy: "createdUtc", pageSize: 101 })), [
          ["query", "PageSize"],
          ["query", "OrderBy"]
        ])
      })
    )
  )

  // PostgreSQL plans by how many rows there are.
  if (TestDatabase.form !== "postgres") {
    it.effect("reads the default order from an index", () =>
      test(
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const plan = yield* sql<{ detail: string }>`EXPLAIN QUERY PLAN
        SELECT c.id FROM chats c JOIN bots b ON b.id = c.bot_id
        LEFT JOIN user_system_messages m ON m.id = c.user_system_message_id
        WHERE c.user_id = 1 ORDER BY c.last_accessed_utc DESC, c.id DESC LIMIT 20`
          const details = plan.map(({ detail }) => detail).join("\n")
          assert.include(details, "USING INDEX chats_user")
          assert.notInclude(details, "TEMP B-TREE")
        })
      )
    )
  }

  it.effect("deletes many, and keeps what it is asked to", () =>
    test(
      Effect.gen(function* () {
        const { ann, bob, chats, open, plain, short } = yield* chatsOfAnn
        const left = Effect.map(chats.list(ann, { orderBy: "displayName" }), names)
        yield* chats.deleteMany(ann, { keepFavorites: false, botId: open, userSystemMessageId: short })
        assert.strictEqual((yield* left).length, 4)
        yield* chats.deleteMany(ann, { keepFavorites: false, botId: plain, userSystemMessageId: short })
        assert.deepStrictEqual(yield* left, ["birnen", "Open Bot", "Äpfel"])
        yield* chats.deleteMany(ann, { keepFavorites: true, botId: open })
        assert.deepStrictEqual(yield* left, ["birnen", "Äpfel"])
        yield* chats.deleteMany(ann, { keepFavorites: true })
        assert.deepStrictEqual(yield* left, ["birnen"])
        yield* chats.deleteMany(ann, { keepFavorites: false })
        assert.deepStrictEqual(yield* left, [])
        assert.deepStrictEqual(names(yield* chats.list(bob, {})), ["Äpfel von Bob"])
      })
    )
  )
})

describe("ChatService.delete", () => {
  it.effect("deletes the completions with the chat, and leaves what it used in the statistic", () =>
    test(
      Effect.gen(function* () {
        const { ann, chats, plain } = yield* setUp
        const provider = yield* Services.TestProvider
        const source = yield* Services.document(plain, "one.md")
        yield* provider.behave(() => Effect.succeed(Services.answer({ sources: [source] })))
        const { chatId } = yield* chats.create(ann, plain)
        yield* ask(ann, chatId, "Q")
        yield* chats.deleteOwn(ann, chatId)
        assert.strictEqual(yield* tagOf(chats.deleteOwn(ann, chatId)), "ChatNotFound")
        const counts = yield* Effect.forEach(
          ["chats", "completions", "completion_sources", "token_usage"],
          Services.count
        )
        assert.deepStrictEqual(counts, [0, 0, 0, 1])
      })
    )
  )

  it.effect("deletes one completion of the chat it belongs to", () =>
    test(
      Effect.gen(function* () {
        const { ann, chats, plain } = yield* setUp
        const { chatId } = yield* chats.create(ann, plain)
        const { chatId: other } = yield* chats.create(ann, plain)
        const { completionId } = yield* ask(ann, chatId, "Q1")
        yield* ask(ann, chatId, "Q2")
        assert.strictEqual(yield* tagOf(chats.deleteCompletion(ann, other, completionId)), "CompletionNotFound")
        assert.strictEqual(
          yield* tagOf(chats.deleteCompletion(ann, chatId, CompletionId.make("none"))),
          "CompletionNotFound"
        )
        yield* chats.deleteCompletion(ann, chatId, completionId)
        assert.strictEqual(yield* tagOf(chats.deleteCompletion(ann, chatId, completionId)), "CompletionNotFound")
        assert.deepStrictEqual(
          (yield* chats.get(ann, chatId)).completions.map((_) => _.userMessage),
          ["Q2"]
        )
      })
    )
  )
})
