import * as ConfigCheck from "@effect-chatbot/server/ConfigCheck"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as ServerProcess from "./support/ServerProcess.ts"
import { postgresUrl } from "./support/TestDatabase.ts"

const outcomes = (report: ConfigCheck.Report) =>
  Object.fromEntries(report.checks.map(({ name, outcome }) => [name, outcome]))

layer(NodeServices.layer, { excludeTestServices: true })("pnpm serve --check", (it) => {
  it.effect("looks at the PostgreSQL that is named, and sets nothing up", () =>
    Effect.gen(function* () {
      const dataDir = yield* ServerProcess.dataDir
      const key = Buffer.alloc(32, 7).toString("base64")
      const env = { CHATBOT_DATA_DIR: dataDir, CHATBOT_PORT: "0", CHATBOT_SECRET_KEY: key }
      const empty = Redacted.value(yield* postgresUrl("empty"))
      for (let times = 0; times < 2; times++) {
        const report = yield* ConfigCheck.check({ ...env, CHATBOT_DATABASE_URL: empty })
        assert.deepInclude(outcomes(report), { database: "note", "secret key": "ok" })
      }
      const migrated = Redacted.value(yield* postgresUrl("migrated"))
      assert.strictEqual(outcomes(yield* ConfigCheck.check({ ...env, CHATBOT_DATABASE_URL: migrated })).database, "ok")
      const away = { ...env, CHATBOT_DATABASE_URL: "postgres://somebody:canary-password@127.0.0.1:1/nowhere" }
      const report = yield* ConfigCheck.check(away)
      assert.strictEqual(outcomes(report).database, "problem")
      assert.notInclude(ConfigCheck.toText(report), "canary")
    })
  )
})
