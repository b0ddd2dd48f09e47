import * as CliError from "effect/cli/CliError"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import { explain } from "../StartFailed.ts"

/** A command of an operator as a program: it says what went wrong, and logs nothing but errors. */
export const asProgram = <R>(command: Effect.Effect<void, CliError.CliError | Parameters<typeof explain>[0], R>) =>
  command.pipe(
    Effect.provideService(References.MinimumLogLevel, "Error"),
    // What is wrong with the command line has been said already, with how to use it.
    Effect.mapError((error) => (CliError.isCliError(error) ? error : explain(error))),
    Effect.tapErrorTag("StartFailed", ({ message }) => Console.error(`chatbot: ${message}`))
  )
