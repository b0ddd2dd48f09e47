/** The real backend on a free port with the database of the project, and real clients for it. */
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import * as Backend from "../../src/Backend.ts"
import { defaults, type ServerConfig } from "../../src/ServerConfig.ts"
import { Tokens } from "../../src/Tokens.ts"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { form, memory, postgresUrl } from "./TestDatabase.ts"

const backend = (options: Partial<ServerConfig>) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const dataDir = yield* fs.makeTempDirectoryScoped({ prefix: "chatbot-test-" })
      const config: ServerConfig = {
        ...defaults,
        port: 0,
        dataDir,
        databaseUrl: form === "postgres" && options.dataDir === undefined ? yield* postgresUrl() : undefined,
        databaseConnections: 5,
        logLevel: "None",
        ...options
      }
      return Backend.layer(config, form === "memory" && options.dataDir === undefined ? { database: memory } : {})
    })
  ).pipe(
    Layer.provide(NodeServices.layer),
    Layer.provide(Layer.succeed(References.MinimumLogLevel, options.logLevel ?? "None"))
  )

/** A backend for tests. */
export class TestBackend extends Context.Service<
  TestBackend,
  {
    readonly baseUrl: string
    /** The token of an admin. */
    readonly adminToken: Redacted.Redacted
    /** A token of the user with this login, who is made if need be. */
    readonly tokenOf: (login: string) => Effect.Effect<Redacted.Redacted>
    /** A client that calls as the user with this login, as an admin, or as nobody. */
    readonly client: (
      who: { readonly login: string } | "admin" | "nobody"
    ) => Effect.Effect<ChatbotClient["Service"], never, Scope.Scope>
  }
>()("test/TestBackend") {
  static readonly layerWith = (options: Partial<ServerConfig>) =>
    Layer.effect(
      TestBackend,
      Effect.gen(function* () {
        const { address } = yield* HttpServer.HttpServer
        const tokens = yield* Tokens
        const http = yield* HttpClient.HttpClient
        const baseUrl = HttpServer.formatAddress(address)
        const tokenOf = (login: string) =>
          Effect.map(tokens.create({ login, roles: ["User"], name: "test" }), ({ token }) => token)
        const { token: adminToken } = yield* tokens.create({ login: "boss", roles: ["Admin", "User"], name: "test" })
        return TestBackend.of({
          baseUrl,
          adminToken,
          tokenOf,
          client: (who) =>
            Effect.gen(function* () {
              const token = who === "nobody" ? undefined : who === "admin" ? adminToken : yield* tokenOf(who.login)
              return yield* ChatbotClient.layer({ baseUrl, token }).pipe(
                Layer.provide(Layer.succeed(HttpClient.HttpClient, http)),
                Layer.build,
                Effect.map(Context.get(ChatbotClient)),
                Effect.orDie
              )
            })
        })
      })
    ).pipe(Layer.provideMerge(backend(options)), Layer.provideMerge(NodeTransport.layer))

  static readonly layer = TestBackend.layerWith({})
}
