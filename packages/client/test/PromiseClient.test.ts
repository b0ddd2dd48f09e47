/** The client for programs that know promises: the same calls, the same errors, signals, and streams that are closed. */
import * as CallStory from "@effect-chatbot/client/CallStory"
import { type ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import { createChatbotClient, type PromiseClient, type PromiseClientOptions } from "@effect-chatbot/client/promise"
import * as RetryPolicy from "@effect-chatbot/client/RetryPolicy"
import * as Errors from "@effect-chatbot/schema/Errors"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Queue from "effect/Queue"
import * as TestClock from "effect/testing/TestClock"
import { getEventListeners } from "node:events"
import { answerOf, bytesOf, completionId, stream } from "./support/Answers.ts"
import { botId, chatId, rows } from "./support/Methods.ts"
import { failing, json, type Script, scripted, status } from "./support/Scripted.ts"
import { socketServer } from "./support/Sockets.ts"

const baseUrl = "http://chatbot.test"

/** A client of a scripted backend, open until the test ends, and what it was sent. */
const clientOf = (script: Script, options: Partial<PromiseClientOptions> = {}) =>
  Effect.gen(function* () {
    const { layer, sent } = scripted(script)
    const client = yield* opened({ baseUrl, token: "secret", transport: layer, ...options })
    return { client, sent }
  })

const opened = (options: PromiseClientOptions) =>
  Effect.acquireRelease(
    Effect.sync(() => createChatbotClient(options)),
    (client) => Effect.promise(client.close)
  )

/** What a promise rejects with. */
const rejected = (promise: () => Promise<unknown>) =>
  Effect.promise(() =>
    promise().then(
      (value) => assert.fail(`resolved with ${String(value)}`),
      (error: unknown) => error
    )
  )

const listeners = (signal: AbortSignal) => getEventListeners(signal, "abort").length

/** A call, as the path of its method and its arguments. */
interface Recorded {
  readonly path: ReadonlyArray<string>
  readonly args: ReadonlyArray<unknown>
}

/** Stands for a client, and says which method was called with what. */
const recorder = (path: ReadonlyArray<string> = []): unknown =>
  new Proxy((...args: ReadonlyArray<unknown>): Recorded => ({ path, args }), {
    get: (_, name) => (name === "path" ? path : name === "args" ? [] : recorder([...path, String(name)]))
  })

/** Calls the method of this path. */
const apply = ({ args, path }: Recorded, client: unknown): unknown => {
  const method = path.reduce<unknown>(
    (self, name) => (Predicate.hasProperty(self, name) ? self[name] : undefined),
    client
  )
  return Predicate.isFunction(method) ? Reflect.apply(method, undefined, args) : assert.fail(path.join("."))
}

const recorded = (row: (typeof rows)[string]) => row.call(recorder() as ChatbotClient["Service"]) as unknown as Recorded

/** The stream of the items beside the method that gives a page of them. */
const itemsBeside: { readonly [page: string]: string } = {
  list: "items",
  listByStartBot: "itemsByStartBot",
  startBots: "startBotItems",
  tokenUsage: "tokenUsageItems",
  unassigned: "unassignedItems",
  chats: "chatItems",
  chatsByBot: "chatItemsByBot",
  chatsByBotAndSystemMessage: "chatItemsByBotAndSystemMessage"
}

const collect = async <A>(items: AsyncIterable<A>): Promise<ReadonlyArray<A>> => {
  const all: Array<A> = []
  for await (const item of items) all.push(item)
  return all
}

/** Pages of one bot each, without an end. */
const endless: Script = (_, number) => json({ items: [{ botId: `b${number}` }], hasNext: true, pageNumber: number })

/** A body that never ends, and what became of it. */
const silent = (bytes: Uint8Array, headers: HeadersInit = { "content-type": "text/event-stream" }) => {
  const state = { cancelled: false }
  const answer = () =>
    new Response(
      new ReadableStream<Uint8Array>({
        start: (body) => body.enqueue(bytes),
        cancel: () => {
          state.cancelled = true
        }
      }),
      { headers }
    )
  return { answer, state }
}

const reason = new Error("enough")
/** As programs without Effect make one. */
const aborter = () => new AbortController()
const noon = new Date("2026-01-02T12:00:00Z")
const answer = answerOf(3)

describe("the methods", () => {
  it.effect.each(Object.entries(rows))("%s sends what its Effect sends", ([, row]) =>
    Effect.gen(function* () {
      const { client, sent } = yield* clientOf(row.answer)
      yield* Effect.promise(async () => apply(recorded(row), client))
      assert.deepStrictEqual(
        sent.map(({ body, method, url }) => [method, url, body === undefined ? undefined : JSON.parse(body)]),
        [[row.method, baseUrl + row.path, row.body]]
      )
    })
  )

  const pages = Object.values(rows).filter((row) => Object.hasOwn(itemsBeside, recorded(row).path.at(-1)!))

  it("are a page and a stream of items, fifteen times", () => {
    assert.strictEqual(pages.length, 15)
  })

  it.effect.each(pages)("the items beside $path are those of its pages", (row) =>
    Effect.gen(function* () {
      const { args, path } = recorded(row)
      const { client, sent } = yield* clientOf(row.answer)
      const items = apply({ args, path: [...path.slice(0, -1), itemsBeside[path.at(-1)!]!] }, client)
      assert.deepStrictEqual(yield* Effect.promise(() => collect(items as AsyncIterable<unknown>)), [])
      const [path1, query = ""] = row.path.split("?")
      const url = new URL(sent[0]!.url)
      assert.strictEqual(url.pathname, path1)
      for (const [name, value] of new URLSearchParams(query)) assert.strictEqual(url.searchParams.get(name), value)
    })
  )

  it.effect("take plain values", () =>
    Effect.gen(function* () {
      const { client, sent } = yield* clientOf((_, number) => json(number === 1 ? "s1" : { feedbackId: "f1" }))
      const created = yield* Effect.promise(() =>
        client.admin.openAiServices.create({ displayName: "d", isActive: true, azureOpenAiApiKey: "key" })
      )
      assert.strictEqual(created, "s1")
      yield* Effect.promise(() => client.chats.feedback("c", { voteId: 1, messageCreatedUtc: noon }))
      assert.deepStrictEqual(
        sent.map(({ body }) => JSON.parse(body!)),
        [
          { displayName: "d", isActive: true, azureOpenAiEndpoint: null, azureOpenAiApiKey: "key" },
          {
            chatId: "c",
            userMessage: null,
            assistantMessage: null,
            messageCreatedUtc: noon.toISOString(),
            userComment: null,
            voteId: 1
          }
        ]
      )
    })
  )

  it.effect("take the policies of one call", () =>
    Effect.gen(function* () {
      const clock = yield* Clock.Clock
      const { client, sent } = yield* clientOf(() => status(503), {
        layer: Layer.mergeAll(
          Layer.succeed(Clock.Clock, clock),
          Layer.succeed(RetryPolicy.RetryPolicy, { ...RetryPolicy.standard, attempts: 5 })
        ),
        retry: { attempts: 2, budget: undefined }
      })
      const attempts = (call: () => Promise<unknown>) =>
        Effect.gen(function* () {
          const before = sent.length
          const calling = yield* Effect.forkChild(rejected(call), { startImmediately: true })
          while (calling.pollUnsafe() === undefined) {
            yield* Effect.promise(() => new Promise(setImmediate))
            yield* TestClock.adjust("10 seconds")
          }
          assert.instanceOf(yield* Fiber.join(calling), Errors.Unavailable)
          return sent.length - before
        })
      assert.strictEqual(yield* attempts(() => client.users.current()), 2)
      assert.strictEqual(yield* attempts(() => client.users.current({ retry: { attempts: 1 } })), 1)
      assert.strictEqual(yield* attempts(() => client.users.current({ retry: { attempts: undefined as never } })), 2)
      assert.strictEqual(yield* attempts(() => client.chats.create("b", { idempotencyKey: "k-1" })), 2)
      assert.deepStrictEqual(
        sent.slice(-2).map(({ headers }) => headers["idempotency-key"]),
        ["k-1", "k-1"]
      )
    })
  )

  it.effect("have limits of time for all calls and for one", () =>
    Effect.gen(function* () {
      const clock = yield* Clock.Clock
      const { client } = yield* clientOf(() => Effect.never, {
        layer: Layer.succeed(Clock.Clock, clock),
        timeouts: { deadline: "7 seconds" }
      })
      const limits = (call: () => Promise<unknown>, after: number) =>
        Effect.gen(function* () {
          const calling = yield* Effect.forkChild(rejected(call), { startImmediately: true })
          yield* Effect.promise(() => new Promise(setImmediate))
          yield* TestClock.adjust(after)
          const error = yield* Fiber.join(calling)
          assert.instanceOf(error, Errors.RequestTimedOut)
          return error.limit
        })
      assert.strictEqual(yield* limits(() => client.users.current(), 7000), "deadline")
      const options = { timeouts: { attempt: 100 }, retry: { attempts: 1 } }
      assert.strictEqual(yield* limits(() => client.users.current(options), 100), "attempt")
    })
  )
})

describe("errors", () => {
  it.effect("are the very ones of the Effect, with their story", () =>
    Effect.gen(function* () {
      const { client } = yield* clientOf(() => status(404, { "x-request-id": "r-1" }))
      const error = yield* rejected(() => client.chats.get("c"))
      assert.instanceOf(error, Errors.ChatNotFound)
      assert.strictEqual(error._tag, "ChatNotFound")
      const story = Option.getOrThrow(CallStory.of(error))
      assert.strictEqual(story.endpoint, "chats.get")
      assert.strictEqual(story.attempts.length, 1)
      const streamed = yield* rejected(() => collect(client.users.chatItems()))
      assert.strictEqual(Option.getOrThrow(CallStory.of(streamed)).endpoint, "users.chats")
    })
  )

  it.effect("say what is wrong with an argument, and nothing is sent", () =>
    Effect.gen(function* () {
      const { client, sent } = yield* clientOf(() => status(500))
      const error = yield* rejected(() => client.chats.get(""))
      assert.instanceOf(error, Errors.InvalidRequest)
      assert.include(error.message, "chatId")
      assert.strictEqual(sent.length, 0)
    })
  )

  it.effect("of a transport are told as the client tells them", () =>
    Effect.gen(function* () {
      const { client } = yield* clientOf((request) => failing(request, "ECONNREFUSED"), { retry: { attempts: 1 } })
      const error = yield* rejected(() => client.bots.list())
      assert.instanceOf(error, Errors.TransportFailed)
      assert.strictEqual(error.reason, "refused")
    })
  )

  it.effect("that nobody expects are rejected as they are", () =>
    Effect.gen(function* () {
      const defect = new RangeError("defect")
      const { client } = yield* clientOf(() => Effect.die(defect))
      assert.strictEqual(yield* rejected(() => client.users.current()), defect)
      assert.strictEqual(yield* rejected(() => collect(client.bots.items())), defect)
    })
  )

  it("of the options are thrown at once, without the token", () => {
    assert.throws(() => createChatbotClient({ baseUrl: "ftp://host" }), /baseUrl/)
    try {
      createChatbotClient({ baseUrl, token: "not a\ntoken" })
      assert.fail("made")
    } catch (error) {
      assert.instanceOf(error, Config.ConfigError)
      assert.notInclude(String(error), "not a")
    }
  })

  it.effect("of a transport that cannot be made reject every call", () =>
    Effect.gen(function* () {
      const wrong = Effect.flip(Effect.scoped(Layer.build(Layer.effectDiscard(Config.String("CHATBOT_NOT_SET")))))
      const error = yield* wrong
      const client = yield* opened({ baseUrl, transport: Layer.effect(HttpClient.HttpClient, Effect.fail(error)) })
      assert.strictEqual(yield* rejected(() => client.users.current()), error)
      assert.strictEqual(yield* rejected(() => client.users.current()), error)
    })
  )
})

describe("a signal", () => {
  it.effect("that is aborted lets nothing be sent", () =>
    Effect.gen(function* () {
      const { client, sent } = yield* clientOf(() => json({}))
      const signal = AbortSignal.abort(reason)
      assert.strictEqual(yield* rejected(() => client.users.current({ signal })), reason)
      assert.strictEqual(yield* rejected(() => client.bots.list({}, { signal })), reason)
      assert.strictEqual(yield* rejected(() => client.bots.image("b", { signal })), reason)
      assert.strictEqual(yield* rejected(() => collect(client.bots.items({}, { signal }))), reason)
      assert.strictEqual(yield* rejected(() => collect(client.chats.stream("c", "why?", { signal }))), reason)
      assert.strictEqual(yield* rejected(() => client.chats.stream("c", "why?", { signal }).collect()), reason)
      assert.strictEqual(yield* rejected(() => client.chats.download("c", "a.md", { signal })), reason)
      assert.deepStrictEqual(sent, [])
    })
  )

  it.effect("ends a call, and the promise rejects with its reason when the call has ended", () =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      let isEnded = false
      const { client } = yield* clientOf(() =>
        Deferred.succeed(begun, undefined).pipe(
          Effect.andThen(Effect.never),
          Effect.onInterrupt(() =>
            Effect.sync(() => {
              isEnded = true
            })
          )
        )
      )
      const controller = aborter()
      const call = yield* Effect.forkChild(
        rejected(() => client.chats.complete("c", "why?", { signal: controller.signal })),
        { startImmediately: true }
      )
      yield* Deferred.await(begun)
      controller.abort(reason)
      assert.strictEqual(yield* Fiber.join(call), reason)
      assert.isTrue(isEnded)
      assert.strictEqual(listeners(controller.signal), 0)
    })
  )

  it.effect("has no listener left, after however many calls and streams, whatever came of them", () =>
    Effect.gen(function* () {
      const { client } = yield* clientOf((request, number) => {
        if (request.method === "POST") return stream(bytesOf(answer))
        if (request.url.includes("/botimage/")) return new Response("x", { headers: { "content-type": "image/png" } })
        if (request.url.endsWith("/bots")) return endless(request, number)
        return number % 3 === 0 ? status(404) : json({ chatId: "c" })
      })
      const { signal } = aborter()
      yield* Effect.promise(async () => {
        await Promise.allSettled(Array.from({ length: 300 }, () => client.chats.get("c", { signal })))
        assert.strictEqual(listeners(signal), 0)
        await Promise.all(
          Array.from({ length: 50 }, async (_, i) => {
            let seen = 0
            for await (const _ of client.bots.items({}, { signal })) if (++seen > i % 3) return
          })
        )
        assert.strictEqual(listeners(signal), 0)
        await Promise.all(Array.from({ length: 50 }, () => client.chats.stream("c", "why?", { signal }).collect()))
        await Promise.all(
          Array.from({ length: 50 }, () => collect(client.chats.stream("c", "why?", { signal }).text()))
        )
        const contents = await Promise.all(Array.from({ length: 50 }, () => client.bots.image("b", { signal })))
        await Promise.all(
          contents.map(({ stream }, i) => (i % 2 === 0 ? new Response(stream).text() : stream.cancel()))
        )
        // One that nobody advances has nothing to be told.
        client.bots.items({}, { signal })[Symbol.asyncIterator]()
      })
      assert.strictEqual(listeners(signal), 0)
    })
  )

  it.effect("closes a stream at once, though nobody asks for the next item", () =>
    Effect.gen(function* () {
      const { answer: body, state } = silent(bytesOf(answer.slice(0, 2)))
      const { client } = yield* clientOf(body)
      const controller = aborter()
      const events = client.chats.stream("c", "why?", { signal: controller.signal })[Symbol.asyncIterator]()
      assert.deepStrictEqual(yield* Effect.promise(() => events.next()), { done: false, value: answer[0]! })
      controller.abort(reason)
      yield* Effect.promise(() => new Promise(setImmediate))
      assert.isTrue(state.cancelled)
      // Not even what had come already.
      assert.strictEqual(yield* rejected(() => events.next()), reason)
      assert.deepStrictEqual(yield* Effect.promise(() => events.next()), { done: true, value: undefined })
      assert.strictEqual(listeners(controller.signal), 0)
    })
  )

  it.effect("ends the wait for the next item", () =>
    Effect.gen(function* () {
      const { answer: body, state } = silent(bytesOf(answer.slice(0, 1)))
      const { client } = yield* clientOf(body)
      const controller = aborter()
      const events = client.chats.stream("c", "why?", { signal: controller.signal })[Symbol.asyncIterator]()
      yield* Effect.promise(() => events.next())
      const waiting = yield* Effect.forkChild(
        rejected(() => events.next()),
        { startImmediately: true }
      )
      controller.abort(reason)
      assert.strictEqual(yield* Fiber.join(waiting), reason)
      assert.isTrue(state.cancelled)
      assert.strictEqual(listeners(controller.signal), 0)
    })
  )

  it.effect("leaves nothing unhandled where an iteration is given up", () =>
    Effect.gen(function* () {
      const { answer: body } = silent(bytesOf(answer.slice(0, 1)))
      const { client } = yield* clientOf(body)
      const controller = aborter()
      yield* Effect.promise(async () => {
        for await (const _ of client.chats.stream("c", "why?", { signal: controller.signal })) break
        const events = client.chats.stream("c", "why?", { signal: controller.signal })[Symbol.asyncIterator]()
        await events.next()
        controller.abort(reason)
        await new Promise((resolve) => setImmediate(resolve))
      })
      // What nobody handles would have ended the process by now.
    })
  )
})

