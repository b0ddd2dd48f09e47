/** A PostgreSQL database for the processes of a test. */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Redacted from "effect/Redacted"
import { inject } from "vitest"

const ask = (method: "POST" | "DELETE", name: string) =>
  HttpClient.execute(HttpClientRequest.make(method)(`${inject("postgres")}/${name}`)).pipe(
    Effect.flatMap(HttpClientResponse.filterStatusOk),
    Effect.flatMap(({ text }) => text),
    Effect.provide(FetchHttpClient.layer),
    Effect.orDie
  )

/** The URL of a database without tables, which is gone with the scope. */
export const url = Effect.acquireRelease(ask("POST", "empty"), (url) => ask("DELETE", new URL(url).pathname.slice(1)))

const count = (url: string, query: string) =>
  PgClient.makeClient({ url: Redacted.make(url) }).pipe(
    Effect.flatMap((sql) => sql.unsafe<{ n: number }>(`SELECT count(*)::int AS n FROM ${query}`)),
    Effect.map(([row]) => row?.n ?? 0),
    Effect.scoped,
    Effect.provide(Reactivity.layer),
    Effect.orDie
  )

/** How many messages of workflows nobody has seen to. Of a schedule there is always a next time. */
export const unprocessed = (url: string) =>
  count(url, "cluster_messages WHERE NOT processed AND entity_type NOT LIKE 'ClusterCron/%'")

/** How many processes have a share of the workflows. */
export const sharing = (url: string) =>
  count(
    url,
    `(SELECT DISTINCT pid FROM pg_locks JOIN pg_database ON oid = database
      WHERE locktype = 'advisory' AND granted AND datname = current_database()) AS holders`
  )
