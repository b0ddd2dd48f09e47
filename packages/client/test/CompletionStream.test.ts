/** A completion as a stream: one sequence of events, whatever the answers are that they come in, or an error that says what is missing. */
import * as EventStream from "@effect-chatbot/api/EventStream"
import * as Bulkhead from "@effect-chatbot/client/Bulkhead"
import * as CallStory from "@effect-chatbot/client/CallStory"
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as Completion from "@effect-chatbot/client/Completion"
import * as IdempotencyKeys from "@effect-chatbot/client/IdempotencyKeys"
import * as RetryPolicy from "@effect-chatbot/client/RetryPolicy"
import * as Timeouts from "@effect-chatbot/client/Timeouts"
import type * as CompletionEvent from "@effect-chatbot/schema/CompletionEvent"
import * as Errors from "@effect-chatbot/schema/Errors"
import { ChatId } from "@effect-chatbot/schema/Ids"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { answerOf, bytesOf, completionId, followed, lastEventId, numbered, stream } from "./support/Answers.ts"
import { failing, json, type Script, scripted, status } from "./support/Scripted.ts"

const chatId = ChatId.make("c")
const answer = answerOf(5)
const [started, ...others] = answer
const named = { "completion-id": completionId }

interface Options extends Completion.StreamOptions {
  readonly policy?: Layer.Layer<never>
}

/** A client of a scripted backend, and what it was sent. */
const clientOf = (script: Script, policy: Layer.Layer<never> = Layer.empty) =>
  Effect.gen(function* () {
    const { layer, sent } = scripted(script)
    const client = ChatbotClient.layer({ baseUrl: "http://chatbot.test" }).pipe(
      Layer.provide(layer),
      Layer.provide(policy)
    )
    return { sent, ...(yield* Effect.provide(ChatbotClient, client)) }
  })

const now = TestClock.testClockWith((clock) => Effect.sync(() => clock.currentTimeMillisUnsafe()))

/** Lets what a body of the web brings arrive. */
const settled = Effect.replicateEffect(
  Effect.promise(() => new Promise(setImmediate)),
  10,
  { discard: true }
)

/** Waits for a fiber, and lets time pass meanwhile: bit by bit, for a body of the web comes by promises that know nothing of the clock. */
const advance = <A, E>(fiber: Fiber.Fiber<A, E>): Effect.Effect<A, E> =>
  Effect.suspend(() =>
    fiber.pollUnsafe() === undefined
      ? Effect.andThen(Effect.andThen(settled, TestClock.adjust("1 second")), advance(fiber))
      : Fiber.join(fiber)
  )

/** What comes of a stream, and when: its events and its end. */
const read = (script: Script, { policy, ...options }: Options = {}) =>
  Effect.gen(function* () {
    const { chats, sent } = yield* clientOf(script, policy)
    const begin = yield* now
    const events: Array<Completion.Event> = []
    const reading = chats.stream(chatId, "why?", options).pipe(
      Stream.runForEach((event) => Effect.sync(() => events.push(event))),
      Effect.flip,
      Effect.option
    )
    const [failed, end] = yield* advance(yield* Effect.forkChild(Effect.zip(reading, now)))
    const error = Option.getOrUndefined(failed)
    const story = Option.getOrUndefined(CallStory.of(error))
    return { at: end - begin, error, events, sent, story, outcomes: story?.attempts.map(({ outcome }) => outcome) }
  })

const isWhole = ({ error, events }: { readonly error: unknown; readonly events: ReadonlyArray<Completion.Event> }) => {
  assert.isUndefined(error)
  assert.deepStrictEqual(events, answer)
}

const methods = (sent: ReadonlyArray<{ readonly method: string; readonly url: string }>) =>
  sent.map(({ method, url }) => `${method} ${new URL(url).pathname}`)

const ask = "POST /api/chats/c/completions"
const follow = `GET /api/chats/c/completions/${completionId}/events`