describe("streams of items", () => {
  it.effect("ask for a page when its items are wanted, anew in each loop", () =>
    Effect.gen(function* () {
      const { client, sent } = yield* clientOf(endless)
      const bots = client.bots.items({ pageSize: 1 })
      assert.strictEqual(sent.length, 0)
      yield* Effect.promise(async () => {
        const seen: Array<string> = []
        for await (const { botId } of bots) {
          seen.push(botId)
          await new Promise(setImmediate)
          assert.strictEqual(sent.length, seen.length)
          if (seen.length === 3) break
        }
        assert.deepStrictEqual(seen, ["b1", "b2", "b3"])
        for await (const { botId } of bots) {
          assert.strictEqual(botId, "b4")
          break
        }
      })
      assert.deepStrictEqual(
        sent.map(({ url }) => new URL(url).searchParams.get("PageNumber")),
        ["1", "2", "3", "1"]
      )
    })
  )

  it.effect("fail in the loop, after the items before", () =>
    Effect.gen(function* () {
      const { client } = yield* clientOf((request, number) => (number < 3 ? endless(request, number) : status(401)))
      const seen: Array<string> = []
      const error = yield* rejected(async () => {
        for await (const { botId } of client.bots.items()) seen.push(botId)
      })
      assert.instanceOf(error, Errors.Unauthorized)
      assert.deepStrictEqual(seen, ["b1", "b2"])
    })
  )
})

