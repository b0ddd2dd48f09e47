/**
 * The client: every endpoint of the contract, by its group.
 *
 * ```ts
 * const program = Effect.gen(function*() {
 *   const { chats } = yield* ChatbotClient
 *   const { chatId } = yield* chats.createByBotCode("client")
 *   return yield* chats.complete(chatId, "How do I page through a list?")
 * })
 *
 * program.pipe(Effect.provide(ChatbotClient.layerConfig.pipe(Layer.provide(Transport.layer))))
 * ```
 */
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import { Admin } from "./Admin.ts"
import { AdminBots } from "./AdminBots.ts"
import { Bots } from "./Bots.ts"
import { Cache } from "./Cache.ts"
import { Chats } from "./Chats.ts"
import { ClientConfig, type ClientOptions } from "./ClientConfig.ts"
import { Statistics } from "./Statistics.ts"
import { System } from "./System.ts"
import { Users } from "./Users.ts"

const services = {
  admin: Admin,
  adminBots: AdminBots,
  bots: Bots,
  cache: Cache,
  chats: Chats,
  statistics: Statistics,
  system: System,
  users: Users
}

const groups = Layer.mergeAll(
  Admin.layer,
  AdminBots.layer,
  Bots.layer,
  Cache.layer,
  Chats.layer,
  Statistics.layer,
  System.layer,
  Users.layer
)

/** The service of every group. */
export type Groups = Admin | AdminBots | Bots | Cache | Chats | Statistics | System | Users

/**
 * Of its own: a layer is built once in a program and then shared, so the layers of the groups would be those of the first client, with its
 * backend and its token, for every other client too.
 */
const isolated = <A, E, R>(layer: Layer.Layer<A, E, R>): Layer.Layer<A, E, R> =>
  Layer.effectContext(
    Effect.flatMap(Effect.scope, (scope) => Layer.buildWithMemoMap(layer, Layer.makeMemoMapUnsafe(), scope))
  )

/** The client: every endpoint of the contract, by its group. Each group is a service of its own as well. */
export class ChatbotClient extends Context.Service<
  ChatbotClient,
  {
    readonly admin: Admin["Service"]
    readonly adminBots: AdminBots["Service"]
    readonly bots: Bots["Service"]
    readonly cache: Cache["Service"]
    readonly chats: Chats["Service"]
    readonly statistics: Statistics["Service"]
    readonly system: System["Service"]
    readonly users: Users["Service"]
  }
>()("@effect-chatbot/client/ChatbotClient") {
  /** Over the {@link ClientConfig} and a transport. */
  static readonly layerNoConfig: Layer.Layer<ChatbotClient | Groups, never, ClientConfig | HttpClient.HttpClient> =
    Layer.provideMerge(Layer.effect(ChatbotClient, Effect.all(services)), groups)

  /**
   * The client of the backend at `baseUrl` and the services of its groups, over a transport. Fails with what is wrong with the options.
   * Policies that are provided to it are those of all its calls.
   */
  static readonly layer = (
    options: ClientOptions
  ): Layer.Layer<ChatbotClient | Groups, Config.ConfigError, HttpClient.HttpClient> =>
    Layer.provide(isolated(ChatbotClient.layerNoConfig), ClientConfig.layer(options))

  /** As {@link layer}, of what `CHATBOT_BASE_URL` and `CHATBOT_TOKEN` say. Without them, that is the backend on this machine, and no token. */
  static readonly layerConfig: Layer.Layer<ChatbotClient | Groups, Config.ConfigError, HttpClient.HttpClient> =
    Layer.provide(ChatbotClient.layerNoConfig, ClientConfig.layerConfig)
}
