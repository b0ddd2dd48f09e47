/**
 * Whether the backend can serve: what `/health/ready` tells.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import { Drain } from "./Drain.ts"
import * as Migrations from "./sql/Migrations.ts"

/** How a check went. Why it failed is in the log, and not in an answer that anybody may read. */
export type Outcome = "ok" | "failed" | "timed out"

/** Whether the backend can serve, and each check by its name. */
export interface Readiness {
  readonly isReady: boolean
  readonly checks: Readonly<Record<string, Outcome>>
}

/** How long a check may take, and how long its outcome is kept for whoever asks next. */
export const limits = { check: Duration.seconds(1), keep: Duration.seconds(1) } as const

/**
 * The outcome of a check within a limit of time, at most one at a time: one that hangs is left to itself, and asked about by all that come
 * meanwhile. An outcome holds for a short time.
 */
const bounded = <E>(name: string, check: Effect.Effect<boolean, E>): Effect.Effect<Outcome> => {
  let running: Fiber.Fiber<boolean, E> | undefined
  let last: { readonly outcome: Outcome; readonly until: number } | undefined
  const run = Effect.gen(function* () {
    running ??= yield* Effect.forkDetach(
      Effect.ensuring(
        check,
        Effect.sync(() => {
          running = undefined
        })
      )
    )
    const exit = yield* Effect.timeoutOption(Fiber.await(running), limits.check)
    if (exit._tag === "None") return "timed out"
    if (Exit.isFailure(exit.value)) yield* Effect.logDebug(`The check "${name}" failed`, exit.value.cause)
    return Exit.isSuccess(exit.value) && exit.value.value ? "ok" : "failed"
  })
  return Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    if (last !== undefined && now < last.until) return last.outcome
    const before = last?.outcome ?? "ok"
    const outcome = yield* run
    last = { outcome, until: (yield* Clock.currentTimeMillis) + Duration.toMillis(limits.keep) }
    if (outcome !== before) yield* Effect.logWarning(`The check "${name}" is now: ${outcome}`)
    return outcome
  })
}

/** The number of the last migration that is in the database. */
const version = Effect.map(
  SqlClient.SqlClient.use(
    (sql) => sql<{ readonly version: number | null }>`SELECT max(migration_id) AS version FROM effect_sql_migrations`
  ),
  ([row]) => row?.version ?? 0
)

/** Whether the backend can serve. */
export class Health extends Context.Service<
  Health,
  {
    /** Whether the backend can serve now. Answers within `limits.check`, whatever the database does. */
    readonly ready: Effect.Effect<Readiness>
  }
>()("@effect-chatbot/server/Health") {
  /** Looks at the database, its version, and whether the backend is about to stop. */
  static readonly layer: Layer.Layer<Health, never, Drain | SqlClient.SqlClient> = Layer.effect(
    Health,
    Effect.gen(function* () {
      const drain = yield* Drain
      const sql = yield* SqlClient.SqlClient
      // Numbers may be left out.
      const needed = Math.max(...Object.keys(Migrations.migrations).map((name) => Number.parseInt(name, 10)))
      const checks = {
        database: bounded("database", Effect.as(sql`SELECT 1`, true)),
        migrations: bounded(
          "migrations",
          Effect.map(Effect.provideService(version, SqlClient.SqlClient, sql), (version) => version >= needed)
        )
      }
      const stopping = { isReady: false, checks: { stopping: "failed" } } as const
      return {
        ready: Effect.suspend((): Effect.Effect<Readiness> =>
          // A backend that stops is done with its database before it is gone.
          drain.hasBegun()
            ? Effect.succeed(stopping)
            : Effect.map(Effect.all(checks, { concurrency: "unbounded" }), (checks) => ({
                isReady: Object.values(checks).every((outcome) => outcome === "ok"),
                checks: { ...checks, stopping: "ok" }
              }))
        )
      }
    })
  )
}
