/**
 * What keeps workflows: a file of SQLite for one process, or PostgreSQL for several, where the others go on with what one was at when it died.
 */
import * as NodeSqlite from "@effect-chatbot/server/sql/NodeSqlite"
import * as NodeClusterSocket from "@effect/platform-node/NodeClusterSocket"
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as PgClient from "@effect/sql-pg/PgClient"
import { Config, Effect, Layer, Option, Redacted } from "effect"
import { ClusterWorkflowEngine, RunnerAddress, SingleRunner } from "effect/cluster"

const sqlite = (filename: string) =>
  SingleRunner.layer({ runnerStorage: "memory" }).pipe(
    Layer.provide([NodeSqlite.layer({ filename }), NodeCrypto.layerDigest])
  )

/**
 * A process that does not answer is missed within seconds. What moves to one that joins is not waited for: its activities have keys, and run
 * again there.
 */
const postgres = (url: string, port: number) =>
  NodeClusterSocket.layer({
    shardingConfig: {
      runnerAddress: Option.some(RunnerAddress.make("127.0.0.1", port)),
      shardsPerGroup: 32,
      shardLockExpiration: "6 seconds",
      refreshAssignmentsInterval: "1 second",
      runnerHealthCheckInterval: "1 second",
      entityMessagePollInterval: "1 second",
      entityTerminationTimeout: "1 second"
    }
  }).pipe(Layer.provide(PgClient.layer({ url: Redacted.make(url) })))

/** The engine, by `WORKFLOW_DATABASE`: a path, or a URL of PostgreSQL and `WORKFLOW_PORT`, where the other processes reach this one. */
export const layer = Layer.unwrap(
  Effect.gen(function* () {
    const database = yield* Config.String("WORKFLOW_DATABASE").pipe(Config.withDefault("workflows.db"))
    if (!/^postgres(ql)?:/.test(database)) return sqlite(database)
    return postgres(database, yield* Config.Port("WORKFLOW_PORT"))
  })
).pipe((sharding) => Layer.provideMerge(ClusterWorkflowEngine.layer, sharding))
