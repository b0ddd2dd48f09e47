import * as Problem from "@effect-chatbot/api/Problem"
import * as CallStory from "@effect-chatbot/client/CallStory"
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as IdempotencyKeys from "@effect-chatbot/client/IdempotencyKeys"
import * as RetryPolicy from "@effect-chatbot/client/RetryPolicy"
import * as Timeouts from "@effect-chatbot/client/Timeouts"
import * as Errors from "@effect-chatbot/schema/Errors"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import { chatId } from "./support/Methods.ts"
import { failing, json, type Script, scripted, status } from "./support/Scripted.ts"

type Client = ChatbotClient["Service"]

const getUser = ({ users }: Client) => users.current
const getChat = ({ chats }: Client) => chats.get(chatId)
const complete = ({ chats }: Client) => chats.complete(chatId, "hello")
const user = () => json({ id: 1 })

/** Waits a second before every further attempt, so that times are exact. */
const steady: RetryPolicy.RetryPolicy = { ...RetryPolicy.standard, backoff: Schedule.spaced("1 second") }

const provide = (policy: RetryPolicy.RetryPolicy) => Effect.provideService(RetryPolicy.RetryPolicy, policy)

/** A client whose backend answers by a script, and how its calls end after an hour. */
const clientOf = (script: Script) =>
  Effect.gen(function* () {
    const backend = scripted(script)
    const client = yield* Effect.provide(
      ChatbotClient,
      Layer.provide(ChatbotClient.layer({ baseUrl: "http://chatbot.test" }), backend.layer)
    )
    const end = <A, E>(call: Effect.Effect<A, E>) =>
      Effect.gen(function* () {
        const before = backend.sent.length
        const began = yield* TestClock.testClockWith((clock) => Effect.succeed(clock.currentTimeMillisUnsafe()))
        const fiber = yield* Effect.forkChild(Effect.exit(call))
        yield* TestClock.adjust("1 hour")
        const exit = yield* Fiber.join(fiber)
        const error = Exit.isFailure(exit) ? Exit.findErrorOption(exit) : Option.none()
        return {
          exit,
          error: Option.getOrUndefined(error),
          story: Option.getOrUndefined(Option.flatMap(error, CallStory.of)),
          /** When it was sent, in milliseconds from the beginning of the call. */
          times: backend.sent.slice(before).map(({ at }) => at - began)
        }
      })
    return { client, end, sent: backend.sent }
  })

/** Fails by these faults, one after the other, and then succeeds. */
const inTurn =
  (...faults: ReadonlyArray<Script>): Script =>
  (request, number) =>
    (faults[number - 1] ?? user)(request, number)

const unavailable = () => status(503)
const reset: Script = (request) => failing(request, "ECONNRESET")
const refused: Script = (request) => failing(request, "ECONNREFUSED")
const silent: Script = () => Effect.never

