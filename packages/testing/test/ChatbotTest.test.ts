import * as Completion from "@effect-chatbot/client/Completion"
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import { Chats } from "@effect-chatbot/client/Chats"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import * as RetryPolicy from "@effect-chatbot/client/RetryPolicy"
import { ProviderFailed } from "@effect-chatbot/schema/Errors"
import { ChatId } from "@effect-chatbot/schema/Ids"
import * as ChatbotTest from "@effect-chatbot/testing/ChatbotTest"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { createServer } from "node:http"

const seed = {
  bots: {
    support: { facts: ["We take cards and cash."], displayName: "Support", isOpen: true },
    guide: { links: { support: ["cards"] } }
  },
  users: { grace: { isTermsAccepted: true, systemMessages: { brief: "Be brief." } } },
  chats: { first: { bot: "support", user: "grace", displayName: "Paying", isFavorite: true, questions: ["Cards?"] } }
} as const

describe("ChatbotTest.layer", () => {
  it.effect("answers what the bots know, where no answers are scripted", () =>
    Effect.gen(function* () {
      const { chats } = yield* ChatbotClient
      const { chatId } = yield* chats.createByBotCode("guide")
      const { assistantMessage } = yield* chats.complete(chatId, "Do you take cards?")
      assert.include(assistantMessage, "We take cards and cash.")
    }).pipe(Effect.provide(ChatbotTest.layer(seed)))
  )

  it.effect("has what was seeded, and whose it is", () =>
    Effect.gen(function* () {
      const backend = yield* ChatbotTest.Backend
      const grace = yield* backend.as("grace")
      const chatId = yield* backend.chatId("first")
      const chat = yield* grace.chats.get(chatId)
      assert.strictEqual(chat.displayName, "Paying")
      assert.deepStrictEqual(
        chat.completions.map(({ userMessage }) => userMessage),
        ["Cards?"]
      )
      assert.strictEqual((yield* grace.users.current).isTermsAccepted, true)
      const { items } = yield* grace.users.systemMessages.list()
      assert.deepStrictEqual(
        items.map(({ displayName }) => displayName),
        ["brief"]
      )
      // Somebody else's is not there.
      const { chats } = yield* ChatbotClient
      const failure = yield* Effect.flip(chats.get(chatId))
      assert.strictEqual(failure._tag, "ChatNotFound")
      assert.strictEqual(
        yield* Effect.flatMap(backend.anonymous, ({ chats }) => chats.openBot).pipe(
          Effect.map((bot) => bot.openChatBotId)
        ),
        yield* backend.botId("support")
      )
      const admin = yield* backend.as("admin")
      assert.include((yield* admin.users.current).roles, "Admin")
    }).pipe(Effect.provide(ChatbotTest.layer(seed)))
  )

  it.effect("answers what is scripted, one by one", () =>
    Effect.gen(function* () {
      const backend = yield* ChatbotTest.Backend
      const { chats } = yield* ChatbotClient
      const { chatId } = yield* chats.createByBotCode("support")
      assert.strictEqual((yield* chats.complete(chatId, "One?")).assistantMessage, "1")
      const failure = yield* Effect.flip(chats.complete(chatId, "Two?"))
      assert.strictEqual(failure._tag, "ProviderFailed")
      yield* backend.answer(({ userMessage }) => userMessage.toUpperCase())
      assert.strictEqual((yield* chats.complete(chatId, "four")).assistantMessage, "FOUR")
      const asked = yield* backend.asked
      assert.deepStrictEqual(
        asked.map(({ userMessage }) => userMessage),
        ["One?", "Two?", "four"]
      )
      assert.deepStrictEqual(asked[2]?.history, [{ userMessage: "One?", assistantMessage: "1" }])
    }).pipe(
      Effect.provideService(RetryPolicy.RetryPolicy, RetryPolicy.none),
      Effect.provide(
        ChatbotTest.layer({ ...seed, chats: {}, answers: ["1", Stream.fail(new ProviderFailed({ message: "No." }))] })
      )
    )
  )

  it.effect("tells at once when no answer is scripted", () =>
    Effect.gen(function* () {
      const { chats } = yield* ChatbotClient
      const { chatId } = yield* chats.createByBotCode("support")
      for (const call of [
        Effect.asVoid(chats.complete(chatId, "Hello?")),
        Stream.runDrain(chats.stream(chatId, "Hello?"))
      ]) {
        const exit = yield* Effect.exit(call)
        assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
        assert.include(Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "", 'for the question "Hello?"')
      }
    }).pipe(Effect.provide(ChatbotTest.layer({ bots: { support: {} }, answers: [] })))
  )

  it.effect("tells what the script throws, as an assertion about a question", () =>
    Effect.gen(function* () {
      const { chats } = yield* ChatbotClient
      const { chatId } = yield* chats.createByBotCode("support")
      const exit = yield* Effect.exit(chats.complete(chatId, "Hello?"))
      assert.include(Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "", "to equal 'Good-bye.'")
    }).pipe(
      Effect.provide(
        ChatbotTest.layer({
          bots: { support: {} },
          answers: ({ userMessage }) => {
            assert.strictEqual(userMessage, "Good-bye.")
            return "Yes."
          }
        })
      )
    )
  )

  it.effect("streams with the delays of the script, by the clock of the test", () =>
    Effect.gen(function* () {
      const { chats } = yield* ChatbotClient
      const { chatId } = yield* chats.createByBotCode("support")
      const pieces: Array<string> = []
      const fiber = yield* chats.stream(chatId, "Hello?").pipe(
        Completion.text,
        Stream.runForEach((text) => Effect.sync(() => pieces.push(text))),
        Effect.forkChild
      )
      yield* TestClock.adjust("1500 millis")
      assert.deepStrictEqual(pieces, ["Hel"])
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(pieces, ["Hel", "lo"])
    }).pipe(
      Effect.provide(
        ChatbotTest.layer({
          bots: { support: {} },
          answers: () => Stream.make("Hel", "lo").pipe(Stream.schedule(Schedule.spaced("1 second")))
        })
      )
    )
  )

  it.effect("says at once that a question of the seed is not answered", () =>
    Effect.gen(function* () {
      const layer = ChatbotTest.layer({
        bots: { support: {} },
        answers: [Stream.fail(new ProviderFailed({ message: "Out of order" }))],
        chats: { first: { bot: "support", questions: ["Cards?"] } }
      })
      const exit = yield* Effect.exit(Effect.provide(Effect.void, layer))
      assert.include(Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "", "Out of order")
    })
  )

  it.effect("names the bot that a chat of the seed is with, where there is none", () =>
    Effect.gen(function* () {
      const layer = ChatbotTest.layer({ bots: { support: {} }, chats: { first: { bot: "suport" } } })
      const exit = yield* Effect.exit(Effect.provide(Effect.void, layer))
      assert.include(
        Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "",
        'There is no bot "suport" in the seed. There is: support'
      )
    })
  )

  it.effect("keeps two backends apart", () =>
    Effect.gen(function* () {
      const titles = (layer: ReturnType<typeof ChatbotTest.layer>) =>
        Effect.gen(function* () {
          const { bots } = yield* ChatbotClient
          return (yield* bots.list()).items.map(({ code }) => code)
        }).pipe(Effect.provide(layer))
      assert.deepStrictEqual(yield* titles(ChatbotTest.layer({ bots: { a: {} } })), ["a"])
      assert.deepStrictEqual(yield* titles(ChatbotTest.layer({ bots: { b: {} } })), ["b"])
    })
  )
})

