import type { Caller } from "@effect-chatbot/api/middleware/Authorization"
import type { Completion } from "@effect-chatbot/schema/Chat"
import { ProviderFailed, ProviderTimedOut } from "@effect-chatbot/schema/Errors"
import { BotId, ChatId, CompletionId } from "@effect-chatbot/schema/Ids"
import { Answering, historyLimits } from "@effect-chatbot/server/Answering"
import { ChatAccess } from "@effect-chatbot/server/ChatAccess"
import { ChatService } from "@effect-chatbot/server/ChatService"
import type { Part } from "@effect-chatbot/server/CompletionProvider"
import { CompletionRuns } from "@effect-chatbot/server/CompletionRuns"
import { BotRepository, type BotRow } from "@effect-chatbot/server/repositories/BotRepository"
import type { ChatRow } from "@effect-chatbot/server/repositories/ChatRepository"
import { CompletionLogRepository } from "@effect-chatbot/server/repositories/CompletionLogRepository"
import { CompletionRepository } from "@effect-chatbot/server/repositories/CompletionRepository"
import { UserSystemMessages } from "@effect-chatbot/server/UserSystemMessages"
import { assert, describe, it } from "@effect/vitest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { StopFlag } from "@effect-chatbot/server/StopFlag"
import * as TestDatabase from "./support/TestDatabase.ts"
import * as Services from "./support/TestServices.ts"

type Env = Layer.Success<typeof Services.layer>

const test = <A, E>(effect: Effect.Effect<A, E, Env>) => Effect.provide(effect, Services.layer)

const tagOf = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.match(effect, { onFailure: (error) => error._tag, onSuccess: () => "ok" })

const ask = (caller: Caller, chatId: ChatId, message: string, flags?: Parameters<typeof Services.question>[1]) =>
  Effect.flatMap(CompletionRuns, (runs) => runs.complete(caller, chatId, Services.question(message, flags)))

const setUp = Effect.gen(function* () {
  const chats = yield* ChatService
  const provider = yield* Services.TestProvider
  const botId = yield* Services.bot({
    code: "helper",
    displayName: "Helper",
    displayMessage: "Hi!",
    description: "Helps.",
    isOpen: 1,
    isUserSystemMessageSupported: 1,
    baseSystemMessage: "Be helpful."
  })
  const ann = yield* Services.user("ann")
  const { chatId } = yield* chats.create(ann, botId)
  const newChat = Effect.map(chats.create(ann, botId), (_) => _.chatId)
  return { chats, provider, botId, ann, chatId, newChat }
})

/** A provider that waits until it is let go, and tells when it was asked and when it was interrupted. */
const gate = Effect.gen(function* () {
  const asked = yield* Deferred.make<void>()
  const open = yield* Deferred.make<void>()
  const interrupted = yield* Deferred.make<void>()
  const behaviour: Services.Behaviour = ({ userMessage }) =>
    Deferred.succeed(asked, undefined).pipe(
      Effect.andThen(Deferred.await(open)),
      Effect.as(Services.answer({ assistantMessage: `Late: ${userMessage}` })),
      Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
    )
  return { asked, open, interrupted, behaviour }
})

