/** Several processes on one PostgreSQL, as a company runs them. */
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as Completion from "@effect-chatbot/client/Completion"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import { ChatId } from "@effect-chatbot/schema/Ids"
import * as Postgres from "@effect-chatbot/server/sql/Postgres"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Base64 from "effect/encoding/Base64"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import * as Balancer from "./support/Balancer.ts"
import * as Cluster from "./support/Cluster.ts"
import { sendTo } from "./support/raw.ts"
import { type Events, open, type Received, StreamServer } from "./support/StreamServer.ts"

const { token } = Cluster

const openAt = (member: Cluster.Member, ...args: Parameters<typeof open>) =>
  Effect.provideService(open(...args), StreamServer, { baseUrl: member.url })

/** The events of a question, or of a completion from one on, at one process. */
const ask = (member: Cluster.Member, chatId: string, userMessage: string, headers: Record<string, string> = {}) =>
  openAt(member, "POST", `/api/chats/${chatId}/completions`, { token, headers, body: { userMessage } })

const follow = (member: Cluster.Member, chatId: string, completionId: string, after = 0) =>
  openAt(member, "GET", `/api/chats/${chatId}/completions/${completionId}/events`, {
    token,
    headers: after === 0 ? {} : { "last-event-id": String(after) }
  })

const newChat = (member: Cluster.Member, botId: string) =>
  Effect.map(Cluster.post(member, "/api/chats", { botId }), ({ chatId }) => String(chatId))

const idOf = (events: Events) => String(events.headers["completion-id"])

const names = (events: ReadonlyArray<Received>) => events.map(({ name }) => name)

const textOf = (events: ReadonlyArray<Received>) =>
  events.flatMap(({ data, name }) => (name === "delta" ? [data.text] : [])).join("")

/** Asks again and again until it is so, and tells how long that took; dies when it does not come to be. */
const until = (what: string, check: Effect.Effect<boolean>) =>
  Effect.gen(function* () {
    const start = yield* DateTime.now
    const limit = DateTime.addDuration(start, Duration.seconds(15))
    while (!(yield* check)) {
      yield* Effect.sleep("5 millis")
      if (DateTime.isGreaterThan(yield* DateTime.now, limit)) return yield* Effect.die(new Error(`Never: ${what}`))
    }
    const took = DateTime.distance(start, yield* DateTime.now)
    yield* Console.log(`      ${what}: within ${Duration.toMillis(took)} ms`)
  })

/** Two processes, and a bot that says two words and waits. */
class Two extends Context.Service<
  Two,
  {
    readonly a: Cluster.Member
    readonly b: Cluster.Member
    readonly cluster: Effect.Success<typeof Cluster.make>
    readonly model: Effect.Success<ReturnType<typeof Cluster.model>>
    readonly chat: Effect.Effect<string>
  }
>()("test/Two") {
  static readonly layer = Layer.effect(
    Two,
    Effect.gen(function* () {
      const cluster = yield* Cluster.make
      const [a, b] = yield* Effect.all([cluster.start(), cluster.start()], { concurrency: 2 })
      const model = yield* Cluster.model(a, (one) => one.say("one ", "two "))
      return { a, b, cluster, model, chat: newChat(a, model.botId) }
    })
  ).pipe(Layer.provideMerge(NodeServices.layer))
}

/** Asks a question at one process, until two words are said. */
const begun = (member: Cluster.Member, chatId: string, question: string, headers?: Record<string, string>) =>
  Effect.gen(function* () {
    const events = yield* ask(member, chatId, question, headers)
    for (const name of ["started", "delta", "delta"]) assert.strictEqual((yield* events.next).name, name)
    return events
  })

