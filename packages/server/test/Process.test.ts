import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import { Vote } from "@effect-chatbot/schema/Chat"
import type { ChatId } from "@effect-chatbot/schema/Ids"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { createServer } from "node:net"
import * as ServerProcess from "./support/ServerProcess.ts"

const connect = (baseUrl: string, token: string) =>
  ChatbotClient.layer({ baseUrl, token }).pipe(
    Layer.provide(NodeTransport.layer),
    Layer.build,
    Effect.map(Context.get(ChatbotClient))
  )

const env = (dataDir: string, more: Record<string, string> = {}) => ({
  CHATBOT_PORT: "0",
  CHATBOT_DATA_DIR: dataDir,
  CHATBOT_LOG_LEVEL: "Error",
  ...more
})

layer(NodeServices.layer, { excludeTestServices: true })("the backend as a process", (it) => {
  it.effect("keeps everything over a restart", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const dataDir = yield* ServerProcess.dataDir
      const first = yield* ServerProcess.start(env(dataDir))
      const firstUrl = yield* first.listening
      const token = (yield* fs.readFileString(`${dataDir}/admin-token`)).trim()
      assert.strictEqual((yield* fs.stat(`${dataDir}/admin-token`)).mode & 0o777, 0o600)
      const before = yield* Effect.gen(function* () {
        const client = yield* connect(firstUrl, token)
        const chat = yield* client.chats.createByBotCode("client")
        yield* client.chats.complete(chat.chatId, "How do I page through a list?")
        yield* client.chats.complete(chat.chatId, "What does Unauthorized mean?")
        yield* client.users.setFavorite(chat.chatId, true)
        yield* client.chats.feedback(chat.chatId, { voteId: Vote.up })
        yield* client.system.setStatus("Back soon.")
        return {
          chat: yield* client.chats.get(chat.chatId),
          usage: (yield* client.statistics.tokenUsage()).items,
          bots: (yield* client.bots.list({ pageSize: 100 })).items
        }
      })
      assert.strictEqual((yield* first.kill("SIGTERM")).code, 0)

      const second = yield* ServerProcess.start(env(dataDir))
      const client = yield* connect(yield* second.listening, token)
      const chat = yield* client.chats.get(before.chat.chatId)
      assert.deepStrictEqual({ ...chat, lastAccessedUtc: undefined }, { ...before.chat, lastAccessedUtc: undefined })
      assert.isTrue(chat.isFavorite)
      assert.deepStrictEqual((yield* client.statistics.tokenUsage()).items, before.usage)
      assert.deepStrictEqual((yield* client.bots.list({ pageSize: 100 })).items, before.bots)
      assert.strictEqual(yield* client.system.status, "Back soon.")
      assert.strictEqual((yield* second.kill("SIGINT")).code, 0)
    })
  )

  it.effect("keeps what admins changed of its bots over a restart, until it is told to bring the folder in again", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const dataDir = yield* ServerProcess.dataDir
      const botsDir = yield* ServerProcess.dataDir
      const bot = (code: string, more: string) =>
        Effect.andThen(
          fs.makeDirectory(`${botsDir}/${code}`, { recursive: true }),
          fs.writeFileString(
            `${botsDir}/${code}/bot.yaml`,
            `code: ${code}\nimplementationType: ${code === "start" ? "Start" : "Facts"}\ndisplayName: ${code}\nisPublic: true\n${more}`
          )
        )
      yield* bot("start", "links:\n  - code: one\n    isDefault: true\n  - code: two\n    keywords: [second]\n")
      yield* bot("one", "facts:\n  - Alpha is first.\n")
      yield* bot("two", "facts:\n  - Beta is second.\n")
      const settings = env(dataDir, { CHATBOT_ADMIN_TOKEN: "a-token-of-our-own", CHATBOT_BOTS_DIR: botsDir })

      /** What a run of the backend finds and leaves. */
      const run = <A, E>(
        use: (client: ChatbotClient["Service"]) => Effect.Effect<A, E, Scope.Scope>,
        ...args: ReadonlyArray<string>
      ) =>
        Effect.gen(function* () {
          const server = yield* ServerProcess.start(settings, undefined, args)
          const result = yield* Effect.flatMap(connect(yield* server.listening, "a-token-of-our-own"), use)
          assert.strictEqual((yield* server.kill("SIGTERM")).code, 0)
          return result
        }).pipe(Effect.scoped)

      /** Every bot, with its name, its facts and its links. */
      const kept = Effect.fnUntraced(function* ({ adminBots }: ChatbotClient["Service"]) {
        const { items } = yield* adminBots.list({ orderBy: "code" })
        return yield* Effect.forEach(items, ({ botId, code, displayName, isStartBot }) =>
          Effect.gen(function* () {
            const links = isStartBot ? (yield* adminBots.links.list(botId)).items : []
            const facts = (yield* adminBots.facts.list(botId, { orderBy: "factText" })).items
            return [code, displayName, facts.map((fact) => fact.factText), links.map((link) => link.botCode)]
          })
        )
      })

      const seeded = [
        ["one", "one", ["Alpha is first."], []],
        ["start", "start", [], ["one", "two"]],
        ["two", "two", ["Beta is second."], []]
      ]
      const changed = [
        ["mine", "An admin's", [], []],
        ["one", "Changed", ["Alpha is first.", "Gamma is an admin's."], []],
        ["start", "start", [], ["mine", "one"]]
      ]
      const ids = yield* run(
        Effect.fnUntraced(function* (client) {
          const { adminBots } = client
          assert.deepStrictEqual(yield* kept(client), seeded)
          const { items } = yield* adminBots.list({ orderBy: "code" })
          const [one, start, two] = items.map(({ botId }) => botId)
          const texts = { isActive: true, isPublic: true }
          yield* adminBots.update(one!, { ...texts, code: "one", displayNameTv: { value: "Changed" } })
          yield* adminBots.facts.create(one!, { isActive: true, factText: "Gamma is an admin's." })
          yield* adminBots.delete(two!)
          const mine = yield* adminBots.create({ ...texts, code: "mine", displayNameTv: { value: "An admin's" } })
          yield* adminBots.links.create(start!, mine, { isDefaultBot: false })
          assert.deepStrictEqual(yield* kept(client), changed)
          return { one, start }
        })
      )
      assert.deepStrictEqual(yield* run(kept), changed)
      // Also where the folder has something new.
      yield* bot("one", "facts:\n  - Alpha is new.\n")
      assert.deepStrictEqual(yield* run(kept), changed)

      yield* run(
        Effect.fnUntraced(function* (client) {
          assert.deepStrictEqual(yield* kept(client), [
            ["mine", "An admin's", [], []],
            ["one", "one", ["Alpha is new."], []],
            ...seeded.slice(1)
          ])
          const { items } = yield* client.adminBots.list({ orderBy: "code" })
          assert.deepStrictEqual({ one: items[1]?.botId, start: items[2]?.botId }, ids)
          const { chatId } = yield* client.chats.create(ids.start!)
          const { assistantMessage } = yield* client.chats.complete(chatId, "What is second?")
          assert.include(assistantMessage, "Beta")
        }),
        "--import-bots"
      )
    })
  )

  it.effect("loses nothing it has answered when it is killed while it writes", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const dataDir = yield* ServerProcess.dataDir
      const first = yield* ServerProcess.start(env(dataDir))
      const baseUrl = yield* first.listening
      const token = (yield* fs.readFileString(`${dataDir}/admin-token`)).trim()
      const answered: Array<{ readonly chatId: ChatId; readonly completionId: string; readonly answer: string }> = []
      const writing = yield* Effect.gen(function* () {
        const client = yield* connect(baseUrl, token)
        return yield* Effect.forEach(
          Array.from({ length: 4 }),
          () =>
            Effect.gen(function* () {
              const { chatId } = yield* client.chats.createByBotCode("client")
              const { assistantMessage = "", completionId } = yield* client.chats.complete(chatId, "What is a ticket?")
              answered.push({ chatId, completionId, answer: assistantMessage })
              if (answered.length === 40) first.child.kill("SIGKILL")
            }).pipe(Effect.forever),
          { concurrency: "unbounded" }
        )
      }).pipe(Effect.scoped, Effect.exit, Effect.forkChild)
      assert.strictEqual((yield* first.ended).code, null)
      yield* Fiber.join(writing)
      assert.isAtLeast(answered.length, 40)

      const second = yield* ServerProcess.start(env(dataDir))
      const client = yield* connect(yield* second.listening, token)
      for (const { answer, chatId, completionId } of answered) {
        const { completions } = yield* client.chats.get(chatId)
        assert.deepStrictEqual(
          completions.map((stored) => [stored.completionId, stored.assistantMessage]),
          [[completionId, answer]]
        )
      }
      const [usage] = (yield* client.statistics.tokenUsage()).items
      assert.isAtLeast(usage?.requestCount ?? 0, answered.length)
      yield* client.statistics.recompute
      assert.deepStrictEqual((yield* client.statistics.tokenUsage()).items[0], usage)
    })
  )

  it.effect("stops when its standard input ends, if it is told to", () =>
    Effect.gen(function* () {
      const dataDir = yield* ServerProcess.dataDir
      const server = yield* ServerProcess.start(env(dataDir, { CHATBOT_STOP_WITH_STDIN: "true" }))
      yield* server.listening
      server.child.stdin?.end()
      assert.strictEqual((yield* server.ended).code, 0)
    })
  )

  it.effect("uses the admin token of its environment", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const dataDir = yield* ServerProcess.dataDir
      const server = yield* ServerProcess.start(env(dataDir, { CHATBOT_ADMIN_TOKEN: "a-token-of-our-own" }))
      const client = yield* connect(yield* server.listening, "a-token-of-our-own")
      assert.include((yield* client.users.current).roles, "Admin")
      assert.isFalse(yield* fs.exists(`${dataDir}/admin-token`))
    })
  )

  it.effect("takes a token that is made while it runs, until it is revoked", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const dataDir = yield* ServerProcess.dataDir
      const server = yield* ServerProcess.start(env(dataDir))
      const baseUrl = yield* server.listening
      const made = yield* ServerProcess.accessToken(env(dataDir), "create", "alice", "--days", "90")
      assert.strictEqual(made.code, 0, made.stderr)
      const client = yield* connect(baseUrl, made.stdout.trim())
      const { login, roles } = yield* client.users.current
      assert.deepStrictEqual([login, roles], ["alice", ["User"]])

      const id = /^Token (\S+) of "alice"/.exec(made.stderr)?.[1] ?? ""
      const listed = yield* ServerProcess.accessToken(env(dataDir), "list", "alice")
      assert.match(listed.stdout, new RegExp(`^${id}\talice\tpnpm access-token\tvalid\t\\S+Z\t\\S+Z\t-$`, "m"))
      assert.notInclude(listed.stdout, made.stdout.trim())
      assert.strictEqual((yield* ServerProcess.accessToken(env(dataDir), "revoke", id)).code, 0)
      const again = yield* ServerProcess.accessToken(env(dataDir), "revoke", id)
      assert.deepStrictEqual([again.code, again.stdout], [1, ""])
      assert.include(again.stderr, "was revoked before")
      const admin = yield* connect(baseUrl, (yield* fs.readFileString(`${dataDir}/admin-token`)).trim())
      yield* admin.cache.clear
      const refused = yield* Effect.flip(client.users.current)
      assert.strictEqual(refused._tag, "Unauthorized")
      const all = yield* ServerProcess.accessToken(env(dataDir), "list")
      assert.match(all.stdout, new RegExp(`^${id}\talice\t.*\trevoked\t`, "m"))
      assert.match(all.stdout, /\tadmin\tfirst start\tvalid\t/)

      const audit = yield* ServerProcess.auditLog(env(dataDir))
      const [line] = audit.stdout.trim().split("\n")
      const action: unknown = JSON.parse(line ?? "{}")
      assert.containSubset(action, { login: "admin", operation: "DeleteCacheAsync", resources: {}, status: 200 })
    })
  )

  it.effect("is not made by a command that looks for one in the wrong folder", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const dataDir = yield* ServerProcess.dataDir
      for (const command of [
        ServerProcess.auditLog(env(dataDir)),
        ServerProcess.accessToken(env(dataDir), "create", "alice")
      ]) {
        const { code, stderr, stdout } = yield* command
        assert.deepStrictEqual([code, stdout], [1, ""])
        assert.include(stderr, `chatbot: There is no database at ${dataDir}`)
        assert.deepStrictEqual(yield* fs.readDirectory(dataDir), [])
      }
    })
  )

  it.effect("requires the terms to be accepted, if it is told to", () =>
    Effect.gen(function* () {
      const dataDir = yield* ServerProcess.dataDir
      const server = yield* ServerProcess.start(
        env(dataDir, { CHATBOT_ADMIN_TOKEN: "a-token-of-our-own", CHATBOT_REQUIRE_TERMS: "true" })
      )
      const client = yield* connect(yield* server.listening, "a-token-of-our-own")
      const refused = yield* Effect.flip(client.chats.createByBotCode("client"))
      assert.strictEqual(refused._tag, "TermsNotAccepted")
      yield* client.users.acceptTerms
      yield* client.chats.createByBotCode("client")
    })
  )

  it.effect.each([
    ["CHATBOT_PORT", "eighty"],
    ["CHATBOT_SECRET_KEY", "short"]
  ] as const)("says what is wrong with %s=%s and ends with 1", ([name, value]) =>
    Effect.gen(function* () {
      const dataDir = yield* ServerProcess.dataDir
      const server = yield* ServerProcess.start(env(dataDir, { [name]: value }))
      const { code, stderr, stdout } = yield* server.ended
      assert.strictEqual(code, 1)
      assert.include(stderr, name)
      assert.notInclude(stderr, "    at ")
      assert.strictEqual(stdout, "")
    })
  )

  it.effect("says how it is used, and takes no arguments that it does not know", () =>
    Effect.gen(function* () {
      const settings = env(yield* ServerProcess.dataDir)
      const help = yield* ServerProcess.serve(settings, "--help")
      assert.strictEqual(help.code, 0)
      assert.include(help.stdout, "USAGE")
      const unknown = yield* ServerProcess.serve(settings, "--port", "1")
      assert.strictEqual(unknown.code, 1)
      assert.include(unknown.stderr, "--port")
      assert.notInclude(unknown.stdout, "Listening")
    })
  )

  it.effect("says which port is in use and ends with 1", () =>
    Effect.gen(function* () {
      const dataDir = yield* ServerProcess.dataDir
      const taken = yield* Effect.acquireRelease(
        Effect.callback<ReturnType<typeof createServer>>((resume) => {
          const server = createServer().listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close())
      )
      const address = taken.address()
      const port = typeof address === "object" ? String(address?.port) : ""
      for (const setting of ["CHATBOT_PORT", "CHATBOT_METRICS_PORT"]) {
        const server = yield* ServerProcess.start(env(dataDir, { [setting]: port }))
        const { code, stderr } = yield* server.ended
        assert.strictEqual(code, 1)
        assert.include(stderr, `${port}: it is in use. Set ${setting} to another`)
      }
    })
  )

  it.effect("leaves a data folder alone on which another runs, until that one is gone", () =>
    Effect.gen(function* () {
      const dataDir = yield* ServerProcess.dataDir
      const first = yield* ServerProcess.start(env(dataDir))
      yield* first.listening
      const second = yield* ServerProcess.start(env(dataDir))
      const { code, stderr } = yield* second.ended
      assert.strictEqual(code, 1)
      assert.strictEqual(
        stderr,
        `chatbot: Another backend runs on the data folder ${dataDir}. Stop it, set CHATBOT_DATA_DIR to another folder, or let several share a PostgreSQL.\n`
      )
      yield* first.kill("SIGKILL")
      const third = yield* ServerProcess.start(env(dataDir))
      yield* third.listening
    })
  )

  it.effect("names file and line of a mistake in the bots folder and ends with 1", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const dataDir = yield* ServerProcess.dataDir
      const botsDir = yield* ServerProcess.dataDir
      yield* fs.makeDirectory(`${botsDir}/one`)
      yield* fs.writeFileString(
        `${botsDir}/one/bot.yaml`,
        "code: one\nimplementationType: Facts\ndisplayName: One\ncolour: red\n"
      )
      const server = yield* ServerProcess.start(env(dataDir, { CHATBOT_BOTS_DIR: botsDir }))
      const { code, stderr } = yield* server.ended
      assert.strictEqual(code, 1)
      assert.include(stderr, "one/bot.yaml:4")
      assert.include(stderr, "colour")
    })
  )
})
