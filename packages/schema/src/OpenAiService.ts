/**
 * OpenAI services: the endpoints and keys that bots answer through, kept by admins.
 */
import * as Schema from "effect/Schema"
import { OpenAiServiceId } from "./Ids.ts"
import { flag, secret, text } from "./internal/wire.ts"
import * as Page from "./Page.ts"

/** An OpenAI service as it stands in a list. */
export const OpenAiServiceSummary = Schema.Struct({
  id: OpenAiServiceId,
  displayName: text,
  isActive: flag
}).annotate({ identifier: "AdminGetOpenAiServicesResponseItemDto" })

/** An OpenAI service as it stands in a list. */
export interface OpenAiServiceSummary extends Schema.Schema.Type<typeof OpenAiServiceSummary> {}

/** A page of OpenAI services. */
export const OpenAiServicePage = Page.Page(OpenAiServiceSummary, "AdminGetOpenAiServicesResponseItemDtoPagingResult")

/** An OpenAI service. Its key is never told. */
export const OpenAiService = Schema.Struct({
  displayName: text,
  isActive: flag,
  /** Whether a key is stored. */
  isAzureOpenAiSet: flag,
  azureOpenAiEndpoint: text
}).annotate({ identifier: "AdminGetOpenAiServiceResponseDto" })

/** An OpenAI service. Its key is never told. */
export interface OpenAiService extends Schema.Schema.Type<typeof OpenAiService> {}

/** A new OpenAI service. */
export const CreateOpenAiService = Schema.Struct({
  displayName: Schema.NonEmptyString,
  isActive: flag,
  azureOpenAiEndpoint: text,
  azureOpenAiApiKey: secret
}).annotate({ identifier: "AdminCreateOpenAiServiceRequestDto" })

/** A new OpenAI service. */
export interface CreateOpenAiService extends Schema.Schema.Type<typeof CreateOpenAiService> {}

/** A change of an OpenAI service. */
export const UpdateOpenAiService = Schema.Struct({
  displayName: Schema.NonEmptyString,
  isActive: flag,
  /** Whether endpoint and key are changed too; without it they stay as they are. */
  isUpdateOpenAi: flag,
  azureOpenAiEndpoint: text,
  azureOpenAiApiKey: secret
}).annotate({ identifier: "AdminUpdateOpenAiServiceRequestDto" })

/** A change of an OpenAI service. */
export interface UpdateOpenAiService extends Schema.Schema.Type<typeof UpdateOpenAiService> {}
