/** What only the transport for Node does. */
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import * as Timeouts from "@effect-chatbot/client/Timeouts"
import * as Errors from "@effect-chatbot/schema/Errors"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Socket } from "node:net"
import { inspect } from "node:util"
import { MockAgent } from "undici"
import { vi } from "vitest"
import { certificate, proxyServer, socketServer, tlsServer } from "./support/Sockets.ts"

const get = (url: string) => Effect.flatMap(HttpClient.HttpClient, (client) => client.get(url))
const textOf = (url: string) => Effect.flatMap(get(url), (response) => response.text)

const ok = (body: string) => `HTTP/1.1 200 OK\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

const large = Buffer.alloc(2 ** 20, "x")

const answerLarge = (socket: Socket) => {
  socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${large.length}\r\n\r\n`)
  socket.write(large)
}

const over = Effect.provide(NodeTransport.layer)
const overOptions = (options: NodeTransport.Options) => Effect.provide(NodeTransport.layerOptions(options))

/** The error of a call by the client. */
const failing = <E>(baseUrl: string, transport: Layer.Layer<HttpClient.HttpClient, E>) =>
  Effect.flatMap(ChatbotClient, ({ users }) => Effect.flip(users.current)).pipe(
    Effect.provide(Layer.provide(ChatbotClient.layer({ baseUrl }), transport))
  )

/** Sockets have their turn. */
const tick = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))

/** How many wait for the end of a fiber. */
const observers = (fiber: object): number => {
  const { _observers: waiting } = fiber as { readonly _observers?: ReadonlyArray<unknown> }
  return waiting?.length ?? 0
}

/** A server that takes connections and says nothing, not even for TLS. */
const silent = socketServer(() => {})

describe("the limit of a connection", () => {
  const connectWithin = (connect: Duration.Input) => Layer.succeed(Timeouts.Timeouts, { ...Timeouts.standard, connect })

  it("is 10 seconds", () => {
    assert.strictEqual(Timeouts.standard.connect, "10 seconds")
  })

  it.live("ends a call that gets none", () =>
    Effect.gen(function* () {
      const { host } = yield* silent
      const [time, error] = yield* Effect.timed(
        failing(`https://${host}`, NodeTransport.layer).pipe(Effect.provide(connectWithin("50 millis")))
      )
      assert.instanceOf(error, Errors.RequestTimedOut)
      assert.strictEqual(error.limit, "connect")
      assert.deepStrictEqual(error.duration, Duration.millis(50))
      assert.strictEqual(error.message, `No connection to ${host} came about within 50ms.`)
      assert.isBelow(Duration.toMillis(time), 5000)
    })
  )

  it.live("can be changed by a layer under the client", () =>
    Effect.gen(function* () {
      const { host } = yield* silent
      const layer = Layer.provide(ChatbotClient.layer({ baseUrl: `https://${host}` }), [
        NodeTransport.layer,
        connectWithin("50 millis")
      ])
      const error = yield* Effect.flatMap(ChatbotClient, ({ users }) => Effect.flip(users.current)).pipe(
        Effect.provide(layer)
      )
      assert.instanceOf(error, Errors.RequestTimedOut)
      assert.strictEqual(error.limit, "connect")
    })
  )

  it.live("is over when the request is on its way", () =>
    Effect.gen(function* () {
      const { host } = yield* socketServer((socket) => setTimeout(() => socket.write(ok("a")), 400))
      for (let i = 0; i < 2; i++) assert.strictEqual(yield* textOf(`http://${host}/`), "a")
    }).pipe(over, Effect.provide(connectWithin("300 millis")))
  )

  it.live("counts the wait for one of a few connections", () =>
    Effect.gen(function* () {
      const arrived = yield* Queue.unbounded<Socket>()
      const { host } = yield* socketServer((socket) => Queue.offerUnsafe(arrived, socket))
      const first = yield* Effect.forkChild(textOf(`http://${host}/`))
      const socket = yield* Queue.take(arrived)
      const error = yield* Effect.flip(textOf(`http://${host}/`).pipe(Effect.provide(connectWithin("30 millis"))))
      assert.strictEqual(error.reason._tag, "TransportError")
      // What was given up never arrives, and does no harm to the connection.
      socket.write(ok("a"))
      assert.strictEqual(yield* Fiber.join(first), "a")
      const third = yield* Effect.forkChild(textOf(`http://${host}/third`))
      const again = yield* Queue.take(arrived)
      assert.strictEqual(again.remotePort, socket.remotePort)
      again.write(ok("b"))
      assert.strictEqual(yield* Fiber.join(third), "b")
      assert.strictEqual(yield* Queue.size(arrived), 0)
    }).pipe(overOptions({ connections: 1 }))
  )
})

