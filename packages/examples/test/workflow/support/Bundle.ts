/** The program of the workflows in one file: it starts in a quarter of the time, and is started often. */
import * as Effect from "effect/Effect"
import { rolldown } from "rolldown"
import * as Program from "../../support/Program.ts"

/** Writes the program to this file. */
export const write = (file: string) =>
  Effect.promise(async () => {
    const build = await rolldown({
      input: Program.path("examples/src/workflow/main.ts"),
      platform: "node",
      logLevel: "silent"
    })
    await build.write({ file, format: "esm", codeSplitting: false })
    await build.close()
  })
