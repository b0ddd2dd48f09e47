import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as RetryPolicy from "@effect-chatbot/client/RetryPolicy"
import type { Event } from "@effect-chatbot/client/Completion"
import * as ChatbotTest from "@effect-chatbot/testing/ChatbotTest"
import * as Faults from "@effect-chatbot/testing/Faults"
import * as Recorder from "@effect-chatbot/testing/Recorder"
import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { setImmediate } from "node:timers/promises"

/** A file in a folder of its own. */
const temporary = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  return `${yield* fs.makeTempDirectoryScoped()}/recordings/chat.json`
})

const backend = ChatbotTest.layer({
  bots: { support: { documents: { "refunds.md": "# Refunds\n\nWe refund within 14 days." } } },
  answers: ({ userMessage }) =>
    userMessage.includes("slowly")
      ? Stream.make("One. ", "Two. ", "Three.").pipe(Stream.schedule(Schedule.spaced("1 second")))
      : { text: "Yes.", sources: ["refunds.md"] }
})

interface Made extends Omit<Recorder.Options, "file"> {
  /** What goes wrong beneath the recorder. */
  readonly rules?: ReadonlyArray<Faults.Rule>
}

/** Runs a program over the recorder, by steps of the clock, and gives its end. */
const over =
  (file: string, { rules = [], ...options }: Made, token: string) =>
  <A, E>(program: Effect.Effect<A, E, ChatbotClient>) =>
    Effect.gen(function* () {
      const { baseUrl, http } = yield* ChatbotTest.Backend
      const client = ChatbotClient.layer({ baseUrl, token }).pipe(
        Layer.provide(Recorder.layer({ file, ...options })),
        Layer.provide(Faults.layer({ rules })),
        Layer.provide(Layer.succeed(HttpClient.HttpClient, http))
      )
      const fiber = yield* Effect.forkChild(Effect.provide(program, client))
      while (fiber.pollUnsafe() === undefined) {
        // The file is read and written in real time.
        yield* Effect.promise(() => setImmediate())
        yield* TestClock.adjust("250 millis")
      }
      return yield* Fiber.await(fiber)
    })

const token = Effect.gen(function* () {
  const { tokenOf } = yield* ChatbotTest.Backend
  return Redacted.value(yield* tokenOf("ada"))
})

/** What a stream gave, when, and how it ended. */
const watched = <E>(stream: Stream.Stream<Event, E>) =>
  Effect.gen(function* () {
    const start = yield* Clock.currentTimeMillis
    const events: Array<readonly [at: number, event: Event]> = []
    const exit = yield* Effect.exit(
      Stream.runForEach(stream, (event) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          events.push([now - start, event])
        })
      )
    )
    return { events, ended: Exit.isSuccess(exit) ? "whole" : String(Cause.squash(exit.cause)) }
  })

const prompt = "Will you tell it slowly, dear machine?"

const ask = Effect.gen(function* () {
  const { chats } = yield* ChatbotClient
  const { chatId } = yield* chats.createByBotCode("support")
  const seen = yield* watched(chats.stream(chatId, prompt))
  const { completions } = yield* chats.get(chatId)
  return { ...seen, questions: completions.map(({ userMessage }) => userMessage) }
})

const provided = Effect.provide(Layer.merge(backend, NodeServices.layer))

