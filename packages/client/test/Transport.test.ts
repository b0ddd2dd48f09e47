import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import * as RetryPolicy from "@effect-chatbot/client/RetryPolicy"
import * as Timeouts from "@effect-chatbot/client/Timeouts"
import * as Transport from "@effect-chatbot/client/Transport"
import * as Errors from "@effect-chatbot/schema/Errors"
import { ChatId } from "@effect-chatbot/schema/Ids"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { inspect } from "node:util"

const chatId = ChatId.make("chat")

interface Received {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  body: string
}

/** A backend on a free port. `closed` gets an item whenever the connection of an answer is done with, ended or not. */
const backend = (answer: (response: ServerResponse, number: number) => void) =>
  Effect.gen(function* () {
    const received: Array<Received> = []
    const arrived = yield* Queue.unbounded<void>()
    const closed = yield* Queue.unbounded<{ readonly complete: boolean }>()
    const server = yield* Effect.acquireRelease(
      Effect.callback<ReturnType<typeof createServer>>((resume) => {
        const server = createServer((request, response) => {
          const { headers, method, url } = request
          const entry: Received = { method, url, headers, body: "" }
          received.push(entry)
          request.setEncoding("utf8").on("data", (text) => (entry.body += text))
          response.on("close", () => Queue.offerUnsafe(closed, { complete: response.writableFinished }))
          answer(response, received.length)
          Queue.offerUnsafe(arrived, undefined)
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    const { port } = server.address() as AddressInfo
    return { arrived, baseUrl: `http://127.0.0.1:${port}`, closed, host: `127.0.0.1:${port}`, received, server }
  })

const reply = (value: unknown) => (response: ServerResponse) => {
  response.setHeader("content-type", "application/json")
  response.end(JSON.stringify(value))
}

const transports = [
  ["fetch", Transport.layer],
  ["undici", NodeTransport.layer]
] as const

describe.each(transports)("over %s", (_, transport) => {
  /** Of one attempt. */
  const client = (baseUrl: string) =>
    Effect.provide(
      ChatbotClient.layer({ baseUrl, token: "abc" }).pipe(
        Layer.provide(transport),
        Layer.provide(Layer.succeed(RetryPolicy.RetryPolicy, RetryPolicy.none))
      )
    )

  const getChat = Effect.flatMap(ChatbotClient, ({ chats }) => chats.get(chatId))
  const download = Effect.flatMap(ChatbotClient, ({ chats }) => chats.download(chatId, "a.md"))

  it.live("a request arrives as it was meant, without headers of a tracer", () =>
    Effect.gen(function* () {
      const { baseUrl, received } = yield* backend(reply({ completionId: "c", assistantMessage: "hi" }))
      const completion = yield* Effect.flatMap(ChatbotClient, ({ chats }) => chats.complete(chatId, "hellö")).pipe(
        Effect.withSpan("of the program"),
        client(baseUrl)
      )
      assert.strictEqual(completion.assistantMessage, "hi")
      const [{ body, headers, method, url } = assert.fail()] = received
      assert.strictEqual(`${method} ${url}`, "POST /api/chats/chat/completions")
      assert.strictEqual(headers.authorization, "Bearer abc")
      assert.strictEqual(headers["content-type"], "application/json")
      assert.strictEqual(Number(headers["content-length"]), Buffer.byteLength(body))
      assert.strictEqual(JSON.parse(body).userMessage, "hellö")
      assert.notProperty(headers, "b3")
      assert.notProperty(headers, "traceparent")
    })
  )

  it.live("a PUT without a body says so", () =>
    Effect.gen(function* () {
      const { baseUrl, received } = yield* backend((response) => response.end())
      yield* Effect.flatMap(ChatbotClient, ({ users }) => users.acceptTerms).pipe(client(baseUrl))
      assert.strictEqual(received[0]?.headers["content-length"], "0")
      assert.notProperty(received[0]?.headers, "content-type")
    })
  )

  it.live("a backend that is not there refuses", () =>
    Effect.gen(function* () {
      const { baseUrl, host } = yield* Effect.scoped(backend(reply({})))
      const error = yield* getChat.pipe(Effect.flip, client(baseUrl))
      assert.instanceOf(error, Errors.TransportFailed)
      assert.strictEqual(error.message, `${host} refused the connection (ECONNREFUSED).`)
      assert.strictEqual(error.reason, "refused")
    })
  )

  it.live("a backend without TLS cannot be called with it", () =>
    Effect.gen(function* () {
      const { baseUrl, host } = yield* backend(reply({}))
      const error = yield* getChat.pipe(Effect.flip, client(baseUrl.replace("http:", "https:")))
      assert.instanceOf(error, Errors.TransportFailed)
      assert.include(error.message, `TLS with ${host} failed (`)
      assert.strictEqual(error.reason, "tls")
    })
  )

  it.live("a connection that is reset is a TransportFailed, before the head as in the body", () =>
    Effect.gen(function* () {
      const { baseUrl, host } = yield* backend((response, number) => {
        if (number === 1) return response.destroy()
        response.writeHead(200, { "content-type": "application/json", "content-length": "100" })
        response.write('{"chatId":', () => response.destroy())
        return response
      })
      const call = Effect.flip(getChat)
      const [head, body] = yield* Effect.all([call, call]).pipe(client(baseUrl))
      for (const error of [head, body]) {
        assert.instanceOf(error, Errors.TransportFailed)
        assert.include(error.message, `The connection to ${host} broke off before the answer was complete (`)
        assert.strictEqual(error.reason, "reset")
      }
    })
  )

  it.live("an answer that is no HTTP is a TransportFailed that does not show it", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* backend((response) => response.socket?.end("HTTP/1.1 canary\r\ncanary\r\n\r\n"))
      const error = yield* getChat.pipe(Effect.flip, client(baseUrl))
      assert.instanceOf(error, Errors.TransportFailed)
      assert.isDefined(error.cause)
      assert.notInclude(inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error), "canary")
    })
  )

  it.live("an error keeps its class where its body breaks off", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* backend((response) => {
        response.writeHead(404, { "content-length": "100", "x-request-id": "r-1" })
        response.write("not", () => response.destroy())
      })
      const error = yield* getChat.pipe(Effect.flip, client(baseUrl))
      assert.instanceOf(error, Errors.ChatNotFound)
      assert.strictEqual(error.requestId, "r-1")
    })
  )

  it.live("an error whose status stands for several is lost where its body breaks off", () =>
    Effect.gen(function* () {
      const { baseUrl, received } = yield* backend((response, number) => {
        const head = { "content-length": "100", "idempotency-supported": "true" }
        if (number < 3) response.writeHead(409, head).write('{"type":', () => response.destroy())
        else response.end('{"completionId":"c"}')
      })
      const complete = Effect.flatMap(ChatbotClient, ({ chats }) => chats.complete(chatId, "hello"))
      yield* Effect.gen(function* () {
        const error = yield* Effect.flip(complete)
        assert.instanceOf(error, Errors.TransportFailed)
        // It may be that this very question is being answered, so it is asked again.
        const { completionId } = yield* complete.pipe(
          Effect.provideService(RetryPolicy.RetryPolicy, RetryPolicy.standard)
        )
        assert.strictEqual(completionId, "c")
        assert.strictEqual(received.length, 3)
      }).pipe(client(baseUrl))
    })
  )

  it.live("a redirect is not followed", () =>
    Effect.gen(function* () {
      const { baseUrl, received } = yield* backend((response) =>
        response.writeHead(302, { location: "/elsewhere" }).end()
      )
      const error = yield* getChat.pipe(Effect.flip, client(baseUrl))
      assert.instanceOf(error, Errors.UnexpectedStatus)
      assert.strictEqual(error.status, 302)
      assert.strictEqual(received.length, 1)
    })
  )

  it.live("an interruption closes the request", () =>
    Effect.gen(function* () {
      const { arrived, baseUrl, closed } = yield* backend((response, number) => {
        if (number === 2) response.writeHead(200, { "content-type": "application/json" }).write("{")
      })
      yield* Effect.gen(function* () {
        for (let i = 0; i < 2; i++) {
          const fiber = yield* Effect.forkChild(getChat)
          yield* Queue.take(arrived)
          yield* Fiber.interrupt(fiber)
          assert.isFalse((yield* Queue.take(closed)).complete)
        }
      }).pipe(client(baseUrl))
    })
  )

  it.live("a limit of time closes the request", () =>
    Effect.gen(function* () {
      const { baseUrl, closed } = yield* backend(() => {})
      yield* Effect.gen(function* () {
        const error = yield* Effect.flip(getChat)
        assert.instanceOf(error, Errors.RequestTimedOut)
        assert.isFalse((yield* Queue.take(closed)).complete)
      }).pipe(Effect.provideService(Timeouts.Timeouts, { ...Timeouts.standard, attempt: "30 millis" }), client(baseUrl))
    })
  )

  it.live("a call interrupted at any moment leaves no request behind", () =>
    Effect.gen(function* () {
      const { baseUrl, closed, received } = yield* backend((response) => {
        response.writeHead(200, { "content-type": "application/json" })
        setImmediate(() => response.write("{"))
      })
      yield* Effect.gen(function* () {
        yield* Effect.forEach(
          Array.from({ length: 300 }, (_, i) => i),
          (i) => Effect.timeoutOption(getChat, `${(i % 25) / 5} millis`),
          { concurrency: 4, discard: true }
        )
        // These answers never end by themselves: one that is left behind would be waited for in vain.
        assert.isAtLeast(received.length, 1)
        for (let i = 0; i < received.length; i++) assert.isFalse((yield* Queue.take(closed)).complete)
      }).pipe(client(baseUrl))
    })
  )

  describe("a download", () => {
    const chunk = Buffer.alloc(2 ** 16, "x")

    /** Bytes without end, as fast as they are read. */
    const endless = (response: ServerResponse) => {
      response.writeHead(200, { "content-type": "text/plain" })
      const more = () => {
        while (!response.destroyed && response.write(chunk));
      }
      response.on("drain", more)
      more()
    }

    it.live("comes whole", () =>
      Effect.gen(function* () {
        const { baseUrl, closed } = yield* backend((response) => {
          response.writeHead(200, {
            "content-length": String(chunk.length * 4),
            "content-disposition": "attachment; filename=a.md"
          })
          for (let i = 0; i < 4; i++) response.write(chunk)
          response.end()
        })
        yield* Effect.gen(function* () {
          const { contentLength, fileName, stream } = yield* download
          assert.strictEqual(fileName, "a.md")
          assert.strictEqual((yield* Stream.mkUint8Array(stream)).length, contentLength)
          assert.isTrue((yield* Queue.take(closed)).complete)
        }).pipe(client(baseUrl))
      })
    )

    it.live("that is left closes its connection", () =>
      Effect.gen(function* () {
        const { baseUrl, closed } = yield* backend(endless)
        yield* Effect.gen(function* () {
          const { stream } = yield* download
          yield* Stream.runDrain(Stream.take(stream, 3))
          assert.isFalse((yield* Queue.take(closed)).complete)
        }).pipe(client(baseUrl))
      })
    )

    it.live("that is interrupted closes its connection", () =>
      Effect.gen(function* () {
        const { baseUrl, closed } = yield* backend((response) => response.writeHead(200).write("x"))
        yield* Effect.gen(function* () {
          const { stream } = yield* download
          const read = yield* Queue.unbounded<void>()
          const fiber = yield* Effect.forkChild(Stream.runForEach(stream, () => Queue.offer(read, undefined)))
          yield* Queue.take(read)
          yield* Fiber.interrupt(fiber)
          assert.isFalse((yield* Queue.take(closed)).complete)
        }).pipe(client(baseUrl))
      })
    )

    it.live("that nobody reads closes its connection after the limit of an attempt", () =>
      Effect.gen(function* () {
        const { baseUrl, closed } = yield* backend(endless)
        yield* Effect.gen(function* () {
          yield* download
          assert.isFalse((yield* Queue.take(closed)).complete)
        }).pipe(
          Effect.provideService(Timeouts.Timeouts, { ...Timeouts.standard, attempt: "1 second" }),
          client(baseUrl)
        )
      })
    )

    it.live("that nobody reads closes its connection with the client", () =>
      Effect.gen(function* () {
        const { baseUrl, closed } = yield* backend(endless)
        yield* download.pipe(client(baseUrl))
        assert.isFalse((yield* Queue.take(closed)).complete)
      })
    )

    it.live("that breaks off is a TransportFailed", () =>
      Effect.gen(function* () {
        const { baseUrl, host } = yield* backend((response) => {
          response.writeHead(200, { "content-length": "100" })
          response.write("x", () => response.destroy())
        })
        const error = yield* Effect.flatMap(download, ({ stream }) => Effect.flip(Stream.runDrain(stream))).pipe(
          client(baseUrl)
        )
        assert.instanceOf(error, Errors.TransportFailed)
        assert.include(error.message, `The connection to ${host} broke off before the answer was complete (`)
      })
    )
  })
})
