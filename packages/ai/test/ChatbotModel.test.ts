import * as ChatbotModel from "@effect-chatbot/ai/ChatbotModel"
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import type { Chats } from "@effect-chatbot/client/Chats"
import * as RetryPolicy from "@effect-chatbot/client/RetryPolicy"
import * as Errors from "@effect-chatbot/schema/Errors"
import { ChatId } from "@effect-chatbot/schema/Ids"
import * as ChatbotTest from "@effect-chatbot/testing/ChatbotTest"
import * as Faults from "@effect-chatbot/testing/Faults"
import { assert, describe, it } from "@effect/vitest"
import * as AiError from "effect/ai/AiError"
import * as Chat from "effect/ai/Chat"
import * as LanguageModel from "effect/ai/LanguageModel"
import * as Model from "effect/ai/Model"
import * as ResponseIdTracker from "effect/ai/ResponseIdTracker"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

type Backend = Parameters<typeof ChatbotTest.layer>[0]

const modelOf = (backend: Backend, options?: { readonly botCode?: string; readonly keepChats?: boolean }) =>
  ChatbotModel.layer({ botCode: "support", ...options }).pipe(
    Layer.provideMerge(ChatbotTest.layer({ bots: { support: {} }, ...backend }))
  )

/** How many chats the user of the test has. */
const chatCount = Effect.gen(function* () {
  const { users } = yield* ChatbotClient
  return (yield* users.chats()).totalItemCount
})

const questions = Effect.gen(function* () {
  const { asked } = yield* ChatbotTest.Backend
  return (yield* asked).map(({ userMessage }) => userMessage)
})

