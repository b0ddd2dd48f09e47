/** The conformance kit against this backend, on the database of the project, and what it leaves there. */
import * as Conformance from "@effect-chatbot/testing/Conformance"
import * as ConformanceReport from "@effect-chatbot/testing/ConformanceReport"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { TestBackend } from "./support/TestBackend.ts"

/** What stays by its rules, whatever is deleted. */
const stays = new Set([
  // What admins did is written down.
  "audit_log",
  // What was used is counted.
  "token_usage",
  "token_usage_statistic",
  // What a key was answered is kept for a day.
  "idempotency_keys",
  // The status and the stop flag, which say again what they said.
  "settings"
])

/** How many rows each table has, but for what stays and for what the search and the cluster keep for themselves. */
const counts = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const tables = yield* sql.onDialectOrElse({
    pg: () => sql<{ name: string }>`SELECT relname AS name FROM pg_class
      WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
    orElse: () => sql<{ name: string }>`SELECT name FROM sqlite_schema WHERE type = 'table'`
  })
  const names = tables
    .map(({ name }) => name)
    .filter((name) => !stays.has(name) && !/^(sqlite|passages_search|chatbot_cluster)_/.test(name))
  const counted = yield* Effect.forEach(names.toSorted(), (name) => {
    // A bot that is deleted keeps its row, for what was used of it.
    const rows = name === "bots" ? sql`bots WHERE deleted_utc IS NULL` : sql`${sql(name)}`
    return Effect.map(
      sql<{ count: number | string }>`SELECT count(*) AS count FROM ${rows}`,
      ([row]) => [name, Number(row?.count)] as const
    )
  })
  return Object.fromEntries(counted)
})

layer(TestBackend.layer, { excludeTestServices: true })("the conformance kit", (it) => {
  it.effect(
    "finds nothing to mend, and leaves nothing behind",
    () =>
      Effect.gen(function* () {
        const { adminToken, baseUrl, tokenOf } = yield* TestBackend
        const options = {
          baseUrl,
          token: adminToken,
          userToken: yield* tokenOf("ada"),
          otherToken: yield* tokenOf("grace"),
          botCode: "client",
          question: "How do I page through a list?",
          isDestructive: true
        }
        const before = yield* counts
        const report = yield* Conformance.run(options)
        assert.isTrue(ConformanceReport.isGreen(report, { strict: true }), ConformanceReport.text(report))
        assert.strictEqual(report.results.length, Conformance.checks.length)
        assert.deepStrictEqual(yield* counts, before)
      }),
    120_000
  )
})