layer(Two.layer, { excludeTestServices: true })("two processes on one database", (it) => {
  it.effect("follow a completion that goes on in either, and let nobody ask in its chat", () =>
    Effect.gen(function* () {
      const { a, b, chat, model } = yield* Two
      for (const [one, other] of [
        [a, b],
        [b, a]
      ] as const) {
        const chatId = yield* chat
        const question = `Follow ${one.url}`
        const events = yield* begun(one, chatId, question)
        const elsewhere = yield* follow(other, chatId, idOf(events), 1)
        assert.deepStrictEqual(
          [yield* elsewhere.next, yield* elsewhere.next].map(({ data, id }) => [id, data.text]),
          [
            [2, "one "],
            [3, "two "]
          ]
        )
        for (const member of [a, b]) {
          const busy = yield* sendTo(member.url, "POST", `/api/chats/${chatId}/completions`, {
            token,
            body: { userMessage: "?" }
          })
          assert.strictEqual(busy.status, 409)
          assert.match(busy.json().type, /ChatBusy/)
        }
        const asked = yield* model.askedFor(question)
        asked.say("three")
        assert.strictEqual((yield* elsewhere.next).data.text, "three")
        asked.finish()
        const rest = yield* elsewhere.rest
        assert.deepStrictEqual(
          rest.map(({ id, name }) => [id, name]),
          [
            [5, "sources"],
            [6, "completed"]
          ]
        )
        assert.deepStrictEqual(rest[1]?.data, (yield* events.rest).at(-1)?.data)
        assert.strictEqual((yield* Cluster.get(other, `/api/chats/${chatId}`)).completions.length, 1)
        // And once more when it has ended.
        assert.strictEqual(textOf(yield* (yield* follow(other, chatId, idOf(events))).rest), "one two three")
      }
    })
  )

  it.effect("answer with JSON wherever the completion goes on, and give the failure of its provider", () =>
    Effect.gen(function* () {
      const { a, b, chat, model } = yield* Two
      for (const member of [a, b]) {
        const complete = Effect.flatMap(chat, (chatId) =>
          sendTo(member.url, "POST", `/api/chats/${chatId}/completions`, {
            token,
            body: { userMessage: `JSON ${member.url}` }
          })
        )
        const question = `JSON ${member.url}`
        const good = yield* Effect.forkChild(complete)
        ;(yield* model.askedFor(question)).finish()
        assert.strictEqual((yield* Fiber.join(good)).json().assistantMessage, "one two ")
        const bad = yield* Effect.forkChild(complete)
        ;(yield* model.askedFor(question, 2)).socket.destroy()
        const failed = yield* Fiber.join(bad)
        assert.strictEqual(failed.status, 502)
        assert.match(failed.json().type, /ProviderFailed/)
      }
    })
  )

  it.effect("stop each other's completions, one and all", () =>
    Effect.gen(function* () {
      const { a, b, chat } = yield* Two
      for (const [one, other] of [
        [a, b],
        [b, a]
      ] as const) {
        const chatId = yield* chat
        const events = yield* begun(one, chatId, "Stop one")
        yield* Cluster.post(other, `/api/chats/${chatId}/completions/${idOf(events)}/stop`, undefined)
        assert.deepStrictEqual(names(yield* events.rest), ["stopped"])
        assert.strictEqual(
          (yield* Cluster.get(one, `/api/chats/${chatId}`)).completions[0].assistantMessage,
          "one two "
        )
      }
      const stopAll = [Cluster.get(b, "/api/bots/stop"), Cluster.put(a, "/api/admin/bots/stop/true")]
      for (const stop of stopAll) {
        const running = yield* Effect.forEach([a, b, a, b, a, b], (member) =>
          Effect.flatMap(chat, (chatId) => begun(member, chatId, "Stop all"))
        )
        yield* stop
        for (const events of running) assert.deepStrictEqual(names(yield* events.rest), ["stopped"])
      }
      for (const member of [a, b]) {
        const refused = yield* sendTo(member.url, "POST", `/api/chats/${yield* chat}/completions`, {
          token,
          body: { userMessage: "?" }
        })
        assert.match(refused.json().type, /BotsStopped/)
      }
      yield* Cluster.put(b, "/api/admin/bots/stop/false")
      const events = yield* begun(a, yield* chat, "Again")
      yield* events.leave
    })
  )

  it.effect("know each other's idempotency keys", () =>
    Effect.gen(function* () {
      const { a, b, chat, model } = yield* Two
      const chatId = yield* chat
      const key = { "idempotency-key": "one-key" }
      const events = yield* begun(a, chatId, "Keyed", key)
      const again = (member: Cluster.Member, userMessage = "Keyed") =>
        sendTo(member.url, "POST", `/api/chats/${chatId}/completions`, { token, headers: key, body: { userMessage } })
      for (const member of [a, b]) {
        const inUse = yield* again(member)
        assert.strictEqual(inUse.status, 409)
        assert.match(inUse.json().type, /IdempotencyKeyInUse/)
        assert.strictEqual(inUse.json().completionId, idOf(events))
        assert.match((yield* again(member, "Other")).json().type, /IdempotencyKeyReused/)
      }
      ;(yield* model.askedFor("Keyed")).finish()
      const { data } = (yield* events.rest).at(-1)!
      for (const member of [a, b]) {
        const replayed = yield* again(member)
        assert.strictEqual(replayed.headers["idempotency-replayed"], "true")
        assert.deepStrictEqual(replayed.json(), data.completion)
      }
      assert.strictEqual(model.asked.filter(({ question }) => question === "Keyed").length, 1)
    })
  )

  it.effect("ask once, when the same key comes to both at once", () =>
    Effect.gen(function* () {
      const { a, b, chat, model } = yield* Two
      for (let i = 0; i < 5; i++) {
        const chatId = yield* chat
        const question = `Raced ${i}`
        const post = (member: Cluster.Member) =>
          sendTo(member.url, "POST", `/api/chats/${chatId}/completions`, {
            token,
            headers: { "idempotency-key": `raced-${i}` },
            body: { userMessage: question }
          })
        const both = yield* Effect.forkChild(Effect.all([post(a), post(b)], { concurrency: 2 }))
        const asked = yield* Effect.raceFirst(
          model.askedFor(question),
          Effect.flatMap(Fiber.join(both), (answers) =>
            Effect.die(new Error(`Nobody asked: ${answers.map(({ status, text }) => `${status} ${text}`).join(", ")}`))
          )
        )
        asked.finish()
        const answers = yield* Fiber.join(both)
        assert.include(
          answers.map(({ status }) => status),
          200
        )
        for (const answer of answers) {
          if (answer.status !== 200) assert.match(answer.json().type, /IdempotencyKeyInUse/)
        }
        assert.strictEqual(model.asked.filter((one) => one.question === question).length, 1)
      }
    })
  )

  it.effect(
    "do not ask again for a key whose run ends between the look for its answer and the beginning of another",
    () =>
      Effect.gen(function* () {
        const { a, b, chat, cluster, model } = yield* Two
        const sql = yield* Effect.map(
          Layer.build(Postgres.layer({ url: cluster.databaseUrl, maxConnections: 3 })),
          Context.get(SqlClient.SqlClient)
        )
        const chatId = yield* chat
        const post = (member: Cluster.Member) =>
          sendTo(member.url, "POST", `/api/chats/${chatId}/completions`, {
            token,
            headers: { "idempotency-key": "late" },
            body: { userMessage: "Late" }
          })
        const first = yield* Effect.forkChild(post(a))
        ;(yield* model.askedFor("Late")).finish()
        assert.strictEqual((yield* Fiber.join(first)).status, 200)

        // The other one looks for the answer before it is there, and begins after.
        const [{ hash } = { hash: "" }] = yield* sql<{
          hash: string
        }>`SELECT hash FROM idempotency_keys WHERE chat_id = ${chatId}`
        yield* sql`UPDATE idempotency_keys SET hash = 'hidden' WHERE hash = ${hash}`
        const second = yield* sql.withTransaction(
          Effect.gen(function* () {
            yield* sql`LOCK TABLE completion_runs IN SHARE MODE`
            const second = yield* Effect.forkChild(post(b))
            const waiting = sql`SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'completion_runs'::regclass`
            yield* until(
              "about to begin",
              Effect.map(Effect.orDie(waiting), (rows) => rows.length > 0)
            )
            yield* sql`UPDATE idempotency_keys SET hash = ${hash} WHERE hash = 'hidden'`
            return second
          })
        )
        const refused = yield* Fiber.join(second)
        assert.strictEqual(refused.status, 409)
        assert.match(refused.json().type, /IdempotencyKeyInUse/)
        const replayed = yield* post(b)
        assert.strictEqual(replayed.headers["idempotency-replayed"], "true")
        assert.strictEqual(model.asked.filter(({ question }) => question === "Late").length, 1)
      })
  )

  it.effect("see each other's changes within a second", () =>
    Effect.gen(function* () {
      const { a, b, chat, model } = yield* Two
      yield* Cluster.put(a, "/api/System/status/current", { value: "Maintenance at noon" })
      yield* until(
        "system status",
        Effect.map(Cluster.get(b, "/api/System/status/current"), ({ value }) => value === "Maintenance at noon")
      )

      yield* Cluster.put(b, "/api/admin/bots/stop/true")
      const chatId = yield* chat
      const refused = Effect.map(
        sendTo(a.url, "POST", `/api/chats/${chatId}/completions`, { token, body: { userMessage: "?" } }),
        ({ status }) => status === 503
      )
      yield* until("stop flag", refused)
      yield* Cluster.put(a, "/api/admin/bots/stop/false")

      // A service with another key is used by the next completion, wherever it runs.
      yield* Cluster.put(a, `/api/admin/openAiServices/${model.openAiServiceId}`, {
        displayName: "Models",
        isActive: true,
        isUpdateOpenAi: true,
        azureOpenAiEndpoint: `${model.provider.url}/v1`,
        azureOpenAiApiKey: "sk-second"
      })
      for (let i = 0; i < 6; i++) {
        const events = yield* begun(i % 2 === 0 ? a : b, yield* chat, `Service ${i}`)
        assert.strictEqual(model.asked.at(-1)?.key, "Bearer sk-second")
        yield* events.leave
      }
      yield* Cluster.get(a, "/api/bots/stop")
    })
  )

  it.effect("drop what the other has kept", () =>
    Effect.gen(function* () {
      const { a, b, cluster } = yield* Two
      const sql = yield* Effect.map(
        Layer.build(Postgres.layer({ url: cluster.databaseUrl, maxConnections: 2 })),
        Context.get(SqlClient.SqlClient)
      )
      const { token: revoked } = yield* Effect.map(Cluster.accessToken(cluster, "create", "ann"), (stdout) => ({
        token: stdout.trim()
      }))
      const status = (member: Cluster.Member) =>
        Effect.map(sendTo(member.url, "GET", "/api/users/current", { token: revoked }), (answer) => answer.status)
      assert.deepStrictEqual([yield* status(a), yield* status(b)], [200, 200])
      // Behind the back of both, which have it in their caches.
      yield* sql`UPDATE tokens SET revoked_utc = created_utc
        WHERE user_id = (SELECT id FROM users WHERE login = 'ann')`
      assert.deepStrictEqual([yield* status(a), yield* status(b)], [200, 200])
      yield* Cluster.del(a, "/cache")
      yield* until(
        "cache",
        Effect.map(status(b), (status) => status === 401)
      )
      assert.strictEqual(yield* status(a), 401)
    })
  )

  it.effect("hear from each other again after the connection for it was lost, and keep nothing from before", () =>
    Effect.gen(function* () {
      const { a, b, cluster } = yield* Two
      const sql = yield* Effect.map(
        Layer.build(Postgres.layer({ url: cluster.databaseUrl, maxConnections: 2 })),
        Context.get(SqlClient.SqlClient)
      )
      const bob = (yield* Cluster.accessToken(cluster, "create", "bob")).trim()
      const status = (member: Cluster.Member) =>
        Effect.map(sendTo(member.url, "GET", "/api/users/current", { token: bob }), (answer) => answer.status)
      assert.deepStrictEqual([yield* status(a), yield* status(b)], [200, 200])
      yield* sql`UPDATE tokens SET revoked_utc = created_utc WHERE user_id = (SELECT id FROM users WHERE login = 'bob')`
      const cut = yield* sql<{ cut: boolean }>`SELECT pg_terminate_backend(pid) AS cut FROM pg_stat_activity
        WHERE datname = current_database() AND query ILIKE 'LISTEN%'`
      assert.strictEqual(cut.length, 2)
      for (const member of [a, b]) {
        yield* until(
          "dropped after the connection was lost",
          Effect.map(status(member), (status) => status === 401)
        )
      }
      const listening = sql`SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'LISTEN%'`
      yield* until(
        "listen again",
        Effect.map(Effect.orDie(listening), (rows) => rows.length === 2)
      )
      const { chat } = yield* Two
      const chatId = yield* chat
      const events = yield* begun(a, chatId, "Heard")
      yield* Cluster.post(b, `/api/chats/${chatId}/completions/${idOf(events)}/stop`, undefined)
      assert.deepStrictEqual(names(yield* events.rest), ["stopped"])
    })
  )

  it.effect("end a completion whose chat is deleted meanwhile, for every reader", () =>
    Effect.gen(function* () {
      const { a, b, chat, model } = yield* Two
      for (const member of [a, b]) {
        const chatId = yield* chat
        const question = `Deleted ${member.url}`
        const events = yield* begun(a, chatId, question)
        const elsewhere = yield* follow(b, chatId, idOf(events), 3)
        yield* Cluster.del(member, `/api/chats/${chatId}`)
        ;(yield* model.askedFor(question)).finish()
        for (const { rest } of [events, elsewhere]) {
          const read = yield* rest
          assert.deepStrictEqual(names(read), ["failed"])
          assert.match(read[0]?.data.type, /ChatNotFound/)
        }
      }
    })
  )
})