describe("a stream", () => {
  it.effect("is asked for once, with a key, and gives the events as they are", () =>
    Effect.gen(function* () {
      const { sent, ...result } = yield* read(() => stream(bytesOf(answer)))
      isWhole(result)
      assert.strictEqual(sent.length, 1)
      assert.strictEqual(sent[0]?.headers["accept"], "text/event-stream, application/json;q=0.5")
      assert.match(sent[0]?.headers["idempotency-key"] ?? "", /^[0-9a-f-]{36}$/)
      assert.deepInclude(JSON.parse(sent[0]?.body ?? ""), { userMessage: "why?", isTraceLogEnabled: false })
    })
  )

  it.effect("asks anew each time that it is run, with a key of its own", () =>
    Effect.gen(function* () {
      const { chats, sent } = yield* clientOf(() => stream(bytesOf(answer)))
      const asked = chats.stream(chatId, "why?")
      yield* Stream.runDrain(asked)
      yield* Stream.runDrain(asked)
      assert.strictEqual(new Set(sent.map(({ headers }) => headers["idempotency-key"])).size, 2)
    })
  )

  it.effect("has one delta and its terminal event where the backend does not stream", () =>
    Effect.gen(function* () {
      const completion = { completionId, assistantMessage: "All of it", totalTokens: 3 }
      const { error, events } = yield* read(() => json(completion))
      assert.isUndefined(error)
      assert.deepStrictEqual(
        events.map(({ _tag }) => _tag),
        ["Delta", "Completed"]
      )
      assert.deepInclude(yield* Completion.collect(Stream.fromIterable(events)), {
        text: "All of it",
        completionId,
        ended: "Completed"
      })
    })
  )

  it.effect("fails as the call does where it is refused", () =>
    Effect.gen(function* () {
      const { error, sent, story } = yield* read(() => status(401))
      assert.instanceOf(error, Errors.Unauthorized)
      assert.strictEqual(sent.length, 1)
      assert.strictEqual(story?.endpoint, "chats.complete")
      const { error: busy } = yield* read(() => status(409))
      assert.instanceOf(busy, Errors.ChatBusy)
      const { error: invalid, sent: none } = yield* read(() => status(500), { policy: keys({ key: "a b" }) })
      assert.instanceOf(invalid, Errors.InvalidRequest)
      assert.deepStrictEqual(none, [])
    })
  )

  it.effect("is no page of a proxy", () =>
    Effect.gen(function* () {
      const html = new Response("<html>", { headers: { "content-type": "text/html" } })
      const { error, sent } = yield* read(() => html)
      assert.instanceOf(error, Errors.InvalidResponse)
      assert.strictEqual(sent.length, 1)
    })
  )
})

const keys = (options: Partial<IdempotencyKeys.IdempotencyKeys>) =>
  Layer.succeed(IdempotencyKeys.IdempotencyKeys, { ...IdempotencyKeys.standard, ...options })

const honoured = keys({ honoured: true })

