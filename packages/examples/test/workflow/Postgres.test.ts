import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { randomUUID } from "node:crypto"
import * as Database from "./support/Database.ts"
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
          const t = performance.now()
          const ended = yield* stage.run(id, point)
          yield* Console.log(`${id} ${Stage.describe(point)} ${Math.round(performance.now() - t)} ms`)
          yield* stage.check(id, point, ended)
        }
        yield* stage.checkAll(points)
        yield* stage.end
        assert.deepStrictEqual(yield* Database.unprocessed(first!.WORKFLOW_DATABASE), 0)
      }).pipe(Random.withSeed(seed)),
    120_000
  )
})
