/**
 * The whole backend of one process: HTTP server, services, providers and the database.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import type * as SqlClient from "effect/sql/SqlClient"
import type * as SqlError from "effect/sql/SqlError"
import { createServer } from "node:http"
import * as AdminToken from "./AdminToken.ts"
import * as BotsSync from "./BotsSync.ts"
import { CompletionRuns } from "./CompletionRuns.ts"
import * as Providers from "./Providers.ts"
import * as ProviderTransport from "./ProviderTransport.ts"
import { SettingsRepository } from "./repositories/SettingsRepository.ts"
import { Retention } from "./Retention.ts"
import * as SecretBox from "./SecretBox.ts"
import * as SecretRotation from "./SecretRotation.ts"
import * as Server from "./Server.ts"
import type { ServerConfig } from "./ServerConfig.ts"
import { ServerOptions } from "./ServerOptions.ts"
import * as Services from "./Services.ts"
import * as Database from "./sql/Database.ts"
import { StartFailed } from "./StartFailed.ts"
import * as Tokenizer from "./Tokenizer.ts"

/** How the services are made beside the configuration. */
export interface ServicesOptions {
  /** The database to use in place of the one of the configuration, at the current version. */
  readonly database?: Database.Database<Path.Path> | undefined
  /** Whether this process takes part in the cluster, if there is one; a command does not. Default `false`. */
  readonly isServing?: boolean | undefined
}

/** What is loaded for a cluster only. */
const loadCluster = Effect.promise(() => import("./Cluster.ts"))

/** Whether this is one process alone, or one of several. */
const processesOf = (config: ServerConfig, isServing: boolean) =>
  Effect.gen(function* () {
    if (!config.cluster) return Services.alone
    if (config.databaseUrl === undefined) {
      return yield* new StartFailed({
        message: "CHATBOT_CLUSTER=true needs a PostgreSQL that all processes share. Name it in CHATBOT_DATABASE_URL."
      })
    }
    const Cluster = yield* loadCluster
    if (!isServing) return Cluster.visitor
    if (config.databaseConnections < Cluster.fewestConnections) {
      return yield* new StartFailed({
        message: `CHATBOT_CLUSTER=true needs at least ${Cluster.fewestConnections} connections to PostgreSQL, of which it keeps two for itself. Set CHATBOT_DATABASE_CONNECTIONS to more.`
      })
    }
    return Cluster.processes(config)
  })

/** The services over the database, with no job that runs by itself. Makes the data folder, and brings the database to the current version. */
export const services = (
  config: ServerConfig,
  { database = Database.layer(config), isServing = false }: ServicesOptions = {}
) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      yield* fs.makeDirectory(config.dataDir, { recursive: true, mode: 0o700 }).pipe(
        Effect.mapError(
          ({ reason }) =>
            new StartFailed({
              message: `The data folder ${config.dataDir} cannot be made: ${reason._tag}. Set CHATBOT_DATA_DIR to a folder that this user may write.`
            })
        )
      )
      const { allowLinkLocalProviders, promptTokens, requireTerms, secretKey, secretKeyPrevious, shutdownGrace } =
        config
      const processes = yield* processesOf(config, isServing)
      return Services.layerWith<StartFailed | SqlError.SqlError, SqlClient.SqlClient>(processes).pipe(
        Layer.provide(Providers.layer),
        Layer.provide([Tokenizer.layer, ProviderTransport.layer]),
        Layer.provide(secretKeyPrevious === undefined ? Layer.empty : SecretRotation.layer),
        Layer.provideMerge(
          SecretBox.layer({
            key: secretKey,
            previous: secretKeyPrevious,
            file: path.join(config.dataDir, "secret-key")
          })
        ),
        Layer.provide(
          Layer.succeed(ServerOptions, { allowLinkLocalProviders, promptTokens, requireTerms, shutdownGrace })
        ),
        Layer.provideMerge(database)
      )
    })
  )

/** Lets what runs come to its end, and who follows it read that, before connections are closed. */
const shutDownRuns = Layer.effectDiscard(
  Effect.flatMap(CompletionRuns, (runs) => Effect.addFinalizer(() => runs.shutDown))
)

/** Serves the contract on the `HttpServer` provided, until the completions that run have ended. */
export const serve = (options: Parameters<typeof Server.serve>[0]) =>
  shutDownRuns.pipe(Layer.provideMerge(Server.serve(options)))

/** What a start may be asked for beside its configuration. */
export interface Options {
  /** Whether the bots folder also wins where admins have changed its bots, see `BotsSync.Options`. Default `false`. */
  readonly importBots?: boolean | undefined
  /** The database to use in place of the one of the configuration, at the current version. */
  readonly database?: Database.Database | undefined
}

/** What a start sees to in the database. Of several processes, one does so at a time. */
const prepare = (config: ServerConfig, importBots: boolean | undefined) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const bots = BotsSync.layer(config.botsDir, { overwrite: importBots })
      const admin = AdminToken.layer(config)
      if (!config.cluster) return Layer.mergeAll(bots, admin)
      const Cluster = yield* loadCluster
      const check = Layer.effectDiscard(Cluster.checkSecretKey).pipe(Layer.provide(SettingsRepository.layer))
      return Cluster.inTurn(Layer.mergeAll(bots, admin).pipe(Layer.provideMerge(check)))
    })
  )

/** The backend, listening, with its jobs. It listens once it can answer: a request that comes in before would never be. */
export const layer = (config: ServerConfig, { database, importBots }: Options = {}) =>
  serve({ maxBodySize: config.maxBodySize }).pipe(
    Layer.provideMerge(
      NodeHttpServer.layer(createServer, {
        host: config.host,
        port: config.port,
        gracefulShutdownTimeout: "10 seconds"
      })
    ),
    Layer.provide([prepare(config, importBots), Retention.layerJob]),
    Layer.provideMerge(services(config, { database, isServing: true })),
    Layer.provide(NodeServices.layer)
  )