describe("attempts", () => {
  it.effect.each<readonly [string, ReadonlyArray<Script>]>([
    ["one kind of fault", [unavailable, unavailable, unavailable, unavailable]],
    ["a status, a reset, a status", [unavailable, reset, () => status(500), unavailable]],
    ["a reset, a status, a reset", [reset, () => status(429), reset, reset]],
    ["no answer, refused, no answer", [silent, refused, silent, refused]]
  ])("are three, whatever comes: %s", ([, faults]) =>
    Effect.gen(function* () {
      const { client, end } = yield* clientOf(inTurn(...faults))
      const { story, times } = yield* end(
        getUser(client).pipe(Effect.provideService(Timeouts.Timeouts, { ...Timeouts.standard, attempt: "5 seconds" }))
      )
      assert.strictEqual(times.length, 3)
      assert.strictEqual(story?.attempts.length, 3)
      assert.strictEqual(story?.ended, "attempts")
    })
  )

  it.effect("end with the first success", () =>
    Effect.gen(function* () {
      const { client, end } = yield* clientOf(inTurn(unavailable, reset))
      const { exit, times } = yield* end(getUser(client))
      assert.isTrue(Exit.isSuccess(exit))
      assert.strictEqual(times.length, 3)
    })
  )

  it.effect("end with the first outcome that is final, and fail with it", () =>
    Effect.gen(function* () {
      const { client, end } = yield* clientOf(inTurn(unavailable, () => status(404)))
      const { error, story, times } = yield* end(getChat(client))
      assert.instanceOf(error, Errors.ChatNotFound)
      assert.strictEqual(times.length, 2)
      assert.strictEqual(story?.ended, "final")
    })
  )

  it.effect("fail with the error of the last one", () =>
    Effect.gen(function* () {
      const { client, end } = yield* clientOf(inTurn(unavailable, reset, () => status(429)))
      assert.instanceOf((yield* end(getUser(client))).error, Errors.RateLimited)
    })
  )

  it.effect("are as many as the policy says, for all calls and for one", () =>
    Effect.gen(function* () {
      const { client, end } = yield* clientOf(unavailable)
      assert.strictEqual((yield* end(getUser(client))).times.length, 3)
      assert.strictEqual((yield* end(getUser(client).pipe(provide({ ...steady, attempts: 5 })))).times.length, 5)
      assert.strictEqual((yield* end(getUser(client).pipe(provide(RetryPolicy.none)))).times.length, 1)

      const backend = scripted(unavailable)
      const built = ChatbotClient.layer({ baseUrl: "http://chatbot.test" }).pipe(
        Layer.provide(backend.layer),
        Layer.provide(Layer.succeed(RetryPolicy.RetryPolicy, { ...steady, attempts: 4 }))
      )
      const other = yield* Effect.provide(ChatbotClient, built)
      yield* end(getUser(other))
      assert.strictEqual(backend.sent.length, 4)
      yield* end(getUser(other).pipe(provide(RetryPolicy.none)))
      assert.strictEqual(backend.sent.length, 5)
    })
  )

  it.effect("end where the back-off ends", () =>
    Effect.gen(function* () {
      const { client, end } = yield* clientOf(unavailable)
      const backoff = Schedule.upTo(Schedule.spaced("1 second"), { times: 1 })
      const { story, times } = yield* end(getUser(client).pipe(provide({ ...steady, attempts: 9, backoff })))
      assert.deepStrictEqual(times, [0, 1000])
      assert.strictEqual(story?.ended, "backoff")
    })
  )

  it.effect("go by the table of the policy", () =>
    Effect.gen(function* () {
      const outcomes = { ...RetryPolicy.outcomes, "503": RetryPolicy.final }
      const { client, end } = yield* clientOf(unavailable)
      assert.strictEqual((yield* end(getUser(client).pipe(provide({ ...steady, outcomes })))).times.length, 1)
    })
  )
})

describe("an error that asks for something else than its status", () => {
  const problem = (tag: string, code: number, fields: object = {}) =>
    json({ type: Problem.typeOf(tag), title: tag, status: code, ...fields }, { status: code })

  it.effect.each([
    ["ChatBusy", 409],
    ["BotsStopped", 503]
  ] as const)("%s is final", ([tag, code]) =>
    Effect.gen(function* () {
      const { client, end } = yield* clientOf(() => problem(tag, code))
      const { error, story, times } = yield* end(complete(client))
      assert.strictEqual((error as { readonly _tag: string } | undefined)?._tag, tag)
      assert.strictEqual(times.length, 1)
      assert.strictEqual(story?.attempts[0]?.outcome, tag)
    })
  )

  it.effect("IdempotencyKeyInUse waits for the attempt that is at work, as long as the backend says", () =>
    Effect.gen(function* () {
      const { client, end, sent } = yield* clientOf((_, number) =>
        number === 1
          ? status(503)
          : number === 2
            ? problem("IdempotencyKeyInUse", 409, { retryAfter: 4 })
            : json({ completionId: "c" })
      )
      const { exit, times } = yield* end(complete(client).pipe(provide(steady)))
      assert.isTrue(Exit.isSuccess(exit))
      assert.deepStrictEqual(times, [0, 1000, 6000])
      assert.strictEqual(new Set(sent.map(({ headers }) => headers["idempotency-key"])).size, 1)
    })
  )

  it.effect("IdempotencyKeyInUse is no attempt while an earlier one of the call is at work, until the deadline", () =>
    Effect.gen(function* () {
      const { client, end, sent } = yield* clientOf((request, number) =>
        number === 1 ? reset(request, number) : problem("IdempotencyKeyInUse", 409, { retryAfter: 4 })
      )
      const honoured = { ...IdempotencyKeys.standard, honoured: true } as const
      const { error, story, times } = yield* end(
        complete(client).pipe(provide(steady), Effect.provideService(IdempotencyKeys.IdempotencyKeys, honoured))
      )
      assert.instanceOf(error, Errors.IdempotencyKeyInUse)
      assert.strictEqual(story?.ended, "deadline")
      // Ten minutes, in steps of five seconds.
      assert.strictEqual(times.length, 121)
      assert.strictEqual(new Set(sent.map(({ headers }) => headers["idempotency-key"])).size, 1)
    })
  )

  it.effect("IdempotencyKeyInUse of a key that somebody else uses counts as an attempt like any other", () =>
    Effect.gen(function* () {
      const { client, end } = yield* clientOf(() => problem("IdempotencyKeyInUse", 409))
      const { error, times } = yield* end(complete(client).pipe(provide(steady)))
      assert.instanceOf(error, Errors.IdempotencyKeyInUse)
      assert.strictEqual(times.length, 3)
    })
  )

  it.effect("is not taken from a status alone", () =>
    Effect.gen(function* () {
      // A backend that knows nothing of keys, whose status stands for the class of it.
      const creating = yield* clientOf(() => status(409))
      const created = yield* creating.end(creating.client.chats.createByBotCode("guide"))
      assert.instanceOf(created.error, Errors.IdempotencyKeyInUse)
      assert.strictEqual(created.times.length, 1)
      const { client, end } = yield* clientOf(() => status(409))
      assert.strictEqual((yield* end(complete(client))).story?.attempts[0]?.outcome, "409")
    })
  )
})