describe("ChatbotTest.layer, closed", () => {
  it.effect("breaks off an answer that never ends", () =>
    Effect.gen(function* () {
      const { chats } = yield* ChatbotClient
      const { chatId } = yield* chats.createByBotCode("support")
      const events = yield* Stream.runCollect(Stream.take(chats.stream(chatId, "Why?"), 1))
      assert.deepStrictEqual(
        events.map(({ _tag }) => _tag),
        ["Started"]
      )
    }).pipe(Effect.provide(ChatbotTest.layer({ bots: { support: {} }, answers: [Stream.never] })))
  )
})

describe("ChatbotTest.layerServed", () => {
  const origin = "http://127.0.0.1:3000"
  const server = NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1", gracefulShutdownTimeout: "1 second" })

  const ask = Effect.gen(function* () {
    const { chats } = yield* ChatbotClient
    const { chatId } = yield* chats.createByBotCode("support")
    return yield* Completion.collect(chats.stream(chatId, "Cards?"))
  })

  it.live("is the same backend over sockets, for pages of the origins that may call it", () =>
    Effect.gen(function* () {
      const { asked, baseUrl, tokenOf } = yield* ChatbotTest.Backend
      const other = ChatbotClient.layer({ baseUrl, token: yield* tokenOf("grace") })
      assert.strictEqual((yield* Effect.provide(ask, other)).text, "Yes.")
      assert.strictEqual((yield* ask).text, "No.")
      assert.strictEqual((yield* asked).length, 2)

      const http = yield* HttpClient.HttpClient
      for (const method of ["GET", "OPTIONS"] as const) {
        const allowed = (origin: string) =>
          Effect.map(
            http.execute(HttpClientRequest.make(method)(`${baseUrl}/api/system/status`, { headers: { origin } })),
            ({ headers }) => headers["access-control-allow-origin"]
          )
        assert.strictEqual(yield* allowed(origin), origin)
        assert.strictEqual(yield* allowed("http://127.0.0.1:3001"), undefined)
      }
    }).pipe(
      Effect.provide(
        ChatbotTest.layerServed({ bots: { support: {} }, answers: ["Yes.", "No."], corsOrigins: [origin] }).pipe(
          Layer.provide(server),
          Layer.provideMerge(NodeTransport.layer)
        )
      )
    )
  )
})

