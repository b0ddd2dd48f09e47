import type { Caller } from "@effect-chatbot/api/middleware/Authorization"
import { ChatService } from "@effect-chatbot/server/ChatService"
import { CompletionRuns } from "@effect-chatbot/server/CompletionRuns"
import { Downloads } from "@effect-chatbot/server/Downloads"
import { Retention } from "@effect-chatbot/server/Retention"
import { Tickets } from "@effect-chatbot/server/Tickets"
import { type BotId, type ChatId, ChatId as ChatIdSchema, Ticket } from "@effect-chatbot/schema/Ids"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Services from "./support/TestServices.ts"

type Env = Effect.Services<typeof setUp> | Downloads | Tickets | Retention | SqlClient.SqlClient

const test = <A, E>(effect: Effect.Effect<A, E, Env>) => Effect.provide(effect, Services.layer)

const path = "guide/deep folder/a & b?.md"

/** A chat of `caller` with an answer drawn from two documents, and a document that no answer names. */
const chatWithSources = Effect.fnUntraced(function* (caller: Caller, botId: BotId) {
  const chats = yield* ChatService
  const runs = yield* CompletionRuns
  const { chatId } = yield* chats.create(caller, botId)
  const completion = yield* runs.complete(caller, chatId, Services.question("Where is it said?"))
  return { chatId, sources: completion.metaData?.sources ?? [] }
})

const setUp = Effect.gen(function* () {
  const provider = yield* Services.TestProvider
  const botId = yield* Services.bot({ code: "guide", isOpen: 1 })
  const named = yield* Services.document(botId, "deep folder/a & b?.md", "The content.")
  yield* Services.document(botId, "secret.md", "Nobody named this.")
  yield* provider.behave(() => Effect.succeed(Services.answer({ sources: [named] })))
  const ann = yield* Services.user("ann")
  const bob = yield* Services.user("bob")
  return { botId, ann, bob, ...(yield* chatWithSources(ann, botId)) }
})

const open = (caller: Caller, chatId: ChatId, path: string, ticket?: Ticket) =>
  Effect.flatMap(Downloads, (downloads) =>
    Effect.tap(downloads.open(caller, chatId, path, ticket), ({ redeem }) => redeem)
  )

const tagOf = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.match(effect, { onFailure: (error) => error._tag, onSuccess: () => "ok" })

const read = (stream: Stream.Stream<Uint8Array>) =>
  Effect.map(Stream.runCollect(stream), (chunks) => Buffer.concat(chunks).toString())