describe("CompletionRuns.complete", () => {
  it.effect("answers with everything there is to say, and stores it before", () =>
    test(
      Effect.gen(function* () {
        const { ann, botId, chatId, chats, provider } = yield* setUp
        const source = yield* Services.document(botId, "a.md")
        yield* provider.behave(() =>
          Effect.succeed(
            Services.answer({
              assistantMessage: "Because.",
              promptTokens: 7,
              completionTokens: 4,
              tags: ["answer"],
              sources: [source]
            })
          )
        )
        const completion = yield* ask(ann, chatId, "Why?")
        assert.deepStrictEqual(completion, {
          completionId: completion.completionId,
          chatId,
          userMessage: "Why?",
          assistantMessage: "Because.",
          promptTokens: 7,
          completionTokens: 4,
          totalTokens: 11,
          botId,
          botDisplayName: "Helper",
          botDisplayMessage: "Hi!",
          botDescription: "Helps.",
          chatDisplayName: "Why?",
          metaData: {
            tags: ["answer"],
            sources: [
              {
                id: source,
                fileName: "a.md",
                url: `/api/chats/${chatId}/downloads/helper/a.md`,
                language: "en",
                createTicketUrl: `/api/chats/${chatId}/tickets`
              }
            ]
          },
          traceLog: undefined
        })
        const chat = yield* chats.get(ann, chatId)
        assert.deepStrictEqual(
          chat.completions.map((_) => _.completionId),
          [completion.completionId]
        )
      })
    )
  )

  it.effect("gives the provider the bot, the instructions and the history, oldest first", () =>
    test(
      Effect.gen(function* () {
        const { ann, botId, chatId, chats, provider } = yield* setUp
        const messages = yield* UserSystemMessages
        const id = yield* messages.create(ann, { displayName: "Short", systemMessage: "Be short." })
        yield* ask(ann, chatId, "One")
        yield* chats.setUserSystemMessage(ann, chatId, id)
        yield* ask(ann, chatId, "Two")
        yield* ask(ann, chatId, "Three", { ignoreChatHistory: true })
        yield* ask(ann, chatId, "Four")
        const turn = (userMessage: string) => ({ userMessage, assistantMessage: `You said: ${userMessage}` })
        assert.deepStrictEqual(
          provider.requests.map((_) => _.history),
          [[], [turn("One")], [], [turn("One"), turn("Two"), turn("Three")]]
        )
        assert.deepStrictEqual(
          provider.requests.map((_) => _.userSystemMessage),
          [undefined, "Be short.", "Be short.", "Be short."]
        )
        const [first] = provider.requests
        assert.deepStrictEqual([first?.bot.id, first?.bot.baseSystemMessage], [botId, "Be helpful."])
      })
    )
  )

  it.effect("bounds the history by turns and by characters", () =>
    test(
      Effect.gen(function* () {
        const { ann, chatId, newChat, provider } = yield* setUp
        for (let index = 0; index <= historyLimits.turns + 1; index++) yield* ask(ann, chatId, `Q${index}`)
        const last = provider.requests.at(-1)?.history ?? []
        assert.strictEqual(last.length, historyLimits.turns)
        assert.deepStrictEqual([last[0]?.userMessage, last.at(-1)?.userMessage], ["Q1", `Q${historyLimits.turns}`])

        const other = yield* newChat
        yield* ask(ann, other, "first")
        yield* ask(ann, other, "x".repeat(historyLimits.characters))
        yield* ask(ann, other, "third")
        assert.deepStrictEqual(provider.requests.at(-1)?.history, [])
        yield* ask(ann, other, "fourth")
        assert.deepStrictEqual(
          provider.requests.at(-1)?.history.map((_) => _.userMessage),
          ["third"]
        )
      })
    )
  )

  it.effect("lets a start bot route to the bot that answers", () =>
    test(
      Effect.gen(function* () {
        const { ann, chats, provider } = yield* setUp
        const start = yield* Services.bot({ code: "start", implementationType: "Start" })
        const bills = yield* Services.bot({ code: "bills", isPublic: 0, displayName: "Bills" })
        const rest = yield* Services.bot({ code: "rest" })
        yield* Services.link(start, bills, "invoice")
        yield* Services.link(start, rest, null, 1)
        const { chatId } = yield* chats.create(ann, start)
        const first = yield* ask(ann, chatId, "Where is my invoice?")
        assert.deepStrictEqual([first.botId, first.botDisplayName], [bills, "Bills"])
        assert.strictEqual(
          (yield* ask(ann, chatId, "Something else entirely", { ignoreChatHistory: true })).botId,
          rest
        )
        assert.strictEqual((yield* ask(ann, chatId, "Is it paid?")).botId, rest)
        assert.deepStrictEqual(
          provider.requests.map((_) => _.bot.id),
          [bills, rest, rest]
        )
        assert.strictEqual((yield* chats.get(ann, chatId)).botId, start)

        const sql = yield* SqlClient.SqlClient
        yield* sql`UPDATE bots SET is_active = 0 WHERE code IN ('bills', 'rest')`
        assert.strictEqual((yield* ask(ann, chatId, "Where is my invoice?")).botId, start)
      })
    )
  )

  it.effect("keeps admin chats and trace logs for admins", () =>
    test(
      Effect.gen(function* () {
        const { ann, botId, chatId, chats, provider } = yield* setUp
        const boss = yield* Services.admin
        assert.strictEqual(yield* tagOf(ask(ann, chatId, "Q", { isAdminChat: true })), "Forbidden")
        assert.strictEqual(yield* tagOf(ask(ann, chatId, "Q", { isTraceLogEnabled: true })), "Forbidden")
        const { chatId: anybodys } = yield* chats.create(Services.anonymous, botId)
        assert.strictEqual(
          yield* tagOf(ask(Services.anonymous, anybodys, "Q", { isTraceLogEnabled: true })),
          "Forbidden"
        )
        assert.strictEqual(provider.requests.length, 0)

        const { chatId: bosss } = yield* chats.create(boss, botId)
        yield* provider.behave(() => Effect.succeed(Services.answer({ trace: ["retrieval: 3 passages"] })))
        const { traceLog } = yield* ask(boss, bosss, "Q", { isTraceLogEnabled: true, isAdminChat: true })
        for (const line of [
          "bot: helper",
          "history: 0 turns",
          "retrieval: 3 passages",
          "tokens: 3 prompt, 2 completion",
          "time: "
        ]) {
          assert.include(traceLog, line)
        }
        assert.isUndefined((yield* ask(boss, bosss, "Q")).traceLog)
      })
    )
  )

  it.effect("refuses a bot that is not available any more, but to an admin chat", () =>
    test(
      Effect.gen(function* () {
        const { ann, botId, chatId, chats } = yield* setUp
        const sql = yield* SqlClient.SqlClient
        const boss = yield* Services.admin
        const { chatId: bosss } = yield* chats.create(boss, botId)
        const { chatId: anybodys } = yield* chats.create(Services.anonymous, botId)
        yield* sql`UPDATE bots SET is_open = 0 WHERE id = ${botId}`
        assert.strictEqual(yield* tagOf(ask(Services.anonymous, anybodys, "Q")), "Forbidden")
        assert.strictEqual(yield* tagOf(ask(ann, chatId, "Q")), "ok")
        yield* sql`UPDATE bots SET is_active = 0 WHERE id = ${botId}`
        assert.strictEqual(yield* tagOf(ask(ann, chatId, "Q")), "Forbidden")
        assert.strictEqual(yield* tagOf(ask(boss, bosss, "Q")), "Forbidden")
        assert.strictEqual(yield* tagOf(ask(boss, bosss, "Q", { isAdminChat: true })), "ok")
        assert.strictEqual((yield* chats.get(ann, chatId)).completions.length, 1)
      })
    )
  )

  it.effect("hands on what the provider fails with, stores nothing, and lets the chat be asked again", () =>
    test(
      Effect.gen(function* () {
        const { ann, chatId, provider } = yield* setUp
        yield* provider.behave(() => Effect.fail(new ProviderFailed({})))
        assert.strictEqual(yield* tagOf(ask(ann, chatId, "Q")), "ProviderFailed")
        yield* provider.behave(() => Effect.fail(new ProviderTimedOut({})))
        assert.strictEqual(yield* tagOf(ask(ann, chatId, "Q")), "ProviderTimedOut")
        yield* provider.behave(() => Effect.die(new Error("a bug")))
        assert.isTrue(Exit.hasDies(yield* Effect.exit(ask(ann, chatId, "Q"))))
        assert.deepStrictEqual([yield* Services.count("completions"), yield* Services.count("token_usage")], [0, 0])
        yield* provider.behave(() => Effect.succeed(Services.answer({})))
        assert.strictEqual(yield* tagOf(ask(ann, chatId, "Q")), "ok")
      })
    )
  )

  it.effect("takes an answer without an end for a failure", () =>
    test(
      Effect.gen(function* () {
        const { ann, chatId, provider } = yield* setUp
        const dot: Part = { _tag: "Delta", text: "." }
        yield* provider.stream(() => Stream.forever(Stream.fromIterable(Array.from({ length: 4096 }, () => dot))))
        assert.strictEqual(yield* tagOf(ask(ann, chatId, "Q")), "ProviderFailed")
        yield* provider.stream(() => Stream.forever(Stream.make<[Part]>({ _tag: "Delta", text: ".".repeat(65_536) })))
        assert.strictEqual(yield* tagOf(ask(ann, chatId, "Q")), "ProviderFailed")
        assert.strictEqual(yield* Services.count("completions"), 0)
      })
    )
  )

  it.effect("stores an answer whole or not at all", () =>
    test(
      Effect.gen(function* () {
        const { ann, chatId } = yield* setUp
        const sql = yield* SqlClient.SqlClient
        yield* TestDatabase.refuse("token_usage_statistic")
        assert.isTrue(Exit.hasDies(yield* Effect.exit(ask(ann, chatId, "Q"))))
        assert.deepStrictEqual(
          [
            yield* Services.count("completions"),
            yield* Services.count("token_usage"),
            yield* sql`SELECT display_name FROM chats`
          ],
          [0, 0, [{ displayName: null }]]
        )
      })
    )
  )

  it.effect("leaves a document out that is gone since it was drawn on", () =>
    test(
      Effect.gen(function* () {
        const { ann, botId, chatId, provider } = yield* setUp
        const sql = yield* SqlClient.SqlClient
        const kept = yield* Services.document(botId, "kept.md")
        const gone = yield* Services.document(botId, "gone.md")
        yield* provider.behave(() =>
          Effect.as(
            Effect.orDie(sql`DELETE FROM documents WHERE id = ${gone}`),
            Services.answer({ sources: [gone, kept] })
          )
        )
        const { metaData } = yield* ask(ann, chatId, "Q")
        assert.deepStrictEqual(
          metaData?.sources.map((_) => _.fileName),
          ["kept.md"]
        )
      })
    )
  )
})