const words = Array.from({ length: 12 }, (_, i) => `word${i} `)

/** The events of an answer after one, read at one process and, when the connection breaks, from there on at another. */
const readAt = (first: Events, chatId: string, elsewhere: Cluster.Member, after = 0) =>
  Effect.gen(function* () {
    const seen: Array<Received> = [...(yield* first.rest)]
    let resumes = 0
    while (!["completed", "stopped", "failed"].includes(seen.at(-1)?.name ?? "")) {
      resumes++
      const more = yield* follow(elsewhere, chatId, idOf(first), seen.at(-1)?.id ?? after)
      assert.strictEqual(more.status, 200)
      seen.push(...(yield* more.rest))
    }
    return { events: seen, resumes }
  })

layer(NodeServices.layer, { excludeTestServices: true })("a process that is lost", (it) => {
  it.effect(
    "leaves its completions to another: every stream goes on, with no event lost or repeated, and one more call at most",
    () =>
      Effect.gen(function* () {
        const count = 100
        const cluster = yield* Cluster.make
        const [a, b] = yield* Effect.all([cluster.start(), cluster.start()], { concurrency: 2 })
        // The first time, it says some words and waits; the second time, all of them.
        const model = yield* Cluster.model(a, (one) => {
          if (one.time === 1) return one.say(...words.slice(0, 1 + (Number(one.question) % 8)))
          one.say(...words)
          one.finish()
        })
        const sql = yield* Effect.map(
          Layer.build(Postgres.layer({ url: cluster.databaseUrl, maxConnections: 2 })),
          Context.get(SqlClient.SqlClient)
        )
        const streams = yield* Effect.forEach(
          Array.from({ length: count }, (_, i) => i),
          (i) =>
            Effect.gen(function* () {
              const at = i % 2 === 0 ? a : b
              const chatId = yield* newChat(at, model.botId)
              const events = yield* ask(at, chatId, String(i), { "idempotency-key": `stream-${i}` })
              assert.strictEqual(events.status, 200)
              return { i, chatId, events }
            }),
          { concurrency: 10 }
        )
        // And some by the client of this library, which finds its way by itself.
        const balancer = yield* Balancer.make([a, b].map(({ url }) => Number(new URL(url).port)))
        const { chats } = yield* ChatbotClient.layer({
          baseUrl: `http://127.0.0.1:${balancer.port}`,
          token: Redacted.make(token)
        }).pipe(Layer.provide(NodeTransport.layer), Layer.build, Effect.map(Context.get(ChatbotClient)))
        const ofClients = Array.from({ length: 10 }, (_, i) => String(count + i))
        const clients = yield* Effect.forEach(ofClients, (question) =>
          Effect.gen(function* () {
            const chatId = ChatId.make(yield* newChat(b, model.botId))
            return yield* Effect.forkChild(Completion.collect(chats.stream(chatId, question)))
          })
        )
        yield* Effect.forEach(ofClients, (question) => model.askedFor(question), { concurrency: "unbounded" })
        const completions = new Map(streams.map(({ events, i }) => [idOf(events), i]))
        const readers = yield* Effect.forEach(streams, ({ chatId, events }) =>
          Effect.forkChild(readAt(events, chatId, b))
        )
        const committed = Effect.map(
          sql<{ completionId: string; events: Uint8Array }>`
            SELECT completion_id, events FROM completion_events ORDER BY completion_id, first_id`,
          (rows) => {
            const all = new Map<string, string>()
            for (const { completionId, events } of rows) {
              all.set(completionId, `${all.get(completionId) ?? ""}${Buffer.from(events).toString()}`)
            }
            return all
          }
        )
        // Of each, the first words.
        yield* until(
          "all have begun",
          Effect.map(Effect.orDie(committed), (all) =>
            Array.from(completions).every(([id, i]) => all.get(id)?.includes(words[Number(i) % 8] ?? "?") === true)
          )
        )
        const before = yield* committed
        const sockets = model.asked.filter(({ socket }) => !socket.destroyed)
        const asked = count + ofClients.length
        assert.strictEqual(sockets.length, asked)

        yield* a.kill("SIGKILL")
        // What runs in the other goes on; what ran in the one that is gone comes again.
        yield* Effect.raceAll(model.asked.slice(0, asked).map(({ gone }) => gone))
        yield* until(
          "missed and taken over",
          Effect.sync(() => model.asked.length > asked)
        )
        const lost = model.asked.slice(0, asked).filter(({ socket }) => socket.destroyed)
        assert.isBelow(lost.length, asked)
        for (const one of model.asked.slice(0, asked)) {
          if (one.socket.destroyed) continue
          one.say(...words.slice(1 + (Number(one.question) % 8)))
          one.finish()
        }
        const repeated = new Set(lost.map(({ question }) => question))

        let resumes = 0
        for (const [index, reader] of readers.entries()) {
          const { chatId, events: first, i } = streams[index]!
          const read = yield* Fiber.join(reader)
          resumes += read.resumes
          const { events } = read
          const what = `stream ${i}${repeated.has(String(i)) ? ", lost" : ""}`
          assert.deepStrictEqual(
            events.map(({ id }) => id),
            events.map((_, n) => n + 1),
            what
          )
          assert.strictEqual(textOf(events), words.join(""), what)
          const last = events.at(-1)
          assert.strictEqual(last?.name, "completed", what)
          assert.strictEqual(last?.data.completion.assistantMessage, words.join(""), what)
          // What was committed before is there, byte for byte, and nothing twice.
          const whole = yield* follow(b, chatId, idOf(first))
          const log = yield* Effect.as(whole.rest, whole)
          assert.isTrue(
            log
              .text()
              .replace(/^(:\n\n)+/, "")
              .startsWith(before.get(idOf(first)) ?? "?"),
            what
          )
          const calls = model.asked.filter(({ question }) => question === String(i)).length
          assert.strictEqual(calls, repeated.has(String(i)) ? 2 : 1, what)
          assert.strictEqual(last?.data.completion.metaData.tags.includes("repeated"), calls === 2, what)
          assert.strictEqual((yield* Cluster.get(b, `/api/chats/${chatId}`)).completions.length, 1, what)
        }
        for (const client of clients) {
          const { ended, text } = yield* Fiber.join(client)
          assert.deepStrictEqual([ended, text], ["Completed", words.join("")])
        }
        for (const question of ofClients) {
          assert.isAtMost(model.asked.filter((one) => one.question === question).length, 2)
        }
        // Every reader of the process that is gone came back.
        assert.isAtLeast(resumes, count / 2)
        yield* Console.log(
          `      ${asked} streams: ${lost.length} taken over, ${resumes} resumed, ${model.asked.length} calls`
        )
        assert.deepStrictEqual(yield* sql`SELECT * FROM completion_runs`, [])
        assert.deepStrictEqual(yield* sql`SELECT * FROM completion_events`, [])
      }),
    120_000
  )

  it.effect(
    "that is told to stop lets completions end for a while, and hands over the rest",
    () =>
      Effect.gen(function* () {
        const cluster = yield* Cluster.make
        const [a, b] = yield* Effect.all(
          [
            cluster.start({ CHATBOT_SHUTDOWN_GRACE: "2 seconds" }),
            cluster.start({ CHATBOT_SHUTDOWN_GRACE: "2 seconds" })
          ],
          { concurrency: 2 }
        )
        const model = yield* Cluster.model(a, (one) => {
          if (one.time === 1) return one.say("one ", "two ")
          one.say("one ", "two ", "three")
          one.finish()
        })
        const streams = yield* Effect.forEach(
          Array.from({ length: 16 }, (_, i) => `Hand over ${i}`),
          (question, i) =>
            Effect.gen(function* () {
              const at = i % 2 === 0 ? a : b
              const chatId = yield* newChat(at, model.botId)
              const events = yield* begun(at, chatId, question)
              return { question, chatId, events }
            })
        )
        const readers = yield* Effect.forEach(streams, ({ chatId, events }) =>
          Effect.forkChild(readAt(events, chatId, b, 3))
        )
        const spare = yield* newChat(a, model.botId)
        a.child.kill("SIGTERM")
        yield* until(
          "nothing new is begun",
          Effect.map(
            sendTo(a.url, "POST", `/api/chats/${spare}/completions`, { token, body: { userMessage: "Late" } }),
            ({ status }) => status === 503
          )
        )
        // Two of them come to their end in time, wherever they are.
        const early = streams.slice(0, 2).map(({ question }) => question)
        for (const question of early) {
          const asked = yield* model.askedFor(question)
          asked.say("three")
          asked.finish()
        }
        assert.strictEqual((yield* a.ended).code, 0)
        const moved = new Set(model.asked.filter(({ time }) => time === 2).map(({ question }) => question))
        for (const { question } of streams.slice(2)) {
          const asked = yield* model.askedFor(question)
          if (asked.socket.destroyed) continue
          asked.say("three")
          asked.finish()
        }
        for (const [index, reader] of readers.entries()) {
          const { question } = streams[index]!
          const { events } = yield* Fiber.join(reader)
          assert.deepStrictEqual(
            events.map(({ id }) => id),
            [4, 5, 6],
            question
          )
          assert.deepStrictEqual([textOf(events), names(events).at(-1)], ["three", "completed"], question)
        }
        const calls = Object.groupBy(model.asked, ({ question }) => question)
        for (const question of early) assert.strictEqual(calls[question]?.length, 1, question)
        for (const asked of Object.values(calls)) assert.isAtMost(asked?.length ?? 0, 2)
        assert.isAbove(model.asked.length, streams.length)
        yield* Console.log(
          `      ${streams.length} streams: ${model.asked.length - streams.length} handed over, ${moved.size} before it ended`
        )
      }),
    60_000
  )

  it.effect(
    "and comes back, or was only thought lost, writes nothing any more",
    () =>
      Effect.gen(function* () {
        const cluster = yield* Cluster.make
        const short = { CHATBOT_FAILOVER: "5 seconds" }
        const [a, b] = yield* Effect.all([cluster.start(short), cluster.start(short)], { concurrency: 2 })
        const model = yield* Cluster.model(b, (one) => {
          if (one.time === 1) return one.say("one ", "two ")
          one.say("one ", "two ", "three")
          one.finish()
        })
        const streams = yield* Effect.forEach(
          Array.from({ length: 12 }, (_, i) => `Frozen ${i}`),
          (question) =>
            Effect.gen(function* () {
              const chatId = yield* newChat(b, model.botId)
              return { question, chatId, events: yield* begun(b, chatId, question) }
            })
        )
        a.child.kill("SIGSTOP")
        // It will find this when it wakes up, and believe that it is still to be stored.
        for (const one of Array.from(model.asked)) {
          one.say("three")
          one.finish()
        }
        yield* Effect.raceAll(streams.map(({ question }) => model.askedFor(question, 2)))
        a.child.kill("SIGCONT")
        for (const { chatId, events, question } of streams) {
          const rest = yield* events.rest
          assert.deepStrictEqual(
            rest.map(({ id }) => id),
            [4, 5, 6],
            question
          )
          assert.strictEqual(textOf(rest), "three", question)
          const calls = model.asked.filter((one) => one.question === question).length
          assert.isAtMost(calls, 2, question)
          assert.strictEqual(rest.at(-1)?.data.completion.metaData.tags.includes("repeated"), calls === 2, question)
          assert.strictEqual((yield* Cluster.get(b, `/api/chats/${chatId}`)).completions.length, 1, question)
        }
      }),
    60_000
  )

  it.effect(
    "is not asked for a third time, nor believed when it says something else the second time",
    () =>
      Effect.gen(function* () {
        const cluster = yield* Cluster.make
        let a = yield* cluster.start()
        const model = yield* Cluster.model(a, (one) => {
          if (one.question === "Stray" && one.time === 2) {
            one.say("one ", "2 ", "three")
            return one.finish()
          }
          one.say("one ", "two ")
        })
        const sql = yield* Effect.map(
          Layer.build(Postgres.layer({ url: cluster.databaseUrl, maxConnections: 2 })),
          Context.get(SqlClient.SqlClient)
        )
        const streams = yield* Effect.forEach(["Stray", "Thrice", "Stopped"], (question) =>
          Effect.gen(function* () {
            const chatId = yield* newChat(a, model.botId)
            const events = yield* begun(a, chatId, question)
            return { question, chatId, completionId: idOf(events) }
          })
        )
        for (const time of [2, 3]) {
          yield* a.kill("SIGKILL")
          if (time === 3)
            yield* sql`UPDATE completion_runs SET stop = 'Stopped' WHERE completion_id = ${streams[2]!.completionId}`
          a = yield* cluster.start()
          if (time === 2) for (const { question } of streams) yield* model.askedFor(question, 2)
        }
        const [stray, thrice, stopped] = yield* Effect.forEach(streams, ({ chatId, completionId }) =>
          Effect.flatMap(follow(a, chatId, completionId), ({ rest }) => rest)
        )
        for (const events of [stray, thrice]) {
          assert.deepStrictEqual(names(events ?? []), ["started", "delta", "delta", "failed"])
          assert.match(events?.at(-1)?.data.type, /Unavailable/)
        }
        assert.deepStrictEqual(names(stopped ?? []), ["started", "delta", "delta", "stopped"])
        assert.strictEqual(stopped?.at(-1)?.data.text, "one two ")
        assert.strictEqual(model.asked.length, 6)
        // The chats are free again.
        for (const { chatId } of streams) yield* begun(a, chatId, "Free?")
      }),
    60_000
  )
})