describe("ChatbotModel", () => {
  it.effect("answers a text, with what it used and what it is drawn from, and leaves no chat behind", () =>
    Effect.gen(function* () {
      const response = yield* LanguageModel.generateText({ prompt: "Do you take cards?" })
      assert.strictEqual(response.text, "Yes, we take cards.")
      assert.strictEqual(response.finishReason, "stop")
      assert.isAbove(response.usage.inputTokens.total ?? 0, 0)
      assert.strictEqual(response.usage.outputTokens.total, response.usage.outputTokens.text)
      const source = response.content.find((part) => part.type === "source")
      assert.isTrue(source?.sourceType === "document")
      assert.deepInclude(source, { mediaType: "text/markdown", title: "pay.md", fileName: "pay.md" })
      assert.deepStrictEqual(yield* questions, ["Do you take cards?"])
      assert.strictEqual(yield* chatCount, 0)
    }).pipe(
      Effect.provide(
        modelOf({
          bots: { support: { documents: { "pay.md": "# Paying\n\nWe take cards." } } },
          answers: [{ text: "Yes, we take cards.", sources: ["pay.md"] }]
        })
      )
    )
  )

  it.effect("streams the pieces as they come, by the clock", () =>
    Effect.gen(function* () {
      const parts: Array<string> = []
      const fiber = yield* LanguageModel.streamText({ prompt: "Hello?" }).pipe(
        Stream.runForEach((part) =>
          Effect.sync(() => parts.push(part.type === "text-delta" ? part.delta : `<${part.type}>`))
        ),
        Effect.forkChild
      )
      yield* TestClock.adjust("1500 millis")
      assert.deepStrictEqual(parts, ["<response-metadata>", "<text-start>", "Hel"])
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(parts.slice(3), ["lo", "<text-end>", "<finish>"])
      assert.strictEqual(yield* chatCount, 0)
    }).pipe(
      Effect.provide(
        modelOf({ answers: () => Stream.make("Hel", "lo").pipe(Stream.schedule(Schedule.spaced("1 second"))) })
      )
    )
  )

  it.effect("asks a conversation as one question", () =>
    Effect.gen(function* () {
      yield* LanguageModel.generateText({
        prompt: [
          { role: "system", content: "Be brief." },
          { role: "user", content: "Do you take cards?" },
          { role: "assistant", content: "Yes." },
          { role: "user", content: [{ type: "text", text: "And cash?" }] },
          { role: "user", content: "Or cheques?" }
        ]
      })
      assert.deepStrictEqual(yield* questions, [
        "Follow these instructions:\nBe brief.\n\n" +
          "What was said before:\nUser: Do you take cards?\n\nAssistant: Yes.\n\n" +
          "Answer this:\nAnd cash?\n\nOr cheques?"
      ])
    }).pipe(Effect.provide(modelOf({ answers: ["No."] })))
  )

  it.effect("carries a session of effect/ai, with all that was said", () =>
    Effect.gen(function* () {
      const chat = yield* Chat.empty
      yield* chat.generateText({ prompt: "One?" })
      yield* Stream.runDrain(chat.streamText({ prompt: "Two?" }))
      const [, second] = yield* questions
      assert.strictEqual(second, "What was said before:\nUser: One?\n\nAssistant: 1\n\nAnswer this:\nTwo?")
    }).pipe(Effect.provide(modelOf({ answers: ["1", "2"] })))
  )

  it.effect("goes on in the kept chat of a conversation, and asks anew when it is gone", () =>
    Effect.gen(function* () {
      const { chats, users } = yield* ChatbotClient
      const { asked } = yield* ChatbotTest.Backend
      const chat = yield* Chat.empty
      yield* chat.generateText({ prompt: "One?" })
      yield* chat.generateText({ prompt: "Two?" })
      const [, second] = yield* asked
      assert.strictEqual(second?.userMessage, "Two?")
      assert.deepStrictEqual(second?.history, [{ userMessage: "One?", assistantMessage: "1" }])
      const { items } = yield* users.chats()
      assert.lengthOf(items, 1)
      yield* chats.delete(items[0]!.chatId)
      yield* chat.generateText({ prompt: "Three?" })
      const third = (yield* questions)[2] ?? ""
      assert.include(third, "User: Two?")
      assert.include(third, "Answer this:\nThree?")
    }).pipe(
      Effect.provideServiceEffect(ResponseIdTracker.ResponseIdTracker, ResponseIdTracker.make),
      Effect.provide(modelOf({ answers: ["1", "2", "3"] }, { keepChats: true }))
    )
  )

  it.effect("stops the answer and deletes the chat when it is interrupted", () =>
    Effect.gen(function* () {
      let isLeft = false
      const { answer } = yield* ChatbotTest.Backend
      yield* answer(() =>
        Stream.make("Hel").pipe(
          Stream.concat(Stream.never),
          Stream.ensuring(
            Effect.sync(() => {
              isLeft = true
            })
          )
        )
      )
      const text = yield* Effect.forkChild(LanguageModel.generateText({ prompt: "Hello?" }))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* chatCount, 1)
      yield* Fiber.interrupt(text)
      assert.isTrue(isLeft)
      assert.strictEqual(yield* chatCount, 0)
      isLeft = false
      yield* LanguageModel.streamText({ prompt: "Hello?" }).pipe(
        Stream.filter((part) => part.type === "text-delta"),
        Stream.take(1),
        Stream.runDrain
      )
      assert.isTrue(isLeft)
      assert.strictEqual(yield* chatCount, 0)
    }).pipe(Effect.provide(modelOf({})))
  )

  it.effect("tells of an answer that was stopped", () =>
    Effect.gen(function* () {
      const { as } = yield* ChatbotTest.Backend
      const admin = yield* as("admin")
      const fiber = yield* Effect.forkChild(LanguageModel.generateText({ prompt: "Hello?" }))
      yield* TestClock.adjust("1 second")
      yield* admin.bots.stopAll
      const { finishReason, text, usage } = yield* Fiber.join(fiber)
      assert.strictEqual(text, "Hel")
      assert.strictEqual(finishReason, "other")
      assert.isUndefined(usage.outputTokens.total)
    }).pipe(Effect.provide(modelOf({ answers: () => Stream.concat(Stream.make("Hel"), Stream.never) })))
  )

  it.effect("reads objects out of the answers of bots that follow the schema", () =>
    Effect.gen(function* () {
      const schema = Schema.Struct({ city: Schema.String })
      const { value } = yield* LanguageModel.generateObject({ prompt: "Where?", schema })
      assert.deepStrictEqual(value, { city: "Bonn" })
      const [question] = yield* questions
      assert.include(question, '"city":{"type":"string"}')
      const error = yield* Effect.flip(LanguageModel.generateObject({ prompt: "Where?", schema }))
      assert.strictEqual(error.reason._tag, "StructuredOutputError")
    }).pipe(Effect.provide(modelOf({ answers: ['```json\n{ "city": "Bonn" }\n```', "In Bonn."] })))
  )

  it.effect("refuses what a bot cannot do, and asks nothing", () =>
    Effect.gen(function* () {
      const toolkit = yield* Effect.provide(tools, tools.toLayer({ time: () => Effect.succeed("noon") }))
      const refusals = yield* Effect.all([
        Effect.flip(LanguageModel.generateText({ prompt: "Hello?", toolkit })),
        Effect.flip(LanguageModel.generateText({ prompt: [] })),
        Effect.flip(LanguageModel.generateText({ prompt: [{ role: "assistant", content: "Yes." }] })),
        Effect.flip(
          LanguageModel.generateText({
            prompt: [{ role: "user", content: [{ type: "file", mediaType: "image/png", data: new Uint8Array([1]) }] }]
          })
        ),
        Effect.flip(Stream.runDrain(LanguageModel.streamText({ prompt: "Hello?", toolkit, toolChoice: "required" })))
      ])
      assert.deepStrictEqual(
        refusals.map(({ isRetryable, reason }) => [reason._tag, isRetryable]),
        [
          ["InvalidRequestError", false],
          ["InvalidUserInputError", false],
          ["InvalidUserInputError", false],
          ["InvalidUserInputError", false],
          ["InvalidRequestError", false]
        ]
      )
      assert.deepStrictEqual(yield* questions, [])
      yield* LanguageModel.generateText({ prompt: "Hello?", toolkit, toolChoice: "none" })
      assert.deepStrictEqual(yield* questions, ["Hello?"])
      assert.strictEqual(yield* chatCount, 0)
    }).pipe(Effect.provide(modelOf({ answers: ["Hello!"] })))
  )

  it.effect("says that there is no such bot", () =>
    Effect.gen(function* () {
      const { isRetryable, reason } = yield* Effect.flip(LanguageModel.generateText({ prompt: "Hello?" }))
      assert.isFalse(isRetryable)
      assert.isTrue(reason._tag === "InvalidRequestError" && reason.parameter === "botCode")
    }).pipe(Effect.provide(modelOf({}, { botCode: "nobody" })))
  )

  it.effect("says that the terms must be accepted", () =>
    Effect.gen(function* () {
      const { isRetryable, reason } = yield* Effect.flip(LanguageModel.generateText({ prompt: "Hello?" }))
      assert.isFalse(isRetryable)
      assert.isTrue(reason._tag === "AuthenticationError" && reason.kind === "InsufficientPermissions")
    }).pipe(Effect.provide(modelOf({ requireTerms: true })))
  )

  it.effect("deletes the chat of an answer that failed", () =>
    Effect.gen(function* () {
      const { isRetryable, reason } = yield* Effect.flip(LanguageModel.generateText({ prompt: "Hello?" }))
      assert.isTrue(isRetryable)
      assert.instanceOf(reason, AiError.InternalProviderError)
      assert.deepInclude(reason.metadata["chatbot"], { tag: "ProviderFailed" })
      assert.strictEqual(yield* chatCount, 0)
    }).pipe(
      Effect.provideService(RetryPolicy.RetryPolicy, RetryPolicy.none),
      Effect.provide(modelOf({ answers: () => Stream.fail(new Errors.ProviderFailed({ message: "No." })) }))
    )
  )

  it.effect("names itself as a model", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* Model.ProviderName, "chatbot")
      assert.strictEqual(yield* Model.ModelName, "support")
      assert.strictEqual((yield* LanguageModel.generateText({ prompt: "Hello?" })).text, "Hello!")
    }).pipe(
      Effect.provide(
        ChatbotModel.model("support").pipe(
          Layer.provide(ChatbotTest.layer({ bots: { support: {} }, answers: ["Hello!"] }))
        )
      )
    )
  )
})