describe("CompletionRuns, many at once", () => {
  it.effect("answers one question of a chat at a time, and chats beside each other", () =>
    test(
      Effect.gen(function* () {
        const { ann, chatId, newChat, provider } = yield* setUp
        const { asked, behaviour, open } = yield* gate
        yield* provider.behave(behaviour)
        const other = yield* newChat
        const first = yield* Effect.forkChild(ask(ann, chatId, "One"))
        yield* Deferred.await(asked)
        const errors = yield* Effect.replicateEffect(Effect.flip(ask(ann, chatId, "Two")), 10)
        assert.deepStrictEqual(new Set(errors.map((error) => error._tag)), new Set(["ChatBusy"]))
        const second = yield* Effect.forkChild(ask(ann, other, "Elsewhere"))
        yield* Deferred.succeed(open, undefined)
        assert.strictEqual((yield* Fiber.join(first)).assistantMessage, "Late: One")
        assert.strictEqual((yield* Fiber.join(second)).assistantMessage, "Late: Elsewhere")
        assert.strictEqual(yield* tagOf(ask(ann, chatId, "Three")), "ok")
      })
    )
  )

  it.effect("refuses one of two that begin at the same moment", () =>
    test(
      Effect.gen(function* () {
        const { ann, chatId, provider } = yield* setUp
        const { behaviour, open } = yield* gate
        yield* provider.behave(behaviour)
        const fibers = yield* Effect.replicateEffect(Effect.forkChild(tagOf(ask(ann, chatId, "Q"))), 2)
        yield* Effect.yieldNow
        yield* Deferred.succeed(open, undefined)
        const tags = yield* Effect.forEach(fibers, Fiber.join)
        assert.deepStrictEqual(tags.toSorted(), ["ChatBusy", "ok"])
        assert.strictEqual(yield* Services.count("completions"), 1)
      })
    )
  )

  it.effect("is done with a chat when the answer comes: the next question is never refused", () =>
    test(
      Effect.gen(function* () {
        const { ann, chatId } = yield* setUp
        for (let index = 0; index < 50; index++) assert.strictEqual(yield* tagOf(ask(ann, chatId, "Q")), "ok")
      })
    )
  )

  it.effect("keeps nobody from the database while the provider thinks", () =>
    test(
      Effect.gen(function* () {
        const { ann, chatId, chats, provider } = yield* setUp
        const { asked, behaviour, open } = yield* gate
        yield* provider.behave(behaviour)
        const fiber = yield* Effect.forkChild(ask(ann, chatId, "Q"))
        yield* Deferred.await(asked)
        yield* chats.rename(ann, chatId, "Renamed meanwhile")
        yield* Deferred.succeed(open, undefined)
        assert.strictEqual((yield* Fiber.join(fiber)).chatDisplayName, "Renamed meanwhile")
      })
    )
  )

  it.effect("finishes and stores an answer that nobody waits for any more", () =>
    test(
      Effect.gen(function* () {
        const { ann, chatId, chats, provider } = yield* setUp
        const { asked, behaviour, interrupted, open } = yield* gate
        const done = yield* Deferred.make<void>()
        yield* provider.behave((request) => Effect.tap(behaviour(request), () => Deferred.succeed(done, undefined)))
        const fiber = yield* Effect.forkChild(ask(ann, chatId, "Q"))
        yield* Deferred.await(asked)
        yield* Fiber.interrupt(fiber)
        assert.isFalse(yield* Deferred.isDone(interrupted))
        assert.strictEqual(yield* tagOf(ask(ann, chatId, "Q")), "ChatBusy")
        yield* Deferred.succeed(open, undefined)
        yield* Deferred.await(done)
        // Nobody can wait for the end of the run, so the next question is asked until the chat takes it.
        yield* ask(ann, chatId, "Next").pipe(
          Effect.tapError(() => Effect.yieldNow),
          Effect.retry({ while: (error) => error._tag === "ChatBusy" })
        )
        assert.deepStrictEqual(
          (yield* chats.get(ann, chatId)).completions.map((_) => _.assistantMessage),
          ["Late: Q", "Late: Next"]
        )
      })
    )
  )

  it.effect("stores nothing in a chat that was deleted meanwhile", () =>
    test(
      Effect.gen(function* () {
        const { ann, chatId, chats, provider } = yield* setUp
        const { asked, behaviour, open } = yield* gate
        yield* provider.behave(behaviour)
        const fiber = yield* Effect.forkChild(Effect.flip(ask(ann, chatId, "Q")))
        yield* Deferred.await(asked)
        yield* chats.delete(ann, chatId)
        yield* Deferred.succeed(open, undefined)
        const error = yield* Fiber.join(fiber)
        assert.deepStrictEqual(
          [error._tag, yield* Services.count("completions"), yield* Services.count("token_usage")],
          ["ChatNotFound", 0, 0]
        )
      })
    )
  )
})

