/**
 * `pnpm audit-log`: prints what admins did, a JSON object a line, also while the backend runs.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { AuditLog } from "./AuditLog.ts"
import * as Backend from "./Backend.ts"
import { asProgram } from "./internal/command.ts"
import { ServerConfig } from "./ServerConfig.ts"

const auditLog = Command.make(
  "audit-log",
  {
    days: Flag.Int("days").pipe(
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 36500 }))),
      Flag.withDefault(30),
      Flag.withDescription("How many days back")
    )
  },
  Effect.fnUntraced(function* ({ days }) {
    const log = yield* AuditLog
    yield* Stream.runForEach(log.since(DateTime.subtract(yield* DateTime.now, { days })), ({ atUtc, id, ...action }) =>
      Console.log(JSON.stringify({ at: DateTime.formatIso(atUtc), ...action, id }))
    )
  })
).pipe(
  Command.withDescription("Prints what admins did in the backend whose data is in CHATBOT_DATA_DIR, the oldest first")
)

const main = Effect.gen(function* () {
  const config = yield* ServerConfig
  const command = Command.provide(auditLog, Backend.visited(config))
  yield* Command.run(command, { version: "0.1.0" })
}).pipe(Effect.provide(NodeServices.layer))

NodeRuntime.runMain(asProgram(main))
