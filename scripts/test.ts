/** `pnpm test`: runs the tests (arguments go to vitest) and ends with one line that sums them up. */
import { parseCLI, startVitest } from "vitest/node"

const { filter, options } = parseCLI(["vitest", "run", ...process.argv.slice(2)])
const vitest = await startVitest(filter, options)
await vitest.close()

const count = { passed: 0, failed: vitest.state.getUnhandledErrors().length, skipped: 0, pending: 0 }
for (const module of vitest.state.getTestModules()) {
  for (const test of module.children.allTests()) count[test.result().state]++
  // A file or a suite that failed outside its tests, as in a hook.
  for (const suite of [module, ...module.children.allSuites()]) count.failed += suite.errors().length
}

console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped + count.pending} skipped`)
process.exit(count.passed === 0 || count.failed > 0 ? 1 : Number(process.exitCode ?? 0))
