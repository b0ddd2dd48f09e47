/** The audit log: what an admin did, and nothing that is none of its business. */
import { Access } from "@effect-chatbot/api/Access"
import { Api } from "@effect-chatbot/api/Api"
import { AuditLog } from "@effect-chatbot/server/AuditLog"
import { isAudited, operationOf } from "@effect-chatbot/server/http/Audit"
import { Retention } from "@effect-chatbot/server/Retention"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import { UserId } from "@effect-chatbot/schema/Ids"
import * as TestClock from "effect/testing/TestClock"
import { send } from "./support/raw.ts"
import { TestBackend } from "./support/TestBackend.ts"
import * as Services from "./support/TestServices.ts"

const lines = Effect.flatMap(AuditLog, (log) => Stream.runCollect(log.since(DateTime.makeUnsafe(0))))

const live = { excludeTestServices: true } as const

layer(TestBackend.layer, live)("the audit log", (it) => {
  it.effect("says who did what, when, to what, from where and how it ended", () =>
    Effect.gen(function* () {
      const { adminToken: token } = yield* TestBackend
      const before = yield* DateTime.now
      const ask = (method: string, path: string, body?: unknown) =>
        send(method, path, { token, body, headers: { "x-request-id": `${method}-${path.length}` } })
      const created = yield* ask("POST", "/api/admin/openAiServices", {
        displayName: "A service",
        azureOpenAiEndpoint: "https://models.example.com",
        azureOpenAiApiKey: "canary-key"
      })
      const id: string = created.json()
      yield* ask("PUT", `/api/admin/openAiServices/${id}`, { displayName: "" })
      yield* ask("DELETE", `/api/admin/openAiService/${id}`)
      yield* ask("DELETE", `/api/admin/openAiService/${id}`)
      yield* ask("PUT", "/API/ADMIN/BOTS/stop/False")
      yield* ask("GET", "/api/bots/stop")
      yield* ask("PUT", "/api/System/status/current", { value: "canary status" })
      yield* ask("DELETE", `/api/admin/bots/${"x".repeat(300)}`)
      const rows = yield* lines
      assert.deepStrictEqual(
        rows.map(({ operation, resources, status }) => [operation, resources, status]),
        [
          ["AdminCreateOpenAiService", {}, 200],
          ["AdminUpdateOpenAiService", { openAiServiceId: id }, 400],
          ["AdminDeleteOpenAiService", { openAiServiceId: id }, 200],
          ["AdminDeleteOpenAiService", { openAiServiceId: id }, 404],
          ["AdminStopAllBots", { isStopAllBots: "False" }, 200],
          ["IsStopAllBots", {}, 200],
          ["SetCurrentSystemStatus", {}, 200],
          ["AdminDeleteBot", { botId: "x".repeat(200) }, 404]
        ]
      )
      for (const row of rows) {
        assert.deepInclude(row, { login: "boss", address: "127.0.0.1" })
        assert.match(row.requestId, /^(?:POST|PUT|DELETE|GET)-\d+$/)
        assert.isAtLeast(DateTime.toEpochMillis(row.atUtc), DateTime.toEpochMillis(before))
      }
      assert.notInclude(JSON.stringify(rows), "canary")
    })
  )

  it.effect("has nothing of what is only read, nor of who is no admin", () =>
    Effect.gen(function* () {
      const { adminToken, tokenOf } = yield* TestBackend
      const count = (yield* lines).length
      const token = yield* tokenOf("ann")
      yield* send("GET", "/api/admin/bots", { token: adminToken })
      yield* send("HEAD", "/api/bots/stop", { token: adminToken })
      yield* send("PUT", "/api/users/current", { token: adminToken, body: { isKeepChatHistory: true } })
      assert.strictEqual((yield* send("DELETE", "/cache", { token })).status, 403)
      assert.strictEqual((yield* send("DELETE", "/cache")).status, 401)
      assert.strictEqual((yield* lines).length, count)
    })
  )
})