describe("the back-off", () => {
  /** The delays before the 2nd, 3rd, … attempt. */
  const delays = (count: number) =>
    Effect.gen(function* () {
      const step = yield* Schedule.toStep(RetryPolicy.standard.backoff)
      const found: Array<number> = []
      for (let i = 0; i < count; i++) found.push(Duration.toMillis((yield* Effect.orDie(step(0, undefined)))[1]))
      return found
    })

  it.effect("is uniform between nothing and 200 ms, by Kolmogorov and Smirnov", () =>
    Effect.gen(function* () {
      const n = 10_000
      const draws = (yield* Effect.replicateEffect(delays(1), n))
        .map(([delay]) => delay! / 200)
        .toSorted((a, b) => a - b)
      const distance = Math.max(...draws.map((x, i) => Math.max(x - i / n, (i + 1) / n - x)))
      // 1.63 is the bound for p = 0.01.
      assert.isBelow(distance * Math.sqrt(n), 1.63)
    }).pipe(Random.withSeed("jitter"))
  )

  it.effect("doubles its bound up to 10 seconds", () =>
    Effect.gen(function* () {
      const rows = yield* Effect.replicateEffect(delays(12), 500)
      for (let i = 0; i < 12; i++) {
        const bound = Math.min(200 * 2 ** i, 10_000)
        const largest = Math.max(...rows.map((row) => row[i]!))
        assert.isAtMost(largest, bound)
        assert.isAbove(largest, bound * 0.95)
        assert.isBelow(Math.min(...rows.map((row) => row[i]!)), bound * 0.05)
      }
    }).pipe(Random.withSeed("bounds"))
  )

  it.effect("spreads clients that fail together", () =>
    Effect.gen(function* () {
      const { client, end, sent } = yield* clientOf(unavailable)
      const call = Effect.exit(getUser(client).pipe(provide({ ...RetryPolicy.standard, budget: undefined })))
      yield* end(
        Effect.all(
          Array.from({ length: 300 }, () => call),
          { concurrency: "unbounded" }
        )
      )
      const again = sent
        .filter(({ headers }) => headers["x-attempt"] !== undefined)
        .map(({ at }) => Math.floor(at / 100))
      assert.strictEqual(again.length, 600)
      const bins = Array.from({ length: Math.max(...again) + 1 }, (_, bin) => again.filter((at) => at === bin).length)
      assert.isAtMost(Math.max(...bins), (3 * again.length) / bins.length)
    }).pipe(Random.withSeed("together"))
  )

  it.effect("is the same for the same seed", () =>
    Effect.gen(function* () {
      const { client, end } = yield* clientOf(unavailable)
      const first = yield* end(Random.withSeed(getUser(client), "seed"))
      const second = yield* end(Random.withSeed(getUser(client), "seed"))
      const other = yield* end(Random.withSeed(getUser(client), "other"))
      assert.deepStrictEqual(first.times, second.times)
      assert.notDeepEqual(first.times, other.times)
    })
  )

  it.effect("that is interrupted ends at once, and nothing is sent any more", () =>
    Effect.gen(function* () {
      const { client, sent } = yield* clientOf(unavailable)
      const fiber = yield* Effect.forkChild(getUser(client).pipe(provide(steady)))
      yield* TestClock.adjust("500 millis")
      assert.strictEqual(sent.length, 1)
      yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(sent.length, 1)
    })
  )

  it.live("that is interrupted leaves no timer", () =>
    Effect.gen(function* () {
      const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length
      const { client, sent } = yield* clientOf(unavailable)
      const before = timers()
      const fibers = yield* Effect.all(
        Array.from({ length: 50 }, () =>
          Effect.forkChild(getUser(client).pipe(provide({ ...steady, budget: undefined })))
        )
      )
      while (sent.length < 50) yield* Effect.yieldNow
      assert.isAtLeast(timers(), before + 50)
      yield* Fiber.interruptAll(fibers)
      assert.isAtMost(timers(), before)
    })
  )
})