describe("a completion", () => {
  it.effect("comes as events, as text, as what it is so far, and as a whole", () =>
    Effect.gen(function* () {
      const { client, sent } = yield* clientOf(() => stream(bytesOf(answer)))
      const ask = () => client.chats.stream("c", "why?")
      const texts = answer.flatMap((event) => (event._tag === "Delta" ? [event.text] : []))
      ask()
      assert.strictEqual(sent.length, 0)
      assert.deepStrictEqual(yield* Effect.promise(() => collect(ask())), answer)
      assert.deepStrictEqual(yield* Effect.promise(() => collect(ask().text())), texts)
      const whole = yield* Effect.promise(() => ask().collect())
      assert.strictEqual(whole.text, texts.join(""))
      assert.strictEqual(whole.ended, "Completed")
      assert.deepStrictEqual((yield* Effect.promise(() => collect(ask().answers()))).at(-1), whole)
      assert.strictEqual(sent.length, 4)
    })
  )

  it.effect("is asked for once, however it is read", () =>
    Effect.gen(function* () {
      const { client, sent } = yield* clientOf(() => stream(bytesOf(answer)))
      const events = client.chats.stream("c", "why?")
      yield* Effect.promise(() => collect(events))
      for (const again of [() => collect(events), () => events.collect(), () => collect(events.text())]) {
        assert.instanceOf(yield* rejected(again), TypeError)
      }
      assert.strictEqual(sent.length, 1)
    })
  )

  it.effect.each(["break", "throw", "return"])("is closed when its loop is left by %s", (how) =>
    Effect.gen(function* () {
      const { answer: body, state } = silent(bytesOf(answer.slice(0, 2)))
      const { client, sent } = yield* clientOf(body)
      const read = async () => {
        for await (const _ of client.chats.stream("c", "why?")) {
          if (how === "break") break
          if (how === "return") return
          throw reason
        }
      }
      if (how === "throw") assert.strictEqual(yield* rejected(read), reason)
      else yield* Effect.promise(read)
      assert.isTrue(state.cancelled)
      assert.strictEqual(sent.length, 1)
    })
  )

  it.effect("is stopped when it is left, where that is wanted", () =>
    Effect.gen(function* () {
      const { answer: body } = silent(bytesOf(answer.slice(0, 2)))
      const { client, sent } = yield* clientOf((_, number) => (number === 1 ? body() : status(204)))
      yield* Effect.promise(async () => {
        for await (const _ of client.chats.stream("c", "why?", { onInterrupt: "stop" }).text()) break
      })
      assert.deepStrictEqual(
        sent.map(({ url }) => new URL(url).pathname),
        ["/api/chats/c/completions", `/api/chats/c/completions/${completionId}/stop`]
      )
    })
  )

  it.effect("can be left while its next event is waited for", () =>
    Effect.gen(function* () {
      const { answer: body, state } = silent(bytesOf(answer.slice(0, 1)))
      const { client } = yield* clientOf(body)
      const end = { done: true, value: undefined } as const
      yield* Effect.promise(async () => {
        const events = client.chats.stream("c", "why?")[Symbol.asyncIterator]()
        await events.next()
        const waiting = events.next()
        assert.deepStrictEqual(await events.return!(), end)
        assert.deepStrictEqual(await waiting, end)
        assert.deepStrictEqual(await events.next(), end)
      })
      assert.isTrue(state.cancelled)
    })
  )

  it.effect("takes an error that is thrown into it, and is closed", () =>
    Effect.gen(function* () {
      const { answer: body, state } = silent(bytesOf(answer.slice(0, 2)))
      const { client } = yield* clientOf(body)
      const events = client.chats.stream("c", "why?")[Symbol.asyncIterator]()
      yield* Effect.promise(() => events.next())
      assert.strictEqual(yield* rejected(() => events.throw!(reason)), reason)
      assert.isTrue(state.cancelled)
    })
  )

  it.effect("comes as the body of an answer of one's own", () =>
    Effect.gen(function* () {
      const { client, sent } = yield* clientOf(() => stream(bytesOf(answer)))
      const events = client.chats.stream("c", "why?")
      const body = yield* Effect.promise(() => events.body())
      assert.strictEqual(sent.length, 1)
      assert.strictEqual(yield* Effect.promise(() => new Response(body).text()), "0 wörd€ 1 wörd€ 2 wörd€ ")
      assert.instanceOf(yield* rejected(() => events.body()), TypeError)
    })
  )

  it.effect("is no body before it is known whether it comes", () =>
    Effect.gen(function* () {
      const { client } = yield* clientOf((_, number) =>
        number === 1 ? status(404) : number === 2 ? stream(bytesOf(answer.slice(0, 2)), "end") : status(500)
      )
      const body = () => client.chats.stream("c", "why?", { retry: { attempts: 1 } }).body()
      assert.instanceOf(yield* rejected(body), Errors.ChatNotFound)
      const begun = new Response(yield* Effect.promise(body))
      assert.instanceOf(yield* rejected(() => begun.text()), Errors.StreamTruncated)
    })
  )

  it.effect.each(["unread", "read"])("is left when its body is cancelled %s", (state) =>
    Effect.gen(function* () {
      const { answer: silence, state: connection } = silent(bytesOf(answer.slice(0, 2)))
      const { client, sent } = yield* clientOf((_, number) => (number === 1 ? silence() : status(204)))
      yield* Effect.promise(async () => {
        const reader = (await client.chats.stream("c", "why?", { onInterrupt: "stop" }).body()).getReader()
        if (state === "read") await reader.read()
        await reader.cancel()
      })
      assert.isTrue(connection.cancelled)
      assert.strictEqual(new URL(sent.at(-1)!.url).pathname, `/api/chats/c/completions/${completionId}/stop`)
    })
  )

  it.effect("that breaks is an error, and never an answer", () =>
    Effect.gen(function* () {
      const { client } = yield* clientOf(() => stream(bytesOf(answer.slice(0, -1))), { retry: { attempts: 1 } })
      assert.instanceOf(yield* rejected(() => client.chats.stream("c", "why?").collect()), Errors.StreamTruncated)
    })
  )
})

