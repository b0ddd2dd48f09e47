/**
 * The whole backend of one process: HTTP server, services, providers and the database.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import type * as SqlClient from "effect/sql/SqlClient"
import type * as SqlError from "effect/sql/SqlError"
import * as AdminToken from "./AdminToken.ts"
import * as BotsSync from "./BotsSync.ts"
import { CompletionRuns } from "./CompletionRuns.ts"
import { Drain } from "./Drain.ts"
import { Health } from "./Health.ts"
import * as NodeLimits from "./http/NodeLimits.ts"
import { JwtOptions } from "./JwtOptions.ts"
import * as Providers from "./Providers.ts"
import * as ProviderTransport from "./ProviderTransport.ts"
import { SettingsRepository } from "./repositories/SettingsRepository.ts"
import { Retention } from "./Retention.ts"
import * as SecretBox from "./SecretBox.ts"
import * as SecretRotation from "./SecretRotation.ts"
import * as SecurityConfig from "./SecurityConfig.ts"
import * as Server from "./Server.ts"
import type { ServerConfig } from "./ServerConfig.ts"
import { ServerOptions } from "./ServerOptions.ts"
import * as Services from "./Services.ts"
import * as Database from "./sql/Database.ts"
import * as FolderLock from "./sql/FolderLock.ts"
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
export const processesOf = (config: ServerConfig, isServing: boolean) =>
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
export const services = (config: ServerConfig, { database, isServing = false }: ServicesOptions = {}) =>
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
      const { allowLinkLocalProviders, auditDays, promptTokens, requireTerms, secretKey, secretKeyPrevious } = config
      const processes = yield* processesOf(config, isServing)
      const ownsFolder = isServing && database === undefined && config.databaseUrl === undefined
      const atStart = isServing ? SecretRotation.layerWarn : Layer.empty
      return Services.layerWith<StartFailed | SqlError.SqlError, SqlClient.SqlClient>(processes).pipe(
        Layer.provide(Providers.layer),
        Layer.provide([Tokenizer.layer, ProviderTransport.layer]),
        Layer.provide(secretKeyPrevious === undefined ? atStart : SecretRotation.layer),
        Layer.provideMerge(
          SecretBox.layer({
            key: secretKey,
            previous: secretKeyPrevious,
            file: path.join(config.dataDir, "secret-key")
          })
        ),
        Layer.provide(
          Layer.succeed(ServerOptions, {
            allowLinkLocalProviders,
            auditDays,
            promptTokens,
            requireTerms,
            shutdownGrace: config.shutdownGrace,
            tokenBudgets: SecurityConfig.tokenBudgets(config)
          })
        ),
        Layer.provide(Layer.succeed(JwtOptions, SecurityConfig.jwt(config))),
        Layer.provideMerge(
          Layer.provide(database ?? Database.layer(config), ownsFolder ? FolderLock.layer(config.dataDir) : Layer.empty)
        )
      )
    })
  )

/** The same for a command, which looks at the data of a backend that there is: it makes none. */
export const visited = (config: ServerConfig) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const file = path.join(config.dataDir, Database.fileName)
      if (config.databaseUrl === undefined && !(yield* Effect.orElseSucceed(fs.exists(file), () => false))) {
        return yield* new StartFailed({
          message: `There is no database at ${file}. Set CHATBOT_DATA_DIR to the data folder of the backend, or start it once.`
        })
      }
      return services(config)
    })
  )

/**
 * How a backend stops: it takes nothing new, lets what was begun come to its end within the grace, and then breaks the rest off. Who follows a completion reads how it ended before connections are closed.
 */
const shutDown = (grace: Duration.Duration) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const drain = yield* Drain
      const runs = yield* CompletionRuns
      yield* Effect.addFinalizer(() =>
        Effect.gen(function* () {
          yield* drain.begin
          const began = yield* Clock.currentTimeMillis
          yield* runs.shutDown
          const took = Duration.millis((yield* Clock.currentTimeMillis) - began)
          yield* Effect.timeoutOption(drain.isIdle, Duration.max(Duration.subtract(grace, took), lastWords))
        })
      )
    })
  )

/** For the last events of what was broken off. */
const lastWords = Duration.seconds(1)

/** How the contract is served. */
export interface ServeOptions extends Server.Options {
  /** How long requests may go on when the backend is told to stop; for completions see `ServerOptions`. Default 10 seconds. */
  readonly shutdownGrace?: Duration.Duration | undefined
}

/** Serves the contract on the `HttpServer` provided, until what was begun has ended. */
export const serve = ({ shutdownGrace = Duration.seconds(10), ...options }: ServeOptions) =>
  shutDown(shutdownGrace).pipe(
    Layer.provideMerge(Server.serve(options)),
    Layer.provideMerge(Health.layer),
    Layer.provideMerge(Drain.layer)
  )

/** The server of Node. Connections that nobody uses are closed when the backend is about to stop, and all others when it has. */
const httpServer = ({ host, port, ...limits }: ServerConfig) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const drain = yield* Drain
      const server = NodeLimits.makeServer(limits)
      drain.onBegin(() => server.closeIdleConnections())
      // Closed before it is waited for their end: a connection on which no request ever came has none.
      const closeAll = Layer.effectDiscard(Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections())))
      return closeAll.pipe(
        Layer.provideMerge(NodeHttpServer.layer(() => server, { host, port, gracefulShutdownTimeout: lastWords }))
      )
    })
  )

/** `/metrics` on its port, if it has one. */
const metrics = ({ metricsHost: host, metricsPort: port }: ServerConfig) =>
  port === undefined
    ? Layer.empty
    : Layer.unwrap(
        Effect.map(
          Effect.promise(() => import("./MetricsServer.ts")),
          ({ layer }) => layer({ host, port })
        )
      )

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
  serve({ ...config, rateLimits: SecurityConfig.rateLimits(config) }).pipe(
    Layer.merge(metrics(config)),
    Layer.provideMerge(httpServer(config)),
    Layer.provideMerge(Drain.layer),
    Layer.provide([prepare(config, importBots), Retention.layerJob]),
    Layer.provideMerge(services(config, { database, isServing: true })),
    Layer.provide(NodeServices.layer)
  )
