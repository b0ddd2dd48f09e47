import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Random from "effect/Random"
import { randomUUID } from "node:crypto"
import { DatabaseSync } from "node:sqlite"
import * as Stage from "./support/Stage.ts"

/** `CHATBOT_TEST_SEED` repeats the points of a run that failed; with `CHATBOT_TEST_FULL=true` it is every point there is. */
const seed = process.env["CHATBOT_TEST_SEED"] ?? randomUUID()
const isFull = process.env["CHATBOT_TEST_FULL"] === "true"

layer(NodeServices.layer, { excludeTestServices: true })("a workflow whose process is killed", (it) => {
  it.effect(
    `goes on in the next one, and ends as if nothing had been (seed ${seed})`,
    () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const database = `${yield* fs.makeTempDirectoryScoped({ prefix: "chatbot-test-" })}/workflows.db`
        const stage = yield* Stage.make({ environments: [{ WORKFLOW_DATABASE: database }] })
        const points = isFull ? Stage.allPoints : yield* Stage.somePoints(20)
        for (const [index, point] of points.entries()) {
          const id = `case-${index}`
          const t = performance.now()
          const ended = yield* stage.run(id, point)
          yield* Console.log(`${id} ${Stage.describe(point)} ${Math.round(performance.now() - t)} ms`)
          yield* stage.check(id, point, ended)
        }
        yield* stage.checkAll(points)

        // Of the schedule there is always a next time.
        yield* stage.end
        const db = new DatabaseSync(database, { readOnly: true })
        const left = db.prepare(
          "SELECT count(*) AS n FROM cluster_messages WHERE processed = 0 AND entity_type NOT LIKE 'ClusterCron/%'"
        )
        assert.strictEqual(left.get()?.["n"], 0)
        db.close()
      }).pipe(Random.withSeed(seed)),
    isFull ? 900_000 : 120_000
  )
})
