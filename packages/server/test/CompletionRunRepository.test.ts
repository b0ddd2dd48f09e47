import { BotId, ChatId, CompletionId } from "@effect-chatbot/schema/Ids"
import { CompletionRunRepository } from "@effect-chatbot/server/repositories/CompletionRunRepository"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestDatabase from "./support/TestDatabase.ts"

const layer = CompletionRunRepository.layer.pipe(Layer.provide(TestDatabase.layer))

const test = <A, E>(effect: Effect.Effect<A, E, CompletionRunRepository>) => Effect.provide(effect, layer)

const now = DateTime.makeUnsafe("2026-01-01T00:00:00.000Z")

const run = (name: string, chat: string, key?: string) => ({
  completionId: CompletionId.make(name),
  chatId: ChatId.make(chat),
  question: {
    botId: BotId.make("bot"),
    userMessage: "Why?",
    ignoreChatHistory: false,
    isAdminChat: false,
    isTraceLogEnabled: false
  },
  key: key === undefined ? undefined : { hash: key, fingerprint: `of ${key}` },
  createdUtc: now
})

const batch = (firstId: number, count: number) => ({
  firstId,
  count,
  bytes: new TextEncoder().encode(`${firstId}-${firstId + count - 1};`)
})

const me = "one process"
const within = Duration.minutes(1)

const textOf = (batches: ReadonlyArray<Uint8Array>) => batches.map((bytes) => new TextDecoder().decode(bytes)).join("")

describe("CompletionRunRepository", () => {
  it.effect("has one run a chat and one a key", () =>
    test(
      Effect.gen(function* () {
        const runs = yield* CompletionRunRepository
        assert.isTrue(yield* runs.insert(run("one", "a", "key")))
        assert.isFalse(yield* runs.insert(run("two", "a")))
        assert.isFalse(yield* runs.insert(run("two", "b", "key")))
        assert.isTrue(yield* runs.insert(run("two", "b")))
        assert.isTrue(yield* runs.insert(run("three", "c")))
        assert.deepStrictEqual(yield* runs.findByKey("key"), {
          completionId: CompletionId.make("one"),
          fingerprint: "of key"
        })
        yield* runs.delete(CompletionId.make("one"))
        assert.isUndefined(yield* runs.findByKey("key"))
        assert.isTrue(yield* runs.insert(run("four", "a", "key")))
      })
    )
  )

  it.effect("lets only the last one write that took a run up", () =>
    test(
      Effect.gen(function* () {
        const runs = yield* CompletionRunRepository
        const { chatId, completionId } = run("one", "a")
        yield* runs.insert(run("one", "a"))
        assert.isFalse(yield* runs.append(completionId, 1, batch(1, 2)))
        assert.strictEqual((yield* runs.take(completionId, me, within))?.attempt, 1)
        assert.isTrue(yield* runs.append(completionId, 1, batch(1, 2)))
        assert.strictEqual((yield* runs.take(completionId, me, within))?.attempt, 2)
        assert.isFalse(yield* runs.append(completionId, 1, batch(3, 1)))
        assert.isFalse(yield* runs.end(completionId, 1))
        assert.isTrue(yield* runs.append(completionId, 2, batch(3, 1)))
        assert.deepStrictEqual(yield* runs.find(chatId, completionId), { isForAdmins: false, count: 3 })
        assert.isTrue(yield* runs.end(completionId, 2))
        assert.isFalse(yield* runs.append(completionId, 2, batch(4, 1)))
        assert.isUndefined(yield* runs.take(completionId, me, within))
        assert.isUndefined(yield* runs.read(completionId, 0))
        assert.strictEqual((yield* runs.events(completionId)).length, 0)
      })
    )
  )

  it.effect("leaves a run to the process that has it, as long as that is there", () =>
    test(
      Effect.gen(function* () {
        const runs = yield* CompletionRunRepository
        const { completionId } = run("one", "a")
        const takeAs = (owner: string, within = Duration.minutes(1)) =>
          Effect.map(runs.take(completionId, owner, within), (row) => row?.attempt)
        yield* runs.insert(run("one", "a"))
        yield* runs.appear("x", "host:1")
        yield* runs.appear("y", "host:2")
        assert.strictEqual(yield* takeAs("x"), 1)
        assert.isUndefined(yield* takeAs("y"))
        // Not seen for long enough, or known to be gone.
        assert.strictEqual(yield* takeAs("y", Duration.seconds(-1)), 2)
        assert.isUndefined(yield* takeAs("x"))
        assert.strictEqual(yield* takeAs("y"), 3)
        yield* runs.disappear("host:2")
        assert.strictEqual(yield* takeAs("x"), 4)
        yield* runs.disappear("x")
        assert.strictEqual(yield* takeAs("y"), 5)
        yield* runs.appear("y", "host:2")
        yield* runs.forgetOwners(Duration.minutes(1))
        assert.isUndefined(yield* takeAs("x"))
        yield* runs.forgetOwners(Duration.seconds(-1))
        assert.strictEqual(yield* takeAs("x"), 6)
      })
    )
  )

  it.effect("gives the events after one, batch by batch, and tells whether there are more", () =>
    test(
      Effect.gen(function* () {
        const runs = yield* CompletionRunRepository
        const { completionId } = run("one", "a")
        yield* runs.insert(run("one", "a"))
        yield* runs.take(completionId, me, within)
        assert.deepStrictEqual(yield* runs.read(completionId, 0), { batches: [], isMore: false })
        for (let id = 1; id <= 150; id++) yield* runs.append(completionId, 1, batch(id, 1))
        const first = yield* runs.read(completionId, 0)
        assert.deepStrictEqual([first?.batches.length, first?.isMore], [100, true])
        const second = yield* runs.read(completionId, 100)
        assert.deepStrictEqual([second?.batches.length, second?.isMore], [50, false])
        assert.isTrue(textOf(second?.batches ?? []).startsWith("101-101;102-102;"))
        assert.deepStrictEqual(yield* runs.progress([completionId, CompletionId.make("other")]), [
          { completionId, count: 150 }
        ])
      })
    )
  )

  it.effect("keeps the first reason to stop, and knows which runs are late", () =>
    test(
      Effect.gen(function* () {
        const runs = yield* CompletionRunRepository
        yield* runs.insert(run("one", "a"))
        yield* runs.insert(run("two", "b"))
        const one = CompletionId.make("one")
        const two = CompletionId.make("two")
        assert.deepStrictEqual(yield* runs.stop(one, "Stopped"), [one])
        assert.sameMembers([...(yield* runs.stop("all", "BotsStopped"))], [one, two])
        assert.sameDeepMembers(
          [...(yield* runs.stops)],
          [
            { completionId: one, stop: "Stopped" },
            { completionId: two, stop: "BotsStopped" }
          ]
        )
        assert.strictEqual((yield* runs.take(one, me, within))?.stop, "Stopped")
        const before = DateTime.subtract(now, { seconds: 1 })
        const ids = (times: { readonly untaken: DateTime.Utc; readonly any: DateTime.Utc }) =>
          Effect.map(runs.late(times), (rows) => rows.map(({ completionId }) => completionId))
        assert.deepStrictEqual(yield* ids({ untaken: before, any: before }), [])
        assert.deepStrictEqual(yield* ids({ untaken: now, any: before }), [two])
        assert.sameMembers([...(yield* ids({ untaken: before, any: now }))], [one, two])
      })
    )
  )
})