describe("Downloads", () => {
  it.effect("opens the file at the url of a source", () =>
    test(
      Effect.gen(function* () {
        const { ann, chatId, sources } = yield* setUp
        assert.deepStrictEqual(sources, [
          {
            id: sources[0]?.id,
            fileName: "a & b?.md",
            url: `/api/chats/${chatId}/downloads/guide/deep%20folder/a%20%26%20b%3F.md`,
            language: "en",
            createTicketUrl: `/api/chats/${chatId}/tickets`
          }
        ])
        const url = new URL(sources[0]?.url ?? "", "http://localhost")
        const download = yield* open(ann, chatId, decodeURIComponent(url.pathname.split("/downloads/")[1] ?? ""))
        assert.deepStrictEqual(
          [download.fileName, download.mediaType, download.size, download.etag],
          ["a & b?.md", "text/markdown; charset=utf-8", 12, "etag-1"]
        )
        assert.strictEqual(yield* read(download.bytes()), "The content.")
        assert.strictEqual(yield* read(download.bytes({ start: 4, end: 6 })), "con")
        assert.strictEqual(yield* read(download.bytes({ start: 11, end: 11 })), ".")
      })
    )
  )

  it.effect("finds nothing that no source of this chat names", () =>
    test(
      Effect.gen(function* () {
        const { ann, botId, chatId } = yield* setUp
        const chats = yield* ChatService
        for (const wrong of [
          "guide/secret.md",
          "secret.md",
          "",
          "/",
          "guide",
          "guide/",
          "guide/deep folder",
          "guide/deep folder/../deep folder/a & b?.md",
          "../../etc/passwd",
          "guide/../../etc/passwd",
          "guide/deep folder/A & B?.md",
          "guide/%",
          "other/deep folder/a & b?.md",
          "guide/deep folder/a & b?.md\0"
        ]) {
          assert.strictEqual(yield* tagOf(open(ann, chatId, wrong)), "DownloadNotFound", wrong)
        }
        const { chatId: empty } = yield* chats.create(ann, botId)
        assert.strictEqual(yield* tagOf(open(ann, empty, path)), "DownloadNotFound")
      })
    )
  )

  it.effect("tells files of the same path apart by their bots", () =>
    test(
      Effect.gen(function* () {
        const provider = yield* Services.TestProvider
        const one = yield* Services.bot({ code: "one" })
        const two = yield* Services.bot({ code: "two" })
        const sources = [
          yield* Services.document(one, "readme.md", "One."),
          yield* Services.document(two, "readme.md", "Two.")
        ]
        yield* provider.behave(() => Effect.succeed(Services.answer({ sources })))
        const ann = yield* Services.user("ann")
        const { chatId } = yield* chatWithSources(ann, one)
        assert.strictEqual(yield* read((yield* open(ann, chatId, "one/readme.md")).bytes()), "One.")
        assert.strictEqual(yield* read((yield* open(ann, chatId, "two/readme.md")).bytes()), "Two.")
      })
    )
  )

  it.effect("is for the owner or a ticket", () =>
    test(
      Effect.gen(function* () {
        const { ann, bob, chatId } = yield* setUp
        const missing = ChatIdSchema.make("missing")
        assert.strictEqual(yield* tagOf(open(ann, chatId, path)), "ok")
        assert.strictEqual(yield* tagOf(open(bob, chatId, path)), "ChatNotFound")
        assert.strictEqual(yield* tagOf(open(bob, missing, path)), "ChatNotFound")
        assert.strictEqual(yield* tagOf(open(Services.anonymous, chatId, path)), "Unauthorized")
        assert.strictEqual(yield* tagOf(open(Services.anonymous, missing, path)), "Unauthorized")
        // Who has no right learns nothing about the files.
        assert.strictEqual(yield* tagOf(open(Services.anonymous, chatId, "guide/secret.md")), "Unauthorized")
      })
    )
  )

  it.effect("opens an anonymous chat to whoever knows its id", () =>
    test(
      Effect.gen(function* () {
        const { bob, botId } = yield* setUp
        const { chatId } = yield* chatWithSources(Services.anonymous, botId)
        assert.strictEqual(yield* tagOf(open(Services.anonymous, chatId, path)), "ok")
        assert.strictEqual(yield* tagOf(open(bob, chatId, path)), "ok")
      })
    )
  )

  it.effect("streams a large file in parts, while others use the database", () =>
    test(
      Effect.gen(function* () {
        const provider = yield* Services.TestProvider
        const sql = yield* SqlClient.SqlClient
        const botId = yield* Services.bot({ code: "big" })
        const content = Buffer.from(Array.from({ length: 2_200_001 }, (_, index) => index % 251))
        const source = yield* Services.document(botId, "big.bin", content)
        yield* provider.behave(() => Effect.succeed(Services.answer({ sources: [source] })))
        const ann = yield* Services.user("ann")
        const { chatId } = yield* chatWithSources(ann, botId)
        const download = yield* open(ann, chatId, "big/big.bin")
        const parts = yield* download.bytes().pipe(
          // On one connection this would wait for ever if the stream kept it.
          Stream.tap(() => sql`SELECT 1`),
          Stream.runCollect,
          Effect.orDie
        )
        assert.deepStrictEqual(
          parts.map((part) => part.length),
          [2 ** 20, 2 ** 20, 2_200_001 - 2 ** 21]
        )
        assert.isTrue(Buffer.concat(parts).equals(content))
        for (const [start, end] of [
          [0, 0],
          [2 ** 20 - 1, 2 ** 20],
          [1_000_000, 2_200_000],
          [2 ** 20, 2 ** 21 - 1]
        ] as const) {
          const range = Buffer.concat(yield* Stream.runCollect(download.bytes({ start, end })))
          assert.isTrue(range.equals(content.subarray(start, end + 1)), `${start}-${end}`)
        }
        assert.deepStrictEqual(
          yield* Stream.runCollect(Stream.take(download.bytes(), 1)).pipe(Effect.map((_) => _.length)),
          1
        )
      })
    )
  )

  it.effect("reads an empty file", () =>
    test(
      Effect.gen(function* () {
        const provider = yield* Services.TestProvider
        const botId = yield* Services.bot({ code: "empty" })
        const source = yield* Services.document(botId, "empty.txt", "")
        yield* provider.behave(() => Effect.succeed(Services.answer({ sources: [source] })))
        const ann = yield* Services.user("ann")
        const { chatId } = yield* chatWithSources(ann, botId)
        assert.strictEqual(yield* read((yield* open(ann, chatId, "empty/empty.txt")).bytes()), "")
      })
    )
  )

  it.effect("breaks off when the file is replaced meanwhile, rather than mix the two", () =>
    test(
      Effect.gen(function* () {
        const { ann, chatId } = yield* setUp
        const sql = yield* SqlClient.SqlClient
        const download = yield* open(ann, chatId, path)
        yield* sql`UPDATE documents SET etag = 'etag-2', content = ${Buffer.from("Other text..")}`
        const exit = yield* Effect.exit(read(download.bytes()))
        assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      })
    )
  )
})

