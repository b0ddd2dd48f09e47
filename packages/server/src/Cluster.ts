/**
 * What makes one backend of several processes that share a PostgreSQL: `effect/cluster`, with its locks and messages in the database.
 *
 * Loaded only where there is a cluster: it takes longer than the start of one process alone.
 */
import * as NodeClusterSocket from "@effect/platform-node/NodeClusterSocket"
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeSocketServer from "@effect/platform-node/NodeSocketServer"
import * as PgClient from "@effect/sql-pg/PgClient"
import type * as MessageStorage from "effect/cluster/MessageStorage"
import * as RunnerAddress from "effect/cluster/RunnerAddress"
import * as RunnerHealth from "effect/cluster/RunnerHealth"
import * as Runners from "effect/cluster/Runners"
import * as RunnerStorage from "effect/cluster/RunnerStorage"
import * as Sharding from "effect/cluster/Sharding"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as SocketRunner from "effect/cluster/SocketRunner"
import * as SqlMessageStorage from "effect/cluster/SqlMessageStorage"
import * as SqlRunnerStorage from "effect/cluster/SqlRunnerStorage"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Equal from "effect/Equal"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as Scope from "effect/Scope"
import * as SocketServer from "effect/socket/SocketServer"
import * as SqlClient from "effect/sql/SqlClient"
import type * as SqlError from "effect/sql/SqlError"
import { connect } from "node:net"
import { hostname } from "node:os"
import * as ClusteredRuns from "./ClusteredRuns.ts"
import { addressOf } from "./internal/chatRuns.ts"
import { CompletionRuns } from "./CompletionRuns.ts"
import { orDie, run } from "./internal/rows.ts"
import * as PostgresSignals from "./PostgresSignals.ts"
import { CompletionRunRepository } from "./repositories/CompletionRunRepository.ts"
import { SettingsRepository } from "./repositories/SettingsRepository.ts"
import * as SealedPlaces from "./SealedPlaces.ts"
import { SecretBox } from "./SecretBox.ts"
import type { ServerConfig } from "./ServerConfig.ts"
import type { Processes } from "./Services.ts"
import { Singletons } from "./Singletons.ts"
import { StartFailed } from "./StartFailed.ts"

/** What the names of the tables of `effect/cluster` begin with. */
const prefix = "chatbot_cluster"

/** How many connections a process needs: one for its locks, one to hear the others, and some to work with. */
export const fewestConnections = 5

/** In how many parts the chats are dealt out. All processes must agree; each part is a lock that moves by itself. */
const shardsPerGroup = 64

/** Messages that were seen to are kept for this long, so that one that is sent again is known. */
const messagesKeptFor = "1 hour"

const listensOnAll = (host: string) => host === "0.0.0.0" || host === "::" || host === "*"

/** Where the other processes reach this one. */
const socketServer = (host: string, port: number): Layer.Layer<SocketServer.SocketServer, StartFailed> =>
  Layer.effect(
    SocketServer.SocketServer,
    Effect.mapError(
      NodeSocketServer.make({ host, port }),
      ({ reason }) =>
        new StartFailed({
          message: `The other processes of the cluster cannot reach this one, which cannot listen on ${host}:${port}: ${String(reason.cause)}. Set CHATBOT_RUNNER_HOST and CHATBOT_RUNNER_PORT.`
        })
    )
  )

/** Whether nobody listens at an address any more: then the process that did is gone, and did not say so. */
const isGone = ({ host, port }: RunnerAddress.RunnerAddress): Effect.Effect<boolean> =>
  Effect.callback<boolean>((resume) => {
    const socket = connect({ host, port })
    socket.once("connect", () => {
      socket.destroy()
      resume(Effect.succeed(false))
    })
    socket.once("error", (error) => resume(Effect.succeed("code" in error && error.code === "ECONNREFUSED")))
    return Effect.sync(() => socket.destroy())
  }).pipe(Effect.timeoutOption("1 second"), Effect.map(Option.getOrElse(() => false)))

/**
 * Every process looks whether the others are there, so that one that was killed is missed at once. One that does not answer although it
 * listens has until its locks expire.
 */
const watch = Layer.effectDiscard(
  Effect.gen(function* () {
    const storage = yield* RunnerStorage.RunnerStorage
    const runs = yield* CompletionRunRepository
    const self = Option.getOrUndefined((yield* ShardingConfig.ShardingConfig).runnerAddress)
    const look = Effect.flatMap(storage.getRunners, (runners) =>
      Effect.forEach(
        runners,
        ([{ address }, isHealthy]) =>
          isHealthy && !Equal.equals(address, self)
            ? Effect.flatMap(isGone(address), (isGone) =>
                isGone
                  ? Effect.logWarning("A process of the cluster is gone: the others take over what it did").pipe(
                      Effect.annotateLogs({ address: addressOf(address) }),
                      Effect.andThen(runs.disappear(addressOf(address))),
                      Effect.andThen(storage.setRunnerHealth(address, false))
                    )
                  : Effect.void
              )
            : Effect.void,
        { concurrency: 10, discard: true }
      )
    )
    yield* look.pipe(
      Effect.catchCause((cause) => Effect.logDebug("Failed to look for the other processes", cause)),
      Effect.andThen(Effect.sleep("1 second")),
      Effect.forever,
      Effect.forkScoped
    )
  })
)

/** Takes part in the cluster: others reach this process at its address, and it gets a share of the chats. */
const sharding = ({
  failover,
  host,
  runnerHost = listensOnAll(host) ? hostname() : host,
  runnerPort
}: ServerConfig): Layer.Layer<
  MessageStorage.MessageStorage | Sharding.Sharding | ShardingConfig.ShardingConfig,
  StartFailed,
  SqlClient.SqlClient