describe("a stream that breaks", () => {
  it.effect.each(["end", "reset", "stall"] as const)("by a %s goes on from where it broke", (end) =>
    Effect.gen(function* () {
      for (let count = 1; count < answer.length; count++) {
        const { sent, ...result } = yield* read(followed(answer, () => stream(bytesOf(answer.slice(0, count)), end)))
        isWhole(result)
        assert.deepStrictEqual(methods(sent), [ask, follow])
        assert.strictEqual(sent[1]?.headers["last-event-id"], String(count))
        assert.strictEqual(sent[1]?.headers["x-attempt"], "2")
        assert.isUndefined(sent[1]?.headers["idempotency-key"])
      }
    })
  )

  it.effect("before its first event is followed from its beginning, where its head names the answer", () =>
    Effect.gen(function* () {
      const { sent, ...result } = yield* read(followed(answer, () => stream(":\n\nevent: star", "reset", named)))
      isWhole(result)
      assert.deepStrictEqual(methods(sent), [ask, follow])
      assert.isUndefined(sent[1]?.headers["last-event-id"])
    })
  )

  it.effect("before it is known which answer it is, is asked for again only where keys are honoured", () =>
    Effect.gen(function* () {
      const script: Script = (_, number) => (number === 1 ? stream("", "end") : stream(bytesOf(answer)))
      const { error, sent, story } = yield* read(script)
      assert.instanceOf(error, Errors.StreamTruncated)
      assert.strictEqual(story?.ended, "uncertain")
      assert.strictEqual(sent.length, 1)
      const again = yield* read(script, { policy: honoured })
      isWhole(again)
      assert.deepStrictEqual(methods(again.sent), [ask, ask])
      assert.strictEqual(new Set(again.sent.map(({ headers }) => headers["idempotency-key"])).size, 1)
    })
  )

  it.effect("and is asked for again while it runs, is followed under the name that the backend gives", () =>
    Effect.gen(function* () {
      const inUse = () =>
        json(
          { type: "urn:effect-chatbot:problem:IdempotencyKeyInUse", status: 409, retryAfter: 1, completionId },
          { status: 409, headers: { "content-type": "application/problem+json" } }
        )
      let posts = 0
      const { sent, ...result } = yield* read(
        (request, number) =>
          request.method === "POST" && ++posts === 1
            ? failing(request, "ECONNRESET")
            : followed(answer, inUse)(request, number),
        { policy: honoured }
      )
      isWhole(result)
      assert.deepStrictEqual(methods(sent), [ask, ask, follow])
    })
  )

  it.effect("again and again goes on as long as each time something new comes", () =>
    Effect.gen(function* () {
      const one: Script = (request) => {
        const after = request.method === "POST" ? 0 : lastEventId(request)
        return stream(EventStream.encode(numbered(answer, after).slice(0, 1)), "reset")
      }
      const { sent, ...result } = yield* read(one)
      isWhole(result)
      assert.strictEqual(sent.length, answer.length)
    })
  )

  it.effect("and cannot be followed is truncated, after the attempts of the policy", () =>
    Effect.gen(function* () {
      const { error, events, outcomes, sent, story } = yield* read((request) =>
        request.method === "POST" ? stream(bytesOf(answer.slice(0, 3)), "reset") : stream("", "end")
      )
      assert.instanceOf(error, Errors.StreamTruncated)
      assert.strictEqual(error.lastEventId, "3")
      assert.deepStrictEqual(events, answer.slice(0, 3))
      assert.deepStrictEqual(outcomes, ["reset", "truncated", "truncated"])
      assert.strictEqual(story?.ended, "attempts")
      assert.strictEqual(sent.length, 3)
    })
  )

  it.effect("on a backend that knows no such route is truncated at once", () =>
    Effect.gen(function* () {
      for (const code of [404, 405, 400]) {
        const { error, outcomes, story } = yield* read((request) =>
          request.method === "POST" ? stream(bytesOf(answer.slice(0, 2))) : status(code)
        )
        assert.instanceOf(error, Errors.StreamTruncated)
        assert.strictEqual(error.lastEventId, "2")
        assert.deepStrictEqual(outcomes, ["truncated", String(code)])
        assert.strictEqual(story?.ended, "final")
      }
    })
  )

  it.effect("tells what happened where it may not be followed any more", () =>
    Effect.gen(function* () {
      const { error } = yield* read((request) =>
        request.method === "POST" ? stream(bytesOf(answer.slice(0, 2))) : status(401)
      )
      assert.instanceOf(error, Errors.Unauthorized)
    })
  )

  it.effect("waits as long as the backend asked for in it, within the policy", () =>
    Effect.gen(function* () {
      const broken = (retry: string) =>
        followed(answer, () => stream(`retry: ${retry}\n\n${new TextDecoder().decode(bytesOf([started!]))}`))
      const { sent, ...result } = yield* read(broken("3000"))
      isWhole(result)
      assert.isAtLeast(sent[1]!.at - sent[0]!.at, 3000)
      assert.isBelow(sent[1]!.at - sent[0]!.at, 3201)
      const { sent: bounded } = yield* read(broken("999999999"))
      assert.isAtLeast(bounded[1]!.at - bounded[0]!.at, 60_000)
      assert.isBelow(bounded[1]!.at - bounded[0]!.at, 60_201)
    })
  )
})

