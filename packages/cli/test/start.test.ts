import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import { connect } from "node:net"
import { launch } from "./support/Program.ts"

const question = "How does paging work?\n"

/** Whether something listens there. */
const answers = ({ hostname, port }: URL) =>
  Effect.callback<boolean>((resume) => {
    const socket = connect(Number(port), hostname)
      .once("connect", () => resume(Effect.succeed(true)))
      .once("error", () => resume(Effect.succeed(false)))
    return Effect.sync(() => socket.destroy())
  })

const test = (name: string, body: Effect.Effect<void, PlatformError, Effect.Services<ReturnType<typeof launch>>>) =>
  it.effect(name, () => Effect.provide(body, NodeServices.layer), 60_000)

describe("start", () => {
  test(
    "shows the tour where there is no input",
    Effect.gen(function* () {
      const program = yield* launch({})
      assert.deepStrictEqual(yield* program.leftovers, [])
      const code = yield* program.closed
      const { stderr, stdout } = program.output
      assert.strictEqual(stderr, "")
      assert.strictEqual(code, 0)

      const [, calls, endpoints] = /^(\d+) calls to (\d+) of the 46 core endpoints, in \d+\.\d s\.$/m.exec(stdout) ?? []
      assert.isAtLeast(Number(calls), Number(endpoints))
      assert.strictEqual(Number(endpoints), 46)
      for (const group of ["admin", "bots", "cache", "chats", "statistics", "system", "users"]) {
        assert.match(stdout, new RegExp(`^  ${group}\\.`, "m"))
      }
      assert.include(stdout, "BotNotFound, caught")
      // Neither colours nor anything else that a terminal would obey.
      assert.notInclude(stdout, "\u001b")

      const [baseUrl = ""] = /http:\/\/127\.0\.0\.1:\d+/.exec(stdout) ?? []
      assert.isFalse(yield* answers(new URL(baseUrl)))
    })
  )

  test(
    "answers a pipe line by line",
    Effect.gen(function* () {
      const program = yield* launch({ input: `${question}\nHow do I start the server?` })
      assert.deepStrictEqual(yield* program.leftovers, [])
      assert.strictEqual(yield* program.closed, 0)
      const { stderr, stdout } = program.output
      assert.strictEqual(stderr, "")
      assert.match(stdout, /^[^\n]*page[^\n]*\n[^\n]*serve[^\n]*\n$/)
    })
  )

  test(
    "answers what it can, and fails where it could not",
    Effect.gen(function* () {
      const program = yield* launch({ input: `${"x".repeat(1_100_000)}\n${question}` })
      assert.deepStrictEqual(yield* program.leftovers, [])
      assert.strictEqual(yield* program.closed, 1)
      const { stderr, stdout } = program.output
      assert.match(stderr, /^Question 1 was not answered: [^\n]*PayloadTooLarge[^\n]*\n$/)
      assert.match(stdout, /^[^\n]*page[^\n]*\n$/)
    })
  )

  test(
    "tells why the backend did not come up",
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const bots = yield* files.makeTempDirectoryScoped()
      yield* files.makeDirectory(`${bots}/one`)
      yield* files.writeFileString(`${bots}/one/bot.yaml`, "code: one\nimplementationType: Facts\ndisplayNam: One\n")
      const program = yield* launch({ env: { CHATBOT_BOTS_DIR: bots } })
      assert.deepStrictEqual(yield* program.leftovers, [])
      assert.strictEqual(yield* program.closed, 1)
      assert.strictEqual(program.output.stdout, "")
      assert.match(program.output.stderr, /^The backend did not come up \(exit code 1\)\./)
      assert.include(program.output.stderr, "one/bot.yaml:3")
    })
  )

  test(
    "fails where there is no backend at the address given",
    Effect.gen(function* () {
      // Nothing listens on the port for discarding (RFC 863) of this machine.
      const program = yield* launch({ input: question, env: { CHATBOT_BASE_URL: "http://127.0.0.1:9" } })
      assert.strictEqual(yield* program.closed, 1)
      assert.match(program.output.stderr, /TransportFailed/)
    })
  )

  for (const signal of ["SIGTERM", "SIGHUP"] as const) {
    test(
      `cleans up on ${signal}`,
      Effect.gen(function* () {
        const program = yield* launch({ input: question, isOpen: true })
        yield* program.firstOutput
        program.child.kill(signal)
        assert.deepStrictEqual(yield* program.leftovers, [])
        assert.strictEqual(yield* program.closed, 130)
        assert.strictEqual(program.output.stderr, "")
      })
    )
  }

  test(
    "ends quietly when nobody reads its output any more",
    Effect.gen(function* () {
      const program = yield* launch({ input: question, isOpen: true })
      yield* program.firstOutput
      program.child.stdout?.destroy()
      program.child.stdin?.write(question)
      assert.deepStrictEqual(yield* program.leftovers, [])
      assert.strictEqual(yield* program.closed, 0)
      assert.strictEqual(program.output.stderr, "")
    })
  )

  test(
    "takes the backend with it when it is killed",
    Effect.gen(function* () {
      // With a log level the backend writes to the same standard error, so that this is closed only when both have ended.
      const program = yield* launch({ input: question, isOpen: true, env: { CHATBOT_LOG_LEVEL: "Error" } })
      yield* program.firstOutput
      program.child.kill("SIGKILL")
      assert.strictEqual(yield* program.closed, "SIGKILL")
    })
  )
})
