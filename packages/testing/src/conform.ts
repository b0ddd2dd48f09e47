/**
 * `pnpm conformance URL`: checks a backend, whoever has written it, against the contract, and tells what it does not keep. Ends with 0 when it
 * conforms, with 1 when it does not, and with 2 when it could not be checked.
 */
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Argument from "effect/cli/Argument"
import * as CliError from "effect/cli/CliError"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import * as Conformance from "./Conformance.ts"
import * as ConformanceReport from "./ConformanceReport.ts"

/** The backend was checked, and breaks rules. That is said in the report. */
class DoesNotConform extends Schema.TaggedError<DoesNotConform>()("DoesNotConform", {}) {
  override readonly [Runtime.errorExitCode] = 1
  override readonly [Runtime.errorReported] = false
}

const positive = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3600 }))

const token = (name: string, variable: string, description: string) =>
  Flag.Redacted(name).pipe(
    Flag.withFallbackConfig(Config.Redacted(variable)),
    Flag.optional,
    Flag.withDescription(`${description}, also from ${variable}`)
  )

const pattern = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar("PATTERN"), Flag.optional, Flag.withDescription(description))

const file = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar("FILE"), Flag.optional, Flag.withDescription(description))

const isGroup = Schema.is(Schema.Literals(Conformance.groups))

const flags = {
  url: Argument.String("url").pipe(Argument.withDescription("Where the backend is, as http://127.0.0.1:8080")),
  token: token("token", "CHATBOT_TOKEN", "The token of an admin"),
  userToken: token("user-token", "CHATBOT_USER_TOKEN", "The token of a user who is no admin"),
  otherToken: token("other-token", "CHATBOT_OTHER_TOKEN", "The token of another such user"),
  bot: Flag.String("bot").pipe(
    Flag.withMetavar("CODE"),
    Flag.optional,
    Flag.withDescription("The bot to chat with; without one, the admin makes one for the time of the run")
  ),
  question: Flag.String("question").pipe(Flag.optional, Flag.withDescription("What the bot is asked")),
  group: Flag.String("group").pipe(
    Flag.withMetavar("GROUPS"),
    Flag.filterMap(
      (text) => {
        const names = text.split(",").map((name) => name.trim())
        return names.every(isGroup) ? Option.some(names.filter(isGroup)) : Option.none()
      },
      (text) => `Expected some of ${Conformance.groups.join(", ")}, with commas between, got ${text}`
    ),
    Flag.optional,
    Flag.withDescription(`Only checks of these groups: ${Conformance.groups.join(", ")}`)
  ),
  check: pattern("check", "Only checks with this in their id; * stands for anything"),
  skip: pattern("skip", "No check with this in its id"),
  contract: Flag.Boolean("contract").pipe(
    Flag.withDefault(false),
    Flag.withDescription("Only rules of the published contract, without what this project has decided and added")
  ),
  destructive: Flag.Boolean("destructive").pipe(
    Flag.withDefault(false),
    Flag.withDescription(
      "Also checks that touch what they have not made: all chats of the users, status, stop flag, running answers, caches"
    )
  ),
  strict: Flag.Boolean("strict").pipe(
    Flag.withDefault(false),
    Flag.withDescription("A check that was skipped is a failure")
  ),
  timeout: Flag.Int("timeout").pipe(
    Flag.withMetavar("SECONDS"),
    Flag.withSchema(positive),
    Flag.withDefault(30),
    Flag.withDescription("How long an answer may take")
  ),
  concurrency: Flag.Int("concurrency").pipe(
    Flag.withSchema(positive),
    Flag.withDefault(4),
    Flag.withDescription("How many checks of an operation run at a time")
  ),
  json: file("json", "Where to write the report as JSON; - is standard output"),
  junit: file("junit", "Where to write it as JUnit XML; - is standard output")
}

const write = Effect.fnUntraced(function* (file: string, text: string) {
  const fs = yield* FileSystem.FileSystem
  yield* file === "-" ? Console.log(text.trimEnd()) : fs.writeFileString(file, text)
})

const conformance = Command.make(
  "conformance",
  flags,
  Effect.fnUntraced(function* (given) {
    const { canColor } = yield* TerminalCapabilities.TerminalCapabilities
    const style = canColor ? ConformanceReport.coloured : ConformanceReport.plain
    const files = { json: Option.getOrUndefined(given.json), junit: Option.getOrUndefined(given.junit) }
    // What is written for programs stands alone.
    const say = Object.values(files).includes("-") ? Console.error : Console.log
    const checks = Conformance.choose({
      groups: Option.getOrUndefined(given.group),
      check: Option.getOrUndefined(given.check),
      skip: Option.getOrUndefined(given.skip),
      onlyContract: given.contract
    })
    if (checks.length === 0) return yield* new Conformance.CannotRun({ message: "There is no such check" })

    yield* say(ConformanceReport.titleLine(given.url, { style }))
    let before: ConformanceReport.Result | undefined
    const report = yield* Conformance.run({
      baseUrl: given.url,
      token: Option.getOrUndefined(given.token),
      userToken: Option.getOrUndefined(given.userToken),
      otherToken: Option.getOrUndefined(given.otherToken),
      botCode: Option.getOrUndefined(given.bot),
      canMakeBots: Option.getOrElse(given.group, () => Conformance.groups).includes("administration"),
      question: Option.getOrUndefined(given.question),
      isDestructive: given.destructive,
      timeout: Duration.seconds(given.timeout),
      concurrency: given.concurrency,
      checks,
      onLeftover: (leftover) => Console.error(`Left on the backend: ${ConformanceReport.leftoverLine(leftover)}`),
      onResult: (result) => {
        const lines = ConformanceReport.resultLines(result, { before, style })
        before = result
        return say(lines.join("\n"))
      }
    })
    yield* say(ConformanceReport.summaryLines(report, { style }).join("\n"))
    if (files.json !== undefined) yield* write(files.json, ConformanceReport.json(report))
    if (files.junit !== undefined) yield* write(files.junit, yield* ConformanceReport.junit(report))
    if (!ConformanceReport.isGreen(report, given)) return yield* new DoesNotConform()
  })
).pipe(Command.withDescription("Checks a backend against the contract. What it makes there it removes again."))

const main = Command.run(conformance, { version: "0.1.0" }).pipe(
  Effect.mapError((error) => {
    if (error._tag === "PlatformError") return new Conformance.CannotRun({ message: error.message })
    // What is wrong with the command line has been said, with how to use it.
    return CliError.isCliError(error) && error[Runtime.errorExitCode] !== 0
      ? new Conformance.CannotRun({ message: "nothing was checked" })
      : error
  }),
  Effect.tapErrorTag("CannotRun", ({ message }) => Console.error(`conformance: ${message}`)),
  Effect.provide(Layer.merge(NodeServices.layer, NodeTransport.layer))
)

NodeRuntime.runMain(main)