describe("bytes", () => {
  const headers = { "content-type": "image/png" }

  it.effect("come as a stream of the web, with what is known of them", () =>
    Effect.gen(function* () {
      const { client } = yield* clientOf(() => new Response("bytes", { headers: { ...headers, etag: '"1"' } }))
      const { contentType, etag, stream } = yield* Effect.promise(() => client.bots.image(botId))
      assert.deepStrictEqual([contentType, etag], ["image/png", '"1"'])
      assert.strictEqual(yield* Effect.promise(() => new Response(stream).text()), "bytes")
    })
  )

  it.effect.each(["unread", "read"])("are closed when they are cancelled %s", (state) =>
    Effect.gen(function* () {
      const body = silent(new Uint8Array([1, 2]), headers)
      const { client } = yield* clientOf(body.answer)
      const { stream } = yield* Effect.promise(() => client.chats.download(chatId, "a.md"))
      if (state === "read") {
        const reader = stream.getReader()
        assert.deepStrictEqual(yield* Effect.promise(() => reader.read()), {
          done: false,
          value: new Uint8Array([1, 2])
        })
        yield* Effect.promise(() => reader.cancel())
      } else yield* Effect.promise(() => stream.cancel())
      assert.isTrue(body.state.cancelled)
    })
  )

  it.effect("end with the reason of the signal, and not as if they were whole", () =>
    Effect.gen(function* () {
      const body = silent(new Uint8Array([1]), headers)
      const { client } = yield* clientOf(body.answer)
      const controller = aborter()
      const { stream } = yield* Effect.promise(() => client.bots.image("b", { signal: controller.signal }))
      const reader = stream.getReader()
      yield* Effect.promise(() => reader.read())
      const waiting = yield* Effect.forkChild(
        rejected(() => reader.read()),
        { startImmediately: true }
      )
      controller.abort(reason)
      assert.strictEqual(yield* Fiber.join(waiting), reason)
      assert.isTrue(body.state.cancelled)
      assert.strictEqual(listeners(controller.signal), 0)
    })
  )
})

