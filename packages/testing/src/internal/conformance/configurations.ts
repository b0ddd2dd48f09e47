import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { admin, check, missingBot } from "./adminGiven.ts"
import { type Check, contract } from "./Check.ts"
import { equals, fields, holds, ok, prepared, seen, success, text } from "./expect.ts"
import * as Given from "./given.ts"
import type { OperationName } from "./operations.ts"
import { described, misses, nobodys } from "./patterns.ts"

/** What is stored of a configuration is kept, but for secrets, of which it is only told that they are there. */
const configurationChecks = (
  [get, update]: readonly [OperationName, OperationName],
  what: string,
  settings: { readonly [field: string]: Schema.Json }
): ReadonlyArray<Check> => {
  const clients = {
    isUpdateBlobClient: true,
    blobClientConnectionString: `DefaultEndpointsProtocol=https;AccountName=conformance;AccountKey=${btoa("a key of nobody")};EndpointSuffix=core.windows.net`,
    isUpdateSearchClient: true,
    searchClientEndpoint: "https://search.invalid/",
    searchClientCredential: "a credential of nobody"
  }
  const connections = {
    isBlobServiceClientSet: Schema.Boolean,
    isSearchClientSet: Schema.Boolean,
    searchClientEndpoint: text
  }
  const connected = {
    isBlobServiceClientSet: true,
    isSearchClientSet: true,
    searchClientEndpoint: clients.searchClientEndpoint
  }
  return [
    described(
      check,
      get,
      `${what} that nobody has stored is empty`,
      admin,
      Effect.gen(function* () {
        const { botId } = yield* Given.bot()
        const answer = yield* success(get, { params: { botId } })
        const { isBlobServiceClientSet, isSearchClientSet } = yield* fields(answer, connections)
        yield* holds(answer, !isBlobServiceClientSet && !isSearchClientSet, "a configuration without connections")
      })
    ),
    misses(check, get, "The configuration of a bot", admin, missingBot),
    described(
      check,
      update,
      `${what} that is stored is told, and what it connects with is kept`,
      admin,
      Effect.gen(function* () {
        const { botId } = yield* Given.bot()
        const params = { botId }
        yield* success(update, { params, payload: { ...clients, ...settings } })
        const { answer, body } = yield* seen(get, { params }, connections)
        yield* equals(answer, "a configuration with", body, connected)
        const names = Object.keys(settings).map((name) => [name, Schema.Json] as const)
        const stored = yield* prepared(fields(answer, Object.fromEntries(names)))
        yield* equals(answer, "settings", stored, settings)
      })
    ),
    check(
      `${update}/keeps-what-is-not-to-change`,
      {
        title: "Without isUpdateBlobClient and isUpdateSearchClient, the connections stay as they are",
        source: contract,
        needs: admin,
        also: [get]
      },
      Effect.gen(function* () {
        const { botId } = yield* Given.bot()
        const params = { botId }
        yield* prepared(ok(update, { params, payload: { ...clients, indexName: "first" } }))
        const unchanged = { isUpdateBlobClient: false, isUpdateSearchClient: false, indexName: "second" }
        yield* ok(update, { params, payload: unchanged })
        const { answer, body } = yield* seen(get, { params }, { ...connections, indexName: text })
        yield* equals(answer, "a configuration with", body, { ...connected, indexName: "second" })
      })
    ),
    misses(
      check,
      update,
      "The configuration of a bot",
      admin,
      Effect.map(missingBot, ({ params }) => ({ params, payload: settings }))
    )
  ]
}

/** The checks of the configurations of bots. */
export const configurations: ReadonlyArray<Check> = [
  ...configurationChecks(
    ["adminBots.getAcsConfiguration", "adminBots.updateAcsConfiguration"],
    "A configuration for Azure Cognitive Search",
    { indexName: "index", indexFields: "title,text", useSemanticSearch: true, maxResults: 5, maxCharsTotal: 4000 }
  ),
  ...configurationChecks(
    ["adminBots.getSearchConfiguration", "adminBots.updateSearchConfiguration"],
    "A configuration for Azure OpenAI with search",
    {
      indexName: "index",
      embeddingModelName: "model",
      maxResults: 5,
      temperature: 0.5,
      searchFilter: "a eq 1",
      searchStrictness: 3,
      searchShouldRestrictResultScope: true
    }
  ),
  described(
    check,
    "adminBots.getConfiguration",
    "The configuration of a bot is a text, or none",
    admin,
    Effect.gen(function* () {
      const { botId } = yield* Given.bot()
      const answer = yield* success("adminBots.getConfiguration", { params: { botId } })
      yield* fields(answer, { configurationRaw: text })
    })
  ),
  misses(check, "adminBots.getConfiguration", "The configuration of a bot", admin, missingBot),
  described(
    check,
    "adminBots.updateConfiguration",
    "A configuration that is stored is told letter by letter, and the answer is empty",
    admin,
    Effect.gen(function* () {
      const { botId } = yield* Given.bot()
      const configurationRaw = '{ "a":  [1, "é🙂"] }\n'
      yield* success("adminBots.updateConfiguration", { params: { botId }, payload: { configurationRaw } })
      const { answer, body } = yield* seen(
        "adminBots.getConfiguration",
        { params: { botId } },
        { configurationRaw: text }
      )
      yield* equals(answer, "configurationRaw", body.configurationRaw, configurationRaw)
    })
  ),
  misses(
    check,
    "adminBots.updateConfiguration",
    "The configuration of a bot",
    admin,
    Effect.succeed({ params: { botId: nobodys }, payload: { configurationRaw: "{}" } })
  )
]
