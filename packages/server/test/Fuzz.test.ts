/** A few thousand of the requests of `pnpm fuzz`, always the same. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { run } from "./fuzz/Fuzz.ts"

const seed = 20_261_127

it.live(
  `random requests, of the seed ${seed}, are answered as the contract says, and write nothing where they are refused`,
  () =>
    Effect.gen(function* () {
      const { findings, operations, statuses } = yield* run({ requests: 2_500, seed })
      assert.deepStrictEqual(findings, [])
      // It would prove nothing if all were refused, or none.
      for (const [operation, requests] of operations) assert.isAtLeast(requests, 10, operation)
      assert.isAtLeast(operations.filter(([, , successes]) => successes > 0).length, 70)
      for (const status of [200, 400, 401, 403, 404, 413, 415]) assert.isAtLeast(statuses[status] ?? 0, 1, `${status}`)
    }),
  120_000
)
