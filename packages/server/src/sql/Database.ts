/**
 * The database of the backend: PostgreSQL where one is named, else a SQLite file in the data folder. Either way it is brought to the
 * current version.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import type * as Migrator from "effect/sql/Migrator"
import type * as SqlClient from "effect/sql/SqlClient"
import type * as SqlError from "effect/sql/SqlError"
import type { ServerConfig } from "../ServerConfig.ts"
import type { StartFailed } from "../StartFailed.ts"
import * as Migrations from "./Migrations.ts"
import * as NodeSqlite from "./NodeSqlite.ts"

/** A database, at the current version. */
export type Database<R = never> = Layer.Layer<
  SqlClient.SqlClient,
  SqlError.SqlError | Migrator.MigrationError | StartFailed,
  R
>

/** The name of the SQLite file in the data folder. */
export const fileName = "chatbot.db"

/** Brings the database of a client to the current version. */
export const migrated = <E, R>(
  client: Layer.Layer<SqlClient.SqlClient, E, R>
): Layer.Layer<SqlClient.SqlClient, E | SqlError.SqlError | Migrator.MigrationError, R> =>
  Layer.provideMerge(Migrations.layer, client)

/** The database that the configuration names. */
export const layer = ({
  dataDir,
  databaseConnections,
  databaseUrl
}: Pick<ServerConfig, "dataDir" | "databaseConnections" | "databaseUrl">): Database<Path.Path> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const path = yield* Path.Path
      if (databaseUrl === undefined) {
        return migrated(NodeSqlite.layer({ filename: path.join(dataDir, fileName) }))
      }
      // Loaded only when it is needed: it takes longer than all of SQLite.
      const Postgres = yield* Effect.promise(() => import("./Postgres.ts"))
      return migrated(Postgres.layer({ url: databaseUrl, maxConnections: databaseConnections }))
    })
  )
