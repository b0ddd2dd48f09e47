/** `pnpm check`: all that can be known without running the tests. Prints one line a step, and the output of what failed. */
import { execFile } from "node:child_process"
import { globSync, readFileSync } from "node:fs"
import { dirname, resolve } from "node:path"

interface Outcome {
  readonly ok: boolean
  readonly output: string
}

const bin = (name: string) => resolve("node_modules/.bin", name)

const run = (command: string, args: ReadonlyArray<string>, cwd = ".") =>
  new Promise<Outcome>((done) =>
    execFile(command, args, { cwd, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      done({ ok: error === null, output: stdout + stderr })
    )
  )

/** Types of sources and tests, by the compiler that knows Effect: it also finds Effects that are used wrongly. */
const types = async () => {
  const compiler = await run(bin("effect-tsgo"), ["get-exe-path"])
  return compiler.ok ? run(compiler.output.trim(), ["--build"]) : compiler
}

/** A package can install and yet die when it is imported. So each is imported, from where it is declared. */
const dependencies = async () => {
  const outcomes = await Promise.all(
    globSync("packages/*/package.json").map((file) => {
      const manifest = JSON.parse(readFileSync(file, "utf8"))
      const names = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
      const script = `for (const name of ${JSON.stringify(names)}) await import(name)`
      return run(process.execPath, ["--input-type=module", "--eval", script], dirname(file))
    })
  )
  return { ok: outcomes.every(({ ok }) => ok), output: outcomes.map(({ output }) => output).join("") }
}

const step = async (name: string, outcome: Promise<Outcome>) => {
  const start = performance.now()
  return { name, ...(await outcome), seconds: (performance.now() - start) / 1000 }
}

const steps = [
  step("types and effects", types()),
  step("lint, imports, docs", run(bin("oxlint"), [])),
  step("format", run(bin("oxfmt"), ["--check"])),
  step("openapi.json", run(process.execPath, ["scripts/openapi.ts", "--check"])),
  step("dependencies load", dependencies())
]

for await (const { name, ok, output, seconds } of steps) {
  console.log(`${name.padEnd(20)} ${ok ? "ok    " : "FAILED"} ${seconds.toFixed(1)} s`)
  if (!ok) {
    console.log(output)
    process.exitCode = 1
  }
}
