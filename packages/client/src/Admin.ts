/**
 * What admins keep: the OpenAI services that bots answer through.
 */
import { Api } from "@effect-chatbot/api/Api"
import type {
  Forbidden,
  IdempotencyKeyInUse,
  IdempotencyKeyReused,
  InvalidRequest,
  OpenAiServiceNotFound,
  PayloadTooLarge
} from "@effect-chatbot/schema/Errors"
import type { OpenAiServiceId } from "@effect-chatbot/schema/Ids"
import type {
  CreateOpenAiService,
  OpenAiService,
  OpenAiServiceSummary,
  UpdateOpenAiService
} from "@effect-chatbot/schema/OpenAiService"
import type { Page, PageQuery } from "@effect-chatbot/schema/Page"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"
import type * as Stream from "effect/Stream"
import type { CallError } from "./CallError.ts"
import type { ClientConfig } from "./ClientConfig.ts"
import { callOf } from "./internal/call.ts"
import { layerOf } from "./internal/connection.ts"
import { itemsOf } from "./internal/pages.ts"

const endpoints = Api.groups.admin.endpoints
const call = callOf("admin")

const calls = {
  listOpenAiServices: call(endpoints.listOpenAiServices),
  createOpenAiService: call(endpoints.createOpenAiService),
  getOpenAiService: call(endpoints.getOpenAiService),
  updateOpenAiService: call(endpoints.updateOpenAiService),
  deleteOpenAiService: call(endpoints.deleteOpenAiService)
}

/** What admins keep. */
export class Admin extends Context.Service<
  Admin,
  {
    /** The endpoints and keys that bots answer through. A key is stored and never told again. */
    readonly openAiServices: {
      /** A page of the services, without their endpoints. */
      readonly list: (
        query?: PageQuery
      ) => Effect.Effect<Page<OpenAiServiceSummary>, InvalidRequest | Forbidden | CallError>

      /** The services of all pages of {@link list}, from `pageNumber` on. */
      readonly items: (query?: PageQuery) => Stream.Stream<OpenAiServiceSummary, InvalidRequest | Forbidden | CallError>

      /** Creates a service and answers its id. */
      readonly create: (
        service: CreateOpenAiService
      ) => Effect.Effect<
        OpenAiServiceId,
        InvalidRequest | Forbidden | PayloadTooLarge | IdempotencyKeyInUse | IdempotencyKeyReused | CallError
      >

      /** One service; `isAzureOpenAiSet` says whether a key is stored. */
      readonly get: (
        openAiServiceId: OpenAiServiceId
      ) => Effect.Effect<OpenAiService, InvalidRequest | Forbidden | OpenAiServiceNotFound | CallError>

      /** Changes a service; its endpoint and its key only where `isUpdateOpenAi` is true. */
      readonly update: (
        openAiServiceId: OpenAiServiceId,
        service: UpdateOpenAiService
      ) => Effect.Effect<void, InvalidRequest | Forbidden | OpenAiServiceNotFound | PayloadTooLarge | CallError>

      /** Deletes a service. Bots that used it answer by the embedded provider. */
      readonly delete: (
        openAiServiceId: OpenAiServiceId
      ) => Effect.Effect<void, InvalidRequest | Forbidden | OpenAiServiceNotFound | CallError>
    }
  }
>()("@effect-chatbot/client/Admin") {
  /** Over the {@link ClientConfig} and a transport. */
  static readonly layer: Layer.Layer<Admin, never, ClientConfig | HttpClient.HttpClient> = layerOf(Admin, ({ run }) => {
    const list = (query: PageQuery = {}) => run(calls.listOpenAiServices, { query })
    return {
      openAiServices: {
        list,
        items: (query = {}) => itemsOf(list, query),
        create: (payload) => run(calls.createOpenAiService, { payload }),
        get: (openAiServiceId) => run(calls.getOpenAiService, { params: { openAiServiceId } }),
        update: (openAiServiceId, payload) => run(calls.updateOpenAiService, { params: { openAiServiceId }, payload }),
        delete: (openAiServiceId) => run(calls.deleteOpenAiService, { params: { openAiServiceId } })
      }
    }
  })
}
