import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import type { ChildProcess } from "node:child_process"
import { DatabaseSync } from "node:sqlite"
import { fileURLToPath } from "node:url"
import { sendTo } from "./support/raw.ts"
import * as ServerProcess from "./support/ServerProcess.ts"

const program = fileURLToPath(new URL("fixtures/diesAtCommit.ts", import.meta.url))
const token = "a-token-of-our-own"

/** With `CHATBOT_TEST_FULL=true` every keyed endpoint dies before and after its commit; else one of each kind does. */
const isFull = process.env["CHATBOT_TEST_FULL"] === "true"

/** Tells the process when to die, and waits until it knows. */
const tell = (child: ChildProcess, when: string) =>
  Effect.callback<void>((resume) => {
    child.stdout?.once("data", () => resume(Effect.void))
    child.stdin?.write(`${when}\n`)
  })

/** Everything that a keyed request may store, and how much of it there is. */
const countAll = (dataDir: string) => {
  const db = new DatabaseSync(`${dataDir}/chatbot.db`, { readOnly: true })
  const tables = [
    "chats",
    "completions",
    "token_usage",
    "feedback",
    "tickets",
    "user_system_messages",
    "open_ai_services",
    "bots",
    "bot_facts",
    "bot_links",
    "idempotency_keys"
  ]
  const counts = Object.fromEntries(
    tables.map((table) => [table, Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.["n"])])
  )
  db.close()
  return counts
}

const difference = (before: Record<string, number>, after: Record<string, number>) =>
  Object.fromEntries(
    Object.entries(after).flatMap(([table, n]) => (n === before[table] ? [] : [[table, n - before[table]!]]))
  )

layer(NodeServices.layer, { excludeTestServices: true })("a keyed request whose process is killed", (it) => {
  it.effect(
    "around the commit takes effect once when it is sent again, and gets the answer that was stored",
    () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const dataDir = yield* ServerProcess.dataDir
        const botsDir = yield* ServerProcess.dataDir
        yield* fs.makeDirectory(`${botsDir}/helper`)
        yield* fs.writeFileString(
          `${botsDir}/helper/bot.yaml`,
          "code: helper\nimplementationType: Facts\ndisplayName: Helper\nisPublic: true\nfacts:\n  - A ticket opens one download.\n"
        )
        const env = {
          CHATBOT_PORT: "0",
          CHATBOT_DATA_DIR: dataDir,
          CHATBOT_BOTS_DIR: botsDir,
          CHATBOT_ADMIN_TOKEN: token,
          CHATBOT_LOG_LEVEL: "Error"
        }
        const started = Effect.gen(function* () {
          const server = yield* ServerProcess.start(env, program)
          return { server, url: yield* server.listening }
        })
        let { server, url } = yield* started
        const chat = (yield* sendTo(url, "POST", "/api/chats/create/bybotcode", {
          token,
          body: { botCode: "helper" }
        })).json()
        const inChat = `/api/chats/${chat.chatId}`

        const requests = [
          ["/api/chats", { botId: chat.botId }, { chats: 1 }],
          ["/api/chats/create/bybotcode", { botCode: "helper" }, { chats: 1 }, "after"],
          [
            `${inChat}/completions`,
            { userMessage: "What is a ticket?" },
            { completions: 1, token_usage: 1 },
            "before",
            "after"
          ],
          [`${inChat}/feedback`, { voteId: 1 }, { feedback: 1 }],
          [`${inChat}/tickets`, undefined, { tickets: 1 }, "after"],
          [
            "/api/users/current/userSystemMessage",
            { displayName: "A", systemMessage: "B" },
            { user_system_messages: 1 }
          ],
          ["/api/admin/openAiServices", { displayName: "A", isActive: true }, { open_ai_services: 1 }],
          [`/api/admin/bots/${chat.botId}/facts`, { factText: "A is A.", isActive: true }, { bot_facts: 1 }, "after"]
        ] as const

        let key = 0
        for (const [path, body, stored, ...moments] of requests) {
          for (const when of isFull ? (["before", "after"] as const) : moments) {
            const headers = { "idempotency-key": `key-${++key}` }
            const post = Effect.suspend(() => sendTo(url, "POST", path, { token, headers, body }))
            const name = `${path}, killed ${when} the commit`
            const before = countAll(dataDir)

            yield* tell(server.child, when)
            assert.isTrue(Exit.isFailure(yield* Effect.exit(post)), name)
            assert.strictEqual((yield* server.ended).code, null, name)
            ;({ server, url } = yield* started)
            const expected = { ...stored, idempotency_keys: 1 }
            assert.deepStrictEqual(difference(before, countAll(dataDir)), when === "before" ? {} : expected, name)

            const second = yield* post
            assert.strictEqual(second.status, 200, name + second.text)
            assert.strictEqual(second.headers["idempotency-replayed"], when === "before" ? undefined : "true", name)
            const third = yield* post
            assert.strictEqual(third.headers["idempotency-replayed"], "true", name)
            assert.strictEqual(third.text, second.text, name)
            assert.deepStrictEqual(difference(before, countAll(dataDir)), expected, name)
          }
        }
      }),
    120_000
  )
})
