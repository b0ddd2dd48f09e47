/**
 * The token of the first admin: from the configuration, or made on the first start and written to the data folder.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type * as PlatformError from "effect/PlatformError"
import * as Redacted from "effect/Redacted"
import type { ServerConfig } from "./ServerConfig.ts"
import { Tokens } from "./Tokens.ts"

/** The file in the data folder that the token of a first start is written to, readable by its owner only. */
export const fileName = "admin-token"

/** Sees to it that there is an admin who can call. A token that is made is written to a file and never to the log. */
export const layer = (
  config: Pick<ServerConfig, "adminToken" | "dataDir">
): Layer.Layer<never, PlatformError.PlatformError, Tokens | FileSystem.FileSystem | Path.Path> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const tokens = yield* Tokens
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const file = path.join(config.dataDir, fileName)
      const created = yield* tokens.ensureAdmin(config.adminToken, (token) =>
        // A file of an earlier database may be there, with a wider mode.
        Effect.andThen(
          fs.remove(file, { force: true }),
          fs.writeFileString(file, `${Redacted.value(token)}\n`, { mode: 0o600, flag: "wx" })
        )
      )
      if (Option.isSome(created)) yield* Effect.logInfo(`The token of the user "admin" was written to ${file}`)
    })
  )
