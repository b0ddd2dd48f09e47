/** The streams of the client against the backend, over sockets that break. */
import * as EventStream from "@effect-chatbot/api/EventStream"
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as Completion from "@effect-chatbot/client/Completion"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import * as RetryPolicy from "@effect-chatbot/client/RetryPolicy"
import { type ChatId } from "@effect-chatbot/schema/Ids"
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { cuttingProxy } from "./support/CuttingProxy.ts"
import { layer as server, open, send, stepped, StreamServer, tokenOf } from "./support/StreamServer.ts"
import * as Services from "./support/TestServices.ts"

let count = 0

/** A user with a chat, and a client that reaches the backend through a proxy. */
const someone = Effect.gen(function* () {
  const { baseUrl } = yield* StreamServer
  const login = `reader-${++count}`
  const token = yield* tokenOf(login)
  const botId = yield* Services.bot({ code: login, displayName: "Helper", isOpen: 1 })
  const proxy = yield* cuttingProxy(Number(new URL(baseUrl).port))
  const { chats } = yield* ChatbotClient.layer({ baseUrl: proxy.baseUrl, token }).pipe(
    Layer.provide(NodeTransport.layer),
    Layer.provide(
      // Breaks come faster here than anywhere else, and nobody has to wait.
      Layer.succeed(RetryPolicy.RetryPolicy, { ...RetryPolicy.standard, backoff: Schedule.spaced(0) })
    ),
    Layer.build,
    Effect.map(Context.get(ChatbotClient))
  )
  const { chatId } = yield* chats.create(botId)
  return { chatId, chats, proxy, token }
})

/** The events of an answer as the backend has them. */
const logged = (chatId: ChatId, completionId: string, token: string) =>
  Effect.gen(function* () {
    const events = yield* open("GET", `/api/chats/${chatId}/completions/${completionId}/events`, { token })
    yield* events.rest
    return yield* Stream.make(new TextEncoder().encode(events.text())).pipe(
      EventStream.decode({ onInvalid: ({ name }) => new Error(name) }),
      Stream.runCollect,
      Effect.map((read) => read.flatMap((item) => (item._tag === "Event" ? [item.event] : []))),
      Effect.orDie
    )
  })

const behave = (streaming: Services.Streaming) =>
  Effect.flatMap(Services.TestProvider, (provider) => provider.stream(streaming))

layer(server, { excludeTestServices: true })("a stream over a connection that breaks", (it) => {
  it.effect("has every event once and in order, wherever it is cut, and the question is asked once", () =>
    Effect.gen(function* () {
      const { chatId, chats, proxy, token } = yield* someone
      const text = Array.from({ length: 40 }, (_, i) => `wörd${i} `).join("")
      yield* Effect.flatMap(Services.TestProvider, (provider) =>
        provider.behave(() => Effect.succeed(Services.answer({ assistantMessage: text })))
      )
      // From the status line on, through the head and the events, to the end and beyond.
      for (let offset = 1; offset < 3600; offset += 149) {
        proxy.cutAfter(offset)
        const events = yield* Stream.runCollect(chats.stream(chatId, `Question ${offset}`))
        const { completionId, ended, text: read } = yield* Completion.collect(Stream.fromIterable(events))
        assert.deepStrictEqual([ended, read], ["Completed", text])
        assert.isDefined(completionId)
        assert.deepStrictEqual(events, yield* logged(chatId, completionId, token), `cut after ${offset}`)
        proxy.cutAfter(Infinity)
      }
      assert.isAtLeast(proxy.cuts(), 20)
      const { completions } = yield* chats.get(chatId)
      assert.strictEqual(completions.length, new Set(completions.map(({ userMessage }) => userMessage)).size)
    })
  )

  it.effect("goes on while the answer is made", () =>
    Effect.gen(function* () {
      const { chatId, chats, proxy } = yield* someone
      const steps = yield* stepped
      yield* behave(steps.streaming)
      const seen = yield* Queue.unbounded<Completion.Event>()
      const fiber = yield* Effect.forkChild(
        Completion.collect(Stream.tap(chats.stream(chatId, "Why?"), (event) => Queue.offer(seen, event)))
      )
      yield* steps.asked
      for (let i = 0; i < 5; i++) {
        proxy.cutAfter(20)
        yield* steps.say(`part ${i} `)
        yield* Queue.takeN(seen, i === 0 ? 2 : 1)
      }
      yield* steps.finish
      const { ended, text } = yield* Fiber.join(fiber)
      assert.deepStrictEqual([ended, text], ["Completed", "part 0 part 1 part 2 part 3 part 4 "])
      assert.isAtLeast(proxy.cuts(), 5)
    })
  )

  it.effect("that is left lets the answer be finished, and one that is to be stopped stops it", () =>
    Effect.gen(function* () {
      const { chatId, chats, token } = yield* someone
      const ask = (options?: Completion.StreamOptions) =>
        Effect.gen(function* () {
          const steps = yield* stepped
          yield* behave(steps.streaming)
          const seen = yield* Queue.unbounded<Completion.Event>()
          const fiber = yield* Effect.forkChild(
            Stream.runForEach(chats.stream(chatId, "Why?", options), (event) => Queue.offer(seen, event))
          )
          yield* steps.asked
          yield* steps.say("half ")
          yield* Queue.takeN(seen, 2)
          yield* Fiber.interrupt(fiber)
          return steps
        })
      const stored = Effect.map(send("GET", `/api/chats/${chatId}`, { token }), ({ json }) => json().completions)

      const left = yield* ask()
      yield* left.say("whole")
      yield* left.finish
      yield* Effect.repeat(stored, { until: (completions: ReadonlyArray<unknown>) => completions.length === 1 })
      const stopped = yield* ask({ onInterrupt: "stop" })
      yield* stopped.interrupted
      const completions = yield* stored
      assert.deepStrictEqual(
        completions.map(({ assistantMessage }: { readonly assistantMessage: string }) => assistantMessage),
        ["half whole", "half "]
      )
    })
  )

  it.effect("ends as far as it went where all bots were stopped", () =>
    Effect.gen(function* () {
      const { chatId, chats } = yield* someone
      const steps = yield* stepped
      const seen = yield* Queue.unbounded<Completion.Event>()
      yield* behave(steps.streaming)
      const fiber = yield* Effect.forkChild(
        Completion.collect(Stream.tap(chats.stream(chatId, "Why?"), (event) => Queue.offer(seen, event)))
      )
      yield* steps.asked
      yield* steps.say("half ")
      yield* Queue.takeN(seen, 2)
      yield* send("GET", "/api/bots/stop", { token: yield* tokenOf("stopper", ["Admin"]) })
      assert.deepInclude(yield* Fiber.join(fiber), { ended: "Stopped", text: "half " })
    })
  )
})
