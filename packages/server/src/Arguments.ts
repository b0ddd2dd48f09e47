/**
 * The command line of `pnpm serve`, which takes no arguments but those that every command has, such as `--help`. A module of its own,
 * for it is slow to load and seldom needed.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"

/** Runs the program unless the command line asks for something else. What is wrong with it is told, with how to use the command. */
export const run = <E>(program: Effect.Effect<void, E>) =>
  Command.make("serve", {}, () => program).pipe(
    Command.withDescription("Runs the backend until it is told to stop. Its settings are variables: see the README."),
    Command.run({ version: "0.1.0" }),
    Effect.provide(NodeServices.layer)
  )