layer(NodeServices.layer, { excludeTestServices: true })("a process that joins", (it) => {
  it.effect(
    "breaks nothing off, and holds nothing up",
    () =>
      Effect.gen(function* () {
        const cluster = yield* Cluster.make
        const a = yield* cluster.start()
        const model = yield* Cluster.model(a, (one) => one.say("one ", "two "))
        const ask = (name: string, members: ReadonlyArray<Cluster.Member>) =>
          Effect.forEach(
            Array.from({ length: 24 }, (_, i) => i),
            (i) =>
              Effect.gen(function* () {
                const member = members[i % members.length] ?? a
                const chatId = yield* newChat(member, model.botId)
                return { question: `${name} ${i}`, chatId, events: yield* begun(member, chatId, `${name} ${i}`) }
              }),
            { concurrency: 6 }
          )
        const early = yield* ask("Early", [a])
        const b = yield* cluster.start()
        // Its share of the chats moves to it, with those that are being answered.
        const late = yield* ask("Late", [a, b])
        for (const { question } of [...early, ...late]) {
          const asked = yield* model.askedFor(question)
          asked.say("three")
          asked.finish()
        }
        for (const { events, question } of [...early, ...late]) {
          const rest = yield* events.rest
          assert.deepStrictEqual([textOf(rest), names(rest).at(-1)], ["three", "completed"], question)
          assert.notInclude(rest.at(-1)?.data.completion.metaData.tags, "repeated", question)
        }
        assert.strictEqual(model.asked.length, early.length + late.length)
        for (const { chatId } of early) yield* (yield* begun(b, chatId, "And again")).leave
      }),
    60_000
  )
})

