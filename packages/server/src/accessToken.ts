/**
 * `pnpm access-token`: makes, lists and revokes bearer tokens in the data folder, also while the backend runs.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Backend from "./Backend.ts"
import { asProgram } from "./internal/command.ts"
import { ServerConfig } from "./ServerConfig.ts"
import { StartFailed } from "./StartFailed.ts"
import { Tokens } from "./Tokens.ts"

const create = Command.make(
  "create",
  {
    login: Argument.String("login").pipe(
      Argument.withSchema(Schema.String.check(Schema.isPattern(/^[^\s\p{Cc}](?:[^\p{Cc}]{0,198}[^\s\p{Cc}])?$/u))),
      Argument.withDescription("The user the token is for; made if there is none")
    ),
    admin: Flag.Boolean("admin").pipe(Flag.withDefault(false), Flag.withDescription("Make a new user an admin")),
    name: Flag.String("name").pipe(
      Flag.withDefault("pnpm access-token"),
      Flag.withDescription("What the token is for")
    ),
    days: Flag.Int("days").pipe(
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 36500 }))),
      Flag.optional,
      Flag.withDescription("How many days it is valid; for ever by default")
    )
  },
  Effect.fnUntraced(function* ({ admin, days, login, name }) {
    const tokens = yield* Tokens
    const now = yield* DateTime.now
    const { id, token } = yield* tokens.create({
      login,
      roles: admin ? ["Admin", "User"] : ["User"],
      name,
      expires: Option.getOrUndefined(Option.map(days, (days) => DateTime.add(now, { days })))
    })
    yield* Console.error(`Token ${id} of "${login}". It can be read only now:`)
    yield* Console.log(Redacted.value(token))
  })
).pipe(Command.withDescription("Make a token and print it"))

/** A line of a list, with tabs between; what a name has of them is a space. */
const line = (columns: ReadonlyArray<string>) => columns.map((column) => column.replace(/\s/g, " ")).join("\t")

const list = Command.make(
  "list",
  {
    login: Argument.String("login").pipe(
      Argument.optional,
      Argument.withDescription("The user whose tokens are listed; all users by default")
    )
  },
  Effect.fnUntraced(function* ({ login }) {
    const tokens = yield* Tokens
    const now = yield* DateTime.now
    const time = (utc: DateTime.Utc | undefined) => (utc === undefined ? "-" : DateTime.formatIso(utc))
    yield* Console.log(line(["id", "login", "name", "state", "created", "expires", "revoked"]))
    for (const token of yield* tokens.list(Option.getOrUndefined(login))) {
      const { createdUtc, expiresUtc, id, name, revokedUtc } = token
      const state =
        revokedUtc !== undefined
          ? "revoked"
          : expiresUtc !== undefined && DateTime.isLessThanOrEqualTo(expiresUtc, now)
            ? "expired"
            : "valid"
      yield* Console.log(line([id, token.login, name, state, time(createdUtc), time(expiresUtc), time(revokedUtc)]))
    }
  })
).pipe(Command.withDescription("List the latest 1000 tokens, without what makes them valid"))

const revoke = Command.make(
  "revoke",
  { id: Argument.String("id").pipe(Argument.withDescription("The id that was printed when the token was made")) },
  Effect.fnUntraced(function* ({ id }) {
    const tokens = yield* Tokens
    if (!(yield* tokens.revoke(id))) {
      return yield* new StartFailed({ message: `There is no token "${id}", or it was revoked before.` })
    }
    yield* Console.error(`Token ${id} is revoked.`)
  })
).pipe(Command.withDescription("Make a token invalid; a running backend notices within seconds"))

const accessToken = Command.make("access-token").pipe(
  Command.withDescription("Bearer tokens of the backend whose data is in CHATBOT_DATA_DIR"),
  Command.withSubcommands([create, list, revoke])
)

const main = Effect.gen(function* () {
  const config = yield* ServerConfig
  const command = Command.provide(accessToken, Backend.visited(config))
  yield* Command.run(command, { version: "0.1.0" })
}).pipe(Effect.provide(NodeServices.layer))

NodeRuntime.runMain(asProgram(main))
