/**
 * Where the workflows put files: into the folder `WORKFLOW_FILES`, or the one they are started in.
 */
import { Config, Effect, FileSystem, Stream } from "effect"

/** The path of a file. */
export const pathOf = (name: string) =>
  Config.String("WORKFLOW_FILES").pipe(
    Config.withDefault("."),
    Effect.orDie,
    Effect.map((folder) => `${folder}/${name}`)
  )

/** Writes a file whole or not at all, however often it is begun, and gives its path. */
export const write = Effect.fnUntraced(function* <E, R>(name: string, content: Stream.Stream<Uint8Array, E, R>) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* pathOf(name)
  yield* Stream.run(content, fs.sink(`${path}.part`))
  yield* fs.rename(`${path}.part`, path)
  return path
})
