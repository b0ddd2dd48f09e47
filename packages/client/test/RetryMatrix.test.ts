/** Every endpoint and every fault: how often it is sent follows from the class of the endpoint and the one table of outcomes. */
import type { RetryClass } from "@effect-chatbot/api/RetryClass"
import * as CallStory from "@effect-chatbot/client/CallStory"
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as IdempotencyKeys from "@effect-chatbot/client/IdempotencyKeys"
import * as RetryPolicy from "@effect-chatbot/client/RetryPolicy"
import * as Timeouts from "@effect-chatbot/client/Timeouts"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { chatId, classes, type Row, rows, streamed } from "./support/Methods.ts"
import { failing, type Script, scripted, status } from "./support/Scripted.ts"

const statuses = [400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 501, 502, 503, 504]

/** Every fault, by the outcome it is. */
const faults: ReadonlyMap<string, Script> = new Map<string, Script>([
  ...statuses.map((code): [string, Script] => [String(code), () => status(code)]),
  ["reset", (request) => failing(request, "ECONNRESET")],
  ["refused", (request) => failing(request, "ECONNREFUSED")],
  ["dns", (request) => failing(request, "ENOTFOUND")],
  ["connect", (request) => failing(request, "UND_ERR_CONNECT_TIMEOUT")],
  ["unreachable", (request) => failing(request, "EHOSTUNREACH")],
  ["unknown", (request) => failing(request, "X")],
  ["tls", (request) => failing(request, "CERT_HAS_EXPIRED")],
  ["attempt", () => Effect.never]
])

/** What the table says, without regard to how the client reads it. */
const expected = (retryClass: RetryClass, outcome: string, isHonoured: boolean): number => {
  const table: { readonly [outcome: string]: RetryPolicy.Verdicts } = RetryPolicy.outcomes
  if (retryClass === "never") return 1
  const verdict = table[outcome]?.[retryClass] ?? "final"
  return verdict === "again" || (verdict === "again with key" && isHonoured) ? RetryPolicy.standard.attempts : 1
}

const limits = { attempt: "10 seconds", deadline: "10 minutes" } as const

/** The backend of a cell: one client has them all. */
const Backend = Context.Reference<ReturnType<typeof scripted>["answer"]>("Backend", {
  defaultValue: () => () => assert.fail("No backend.")
})

const client = ChatbotClient.layer({ baseUrl: "http://chatbot.test", token: "canary" }).pipe(
  Layer.provide(
    Layer.succeed(
      HttpClient.HttpClient,
      HttpClient.make((request, url, signal, fiber) => Context.get(fiber.context, Backend)(request, url, signal, fiber))
    )
  )
)

/** How often a call is sent where every attempt has this fault, and the story of it. */
const attemptsOf = ({ call }: Row, script: Script, honoured: boolean) =>
  Effect.suspend(() => {
    const { answer, sent } = scripted(script)
    return Effect.flatMap(ChatbotClient, (client) => Effect.flip(Effect.asVoid(call(client)))).pipe(
      Effect.provideService(Backend, answer),
      // Cells share no budget, and there is room for three attempts that are not answered.
      Effect.provideService(RetryPolicy.RetryPolicy, { ...RetryPolicy.standard, budget: undefined }),
      Effect.provideService(Timeouts.Timeouts, { ...Timeouts.standard, ...limits, completions: limits }),
      Effect.provideService(IdempotencyKeys.IdempotencyKeys, { ...IdempotencyKeys.standard, honoured }),
      Effect.map((error) => ({ sent, story: Option.getOrThrow(CallStory.of(error)) }))
    )
  })

/** A stream, which is the same call until its first event. */
const asStream: Row = {
  ...rows["chats.complete"]!,
  call: ({ chats }) => Stream.runDrain(chats.stream(chatId, "hello"))
}

// With a ticket a download is sent once; this one has none.
const withoutTicket: Row = { ...rows["chats.download"]!, call: ({ chats }) => chats.download(chatId, "a.md") }

describe.each([
  ["does not honour keys", false],
  ["honours keys", true]
] as const)("a backend that %s", (_, isHonoured) => {
  const calls = { ...rows, "chats.download": withoutTicket, "chats.stream": asStream }

  it.effect.each(Object.entries(calls))("is asked again for %s", ([method, row]) =>
    Effect.gen(function* () {
      const isStream = row === asStream
      const name = isStream ? "chats.complete" : method
      const told = (outcome: string) => (isStream && outcome === "attempt" ? "firstEvent" : outcome)
      const retryClass = classes.get(name) ?? assert.fail()
      const fiber = yield* Effect.forkChild(
        Effect.forEach(
          faults,
          ([outcome, script]) => Effect.map(attemptsOf(row, script, isHonoured), (call) => ({ outcome, ...call })),
          { concurrency: "unbounded" }
        )
      )
      yield* TestClock.adjust("10 minutes")
      const cells = yield* Fiber.join(fiber)
      assert.deepStrictEqual(
        cells.map(({ outcome, sent }) => [outcome, sent.length]),
        [...faults.keys()].map((outcome) => [outcome, expected(retryClass, outcome, isHonoured)])
      )
      for (const { outcome, sent, story } of cells) {
        assert.strictEqual(story.endpoint, name)
        assert.deepStrictEqual(
          story.attempts.map(({ outcome }) => outcome),
          sent.map(() => told(outcome))
        )
        assert.notMatch(
          `${CallStory.format(story)} ${JSON.stringify(story)}`,
          /canary|chatbot\.test|chat.1|hello|bot 1/
        )
        // One key for all attempts, and their number from the second on.
        assert.strictEqual(new Set(sent.map(({ headers }) => headers["idempotency-key"])).size, 1)
        assert.deepStrictEqual(
          sent.map(({ headers }) => headers["x-attempt"]),
          [undefined, "2", "3"].slice(0, sent.length)
        )
      }
    }).pipe(Effect.provide(client))
  )
})

describe("the matrix", () => {
  it("has every endpoint, every outcome of the table that a transport or a status can have, and both sides of each rule", () => {
    assert.strictEqual(classes.size, 73)
    assert.deepStrictEqual([...Object.keys(rows), ...streamed].toSorted(), [...classes.keys()].toSorted())
    const told = new Set(["IdempotencyKeyInUse", "ChatBusy", "BotsStopped", "firstEvent", "truncated", "idle"])
    const missing = Object.keys(RetryPolicy.outcomes).filter((outcome) => !faults.has(outcome) && !told.has(outcome))
    assert.deepStrictEqual(missing, ["425"])
    assert.strictEqual(expected("safe", "500", false), 3)
    assert.strictEqual(expected("keyed", "500", false), 1)
    assert.strictEqual(expected("keyed", "500", true), 3)
    assert.strictEqual(expected("keyed", "503", false), 3)
    assert.strictEqual(expected("idempotent", "501", true), 1)
    assert.strictEqual(expected("never", "503", true), 1)
  })

  it.effect("has a download with a ticket that is sent once, whatever comes", () =>
    Effect.gen(function* () {
      const row = rows["chats.download"]!
      const fiber = yield* Effect.forkChild(
        Effect.forEach(faults.values(), (script) => attemptsOf(row, script, true), { concurrency: "unbounded" })
      )
      yield* TestClock.adjust("10 minutes")
      for (const { sent, story } of yield* Fiber.join(fiber)) {
        assert.strictEqual(sent.length, 1)
        assert.strictEqual(story.ended, "once")
      }
    }).pipe(Effect.provide(client))
  )
})