layer(NodeServices.layer, { excludeTestServices: true })("a process that cannot take part", (it) => {
  it.effect(
    "says why, and ends with 1",
    () =>
      Effect.gen(function* () {
        const cluster = yield* Cluster.make
        const a = yield* cluster.start()
        const { port } = new URL(a.url)
        const refused = [
          ["CHATBOT_DATABASE_URL", { CHATBOT_DATABASE_URL: "" }],
          ["CHATBOT_SECRET_KEY", { CHATBOT_SECRET_KEY: Base64.encode(new Uint8Array(32).fill(3)) }],
          // Without one, it makes its own.
          ["CHATBOT_SECRET_KEY", { CHATBOT_SECRET_KEY: "" }],
          ["CHATBOT_RUNNER_PORT", { CHATBOT_RUNNER_PORT: port }],
          ["CHATBOT_DATABASE_CONNECTIONS", { CHATBOT_DATABASE_CONNECTIONS: "4" }],
          ["CHATBOT_FAILOVER", { CHATBOT_FAILOVER: "1 second" }]
        ] as const
        yield* Effect.forEach(
          refused,
          ([name, env]) =>
            Effect.gen(function* () {
              const server = yield* cluster.begin(env)
              const { code, stderr } = yield* server.ended
              assert.strictEqual(code, 1, name)
              assert.include(stderr, name)
              assert.notInclude(stderr, "    at ")
            }),
          { concurrency: 3 }
        )
      }),
    60_000
  )
})
