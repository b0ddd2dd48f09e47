/**
 * The command line of `pnpm serve`. A module of its own, for it is slow to load and seldom needed.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"

/** What the command line may ask for. */
export interface Arguments {
  /** Whether the bots folder also wins where admins have changed its bots. */
  readonly importBots: boolean
  /** Whether the configuration is only to be listed and checked. */
  readonly check: boolean
  /** Whether that is to be told as JSON. */
  readonly json: boolean
}

const flags = {
  importBots: Flag.Boolean("import-bots").pipe(
    Flag.withDefault(false),
    Flag.withDescription(
      "Bring the bots folder in anew: what admins changed of its bots is overwritten, and what they deleted of them comes back"
    )
  ),
  check: Flag.Boolean("check").pipe(
    Flag.withDefault(false),
    Flag.withDescription("List the settings, say what is wrong with them, and end; nothing is changed")
  ),
  json: Flag.Boolean("json").pipe(Flag.withDefault(false), Flag.withDescription("With --check: say it in JSON"))
}

/** Runs the program unless the command line asks for something else. What is wrong with it is told, with how to use the command. */
export const run = <E>(program: (given: Arguments) => Effect.Effect<void, E>) =>
  Command.make("serve", flags, program).pipe(
    Command.withDescription("Runs the backend until it is told to stop. Its settings are variables: see the README."),
    Command.run({ version: "0.1.0" }),
    Effect.provide(NodeServices.layer)
  )