describe("the events of a stream", () => {
  it.effect("are taken once, though some come twice", () =>
    Effect.gen(function* () {
      const all = numbered(answer)
      const twice = EventStream.encode([...all.slice(0, 3), ...all.slice(1, 4), ...all.slice(3)])
      const { sent, ...result } = yield* read(() => stream(twice))
      isWhole(result)
      assert.strictEqual(sent.length, 1)
    })
  )

  it.effect("are taken in order: where one is missing or comes late, the stream broke", () =>
    Effect.gen(function* () {
      const all = numbered(answer)
      const late = EventStream.encode([...all.slice(0, 2), all[3]!, all[2]!, ...all.slice(4)])
      const { sent, ...result } = yield* read(followed(answer, () => stream(late)))
      isWhole(result)
      assert.strictEqual(sent[1]?.headers["last-event-id"], "2")
      const { error } = yield* read((request) => (request.method === "POST" ? stream(late) : stream(late)))
      assert.instanceOf(error, Errors.StreamTruncated)
    })
  )

  it.effect("may have no ids, or ids of another kind", () =>
    Effect.gen(function* () {
      const text = new TextDecoder().decode(bytesOf(answer))
      for (const other of [text.replaceAll(/id: \d+\n/g, ""), text.replaceAll(/id: (\d+)\n/g, "id: 7$10\n")]) {
        isWhole(yield* read(() => stream(other)))
      }
      const some = text.replaceAll(/id: [2-4]\n/g, "")
      isWhole(yield* read(() => stream(some)))
    })
  )

  it.effect("never come twice: where that cannot be told, a stream that breaks is not asked for again", () =>
    Effect.gen(function* () {
      const text = new TextDecoder().decode(bytesOf(answer.slice(1, 3))).replaceAll(/id: (\d+)\n/g, "id: 7$10\n")
      const { error, events, sent, story } = yield* read(() => stream(text, "reset"), { policy: honoured })
      assert.instanceOf(error, Errors.TransportFailed)
      assert.deepStrictEqual(events, answer.slice(1, 3))
      assert.strictEqual(story?.ended, "begun")
      assert.strictEqual(sent.length, 1)
    })
  )

  it.effect("end with an error where the answer failed", () =>
    Effect.gen(function* () {
      const failed: CompletionEvent.Failed = {
        _tag: "Failed",
        completionId,
        type: "urn:effect-chatbot:problem:ProviderFailed",
        title: "Provider Failed",
        status: 502,
        detail: "The provider is away.",
        requestId: "r-1",
        ref: undefined,
        retryAfter: Duration.seconds(3)
      }
      const { error, events, sent, story } = yield* read(() => stream(bytesOf([...answer.slice(0, 3), failed])))
      assert.deepStrictEqual(events, answer.slice(0, 3))
      assert.instanceOf(error, Errors.CompletionFailed)
      assert.deepInclude(error, { reason: "ProviderFailed", completionId, requestId: "r-1" })
      assert.strictEqual(sent.length, 1)
      assert.strictEqual(story?.ended, "final")
    })
  )

  it.effect("are bounded, and what is not of the contract is told without its text", () =>
    Effect.gen(function* () {
      const large = yield* read(() => stream(bytesOf(answer)), { maxEventSize: 20 })
      assert.instanceOf(large.error, Errors.EventTooLarge)
      assert.strictEqual(large.sent.length, 1)
      const text = `${new TextDecoder().decode(bytesOf(answer.slice(0, 2)))}event: completed\nid: 3\ndata: {"completion":{"x":"canary"}}\n\n`
      const { error, events } = yield* read(() => stream(text))
      assert.deepStrictEqual(events, answer.slice(0, 2))
      assert.instanceOf(error, Errors.InvalidResponse)
      assert.match(error.message, /event "completed": .*completionId/)
      assert.notInclude(error.message, "canary")
    })
  )
})

