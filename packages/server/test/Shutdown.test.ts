import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { type Socket, connect } from "node:net"
import * as Fake from "./support/FakeProvider.ts"
import * as ModelProcess from "./support/ModelProcess.ts"
import { sendTo } from "./support/raw.ts"
import * as ServerProcess from "./support/ServerProcess.ts"
import { open, StreamServer } from "./support/StreamServer.ts"

const token = "an-admin-token-of-the-tests"

/** A backend in a process, and a chat in it with a model that says what the test writes. */
const running = Effect.fnUntraced(function* (grace: string) {
  const server = yield* ServerProcess.start({
    CHATBOT_PORT: "0",
    CHATBOT_DATA_DIR: yield* ServerProcess.dataDir,
    CHATBOT_ADMIN_TOKEN: token,
    CHATBOT_LOG_LEVEL: "Error",
    CHATBOT_SHUTDOWN_GRACE: grace
  })
  const baseUrl = yield* server.listening
  const fake = yield* Fake.make
  const said = yield* Queue.unbounded<Socket>()
  fake.answer((socket) => {
    socket.write(Fake.eventsHead + Fake.chunk({ content: "So far" }))
    Queue.offerUnsafe(said, socket)
  })
  yield* ModelProcess.makeBot({ baseUrl, token, provider: fake.url })
  const chatId = yield* ModelProcess.makeChat({ baseUrl, token })
  const here = Layer.succeed(StreamServer, { baseUrl })
  const events = yield* Effect.provide(
    open("POST", `/api/chats/${chatId}/completions`, { token, body: { userMessage: "Why?" } }),
    here
  )
  yield* Effect.replicateEffect(events.next, 2)
  const socket = yield* Queue.take(said)
  return { baseUrl, chatId, events, server, socket }
})

const until = (condition: Effect.Effect<boolean>): Effect.Effect<void> =>
  Effect.flatMap(condition, (holds) => (holds ? Effect.void : Effect.andThen(Effect.sleep(10), until(condition))))

const readiness = (baseUrl: string) => Effect.map(sendTo(baseUrl, "GET", "/health/ready"), ({ status }) => status)

/** A connection on which nothing was asked yet, and whether the other side has closed it. */
const silent = (baseUrl: string) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly isClosed: () => boolean; readonly socket: Socket }>((resume) => {
      let closed = false
      const { hostname, port } = new URL(baseUrl)
      const socket = connect(Number(port), hostname, () => resume(Effect.succeed({ isClosed: () => closed, socket })))
      socket.on("error", () => {})
      socket.on("close", () => {
        closed = true
      })
      socket.resume()
    }),
    ({ socket }) => Effect.sync(() => socket.destroy())
  )

layer(NodeServices.layer, { excludeTestServices: true })("a backend that is told to stop", (it) => {
  it.effect("refuses what is new, lets a stream come to its end, and ends with 0", () =>
    Effect.gen(function* () {
      const { baseUrl, chatId, events, server, socket } = yield* running("1 minute")
      assert.strictEqual(yield* readiness(baseUrl), 200)
      // A connection that was used and is kept alive.
      const kept = yield* silent(baseUrl)
      kept.socket.write("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
      yield* Effect.callback<void>((resume) => {
        kept.socket.once("data", () => resume(Effect.void))
      })
      // And one on which no request will ever come.
      yield* silent(baseUrl)

      server.child.kill("SIGTERM")
      yield* until(Effect.map(readiness(baseUrl), (status) => status === 503))
      const ready = yield* sendTo(baseUrl, "GET", "/health/ready")
      assert.deepStrictEqual([ready.status, ready.json()], [503, { status: "failed", checks: { stopping: "failed" } }])
      assert.strictEqual((yield* sendTo(baseUrl, "GET", "/health/live")).status, 200)
      yield* until(Effect.sync(kept.isClosed))
      for (const [method, path] of [
        ["GET", "/api/bots"],
        ["POST", `/api/chats/${chatId}/completions`],
        ["GET", "/openapi.json"]
      ] as const) {
        const refused = yield* sendTo(baseUrl, method, path, { token, body: { userMessage: "And now?" } })
        assert.strictEqual(refused.status, 503, path)
        assert.strictEqual(refused.json().type, "urn:effect-chatbot:problem:Unavailable")
        assert.deepInclude(refused.headers, { connection: "close", "retry-after": "5" })
      }
      socket.end(Fake.chunk({ content: " so good" }) + Fake.chunk({}, "stop") + Fake.event("[DONE]"))
      const rest = yield* events.rest
      assert.deepStrictEqual(
        rest.map(({ name }) => name),
        ["delta", "sources", "completed"]
      )
      assert.strictEqual((yield* server.ended).code, 0)
    })
  )

  it.effect("breaks a stream off when its time is over, says so in it, and ends with 0", () =>
    Effect.gen(function* () {
      const { events, server } = yield* running("50 millis")
      server.child.kill("SIGINT")
      const [failed] = yield* events.rest
      assert.strictEqual(failed?.name, "failed")
      assert.strictEqual(failed?.data.type, "urn:effect-chatbot:problem:Unavailable")
      assert.strictEqual((yield* server.ended).code, 0)
    })
  )

  it.effect("ends at once when it is told again", () =>
    Effect.gen(function* () {
      const { baseUrl, server } = yield* running("10 minutes")
      server.child.kill("SIGTERM")
      yield* until(Effect.map(readiness(baseUrl), (status) => status === 503))
      assert.strictEqual((yield* server.kill("SIGTERM")).code, 143)
    })
  )
})
