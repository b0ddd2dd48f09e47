/** The real backend on a free port with the database of the project, and real clients for it. */
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as FileSystem from "effect/FileSystem"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import * as Backend from "../../src/Backend.ts"
import { defaults, type ServerConfig } from "../../src/ServerConfig.ts"
import { Tokens } from "../../src/Tokens.ts"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Balancer from "./Balancer.ts"
import * as ServerProcess from "./ServerProcess.ts"
import { form, memory, postgresUrl } from "./TestDatabase.ts"

/** The backend in this process. */
const alone = (options: Partial<ServerConfig>) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const dataDir = yield* fs.makeTempDirectoryScoped({ prefix: "chatbot-test-" })
      const config: ServerConfig = {
        ...defaults,
        port: 0,
        dataDir,
        databaseUrl:
          options.databaseUrl ??
          (form === "postgres" && options.dataDir === undefined ? yield* postgresUrl() : undefined),
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

/** Two processes, of which each request gets the next one, and the services of a third that serves nothing. */
const cluster = Layer.unwrap(
  Effect.gen(function* () {
    const databaseUrl = yield* postgresUrl()
    const secretKey = Redacted.make(Base64.encode(new Uint8Array(32).fill(9)))
    const start = Effect.gen(function* () {
      const server = yield* ServerProcess.start({
        CHATBOT_PORT: "0",
        CHATBOT_DATA_DIR: yield* ServerProcess.dataDir,
        CHATBOT_DATABASE_URL: Redacted.value(databaseUrl),
        CHATBOT_DATABASE_CONNECTIONS: "8",
        CHATBOT_CLUSTER: "true",
        CHATBOT_SECRET_KEY: Redacted.value(secretKey),
        CHATBOT_LOG_LEVEL: "None"
      })
      return Number(new URL(yield* server.listening).port)
    })
    const { port } = yield* Balancer.make(yield* Effect.all([start, start], { concurrency: 2 }))
    const config: ServerConfig = {
      ...defaults,
      dataDir: yield* ServerProcess.dataDir,
      databaseUrl,
      databaseConnections: 3,
      cluster: true,
      secretKey,
      logLevel: "None"
    }
    const server = HttpServer.make({
      address: NetAddress.inetAddressUnsafe(NetAddress.ipv4Loopback, port),
      serve: () => Effect.die(new Error("The processes serve"))
    })
    return Layer.succeed(HttpServer.HttpServer, server).pipe(
      Layer.provideMerge(NodeHttpServer.layerHttpServices),
      Layer.provideMerge(Backend.services(config))
    )
  })
).pipe(Layer.provide(NodeServices.layer), Layer.provide(Layer.succeed(References.MinimumLogLevel, "None")))

const backend = (
  options: Partial<ServerConfig>
): Layer.Layer<Layer.Success<typeof cluster>, Layer.Error<typeof cluster> | Layer.Error<ReturnType<typeof alone>>> =>
  form === "cluster" ? cluster : alone(options)

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