const logged: Array<string> = []
const capture = Logger.layer([
  Logger.map(Logger.formatJson, (line) => {
    logged.push(line)
  })
])

layer(Layer.provideMerge(TestBackend.layerWith({ logLevel: "Info" }), capture), live)("an action", (it) => {
  it.effect("is a structured line of the log too", () =>
    Effect.gen(function* () {
      const { adminToken: token, tokenOf } = yield* TestBackend
      yield* send("DELETE", "/cache", { token, headers: { "x-request-id": "the-request" } })
      const line = logged.find((text) => text.includes("An admin acted"))
      const entry: unknown = JSON.parse(line ?? "{}")
      assert.containSubset(entry, {
        message: [
          "An admin acted",
          { login: "boss", operation: "DeleteCacheAsync", status: 200, requestId: "the-request" }
        ]
      })
      yield* send("DELETE", "/cache", { token: yield* tokenOf("ann") })
      assert.isTrue(logged.some((text) => text.includes("no admin asked") && text.includes("DeleteCacheAsync")))
    })
  )

  it.effect("is not done when it cannot be written down", () =>
    Effect.gen(function* () {
      const { adminToken: token } = yield* TestBackend
      const sql = yield* SqlClient.SqlClient
      yield* sql`ALTER TABLE audit_log RENAME TO audit_log_away`
      const refused = yield* send("PUT", "/api/System/status/current", { token, body: { value: "Changed" } })
      assert.strictEqual(refused.status, 500)
      assert.deepInclude(refused.json(), { type: "urn:effect-chatbot:problem:InternalError" })
      assert.notStrictEqual((yield* send("GET", "/api/System/status/current")).json().value, "Changed")
      yield* sql`ALTER TABLE audit_log_away RENAME TO audit_log`
      assert.strictEqual(
        (yield* send("PUT", "/api/System/status/current", { token, body: { value: "Changed" } })).status,
        200
      )
    })
  )
})

describe("what is audited", () => {
  const endpoints = Object.values(Api.groups).flatMap((group) => Object.values(group.endpoints))

  it("is what is for admins and changes something", () => {
    for (const endpoint of endpoints) {
      const isForAdmins = Context.get(endpoint.annotations, Access) === "Admin"
      const isStop = operationOf(endpoint) === "IsStopAllBots"
      assert.strictEqual(
        isAudited(endpoint),
        isForAdmins && (endpoint.method !== "GET" || isStop),
        operationOf(endpoint)
      )
    }
    assert.isAbove(endpoints.filter(isAudited).length, 15)
  })
})

describe("AuditLog", () => {
  it.effect("gives every line once, and is kept for as long as it is to be", () =>
    Effect.gen(function* () {
      const { begin, since } = yield* AuditLog
      const action = { userId: UserId.make(1), login: "boss", operation: "A", requestId: "r", address: "a\u0000b" }
      for (let index = 0; index < 1203; index++) yield* begin({ ...action, resources: { index: String(index) } })
      const rows = yield* lines
      assert.deepStrictEqual(
        rows.map(({ resources }) => resources["index"]),
        Array.from({ length: 1203 }, (_, index) => String(index))
      )
      assert.deepInclude(rows[0], { address: "a\uFFFDb", status: undefined })
      yield* TestClock.adjust("6 days")
      const finish = yield* begin({ ...action, resources: {} })
      yield* finish(200)
      const { run } = yield* Retention
      assert.strictEqual((yield* run).auditEntries, 0)
      const week = yield* Stream.runCollect(since(DateTime.makeUnsafe(1000)))
      assert.deepStrictEqual(
        week.map(({ status }) => status),
        [200]
      )
      yield* TestClock.adjust("1 day")
      assert.strictEqual((yield* run).auditEntries, 1203)
      assert.strictEqual((yield* lines).length, 1)
    }).pipe(Effect.provide(Services.layerWith({ requireTerms: false, auditDays: 7 })))
  )
})
