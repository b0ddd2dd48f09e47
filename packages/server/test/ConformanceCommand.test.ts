/** `pnpm conformance` as a process: what it prints and writes, how it ends, and what it leaves when it is interrupted. */
import * as ConformanceReport from "@effect-chatbot/testing/ConformanceReport"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Xml from "effect/encoding/Xml"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { createServer } from "node:http"
import { listen } from "./support/loopback.ts"
import * as ServerProcess from "./support/ServerProcess.ts"
import { TestBackend } from "./support/TestBackend.ts"

const tokens = Effect.gen(function* () {
  const { adminToken, tokenOf } = yield* TestBackend
  return {
    CHATBOT_TOKEN: Redacted.value(adminToken),
    CHATBOT_USER_TOKEN: Redacted.value(yield* tokenOf("ada")),
    CHATBOT_OTHER_TOKEN: Redacted.value(yield* tokenOf("grace"))
  }
})

/** Runs the command with all tokens against the backend. */
const conformance = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
  const { baseUrl } = yield* TestBackend
  const env = yield* tokens
  const ended = yield* ServerProcess.conformance(env, baseUrl, ...args)
  for (const secret of Object.values(env)) assert.notInclude(`${ended.stdout}${ended.stderr}`, secret)
  return ended
})

/** A backend that answers everything with an error of its own. */
const failing = Effect.map(
  listen(
    createServer((_, response) =>
      response.writeHead(500, { "content-type": "application/json" }).end('{ "error": "Oops" }')
    )
  ),
  (port) => `http://127.0.0.1:${port}`
)

layer(Layer.merge(TestBackend.layer, NodeServices.layer), { excludeTestServices: true })("pnpm conformance", (it) => {
  it.effect("prints what is kept, and ends with 0", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* TestBackend
      const { code, stderr, stdout } = yield* conformance("--group", "core,administration", "--check", "chats.rename")
      assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
      assert.strictEqual(
        stdout,
        `Conformance of ${baseUrl}

core

  PUT /api/chats/{chatId}/displayName
    ✓ A chat that is renamed has its new name
    ✓ A body without a displayName is 400
    ✓ A chat that does not exist is 404

core            3 passed
all             3 passed
`
      )
    })
  )

  it.effect("writes JSON and JUnit XML, alone on standard output where that is asked for", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const file = `${yield* ServerProcess.dataDir}/report.json`
      const { code, stderr, stdout } = yield* conformance(
        "--check",
        "system.status/answers",
        "--json",
        file,
        "--junit",
        "-"
      )
      assert.strictEqual(code, 0)
      assert.include(stderr, "1 passed")
      const report = yield* Schema.decodeEffect(Schema.fromJsonString(ConformanceReport.Report))(
        yield* fs.readFileString(file)
      )
      assert.deepStrictEqual(ConformanceReport.count(report.results), { Passed: 1, Failed: 0, Blocked: 0, Skipped: 0 })
      const events = yield* Stream.make(stdout).pipe(
        Stream.pipeThroughChannel(Xml.decodeString()),
        Stream.runCollect,
        Effect.map((events) => Array.from(events))
      )
      assert.strictEqual(events.filter((event) => event._tag === "StartElement" && event.name === "testcase").length, 1)
    })
  )

  it.effect("says what is wrong, and ends with 1", () =>
    Effect.gen(function* () {
      const url = yield* failing
      const { code, stdout } = yield* ServerProcess.conformance({}, url, "--check", "system.status", "--token", "any")
      assert.strictEqual(code, 1)
      assert.include(
        stdout,
        `    ✗ The status is a text, empty when all is well
        request  GET /api/System/status/current as user
        expected status 200
        came     500 application/json { "error": "Oops" }
        rule     AiChatBot.Api 1.0
        check    system.status/answers-as-described
`
      )
      // What was not looked at is a failure where that is asked for.
      const skipped = ["--check", "system."]
      assert.strictEqual((yield* conformance(...skipped)).code, 0)
      assert.strictEqual((yield* conformance(...skipped, "--strict")).code, 1)
    })
  )

  it.effect.each([
    ["has a password", ["http://me:secret@127.0.0.1:9"], "has no user, password, query or fragment"],
    ["is to be told twice", ["http://127.0.0.1:9", "--json", "-", "--junit", "-"], "Only one of JSON and JUnit XML"],
    ["is not there", ["http://127.0.0.1:9"], "cannot be reached: the connection broke: ECONNREFUSED"],
    ["has no URL", ["nonsense"], "That is not the URL of a backend"],
    ["is not named", [], "Missing required argument: url"],
    ["has no such check", ["http://127.0.0.1:9", "--check", "no-such-check"], "There is no such check"],
    ["has no such group", ["http://127.0.0.1:9", "--group", "nothing"], "Expected some of core, administration"]
  ] as const)("says that a backend %s, and ends with 2", ([, args, message]) =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* ServerProcess.conformance({}, ...args)
      assert.strictEqual(code, 2, stderr)
      assert.include(stderr, message)
      assert.notInclude(`${stdout}${stderr}`, "secret")
    })
  )

  it.effect("says that nothing was checked without tokens, and ends with 2", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* TestBackend
      const { code, stderr, stdout } = yield* ServerProcess.conformance({}, baseUrl, "--check", "users.current/answers")
      assert.strictEqual(code, 2)
      assert.include(stdout, "– 1 check: give the token of a user (--user-token)")
      assert.strictEqual(stderr, "conformance: All checks were skipped, and nothing was checked\n")
    })
  )

  it.effect("says that a token is not taken, and ends with 2", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* conformance("--user-token", "a-secret-of-nobody")
      assert.strictEqual(code, 2)
      assert.strictEqual(stderr, "conformance: The backend does not take the token of the user: it answers 401\n")
      assert.notInclude(stdout, "a-secret-of-nobody")
    })
  )

  it.effect("removes what it has made when it is interrupted", () =>
    Effect.gen(function* () {
      const { baseUrl, client } = yield* TestBackend
      const program = ServerProcess.conformanceScript
      const running = yield* ServerProcess.start(yield* tokens, program, [baseUrl, "--concurrency", "8"])
      const { adminBots } = yield* client("admin")
      const bots = Effect.map(adminBots.list({ searchFor: "conformance-" }), ({ totalItemCount }) => totalItemCount)
      // The bots of the checks come and go.
      yield* Effect.repeat(bots, { until: (count) => count > 3 })
      const { code, stderr } = yield* running.kill("SIGINT")
      assert.strictEqual(stderr, "conformance: stopped, after what it had made was removed\n")
      assert.deepStrictEqual({ code, bots: yield* bots }, { code: 130, bots: 0 })
    })
  )
})
