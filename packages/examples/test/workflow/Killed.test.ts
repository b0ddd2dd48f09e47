import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import { randomUUID } from "node:crypto"
import { DatabaseSync } from "node:sqlite"
import * as Stage from "./support/Stage.ts"

const newDatabase = FileSystem.FileSystem.use((fs) =>
  Effect.map(fs.makeTempDirectoryScoped({ prefix: "chatbot-test-" }), (folder) => `${folder}/workflows.db`)
)

/** `CHATBOT_TEST_SEED` repeats the points of a run that failed; with `CHATBOT_TEST_FULL=true` it is every point there is. */
const seed = process.env["CHATBOT_TEST_SEED"] ?? randomUUID()
const isFull = process.env["CHATBOT_TEST_FULL"] === "true"

/** With the process of the example, and where it keeps its workflows. */
class Alone extends Context.Service<Alone>()("test/Alone", {
  make: Effect.gen(function* () {
    const database = yield* newDatabase
    return { ...(yield* Stage.make({ environments: [{ WORKFLOW_DATABASE: database }] })), database }
  })
}) {
  static readonly layer = Layer.effect(Alone, Alone.make).pipe(Layer.provideMerge(NodeServices.layer))
}

layer(Alone.layer, { excludeTestServices: true, timeout: "1 minute" })("a workflow whose process is killed", (it) => {
  it.effect("asks each of many bots once, a few at a time", () =>
    Effect.gen(function* () {
      const { models, programs, restart } = yield* Alone
      const context = yield* Effect.context()
      const [program] = programs
      const kill = () => Effect.runPromiseWith(context)(Effect.andThen(program!.kill("SIGKILL"), program!.ended))
      let most = 0
      let now = 0
      models.between(async ({ model }) => {
        most = Math.max(most, ++now)
        if (model === "b") await kill()
        now--
      })
      const question = "Which download does a ticket open?"
      yield* program!.type(`survey s ${question}\n`)
      yield* program!.ended
      yield* restart(0)
      yield* programs[0]!.type(`survey s ${question}\n`)
      const [, json = ""] = yield* programs[0]!.said(/^s: (.*)$/m)
      assert.sameMembers(Object.keys(JSON.parse(json)), Stage.codes)
      assert.sameMembers(
        models.asked.flatMap((asked) => (asked.question === question ? [asked.model] : [])),
        Stage.codes
      )
      assert.isAtMost(most, 3)
    })
  )

  it.effect(
    `goes on in the next one, and ends as if nothing had been (seed ${seed})`,
    () =>
      Effect.gen(function* () {
        const { check, checkAll, database, end, restart, run, secrets } = yield* Alone
        const points = isFull ? Stage.allPoints : yield* Stage.somePoints(20)
        for (const [index, point] of points.entries()) {
          const id = `case-${index}`
          yield* Console.log(`${id}: ${Stage.describe(point)}`)
          yield* check(id, point, yield* run(id, point))
        }
        yield* checkAll(points)

        yield* end
        // Of the schedule there is always a next time.
        const db = new DatabaseSync(database, { readOnly: true })
        const left = db.prepare(
          "SELECT count(*) AS n FROM cluster_messages WHERE processed = 0 AND entity_type NOT LIKE 'ClusterCron/%'"
        )
        assert.strictEqual(left.get()?.["n"], 0)
        db.close()
        // Tickets and tokens are not kept.
        const stored = yield* FileSystem.FileSystem.use((fs) => fs.readFile(database))
        assert.include(Buffer.from(stored).toString("latin1"), "It opens one download.")
        for (const secret of secrets) assert.notInclude(Buffer.from(stored).toString("latin1"), secret)
        yield* restart(0)
      }).pipe(Random.withSeed(seed)),
    isFull ? 900_000 : 120_000
  )
})

layer(NodeServices.layer, { excludeTestServices: true })("a workflow whose backend is killed", (it) => {
  it.effect(
    "waits for the next one, and asks again only for the answer that was being made",
    () =>
      Effect.gen(function* () {
        const environments = [{ WORKFLOW_DATABASE: yield* newDatabase }]
        const { check, run } = yield* Stage.make({ environments, victim: "backend" })
        const points: ReadonlyArray<Stage.Point> = [
          { kind: "first", request: 2, moment: "half said" },
          { kind: "first", request: 4, moment: "answered" },
          { kind: "first", request: 6, moment: "delivered" },
          { kind: "none", request: 11, moment: "arrived" }
        ]
        for (const [index, point] of points.entries()) {
          const id = `case-${index}`
          yield* Console.log(`${id}: ${Stage.describe(point)}`)
          yield* check(id, point, yield* run(id, point))
        }
      }),
    120_000
  )
})
