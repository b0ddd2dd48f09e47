import { Drain } from "@effect-chatbot/server/Drain"
import { Health, limits, type Readiness } from "@effect-chatbot/server/Health"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import { sendTo } from "./support/raw.ts"
import { TestBackend } from "./support/TestBackend.ts"
import { database } from "./support/TestServices.ts"

const test = <A, E>(effect: Effect.Effect<A, E, Drain | Health | SqlClient.SqlClient>) =>
  Effect.provide(effect, Health.layer.pipe(Layer.provideMerge(Drain.layer), Layer.provideMerge(database)))

const ready = Effect.flatMap(Health, ({ ready }) => ready)

const ok: Readiness = { isReady: true, checks: { database: "ok", migrations: "ok", stopping: "ok" } }

/** Lets the outcomes be forgotten that are kept. */
const later = TestClock.adjust(limits.keep)

describe("Health", () => {
  it.effect("is ready with a database that answers and is of this version", () =>
    test(
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* ready, ok)
      })
    )
  )

  it.effect("answers in time while the database hangs, asks it once, and is ready again when it answers", () =>
    test(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        // One connection: what has a transaction open keeps everybody else out.
        const holder = yield* Effect.forkChild(sql.withTransaction(Effect.never))
        yield* Effect.yieldNow
        for (let times = 0; times < 3; times++) {
          const asked = yield* Effect.forkChild(Effect.replicateEffect(ready, 5, { concurrency: "unbounded" }))
          yield* TestClock.adjust(limits.check)
          for (const { checks, isReady } of yield* Fiber.join(asked)) {
            assert.isFalse(isReady)
            assert.deepStrictEqual(checks, { database: "timed out", migrations: "timed out", stopping: "ok" })
          }
          yield* later
        }
        yield* Fiber.interrupt(holder)
        yield* later
        assert.deepStrictEqual(yield* ready, ok)
      })
    )
  )

  it.effect("is not ready while migrations are missing", () =>
    test(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`DELETE FROM effect_sql_migrations WHERE migration_id = (SELECT max(migration_id) FROM effect_sql_migrations)`
        assert.deepStrictEqual((yield* ready).checks, { database: "ok", migrations: "failed", stopping: "ok" })
        yield* sql`DROP TABLE effect_sql_migrations`
        yield* later
        assert.deepStrictEqual((yield* ready).checks, { database: "ok", migrations: "failed", stopping: "ok" })
      })
    )
  )

  it.effect("keeps an outcome for a moment", () =>
    test(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        assert.isTrue((yield* ready).isReady)
        yield* sql`DROP TABLE effect_sql_migrations`
        assert.isTrue((yield* ready).isReady)
        yield* later
        assert.isFalse((yield* ready).isReady)
      })
    )
  )

  it.effect("is not ready when the backend is about to stop", () =>
    test(
      Effect.gen(function* () {
        assert.isTrue((yield* ready).isReady)
        yield* Effect.flatMap(Drain, ({ begin }) => begin)
        assert.deepStrictEqual(yield* ready, { isReady: false, checks: { stopping: "failed" } })
      })
    )
  )
})

layer(TestBackend.layer, { excludeTestServices: true })("the routes of health", (it) => {
  it.effect("need no token, and tell nothing but names and outcomes", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* TestBackend
      const live = yield* sendTo(baseUrl, "GET", "/health/live")
      assert.deepStrictEqual([live.status, live.json()], [200, { status: "ok" }])
      const answer = yield* sendTo(baseUrl, "GET", "/health/ready", { token: "nonsense" })
      assert.deepStrictEqual([answer.status, answer.json()], [200, { status: "ok", checks: ok.checks }])
      assert.strictEqual(answer.headers["cache-control"], "no-store")
      assert.strictEqual((yield* sendTo(baseUrl, "HEAD", "/health/ready")).status, 200)
      assert.strictEqual((yield* sendTo(baseUrl, "GET", "/health/")).status, 404)
    })
  )
})