describe("Tickets", () => {
  it.effect("open one download of their chat, once, to their user and to whoever has no token", () =>
    test(
      Effect.gen(function* () {
        const { ann, bob, chatId } = yield* setUp
        const tickets = yield* Tickets
        const ticket = yield* tickets.create(ann, chatId)
        assert.strictEqual(yield* tagOf(open(Services.anonymous, chatId, path, ticket)), "ok")
        assert.strictEqual(yield* tagOf(open(Services.anonymous, chatId, path, ticket)), "Unauthorized")
        const another = yield* tickets.create(ann, chatId)
        assert.strictEqual(yield* tagOf(open(bob, chatId, path, another)), "Unauthorized")
        assert.strictEqual(yield* tagOf(open(ann, chatId, path, another)), "ok")
      })
    )
  )

  it.effect("are not used up by a download that does not exist", () =>
    test(
      Effect.gen(function* () {
        const { ann, chatId } = yield* setUp
        const ticket = yield* Effect.flatMap(Tickets, (tickets) => tickets.create(ann, chatId))
        assert.strictEqual(
          yield* tagOf(open(Services.anonymous, chatId, "guide/secret.md", ticket)),
          "DownloadNotFound"
        )
        assert.strictEqual(yield* tagOf(open(Services.anonymous, chatId, path, ticket)), "ok")
      })
    )
  )

  it.effect("are made only for chats that the caller reaches", () =>
    test(
      Effect.gen(function* () {
        const { ann, bob, botId, chatId } = yield* setUp
        const tickets = yield* Tickets
        assert.strictEqual(yield* tagOf(tickets.create(bob, chatId)), "ChatNotFound")
        assert.strictEqual(yield* tagOf(tickets.create(Services.anonymous, chatId)), "ChatNotFound")
        assert.strictEqual(yield* tagOf(tickets.create(ann, ChatIdSchema.make("missing"))), "ChatNotFound")
        const { chatId: anybodys } = yield* chatWithSources(Services.anonymous, botId)
        assert.strictEqual(yield* tagOf(tickets.create(Services.anonymous, anybodys)), "ok")
      })
    )
  )

  it.effect("open no other chat, not even to its owner, and stay usable for their own", () =>
    test(
      Effect.gen(function* () {
        const { ann, bob, botId, chatId } = yield* setUp
        const { chatId: other } = yield* chatWithSources(bob, botId)
        const ticket = yield* Effect.flatMap(Tickets, (tickets) => tickets.create(ann, chatId))
        assert.strictEqual(yield* tagOf(open(bob, other, path, ticket)), "Unauthorized")
        assert.strictEqual(yield* tagOf(open(Services.anonymous, other, path, ticket)), "Unauthorized")
        // Nor do they tell which files it has.
        assert.strictEqual(yield* tagOf(open(Services.anonymous, other, "guide/secret.md", ticket)), "Unauthorized")
        assert.strictEqual(yield* tagOf(open(Services.anonymous, chatId, path, ticket)), "ok")
        assert.strictEqual(yield* tagOf(open(Services.anonymous, chatId, path, Ticket.make("guessed"))), "Unauthorized")
      })
    )
  )

  it.effect("live for 60 seconds, then are refused and deleted", () =>
    test(
      Effect.gen(function* () {
        const { ann, chatId } = yield* setUp
        const tickets = yield* Tickets
        const retention = yield* Retention
        const early = yield* tickets.create(ann, chatId)
        const late = yield* tickets.create(ann, chatId)
        yield* TestClock.adjust("59999 millis")
        assert.strictEqual(yield* tagOf(open(Services.anonymous, chatId, path, early)), "ok")
        assert.strictEqual((yield* retention.run).tickets, 0)
        yield* TestClock.adjust(1)
        assert.strictEqual(yield* tagOf(open(Services.anonymous, chatId, path, late)), "Unauthorized")
        assert.deepStrictEqual([(yield* retention.run).tickets, yield* Services.count("tickets")], [1, 0])
      })
    )
  )

  it.effect("have at least 128 random bits and are kept as hashes", () =>
    test(
      Effect.gen(function* () {
        const { ann, chatId } = yield* setUp
        const tickets = yield* Tickets
        const sql = yield* SqlClient.SqlClient
        const made = yield* Effect.replicateEffect(tickets.create(ann, chatId), 50)
        assert.strictEqual(new Set(made).size, 50)
        for (const ticket of made) assert.match(ticket, /^[A-Za-z0-9_-]{43}$/)
        const rows = JSON.stringify(yield* sql`SELECT * FROM tickets`)
        assert.isTrue(made.every((ticket) => !rows.includes(ticket)))
      })
    )
  )

  it.effect("open one of many downloads that begin at once", () =>
    test(
      Effect.gen(function* () {
        const { ann, chatId } = yield* setUp
        const ticket = yield* Effect.flatMap(Tickets, (tickets) => tickets.create(ann, chatId))
        const fibers = yield* Effect.replicateEffect(
          Effect.forkChild(tagOf(open(Services.anonymous, chatId, path, ticket))),
          100
        )
        const tags = yield* Effect.forEach(fibers, Fiber.join)
        assert.deepStrictEqual(tags.toSorted(), [...Array.from({ length: 99 }, () => "Unauthorized"), "ok"])
      })
    )
  )
})
