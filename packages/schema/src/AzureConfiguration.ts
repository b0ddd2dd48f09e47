/**
 * The two Azure configurations of a bot. A backend of this project keeps them, their secrets encrypted, and does not act on them.
 */
import * as Schema from "effect/Schema"
import { flag, Int32, nullableValue, secret, text } from "./internal/wire.ts"

const int = nullableValue(Int32)

/** What is told of the clients: never a connection string or a credential. */
const clients = {
  /** Whether a connection to a blob storage is stored. */
  isBlobServiceClientSet: flag,
  /** Where the blob storage is, without the secrets of its connection string. */
  blobServiceClientDisplayUri: text,
  /** Whether the endpoint of a search service and its credential are stored. */
  isSearchClientSet: flag,
  searchClientEndpoint: text
}

/** How the clients are changed. */
const clientChanges = {
  /** Whether the connection string is changed too; without it, it stays as it is. */
  isUpdateBlobClient: flag,
  blobClientConnectionString: secret,
  /** Whether endpoint and credential of the search are changed too; without it they stay as they are. */
  isUpdateSearchClient: flag,
  searchClientEndpoint: text,
  searchClientCredential: secret
}

const acs = {
  indexName: text,
  indexFields: text,
  useSemanticSearch: flag,
  semanticSearchConfigurationName: text,
  maxResults: int,
  maxCharsTotal: int
}

const search = {
  indexName: text,
  semanticSearchConfigurationName: text,
  embeddingModelName: text,
  maxResults: int,
  temperature: nullableValue(Schema.Finite),
  searchFilter: text,
  searchStrictness: int,
  searchShouldRestrictResultScope: nullableValue(Schema.Boolean)
}

/** What of a configuration of Azure Cognitive Search is no client. */
export const AcsSettings = Schema.Struct(acs)

/** How a bot searches with Azure Cognitive Search. */
export const AcsConfiguration = Schema.Struct({ ...clients, ...acs }).annotate({
  identifier: "AdminGetAcsBotConfigurationResponseDto"
})

/** How a bot searches with Azure Cognitive Search. */
export interface AcsConfiguration extends Schema.Schema.Type<typeof AcsConfiguration> {}

/** How a bot is to search with Azure Cognitive Search. What is absent is cleared, but for the clients. */
export const UpdateAcsConfiguration = Schema.Struct({ ...clientChanges, ...acs }).annotate({
  identifier: "AdminUpdateAcsBotConfigurationRequestDto"
})

/** How a bot is to search with Azure Cognitive Search. What is absent is cleared, but for the clients. */
export interface UpdateAcsConfiguration extends Schema.Schema.Type<typeof UpdateAcsConfiguration> {}

/** What of a configuration of the search of Azure OpenAI is no client. */
export const AzureOpenAiSearchSettings = Schema.Struct(search)

/** How a bot answers from a search of Azure OpenAI. */
export const AzureOpenAiSearchConfiguration = Schema.Struct({ ...clients, ...search }).annotate({
  identifier: "AdminGetAzureOpenAISearchBotConfigurationResponseDto"
})

/** How a bot answers from a search of Azure OpenAI. */
export interface AzureOpenAiSearchConfiguration extends Schema.Schema.Type<typeof AzureOpenAiSearchConfiguration> {}

/** How a bot is to answer from a search of Azure OpenAI. What is absent is cleared, but for the clients. */
export const UpdateAzureOpenAiSearchConfiguration = Schema.Struct({ ...clientChanges, ...search }).annotate({
  identifier: "AdminUpdateAzureOpenAISearchBotConfigurationRequestDto"
})

/** How a bot is to answer from a search of Azure OpenAI. What is absent is cleared, but for the clients. */
export interface UpdateAzureOpenAiSearchConfiguration extends Schema.Schema.Type<
  typeof UpdateAzureOpenAiSearchConfiguration
> {}
