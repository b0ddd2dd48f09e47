import { document } from "@effect-chatbot/api/Document"
import { assert, describe, it } from "@effect/vitest"
import { Validator } from "@seriousme/openapi-schema-validator"
import { readFileSync } from "node:fs"

// Method, path, operationId, query: as the contract lists them.
const operations = `
GET /api/admin/openAiServices AdminGetOpenAiServices PAGING
POST /api/admin/openAiServices AdminCreateOpenAiService
GET /api/admin/openAiServices/{openAiServiceId} AdminGetOpenAiService
PUT /api/admin/openAiServices/{openAiServiceId} AdminUpdateOpenAiService
DELETE /api/admin/openAiService/{openAiServiceId} AdminDeleteOpenAiService
GET /api/admin/bots AdminGetBots PAGING
POST /api/admin/bots AdminCreateBot
GET /api/admin/bots/{botId} AdminGetBot
PUT /api/admin/bots/{botId} AdminUpdateBot
DELETE /api/admin/bots/{botId} AdminDeleteBot
GET /api/admin/bots/{botId}/facts AdminGetBotFacts PAGING
POST /api/admin/bots/{botId}/facts AdminCreateBotFact
PUT /api/admin/bots/{botId}/facts/{botFactId} AdminUpdateBotFact
DELETE /api/admin/bots/{botId}/facts/{botFactId} AdminDeleteBotFact
GET /api/admin/bots/startbots AdminGetStartBots PAGING
GET /api/admin/bots/{startBotId}/bots AdminGetStartBotBots PAGING
GET /api/admin/bots/{startBotId}/unassignedbots AdminGetStartBotUnassignedBots PAGING
POST /api/admin/bots/{startBotId}/bots/{botId} AdminCreateStartBotBot
PUT /api/admin/bots/{startBotId}/bots/{botId} AdminUpdateStartBotBot
DELETE /api/admin/bots/{startBotId}/bots/{botId} AdminDeleteStartBotBot
GET /api/admin/bots/{botId}/feedback AdminGetBotFeedback FilterByVote ShowFeedbacksWithoutStatus ShowFeedbacksWithStatus FilterByStatus PAGING
PUT /api/admin/bots/{botId}/feedback/{feedbackId} AdminUpdateBotFeedback
PUT /api/admin/bots/stop/{isStopAllBots} AdminStopAllBots
PUT /api/admin/bots/{botId}/acsBotConfiguration AdminUpdateAcsBotConfiguration
GET /api/admin/bots/{botId}/acsBotConfiguration AdminGetAcsBotConfiguration
PUT /api/admin/bots/{botId}/azureOpenAISearchBotConfiguration AdminUpdateAzureOpenAISearchBotConfiguration
GET /api/admin/bots/{botId}/azureOpenAISearchBotConfiguration AdminGetAzureOpenAISearchBotConfiguration
GET /api/admin/bots/implementationTypes AdminGetBotImplementationTypes
PUT /api/admin/bots/{botId}/configuration AdminUpdateBotConfiguration
GET /api/admin/bots/{botId}/configuration AdminGetBotConfiguration
POST /api/bots/{botId}/search SearchBotByStartBot
GET /api/bots GetBots PAGING
GET /api/bots/bystartbot/{startBotId} GetBotsByStartBot PAGING
GET /api/bots/startbots GetStartBots PAGING
GET /api/bots/botimage/{botId} GetBotImage
GET /api/bots/stop IsStopAllBots
DELETE /cache DeleteCacheAsync
POST /api/chats CreateChat
POST /api/chats/create/bybotcode CreateChatByBotCode
POST /api/chats/{chatId}/completions ChatCompletion
GET /api/chats/{chatId} GetChat
DELETE /api/chats/{chatId} DeleteChat
POST /api/chats/{chatId}/feedback BotFeedback
GET /api/chats/OpenChatBotId GetOpenChatBotId
PUT /api/chats/{chatId}/displayName UpdateChatDisplayName
PUT /api/chats/{chatId}/userSystemMessage UpdateChatUserSystemMessage
DELETE /api/chats/{chatId}/userSystemMessage DeleteChatUserSystemMessage
POST /api/chats/{chatId}/tickets CreateChatOneTimeticket
GET /api/chats/{chatId}/downloads/{path} GetChatDownload ticket
PUT /api/statistic UpdateStatistic
GET /api/statistic/tokenUsageStatistic GetTokenUsageStatistic BotId TokenUsageTypeId FromRequestDate ToRequestDate PAGING
GET /api/System/status/current GetCurrentSystemStatus
PUT /api/System/status/current SetCurrentSystemStatus
GET /api/users/current GetCurrentUser
PUT /api/users/current UpdateCurrentUser
PUT /api/users/current/acceptTerms AcceptTerms
DELETE /api/users/current/chats/all/{keepfavorites} DeleteCurrentUserChats
DELETE /api/users/current/chats/byid/{chatid} DeleteCurrentUserChatById
DELETE /api/users/current/chats/{chatid}/completion/{completionid} DeleteCurrentUserChatCompletionById
DELETE /api/users/current/chats/bybot/{botid}/{keepfavorites} DeleteCurrentUserChatsByBotId
DELETE /api/users/current/chats/bybot/{botid}/{systemmessageid}/{keepfavorites} DeleteCurrentUserChatsByBotIdAndSystemMessageId
GET /api/users/current/chats/{botid} GetCurrentUserChatsByBot OnlyFavorites PAGING
GET /api/users/current/chats/{botid}/{usersystempromptid} GetCurrentUserChatsByBotAndSystemprompt OnlyFavorites PAGING
GET /api/users/current/chats GetCurrentUserChats OnlyFavorites PAGING
PUT /api/users/current/chats/{chatid}/isfavorite UpdateChatIsFavorite
GET /api/users/current/userSystemMessage GetUserSystemMessages PAGING
POST /api/users/current/userSystemMessage CreateUserSystemMessage
GET /api/users/current/userSystemMessage/{userSystemMessageId} GetUserSystemMessage
PUT /api/users/current/userSystemMessage/{userSystemMessageId} UpdateUserSystemMessage
DELETE /api/users/current/userSystemMessage/{userSystemMessageId} DeleteUserSystemMessage
GET /api/users/current/userSystemMessageCount GetUserSystemMessageCount
`
  .replaceAll("PAGING", "SearchFor OrderBy PageNumber PageSize")
  .trim()
  .split("\n")
  .toSorted()