describe("the limits of a stream", () => {
  const once = Layer.succeed(RetryPolicy.RetryPolicy, RetryPolicy.none)

  /** A body that says these texts, each after a time in seconds, and then nothing more. */
  const slow = (...texts: ReadonlyArray<readonly [seconds: number, text: Uint8Array | string]>) =>
    Effect.gen(function* () {
      const queue = yield* Queue.unbounded<Uint8Array>()
      const say = Effect.forEach(texts, ([seconds, text]) =>
        Effect.andThen(
          Effect.sleep(`${seconds} seconds`),
          Queue.offer(queue, typeof text === "string" ? new TextEncoder().encode(text) : text)
        )
      )
      yield* Effect.forkDetach(say)
      const body = yield* Stream.toReadableStreamEffect(Stream.fromQueue(queue))
      return new Response(body, { headers: { "content-type": "text/event-stream" } })
    })

  it.effect("are 2 minutes for the first event, whatever else comes", () =>
    Effect.gen(function* () {
      for (const script of [() => Effect.never, () => slow([30, ":\n\n"], [60, ":\n\n"])] satisfies Array<Script>) {
        const { at, error } = yield* read(script, { policy: once })
        assert.instanceOf(error, Errors.RequestTimedOut)
        assert.strictEqual(error.limit, "firstEvent")
        assert.strictEqual(at, 120_000)
      }
    })
  )

  it.effect("are 45 seconds of silence after that, in which a heartbeat is a sound", () =>
    Effect.gen(function* () {
      const first = bytesOf(answer.slice(0, 2))
      const { at, error, events } = yield* read(() => slow([100, first], [44, ":\n\n"], [44, ":\n\n"]), {
        policy: once
      })
      assert.instanceOf(error, Errors.StreamIdle)
      assert.strictEqual(error.lastEventId, "2")
      assert.strictEqual(Duration.toSeconds(error.duration), 45)
      assert.strictEqual(events.length, 2)
      assert.strictEqual(at, (100 + 44 + 44 + 45) * 1000)
    })
  )

  it.effect("break a silent stream, which then is followed, and tell only if that helps nothing", () =>
    Effect.gen(function* () {
      const { error, outcomes, sent } = yield* read((request) =>
        request.method === "POST" ? stream(bytesOf(answer.slice(0, 2)), "stall") : stream(":\n\n", "stall", named)
      )
      assert.instanceOf(error, Errors.RequestTimedOut)
      assert.deepStrictEqual(outcomes, ["idle", "firstEvent", "firstEvent"])
      assert.strictEqual(sent.length, 3)
    })
  )

  it.effect("are 10 minutes for the whole of it, with all answers", () =>
    Effect.gen(function* () {
      const beat = Array.from({ length: 60 }, () => [30, ":\n\n"] as const)
      const { at, error } = yield* read(() => slow([0, bytesOf(answer.slice(0, 1))], ...beat))
      assert.instanceOf(error, Errors.RequestTimedOut)
      assert.strictEqual(error.limit, "deadline")
      assert.strictEqual(at, 600_000)
    })
  )

  it.effect("can be changed for one stream", () =>
    Effect.gen(function* () {
      const { chats } = yield* clientOf(() => stream(bytesOf(answer.slice(0, 2)), "stall"), once)
      const fiber = yield* chats.stream(chatId, "why?").pipe(
        Stream.provideService(Timeouts.Timeouts, {
          ...Timeouts.standard,
          streams: { firstEvent: "1 second", idle: "2 seconds" }
        }),
        Stream.runDrain,
        Effect.flip,
        Effect.forkChild
      )
      assert.instanceOf(yield* advance(fiber), Errors.StreamIdle)
    })
  )
})

