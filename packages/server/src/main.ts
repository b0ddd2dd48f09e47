/**
 * `pnpm serve`: runs the backend until it is told to stop.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as CliError from "effect/cli/CliError"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as Runtime from "effect/Runtime"
import { constants } from "node:os"
import type { Arguments } from "./Arguments.ts"
import * as Backend from "./Backend.ts"
import * as Logging from "./Logging.ts"
import { ServerConfig } from "./ServerConfig.ts"
import * as Telemetry from "./Telemetry.ts"
import { explain, StartFailed } from "./StartFailed.ts"

/** Ends when standard input does: the parent process is gone. */
const stdinEnded = Effect.callback<void>((resume) => {
  process.stdin
    .once("end", () => resume(Effect.void))
    .once("close", () => resume(Effect.void))
    .resume()
})

// What it writes is for the user it runs as: chats, tokens and keys.
process.umask(0o077)

/** Lists and checks the configuration, and ends with 1 when it is not valid. */
const check = Effect.fnUntraced(function* ({ json }: Arguments) {
  const ConfigCheck = yield* Effect.promise(() => import("./ConfigCheck.ts"))
  const report = yield* Effect.provide(ConfigCheck.check(process.env), NodeServices.layer)
  yield* Console.log(json ? JSON.stringify(report, null, 2) : ConfigCheck.toText(report))
  if (!report.isValid) return yield* new StartFailed({ message: "The configuration is not valid." })
})

const serve = Effect.fnUntraced(function* (options: Backend.Options = {}) {
  const config = yield* ServerConfig
  const run = Effect.gen(function* () {
    const { address } = yield* HttpServer.HttpServer
    yield* Console.log(`Listening on ${HttpServer.formatAddress(address)}`)
    yield* config.stopWithStdin ? stdinEnded : Effect.never
  })
  yield* run.pipe(
    Effect.provide(
      Backend.layer(config, options).pipe(
        Layer.provideMerge(Telemetry.layer),
        Layer.provideMerge(Logging.layer(config.logFormat))
      )
    ),
    Effect.provideService(References.MinimumLogLevel, config.logLevel)
  )
})

let signals = 0
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    // Whoever asks twice does not want to wait for what runs.
    if (++signals > 1) process.exit(128 + constants.signals[signal])
  })
}

const hasArguments = process.argv.length > 2

const main = (
  hasArguments
    ? Effect.flatMap(
        Effect.promise(() => import("./Arguments.ts")),
        ({ run }) => run((given) => (given.check ? check(given) : serve(given)))
      )
    : serve()
).pipe(
  Effect.mapError((error) => (CliError.isCliError(error) ? error : explain(error))),
  Effect.tapErrorTag("StartFailed", ({ message }) => Console.error(`chatbot: ${message}`))
)

NodeRuntime.runMain(main, {
  // A signal is how this program is meant to end.
  teardown: (exit, onExit) =>
    Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) ? onExit(0) : Runtime.defaultTeardown(exit, onExit)
})
