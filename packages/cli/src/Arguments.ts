/**
 * The command line of `start`, which takes no arguments but those that every command has, such as `--help`. A module of its own, for it
 * is slow to load and seldom needed.
 */
import * as CliError from "effect/cli/CliError"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"

/** Runs the program unless the command line asks for something else. Answers the exit code. */
export const run = Effect.fnUntraced(
  function* <E, R>(program: Effect.Effect<number, E, R>) {
    let code = 0
    yield* Command.make("start", {}, () =>
      Effect.map(program, (result) => {
        code = result
      })
    ).pipe(
      Command.withDescription("Starts a backend and chats with it, or with the one at CHATBOT_BASE_URL."),
      Command.run({ version: "0.1.0" })
    )
    return code
  },
  // It has been told, with how to use the command.
  (effect) => Effect.catchIf(effect, CliError.isCliError, () => Effect.succeed(1))
)
