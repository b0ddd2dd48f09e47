/** Programs, run as a person runs them: as processes of their own. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

/** What a program wrote and how it ended: its exit code, or the signal that ended it. */
export interface Ended {
  readonly code: number | string | null
  readonly stdout: string
  readonly stderr: string
}

/** A program that runs. */
export interface Program {
  /** Waits until it has written this to its standard output, and gives what matched; dies if it ends before. */
  readonly said: (pattern: RegExp) => Effect.Effect<RegExpExecArray>
  /** Types this into its standard input. */
  readonly type: (text: string) => Effect.Effect<void>
  readonly kill: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** Closes this end of its standard output: nobody reads any more. */
  readonly stopReading: Effect.Effect<void>
  readonly ended: Effect.Effect<Ended>
}

const PATH = process.env["PATH"] ?? ""

/** The variables that a program finds beside `PATH`. */
export interface Environment {
  readonly [name: string]: string
}

/** The path of a file beside this folder's package, as `examples/src/firstCall.ts`. */
export const path = (file: string) => fileURLToPath(new URL(`../../../${file}`, import.meta.url))

/** Starts a command. It is killed at the latest when the scope ends. */
export const command = (
  file: string,
  args: ReadonlyArray<string>,
  env: Environment
): Effect.Effect<Program, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(file, args, { env: { PATH, ...env } })
      const output = { stdout: "", stderr: "" }
      const waiting = new Set<() => void>()
      for (const name of ["stdout", "stderr"] as const) {
        child[name].setEncoding("utf8").on("data", (text: string) => {
          output[name] += text
          for (const look of waiting) look()
        })
      }
      // It may end before it has read its input.
      child.stdin.on("error", () => {})
      const closed = new Promise<Ended>((resolve) =>
        child.once("close", (code, signal) => resolve({ code: code ?? signal, ...output }))
      )
      const ended = Effect.promise(() => closed)
      const said = (pattern: RegExp) =>
        Effect.callback<RegExpExecArray>((resume) => {
          const look = () => {
            const match = pattern.exec(output.stdout)
            if (match !== null) resume(Effect.succeed(match))
          }
          waiting.add(look)
          look()
          return Effect.sync(() => waiting.delete(look))
        })
      return {
        said: (pattern: RegExp) =>
          Effect.raceFirst(
            said(pattern),
            Effect.flatMap(ended, (ended) => Effect.die(new Error(`${file} ended: ${JSON.stringify(ended)}`)))
          ),
        type: (text: string) => Effect.sync(() => child.stdin.write(text)),
        kill: (signal: NodeJS.Signals) => Effect.sync(() => child.kill(signal)),
        stopReading: Effect.sync(() => child.stdout.destroy()),
        ended
      }
    }),
    ({ ended, kill }) => Effect.andThen(kill("SIGKILL"), ended)
  )

/** Starts a program of this workspace on Node. */
export const start = (file: string, env: Environment, ...args: ReadonlyArray<string>) =>
  command(process.execPath, [path(file), ...args], env)

/** Runs a program of this workspace on Node, to its end. */
export const run = (file: string, env: Environment, ...args: ReadonlyArray<string>): Effect.Effect<Ended> =>
  Effect.scoped(Effect.flatMap(start(file, env, ...args), ({ ended }) => ended))

/** Where a program listens that says so. */
export const listening = ({ said }: Program): Effect.Effect<string> =>
  Effect.map(said(/^Listening on (\S+)$/m), ([, url = ""]) => url)
