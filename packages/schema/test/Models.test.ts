import * as AdminBot from "@effect-chatbot/schema/AdminBot"
import * as AzureConfiguration from "@effect-chatbot/schema/AzureConfiguration"
import * as Bot from "@effect-chatbot/schema/Bot"
import * as BotFact from "@effect-chatbot/schema/BotFact"
import * as BotFeedback from "@effect-chatbot/schema/BotFeedback"
import * as BotLink from "@effect-chatbot/schema/BotLink"
import * as Chat from "@effect-chatbot/schema/Chat"
import type { BotId, ChatId } from "@effect-chatbot/schema/Ids"
import * as OpenAiService from "@effect-chatbot/schema/OpenAiService"
import * as SystemMessage from "@effect-chatbot/schema/SystemMessage"
import * as TermValue from "@effect-chatbot/schema/TermValue"
import * as TokenUsage from "@effect-chatbot/schema/TokenUsage"
import * as User from "@effect-chatbot/schema/User"
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** Each model, and the least it can be decoded from. */
const answers = {
  AdminBot: [AdminBot.AdminBot, { botId: "b" }],
  AdminBotSummary: [AdminBot.AdminBotSummary, { botId: "b" }],
  AdminBotPage: [AdminBot.AdminBotPage, {}],
  CreatedBot: [AdminBot.CreatedBot, { botId: "b" }],
  BotConfiguration: [AdminBot.BotConfiguration, {}],
  AcsConfiguration: [AzureConfiguration.AcsConfiguration, {}],
  AzureOpenAiSearchConfiguration: [AzureConfiguration.AzureOpenAiSearchConfiguration, {}],
  BotFact: [BotFact.BotFact, { botFactId: "f" }],
  BotFactPage: [BotFact.BotFactPage, {}],
  CreatedBotFact: [BotFact.CreatedBotFact, { botFactId: "f" }],
  BotFeedback: [BotFeedback.BotFeedback, { id: "f" }],
  BotFeedbackPage: [BotFeedback.BotFeedbackPage, {}],
  LinkedBot: [BotLink.LinkedBot, { botId: "b" }],
  LinkedBotPage: [BotLink.LinkedBotPage, {}],
  UnassignedBot: [BotLink.UnassignedBot, { botId: "b" }],
  UnassignedBotPage: [BotLink.UnassignedBotPage, {}],
  TermValue: [TermValue.TermValue, {}],
  Bot: [Bot.Bot, { botId: "b" }],
  BotPage: [Bot.BotPage, {}],
  OpenChatBot: [Bot.OpenChatBot, {}],
  CreatedChat: [Chat.CreatedChat, { chatId: "c" }],
  Chat: [Chat.Chat, { chatId: "c" }],
  ChatSummary: [Chat.ChatSummary, { chatId: "c" }],
  ChatPage: [Chat.ChatPage, {}],
  Completion: [Chat.Completion, { completionId: "k" }],
  StoredCompletion: [Chat.StoredCompletion, { completionId: "k" }],
  CompletionMetaData: [Chat.CompletionMetaData, {}],
  InformationSource: [Chat.InformationSource, {}],
  StoredFeedback: [Chat.StoredFeedback, { feedbackId: "f" }],
  OpenAiService: [OpenAiService.OpenAiService, {}],
  OpenAiServiceSummary: [OpenAiService.OpenAiServiceSummary, { id: "s" }],
  OpenAiServicePage: [OpenAiService.OpenAiServicePage, {}],
  SystemMessage: [SystemMessage.SystemMessage, {}],
  TokenUsage: [TokenUsage.TokenUsage, {}],
  TokenUsagePage: [TokenUsage.TokenUsagePage, {}],
  CurrentUser: [User.CurrentUser, { id: 1 }],
  UserSystemMessage: [User.UserSystemMessage, { userSystemMessageId: "m" }],
  UserSystemMessageSummary: [User.UserSystemMessageSummary, { userSystemMessageId: "m" }],
  UserSystemMessagePage: [User.UserSystemMessagePage, {}],
  UserSystemMessageCount: [User.UserSystemMessageCount, {}]
} as const satisfies Record<string, readonly [Schema.Struct<Schema.Struct.Fields>, object]>

const nonNullable = new Set([
  "createdUtc",
  "updatedUtc",
  "lastAccessedUtc",
  "requestDate",
  "metaData",
  "messageCreatedUtc",
  "displayNameTv",
  "displayMessageTv",
  "descriptionTv",
  "sampleQuestion1Tv",
  "sampleQuestion2Tv"
])

