/**
 * The OpenAI services that bots answer through, for admins. Their keys are sealed in the database and never told.
 */
import { InvalidRequest, OpenAiServiceNotFound } from "@effect-chatbot/schema/Errors"
import { OpenAiServiceId } from "@effect-chatbot/schema/Ids"
import {
  type CreateOpenAiService,
  type OpenAiService,
  OpenAiServiceSummary,
  type UpdateOpenAiService
} from "@effect-chatbot/schema/OpenAiService"
import type { Page, PageQuery } from "@effect-chatbot/schema/Page"
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Paging from "./Paging.ts"
import * as ProviderEndpoint from "./ProviderEndpoint.ts"
import { OpenAiServiceRepository } from "./repositories/OpenAiServiceRepository.ts"
import * as SealedPlaces from "./SealedPlaces.ts"
import { SecretBox, type SecretUnreadable } from "./SecretBox.ts"
import { ServerOptions } from "./ServerOptions.ts"
import * as TextLimits from "./TextLimits.ts"

/** What a provider needs to reach an OpenAI service. */
export interface Connection {
  readonly displayName: string
  readonly endpoint: string | undefined
  readonly apiKey: Redacted.Redacted | undefined
}

const invalid = (name: keyof CreateOpenAiService, message: string) =>
  new InvalidRequest({ issues: [{ path: ["payload", name], message }] })

/** The OpenAI services that bots answer through. */
export class OpenAiServices extends Context.Service<
  OpenAiServices,
  {
    /** By their names, unless another order is asked for. */
    readonly list: (query: PageQuery) => Effect.Effect<Page<OpenAiServiceSummary>, InvalidRequest>
    readonly create: (service: CreateOpenAiService) => Effect.Effect<OpenAiServiceId, InvalidRequest>
    readonly get: (id: OpenAiServiceId) => Effect.Effect<OpenAiService, OpenAiServiceNotFound>
    /** Endpoint and key change only with `isUpdateOpenAi`; what is absent then is cleared. */
    readonly update: (
      id: OpenAiServiceId,
      change: UpdateOpenAiService
    ) => Effect.Effect<void, InvalidRequest | OpenAiServiceNotFound>
    /** Bots that used it use the embedded provider. */
    readonly delete: (id: OpenAiServiceId) => Effect.Effect<void, OpenAiServiceNotFound>
    /** For a provider: how to reach a service, if it is there and active. */
    readonly connection: (id: OpenAiServiceId) => Effect.Effect<Option.Option<Connection>, SecretUnreadable>
  }
>()("@effect-chatbot/server/OpenAiServices") {
  /** The OpenAI services in the database. */
  static readonly layer: Layer.Layer<
    OpenAiServices,
    never,
    OpenAiServiceRepository | SecretBox | SecureRandom.SecureRandom
  > = Layer.effect(
    OpenAiServices,
    Effect.gen(function* () {
      const services = yield* OpenAiServiceRepository
      const box = yield* SecretBox
      const random = yield* SecureRandom.SecureRandom
      const { allowLinkLocalProviders = false } = yield* ServerOptions

      const checkEndpoint = (endpoint: string | undefined): Effect.Effect<string | undefined, InvalidRequest> => {
        if (endpoint === undefined || endpoint.trim() === "") return Effect.undefined
        return Result.match(ProviderEndpoint.parse(endpoint, { allowLinkLocal: allowLinkLocalProviders }), {
          onFailure: (message) => Effect.fail(invalid("azureOpenAiEndpoint", message)),
          onSuccess: () => Effect.succeed(endpoint.trim())
        })
      }

      /** A key travels in a header, which takes one line of ASCII; it is easily copied with the end of its line. */
      const checkApiKey = (apiKey: Redacted.Redacted | undefined) => {
        const key = apiKey === undefined ? "" : Redacted.value(apiKey).trim()
        if (key === "") return Effect.undefined
        return /^[\x20-\x7e]{1,4000}$/.test(key)
          ? Effect.succeed(Redacted.make(key))
          : Effect.fail(invalid("azureOpenAiApiKey", "Expected one line of at most 4000 ASCII characters"))
      }

      const connectionOf = Effect.fnUntraced(function* (
        id: OpenAiServiceId,
        service: Pick<CreateOpenAiService, "azureOpenAiEndpoint" | "azureOpenAiApiKey">
      ) {
        const endpoint = yield* checkEndpoint(service.azureOpenAiEndpoint)
        const apiKey = yield* checkApiKey(service.azureOpenAiApiKey)
        return {
          endpoint,
          apiKey: apiKey === undefined ? undefined : yield* box.seal(apiKey, SealedPlaces.apiKey.purpose(id))
        }
      })

      const unlessMissing = (id: OpenAiServiceId) => (found: boolean) =>
        found ? Effect.void : Effect.fail(new OpenAiServiceNotFound({ openAiServiceId: id }))

      const list = Effect.fn("OpenAiServices.list")(function* (query: PageQuery) {
        const request = yield* Paging.request(query, { fields: OpenAiServiceSummary.fields, orderBy: "displayName" })
        return Paging.page(request, yield* services.list(request))
      })

      const create = Effect.fn("OpenAiServices.create")(function* (service: CreateOpenAiService) {
        yield* TextLimits.check(service, ["displayName"])
        const id = OpenAiServiceId.make(yield* random.uuidV7())
        const { displayName, isActive } = service
        const connection = yield* connectionOf(id, service)
        yield* services.insert(id, { displayName, isActive, ...connection }, yield* DateTime.now)
        return id
      })

      const get = Effect.fn("OpenAiServices.get")(function* (id: OpenAiServiceId) {
        const service = yield* services.find(id)
        if (service === undefined) return yield* new OpenAiServiceNotFound({ openAiServiceId: id })
        return {
          displayName: service.displayName,
          isActive: service.isActive,
          isAzureOpenAiSet: service.apiKey !== undefined,
          azureOpenAiEndpoint: service.endpoint
        }
      })

      const update = Effect.fn("OpenAiServices.update")(function* (id: OpenAiServiceId, change: UpdateOpenAiService) {
        yield* TextLimits.check(change, ["displayName"])
        const { displayName, isActive } = change
        const connection = change.isUpdateOpenAi ? yield* connectionOf(id, change) : undefined
        const found = yield* services.update(id, { displayName, isActive, connection }, yield* DateTime.now)
        yield* unlessMissing(id)(found)
      })

      const remove = Effect.fn("OpenAiServices.delete")((id: OpenAiServiceId) =>
        Effect.flatMap(services.delete(id), unlessMissing(id))
      )

      const connection = Effect.fn("OpenAiServices.connection")(function* (id: OpenAiServiceId) {
        const service = yield* services.find(id)
        if (service === undefined || !service.isActive) return Option.none()
        const apiKey =
          service.apiKey === undefined ? undefined : yield* box.open(service.apiKey, SealedPlaces.apiKey.purpose(id))
        return Option.some({ displayName: service.displayName, endpoint: service.endpoint, apiKey })
      })

      return { list, create, get, update, delete: remove, connection }
    })
  )
}
