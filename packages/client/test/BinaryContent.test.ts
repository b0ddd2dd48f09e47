import type { BinaryContent } from "@effect-chatbot/client/BinaryContent"
import { Bots } from "@effect-chatbot/client/Bots"
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import { Chats } from "@effect-chatbot/client/Chats"
import * as Timeouts from "@effect-chatbot/client/Timeouts"
import * as Errors from "@effect-chatbot/schema/Errors"
import { BotId, ChatId } from "@effect-chatbot/schema/Ids"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { json, type Script, scripted, text } from "./support/Scripted.ts"

const botId = BotId.make("bot")
const chatId = ChatId.make("chat")

const client = (script: Script) =>
  Layer.provide(ChatbotClient.layer({ baseUrl: "http://chatbot.test" }), scripted(script).layer)

const image = Effect.flatMap(Bots, (bots) => bots.image(botId))
const download = Effect.flatMap(Chats, (chats) => chats.download(chatId, "docs/a.md"))

const read = ({ stream }: BinaryContent) =>
  Effect.map(Stream.mkUint8Array(stream), (bytes) => new TextDecoder().decode(bytes))

/** A body whose chunks come one by one, and what became of it. */
const body = (chunks: ReadonlyArray<string>, end: "close" | "error" | "silence" = "close") => {
  const state = { cancelled: false, pulled: 0 }
  const script =
    (headers: HeadersInit = {}) =>
    () =>
      new Response(
        new ReadableStream<Uint8Array>(
          {
            pull(controller) {
              const chunk = chunks[state.pulled++]
              if (chunk !== undefined) controller.enqueue(new TextEncoder().encode(chunk))
              else if (end === "close") controller.close()
              else if (end === "error") controller.error(new Error("reset"))
              else return new Promise(() => {})
              return undefined
            },
            cancel() {
              state.cancelled = true
            }
          },
          { highWaterMark: 0 }
        ),
        { headers }
      )
  return { script, state }
}

describe("the head of an answer", () => {
  const headOf = (headers: HeadersInit) =>
    Effect.map(download, ({ contentLength, contentType, etag, fileName }) => ({
      contentLength,
      contentType,
      etag,
      fileName
    })).pipe(Effect.provide(client(() => new Response("abc", { headers }))))

  it.effect("says what the content is", () =>
    Effect.gen(function* () {
      const head = yield* headOf({
        "content-type": "text/markdown; charset=utf-8",
        "content-length": "3",
        etag: '"v1"',
        "content-disposition": 'attachment; filename="a.md"'
      })
      assert.deepStrictEqual(head, {
        contentLength: 3,
        contentType: "text/markdown; charset=utf-8",
        etag: '"v1"',
        fileName: "a.md"
      })
    })
  )

  it.effect("does not know the length of what is compressed on its way", () =>
    Effect.gen(function* () {
      assert.isUndefined((yield* headOf({ "content-length": "3", "content-encoding": "gzip" })).contentLength)
    })
  )

  it.effect("may say nothing", () =>
    Effect.gen(function* () {
      const head = yield* Effect.provide(
        download,
        client(() => new Response(new Uint8Array([1])))
      )
      assert.strictEqual(head.contentType, "application/octet-stream")
      assert.isUndefined(head.contentLength)
      assert.isUndefined(head.etag)
      assert.isUndefined(head.fileName)
    })
  )

  it.effect.each<readonly [string, string | undefined]>([
    ["attachment; filename=a.md", "a.md"],
    ['attachment; filename="a b; \\"c\\".md"', 'a b; "c".md'],
    ["attachment; FileName = a.md", "a.md"],
    ["attachment; filename=\"a.md\"; filename*=UTF-8''%e2%82%ac%20rates.md", "\u20ac rates.md"],
    ["attachment; filename*=iso-8859-1'en'%A3.md", "\u00a3.md"],
    ["attachment; filename=\"a.md\"; filename*=UTF-8''%zz", "a.md"],
    ['inline; filename="../../etc/passwd"', "passwd"],
    ['inline; filename="C:\\\\temp\\\\a.md"', "a.md"],
    ["inline; filename*=UTF-8''..%2Fa.md", "a.md"],
    ["inline; filename*=UTF-8''a%E2%80%AE.md", "a.md"],
    ["inline; filename*=UTF-8''a%0A%00.md", "a.md"],
    ['inline; filename=".."', undefined],
    ['inline; filename=""', undefined],
    ["inline", undefined],
    ["", undefined]
  ])("suggests a bare name for the file: %s", ([disposition, name]) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* headOf({ "content-disposition": disposition })).fileName, name)
    })
  )
})

