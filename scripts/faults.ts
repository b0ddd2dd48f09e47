/**
 * `pnpm faults`: lets the client meet every fault and prints a table, a row each: what it did, and whether that is right. What takes many
 * rounds has them all with `--full`, and else some; what needs the backend, or a process of its own, is a test, and comes last of all then.
 * Arguments without dashes select rows by a part of their name. Fails when a row is wrong.
 */
import { spawnSync } from "node:child_process"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { callFaults } from "../packages/client/test/faults/CallFaults.ts"
import { long, verdictOf } from "../packages/client/test/faults/Long.ts"
import { meet } from "../packages/client/test/faults/Meet.ts"
import { socketFaults } from "../packages/client/test/faults/SocketFaults.ts"
import { streamFaults } from "../packages/client/test/faults/StreamFaults.ts"
import { line, sum } from "../packages/client/test/faults/Table.ts"

const options = process.argv.slice(2)
const isFull = options.includes("--full")
const parts = options.filter((option) => !option.startsWith("-"))

const isWanted = ({ asks, name }: { readonly asks: string; readonly name: string }) =>
  parts.length === 0 || parts.some((part) => `${name} ${asks}`.includes(part))

const met = [...callFaults, ...streamFaults, ...socketFaults].filter(isWanted).map((fault) => meet(fault))
const tried = long.filter(isWanted).map((row) => Effect.map(row.run(isFull), (rounds) => verdictOf(row, rounds)))

const table = Effect.gen(function* () {
  // Some wait for real time, and few enough are under way that none waits for another.
  const verdicts = yield* Effect.forEach(
    [...met, ...tried],
    (verdict) => Effect.tap(verdict, (verdict) => Console.log(line(verdict))),
    { concurrency: 4 }
  )
  yield* Console.log(`\n${sum(verdicts)}`)
  if (verdicts.length === 0 || verdicts.some(({ wrong }) => wrong.length > 0)) process.exitCode = 1
})

await Effect.runPromise(table)

if (isFull && parts.length === 0) {
  const tests = ["packages/server/test/ExactlyOnce.test.ts", "packages/client/test/NothingLeft.test.ts"]
  const { status } = spawnSync(process.execPath, ["scripts/test.ts", ...tests], {
    stdio: "inherit",
    env: { ...process.env, CHATBOT_TEST_FULL: "true" }
  })
  if (status !== 0) process.exitCode = 1
}