describe.each(Object.entries(answers))("%s", (_, [model, least]) => {
  const json = Schema.toCodecJson(model)
  const decode = Schema.decodeUnknownEffect(json)
  const encode = Schema.encodeUnknownEffect(json)
  const names = Object.keys(model.fields)

  it.effect("is decoded from what cannot be left out, with `null` for what is missing and with unknown fields", () =>
    Effect.gen(function* () {
      const missing = yield* decode(least)
      const nulls = Object.fromEntries(names.map((name) => [name, null]))
      assert.deepStrictEqual(yield* decode({ ...nulls, ...least, surprise: { deep: 1 } }), missing)
    })
  )

  it.effect.each(Object.keys(least))("is refused without its %s", (id) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(decode({}))
      assert.include(error.message, id)
    })
  )

  it.effect(
    "is encoded with every field, but for times and objects that are absent: the contract has no null for those",
    () =>
      Effect.gen(function* () {
        const encoded = Object(yield* decode(least).pipe(Effect.flatMap(encode)))
        for (const name of names) {
          if (nonNullable.has(name)) assert.isFalse(Object.hasOwn(encoded, name), name)
          else assert.isTrue(Object.hasOwn(encoded, name), name)
        }
      })
  )

  it.effect.prop("comes back from the wire as it was sent", { value: Schema.toType(model) }, ({ value }) =>
    Effect.gen(function* () {
      const text = JSON.stringify(yield* encode(value))
      const again = yield* Effect.flatMap(decode(JSON.parse(text)), encode)
      assert.strictEqual(JSON.stringify(again), text)
    })
  )
})

describe("times", () => {
  it.effect.each([
    ["2024-01-01T10:00:00Z", "2024-01-01T10:00:00.000Z"],
    ["2024-01-01T10:00:00", "2024-01-01T10:00:00.000Z"],
    ["2024-01-01T10:00:00.123", "2024-01-01T10:00:00.123Z"],
    ["2024-01-01T10:00:00.1234567", "2024-01-01T10:00:00.123Z"],
    ["2024-01-01T10:00:00.1234567Z", "2024-01-01T10:00:00.123Z"],
    ["2024-01-01T12:00:00+02:00", "2024-01-01T10:00:00.000Z"]
  ] as const)("reads %s in UTC", ([wire, expected]) =>
    Effect.gen(function* () {
      const chat = yield* Schema.decodeEffect(Chat.Chat)({ chatId: "c", createdUtc: wire })
      assert.strictEqual(chat.createdUtc === undefined ? undefined : DateTime.formatIso(chat.createdUtc), expected)
    })
  )

  it.effect("refuses what is no time", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Schema.decodeEffect(Chat.Chat)({ chatId: "c", createdUtc: "soon" }))
      assert.include(error.message, "createdUtc")
    })
  )
})

describe("dates", () => {
  it.effect.each([
    ["2024-02-29", "2024-02-29"],
    ["2024-02-29T00:00:00", "2024-02-29"]
  ] as const)("reads %s", ([wire, expected]) =>
    Effect.gen(function* () {
      const row = yield* Schema.decodeEffect(TokenUsage.TokenUsage)({ requestDate: wire })
      assert.strictEqual<string | undefined>(row.requestDate, expected)
    })
  )

  it.effect.each(["2023-02-29", "2024-13-01", "2024-1-1", "today"])("refuses %s", (wire) =>
    Effect.flip(Schema.decodeEffect(TokenUsage.TokenUsage)({ requestDate: wire }))
  )
})

describe("integer codes", () => {
  it.effect("that are not known stay as they came", () =>
    Effect.gen(function* () {
      const row = yield* Schema.decodeEffect(TokenUsage.TokenUsage)({ tokenUsageTypeId: 99 })
      assert.strictEqual(row.tokenUsageTypeId, 99)
    })
  )
})

describe("ids", () => {
  it("are told apart by the compiler", () => {
    expectTypeOf<ChatId>().not.toExtend<BotId>()
    expectTypeOf<BotId>().toExtend<string>()
  })
})

describe("the key of an OpenAI service", () => {
  it.effect("does not show in what is printed", () =>
    Effect.gen(function* () {
      const service = yield* Schema.decodeEffect(OpenAiService.CreateOpenAiService)({
        displayName: "s",
        azureOpenAiApiKey: "canary"
      })
      assert.notInclude(JSON.stringify(service), "canary")
      assert.notInclude(String(service.azureOpenAiApiKey), "canary")
    })
  )
})
