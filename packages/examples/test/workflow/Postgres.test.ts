import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Console from "effect/Console"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { randomUUID } from "node:crypto"
import * as Database from "./support/Database.ts"
import type * as Program from "../support/Program.ts"
import { freePort } from "./support/Ports.ts"
import * as Stage from "./support/Stage.ts"

/** `CHATBOT_TEST_SEED` repeats the points of a run that failed. */
const seed = process.env["CHATBOT_TEST_SEED"] ?? randomUUID()

/** Of two processes that share a database. */
const environments = (more: Program.Environment = {}) =>
  Effect.gen(function* () {
    const shared = { WORKFLOW_DATABASE: yield* Database.url, ...more }
    return yield* Effect.forEach([1, 2], () =>
      Effect.map(freePort, (port) => Object.assign({ WORKFLOW_PORT: String(port) }, shared))
    )
  })

layer(NodeServices.layer, { excludeTestServices: true })("workflows on PostgreSQL", (it) => {
  it.effect(
    `end in the other process when one is killed (seed ${seed})`,
    () =>
      Effect.gen(function* () {
        const both = yield* environments()
        const stage = yield* Stage.make({ environments: both })
        const points = yield* Stage.somePoints(5)
        for (const [index, point] of points.entries()) {
          const id = `case-${index}`
          yield* Console.log(`${id}: ${Stage.describe(point)}`)
          yield* stage.check(id, point, yield* stage.run(id, point))
        }
        yield* stage.checkAll(points)
        yield* stage.end
        assert.deepStrictEqual(yield* Database.unprocessed(both[0]!.WORKFLOW_DATABASE), 0)
      }).pipe(Random.withSeed(seed)),
    120_000
  )

  it.effect(
    "move to another process that joins, also while they give up what they have made",
    () =>
      Effect.gen(function* () {
        const both = yield* environments()
        const { client, holdDeletions, programs, restart } = yield* Stage.make({ environments: both, started: 1 })
        const ids = ["a", "b", "c", "d", "e", "f"]
        const deletions = yield* Queue.unbounded<void>()
        const isMoving = yield* Deferred.make<void>()
        holdDeletions(Effect.andThen(Queue.offer(deletions, undefined), Deferred.await(isMoving)))
        for (const id of ids) yield* programs[0]!.type(`ask ${id} none: Which download does a ticket open in ${id}?\n`)
        yield* Queue.takeN(deletions, ids.length)
        yield* restart(1)
        yield* Database.sharing(both[0]!.WORKFLOW_DATABASE).pipe(
          Effect.repeat({ until: (count) => count === 2, schedule: Schedule.spaced("50 millis") })
        )
        yield* Deferred.succeed(isMoving, undefined)
        for (const id of ids) yield* programs[0]!.said(new RegExp(`^${id}: "NoGoodAnswer"$`, "m"))
        assert.deepStrictEqual(yield* Stream.runCollect(client.users.chatItems()), [])
      }),
    40_000
  )

  it.effect(
    "report once for each time, also when a process is killed",
    () =>
      Effect.gen(function* () {
        const everySecond = yield* environments({ WORKFLOW_REPORT_CRON: "* * * * * *" })
        const { folder, programs, seen } = yield* Stage.make({ environments: everySecond })
        const reported = (count: number) => new RegExp(`(?:^Report of [^]*?){${count}}`, "m")
        const [killed, alive] = yield* Effect.raceFirst(
          Effect.as(programs[0]!.said(reported(1)), programs),
          Effect.as(programs[1]!.said(reported(1)), programs.toReversed())
        )
        yield* killed!.kill("SIGKILL")
        const timesOf = ({ stdout }: Program.Ended) =>
          [...stdout.matchAll(/^Report of (\S+):/gm)].map(([, time = ""]) => time)
        const before = timesOf(yield* killed!.ended)
        yield* alive!.said(reported(before.length + 1))
        yield* alive!.kill("SIGTERM")
        // Of the one it was at, it may have said so before it was killed.
        const after = timesOf(yield* alive!.ended).filter((time) => time !== before.at(-1))
        const times = [...before, ...after]
        assert.strictEqual(new Set(times).size, times.length)
        const files = yield* FileSystem.FileSystem.use((fs) => fs.readDirectory(`${folder}/files`))
        const fileOf = (time: string) => `usage-${time.replaceAll(":", "-")}.csv`
        assert.includeMembers(files, times.map(fileOf))
        const asked = seen.filter((path) => path.includes("/statistic"))
        assert.isAtMost(asked.length, files.length + 2)
      }),
    60_000
  )
})