describe("Retry-After", () => {
  const asking = (value: string): Script => inTurn(() => status(503, { "retry-after": value }))

  /** Waits a second by itself: what is asked for comes on top. */
  const timesOf = (value: string) =>
    Effect.gen(function* () {
      const { client, end } = yield* clientOf(asking(value))
      return yield* end(getUser(client).pipe(provide(steady)))
    })

  it.effect.each<readonly [value: string, times: ReadonlyArray<number>, means: string]>([
    ["0", [0, 1000], "nothing"],
    ["2", [0, 3000], "two seconds"],
    [" 2 ", [0, 3000], "two seconds"],
    ["58", [0, 59_000], "as much as the deadline leaves"],
    ["Thu, 01 Jan 1970 00:00:02 GMT", [0, 3000], "until a date"],
    ["Thursday, 01-Jan-70 00:00:02 GMT", [0, 3000], "until a date of an old form"],
    ["Wed, 31 Dec 1969 23:59:00 GMT", [0, 1000], "a date that is over, which is nothing"],
    ["-1", [0, 1000], "what is no time"],
    ["1.5", [0, 1000], "what is no time"],
    ["abc", [0, 1000], "what is no time"],
    ["1e12", [0, 1000], "what is no time"],
    ["", [0, 1000], "what is no time"]
  ])("of %o makes attempts at %o: it asks for %s", ([value, times]) =>
    Effect.gen(function* () {
      const { exit, times: found } = yield* timesOf(value)
      assert.isTrue(Exit.isSuccess(exit))
      assert.deepStrictEqual(found, times)
    })
  )

  it.effect.each([
    ["61", "61 seconds", "more than the policy gives"],
    ["3600", "1 hour", "more than the policy gives"],
    ["1000000000000", "1000000000000 seconds", "more than the policy gives"],
    ["Fri, 31 Dec 9999 23:59:59 GMT", undefined, "a date far off"]
  ] as const)("of %o fails at once: it asks for %s", ([value, retryAfter]) =>
    Effect.gen(function* () {
      const { error, story, times } = yield* timesOf(value)
      assert.deepStrictEqual(times, [0])
      assert.strictEqual(story?.ended, "retry-after")
      assert.instanceOf(error, Errors.Unavailable)
      assert.isDefined(error.retryAfter)
      if (retryAfter !== undefined) {
        assert.strictEqual(Duration.toMillis(error.retryAfter), Duration.toMillis(retryAfter))
      }
    })
  )

  it.effect("is never waited for beyond the deadline", () =>
    Effect.gen(function* () {
      const { client, end } = yield* clientOf(asking("10"))
      const limits = { ...Timeouts.standard, deadline: "5 seconds" } as const
      const { error, story, times } = yield* end(
        getUser(client).pipe(provide(steady), Effect.provideService(Timeouts.Timeouts, limits))
      )
      assert.deepStrictEqual(times, [0])
      assert.instanceOf(error, Errors.Unavailable)
      assert.strictEqual(story?.ended, "deadline")
    })
  )

  it.effect("is read from a problem before the head, and from any status", () =>
    Effect.gen(function* () {
      const problem = { type: Problem.typeOf("RateLimited"), status: 429, retryAfter: 1.5 }
      const told = yield* clientOf(inTurn(() => json(problem, { status: 429, headers: { "retry-after": "9" } })))
      assert.deepStrictEqual((yield* told.end(getUser(told.client).pipe(provide(steady)))).times, [0, 2500])
      const other = yield* clientOf(inTurn(() => status(502, { "retry-after": "9" })))
      assert.deepStrictEqual((yield* other.end(getUser(other.client).pipe(provide(steady)))).times, [0, 10_000])
    })
  )

  it.effect("may be as long as the policy says", () =>
    Effect.gen(function* () {
      const { client, end } = yield* clientOf(asking("120"))
      const patient = { ...steady, maxRetryAfter: "2 minutes" } as const
      const { times } = yield* end(
        getUser(client).pipe(
          provide(patient),
          Effect.provideService(Timeouts.Timeouts, { ...Timeouts.standard, deadline: "1 hour" })
        )
      )
      assert.deepStrictEqual(times, [0, 121_000])
    })
  )
})

