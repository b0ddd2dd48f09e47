import * as EventStream from "@effect-chatbot/api/EventStream"
import { ProviderFailed } from "@effect-chatbot/schema/Errors"
import { maxAnswerLength } from "@effect-chatbot/server/Answering"
import { Retention } from "@effect-chatbot/server/Retention"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import { connect } from "node:net"
import { fileURLToPath } from "node:url"
import {
  type Events,
  layer as server,
  layerWithoutGrace,
  open,
  type Received,
  send,
  stepped,
  StreamServer,
  tokenOf
} from "./support/StreamServer.ts"
import * as ServerProcess from "./support/ServerProcess.ts"
import * as Services from "./support/TestServices.ts"

const endless = fileURLToPath(new URL("support/endless.ts", import.meta.url))

class NotAnEvent extends Data.TaggedError("NotAnEvent")<{ readonly name: string }> {}

let count = 0

/** A user with a chat of their own. */
const someone = Effect.gen(function* () {
  const login = `streamer-${++count}`
  const token = yield* tokenOf(login)
  const botId = yield* Services.bot({ code: login, displayName: "Helper", isOpen: 1 })
  const created = yield* send("POST", "/api/chats", { token, body: { botId } })
  const chatId: string = JSON.parse(created.text).chatId
  const completions = `/api/chats/${chatId}/completions`
  const ask = (userMessage: string, body?: object) =>
    open("POST", completions, { token, body: { userMessage, ...body } })
  const askPlain = (userMessage: string) => send("POST", completions, { token, body: { userMessage } })
  const stored = Effect.map(send("GET", `/api/chats/${chatId}`, { token }), ({ text }) => JSON.parse(text).completions)
  return { ask, askPlain, botId, chatId, completions, stored, token }
})

/** A question of somebody, to a provider that answers step by step. */
const asked = Effect.gen(function* () {
  const who = yield* someone
  const steps = yield* stepped
  yield* Effect.flatMap(Services.TestProvider, (_) => _.stream(steps.streaming))
  const events = yield* who.ask("Why?")
  const started = yield* events.next
  assert.strictEqual(started.name, "started")
  const completionId: string = started.data.completionId
  const run = `${who.completions}/${completionId}`
  const follow = (after?: number | string, token: string | undefined = who.token) =>
    open("GET", `${run}/events`, { token, headers: after === undefined ? {} : { "last-event-id": String(after) } })
  const stop = send("POST", `${run}/stop`, { token: who.token })
  return { ...who, ...steps, completionId, events, follow, run, started, stop }
})

const answer = (text: string) =>
  Effect.flatMap(Services.TestProvider, (_) =>
    _.behave(() => Effect.succeed(Services.answer({ assistantMessage: text })))
  )

const names = (events: ReadonlyArray<Received>) => events.map(({ name }) => name)
const ids = (events: ReadonlyArray<Received>) => events.map(({ id }) => id)
const text = (events: ReadonlyArray<Received>) =>
  events.flatMap(({ data, name }) => (name === "delta" ? [data.text] : [])).join("")

const take = (events: Events, count: number) => Effect.replicateEffect(events.next, count)

const problem = (answer: { readonly status: number; readonly text: string }, status: number, tag: string) => {
  assert.strictEqual(answer.status, status, answer.text)
  assert.strictEqual(JSON.parse(answer.text).type, `urn:effect-chatbot:problem:${tag}`)
}

/** Until what is waited for is so: nothing tells when it happens on the other side of a socket. */
const until = <R>(condition: Effect.Effect<boolean, never, R>) =>
  Effect.repeat(
    Effect.andThen(
      Effect.promise(() => new Promise(setImmediate)),
      condition
    ),
    { until: (is) => is }
  )

const rows = (table: string, chatId: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return (yield* sql`SELECT * FROM ${sql(table)} WHERE chat_id = ${chatId}`).length
  }).pipe(Effect.orDie)