describe("CompletionRuns.stopAll", () => {
  it.effect("breaks off every run, tells those who wait, and stores what there is", () =>
    test(
      Effect.gen(function* () {
        const { ann, chatId, chats, newChat, provider } = yield* setUp
        const runs = yield* CompletionRuns
        const gates = [yield* gate, yield* gate]
        yield* provider.behave(
          (request) => (request.userMessage === "One" ? gates[0] : gates[1])?.behaviour(request) ?? Effect.never
        )
        const other = yield* newChat
        const one = yield* Effect.forkChild(tagOf(ask(ann, chatId, "One")))
        const two = yield* Effect.forkChild(tagOf(ask(ann, other, "Two")))
        yield* Effect.forEach(gates, (gate) => Deferred.await(gate.asked))
        yield* runs.stopAll
        for (const gate of gates) assert.isTrue(yield* Deferred.isDone(gate.interrupted))
        assert.deepStrictEqual([yield* Fiber.join(one), yield* Fiber.join(two)], ["BotsStopped", "BotsStopped"])
        const { completions } = yield* chats.get(ann, chatId)
        assert.deepStrictEqual(
          completions.map((_) => [_.userMessage, _.assistantMessage, _.metaData?.tags]),
          [["One", "", ["stopped"]]]
        )
        assert.deepStrictEqual([yield* Services.count("completions"), yield* Services.count("token_usage")], [2, 2])

        yield* provider.behave(() => Effect.succeed(Services.answer({})))
        assert.strictEqual(yield* tagOf(ask(ann, chatId, "Again")), "ok")
        // Where nothing was said there is no turn to draw on.
        assert.deepStrictEqual(provider.requests.at(-1)?.history, [])
        yield* runs.stopAll
      })
    )
  )
})

