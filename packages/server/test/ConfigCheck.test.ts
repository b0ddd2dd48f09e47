import * as ConfigCheck from "@effect-chatbot/server/ConfigCheck"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { createServer } from "node:net"
import * as ModelProcess from "./support/ModelProcess.ts"
import * as ServerProcess from "./support/ServerProcess.ts"

const checkOf = (report: ConfigCheck.Report, name: string) => report.checks.find((check) => check.name === name)

const outcomes = (report: ConfigCheck.Report) =>
  Object.fromEntries(report.checks.map(({ name, outcome }) => [name, outcome]))

layer(NodeServices.layer, { excludeTestServices: true })("pnpm serve --check", (it) => {
  it.effect("lists every setting with its value, and no secret", () =>
    Effect.gen(function* () {
      const dataDir = yield* ServerProcess.dataDir
      const key = Buffer.alloc(32, 7).toString("base64")
      const { code, stdout } = yield* ServerProcess.serve(
        {
          CHATBOT_DATA_DIR: dataDir,
          CHATBOT_PORT: "0",
          CHATBOT_SECRET_KEY: key,
          CHATBOT_ADMIN_TOKEN: "a-secret-token-of-ours",
          OTEL_EXPORTER_OTLP_HEADERS: "key=a-secret-header"
        },
        "--check"
      )
      assert.strictEqual(code, 0)
      assert.match(stdout, /^CHATBOT_HOST +127\.0\.0\.1 +default +the address to listen on$/m)
      assert.match(stdout, /^CHATBOT_PORT +0 +set +/m)
      assert.match(stdout, /^CHATBOT_SECRET_KEY +<redacted> +set +/m)
      assert.match(stdout, /^OTEL_EXPORTER_OTLP_HEADERS +<redacted> +set +/m)
      for (const secret of [key, "a-secret"]) assert.notInclude(stdout, secret)
      // It changes nothing, and does not listen.
      assert.notInclude(stdout, "Listening")
      assert.deepStrictEqual(yield* FileSystem.FileSystem.use((fs) => fs.readDirectory(dataDir)), [])
    })
  )

  it.effect("names what is wrong, as JSON too, and ends with 1", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* ServerProcess.serve(
        {
          CHATBOT_DATA_DIR: yield* ServerProcess.dataDir,
          CHATBOT_PROT: "8080",
          CHATBOT_REQUIRE_TERM: "true",
          CHATBOT_LOG_LEVEL: "Loud",
          CHATBOT_TOKEN: "of the client",
          OTEL_EXPORTER_OTLP_ENDPOINT: "somewhere"
        },
        "--check",
        "--json"
      )
      assert.strictEqual(code, 1)
      assert.match(stderr, /^chatbot: The configuration is not valid/m)
      const report: ConfigCheck.Report = JSON.parse(stdout)
      assert.isFalse(report.isValid)
      assert.deepStrictEqual(outcomes(report), {
        CHATBOT_PROT: "problem",
        CHATBOT_REQUIRE_TERM: "problem",
        CHATBOT_LOG_LEVEL: "problem",
        telemetry: "problem"
      })
      assert.include(checkOf(report, "CHATBOT_PROT")?.message, "CHATBOT_PORT")
      assert.include(checkOf(report, "CHATBOT_REQUIRE_TERM")?.message, "CHATBOT_REQUIRE_TERMS")
      assert.include(checkOf(report, "CHATBOT_LOG_LEVEL")?.message, "Expected")
    })
  )

  it.effect("finds what fits alone but not together, and tells no secret of it", () =>
    Effect.gen(function* () {
      const env = { CHATBOT_DATA_DIR: yield* ServerProcess.dataDir, CHATBOT_PORT: "0" }
      const jwt = yield* ConfigCheck.check({ ...env, CHATBOT_JWT_ISSUER: "https://issuer.example.com" })
      assert.isFalse(jwt.isValid)
      assert.include(checkOf(jwt, "settings")?.message, "CHATBOT_JWT_AUDIENCE and CHATBOT_JWT_JWKS_URL are missing")

      const alone = yield* ConfigCheck.check({ ...env, CHATBOT_CLUSTER: "true" })
      assert.isFalse(alone.isValid)
      assert.include(checkOf(alone, "cluster")?.message, "CHATBOT_DATABASE_URL")

      const url = yield* ConfigCheck.check({ ...env, CHATBOT_DATABASE_URL: "mysql://me:a-secret@db/name" })
      assert.match(checkOf(url, "CHATBOT_DATABASE_URL")?.message ?? "", /^Expected a URL such as [^\n]+$/)
      assert.notInclude(JSON.stringify(url), "a-secret")
    })
  )

  it.effect("looks at the data folder, the bots and the port", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const dataDir = yield* ServerProcess.dataDir
      yield* fs.makeDirectory(`${dataDir}/bots/one`, { recursive: true })
      yield* fs.writeFileString(`${dataDir}/bots/one/bot.yaml`, "code: one\ncolour: red\n")
      const taken = yield* Effect.acquireRelease(
        Effect.callback<ReturnType<typeof createServer>>((resume) => {
          const server = createServer().listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close())
      )
      const address = taken.address()
      const report = yield* ConfigCheck.check({
        CHATBOT_DATA_DIR: `${dataDir}/data`,
        CHATBOT_BOTS_DIR: `${dataDir}/bots`,
        CHATBOT_PORT: typeof address === "object" ? String(address?.port) : ""
      })
      assert.deepStrictEqual(outcomes(report), {
        telemetry: "ok",
        "data folder": "note",
        database: "note",
        "secret key": "note",
        "bots folder": "problem",
        port: "note"
      })
      assert.include(checkOf(report, "bots folder")?.message, "one/bot.yaml:2")
      yield* fs.writeFileString(`${dataDir}/chatbot.db`, "not a database")
      const broken = yield* ConfigCheck.check({
        CHATBOT_DATA_DIR: dataDir,
        CHATBOT_SECRET_KEY: "short",
        CHATBOT_PORT: "0"
      })
      assert.deepInclude(outcomes(broken), { database: "problem", "secret key": "problem", "bots folder": "ok" })
      const within = yield* ConfigCheck.check({ CHATBOT_DATA_DIR: `${dataDir}/chatbot.db/data`, CHATBOT_PORT: "0" })
      assert.strictEqual(outcomes(within)["data folder"], "problem")
    })
  )

  it.effect("says whether the secret key fits what is stored, beside a running backend and after it", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const dataDir = yield* ServerProcess.dataDir
      const token = "an-admin-token-of-ours"
      const env = { CHATBOT_DATA_DIR: dataDir, CHATBOT_PORT: "0", CHATBOT_ADMIN_TOKEN: token }
      const server = yield* ServerProcess.start(env)
      yield* ModelProcess.makeBot({ baseUrl: yield* server.listening, token, provider: "http://127.0.0.1:9" })
      assert.deepInclude(outcomes(yield* ConfigCheck.check(env)), { database: "ok", "secret key": "ok" })
      yield* server.kill("SIGTERM")

      const before = yield* fs.readDirectory(dataDir)
      const other = { ...env, CHATBOT_SECRET_KEY: Buffer.alloc(32, 9).toString("base64") }
      assert.include(checkOf(yield* ConfigCheck.check(env), "secret key")?.message, "fits the 1 keys")
      assert.include(checkOf(yield* ConfigCheck.check(other), "secret key")?.message, "does not fit 1 of the 1 keys")
      assert.sameMembers(yield* fs.readDirectory(dataDir), before)
      yield* fs.remove(`${dataDir}/secret-key`)
      assert.strictEqual(outcomes(yield* ConfigCheck.check(env))["secret key"], "problem")
    })
  )
})