describe("the bytes", () => {
  it.effect("come as they are sent, in order", () =>
    Effect.gen(function* () {
      const { script } = body(["a", "b", "c"])
      const chunks = yield* Effect.flatMap(download, ({ stream }) => Stream.runCollect(stream)).pipe(
        Effect.provide(client(script()))
      )
      assert.deepStrictEqual(
        chunks.map((bytes) => new TextDecoder().decode(bytes)),
        ["a", "b", "c"]
      )
    })
  )

  it.effect("are not asked for before they are wanted", () =>
    Effect.gen(function* () {
      const { script, state } = body(["a"])
      yield* Effect.provide(download, client(script()))
      assert.strictEqual(state.pulled, 0)
    })
  )

  it.effect("may be none", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* Effect.flatMap(download, read), "")
    }).pipe(Effect.provide(client(() => new Response(null, { status: 200 }))))
  )

  it.effect("that break off are a TransportFailed", () =>
    Effect.gen(function* () {
      const { stream } = yield* download
      const seen: Array<number> = []
      const error = yield* Effect.flip(Stream.runForEach(stream, ({ length }) => Effect.sync(() => seen.push(length))))
      assert.instanceOf(error, Errors.TransportFailed)
      assert.deepStrictEqual(seen, [2])
    }).pipe(Effect.provide(client(body(["ab"], "error").script())))
  )

  it.effect("can be read once", () =>
    Effect.gen(function* () {
      const content = yield* download
      assert.strictEqual(yield* read(content), "a")
      const error = yield* Effect.flip(read(content))
      assert.instanceOf(error, Errors.TransportFailed)
      assert.strictEqual(error.message, "The bytes of an answer can be read once.")
    }).pipe(Effect.provide(client(body(["a"]).script())))
  )
})

