import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Random from "effect/Random"
import { randomUUID } from "node:crypto"
import * as Database from "./support/Database.ts"
import type * as Program from "../support/Program.ts"
import { freePort } from "./support/Ports.ts"
import * as Stage from "./support/Stage.ts"

/** `CHATBOT_TEST_SEED` repeats the points of a run that failed. */
const seed = process.env["CHATBOT_TEST_SEED"] ?? randomUUID()

const environments = Effect.map(Effect.all([Database.url, freePort, freePort]), ([url, ...ports]) =>
  ports.map((port) => ({ WORKFLOW_DATABASE: url, WORKFLOW_PORT: String(port) }))
)

layer(NodeServices.layer, { excludeTestServices: true })("workflows on PostgreSQL", (it) => {
  it.effect(
    `end in the other process when one is killed (seed ${seed})`,
    () =>
      Effect.gen(function* () {
        const [first, second] = yield* environments
        const stage = yield* Stage.make({ environments: [first!, second!] })
        const points = yield* Stage.somePoints(5)
        for (const [index, point] of points.entries()) {
          const id = `case-${index}`
          yield* Console.log(`${id}: ${Stage.describe(point)}`)
          yield* stage.check(id, point, yield* stage.run(id, point))
        }
        yield* stage.checkAll(points)
        yield* stage.end
        assert.deepStrictEqual(yield* Database.unprocessed(first!.WORKFLOW_DATABASE), 0)
      }).pipe(Random.withSeed(seed)),
    120_000
  )

  it.effect(
    "report once for each time, also when a process is killed",
    () =>
      Effect.gen(function* () {
        const everySecond = (yield* environments).map((environment) => ({
          ...environment,
          WORKFLOW_REPORT_CRON: "* * * * * *"
        }))
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
