import { UserSystemMessageId } from "@effect-chatbot/schema/Ids"
import { Caches } from "@effect-chatbot/server/Caches"
import { SystemStatus } from "@effect-chatbot/server/SystemStatus"
import { UserService } from "@effect-chatbot/server/UserService"
import { UserSystemMessages } from "@effect-chatbot/server/UserSystemMessages"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import * as Services from "./support/TestServices.ts"

type Env = Layer.Success<typeof Services.layer>

const test = <A, E>(effect: Effect.Effect<A, E, Env | Scope.Scope>) => Effect.provide(effect, Services.layer)

const tagOf = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.match(effect, { onFailure: (error) => error._tag, onSuccess: () => "ok" })

describe("UserService", () => {
  it.effect("tells who the user is and keeps what it sets", () =>
    test(
      Effect.gen(function* () {
        const users = yield* UserService
        const ann = yield* Services.user("ann", ["Admin", "User"])
        const bob = yield* Services.user("bob")
        const first = {
          id: ann.id,
          login: "ann",
          roles: ["Admin", "User"],
          isTermsAccepted: false,
          isKeepChatHistory: true,
          keepChatHistoryForDays: 0,
          isKeepFavoritesForever: true
        }
        assert.deepStrictEqual(yield* users.current(ann), first)
        const settings = { isKeepChatHistory: false, keepChatHistoryForDays: 14, isKeepFavoritesForever: false }
        yield* users.update(ann, settings)
        assert.deepStrictEqual(yield* users.current(ann), { ...first, ...settings })
        assert.deepStrictEqual(yield* users.current(bob), { ...first, id: bob.id, login: "bob", roles: ["User"] })
        assert.notStrictEqual(ann.id, bob.id)
      })
    )
  )

  it.effect("refuses days that are none and changes nothing", () =>
    test(
      Effect.gen(function* () {
        const users = yield* UserService
        const ann = yield* Services.user("ann")
        for (const keepChatHistoryForDays of [-1, 0.5, NaN]) {
          const error = yield* Effect.flip(
            users.update(ann, { isKeepChatHistory: false, keepChatHistoryForDays, isKeepFavoritesForever: false })
          )
          assert.deepStrictEqual(
            error.issues.map(({ path }) => path),
            [["payload", "keepChatHistoryForDays"]]
          )
        }
        assert.isTrue((yield* users.current(ann)).isKeepChatHistory)
      })
    )
  )

  it.effect("records when a user first accepted the terms", () =>
    test(
      Effect.gen(function* () {
        const users = yield* UserService
        const sql = yield* SqlClient.SqlClient
        const ann = yield* Services.user("ann")
        yield* TestClock.adjust("1 second")
        yield* users.acceptTerms(ann)
        yield* TestClock.adjust("1 second")
        yield* users.acceptTerms(ann)
        assert.isTrue((yield* users.current(ann)).isTermsAccepted)
        assert.deepStrictEqual(yield* sql`SELECT terms_accepted_utc FROM users`, [
          { termsAcceptedUtc: "1970-01-01T00:00:01.000Z" }
        ])
      })
    )
  )
})

describe("UserSystemMessages", () => {
  it.effect("are made, read, changed, counted and deleted", () =>
    test(
      Effect.gen(function* () {
        const messages = yield* UserSystemMessages
        const ann = yield* Services.user("ann")
        const id = yield* messages.create(ann, { displayName: "Short", systemMessage: "Be short." })
        assert.deepStrictEqual(yield* messages.get(ann, id), {
          userSystemMessageId: id,
          displayName: "Short",
          systemMessage: "Be short."
        })
        yield* messages.update(ann, id, { displayName: "Long", systemMessage: "Be long." })
        assert.deepStrictEqual((yield* messages.get(ann, id)).systemMessage, "Be long.")
        assert.deepStrictEqual((yield* messages.list(ann, { searchFor: "LONG" })).items, [
          { userSystemMessageId: id, displayName: "Long" }
        ])
        assert.deepStrictEqual((yield* messages.list(ann, { searchFor: "short" })).items, [])
        assert.deepStrictEqual(yield* messages.count(ann), { systemMessageCount: 1 })
        yield* messages.delete(ann, id)
        assert.strictEqual(yield* tagOf(messages.delete(ann, id)), "UserSystemMessageNotFound")
        assert.deepStrictEqual(yield* messages.count(ann), { systemMessageCount: 0 })
      })
    )
  )

  it.effect("of others are as missing as those that are not there", () =>
    test(
      Effect.gen(function* () {
        const messages = yield* UserSystemMessages
        const ann = yield* Services.user("ann")
        const bob = yield* Services.user("bob")
        const text = { displayName: "Mine", systemMessage: "Mine." }
        const id = yield* messages.create(ann, text)
        for (const each of [id, UserSystemMessageId.make("missing")]) {
          assert.strictEqual(yield* tagOf(messages.get(bob, each)), "UserSystemMessageNotFound")
          assert.strictEqual(
            yield* tagOf(messages.update(bob, each, { displayName: "His", systemMessage: "His." })),
            "UserSystemMessageNotFound"
          )
          assert.strictEqual(yield* tagOf(messages.delete(bob, each)), "UserSystemMessageNotFound")
        }
        assert.deepStrictEqual(
          [(yield* messages.count(bob)).systemMessageCount, (yield* messages.list(bob, {})).totalItemCount],
          [0, 0]
        )
        assert.deepStrictEqual(yield* messages.get(ann, id), { userSystemMessageId: id, ...text })
      })
    )
  )
})

describe("SystemStatus", () => {
  it.effect("is empty at first, and then what was set last", () =>
    test(
      Effect.gen(function* () {
        const status = yield* SystemStatus
        assert.deepStrictEqual(yield* status.get, { value: "" })
        yield* status.set({ value: "Down at noon" })
        assert.deepStrictEqual(yield* status.get, { value: "Down at noon" })
        yield* status.set({ value: undefined })
        assert.deepStrictEqual(yield* status.get, { value: "" })
      })
    )
  )
})

describe("Caches", () => {
  it.effect("drops every cache that is registered, as long as it is", () =>
    test(
      Effect.gen(function* () {
        const caches = yield* Caches
        const dropped: Array<string> = []
        const drop = (name: string) =>
          Effect.sync(() => {
            dropped.push(name)
          })
        yield* caches.register(drop("a"))
        yield* Effect.scoped(Effect.andThen(caches.register(drop("b")), caches.clear))
        assert.deepStrictEqual(dropped, ["a", "b"])
        yield* caches.clear
        assert.deepStrictEqual(dropped, ["a", "b", "a"])
      })
    )
  )
})