describe("the connection", () => {
  it.effect("is closed when the reader leaves before the first bytes", () =>
    Effect.gen(function* () {
      const { script, state } = body([], "silence")
      yield* Effect.gen(function* () {
        const { stream } = yield* download
        yield* Fiber.interrupt(yield* Effect.forkChild(Stream.runDrain(stream), { startImmediately: true }))
        assert.isTrue(state.cancelled)
      }).pipe(Effect.provide(client(script())))
    })
  )

  it.effect("is closed when the stream is left", () =>
    Effect.gen(function* () {
      const { script, state } = body(["a", "b"], "silence")
      yield* Effect.gen(function* () {
        const { stream } = yield* download
        yield* Stream.runDrain(Stream.take(stream, 1))
      }).pipe(Effect.provide(client(script())))
      assert.isTrue(state.cancelled)
    })
  )

  it.effect("is closed when the stream is interrupted", () =>
    Effect.gen(function* () {
      const { script, state } = body(["a"], "silence")
      yield* Effect.gen(function* () {
        const { stream } = yield* download
        const fiber = yield* Effect.forkChild(Stream.runDrain(stream), { startImmediately: true })
        yield* TestClock.adjust("1 second")
        assert.isFalse(state.cancelled)
        yield* Fiber.interrupt(fiber)
        assert.isTrue(state.cancelled)
      }).pipe(Effect.provide(client(script())))
    })
  )

  it.effect("is closed when nobody reads within the limit of an attempt", () =>
    Effect.gen(function* () {
      const { script, state } = body(["a"])
      yield* Effect.gen(function* () {
        const content = yield* download
        yield* TestClock.adjust("29 seconds")
        assert.isFalse(state.cancelled)
        yield* TestClock.adjust("1 second")
        assert.isTrue(state.cancelled)
        const error = yield* Effect.flip(read(content))
        assert.instanceOf(error, Errors.RequestTimedOut)
        assert.strictEqual(error.limit, "attempt")
      }).pipe(Effect.provide(client(script())))
    })
  )

  it.effect("is closed with the client", () =>
    Effect.gen(function* () {
      const { script, state } = body(["a"])
      const scope = yield* Scope.make()
      const services = yield* Scope.provide(Layer.build(client(script())), scope)
      yield* Effect.provide(download, services)
      assert.isFalse(state.cancelled)
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(state.cancelled)
    })
  )

  it.effect("stays open as long as bytes come, each within the limit of an attempt", () =>
    Effect.gen(function* () {
      const { script, state } = body(["a", "b", "c"], "silence")
      yield* Effect.gen(function* () {
        const { stream } = yield* download
        const fiber = yield* Effect.forkChild(
          Effect.flip(Stream.runForEach(stream, () => Effect.sleep("25 seconds"))),
          { startImmediately: true }
        )
        yield* TestClock.adjust("75 seconds")
        assert.isUndefined(fiber.pollUnsafe())
        assert.strictEqual(state.pulled, 4)
        yield* TestClock.adjust("30 seconds")
        const error = yield* Fiber.join(fiber)
        assert.instanceOf(error, Errors.RequestTimedOut)
        assert.isTrue(state.cancelled)
      }).pipe(Effect.provide(client(script())))
    })
  )

  it.effect("may have no limit", () =>
    Effect.gen(function* () {
      const { script, state } = body(["a"])
      yield* Effect.gen(function* () {
        const content = yield* Effect.provideService(download, Timeouts.Timeouts, {
          ...Timeouts.standard,
          attempt: "Infinity",
          deadline: "Infinity"
        })
        yield* TestClock.adjust("365 days")
        assert.isFalse(state.cancelled)
        assert.strictEqual(yield* read(content), "a")
      }).pipe(Effect.provide(client(script())))
    })
  )

  it.effect("has the limits of its call", () =>
    Effect.gen(function* () {
      const { script, state } = body(["a"])
      yield* Effect.gen(function* () {
        yield* Effect.provideService(download, Timeouts.Timeouts, { ...Timeouts.standard, attempt: "2 seconds" })
        yield* TestClock.adjust("2 seconds")
        assert.isTrue(state.cancelled)
      }).pipe(Effect.provide(client(script())))
    })
  )
})

describe("an image", () => {
  it.effect.each(["image/png", "IMAGE/WEBP", "application/octet-stream"])("may be of type %s", (type) =>
    Effect.gen(function* () {
      const content = yield* image
      assert.strictEqual(content.contentType, type)
      assert.strictEqual(yield* read(content), "bytes")
    }).pipe(Effect.provide(client(body(["bytes"]).script({ "content-type": type }))))
  )

  it.effect("is not the page of a proxy, whose connection is closed", () =>
    Effect.gen(function* () {
      const { script, state } = body(["<html></html>"])
      const error = yield* Effect.provide(Effect.flip(image), client(script({ "content-type": "text/html" })))
      assert.instanceOf(error, Errors.InvalidResponse)
      assert.strictEqual(
        error.message,
        'The answer is not what the contract says: a body of type "text/html" is not expected.'
      )
      assert.isTrue(state.cancelled)
    })
  )

  it.effect("is not nothing", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(image)
      assert.instanceOf(error, Errors.InvalidResponse)
      assert.strictEqual(error.message, "The answer is not what the contract says: there is no body.")
    }).pipe(Effect.provide(client(() => new Response(null, { status: 204 }))))
  )

  it.effect("that is missing is an error of its own", () =>
    Effect.gen(function* () {
      const script = () => json({ type: "urn:effect-chatbot:problem:BotImageNotFound", botId }, { status: 404 })
      assert.instanceOf(yield* Effect.provide(Effect.flip(image), client(script)), Errors.BotImageNotFound)
      assert.instanceOf(
        yield* Effect.provide(
          Effect.flip(image),
          client(() => text("no", { status: 404 }))
        ),
        Errors.BotNotFound
      )
    })
  )
})