describe("the backend may say whether to try again", () => {
  const timesOf = (code: number, should: string, call: (client: Client) => Effect.Effect<unknown, object> = getUser) =>
    Effect.gen(function* () {
      const { client, end } = yield* clientOf(() => status(code, { "x-should-retry": should }))
      const { story, times } = yield* end(call(client).pipe(provide(steady)))
      return [times.length, story?.ended] as const
    })

  it.effect("no", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* timesOf(503, "false"), [1, "veto"])
      assert.deepStrictEqual(yield* timesOf(429, "false"), [1, "veto"])
    })
  )

  it.effect("yes, where twice has the effect of once", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* timesOf(409, "true"), [3, "attempts"])
      assert.deepStrictEqual(yield* timesOf(409, "true", complete), [1, "uncertain"])
      assert.deepStrictEqual(yield* timesOf(503, "true", complete), [3, "attempts"])
      assert.deepStrictEqual(yield* timesOf(503, "true", ({ bots }) => bots.stopAll), [1, "once"])
    })
  )

  it.effect("something else, which is nothing", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* timesOf(503, "maybe"), [3, "attempts"])
      assert.deepStrictEqual(yield* timesOf(409, "maybe"), [1, "final"])
    })
  )
})

describe("the budget", () => {
  it.effect(
    "lets a backend that is down be asked little more than without retries, and is there again when it is up",
    () =>
      Effect.gen(function* () {
        let isDown = true
        const { client, sent } = yield* clientOf(() => (isDown ? status(503) : user()))
        /** 100 calls a second. */
        const load = Effect.fnUntraced(function* (seconds: number) {
          const before = sent.length
          for (let i = 0; i < seconds * 100; i++) {
            yield* Effect.forkChild(Effect.exit(getUser(client)))
            yield* TestClock.adjust("10 millis")
          }
          yield* TestClock.adjust("5 seconds")
          return sent.length - before - seconds * 100
        })
        // 100 tokens are 20 further attempts.
        assert.strictEqual(yield* load(5), 20)
        assert.strictEqual(yield* load(5), 0)
        // A hundred successes fill it again.
        isDown = false
        assert.strictEqual(yield* load(1), 0)
        isDown = true
        assert.strictEqual(yield* load(1), 20)
      })
  )

  it.effect("is that of a client, with all of its groups", () =>
    Effect.gen(function* () {
      const { client, end } = yield* clientOf(unavailable)
      const two = { ...steady, budget: { capacity: 10, cost: 5, timeoutCost: 10, refund: 1 } }
      assert.strictEqual((yield* end(getUser(client).pipe(provide(two)))).times.length, 3)
      const { story, times } = yield* end(getChat(client).pipe(provide(two)))
      assert.strictEqual(times.length, 1)
      assert.strictEqual(story?.ended, "budget")
      const other = yield* clientOf(unavailable)
      assert.strictEqual((yield* other.end(getChat(other.client).pipe(provide(two)))).times.length, 3)
    })
  )

  it.effect("is spent faster by limits of time", () =>
    Effect.gen(function* () {
      const { client, end } = yield* clientOf(silent)
      const limits = { ...Timeouts.standard, attempt: "1 second" } as const
      const call = getUser(client).pipe(
        provide({ ...steady, attempts: 50 }),
        Effect.provideService(Timeouts.Timeouts, limits)
      )
      const { story, times } = yield* end(call)
      assert.strictEqual(times.length, 11)
      assert.strictEqual(story?.ended, "budget")
    })
  )

  it.effect("can be none", () =>
    Effect.gen(function* () {
      const { client, end } = yield* clientOf(unavailable)
      const { times } = yield* end(getUser(client).pipe(provide({ ...steady, attempts: 50, budget: undefined })))
      assert.strictEqual(times.length, 50)
    })
  )
})

