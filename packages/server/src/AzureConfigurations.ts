/**
 * The two Azure configurations of a bot, for admins. They are kept and told, but for their secrets, which are sealed in the database and
 * never told; no bot of this backend acts on them.
 */
import {
  type AcsConfiguration,
  AcsSettings,
  type AzureOpenAiSearchConfiguration,
  AzureOpenAiSearchSettings,
  type UpdateAcsConfiguration,
  type UpdateAzureOpenAiSearchConfiguration
} from "@effect-chatbot/schema/AzureConfiguration"
import { BotNotFound, InvalidRequest } from "@effect-chatbot/schema/Errors"
import type { BotId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { blobUri, isHttpUrl } from "./internal/urls.ts"
import { AdminBotRepository } from "./repositories/AdminBotRepository.ts"
import {
  AzureConfigurationRepository,
  type AzureConfigurationRow,
  type Kind
} from "./repositories/AzureConfigurationRepository.ts"
import { Transactions } from "./repositories/Transactions.ts"
import * as SealedPlaces from "./SealedPlaces.ts"
import { SecretBox } from "./SecretBox.ts"
import * as TextLimits from "./TextLimits.ts"

/** How the clients of either configuration are changed. */
type ClientChanges = Pick<
  UpdateAcsConfiguration,
  | "isUpdateBlobClient"
  | "blobClientConnectionString"
  | "isUpdateSearchClient"
  | "searchClientEndpoint"
  | "searchClientCredential"
>

const clientsOf = (row: AzureConfigurationRow | undefined) => ({
  isBlobServiceClientSet: row?.blobConnection !== undefined,
  blobServiceClientDisplayUri: row?.blobUri,
  isSearchClientSet: row?.searchEndpoint !== undefined && row.searchCredential !== undefined,
  searchClientEndpoint: row?.searchEndpoint
})

const invalid = (name: string, message: string) =>
  new InvalidRequest({ issues: [{ path: ["payload", name], message }] })

/** A secret that is not blank. */
const given = (secret: Redacted.Redacted | undefined): Redacted.Redacted | undefined =>
  secret === undefined || Redacted.value(secret).trim() === "" ? undefined : secret

/** The two Azure configurations of a bot. One that was never stored is empty. */
export class AzureConfigurations extends Context.Service<
  AzureConfigurations,
  {
    readonly acs: (botId: BotId) => Effect.Effect<AcsConfiguration, BotNotFound>
    /** The clients change only with `isUpdateBlobClient` and `isUpdateSearchClient`; what is absent then is cleared. */
    readonly setAcs: (botId: BotId, change: UpdateAcsConfiguration) => Effect.Effect<void, InvalidRequest | BotNotFound>
    readonly search: (botId: BotId) => Effect.Effect<AzureOpenAiSearchConfiguration, BotNotFound>
    /** The clients change only with `isUpdateBlobClient` and `isUpdateSearchClient`; what is absent then is cleared. */
    readonly setSearch: (
      botId: BotId,
      change: UpdateAzureOpenAiSearchConfiguration
    ) => Effect.Effect<void, InvalidRequest | BotNotFound>
  }
>()("@effect-chatbot/server/AzureConfigurations") {
  /** The configurations in the database. */
  static readonly layer: Layer.Layer<
    AzureConfigurations,
    never,
    AdminBotRepository | AzureConfigurationRepository | SecretBox | Transactions
  > = Layer.effect(
    AzureConfigurations,
    Effect.gen(function* () {
      const bots = yield* AdminBotRepository
      const box = yield* SecretBox
      const configurations = yield* AzureConfigurationRepository
      const transactions = yield* Transactions

      const checkBot = Effect.fnUntraced(function* (botId: BotId) {
        if ((yield* bots.typeOf(botId)) === undefined) return yield* new BotNotFound({ botId })
      })

      const seal = (secret: Redacted.Redacted | undefined, purpose: SealedPlaces.Purpose) =>
        secret === undefined ? Effect.undefined : box.seal(secret, purpose)

      /** What a change makes of the blob client, if it changes it. */
      const blobClientOf = Effect.fnUntraced(function* (botId: BotId, kind: Kind, change: ClientChanges) {
        if (!change.isUpdateBlobClient) return undefined
        const connection = given(change.blobClientConnectionString)
        const uri = connection && blobUri(Redacted.value(connection))
        if (connection !== undefined && uri === undefined) {
          return yield* invalid(
            "blobClientConnectionString",
            "Expected a connection string of Azure Storage with AccountName or BlobEndpoint, or an http or https URL"
          )
        }
        const blobConnection = yield* seal(connection, SealedPlaces.blobConnection.purpose(botId, kind))
        return { blobUri: uri, blobConnection }
      })

      /** What a change makes of the search client, if it changes it. */
      const searchClientOf = Effect.fnUntraced(function* (botId: BotId, kind: Kind, change: ClientChanges) {
        if (!change.isUpdateSearchClient) return undefined
        const searchEndpoint = change.searchClientEndpoint?.trim() || undefined
        if (searchEndpoint !== undefined && !isHttpUrl(searchEndpoint)) {
          return yield* invalid("searchClientEndpoint", "Expected an http or https URL")
        }
        const credential = given(change.searchClientCredential)
        const searchCredential = yield* seal(credential, SealedPlaces.searchCredential.purpose(botId, kind))
        return { searchEndpoint, searchCredential }
      })

      /** The reading and writing of one kind of configuration. */
      const make = <Settings extends object, Encoded>(kind: Kind, schema: Schema.Codec<Settings, Encoded>) => {
        const json = Schema.fromJsonString(Schema.toCodecJson(schema))
        const decode = Schema.decodeUnknownEffect(json)
        const encode = Schema.encodeEffect(json)

        const get = Effect.fnUntraced(function* (botId: BotId) {
          yield* checkBot(botId)
          const row = yield* configurations.find(botId, kind)
          const settings = yield* Effect.orDie(decode(row?.settings ?? "{}"))
          return { ...clientsOf(row), ...settings }
        })

        const set = Effect.fnUntraced(function* (botId: BotId, change: ClientChanges & Settings) {
          yield* TextLimits.check(change)
          const blobClient = yield* blobClientOf(botId, kind, change)
          const searchClient = yield* searchClientOf(botId, kind, change)
          // What of the change is no setting is not written.
          const settings = yield* Effect.orDie(encode(change))
          yield* transactions.run(
            Effect.gen(function* () {
              yield* transactions.lock(`bot ${botId}`)
              yield* checkBot(botId)
              const before = yield* configurations.find(botId, kind)
              yield* configurations.set(botId, kind, {
                settings,
                blobUri: before?.blobUri,
                blobConnection: before?.blobConnection,
                searchEndpoint: before?.searchEndpoint,
                searchCredential: before?.searchCredential,
                ...blobClient,
                ...searchClient
              })
            })
          )
        })

        return { get, set }
      }

      const acs = make("acs", AcsSettings)
      const search = make("search", AzureOpenAiSearchSettings)
      return {
        acs: Effect.fn("AzureConfigurations.acs")(acs.get),
        setAcs: Effect.fn("AzureConfigurations.setAcs")(acs.set),
        search: Effect.fn("AzureConfigurations.search")(search.get),
        setSearch: Effect.fn("AzureConfigurations.setSearch")(search.set)
      }
    })
  )
}
