/**
 * `pnpm fuzz`: sends random and mutated requests of every operation to a backend of its own, and tells what it should not have answered.
 * `--requests 100000` says how many, `--seed 1` with which random numbers. Fails when there is anything to tell.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { parseArgs } from "node:util"
import { run } from "../packages/server/test/fuzz/Fuzz.ts"

const { values } = parseArgs({ options: { requests: { type: "string" }, seed: { type: "string" } } })
const requests = Number(values.requests ?? 10_000)
const seed = Number(values.seed ?? Date.now() % 2 ** 31)

const fuzz = Effect.gen(function* () {
  yield* Console.log(`${requests} requests with the seed ${seed}`)
  const begin = performance.now()
  const { findings, operations, slowest, statuses } = yield* run({
    requests,
    seed,
    onProgress: (done) => {
      if (done % 10_000 === 0) process.stderr.write(`${done}\n`)
    }
  })
  for (const { count, example, what } of findings) yield* Console.log(`\n${count} times: ${what}\n${example}`)
  yield* Console.log(`\n${JSON.stringify(statuses)}`)
  const never = operations.filter(([, , successes]) => successes === 0)
  const [fewest] = operations
  yield* Console.log(
    `${operations.length} operations, each asked at least ${fewest?.[1]} times; ${never.length === 0 ? "each succeeded" : `never succeeded: ${never.map(([name]) => name).join(", ")}`}`
  )
  yield* Console.log(
    `${findings.length} findings, the slowest answer ${slowest.toFixed(0)} ms, ${((performance.now() - begin) / 1000).toFixed(0)} s in all`
  )
  if (findings.length > 0) process.exitCode = 1
})

await Effect.runPromise(fuzz)
