import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as Completion from "@effect-chatbot/client/Completion"
import * as RetryPolicy from "@effect-chatbot/client/RetryPolicy"
import * as ChatbotTest from "@effect-chatbot/testing/ChatbotTest"
import * as Faults from "@effect-chatbot/testing/Faults"
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

/** A client of the user "ada" over faults, to a backend in memory. */
const faulty = (options: Faults.Options) =>
  ChatbotTest.through(Faults.layer(options), "ada").pipe(
    Layer.provideMerge(
      ChatbotTest.layer({ bots: { support: {} }, answers: ({ userMessage }) => `You said: ${userMessage}.` })
    )
  )

const once = Effect.provideService(RetryPolicy.RetryPolicy, RetryPolicy.none)

const completions = /\/completions$/

/** What became of a question that met a fault once, and how many were stored. */
const askWith = (fault: Faults.Fault) =>
  Effect.gen(function* () {
    const { chats } = yield* ChatbotClient
    const { chatId } = yield* chats.createByBotCode("support")
    const asked = yield* Effect.forkChild(Effect.result(once(chats.complete(chatId, "Hello"))))
    yield* TestClock.adjust("1 hour")
    const result = yield* Fiber.join(asked)
    const { completions } = yield* chats.get(chatId)
    return {
      result: result._tag === "Success" ? "whole" : result.failure._tag,
      stored: completions.length,
      faults: (yield* Faults.injected).length
    }
  }).pipe(Effect.provide(faulty({ rules: [Faults.on({ path: completions }, fault, { times: 1 })] })))

describe("Faults", () => {
  it.effect.each([
    ["refuse", Faults.refuse, "TransportFailed", 0],
    ["reset before the work", Faults.resetBefore, "TransportFailed", 0],
    ["reset after the work", Faults.resetAfter, "TransportFailed", 1],
    ["stall", Faults.stall(), "RequestTimedOut", 1],
    ["stall in the body", Faults.stall({ afterBytes: 10 }), "RequestTimedOut", 1],
    ["slow", Faults.slow({ head: "3 seconds", piece: "1 second" }), "whole", 1],
    ["truncate", Faults.truncate(), "InvalidResponse", 1],
    ["truncate with a reset", Faults.truncate({ isReset: true }), "TransportFailed", 1],
    ["duplicate", Faults.duplicate, "whole", 1],
    ["a status", Faults.status(503), "Unavailable", 0],
    ["a status after the work", Faults.status(502, { body: "<html>", work: "done" }), "ProviderFailed", 1]
  ] as const)("%s", ([, fault, result, stored]) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* askWith(fault), { result, stored, faults: 1 })
    })
  )

  it.effect("corrupts bytes of the body, and leaves its length", () =>
    Effect.gen(function* () {
      const { baseUrl, http } = yield* ChatbotTest.Backend
      const client = yield* HttpClient.HttpClient
      const bytes = (client: HttpClient.HttpClient) =>
        Effect.flatMap(client.get(`${baseUrl}/openapi.json`), (response) => Stream.mkUint8Array(response.stream))
      const right = yield* bytes(http)
      const wrong = yield* bytes(client)
      assert.strictEqual(wrong.length, right.length)
      const different = right.filter((byte, at) => byte !== wrong[at]).length
      assert.isTrue(different > 0 && different <= 3, `${different} bytes are other ones`)
    }).pipe(Effect.provide(faulty({ rules: [Faults.on({}, Faults.corrupt({ bytes: 3 }))] })))
  )

  it.effect("lets a request be overtaken", () =>
    Effect.gen(function* () {
      const { chats } = yield* ChatbotClient
      const backend = yield* ChatbotTest.Backend
      const { chatId: first } = yield* chats.createByBotCode("support")
      const { chatId: second } = yield* chats.createByBotCode("support")
      yield* Effect.all([chats.complete(first, "First"), chats.complete(second, "Second")], { concurrency: 2 })
      const asked = yield* backend.asked
      assert.deepStrictEqual(
        asked.map(({ userMessage }) => userMessage),
        ["Second", "First"]
      )
    }).pipe(Effect.provide(faulty({ rules: [Faults.on({ path: completions }, Faults.reorder(), { times: 1 })] })))
  )

  it.effect("meets as many requests as the rules say, and the client comes through", () =>
    Effect.gen(function* () {
      const { chats } = yield* ChatbotClient
      const program = Effect.gen(function* () {
        const { chatId } = yield* chats.createByBotCode("support")
        const { text } = yield* Completion.collect(chats.stream(chatId, "Hello"))
        return { text, stored: (yield* chats.get(chatId)).completions.length }
      })
      const fiber = yield* Effect.forkChild(program)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* Fiber.join(fiber), { text: "You said: Hello.", stored: 1 })
      assert.deepStrictEqual(
        (yield* Faults.injected).map(({ fault: { _tag }, number }) => [number, _tag]),
        [
          [1, "Status"],
          [2, "Status"],
          [4, "Truncate"]
        ]
      )
    }).pipe(
      Effect.provide(
        faulty({
          rules: [
            Faults.on({ path: "/api/chats/create/bybotcode" }, Faults.status(503), { times: 2 }),
            Faults.on({ path: completions }, Faults.truncate({ afterBytes: 400 }), { times: 1 })
          ]
        })
      )
    )
  )

  /** Which of 100 requests met a fault. */
  const meet = (seed: string | undefined) =>
    Effect.gen(function* () {
      const { baseUrl } = yield* ChatbotTest.Backend
      const client = yield* HttpClient.HttpClient
      yield* Effect.forEach(Array.from({ length: 100 }), () => Effect.result(client.get(`${baseUrl}/nowhere`)))
      return (yield* Faults.injected).map(({ number }) => number)
    }).pipe(Effect.provide(faulty({ seed, rules: [Faults.on({}, Faults.refuse, { chance: 0.3 })] })))

  it.effect("has the same luck with the same seed, and another one with another", () =>
    Effect.gen(function* () {
      const first = yield* meet("a")
      assert.isTrue(first.length > 10 && first.length < 60)
      assert.deepStrictEqual(yield* meet("a"), first)
      assert.notDeepEqual(yield* meet("b"), first)
      assert.notDeepEqual(yield* meet(undefined), yield* meet(undefined))
    })
  )

  it.effect("prints the seed of a run that fails, and of no other, where it can be seen", () =>
    Effect.gen(function* () {
      const printed = yield* Effect.acquireRelease(
        Effect.sync(() => vi.spyOn(globalThis.console, "error").mockReturnValue()),
        (spy) => Effect.sync(() => spy.mockRestore())
      )
      const run = (test: Effect.Effect<void, string, HttpClient.HttpClient | ChatbotTest.Backend>) =>
        test.pipe(Effect.provide(faulty({ seed: "s3ed", rules: [Faults.on({}, Faults.refuse)] })), Effect.exit)
      const request = Effect.gen(function* () {
        const client = yield* HttpClient.HttpClient
        yield* Effect.exit(client.get((yield* ChatbotTest.Backend).baseUrl))
      })
      assert.isTrue(Exit.isSuccess(yield* run(request)))
      assert.deepStrictEqual(printed.mock.calls, [])
      yield* run(Effect.andThen(request, Effect.fail("an assertion")))
      assert.deepStrictEqual(printed.mock.calls, [
        ["Faults: 1 of 1 requests met a fault. CHATBOT_FAULTS_SEED=s3ed repeats them."]
      ])
    })
  )
})
