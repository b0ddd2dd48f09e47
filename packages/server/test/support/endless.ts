/** A backend as a process whose provider never comes to an end. `DATABASE` is the file of its database. */
import * as Migrations from "@effect-chatbot/server/sql/Migrations"
import * as NodeSqlite from "@effect-chatbot/server/sql/NodeSqlite"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import { layerOver, StreamServer } from "./StreamServer.ts"
import * as Services from "./TestServices.ts"

const database = Migrations.layer.pipe(
  Layer.provideMerge(NodeSqlite.layer({ filename: process.env["DATABASE"] ?? ":memory:" }))
)

const program = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [bot] = yield* sql`SELECT id FROM bots`
  if (bot === undefined) yield* Services.bot({ code: "endless", isOpen: 1 })
  const provider = yield* Services.TestProvider
  yield* provider.stream(() => Stream.concat(Stream.make({ _tag: "Delta", text: "half " } as const), Stream.never))
  const { baseUrl } = yield* StreamServer
  yield* Console.log(`Listening on ${baseUrl}`)
  return yield* Effect.never
})

NodeRuntime.runMain(Effect.provide(program, layerOver(Services.layerWithJobs(database))))