describe("a client that is closed", () => {
  it.effect("interrupts its calls and streams, closes its transport and takes no more", () =>
    Effect.gen(function* () {
      let released = 0
      const ended = yield* Queue.unbounded<string>()
      const body = silent(bytesOf(answer.slice(0, 1)))
      const begun = yield* Deferred.make<void>()
      const { answer: send } = scripted(({ method }) =>
        method === "POST"
          ? body.answer()
          : Deferred.succeed(begun, undefined).pipe(
              Effect.andThen(Effect.never),
              Effect.onInterrupt(() => Queue.offer(ended, "call"))
            )
      )
      const transport = Layer.effect(
        HttpClient.HttpClient,
        Effect.acquireRelease(Effect.succeed(HttpClient.make(send)), () => Effect.sync(() => released++))
      )
      const client = yield* opened({ baseUrl, transport })
      const { signal } = aborter()
      const events = client.chats.stream("c", "why?", { signal })[Symbol.asyncIterator]()
      yield* Effect.promise(() => events.next())
      const call = yield* Effect.forkChild(
        rejected(() => client.users.current({ signal })),
        {
          startImmediately: true
        }
      )
      yield* Deferred.await(begun)
      yield* Effect.promise(() => client[Symbol.asyncDispose]())
      assert.strictEqual(yield* Queue.take(ended), "call")
      assert.isTrue(body.state.cancelled)
      assert.strictEqual(released, 1)
      for (const error of [
        yield* Fiber.join(call),
        yield* rejected(() => events.next()),
        yield* rejected(() => client.users.current()),
        yield* rejected(() => collect(client.bots.items())),
        yield* rejected(() => client.chats.stream("c", "why?").collect())
      ]) {
        assert.instanceOf(error, DOMException)
        assert.strictEqual(error.name, "AbortError")
        assert.include(error.message, "closed")
      }
      assert.strictEqual(listeners(signal), 0)
      yield* Effect.promise(client.close)
      assert.strictEqual(released, 1)
    })
  )

  it.effect("need not have been used", () =>
    Effect.promise(async () => {
      await using client: PromiseClient = createChatbotClient({ baseUrl })
      assert.isFunction(client.close)
    })
  )
})

describe("over fetch", () => {
  it.live("an aborted call closes its socket, and so does an aborted stream", () =>
    Effect.gen(function* () {
      const heads = yield* Queue.unbounded<void>()
      const { closed, host } = yield* socketServer((socket, head) => {
        if (head.startsWith("POST")) {
          const bytes = Buffer.from(bytesOf(answer.slice(0, 1)))
          const start = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
          socket.write(
            Buffer.concat([Buffer.from(`${start}${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")])
          )
        }
        Queue.offerUnsafe(heads, undefined)
      })
      const client = yield* opened({ baseUrl: `http://${host}` })
      const controller = aborter()
      const call = yield* Effect.forkChild(
        rejected(() => client.users.current({ signal: controller.signal })),
        {
          startImmediately: true
        }
      )
      yield* Queue.take(heads)
      controller.abort(reason)
      assert.strictEqual(yield* Fiber.join(call), reason)
      yield* Queue.take(closed)

      const second = aborter()
      const events = client.chats.stream("c", "why?", { signal: second.signal })[Symbol.asyncIterator]()
      yield* Effect.promise(() => events.next())
      second.abort(reason)
      yield* Queue.take(closed)
      assert.strictEqual(yield* rejected(() => events.next()), reason)
    })
  )
})
