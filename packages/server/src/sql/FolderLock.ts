/**
 * The data folder of a backend on SQLite belongs to one process: two would each take what the other runs for lost.
 *
 * It is a lock of SQLite on a file of its own, so that it goes with the process, however that ends.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import { DatabaseSync } from "node:sqlite"
import { StartFailed } from "../StartFailed.ts"
import { isInUse } from "./NodeSqlite.ts"

const lock = (file: string): DatabaseSync => {
  const db = new DatabaseSync(file)
  try {
    db.exec("BEGIN EXCLUSIVE")
    return db
  } catch (cause) {
    db.close()
    throw cause
  }
}

/** Holds the folder until the scope is closed. Fails where another process has it. */
export const layer = (dataDir: string): Layer.Layer<never, StartFailed, Path.Path> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const path = yield* Path.Path
      yield* Effect.acquireRelease(
        Effect.try({
          try: () => lock(path.join(dataDir, "chatbot.lock")),
          catch: (cause) =>
            new StartFailed({
              message: isInUse(cause)
                ? `Another backend runs on the data folder ${dataDir}. Stop it, set CHATBOT_DATA_DIR to another folder, or let several share a PostgreSQL.`
                : `The data folder ${dataDir} cannot be used: ${String(cause)}. Set CHATBOT_DATA_DIR to a folder that this user may write.`
            })
        }),
        (db) => Effect.sync(() => db.close())
      )
    })
  )
