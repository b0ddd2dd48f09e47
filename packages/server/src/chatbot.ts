/**
 * `pnpm chatbot`: what an operator does beside running the backend.
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as ByteSize from "effect/ByteSize"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Backup from "./Backup.ts"
import { asProgram } from "./internal/command.ts"
import { ServerConfig } from "./ServerConfig.ts"
import { StartFailed } from "./StartFailed.ts"

// Copies are for the user it runs as: chats stand in them.
process.umask(0o077)

const onSqlite = Effect.gen(function* () {
  const config = yield* ServerConfig
  if (config.databaseUrl !== undefined) {
    return yield* new StartFailed({
      message: "CHATBOT_DATABASE_URL is set: use pg_dump and pg_restore for the database that it names."
    })
  }
  return config
})

const backup = Command.make(
  "backup",
  { file: Argument.String("file").pipe(Argument.withDescription("The file to write; it must not exist")) },
  Effect.fnUntraced(function* ({ file }) {
    const { dataDir, secretKey } = yield* onSqlite
    const { size, version } = yield* Backup.backup(dataDir, file)
    yield* Console.log(`Wrote ${file}: ${ByteSize.format(ByteSize.bytes(size))}, version ${version}, checked.`)
    const key = secretKey === undefined ? `${dataDir}/secret-key` : "CHATBOT_SECRET_KEY"
    yield* Console.error(
      `The secret key is not in it. Keep ${key} too, at another place: without it, the keys of OpenAI services are lost.`
    )
  })
).pipe(Command.withDescription("Copy the database to a file, also while the backend runs"))

const restore = Command.make(
  "restore",
  { file: Argument.String("file").pipe(Argument.withDescription("A file that was written by backup")) },
  Effect.fnUntraced(function* ({ file }) {
    const { dataDir } = yield* onSqlite
    const { kept, version } = yield* Backup.restore(dataDir, file)
    yield* Console.log(`Restored ${file}, version ${version}.`)
    if (kept !== undefined) yield* Console.log(`The database before is kept at ${kept}.`)
    yield* Console.error("Start the backend with the secret key of that time; pnpm serve --check says whether it fits.")
  })
).pipe(Command.withDescription("Put a copy in the place of the database, while the backend does not run"))

const chatbot = Command.make("chatbot").pipe(
  Command.withDescription("The data of the backend in CHATBOT_DATA_DIR"),
  Command.withSubcommands([backup, restore])
)

const main = Command.run(chatbot, { version: "0.1.0" }).pipe(
  Effect.provide(Layer.merge(NodeServices.layer, NodeCrypto.layerSecureRandom))
)

NodeRuntime.runMain(asProgram(main))