describe("Recorder", () => {
  it.effect("plays a stream with the same events and the same gaps", () =>
    Effect.gen(function* () {
      const file = yield* temporary
      const recorded = yield* over(file, { mode: "record" }, yield* token)(ask)
      const asked = (yield* (yield* ChatbotTest.Backend).asked).length
      const played = yield* over(file, { mode: "replay" }, "another-token")(ask)
      assert.deepStrictEqual(played, recorded)
      if (Exit.isFailure(recorded)) return assert.fail(String(recorded.cause))
      assert.deepStrictEqual(
        recorded.value.events.flatMap(([at, event]) => (event._tag === "Delta" ? [at] : [])),
        [1000, 2000, 3000]
      )
      assert.deepStrictEqual(recorded.value.questions, [prompt])
      assert.strictEqual((yield* (yield* ChatbotTest.Backend).asked).length, asked)
    }).pipe(provided)
  )

  it.effect.each([
    ["a stream that breaks", Faults.truncate({ afterBytes: 500, isReset: true })],
    ["a stream that ends before its end", Faults.truncate({ afterBytes: 500 })],
    ["a request that is refused", Faults.refuse],
    ["an answer of a proxy", Faults.status(502, { body: "<html>" })],
    ["a silent stream", Faults.stall({ afterBytes: 500 })]
  ] as const)("plays %s with the same error", ([, fault]) =>
    Effect.gen(function* () {
      const file = yield* temporary
      const program = Effect.provideService(ask, RetryPolicy.RetryPolicy, RetryPolicy.none)
      const rules = [Faults.on({ path: /\/completions$/ }, fault)]
      const recorded = yield* over(file, { mode: "record", rules }, yield* token)(program)
      const played = yield* over(file, { mode: "replay" }, "another-token")(program)
      assert.deepStrictEqual(played, recorded)
      assert.isTrue(Exit.isSuccess(recorded) && recorded.value.ended !== "whole")
    }).pipe(provided)
  )

  it.effect("plays tickets and downloads", () =>
    Effect.gen(function* () {
      const file = yield* temporary
      const fetch = Effect.gen(function* () {
        const { chats } = yield* ChatbotClient
        const { chatId } = yield* chats.createByBotCode("support")
        yield* chats.complete(chatId, "Do you refund?")
        const ticket = yield* chats.createTicket(chatId)
        const { stream } = yield* chats.download(chatId, "support/refunds.md", { ticket })
        return yield* Stream.mkString(Stream.decodeText(stream))
      })
      const recorded = yield* over(file, { mode: "record" }, yield* token)(fetch)
      assert.deepStrictEqual(recorded, Exit.succeed("# Refunds\n\nWe refund within 14 days."))
      assert.deepStrictEqual(yield* over(file, { mode: "replay" }, "another-token")(fetch), recorded)
    }).pipe(provided)
  )

  it.effect("has no token, ticket or prompt in its file, and what it has is fit to be read", () =>
    Effect.gen(function* () {
      const file = yield* temporary
      const fs = yield* FileSystem.FileSystem
      const secret = yield* token
      yield* over(
        file,
        { mode: "record", secrets: ["refunds"] },
        secret
      )(
        Effect.gen(function* () {
          yield* ask
          const { chats, users } = yield* ChatbotClient
          yield* users.systemMessages.create({ displayName: "brief", systemMessage: "Speak like a pirate." })
          const { chatId } = yield* chats.createByBotCode("support")
          yield* chats.createTicket(chatId)
        })
      )
      const text = yield* fs.readFileString(file)
      for (const canary of [secret, prompt, "pirate", "authorization"]) assert.notInclude(text, canary)
      assert.match(text, /"userMessage": "<userMessage [0-9a-f]{8}>"/)
      // What is told as JSON is not told as pieces once more.
      const { exchanges } = JSON.parse(text)
      for (const { answer } of exchanges) assert.strictEqual("json" in answer, !("pieces" in answer))
      assert.match(text, /"json": "<ticket [0-9a-f]{8}>"/)
      assert.include(text, '"text": "')
    }).pipe(provided)
  )

  it.effect("has no prompt in its file where a chat is named by it, or an answer says it bit by bit", () =>
    Effect.gen(function* () {
      const file = yield* temporary
      const fs = yield* FileSystem.FileSystem
      const { answer } = yield* ChatbotTest.Backend
      const long = `My account is\n"12-345"\\ and ${"so much more of it ".repeat(5)}`
      yield* answer(({ userMessage }) =>
        Stream.rechunk(Stream.fromIterable(`You say ${userMessage}?`.match(/.{1,7}/gsu) ?? []), 1)
      )
      const echo = Effect.gen(function* () {
        const { chats, users } = yield* ChatbotClient
        const { chatId } = yield* chats.createByBotCode("support")
        const seen = yield* watched(chats.stream(chatId, long))
        return { ...seen, chats: yield* users.chats() }
      })
      const secret = yield* token
      const recorded = yield* over(file, { mode: "record" }, secret)(echo)
      if (Exit.isFailure(recorded)) return assert.fail(String(recorded.cause))
      const text = yield* fs.readFileString(file)
      for (const canary of ["account", "345", "much", "more"]) assert.notInclude(text, canary)
      const played = yield* over(file, { mode: "replay" }, "another")(echo)
      assert.deepStrictEqual(played, recorded)
    }).pipe(provided)
  )

  it.effect("writes no file that has something like a secret in it", () =>
    Effect.gen(function* () {
      const file = yield* temporary
      const fs = yield* FileSystem.FileSystem
      const exit = yield* over(
        file,
        { mode: "record" },
        yield* token
      )(
        Effect.gen(function* () {
          const { chats } = yield* ChatbotClient
          const { chatId } = yield* chats.createByBotCode("support")
          yield* chats.rename(chatId, "sk-0123456789abcdef0123")
        })
      )
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      assert.include(Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "", "there is an API key in it")
      assert.isFalse(yield* fs.exists(file))
    }).pipe(provided)
  )

  const rename = (name: string) =>
    Effect.gen(function* () {
      const { chats } = yield* ChatbotClient
      const { chatId } = yield* chats.createByBotCode("support")
      yield* chats.rename(chatId, name)
    })

  it.effect("shows what is different where a request was not recorded", () =>
    Effect.gen(function* () {
      const file = yield* temporary
      yield* over(file, { mode: "record" }, yield* token)(rename("One"))
      const exit = yield* over(file, { mode: "replay" }, "another-token")(rename("Two"))
      const message = Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "no defect"
      assert.match(message, /no recording of request 2, PUT \/api\/chats\/[\w-]+\/displayName/)
      assert.include(message, "It differs from exchange 2:")
      assert.include(message, "body.displayName: Two and not One")
      const again = yield* over(file, { mode: "replay" }, "another-token")(Effect.andThen(rename("One"), rename("One")))
      assert.include(
        Exit.isFailure(again) ? String(Cause.squash(again.cause)) : "",
        "All of its 2 exchanges were played"
      )
    }).pipe(provided)
  )

  it.effect("plays in any order, and once more, where that is wanted", () =>
    Effect.gen(function* () {
      const file = yield* temporary
      const list = Effect.flatMap(ChatbotClient, ({ bots }) => bots.list())
      const status = Effect.flatMap(ChatbotClient, ({ system }) => system.status)
      const recorded = yield* over(file, { mode: "record" }, yield* token)(Effect.all([list, status]))
      const lenient = { mode: "replay", match: "lenient" } as const
      const played = yield* over(file, lenient, "another-token")(Effect.all([status, list, status, list]))
      if (Exit.isFailure(recorded)) return assert.fail(String(recorded.cause))
      const [bots, text] = recorded.value
      assert.deepStrictEqual(played, Exit.succeed([text, bots, text, bots]))
    }).pipe(provided)
  )

  it.effect("says what to do where there is no recording", () =>
    Effect.gen(function* () {
      const exit = yield* over("nowhere.json", { mode: "replay" }, "token")(rename("One"))
      const message = Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : ""
      assert.include(message, "The recording nowhere.json cannot be read. CHATBOT_RECORD=true makes it anew.")
    }).pipe(provided)
  )
})
