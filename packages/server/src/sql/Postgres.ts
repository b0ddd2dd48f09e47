/**
 * `SqlClient` on PostgreSQL: what the backend asks of a server and of a connection. With it comes the `PgClient`, which can also listen
 * and notify.
 *
 * Transactions are `READ COMMITTED`, each on a connection of its own. What reads first and writes by what it read takes a lock for that,
 * see `Transactions.lock`.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as SqlClient from "effect/sql/SqlClient"
import * as SqlError from "effect/sql/SqlError"
import * as Str from "effect/String"
import { StartFailed } from "../StartFailed.ts"

/** How to reach the database. */
export interface Options {
  /** `postgres://user:password@host:port/name`, with the parameters that libpq knows, such as `sslmode`. */
  readonly url: Redacted.Redacted
  /** The most connections that are open at a time. Default 10. */
  readonly maxConnections?: number | undefined
}

/** The oldest version that the full-text search and the tests are written for. */
const oldestVersion = 160_000

/** Where the database is, without who reads it and the password. */
const whereOf = (url: Redacted.Redacted): string => {
  const { host, pathname, searchParams } = new URL(Redacted.value(url))
  return `${host || (searchParams.get("host") ?? "localhost")}${pathname}`
}

const Server = Schema.Tuple([Schema.Struct({ version: Schema.Int, encoding: Schema.String })])

/** Fails unless the database can be reached and holds every text. */
const check = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, where: string) {
  const rows = yield* sql`SELECT current_setting('server_version_num')::int AS version,
    current_setting('server_encoding') AS encoding`
  const [{ encoding, version }] = yield* Effect.orDie(Schema.decodeUnknownEffect(Server)(rows))
  if (version < oldestVersion) {
    const message = `The PostgreSQL at ${where} is too old: it is ${Math.floor(version / 10_000)}, and 16 is needed.`
    return yield* new StartFailed({ message })
  }
  if (encoding !== "UTF8") {
    const message = `The database ${where} has the encoding ${encoding}. Make one with ENCODING 'UTF8' and name it in CHATBOT_DATABASE_URL.`
    return yield* new StartFailed({ message })
  }
})

const unreachable = (error: SqlError.SqlError, where: string): StartFailed => {
  const { cause, message } = error.reason
  const why = cause instanceof Error && cause.message !== "" ? cause.message : (message ?? error.reason._tag)
  return new StartFailed({
    message: `The database ${where} cannot be used: ${why}. Check CHATBOT_DATABASE_URL, and that PostgreSQL runs there.`
  })
}

/** A client of the database, which is asked at once; a connection that breaks is replaced by the next use. */
export const layer = ({
  maxConnections = 10,
  url
}: Options): Layer.Layer<PgClient.PgClient | SqlClient.SqlClient, StartFailed> => {
  const where = whereOf(url)
  return PgClient.layerFrom(
    PgClient.make({
      url,
      maxConnections,
      applicationName: "chatbot",
      connectTimeout: Duration.seconds(5),
      // A server that is gone without a word is noticed.
      keepAlive: Duration.seconds(10),
      startupParameters: {
        // No statement of a request takes this long; one that does would hold a connection that others wait for.
        statement_timeout: "30s",
        idle_in_transaction_session_timeout: "60s",
        default_transaction_isolation: "read committed"
      },
      transformQueryNames: Str.camelToSnake,
      transformResultNames: Str.snakeToCamel,
      transformJson: false
    }).pipe(
      Effect.tap((sql) => check(sql, where)),
      Effect.catchIf(SqlError.isSqlError, (error) => Effect.fail(unreachable(error, where)))
    )
  )
}
