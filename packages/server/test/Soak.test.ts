import { assert, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"

const script = fileURLToPath(new URL("../../../scripts/soak.ts", import.meta.url))

it("many streams and requests at once leave no error and no connection behind", async () => {
  const args = ["--minutes", "0.2", "--streams", "40", "--rate", "40", "--words", "10", "--pause", "200", "--json"]
  const stdout = await new Promise<string>((resolve, reject) =>
    execFile(process.execPath, [script, ...args], { env: {} }, (error, stdout, stderr) =>
      error === null || stdout !== "" ? resolve(stdout) : reject(new Error(stderr))
    )
  )
  const found = JSON.parse(stdout)
  assert.deepStrictEqual(found.examples, [])
  assert.strictEqual(found.errors, 0)
  assert.strictEqual(found.mostStreams, 40)
  assert.isAbove(found.completions, 40)
  assert.isAbove(found.requests, 100)
  assert.isAtMost(found.left, 10)
  assert.strictEqual(found.code, 0)
}, 60_000)