/** What this contract has beside those. */
const added = [
  "GET /api/chats/{chatId}/completions/{completionId}/events GetChatCompletionEvents",
  "POST /api/chats/{chatId}/completions/{completionId}/stop StopChatCompletion"
]

const described = Object.entries(document.paths).flatMap(([path, item]) =>
  (["get", "post", "put", "delete"] as const).flatMap((name) => {
    const operation = item[name]
    return operation === undefined ? [] : [{ method: name.toUpperCase(), path, operation }]
  })
)

describe("the OpenAPI document", () => {
  it("has exactly the operations of the contract and those that are added, with their paths, methods, ids and query names", () => {
    assert.deepStrictEqual(
      described
        .map(({ method, operation, path }) =>
          [
            method,
            path,
            operation.operationId,
            ...operation.parameters.filter((parameter) => parameter.in === "query").map((parameter) => parameter.name)
          ].join(" ")
        )
        .toSorted(),
      [...operations, ...added].toSorted()
    )
    assert.strictEqual(operations.length, 71)
  })

  it("names every segment in braces as a path parameter", () => {
    for (const { operation, path } of described) {
      assert.deepStrictEqual(
        operation.parameters
          .filter((parameter) => parameter.in === "path")
          .map((parameter) => parameter.name)
          .toSorted(),
        [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!).toSorted(),
        path
      )
    }
  })

  it("answers 200 and no other success", () => {
    for (const { operation, path } of described) {
      assert.deepStrictEqual(
        Object.keys(operation.responses).filter((status) => Number(status) < 400),
        ["200"],
        path
      )
    }
  })

  it("takes the three spellings of JSON that clients of this API send", () => {
    for (const { operation, path } of described) {
      if (operation.requestBody === undefined) continue
      assert.deepStrictEqual(
        Object.keys(operation.requestBody.content),
        ["application/json", "text/json", "application/*+json"],
        path
      )
    }
  })

  it("has a summary, a description, an access rule and a retry class for every operation", () => {
    for (const { operation } of described) {
      assert.isNotEmpty(operation.summary)
      assert.isNotEmpty(operation.description)
      const extensions = new Map<string, unknown>(Object.entries(operation))
      assert.include(["Anyone", "User", "Admin"], extensions.get("x-access"))
      assert.include(["safe", "idempotent", "keyed", "never"], extensions.get("x-retry"))
    }
  })

  it("has the headers of idempotency keys for every keyed operation and no other", () => {
    for (const { operation, path } of described) {
      const isKeyed = new Map<string, unknown>(Object.entries(operation)).get("x-retry") === "keyed"
      assert.deepStrictEqual(
        operation.parameters
          .filter((parameter) => parameter.in === "header")
          .map(({ name, required }) => [name, required]),
        isKeyed ? [["Idempotency-Key", false]] : path.endsWith("/events") ? [["Last-Event-ID", false]] : [],
        path
      )
      const { headers = {} } = JSON.parse(JSON.stringify(operation.responses[200]))
      assert.deepStrictEqual(
        Object.keys(headers),
        isKeyed ? ["Idempotency-Supported", "Idempotency-Replayed"] : [],
        path
      )
    }
  })

  it("is valid OpenAPI 3.1", async () => {
    const validator = new Validator()
    const result = await validator.validate(JSON.parse(JSON.stringify(document)))
    assert.deepStrictEqual(result, { valid: true })
    assert.strictEqual(validator.version, "3.1")
  })

  it("is what is committed", () => {
    assert.strictEqual(
      readFileSync(new URL("../openapi.json", import.meta.url), "utf8"),
      `${JSON.stringify(document, null, 2)}\n`
    )
  })
})