describe("CompletionRuns, when the server shuts down", () => {
  const build = Effect.gen(function* () {
    const scope = yield* Scope.make()
    const context = yield* Layer.buildWithScope(
      Services.layerWith({ requireTerms: false, shutdownGrace: Duration.seconds(5) }),
      scope
    )
    const { ann, chatId, provider } = yield* Effect.provideContext(setUp, context)
    const { asked, behaviour, open } = yield* gate
    yield* provider.behave(behaviour)
    const fiber: Fiber.Fiber<Completion, { readonly _tag: string }> = yield* Effect.forkChild(
      Effect.provideContext(ask(ann, chatId, "Q"), context)
    )
    yield* Deferred.await(asked)
    return { close: Scope.close(scope, Exit.void), context, ann, chatId, fiber, open }
  })

  it.effect("lets a run end, and begins no other", () =>
    Effect.gen(function* () {
      const { ann, chatId, close, context, fiber, open } = yield* build
      const closing = yield* Effect.forkChild(close)
      yield* TestClock.adjust("4 seconds")
      const late = ask(ann, chatId, "Late").pipe(Effect.provideContext(context), tagOf)
      assert.strictEqual(yield* late, "Unavailable")
      yield* Deferred.succeed(open, undefined)
      assert.strictEqual((yield* Fiber.join(fiber)).assistantMessage, "Late: Q")
      yield* Fiber.join(closing)
    })
  )

  it.effect("breaks a run off that takes too long", () =>
    Effect.gen(function* () {
      const { close, fiber } = yield* build
      const closing = yield* Effect.forkChild(close)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* Effect.flip(Fiber.join(fiber)))._tag, "Unavailable")
      yield* Fiber.join(closing)
    })
  )
})