describe("ChatbotModel over a network that fails", () => {
  /** A model over faults. What is asked by the client of the test meets none. */
  const over = (options: Faults.Options) =>
    Layer.unwrap(
      Effect.gen(function* () {
        const { baseUrl, http, tokenOf } = yield* ChatbotTest.Backend
        return ChatbotModel.layer({ botCode: "support" }).pipe(
          Layer.provide(ChatbotClient.layer({ baseUrl, token: yield* tokenOf("user") })),
          Layer.provide(Faults.layer(options)),
          Layer.provide(Layer.succeed(HttpClient.HttpClient, http))
        )
      })
    ).pipe(Layer.provideMerge(ChatbotTest.layer({ bots: { support: {} }, answers: () => "Hello!" })))

  it.effect("waits 5 seconds at most for the chat to be deleted", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(LanguageModel.generateText({ prompt: "Hello?" }))
      yield* TestClock.adjust("100 millis")
      yield* TestClock.adjust("4800 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("200 millis")
      assert.strictEqual((yield* Fiber.join(fiber)).text, "Hello!")
    }).pipe(Effect.provide(over({ rules: [Faults.on({ method: "DELETE" }, Faults.stall())] })))
  )

  it.effect("waits as long for an answer to be stopped", () =>
    Effect.gen(function* () {
      const { answer } = yield* ChatbotTest.Backend
      yield* answer(() => Stream.concat(Stream.make("Hel"), Stream.never))
      const fiber = yield* Effect.forkChild(LanguageModel.generateText({ prompt: "Hello?" }))
      yield* TestClock.adjust("1 second")
      const interrupting = yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* TestClock.adjust("4900 millis")
      assert.isUndefined(interrupting.pollUnsafe())
      yield* TestClock.adjust("200 millis")
      yield* Fiber.join(interrupting)
      assert.strictEqual(yield* chatCount, 0)
    }).pipe(Effect.provide(over({ rules: [Faults.on({ path: /\/stop$/ }, Faults.stall())] })))
  )

  it.effect("says that there was no answer, and leaves no chat", () =>
    Effect.gen(function* () {
      const { isRetryable, reason } = yield* Effect.flip(LanguageModel.generateText({ prompt: "Hello?" }))
      assert.deepStrictEqual([reason._tag, isRetryable], ["NetworkError", true])
      assert.strictEqual(yield* chatCount, 0)
    }).pipe(
      Effect.provideService(RetryPolicy.RetryPolicy, RetryPolicy.none),
      Effect.provide(over({ rules: [Faults.on({ path: /\/completions$/ }, Faults.refuse)] }))
    )
  )
})

