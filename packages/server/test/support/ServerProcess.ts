/** The backend as its users run it: a process of its own. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as PlatformError from "effect/PlatformError"
import type * as Scope from "effect/Scope"
import { type ChildProcess, execFile, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

const script = (name: "main.ts" | "accessToken.ts" | "audit.ts" | "chatbot.ts") =>
  fileURLToPath(new URL(`../../src/${name}`, import.meta.url))

/** The program of `pnpm conformance`. */
export const conformanceScript: string = fileURLToPath(import.meta.resolve("@effect-chatbot/testing/conform"))

/** What a process wrote and how it ended. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A process, started. */
export interface ServerProcess {
  /** Succeeds with its URL when it listens; dies with what it wrote when it ends before. */
  readonly listening: Effect.Effect<string>
  readonly ended: Effect.Effect<Ended>
  readonly kill: (signal: NodeJS.Signals) => Effect.Effect<Ended>
  readonly child: ChildProcess
}

/** Starts the backend, or a program that is like it, with these arguments, variables and no others. It is killed at the latest when the scope ends. */
export const start = (
  env: Record<string, string>,
  program = script("main.ts"),
  args: ReadonlyArray<string> = []
): Effect.Effect<ServerProcess, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(process.execPath, [program, ...args], { env })
      let stdout = ""
      let stderr = ""
      child.stdout.on("data", (chunk) => {
        stdout += chunk
      })
      child.stderr.on("data", (chunk) => {
        stderr += chunk
      })
      const ended = new Promise<Ended>((resolve) => child.once("close", (code) => resolve({ code, stdout, stderr })))
      const listening = new Promise<string>((resolve, reject) => {
        child.stdout.on("data", () => {
          const url = /^Listening on (\S+)$/m.exec(stdout)?.[1]
          if (url !== undefined) resolve(url)
        })
        void ended.then(({ code }) => reject(new Error(`The backend ended with ${code}: ${stdout}${stderr}`)))
      })
      listening.catch(() => {})
      return {
        child,
        listening: Effect.promise(() => listening),
        ended: Effect.promise(() => ended),
        kill: (signal: NodeJS.Signals) =>
          Effect.promise(() => {
            child.kill(signal)
            return ended
          })
      }
    }),
    ({ kill }) => kill("SIGKILL")
  )

/** Runs a command with these variables and no others, to its end. */
const run = (program: string, env: Record<string, string>, args: ReadonlyArray<string>): Effect.Effect<Ended> =>
  Effect.callback((resume, signal) => {
    execFile(process.execPath, [program, ...args], { env, signal }, (error, stdout, stderr) =>
      resume(Effect.succeed({ code: error === null ? 0 : Number(error.code), stdout, stderr }))
    )
  })

/** Runs `pnpm access-token`. */
export const accessToken = (env: Record<string, string>, ...args: ReadonlyArray<string>) =>
  run(script("accessToken.ts"), env, args)

/** Runs `pnpm audit-log`. */
export const auditLog = (env: Record<string, string>, ...args: ReadonlyArray<string>) =>
  run(script("audit.ts"), env, args)

/** Runs `pnpm serve` with arguments, to its end. */
export const serve = (env: Record<string, string>, ...args: ReadonlyArray<string>) => run(script("main.ts"), env, args)

/** Runs `pnpm chatbot` with arguments, to its end. */
export const chatbot = (env: Record<string, string>, ...args: ReadonlyArray<string>) =>
  run(script("chatbot.ts"), env, args)

/** Runs `pnpm conformance` with arguments, to its end. */
export const conformance = (env: Record<string, string>, ...args: ReadonlyArray<string>) =>
  run(conformanceScript, env, args)

/** A folder for data that is gone with the scope. */
export const dataDir: Effect.Effect<string, PlatformError.PlatformError, FileSystem.FileSystem | Scope.Scope> =
  FileSystem.FileSystem.use((fs) => fs.makeTempDirectoryScoped({ prefix: "chatbot-test-" }))