layer(server, { excludeTestServices: true })("a completion as a stream", (it) => {
  it.effect("is started, said, sourced and completed, numbered from 1", () =>
    Effect.gen(function* () {
      const { ask, botId, chatId, stored } = yield* someone
      const source = yield* Services.document(botId, "a.md")
      yield* Effect.flatMap(Services.TestProvider, (_) =>
        _.behave(() =>
          Effect.succeed(Services.answer({ assistantMessage: "One two\n three", sources: [source], tags: ["answer"] }))
        )
      )
      const events = yield* ask("Why?")
      assert.deepInclude(events.headers, {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        "x-accel-buffering": "no"
      })
      assert.isString(events.headers["x-request-id"])
      const all = yield* events.rest
      assert.deepStrictEqual(names(all), ["started", "delta", "delta", "delta", "sources", "completed"])
      assert.deepStrictEqual(ids(all), [1, 2, 3, 4, 5, 6])
      const [started] = all
      assert.deepInclude(started?.data, { chatId, botId, botDisplayName: "Helper" })
      assert.strictEqual(text(all), "One two\n three")
      const completed = all.at(-1)?.data.completion
      assert.deepInclude(completed, {
        completionId: started?.data.completionId,
        chatId,
        userMessage: "Why?",
        assistantMessage: "One two\n three",
        promptTokens: 3,
        chatDisplayName: "Why?"
      })
      assert.strictEqual(completed.metaData.sources[0].fileName, "a.md")
      assert.deepStrictEqual(all.at(-2)?.data, { metaData: completed.metaData })
      const [kept] = yield* stored
      assert.deepInclude(kept, { completionId: completed.completionId, assistantMessage: "One two\n three" })
    })
  )

  it.effect("is what was said when it is said, not later", () =>
    Effect.gen(function* () {
      const { events, finish, say } = yield* asked
      for (const word of ["one ", "two ", "three"]) {
        yield* say(word)
        assert.deepStrictEqual((yield* events.next).data, { text: word })
      }
      yield* finish
      assert.deepStrictEqual(names(yield* events.rest), ["sources", "completed"])
    })
  )

  it.effect.each([
    ["text/event-stream", true],
    ["text/event-stream, application/json;q=0.5", true],
    ["text/*, application/json;q=0.1", true],
    ["application/json, text/event-stream", false],
    ["application/json", false],
    ["*/*", false]
  ] as const)("is answered to Accept: %s? %s", ([accept, isStream]) =>
    Effect.gen(function* () {
      const { completions, token } = yield* someone
      yield* answer("Hello.")
      const { headers, status, text } = yield* send("POST", completions, {
        token,
        headers: { accept },
        body: { userMessage: "Hi" }
      })
      assert.strictEqual(status, 200)
      assert.strictEqual(headers["content-type"], isStream ? "text/event-stream" : "application/json")
      if (!isStream) assert.strictEqual(JSON.parse(text).assistantMessage, "Hello.")
    })
  )

  it.effect("is an ordinary problem when it does not begin", () =>
    Effect.gen(function* () {
      const { ask, chatId, completions, token } = yield* someone
      const { token: other } = yield* someone
      const headers = { accept: "text/event-stream" }
      const body = { userMessage: "Hi" }
      const post = (options: object, path = completions) => send("POST", path, { token, headers, body, ...options })
      problem(yield* post({ token: "nonsense" }), 401, "Unauthorized")
      problem(yield* post({ body: { ...body, isTraceLogEnabled: true } }), 403, "Forbidden")
      problem(yield* post({ token: other }), 404, "ChatNotFound")
      problem(yield* post({ body: { userMessage: "" } }), 400, "InvalidRequest")
      problem(yield* post({ body: { userMessage: "x".repeat(3_000_000) } }), 413, "PayloadTooLarge")
      const { finish, streaming } = yield* stepped
      yield* Effect.flatMap(Services.TestProvider, (_) => _.stream(streaming))
      const events = yield* ask("Hi")
      yield* events.next
      problem(yield* post({}), 409, "ChatBusy")
      yield* finish
      yield* events.rest
      assert.strictEqual(yield* rows("completions", chatId), 1)
    })
  )

  it.effect("can be read again from every event when it has ended", () =>
    Effect.gen(function* () {
      const { events, finish, follow, say, started } = yield* asked
      for (let word = 0; word < 20; word++) yield* say(`word-${word} `)
      yield* finish
      const all = [started, ...(yield* events.rest)]
      assert.lengthOf(all, 23)
      for (let after = 0; after <= all.length; after++) {
        const again = yield* follow(after)
        assert.deepStrictEqual(yield* again.rest, all.slice(after))
      }
      assert.deepStrictEqual(yield* (yield* follow()).rest, all)
      assert.deepStrictEqual(yield* (yield* follow("")).rest, all)
    })
  )

  it.effect("can be followed from every event while it runs", () =>
    Effect.gen(function* () {
      const { events, finish, follow, say, started } = yield* asked
      const seen = [started]
      const followers: Array<{ readonly after: number; readonly events: Events }> = []
      for (let word = 0; word < 12; word++) {
        yield* say(`word-${word} `)
        seen.push(yield* events.next)
        for (const after of [0, word, word + 1, word + 2]) followers.push({ after, events: yield* follow(after) })
      }
      yield* finish
      seen.push(...(yield* events.rest))
      for (const { after, events } of followers) assert.deepStrictEqual(yield* events.rest, seen.slice(after))
    })
  )

  it.effect("is followed by many, each at its own pace, and goes on when one of them leaves", () =>
    Effect.gen(function* () {
      const { events, finish, follow, say } = yield* asked
      const other = yield* follow(0)
      yield* say("one ")
      assert.deepStrictEqual(names(yield* take(other, 2)), ["started", "delta"])
      yield* other.leave
      yield* say("two ")
      const third = yield* follow(2)
      assert.deepStrictEqual((yield* third.next).data, { text: "two " })
      yield* finish
      assert.strictEqual(text(yield* events.rest), "one two ")
      assert.deepStrictEqual(names(yield* third.rest), ["sources", "completed"])
    })
  )

  it.effect("goes on when everybody left, and can be come back to, while it runs and after", () =>
    Effect.gen(function* () {
      const { asked: isAsked, chatId, completionId, events, finish, follow, say, stored } = yield* asked
      yield* isAsked
      yield* say("one ")
      yield* events.next
      yield* events.leave
      yield* say("two ")
      const back = yield* follow(2)
      assert.deepStrictEqual(yield* back.next, { id: 3, name: "delta", data: { text: "two " } })
      yield* back.leave
      yield* say("three")
      yield* finish
      yield* until(Effect.map(rows("completions", chatId), (count) => count === 1))
      assert.deepStrictEqual(names(yield* (yield* follow(3)).rest), ["delta", "sources", "completed"])
      assert.deepInclude((yield* stored)[0], { completionId, assistantMessage: "one two three" })
    })
  )

  it.effect("answers at once where there is nothing to read yet", () =>
    Effect.gen(function* () {
      const { finish, follow } = yield* asked
      const events = yield* follow(1)
      assert.strictEqual(events.status, 200)
      yield* finish
      assert.deepStrictEqual(names(yield* events.rest), ["sources", "completed"])
      assert.isTrue(events.text().startsWith(":\n\n"))
    })
  )

  it.effect.each(["-1", "1.5", "abc", "0x1", "1 2", "99999999999999", "4"])("refuses a Last-Event-ID of %s", (id) =>
    Effect.gen(function* () {
      const { events, finish, run, token } = yield* asked
      yield* finish
      yield* events.rest
      const answer = yield* send("GET", `${run}/events`, { token, headers: { "last-event-id": id } })
      problem(answer, 400, "InvalidRequest")
      assert.deepStrictEqual(JSON.parse(answer.text).issues[0].path, ["headers", "last-event-id"])
    })
  )

  it.effect("and its end are for those who reach the chat", () =>
    Effect.gen(function* () {
      const { completionId, events, finish, run, token } = yield* asked
      const other = yield* someone
      for (const path of [run, `${other.completions}/${completionId}`]) {
        const tag = path === run ? "ChatNotFound" : "CompletionNotFound"
        problem(yield* send("GET", `${path}/events`, { token: other.token }), 404, tag)
        problem(yield* send("POST", `${path}/stop`, { token: other.token }), 404, tag)
      }
      problem(yield* send("GET", `${run}/events`), 404, "ChatNotFound")
      problem(yield* send("POST", `${run}/stop`), 404, "ChatNotFound")
      problem(yield* send("GET", `${run}x/events`, { token }), 404, "CompletionNotFound")
      problem(yield* send("POST", `${run}x/stop`, { token }), 404, "CompletionNotFound")
      yield* finish
      assert.deepStrictEqual(names(yield* events.rest), ["sources", "completed"])
      problem(yield* send("GET", `${run}/events`, { token: other.token }), 404, "ChatNotFound")
    })
  )

  it.effect("of an anonymous chat is for whoever has its id, but for a trace log", () =>
    Effect.gen(function* () {
      const { botId } = yield* someone
      const boss = yield* tokenOf("boss", ["Admin", "User"])
      const created = yield* send("POST", "/api/chats", { body: { botId } })
      const path = `/api/chats/${JSON.parse(created.text).chatId}/completions`
      yield* answer("Hello.")
      const ask = (token: string | undefined, body: object) =>
        open("POST", path, { token, body: { userMessage: "Hi", ...body } })
      const [started] = yield* (yield* ask(undefined, {})).rest
      assert.strictEqual((yield* send("GET", `${path}/${started?.data.completionId}/events`)).status, 200)

      const { finish, streaming } = yield* stepped
      yield* Effect.flatMap(Services.TestProvider, (_) => _.stream(streaming))
      const traced = yield* ask(boss, { isTraceLogEnabled: true })
      const run = `${path}/${(yield* traced.next).data.completionId}/events`
      problem(yield* send("GET", run), 404, "CompletionNotFound")
      yield* finish
      assert.include((yield* traced.rest).at(-1)?.data.completion.traceLog, "bot: ")
      problem(yield* send("GET", run), 404, "CompletionNotFound")
      assert.include((yield* send("GET", run, { token: boss })).text, "bot: ")
    })
  )

  it.effect("keeps every text in its event, whatever it is", () =>
    Effect.gen(function* () {
      const { ask, askPlain, completions, stored, token } = yield* someone
      const hostile = 'a\r\nb\rc d\u2028\n\nevent: completed\ndata: {"completion":{}}\n\nid: 99\n\n:end'
      yield* answer(`${hostile}\0`)
      // What no database can hold is left out of an answer.
      const kept = `${hostile}\uFFFD`
      const events = yield* ask(hostile)
      const all = yield* events.rest
      assert.deepStrictEqual(
        ids(all),
        all.map((_, index) => index + 1)
      )
      assert.strictEqual(names(all).filter((name) => name === "completed").length, 1)
      assert.strictEqual(text(all), kept)
      assert.strictEqual(all.at(-1)?.data.completion.assistantMessage, kept)
      assert.strictEqual((yield* stored)[0].assistantMessage, kept)
      const again = yield* send("GET", `${completions}/${all[0]?.data.completionId}/events`, { token })
      const decoded = yield* Stream.make(new TextEncoder().encode(again.text)).pipe(
        EventStream.decode({ onInvalid: ({ name }) => new NotAnEvent({ name }) }),
        Stream.runCollect
      )
      assert.deepStrictEqual(
        decoded.map((read) => (read._tag === "Event" && read.event._tag === "Delta" ? read.event.text : "")).join(""),
        kept
      )
      assert.strictEqual(JSON.parse((yield* askPlain(hostile)).text).assistantMessage, kept)
    })
  )

  it.effect("fails with the problem that it would have been, and what was said is not stored", () =>
    Effect.gen(function* () {
      const { ask, chatId, completions, token } = yield* someone
      const half = Stream.make({ _tag: "Delta", text: "half" } as const)
      const cases = [
        [Stream.concat(half, Stream.fail(new ProviderFailed({}))), "ProviderFailed", 502],
        [half, "ProviderFailed", 502],
        [Stream.make({ _tag: "Delta", text: "x".repeat(maxAnswerLength + 1) } as const), "ProviderFailed", 502],
        [Stream.concat(half, Stream.die(new Error("secret of the house"))), "InternalError", 500]
      ] as const
      for (const [streaming, tag, status] of cases) {
        yield* Effect.flatMap(Services.TestProvider, (_) => _.stream(() => streaming))
        const events = yield* ask("Hi")
        const all = yield* events.rest
        const failed = all.at(-1)
        assert.strictEqual(failed?.name, "failed")
        assert.deepInclude(failed?.data, {
          completionId: all[0]?.data.completionId,
          type: `urn:effect-chatbot:problem:${tag}`,
          status
        })
        assert.isString(failed?.data.detail)
        if (tag === "InternalError") assert.match(failed?.data.ref, /^[0-9a-f]{8}$/)
        assert.notInclude(events.text(), "secret")
        const again = yield* open("GET", `${completions}/${all[0]?.data.completionId}/events`, { token })
        assert.deepStrictEqual(yield* again.rest, all)
        assert.strictEqual(
          (yield* send("POST", `${completions}/${all[0]?.data.completionId}/stop`, { token })).status,
          200
        )
      }
      assert.strictEqual(yield* rows("completions", chatId), 0)
    })
  )

  it.effect("tells a plain caller of a defect under one ref", () =>
    Effect.gen(function* () {
      const { askPlain } = yield* someone
      const steps = yield* stepped
      yield* Effect.flatMap(Services.TestProvider, (_) =>
        _.stream(() => Stream.concat(steps.streaming().pipe(Stream.take(1)), Stream.die(new Error("secret"))))
      )
      const plain = yield* Effect.forkChild(askPlain("Hi"))
      yield* steps.asked
      yield* steps.say("half")
      const failed = yield* Fiber.join(plain)
      problem(failed, 500, "InternalError")
      assert.notInclude(failed.text, "secret")
    })
  )

  it.effect(
    "is begun once with an idempotency key, and who sends it again is told which answer it is, and gets its events",
    () =>
      Effect.gen(function* () {
        const { chatId, completions, token } = yield* someone
        const steps = yield* stepped
        yield* Effect.flatMap(Services.TestProvider, (_) => _.stream(steps.streaming))
        const keyed = {
          token,
          body: { userMessage: "Why?" },
          headers: { accept: "text/event-stream", "idempotency-key": `key-${chatId}` }
        }
        const events = yield* open("POST", completions, keyed)
        const { data } = yield* events.next
        assert.strictEqual(events.headers["completion-id"], data.completionId)
        const busy = yield* send("POST", completions, keyed)
        problem(busy, 409, "IdempotencyKeyInUse")
        assert.strictEqual(busy.json().completionId, data.completionId)
        yield* steps.say("half")
        yield* events.next
        yield* events.leave
        assert.strictEqual((yield* send("POST", `${completions}/${data.completionId}/stop`, { token })).status, 200)
        const replayed = yield* open("POST", completions, keyed)
        assert.strictEqual(replayed.headers["idempotency-replayed"], "true")
        assert.strictEqual(replayed.headers["completion-id"], data.completionId)
        assert.deepStrictEqual(names(yield* replayed.rest), ["started", "delta", "stopped"])
        const followed = yield* open("GET", `${completions}/${data.completionId}/events`, { token })
        yield* followed.rest
        assert.strictEqual(replayed.text(), followed.text())
        const plain = yield* send("POST", completions, {
          ...keyed,
          headers: { ...keyed.headers, accept: "application/json" }
        })
        assert.deepInclude(plain.json(), { completionId: data.completionId, assistantMessage: "half" })
        assert.strictEqual(yield* rows("completions", chatId), 1)
      })
  )

  it.effect(
    "does not wait for a reader that does not read",
    () =>
      Effect.gen(function* () {
        const { chatId, completions, token } = yield* someone
        const { baseUrl } = yield* StreamServer
        const steps = yield* stepped
        yield* Effect.flatMap(Services.TestProvider, (_) => _.stream(steps.streaming))
        const body = JSON.stringify({ userMessage: "Hi" })
        const socket = yield* Effect.acquireRelease(
          Effect.sync(() => connect(Number(new URL(baseUrl).port), "127.0.0.1")),
          (socket) => Effect.sync(() => socket.destroy())
        )
        socket.pause()
        socket.write(
          `POST ${completions} HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\nauthorization: Bearer ${token}\r\n` +
            `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
        )
        yield* steps.asked
        // More than the buffers of a connection hold: each of these characters is six on the wire, and all are in the last event again.
        const pieces = 30_000
        yield* Effect.replicateEffect(steps.say("\u0001".repeat(16)), pieces, { discard: true })
        yield* steps.finish
        yield* until(Effect.map(rows("completions", chatId), (count) => count === 1))
        const sql = yield* SqlClient.SqlClient
        const [log] = yield* sql<{ completionId: string; size: number }>`
        SELECT completion_id, length(events) AS size FROM completion_logs WHERE chat_id = ${chatId}`
        assert.isAbove(log?.size ?? 0, 6_000_000)
        assert.strictEqual(socket.bytesRead, 0)
        const events = yield* open("GET", `${completions}/${log?.completionId}/events`, { token })
        const all = yield* events.rest
        assert.lengthOf(all, pieces + 3)
        // And the slow one gets it all when it reads at last.
        let received = ""
        let end = ""
        const closing = Effect.callback<void>((resume) => {
          socket.setEncoding("utf8")
          socket.on("data", (chunk: string) => {
            received += chunk
            end = (end + chunk).slice(-7)
            if (end === "\r\n0\r\n\r\n") resume(Effect.void)
          })
          socket.resume()
        })
        yield* closing
        assert.strictEqual(received.match(/event: delta/g)?.length, pieces)
      }),
    60_000
  )

  it.effect("goes with its chat and with its completion, and after a day", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const retention = yield* Retention
      yield* answer("Hello.")
      const finished = Effect.gen(function* () {
        const who = yield* someone
        const all = yield* (yield* who.ask("Hi")).rest
        const completionId: string = all[0]?.data.completionId
        const status = Effect.map(
          send("GET", `${who.completions}/${completionId}/events`, { token: who.token }),
          ({ status }) => status
        )
        assert.strictEqual(yield* status, 200)
        return { ...who, completionId, status }
      })
      const one = yield* finished
      const deleted = yield* send("DELETE", `/api/users/current/chats/${one.chatId}/completion/${one.completionId}`, {
        token: one.token
      })
      assert.strictEqual(deleted.status, 200)
      assert.deepStrictEqual([yield* one.status, yield* rows("completion_logs", one.chatId)], [404, 0])

      const two = yield* finished
      yield* send("DELETE", `/api/chats/${two.chatId}`, { token: two.token })
      assert.deepStrictEqual([yield* two.status, yield* rows("completion_logs", two.chatId)], [404, 0])

      const three = yield* finished
      const age = (ago: string) =>
        sql`UPDATE completion_logs SET created_utc = ${new Date(Date.now() - Number(ago)).toISOString()}
          WHERE chat_id = ${three.chatId}`
      const day = 24 * 60 * 60 * 1000
      yield* age(String(day - 60_000))
      assert.strictEqual((yield* retention.run).logs, 0)
      assert.strictEqual(yield* three.status, 200)
      yield* age(String(day))
      assert.strictEqual((yield* retention.run).logs, 1)
      assert.strictEqual(yield* three.status, 404)
      const stop = yield* send("POST", `${three.completions}/${three.completionId}/stop`, { token: three.token })
      assert.strictEqual(stop.status, 200)
    })
  )
})

layer(server, { excludeTestServices: true })("stopping a completion", (it) => {
  it.effect("ends it where it is, stores it so, and frees the chat", () =>
    Effect.gen(function* () {
      const { ask, chatId, completionId, events, follow, interrupted, say, started, stop, stored } = yield* asked
      yield* say("one two ")
      const said = yield* events.next
      const follower = yield* follow(2)
      assert.deepInclude(yield* stop, { status: 200, text: "" })
      yield* interrupted
      yield* say("three")
      const rest = yield* events.rest
      assert.deepStrictEqual(rest, [{ id: 3, name: "stopped", data: { completionId, text: "one two " } }])
      assert.deepStrictEqual(yield* follower.rest, rest)
      assert.deepStrictEqual(yield* (yield* follow(0)).rest, [started, said, ...rest])
      const [kept] = yield* stored
      assert.deepInclude(kept, { completionId, assistantMessage: "one two " })
      assert.deepStrictEqual(kept.metaData, { tags: ["stopped"], sources: [] })
      const sql = yield* SqlClient.SqlClient
      assert.deepStrictEqual(
        yield* sql`SELECT prompt_tokens, completion_tokens FROM completions WHERE chat_id = ${chatId}`,
        [{ promptTokens: 1, completionTokens: 2 }]
      )
      assert.strictEqual((yield* stop).status, 200)
      yield* answer("Again.")
      assert.strictEqual((yield* (yield* ask("Again?")).rest).at(-1)?.name, "completed")
      assert.deepStrictEqual((yield* Services.TestProvider).requests.at(-1)?.history, [
        { userMessage: "Why?", assistantMessage: "one two " }
      ])
    })
  )

  it.effect("with all others ends their streams, and tells plain callers", () =>
    Effect.gen(function* () {
      const { chatId, events, say } = yield* asked
      yield* say("half")
      yield* events.next
      const boss = yield* tokenOf("boss", ["Admin", "User"])
      const answer = yield* send("GET", "/api/bots/stop", { token: boss })
      assert.deepStrictEqual([answer.status, answer.text], [200, "true"])
      assert.deepStrictEqual(names(yield* events.rest), ["stopped"])
      assert.strictEqual(yield* rows("completions", chatId), 1)
    })
  )

  it.effect("before a word was said still tells who was to answer", () =>
    Effect.gen(function* () {
      const { completionId, events, follow, started, stop, stored } = yield* asked
      yield* stop
      assert.deepStrictEqual(names(yield* events.rest), ["stopped"])
      assert.deepStrictEqual((yield* (yield* follow(0)).rest)[0], started)
      assert.deepInclude((yield* stored)[0], { completionId, assistantMessage: "" })
    })
  )
})

describe("a backend that shuts down", () => {
  const build = Effect.fnUntraced(function* (backend: typeof server) {
    const scope = yield* Scope.make()
    const context = yield* Layer.buildWithScope(backend, scope)
    return { close: Scope.close(scope, Exit.void), context }
  })

  it.live("tells the readers of what it breaks off, and stores nothing of it", () =>
    Effect.gen(function* () {
      const { close, context } = yield* build(layerWithoutGrace)
      const { askPlain, events, say } = yield* Effect.provideContext(
        Effect.gen(function* () {
          const first = yield* asked
          return { ...first, askPlain: (yield* someone).askPlain }
        }),
        context
      )
      yield* say("half")
      yield* events.next
      const plain = yield* Effect.forkChild(Effect.provideContext(askPlain("Why?"), context))
      const { requests } = yield* Effect.provideContext(Services.TestProvider, context)
      yield* until(Effect.sync(() => requests.length === 2))
      const closing = yield* Effect.forkChild(close)
      const rest = yield* events.rest
      assert.deepStrictEqual(names(rest), ["failed"])
      assert.deepInclude(rest[0]?.data, { type: "urn:effect-chatbot:problem:Unavailable", status: 503 })
      problem(yield* Fiber.join(plain), 503, "Unavailable")
      yield* Fiber.join(closing)
    }).pipe(Effect.scoped)
  )

  it.live("lets an answer end that ends in time, and its readers read that", () =>
    Effect.gen(function* () {
      const { close, context } = yield* build(server)
      const { events, finish, follow, say } = yield* Effect.provideContext(asked, context)
      const follower = yield* Effect.provideContext(follow(0), context)
      yield* say("half ")
      yield* events.next
      const closing = yield* Effect.forkChild(close)
      yield* Effect.yieldNow
      yield* say("whole")
      yield* finish
      assert.deepStrictEqual(names(yield* events.rest), ["delta", "sources", "completed"])
      assert.strictEqual(text(yield* follower.rest), "half whole")
      yield* Fiber.join(closing)
    }).pipe(Effect.scoped)
  )
})

layer(NodeServices.layer, { excludeTestServices: true })("a backend that is killed", (it) => {
  it.effect("has nothing of what it was saying, and nothing half", () =>
    Effect.gen(function* () {
      const dataDir = yield* ServerProcess.dataDir
      const filename = `${dataDir}/chatbot.db`
      const first = yield* ServerProcess.start({ DATABASE: filename }, endless)
      const baseUrl = yield* first.listening
      const body = { userMessage: "Why?" }
      const before = yield* Effect.gen(function* () {
        const bots = yield* send("GET", "/api/chats/OpenChatBotId")
        const created = yield* send("POST", "/api/chats", { body: { botId: JSON.parse(bots.text).openChatBotId } })
        const path = `/api/chats/${JSON.parse(created.text).chatId}`
        const events = yield* open("POST", `${path}/completions`, { body })
        const [started, said] = yield* take(events, 2)
        assert.deepStrictEqual(said?.data, { text: "half " })
        return { events, path, run: `${path}/completions/${started?.data.completionId}` }
      }).pipe(Effect.provideService(StreamServer, { baseUrl }))
      yield* first.kill("SIGKILL")
      assert.deepStrictEqual(yield* before.events.rest, [])

      const second = yield* ServerProcess.start({ DATABASE: filename }, endless)
      const again = yield* second.listening
      yield* Effect.gen(function* () {
        problem(yield* send("GET", `${before.run}/events`), 404, "CompletionNotFound")
        problem(yield* send("POST", `${before.run}/stop`), 404, "CompletionNotFound")
        assert.deepStrictEqual(JSON.parse((yield* send("GET", before.path)).text).completions, [])
        const events = yield* open("POST", `${before.path}/completions`, { body })
        assert.deepStrictEqual(names(yield* take(events, 2)), ["started", "delta"])
      }).pipe(Effect.provideService(StreamServer, { baseUrl: again }))
    }).pipe(Effect.scoped)
  )
})