describe("a stream that is left", () => {
  const stop = `POST /api/chats/c/completions/${completionId}/stop`

  const left = (options: Completion.StreamOptions | undefined, first: Response) =>
    Effect.gen(function* () {
      const { chats, sent } = yield* clientOf((request) =>
        request.url.endsWith("/stop") ? status(200) : request.method === "POST" ? first : status(404)
      )
      return { stream: chats.stream(chatId, "why?", options), sent }
    })

  const half = () => stream(bytesOf(answer.slice(0, 3)), "stall")

  it.effect("lets the answer be finished", () =>
    Effect.gen(function* () {
      const { sent, stream } = yield* left(undefined, half())
      yield* Stream.runDrain(Stream.take(stream, 2))
      assert.deepStrictEqual(methods(sent), [ask])
    })
  )

  it.effect("stops the answer where the caller says so, by an interruption and by an early end", () =>
    Effect.gen(function* () {
      const early = yield* left({ onInterrupt: "stop" }, half())
      yield* Stream.runDrain(Stream.take(early.stream, 2))
      assert.deepStrictEqual(methods(early.sent), [ask, stop])

      const interrupted = yield* left({ onInterrupt: "stop" }, half())
      const seen = yield* Queue.unbounded<Completion.Event>()
      const fiber = yield* Effect.forkChild(Stream.runForEach(interrupted.stream, (event) => Queue.offer(seen, event)))
      yield* Queue.takeN(seen, 3)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(methods(interrupted.sent), [ask, stop])

      const unsaid = yield* left({ onInterrupt: "stop" }, stream(":\n\n", "stall", named))
      const waiting = yield* Effect.forkChild(Stream.runDrain(unsaid.stream))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(waiting)
      assert.deepStrictEqual(methods(unsaid.sent), [ask, stop])
    })
  )

  it.effect("stops nothing where it ended or failed by itself", () =>
    Effect.gen(function* () {
      const whole = yield* left({ onInterrupt: "stop" }, stream(bytesOf(answer)))
      yield* Stream.runDrain(whole.stream)
      assert.deepStrictEqual(methods(whole.sent), [ask])
      const broken = yield* left({ onInterrupt: "stop" }, stream(bytesOf(answer.slice(0, 3)), "end"))
      const exit = yield* Effect.forkChild(Effect.exit(Stream.runDrain(broken.stream)))
      yield* TestClock.adjust("1 minute")
      assert.isTrue(Exit.isFailure(yield* Fiber.join(exit)))
      assert.deepStrictEqual(methods(broken.sent), [ask, follow])
    })
  )

  it.effect("has had one place of the bulkhead as long as it was read", () =>
    Effect.gen(function* () {
      const { chats, sent } = yield* clientOf(
        () => stream(bytesOf(answer), "stall"),
        Bulkhead.layer({ calls: 1, completions: 1 })
      )
      const seen = yield* Queue.unbounded<Completion.Event>()
      const hold = Effect.forkChild(
        Stream.runForEach(Stream.concat(Stream.take(chats.stream(chatId, "why?"), 2), Stream.empty), (event) =>
          Effect.andThen(Queue.offer(seen, event), Effect.sleep("1 minute"))
        )
      )
      const first = yield* hold
      yield* Queue.take(seen)
      const second = yield* hold
      yield* TestClock.adjust("59 seconds")
      yield* settled
      assert.strictEqual(sent.length, 1)
      yield* advance(first)
      yield* advance(second)
      assert.strictEqual(sent.length, 2)
    })
  )
})

describe("Completion", () => {
  it.effect("gives the text, the growing answer and the whole of it", () =>
    Effect.gen(function* () {
      const events = Stream.fromIterable(answer)
      const text = (yield* Stream.runCollect(Completion.text(events))).join("")
      assert.strictEqual(text, "0 wörd€ 1 wörd€ 2 wörd€ 3 wörd€ 4 wörd€ ")
      const whole = yield* Completion.collect(events)
      assert.deepInclude(whole, { completionId, text, ended: "Completed" })
      assert.deepStrictEqual(
        whole.sources.map(({ fileName }) => fileName),
        ["a.md"]
      )
      const growing = yield* Stream.runCollect(Completion.answers(events))
      assert.strictEqual(growing.length, answer.length)
      assert.deepStrictEqual(growing.at(-1), whole)
      assert.deepInclude(growing[2], { completionId, text: "0 wörd€ 1 wörd€ ", ended: undefined })
    })
  )

  it.effect("tells an answer that was stopped, and one that was left, from a whole one", () =>
    Effect.gen(function* () {
      const stopped: Completion.Event = { _tag: "Stopped", completionId, text: "0 wö" }
      const answer = yield* Completion.collect(Stream.fromIterable([started!, others[0]!, stopped]))
      assert.deepInclude(answer, { ended: "Stopped", text: "0 wö", completion: undefined })
      const left = yield* Completion.collect(Stream.take(Stream.fromIterable([started!, ...others]), 2))
      assert.deepInclude(left, { ended: undefined, text: "0 wörd€ ", completionId })
      const unknown: Completion.Event = { _tag: "Unknown", name: "thinking", data: null }
      assert.deepStrictEqual(
        yield* Completion.collect(Stream.fromIterable([started!, unknown])),
        yield* Completion.collect(Stream.fromIterable([started!]))
      )
    })
  )
})