> =>
  Layer.unwrap(
    Effect.map(SocketServer.SocketServer, ({ address }) => {
      const config = ShardingConfig.layer({
        runnerAddress: Option.some(RunnerAddress.make(runnerHost, "port" in address ? address.port : runnerPort)),
        shardsPerGroup,
        shardLockExpiration: failover,
        shardLockRefreshInterval: Duration.times(failover, 1 / 3),
        runnerHealthCheckInterval: Duration.times(failover, 1 / 3),
        refreshAssignmentsInterval: Duration.millis(500),
        entityMessagePollInterval: Duration.seconds(2),
        // A run does not end with its entity, so there is nothing to wait for.
        entityTerminationTimeout: Duration.zero
      })
      return watch.pipe(
        Layer.provide(CompletionRunRepository.layer),
        Layer.provideMerge(SocketRunner.layer),
        Layer.provide(RunnerHealth.layerPing.pipe(Layer.provide(Runners.layerRpc))),
        Layer.provide(NodeClusterSocket.layerClientProtocol),
        Layer.provideMerge(SqlMessageStorage.layerWith({ prefix })),
        Layer.provide(Layer.orDie(SqlRunnerStorage.layerWith({ prefix }))),
        Layer.provideMerge(config),
        Layer.provide([RpcSerialization.layerSchemaBinary(), NodeCrypto.layerDigest])
      )
    })
  ).pipe(Layer.provide(socketServer(listensOnAll(host) ? host : runnerHost, runnerPort)))

/** Jobs, each in the process that has its place. */
const singletons: Layer.Layer<Singletons, never, Sharding.Sharding | SqlClient.SqlClient> = Layer.effect(
  Singletons,
  Effect.gen(function* () {
    const { registerSingleton } = yield* Sharding.Sharding
    const sql = yield* SqlClient.SqlClient
    const messages = sql.literal(`${prefix}_messages`)
    const replies = sql.literal(`${prefix}_replies`)
    const kept = sql.literal(`INTERVAL '${messagesKeptFor}'`)
    const deleteMessages = run(
      "delete old messages of the cluster",
      sql`WITH old AS (
          DELETE FROM ${messages} WHERE processed AND last_read < NOW() - ${kept} RETURNING request_id
        ) DELETE FROM ${replies} WHERE request_id IN (SELECT request_id FROM old)`
    )
    yield* registerSingleton(
      "Cluster.deleteMessages",
      deleteMessages.pipe(
        Effect.catchCause((cause) => Effect.logWarning("Failed to delete old messages of the cluster", cause)),
        Effect.andThen(Effect.sleep("10 minutes")),
        Effect.forever
      )
    )
    return { run: registerSingleton }
  })
)

const listens = Layer.unwrap(
  Effect.map(Effect.serviceOption(PgClient.PgClient), (client) =>
    PostgresSignals.layer.pipe(
      Layer.provide(
        Option.match(client, {
          onNone: () => Layer.effect(PgClient.PgClient, Effect.die("The database of a cluster must be PostgreSQL")),
          onSome: (client) => Layer.succeed(PgClient.PgClient, client)
        })
      )
    )
  )
)

/** The processes of the cluster, for one that serves. */
export const processes = (config: ServerConfig): Processes<SqlError.SqlError | StartFailed, SqlClient.SqlClient> => {
  const cluster = sharding(config)
  return {
    runs: Layer.provide(ClusteredRuns.layer, cluster),
    signals: listens,
    singletons: Layer.provide(singletons, cluster)
  }
}

/** The same for a command, which tells the others what it has changed and does nothing for them. */
export const visitor: Processes<SqlError.SqlError, SqlClient.SqlClient> = {
  runs: CompletionRuns.layer,
  signals: listens,
  singletons: Singletons.layer
}

const secretKeySetting = "secretKeyCheck"

/** Fails unless this process has the secret key of all others: what it seals, they could not open. */
export const checkSecretKey = Effect.gen(function* () {
  const box = yield* SecretBox
  const settings = yield* SettingsRepository
  const keep = (sealed: Uint8Array) => settings.set(secretKeySetting, Base64.encode(sealed))
  const known = Result.getOrUndefined(Base64.decode((yield* settings.get(secretKeySetting)) ?? ""))
  if (known === undefined || known.length === 0) {
    return yield* Effect.flatMap(box.seal(Redacted.make("chatbot"), SealedPlaces.keyCheck), keep)
  }
  const resealed = yield* Effect.mapError(
    box.reseal(known, SealedPlaces.keyCheck),
    () =>
      new StartFailed({
        message:
          "This process has another secret key than those that share its database. Give all of them the same CHATBOT_SECRET_KEY, or the same data folder."
      })
  )
  if (resealed !== undefined) yield* keep(resealed)
})

/** Builds layers while no other process of the cluster does: what a start changes in the database, it changes alone. */
export const inTurn = <A, E, R>(layer: Layer.Layer<A, E, R>): Layer.Layer<A, E, R | SqlClient.SqlClient> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const scope = yield* Effect.scope
      const lock = (name: "pg_advisory_lock" | "pg_advisory_unlock") =>
        `SELECT ${name}(hashtextextended('chatbot: start', 0))`
      return yield* Effect.scoped(
        Effect.gen(function* () {
          const connection = yield* orDie("get in line for a start")(sql.reserve)
          yield* Effect.acquireRelease(
            orDie("get in line for a start")(connection.executeRaw(lock("pg_advisory_lock"), [])),
            () => Effect.ignore(connection.executeRaw(lock("pg_advisory_unlock"), []))
          )
          return yield* Scope.provide(Layer.build(layer), scope)
        })
      )
    })
  )
