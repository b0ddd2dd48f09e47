import type { CompletionEvent } from "@effect-chatbot/schema/CompletionEvent"
import { ChatId, CompletionId } from "@effect-chatbot/schema/Ids"
import * as EventLog from "@effect-chatbot/server/EventLog"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

const delta = (text: string): CompletionEvent => ({ _tag: "Delta", text })
const stopped: CompletionEvent = { _tag: "Stopped", completionId: CompletionId.make("c"), text: "" }

const decode = (chunks: ReadonlyArray<Uint8Array>) => chunks.map((chunk) => Buffer.from(chunk).toString())

/** What a reader gets until the log ends, as it goes over the wire. */
const read = (log: EventLog.EventLog, after: number) => Effect.map(Stream.runCollect(log.read(after)), decode)

const ids = (chunks: ReadonlyArray<string>) => chunks.map((chunk) => Number(/^id: (\d+)$/m.exec(chunk)?.[1] ?? 0))

const logOf = (count: number) => {
  const log = EventLog.empty()
  for (let index = 1; index < count; index++) log.append(delta(`word ${index} `))
  log.end(log.prepare([stopped]))
  return log
}

describe("EventLog", () => {
  it.effect("gives every reader every event after its place, once and in order", () =>
    Effect.gen(function* () {
      const log = logOf(200)
      for (let after = 0; after <= 200; after++) {
        assert.deepStrictEqual(
          ids(yield* read(log, after)),
          Array.from({ length: 200 - after }, (_, index) => after + index + 1)
        )
      }
    })
  )

  it.effect("is the same after it was stored, whatever its events hold", () =>
    Effect.gen(function* () {
      const log = EventLog.empty()
      log.append({
        _tag: "Started",
        completionId: CompletionId.make("c"),
        chatId: ChatId.make("chat"),
        botDisplayName: "a\n\nb\r\n\r\nc"
      })
      for (const text of ["\n\n", "\n\nevent: completed\ndata: {}\n\n", "\r\r", "\0", "\u2028", "\ud800", "ü😀", ""]) {
        log.append(delta(text))
      }
      const last = log.prepare([stopped])
      const stored = EventLog.fromBytes(log.toBytes(last))
      log.end(last)
      assert.strictEqual(stored.count, log.count)
      assert.strictEqual(stored.byteLength, log.byteLength)
      assert.isTrue(stored.isEnded)
      for (let after = 0; after <= log.count; after++) {
        assert.deepStrictEqual(yield* read(stored, after), yield* read(log, after))
      }
      assert.deepStrictEqual(yield* read(EventLog.fromBytes(new Uint8Array()), 0), [])
    })
  )

  it.effect("wakes who waits, and forgets who leaves", () =>
    Effect.gen(function* () {
      const log = EventLog.empty()
      const readers = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(read(log, 0)))
      yield* TestClock.adjust(1)
      assert.strictEqual(log.waiting, 3)
      yield* Fiber.interrupt(readers[0]!)
      assert.strictEqual(log.waiting, 2)
      log.append(delta("a"))
      assert.strictEqual(log.waiting, 0)
      yield* TestClock.adjust(1)
      assert.strictEqual(log.waiting, 2)
      log.end(log.prepare([stopped]))
      for (const reader of readers.slice(1)) assert.deepStrictEqual(ids(yield* Fiber.join(reader)), [0, 1, 2])
      assert.strictEqual(log.waiting, 0)
    })
  )

  it.effect("sends a heartbeat after every 15 seconds of silence, and at once to who has nothing to read", () =>
    Effect.gen(function* () {
      const log = EventLog.empty()
      const got: Array<string> = []
      const reader = yield* Effect.forkChild(
        Stream.runForEachArray(log.read(0), (chunk) => Effect.sync(() => got.push(...decode(chunk))))
      )
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(got, [":\n\n"])
      yield* TestClock.adjust("14999 millis")
      assert.lengthOf(got, 1)
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(got, [":\n\n", ":\n\n"])
      yield* TestClock.adjust("10 seconds")
      log.append(delta("a"))
      yield* TestClock.adjust("14 seconds")
      assert.deepStrictEqual(ids(got), [0, 0, 1])
      yield* TestClock.adjust("31 seconds")
      assert.deepStrictEqual(ids(got), [0, 0, 1, 0, 0, 0])
      log.end(log.prepare([stopped]))
      yield* Fiber.join(reader)
      assert.deepStrictEqual(ids(got), [0, 0, 1, 0, 0, 0, 2])
    })
  )

  it.effect("keeps nothing for a reader that does not read", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const log = EventLog.empty()
        log.append(delta("first"))
        const pulls = yield* Effect.replicateEffect(Stream.toPull(log.read(0)), 50)
        for (const pull of pulls) assert.lengthOf(yield* pull, 1)
        for (let index = 0; index < 10_000; index++) log.append(delta("word "))
        log.end(log.prepare([stopped]))
        // Nobody is waited for and nothing is on its way: what there is, is the log, once.
        assert.strictEqual(log.waiting, 0)
        assert.strictEqual(log.byteLength, log.toBytes().length)
        const slow = pulls[0]!
        let next = 2
        const rest = yield* Effect.forever(
          Effect.tap(slow, (chunk) =>
            Effect.sync(() => {
              assert.isAtMost(chunk.length, 64)
              for (const id of ids(decode(chunk))) assert.strictEqual(id, next++)
            })
          )
        ).pipe(Effect.exit)
        assert.isTrue(rest._tag === "Failure" && Pull.isDoneCause(rest.cause))
        assert.strictEqual(next, 10_003)
      })
    )
  )

  it.effect("shares the bytes of an event among its readers", () =>
    Effect.gen(function* () {
      const log = logOf(10)
      const one = yield* Stream.runCollect(log.read(0))
      const other = yield* Stream.runCollect(log.read(3))
      for (const [index, event] of other.entries()) assert.strictEqual(event, one[index + 3])
    })
  )
})
