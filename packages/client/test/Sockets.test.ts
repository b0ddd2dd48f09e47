/** What both transports do with sockets, byte for byte. */
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import * as Transport from "@effect-chatbot/client/Transport"
import * as Errors from "@effect-chatbot/schema/Errors"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { Socket } from "node:net"
import { inspect } from "node:util"
import { answerOf, bytesOf } from "./support/Answers.ts"
import { chatId } from "./support/Methods.ts"
import { socketServer } from "./support/Sockets.ts"

const transports = [
  ["fetch", Transport.layer],
  ["undici", NodeTransport.layer]
] as const

const get = (host: string, path = "/") =>
  Effect.flatMap(HttpClient.HttpClient, (client) => client.get(`http://${host}${path}`))

const textOf = (host: string, path?: string) => Effect.flatMap(get(host, path), (response) => response.text)

const ok = (body: string) => `HTTP/1.1 200 OK\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

/** A chunked answer, in the pieces of its body. */
const chunked = (pieces: ReadonlyArray<string>) =>
  `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${pieces
    .map((piece) => `${Buffer.byteLength(piece).toString(16)}\r\n${piece}\r\n`)
    .join("")}0\r\n\r\n`

/** Writes byte by byte, each as a packet of its own. */
const trickle = (socket: Socket, text: string) => {
  const bytes = Buffer.from(text)
  const next = (i: number) => {
    if (i < bytes.length) socket.write(bytes.subarray(i, i + 1), () => setImmediate(next, i + 1))
  }
  next(0)
}

const mebi = 2 ** 20

describe.each(transports)("over %s", (_, transport) => {
  const over = Effect.provide(transport)

  const failing = (host: string) =>
    Effect.flatMap(ChatbotClient, ({ users }) => Effect.flip(users.current)).pipe(
      Effect.provide(Layer.provide(ChatbotClient.layer({ baseUrl: `http://${host}` }), transport))
    )

  it.live("a body comes whole, however slowly and in whatever pieces", () =>
    Effect.gen(function* () {
      const text = "höllo 😀\r\n".repeat(3)
      const { host } = yield* socketServer((socket, _, number) => {
        if (number === 1) trickle(socket, ok(text))
        else if (number === 2) trickle(socket, chunked(text.match(/[^]{1,3}/gu) ?? []))
        else socket.end(`HTTP/1.1 200 OK\r\n\r\n${text}`)
      })
      // With a length, in chunks, and to the end of the connection.
      for (let i = 0; i < 3; i++) assert.strictEqual(yield* textOf(host), text)
    }).pipe(over)
  )

  it.live("a large body comes whole, and as a stream", () =>
    Effect.gen(function* () {
      const bytes = Buffer.alloc(mebi, "0123456789abcdef")
      const { host } = yield* socketServer((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${bytes.length}\r\n\r\n`)
        socket.write(bytes)
      })
      const whole = yield* Effect.flatMap(get(host), (response) => response.arrayBuffer)
      assert.isTrue(bytes.equals(new Uint8Array(whole)))
      const parts = yield* Effect.flatMap(get(host), (response) => Stream.mkUint8Array(response.stream))
      assert.isTrue(bytes.equals(parts))
    }).pipe(over)
  )

  it.live("an empty body is empty", () =>
    Effect.gen(function* () {
      const { connections, host } = yield* socketServer((socket, head, number) => {
        if (number === 1) socket.write("HTTP/1.1 204 No Content\r\n\r\n")
        else if (number === 2) socket.write("HTTP/1.1 304 Not Modified\r\netag: a\r\n\r\n")
        else if (number === 3) socket.write(ok(""))
        else if (head.startsWith("HEAD")) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")
      })
      for (const status of [204, 304, 200]) {
        const response = yield* get(host)
        assert.strictEqual(response.status, status)
        assert.strictEqual(yield* response.text, "")
        assert.strictEqual(yield* response.text, "")
      }
      const head = yield* HttpClient.head(`http://${host}`)
      assert.strictEqual(head.headers["content-length"], "5")
      assert.strictEqual(yield* head.text, "")
      assert.isAtLeast(connections(), 1)
    }).pipe(over)
  )

  it.live("what a server says before its answer is passed over", () =>
    Effect.gen(function* () {
      const { host } = yield* socketServer((socket) => {
        socket.write("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")
        setImmediate(() => socket.write(ok("answer")))
      })
      const response = yield* get(host)
      assert.strictEqual(response.status, 200)
      assert.notProperty(response.headers, "link")
      assert.strictEqual(yield* response.text, "answer")
    }).pipe(over)
  )

  it.live("headers are read whatever their case, and those with several values as one", () =>
    Effect.gen(function* () {
      const { host } = yield* socketServer((socket) => {
        const cookies =
          "Set-Cookie: a=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT; Path=/\r\nset-cookie: b=2; HttpOnly\r\n"
        socket.write(`HTTP/1.1 200 OK\r\n${cookies}X-One: 1\r\nx-one: 2\r\nContent-Length: 0\r\n\r\n`)
      })
      const { cookies, headers } = yield* get(host)
      assert.strictEqual(headers["x-one"], "1, 2")
      assert.deepStrictEqual(
        Object.values(cookies.cookies).map(({ name, value }) => [name, value]),
        [
          ["a", "1"],
          ["b", "2"]
        ]
      )
    }).pipe(over)
  )

  it.live("a URL arrives as it is written in one, with its query", () =>
    Effect.gen(function* () {
      const { host } = yield* socketServer((socket, head) => socket.write(ok(head.split(" ")[1] ?? "")))
      const arrived = [
        ["", "/"],
        ["/", "/"],
        ["/a/b.c", "/a/b.c"],
        ["/a%2Fb?x=%20", "/a%2Fb?x=%20"],
        ["/ä b", "/%C3%A4%20b"],
        ["/a/../b", "/b"],
        ["/a/%2e%2E/b", "/b"],
        ["/.well-known/x", "/.well-known/x"],
        ["/a#b", "/a"],
        ["?a", "/?a"]
      ] as const
      for (const [path, expected] of arrived) assert.strictEqual(yield* textOf(host, path), expected)
      const client = yield* HttpClient.HttpClient
      const request = HttpClientRequest.get(`http://${host}/q?a=1`, { urlParams: { b: "ä &", c: ["1", "2"] } })
      const response = yield* client.execute(request)
      assert.strictEqual(yield* response.text, "/q?a=1&b=%C3%A4+%26&c=1&c=2")
      assert.strictEqual(response.url, `http://${host}/q?a=1&b=%C3%A4+%26&c=1&c=2`)
    }).pipe(over)
  )

  it.live("a URL that cannot be called and a header that cannot be sent are refused", () =>
    Effect.gen(function* () {
      const { connections, host } = yield* socketServer((socket) => socket.write(ok("")))
      const client = yield* HttpClient.HttpClient
      for (const url of ["nonsense:", "http://", "ftp://127.0.0.1/", `http://user:secret@${host}/`]) {
        const error = yield* Effect.flip(client.get(url))
        assert.include(["InvalidUrlError", "TransportError"], error.reason._tag)
      }
      for (const headers of [
        { "x-a": "1\r\nx-b: 2" },
        { "x a": "1" },
        { "x-a": "\u0100" },
        { expect: "100-continue" }
      ]) {
        const error = yield* Effect.flip(client.get(`http://${host}/`, { headers }))
        assert.strictEqual(error.reason._tag, "TransportError")
        assert.isUndefined(error.response)
      }
      const upgrade = yield* Effect.flip(client.get(`http://${host}/`, { headers: { upgrade: "websocket" } }))
      assert.strictEqual(upgrade.reason._tag, "TransportError")
      assert.strictEqual(connections(), 0)
    }).pipe(over)
  )

  it.live("a connection that is not kept to its end fails the call", () =>
    Effect.gen(function* () {
      const answers = [
        "",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\n{}"
      ]
      for (const end of ["end", "resetAndDestroy"] as const) {
        for (const answer of answers) {
          const { host } = yield* socketServer((socket) => {
            if (answer === "") socket[end]()
            else socket.write(answer, () => setImmediate(() => socket[end]()))
          })
          const error = yield* failing(host)
          assert.instanceOf(error, Errors.TransportFailed, `${end} ${JSON.stringify(answer)}`)
          assert.include(error.message, host)
        }
      }
    }).pipe(Effect.scoped)
  )

  it.live("what is not HTTP fails the call", () =>
    Effect.gen(function* () {
      const answers = [
        "SSH-2.0-OpenSSH_9.6 canary\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\ncanary\r\nxyz\r\ncanary\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
        `HTTP/1.1 200 OK\r\nx-long: ${"x".repeat(2 ** 17)}\r\n\r\n`
      ]
      for (const answer of answers) {
        const { host } = yield* socketServer((socket) => socket.write(answer))
        const error = yield* failing(host)
        assert.instanceOf(error, Errors.TransportFailed)
        assert.notInclude(inspect(error, { depth: 10 }), "canary")
      }
    }).pipe(Effect.scoped)
  )

  it.live("a hundred calls at a time get each their own answer", () =>
    Effect.gen(function* () {
      const { host } = yield* socketServer((socket, head) => {
        const body = head.split(" ")[1] ?? ""
        setImmediate(() => socket.write(ok(body)))
      })
      const paths = Array.from({ length: 100 }, (_, i) => `/${i}`)
      const texts = yield* Effect.forEach(paths, (path) => textOf(host, path), { concurrency: "unbounded" })
      assert.deepStrictEqual(texts, paths)
    }).pipe(over)
  )

  it.live("calls one after the other share a connection", () =>
    Effect.gen(function* () {
      const { connections, host } = yield* socketServer((socket) => socket.write(ok("a")))
      for (let i = 0; i < 50; i++) yield* textOf(host)
      // The next call may come before a connection has had its rest.
      assert.isAtMost(connections(), 2)
    }).pipe(over)
  )

  it.live("streams that end share a connection, and one that is left closes it", () =>
    Effect.gen(function* () {
      const text = new TextDecoder().decode(bytesOf(answerOf(3)))
      // The end of the body comes after the last event, in a packet of its own.
      const end = "0\r\n\r\n"
      const { closed, connections, host } = yield* socketServer((socket, _, number) => {
        const body = `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
        socket.write(body, () => setImmediate(() => number <= 10 && socket.write(end)))
      })
      yield* Effect.gen(function* () {
        const { chats } = yield* ChatbotClient
        const stream = chats.stream(chatId, "why?")
        for (let i = 0; i < 10; i++) yield* Stream.runDrain(stream)
        // The next call may come before a connection has had its rest.
        assert.isAtMost(connections(), 2)
        yield* Stream.runDrain(Stream.take(stream, 1))
        yield* Queue.take(closed)
      }).pipe(Effect.provide(Layer.provide(ChatbotClient.layer({ baseUrl: `http://${host}` }), transport)))
    })
  )

  it.live("a connection that the server has closed in the meantime is no error", () =>
    Effect.gen(function* () {
      // Without a word of it in the answer, once the answer is read and as soon as it is written.
      const { connections, host } = yield* socketServer((socket, _, number) => {
        if (number % 2 === 0) socket.end(ok("a"))
        else socket.write(ok("a"), () => setImmediate(() => socket.end()))
      })
      for (let i = 0; i < 40; i++) assert.strictEqual(yield* textOf(host), "a")
      assert.isAtLeast(connections(), 20)
    }).pipe(over)
  )

  it.live("bytes come as they are sent", () =>
    Effect.gen(function* () {
      const more = yield* Queue.unbounded<() => void>()
      const { host } = yield* socketServer((socket) => {
        socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        const send = (text: string) => socket.write(`${text.length.toString(16)}\r\n${text}\r\n`)
        for (const text of ["one", "two", "three"]) Queue.offerUnsafe(more, () => send(text))
        Queue.offerUnsafe(more, () => socket.write("0\r\n\r\n"))
      })
      const response = yield* get(host)
      yield* Effect.map(Queue.take(more), (send) => send())
      // Each one is sent when that before it has been read.
      const texts = yield* response.stream.pipe(
        Stream.decodeText,
        Stream.tap(() => Effect.map(Queue.take(more), (send) => send())),
        Stream.runCollect
      )
      assert.deepStrictEqual(texts, ["one", "two", "three"])
    }).pipe(over)
  )

  it.live("what was read of a stream is handed on before its error", () =>
    Effect.gen(function* () {
      let finish = () => {}
      const { host } = yield* socketServer((socket) => {
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")
        finish = () => socket.end("de")
      })
      const response = yield* get(host)
      let text = ""
      const error = yield* response.stream.pipe(
        Stream.decodeText,
        Stream.runForEach((part) =>
          Effect.sync(() => {
            text += part
            finish()
          })
        ),
        Effect.flip
      )
      assert.strictEqual(text, "abcde")
      assert.isTrue(HttpClientError.isHttpClientError(error))
      assert.strictEqual(error.reason._tag, "DecodeError")
      assert.strictEqual(error.response?.status, 200)
    }).pipe(over)
  )

  it.live("a stream that is read slowly slows down the server", () =>
    Effect.gen(function* () {
      const stalled = yield* Queue.unbounded<number>()
      const { host } = yield* socketServer((socket) => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n")
        const block = Buffer.alloc(2 ** 16, "x")
        let sent = 0
        let quiet: NodeJS.Timeout | undefined
        const more = () => {
          clearTimeout(quiet)
          do sent += block.length
          while (socket.write(block) && sent < 256 * mebi)
          quiet = setTimeout(() => Queue.offerUnsafe(stalled, sent), 100)
        }
        socket.on("drain", more).on("close", () => clearTimeout(quiet))
        more()
      })
      const response = yield* get(host)
      let received = 0
      let atStall: number | undefined
      yield* response.stream.pipe(
        Stream.mapEffect((part) =>
          Effect.gen(function* () {
            received += part.length
            atStall ??= yield* Queue.take(stalled)
          })
        ),
        Stream.takeUntil(() => received > 32 * mebi),
        Stream.runDrain
      )
      // Sockets have buffers of some MiB; we have hardly any.
      assert.isBelow(atStall ?? Infinity, 24 * mebi)
      assert.isAbove(received, 32 * mebi)
    }).pipe(over)
  )

  it.live("an interruption closes the request at once", () =>
    Effect.gen(function* () {
      const arrived = yield* Queue.unbounded<void>()
      const { closed, host } = yield* socketServer((socket, _, number) => {
        if (number % 2 === 0) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\na")
        Queue.offerUnsafe(arrived, undefined)
      })
      const times: Array<number> = []
      // Of both kinds, and of more as long as the machine has other things to do.
      for (let i = 0; i < 4 || (i < 100 && Math.min(...times) >= 10); i++) {
        const fiber = yield* Effect.forkChild(textOf(host))
        yield* Queue.take(arrived)
        const [time] = yield* Effect.timed(Effect.andThen(Fiber.interrupt(fiber), Queue.take(closed)))
        times.push(Duration.toMillis(time))
      }
      assert.isBelow(Math.min(...times), 10)
    }).pipe(over)
  )
})
