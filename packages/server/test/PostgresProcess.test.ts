import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import * as Postgres from "@effect-chatbot/server/sql/Postgres"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import * as ServerProcess from "./support/ServerProcess.ts"
import { postgresUrl } from "./support/TestDatabase.ts"

const key = Buffer.alloc(32, 7).toString("base64")

const env = (dataDir: string, url: string) => ({
  CHATBOT_PORT: "0",
  CHATBOT_DATA_DIR: dataDir,
  CHATBOT_DATABASE_URL: url,
  CHATBOT_SECRET_KEY: key,
  CHATBOT_LOG_LEVEL: "Error"
})

layer(NodeServices.layer, { excludeTestServices: true })("the backend on PostgreSQL, as processes", (it) => {
  it.effect("starts twice at once on an empty database, and serves from both", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const url = yield* postgresUrl("empty")
      const dirs = yield* Effect.all([ServerProcess.dataDir, ServerProcess.dataDir])
      const urls = yield* Effect.forEach(
        dirs,
        (dataDir) =>
          Effect.flatMap(ServerProcess.start(env(dataDir, Redacted.value(url))), ({ listening }) => listening),
        { concurrency: 2 }
      )
      // One of them has made the admin.
      const tokens = yield* Effect.filter(
        dirs.map((dir) => `${dir}/admin-token`),
        (file) => fs.exists(file)
      )
      assert.lengthOf(tokens, 1)
      const token = (yield* fs.readFileString(tokens[0]!)).trim()
      const clients = yield* Effect.forEach(urls, (baseUrl) =>
        ChatbotClient.layer({ baseUrl, token }).pipe(
          Layer.provide(NodeTransport.layer),
          Layer.build,
          Effect.map(Context.get(ChatbotClient))
        )
      )
      const [one, other] = clients
      const { chatId } = yield* one!.chats.createByBotCode("client")
      const { completionId } = yield* other!.chats.complete(chatId, "What is a ticket?")
      for (const { bots, chats, statistics } of clients) {
        const { completions } = yield* chats.get(chatId)
        assert.deepStrictEqual(
          completions.map((completion) => completion.completionId),
          [completionId]
        )
        assert.strictEqual((yield* statistics.tokenUsage()).items[0]?.requestCount, 1)
        const { items } = yield* bots.list({ pageSize: 100 })
        assert.strictEqual(new Set(items.map(({ code }) => code)).size, items.length)
        assert.isAbove(items.length, 1)
      }
      for (const dir of dirs) assert.isFalse(yield* fs.exists(`${dir}/chatbot.db`))
    })
  )

  it.effect("orders texts by their code points, whatever the locale of the database", () =>
    Effect.gen(function* () {
      const url = yield* postgresUrl()
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const locale = yield* sql`SELECT name FROM (VALUES ('a'), ('B')) names (name) ORDER BY name`
        assert.deepStrictEqual(locale, [{ name: "a" }, { name: "B" }])
        yield* sql`INSERT INTO settings ${sql.insert([
          { key: "a", value: "" },
          { key: "B", value: "" }
        ])}`
        assert.deepStrictEqual(yield* sql`SELECT key FROM settings ORDER BY key`, [{ key: "B" }, { key: "a" }])
      }).pipe(Effect.provide(Postgres.layer({ url })))
    })
  )

  it.effect("says why it does not start, and not the password", () =>
    Effect.gen(function* () {
      const dataDir = yield* ServerProcess.dataDir
      const there = new URL(Redacted.value(yield* postgresUrl()))
      const wrong = new URL(there)
      wrong.password = "canary"
      const missing = new URL(there)
      missing.pathname = "/nothing"
      for (const [url, reason] of [
        [wrong.href, "password authentication failed"],
        [missing.href, 'database "nothing" does not exist'],
        ["postgres://chatbot:canary@127.0.0.1:1/chatbot", "ECONNREFUSED"],
        ["mysql://chatbot:canary@127.0.0.1/chatbot", "Expected a URL such as postgres://"],
        ["postgres://chatbot:can#ary@127.0.0.1:bad/chatbot", "Expected a URL such as postgres://"]
      ] as const) {
        const { code, stderr, stdout } = yield* ServerProcess.serve(env(dataDir, url))
        assert.strictEqual(code, 1)
        assert.strictEqual(stdout, "")
        assert.match(stderr, /^chatbot: /)
        assert.notInclude(stderr, "    at ")
        assert.include(stderr, reason)
        assert.include(stderr, "CHATBOT_DATABASE_URL")
        assert.notMatch(stderr, /canary|can#ary|a%20secret/)
      }
    })
  )
})