describe("the deadline", () => {
  const limits = { ...Timeouts.standard, attempt: "2 seconds", deadline: "5 seconds" } as const

  it.effect("ends the attempt that is under way", () =>
    Effect.gen(function* () {
      const { client, end } = yield* clientOf(silent)
      const began = yield* TestClock.testClockWith((clock) => Effect.succeed(clock.currentTimeMillisUnsafe()))
      let ended = 0
      const call = getUser(client).pipe(
        provide({ ...steady, attempts: 9 }),
        Effect.provideService(Timeouts.Timeouts, { ...limits, deadline: "6500 millis" }),
        Effect.tapError(() =>
          TestClock.testClockWith((clock) => Effect.sync(() => (ended = clock.currentTimeMillisUnsafe() - began)))
        )
      )
      const { error, story, times } = yield* end(call)
      assert.deepStrictEqual(times, [0, 3000, 6000])
      assert.strictEqual(ended, 6500)
      assert.instanceOf(error, Errors.RequestTimedOut)
      assert.strictEqual(error.limit, "deadline")
      assert.strictEqual(Duration.toMillis(error.duration), 6500)
      assert.deepStrictEqual(
        story?.attempts.map(({ duration, outcome }) => [outcome, Duration.toMillis(duration)]),
        [
          ["attempt", 2000],
          ["attempt", 2000],
          ["deadline", 500]
        ]
      )
      assert.strictEqual(story?.ended, "deadline")
    })
  )

  it.effect("is not waited for: a back-off that would go beyond it fails at once", () =>
    Effect.gen(function* () {
      const { client, end } = yield* clientOf(unavailable)
      const slow = { ...steady, attempts: 9, backoff: Schedule.spaced("2 seconds") }
      const { error, story, times } = yield* end(
        getUser(client).pipe(provide(slow), Effect.provideService(Timeouts.Timeouts, limits))
      )
      assert.deepStrictEqual(times, [0, 2000, 4000])
      assert.instanceOf(error, Errors.Unavailable)
      assert.strictEqual(story?.ended, "deadline")
    })
  )

  it.effect("can be none", () =>
    Effect.gen(function* () {
      const { client, end } = yield* clientOf(unavailable)
      const { times } = yield* end(
        getUser(client).pipe(
          provide({ ...steady, backoff: Schedule.spaced("10 minutes") }),
          Effect.provideService(Timeouts.Timeouts, { ...limits, deadline: "Infinity" })
        )
      )
      assert.deepStrictEqual(times, [0, 600_000, 1_200_000])
    })
  )
})

describe("two clients of one program", () => {
  it.effect("call each its own backend and know each its own", () =>
    Effect.gen(function* () {
      const first = scripted(user)
      const second = scripted(user)
      const layerOf = (name: string, backend: typeof first) =>
        Layer.provide(ChatbotClient.layer({ baseUrl: `http://${name}.test` }), backend.layer)
      const call = Effect.flatMap(ChatbotClient, getUser)
      yield* call.pipe(
        Effect.provide(layerOf("second", second)),
        Effect.andThen(call),
        Effect.provide(layerOf("first", first))
      )
      assert.deepStrictEqual(
        first.sent.map(({ url }) => new URL(url).host),
        ["first.test"]
      )
      assert.deepStrictEqual(
        second.sent.map(({ url }) => new URL(url).host),
        ["second.test"]
      )
    })
  )
})