describe("the connections", () => {
  it.live("are as few as was said", () =>
    Effect.gen(function* () {
      const { connections, host } = yield* socketServer((socket, head) => {
        setImmediate(() => socket.write(ok(head.split(" ")[1] ?? "")))
      })
      const paths = Array.from({ length: 100 }, (_, i) => `/${i}`)
      const texts = yield* Effect.forEach(paths, (path) => textOf(`http://${host}${path}`), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(texts, paths)
      assert.strictEqual(connections(), 4)
    }).pipe(overOptions({ connections: 4 }))
  )

  it.live("are closed with the layer, with all that goes on there", () =>
    Effect.gen(function* () {
      const arrived = yield* Queue.unbounded<void>()
      const plain = yield* socketServer((socket, _, number) => {
        if (number === 1) socket.write(ok("a"))
        else Queue.offerUnsafe(arrived, undefined)
      })
      const unfinished = yield* silent
      const scope = yield* Scope.make()
      const client = Context.get(yield* Layer.buildWithScope(NodeTransport.layer, scope), HttpClient.HttpClient)
      const request = (url: string) => Effect.flatMap(client.get(url), (response) => response.text)
      yield* request(`http://${plain.host}/`)
      const going = yield* Effect.forkChild(Effect.flip(request(`http://${plain.host}/`)))
      const connecting = yield* Effect.forkChild(Effect.flip(request(`https://${unfinished.host}/`)))
      yield* Queue.take(arrived)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* Fiber.join(going)).reason._tag, "TransportError")
      assert.strictEqual((yield* Fiber.join(connecting)).reason._tag, "TransportError")
      while (plain.open() > 0) yield* Queue.take(plain.closed)
      while (unfinished.open() > 0) yield* Queue.take(unfinished.closed)
      assert.strictEqual((yield* Effect.flip(request(`http://${plain.host}/`))).reason._tag, "TransportError")
    })
  )

  it.live("are kept as long as was said", () =>
    Effect.gen(function* () {
      const { closed, host } = yield* socketServer((socket) => socket.write(ok("a")))
      const [time] = yield* Effect.timed(Effect.andThen(textOf(`http://${host}/`), Queue.take(closed)))
      assert.isBelow(Duration.toMillis(time), 3500)
    }).pipe(overOptions({ keepAliveTimeout: "100 millis" }))
  )
})

describe("a body that nobody reads", () => {
  it.live("does not keep its connection where it is small", () =>
    Effect.gen(function* () {
      const { connections, host } = yield* socketServer((socket) => socket.write(ok("a")))
      for (let i = 0; i < 20; i++) yield* get(`http://${host}/`)
      assert.isAtMost(connections(), 2)
    }).pipe(over)
  )

  it.live("is closed with the fiber that was interrupted over it", () =>
    Effect.gen(function* () {
      const { closed, host } = yield* socketServer(answerLarge)
      const answered = yield* Queue.unbounded<void>()
      const fiber = yield* get(`http://${host}/`).pipe(
        Effect.andThen(Queue.offer(answered, undefined)),
        Effect.andThen(Effect.never),
        Effect.forkChild
      )
      yield* Queue.take(answered)
      yield* Fiber.interrupt(fiber)
      yield* Queue.take(closed)
    }).pipe(over)
  )

  it.live("is closed after a minute", () =>
    Effect.gen(function* () {
      yield* Effect.acquireRelease(
        Effect.sync(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })),
        () => Effect.sync(() => vi.useRealTimers())
      )
      const { closed, host, open } = yield* socketServer(answerLarge)
      const response = yield* get(`http://${host}/`)
      yield* tick
      vi.advanceTimersByTime(59_999)
      assert.strictEqual(open(), 1)
      vi.advanceTimersByTime(1)
      yield* Queue.take(closed)
      assert.strictEqual((yield* Effect.flip(response.text)).reason._tag, "DecodeError")
    }).pipe(over, Effect.scoped)
  )

  it.live("is forgotten by the fiber that got it, as soon as it is read", () =>
    Effect.gen(function* () {
      const { host } = yield* socketServer(answerLarge)
      const before = observers(yield* Effect.withFiber(Effect.succeed))
      for (let i = 0; i < 10; i++) {
        const response = yield* get(`http://${host}/`)
        yield* tick
        yield* response.text
      }
      assert.strictEqual(observers(yield* Effect.withFiber(Effect.succeed)), before)
    }).pipe(over)
  )

  it.live("is no more than begun", () =>
    Effect.gen(function* () {
      const { host } = yield* socketServer(answerLarge)
      const response = yield* get(`http://${host}/`)
      for (let i = 0; i < 100; i++) yield* tick
      // All of it is there for who comes late.
      assert.strictEqual((yield* response.text).length, large.length)
    }).pipe(over)
  )
})

