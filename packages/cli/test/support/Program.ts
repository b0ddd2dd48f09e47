/** `start`, run as a person runs it: as a process of its own. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"

const main = fileURLToPath(new URL("../../src/start.ts", import.meta.url))

/** Without what the environment of the tests says about a backend. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith("CHATBOT_") && name !== "FORCE_COLOR")
)

/**
 * Starts the program with an empty folder for temporary files. It is killed when the scope closes. `input` is its standard input: none at all,
 * or a text, after which it stays open if `isOpen`.
 */
export const launch = Effect.fnUntraced(function* (options: {
  readonly input?: string | undefined
  readonly isOpen?: boolean | undefined
  readonly env?: Record<string, string> | undefined
}) {
  const files = yield* FileSystem.FileSystem
  const temporary = yield* files.makeTempDirectoryScoped()
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, [main], {
        env: { ...environment, TMPDIR: temporary, ...options.env },
        stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"]
      })
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  // It may end before it has read its input.
  child.stdin?.on("error", () => {})
  child.stdin?.write(options.input)
  if (options.isOpen !== true) child.stdin?.end()

  const output = { stdout: "", stderr: "" }
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text
  })
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text
  })
  const firstOutput = once(child.stdout!, "data")
  const closed = once(child, "close")
  const exited = once(child, "exit")

  return {
    child,
    /** What it wrote so far. */
    output,
    /** Waits until it has written something. */
    firstOutput: Effect.promise(() => firstOutput),
    /** Waits until it has ended and nobody can write to its outputs any more; gives its exit code, or the signal that ended it. */
    closed: Effect.promise(async () => {
      const [code, signal]: ReadonlyArray<unknown> = await closed
      return code ?? signal
    }),
    /** Waits until it has ended, and gives what is left in the folder for temporary files at that moment. */
    leftovers: Effect.flatMap(
      Effect.promise(() => exited),
      () => files.readDirectory(temporary)
    )
  }
})
