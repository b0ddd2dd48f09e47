/**
 * The program `start`: talks with a bot of a backend that is started for it, or of the one at `CHATBOT_BASE_URL`.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as CliError from "effect/cli/CliError"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { Backend } from "./Backend.ts"
import { explain } from "./Explain.ts"
import { Screen } from "./Screen.ts"
import { spin } from "./Spinner.ts"

/** Standard output cannot be written. */
class OutputFailed extends Schema.TaggedError<OutputFailed>()("OutputFailed", {
  cause: Schema.Defect()
}) {
  override get [CliError.userMessage]() {
    return `The output cannot be written: ${Predicate.isError(this.cause) ? this.cause.message : String(this.cause)}.`
  }
}

/** Ends when nobody reads the output any more, which is no failure. Fails when it cannot be written. */
const outputClosed = Effect.callback<0, OutputFailed>((resume) => {
  // Neither is ever taken off: finalizers may still write.
  process.stdout.on("error", (cause: NodeJS.ErrnoException) =>
    resume(
      cause.code === "EPIPE" || cause.code === "EIO" ? Effect.succeed(0) : Effect.fail(new OutputFailed({ cause }))
    )
  )
  process.stderr.on("error", () => {})
})

/** Ends when the terminal is closed. The runtime takes care of SIGINT and SIGTERM. */
const hangUp = Effect.callback<never>((resume) => {
  process.once("SIGHUP", () => resume(Effect.interrupt))
})

const talk = Effect.gen(function* () {
  // The backend starts while the other modules load.
  const [backend, session] = yield* Effect.all(
    [Layer.build(Backend.layer), Effect.promise(() => import("./Session.ts"))],
    { concurrency: "unbounded" }
  ).pipe(spin("starting the backend"))
  return yield* Effect.provideContext(session.run, backend)
}).pipe(Effect.scoped)

const hasArguments = process.argv.length > 2

const program = hasArguments
  ? Effect.flatMap(
      Effect.promise(() => import("./Arguments.ts")),
      ({ run }) => run(talk)
    )
  : talk

const main = Effect.raceAllFirst([program, outputClosed, hangUp]).pipe(
  Effect.catchCause((cause) => {
    if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
    // A defect is told with its stack: somebody will have to look for it.
    return Effect.as(Console.error(Cause.hasDies(cause) ? Cause.pretty(cause) : explain(Cause.squash(cause))), 1)
  }),
  Effect.provide([
    Layer.provideMerge(Screen.layer, NodeServices.layer),
    // Standard output is for answers.
    Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)])
  ])
)

/** Runs the program as this process, and ends the process with its exit code; 130 when a signal ended it. */
export const run = (): void =>
  NodeRuntime.runMain(main, {
    // Input that nobody reads any more would keep the process alive.
    teardown: (exit) => process.exit(Exit.isSuccess(exit) ? Number(exit.value) : 130),
    disableErrorReporting: true
  })