describe("CompletionRuns.stop", () => {
  it.effect("gives a caller who waits what there is of the answer", () =>
    Effect.gen(function* () {
      const chatId = ChatId.make("chat")
      const completionId = CompletionId.make("completion")
      const begun = yield* Deferred.make<void>()
      const bot = { id: BotId.make("bot"), displayName: "Helper" } as BotRow
      const request = Services.question("Why?")
      const answering = Layer.succeed(Answering, {
        admit: () =>
          Effect.succeed({ chatId, completionId, bot, userId: undefined, userSystemMessage: undefined, request }),
        think: (_, onDraft) =>
          Effect.andThen(
            Effect.sync(() => {
              onDraft({ bot, prompt: "", text: "", trace: [] }, "")
              onDraft({ bot, prompt: "", text: "half", trace: [] }, "half")
            }),
            Effect.andThen(Deferred.succeed(begun, undefined), Effect.never)
          ),
        breakOff: (_, draft) =>
          Effect.succeed({ bot, answer: Services.answer({ assistantMessage: draft?.text ?? "" }), trace: [] }),
        store: (_, { answer }, toLog) =>
          Effect.sync(() => {
            const completion: Completion = {
              completionId,
              assistantMessage: answer.assistantMessage,
              promptTokens: 0,
              completionTokens: 0,
              totalTokens: 0
            }
            toLog(completion)
            return completion
          })
      })
      const layer = CompletionRuns.layer.pipe(
        Layer.provide([
          answering,
          Layer.mock(ChatAccess, { reachable: () => Effect.succeed({} as ChatRow) }),
          Layer.mock(CompletionLogRepository, {}),
          Layer.mock(CompletionRepository, {}),
          Layer.mock(BotRepository, {}),
          Layer.mock(StopFlag, { get: Effect.succeed(false) }),
          SecureRandom.layerWebCrypto
        ])
      )
      yield* Effect.gen(function* () {
        const runs = yield* CompletionRuns
        const waiting = yield* Effect.forkChild(runs.complete(Services.anonymous, chatId, request))
        yield* Deferred.await(begun)
        yield* runs.stop(Services.anonymous, chatId, completionId)
        assert.deepInclude(yield* Fiber.join(waiting), { completionId, assistantMessage: "half" })
      }).pipe(Effect.provide(layer))
    })
  )
})