const tools = Toolkit.make(Tool.make("time", { description: "The time", success: Schema.String }))

type StreamFailure = Stream.Error<ReturnType<Chats["Service"]["stream"]>>

describe("the errors of ChatbotModel", () => {
  const chatId = ChatId.make("chat-1")
  const retryAfter = Duration.seconds(7)

  /** What a model makes of an error that making a chat, or asking in it, fails with. */
  const reasonOf = (error: StreamFailure) =>
    Effect.flip(LanguageModel.generateText({ prompt: "secret question" })).pipe(
      Effect.provide(
        ChatbotModel.layer({ botCode: "support" }).pipe(
          Layer.provide(
            ChatbotTest.mock({
              chats: {
                createByBotCode: () => Effect.succeed({ chatId, isUserSystemMessageSupported: false }),
                stream: () => Stream.fail(error),
                delete: () => Effect.void
              }
            })
          )
        )
      )
    )

  it.effect("have the reason and the retryability of effect/ai", () =>
    Effect.gen(function* () {
      const rows: ReadonlyArray<readonly [error: StreamFailure, reason: string, isRetryable: boolean]> = [
        [new Errors.RateLimited({ retryAfter }), "RateLimitError", true],
        [new Errors.Unauthorized({}), "AuthenticationError", false],
        [new Errors.Forbidden({}), "AuthenticationError", false],
        [
          new Errors.InvalidRequest({ issues: [{ path: ["payload", "userMessage"], message: "Too long" }] }),
          "InvalidRequestError",
          false
        ],
        [new Errors.PayloadTooLarge({}), "InvalidRequestError", false],
        [new Errors.ChatNotFound({ chatId }), "InvalidRequestError", false],
        [new Errors.ChatBusy({ chatId }), "InternalProviderError", true],
        [new Errors.BotsStopped({}), "InternalProviderError", true],
        [new Errors.Unavailable({ retryAfter }), "InternalProviderError", true],
        [new Errors.InternalError({}), "InternalProviderError", true],
        [new Errors.ProviderTimedOut({}), "InternalProviderError", true],
        [new Errors.TransportFailed({}), "NetworkError", true],
        [new Errors.StreamTruncated({}), "NetworkError", true],
        [new Errors.UnexpectedStatus({ status: 418 }), "UnknownError", false],
        [new Errors.UnexpectedStatus({ status: 502 }), "InternalProviderError", true],
        [new Errors.InvalidResponse({ status: 200 }), "InvalidResponseError", false],
        [new Errors.CompletionFailed({ reason: "RateLimited", retryAfter }), "RateLimitError", true],
        [new Errors.CompletionFailed({ reason: "ProviderFailed" }), "InternalProviderError", true]
      ]
      for (const [error, reason, isRetryable] of rows) {
        const found = yield* reasonOf(error)
        assert.deepStrictEqual([found.reason._tag, found.isRetryable], [reason, isRetryable], error._tag)
        assert.notInclude(JSON.stringify(found) + found.message, "secret")
        if (reason === "RateLimitError") assert.deepStrictEqual(found.retryAfter, retryAfter)
      }
    })
  )
})