describe("a body", () => {
  it.live("can be read as a whole again and again, and as a stream once", () =>
    Effect.gen(function* () {
      const { host } = yield* socketServer((socket) => socket.write(ok('{"a":[1]}')))
      const response = yield* get(`http://${host}/`)
      assert.deepStrictEqual(yield* response.json, { a: [1] })
      assert.strictEqual(yield* response.text, '{"a":[1]}')
      assert.strictEqual((yield* response.arrayBuffer).byteLength, 9)
      assert.strictEqual(yield* Stream.mkString(Stream.decodeText(response.stream)), '{"a":[1]}')
      assert.strictEqual((yield* Effect.flip(Stream.runDrain(response.stream))).reason._tag, "DecodeError")
      assert.strictEqual((yield* Effect.flip(response.text)).reason._tag, "DecodeError")
    }).pipe(over)
  )

  it.live("has one reader at a time, whom another does not disturb", () =>
    Effect.gen(function* () {
      const { host } = yield* socketServer((socket) => {
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na")
        setTimeout(() => socket.write("b"), 20)
      })
      const response = yield* get(`http://${host}/`)
      const first = yield* Effect.forkChild(response.text, { startImmediately: true })
      yield* Effect.flip(response.text)
      yield* Effect.flip(Stream.runDrain(response.stream))
      assert.strictEqual(yield* Fiber.join(first), "ab")
    }).pipe(over)
  )

  it.live("has no byte order mark, and what is not UTF-8 is marked", () =>
    Effect.gen(function* () {
      const { host } = yield* socketServer((socket) => {
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")
        socket.write(Buffer.from([0xef, 0xbb, 0xbf, 0x61, 0xff]))
      })
      assert.strictEqual(yield* textOf(`http://${host}/`), "a\ufffd")
    }).pipe(over)
  )

  it.live("of many chunks that came together is handed on together", () =>
    Effect.gen(function* () {
      const { host } = yield* socketServer((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${"1\r\nx\r\n".repeat(1000)}0\r\n\r\n`)
      })
      const response = yield* get(`http://${host}/`)
      const pulls = yield* Stream.runCollect(Stream.chunks(response.stream))
      assert.strictEqual(pulls.flat().length, 1000)
      assert.isBelow(pulls.length, 20)
    }).pipe(over)
  )

  it.live("of a request is sent as bytes or as a text, and else refused", () =>
    Effect.gen(function* () {
      const { host } = yield* socketServer((socket, head) => {
        const length = /content-length: (\d+)/.exec(head)?.[1] ?? "none"
        socket.write(ok(length))
        socket.end()
      })
      const client = yield* HttpClient.HttpClient
      const post = (body: HttpBody.HttpBody) =>
        Effect.flatMap(client.post(`http://${host}/`, { body }), (response) => response.text)
      assert.strictEqual(yield* post(HttpBody.text("hö")), "3")
      assert.strictEqual(yield* post(HttpBody.raw("hö")), "3")
      assert.strictEqual(yield* post(HttpBody.empty), "0")
      for (const body of [HttpBody.stream(Stream.empty), HttpBody.formData(new FormData()), HttpBody.raw(1)]) {
        assert.strictEqual((yield* Effect.flip(post(body))).reason._tag, "EncodeError")
      }
    }).pipe(over)
  )
})

describe("TLS", () => {
  it.live("takes a certificate of one's own", () =>
    Effect.gen(function* () {
      const { port } = yield* tlsServer((socket) => socket.write(ok("secret")))
      assert.strictEqual(yield* textOf(`https://localhost:${port}/`), "secret")
    }).pipe(overOptions({ connect: { ca: certificate.cert } }))
  )

  it.live("takes no other", () =>
    Effect.gen(function* () {
      const { port } = yield* tlsServer((socket) => socket.write(ok("secret")))
      const stranger = yield* failing(`https://localhost:${port}`, NodeTransport.layer)
      assert.instanceOf(stranger, Errors.TransportFailed)
      assert.include(stranger.message, `TLS with localhost:${port} failed (`)
      const elsewhere = NodeTransport.layerOptions({ connect: { ca: certificate.cert, servername: "example.org" } })
      const other = yield* failing(`https://localhost:${port}`, elsewhere)
      assert.include(other.message, "TLS with")
      const nonsense = yield* failing(
        `https://localhost:${port}`,
        NodeTransport.layerOptions({ connect: { ca: "no" } })
      )
      assert.instanceOf(nonsense, Errors.TransportFailed)
    }).pipe(Effect.scoped)
  )
})

describe("a proxy", () => {
  const authorization = `Basic ${Buffer.from("user:s3cr3t").toString("base64")}`

  describe.each([
    ["http", false],
    ["https", true]
  ] as const)("by %s", (scheme, tls) => {
    const through = (port: number, user: string) =>
      NodeTransport.layerOptions({
        proxy: Redacted.make(`${scheme}://${user}@localhost:${port}`),
        connect: { ca: certificate.cert }
      })

    it.live("tunnels to a backend with TLS and forwards to one without", () =>
      Effect.gen(function* () {
        const proxy = yield* proxyServer(authorization, tls)
        const heads: Array<string> = []
        const answer = (socket: Socket, head: string) => {
          heads.push(head)
          socket.write(ok(head.split(" ")[1] ?? ""))
        }
        const secure = yield* tlsServer(answer)
        const plain = yield* socketServer(answer)
        yield* Effect.gen(function* () {
          for (let i = 0; i < 2; i++) {
            assert.strictEqual(yield* textOf(`https://localhost:${secure.port}/a?b`), "/a?b")
            assert.strictEqual(yield* textOf(`http://${plain.host}/c`), "/c")
          }
        }).pipe(Effect.provide(through(proxy.port, "user:s3cr3t")))
        assert.includeMembers(proxy.asked, [`CONNECT localhost:${secure.port}`, `GET http://${plain.host}/c`])
        assert.notInclude(heads.join(), "authorization")
        while (proxy.open() > 0) yield* Queue.take(proxy.closed)
      })
    )

    it.live("that does not let us through fails the call, and nobody learns the password", () =>
      Effect.gen(function* () {
        const proxy = yield* proxyServer(authorization, tls)
        for (const backend of ["https://localhost:1", "http://localhost:1"]) {
          const error = yield* failing(backend, through(proxy.port, "user:wr0ng"))
          assert.instanceOf(error, Errors.TransportFailed)
          assert.notInclude(inspect(error, { depth: 10 }), "wr0ng")
          assert.notInclude(inspect(error, { depth: 10 }), Buffer.from("user:wr0ng").toString("base64"))
        }
      })
    )
  })

  it.live("that is not there, or silent, fails the call", () =>
    Effect.gen(function* () {
      const { host } = yield* Effect.scoped(silent)
      const gone = yield* failing("https://localhost:1", NodeTransport.layerOptions({ proxy: `http://${host}` }))
      assert.instanceOf(gone, Errors.TransportFailed)
      const dumb = yield* silent
      const error = yield* failing(
        "https://localhost:1",
        NodeTransport.layerOptions({ proxy: `http://${dumb.host}` })
      ).pipe(Effect.provideService(Timeouts.Timeouts, { ...Timeouts.standard, connect: "50 millis" }))
      assert.instanceOf(error, Errors.RequestTimedOut)
      assert.strictEqual(error.limit, "connect")
    })
  )
})

describe("options", () => {
  it.effect.each<[string, NodeTransport.Options]>([
    ["connections", { connections: 0 }],
    ["pipelining", { pipelining: 1.5 }],
    ["keepAliveTimeout", { keepAliveTimeout: 0 }],
    ["proxy", { proxy: "user:canary@proxy" }],
    ["proxy", { proxy: "ftp://user:canary@proxy" }]
  ])("of %s that make no sense are told", ([name, options]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.scoped(Layer.build(NodeTransport.layerOptions(options))))
      assert.instanceOf(error, Config.ConfigError)
      assert.include(error.message, name)
      assert.notInclude(error.message, "canary")
    })
  )
})

describe("a dispatcher of one's own", () => {
  it.live("is used and not closed", () =>
    Effect.gen(function* () {
      const agent = new MockAgent()
      agent.disableNetConnect()
      agent.get("http://chatbot.test").intercept({ path: "/a" }).reply(200, { b: 1 }).times(2)
      for (let i = 0; i < 2; i++) {
        const response = yield* get("http://chatbot.test/a").pipe(Effect.provide(NodeTransport.layerDispatcher(agent)))
        assert.deepStrictEqual(yield* response.json, { b: 1 })
      }
      yield* Effect.promise(() => agent.close())
    })
  )
})

describe("ten thousand calls", () => {
  it.live("leave nothing open", () =>
    Effect.gen(function* () {
      const { closed, connections, host, open } = yield* socketServer((socket) => socket.write(ok("{}")))
      yield* Effect.forEach(
        Array.from({ length: 10_000 }, (_, i) => i),
        (i) => (i % 4 === 0 ? Effect.asVoid(get(`http://${host}/`)) : Effect.asVoid(textOf(`http://${host}/`))),
        { concurrency: 32, discard: true }
      ).pipe(over)
      while (open() > 0) yield* Queue.take(closed)
      assert.isAtMost(connections(), 64)
    })
  )
})