describe("ChatbotTest.mock", () => {
  const chatId = ChatId.make("chat-1")

  it.effect("does what it is told, and records what was called", () =>
    Effect.gen(function* () {
      const chats = yield* Chats
      yield* chats.rename(chatId, "A name")
      assert.deepStrictEqual(yield* ChatbotTest.calls("chats.rename"), [
        { name: "chats.rename", arguments: [chatId, "A name"] }
      ])
    }).pipe(Effect.provide(ChatbotTest.mock({ chats: { rename: () => Effect.void } })))
  )

  type Call = (client: ChatbotClient["Service"]) => Effect.Effect<unknown, { readonly _tag: string }>

  /** What a test is told that lets its program make this call, which it did not mock. */
  const toldOf = (call: Call) =>
    Effect.flatMap(ChatbotClient, call).pipe(
      Effect.provide(ChatbotTest.mock({})),
      Effect.exit,
      Effect.map((exit) =>
        Exit.isFailure(exit) && Cause.hasDies(exit.cause) ? String(Cause.squash(exit.cause)) : "no defect"
      )
    )

  it.effect("fails a call that was not mocked, by its name and its arguments", () =>
    Effect.gen(function* () {
      const messages = yield* Effect.forEach(
        [
          ({ chats }) => chats.complete(chatId, "Hello?"),
          ({ chats }) => Stream.runDrain(chats.stream(chatId, "Hello?")),
          ({ users }) => users.current,
          ({ users }) => Stream.runDrain(users.systemMessages.items({ pageSize: 5 })),
          ({ bots }) => bots.list()
        ] satisfies ReadonlyArray<Call>,
        toldOf
      )
      assert.include(messages[0], 'chats.complete("chat-1", "Hello?") was called')
      assert.include(messages[1], 'chats.stream("chat-1", "Hello?") was called')
      assert.include(messages[2], "users.current() was called")
      assert.include(messages[3], 'users.systemMessages.items({"pageSize":5}) was called')
      assert.include(messages[3], "ChatbotTest.mock({ users: { systemMessages: { items: … } } })")
      assert.include(messages[4], "bots.list() was called")
    })
  )

  it.effect("fails it also where the program hides that, or is on a fiber of its own", () =>
    Effect.gen(function* () {
      assert.include(yield* toldOf(({ users }) => Effect.ignoreCause(users.current)), "users.current() was called")
      const apart = toldOf(({ users }) => Effect.forkDetach(users.current, { startImmediately: true }))
      assert.include(yield* apart, "users.current() was called")
    })
  )
})
