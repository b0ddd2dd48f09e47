import { Caches } from "@effect-chatbot/server/Caches"
import { Tokens } from "@effect-chatbot/server/Tokens"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import * as Services from "./support/TestServices.ts"

const test = <A, E>(effect: Effect.Effect<A, E, Tokens | Caches | SqlClient.SqlClient>) =>
  Effect.provide(effect, Services.layer)

const isValid = (token: Redacted.Redacted) =>
  Effect.flatMap(Tokens, (tokens) => tokens.authenticate(token)).pipe(
    Effect.as(true),
    Effect.catchTag("Unauthorized", () => Effect.succeed(false))
  )

describe("Tokens", () => {
  it.effect("makes tokens that tell their user", () =>
    test(
      Effect.gen(function* () {
        const tokens = yield* Tokens
        const { token, userId } = yield* tokens.create({ login: "ann", roles: ["User"], name: "laptop" })
        const another = yield* tokens.create({ login: "ann", roles: ["Admin", "User"], name: "phone" })
        assert.strictEqual(another.userId, userId)
        assert.notStrictEqual(Redacted.value(another.token), Redacted.value(token))
        for (const each of [token, another.token]) {
          assert.deepStrictEqual(yield* tokens.authenticate(each), {
            _tag: "User",
            id: userId,
            login: "ann",
            roles: ["User"]
          })
        }
      })
    )
  )

  it.effect("keeps hashes only, of at least 256 random bits", () =>
    test(
      Effect.gen(function* () {
        const tokens = yield* Tokens
        const sql = yield* SqlClient.SqlClient
        const { token } = yield* tokens.create({ login: "ann", roles: ["User"], name: "laptop" })
        const text = Redacted.value(token)
        assert.match(text, /^ecb_[A-Za-z0-9_-]{43}$/)
        const rows = JSON.stringify(yield* sql`SELECT * FROM tokens`)
        assert.notInclude(rows, text)
        assert.match(rows, /"hash":"[0-9a-f]{64}"/)
        assert.notInclude(JSON.stringify({ token }), text)
      })
    )
  )

  it.effect("refuses what is no token, all alike", () =>
    test(
      Effect.gen(function* () {
        const tokens = yield* Tokens
        const { token } = yield* tokens.create({ login: "ann", roles: ["User"], name: "laptop" })
        const text = Redacted.value(token)
        const errors = yield* Effect.forEach(
          ["", "x", `${text}x`, text.slice(0, -1), text.toUpperCase(), "x".repeat(1_000_000)],
          (wrong) => Effect.flip(tokens.authenticate(Redacted.make(wrong)))
        )
        assert.deepStrictEqual(new Set(errors.map((error) => JSON.stringify(error))).size, 1)
        assert.strictEqual(errors[0]?._tag, "Unauthorized")
      })
    )
  )

  it.effect("honours expiry to the millisecond, also of a token that was just used", () =>
    test(
      Effect.gen(function* () {
        const tokens = yield* Tokens
        const expires = DateTime.add(yield* DateTime.now, { seconds: 2 })
        const { token } = yield* tokens.create({ login: "ann", roles: ["User"], name: "laptop", expires })
        assert.isTrue(yield* isValid(token))
        yield* TestClock.adjust(1999)
        assert.isTrue(yield* isValid(token))
        yield* TestClock.adjust(1)
        assert.isFalse(yield* isValid(token))
      })
    )
  )

  it.effect("lists all of a token but the token", () =>
    Effect.gen(function* () {
      const tokens = yield* Tokens
      const now = yield* DateTime.now
      const expires = DateTime.add(now, { days: 1 })
      const first = yield* tokens.create({ login: "ann", roles: ["User"], name: "one", expires })
      const second = yield* tokens.create({ login: "ben", roles: ["User"], name: "two" })
      yield* tokens.revoke(second.id)
      const all = yield* tokens.list()
      assert.deepStrictEqual(all, [
        { id: second.id, login: "ben", name: "two", createdUtc: now, expiresUtc: undefined, revokedUtc: now },
        { id: first.id, login: "ann", name: "one", createdUtc: now, expiresUtc: expires, revokedUtc: undefined }
      ])
      assert.deepStrictEqual(yield* tokens.list("ann"), all.slice(1))
      assert.deepStrictEqual(yield* tokens.list("nobody"), [])
    }).pipe(Effect.provide(Services.layer))
  )

  it.effect("revokes at once, and one token only", () =>
    test(
      Effect.gen(function* () {
        const tokens = yield* Tokens
        const lost = yield* tokens.create({ login: "ann", roles: ["User"], name: "lost" })
        const kept = yield* tokens.create({ login: "ann", roles: ["User"], name: "kept" })
        assert.isTrue(yield* isValid(lost.token))
        assert.isTrue(yield* tokens.revoke(lost.id))
        assert.isFalse(yield* isValid(lost.token))
        assert.isTrue(yield* isValid(kept.token))
        assert.isFalse(yield* tokens.revoke(lost.id))
        assert.isFalse(yield* tokens.revoke("no such token"))
        assert.isTrue(yield* isValid(kept.token))
      })
    )
  )

  it.effect(
    "notices within seconds that another process revoked a token, and at once when the caches are cleared",
    () =>
      test(
        Effect.gen(function* () {
          const tokens = yield* Tokens
          const caches = yield* Caches
          const sql = yield* SqlClient.SqlClient
          const revokeElsewhere = sql`UPDATE tokens SET revoked_utc = '2026-01-01T00:00:00.000Z'`
          const first = yield* tokens.create({ login: "ann", roles: ["User"], name: "one" })
          assert.isTrue(yield* isValid(first.token))
          yield* revokeElsewhere
          yield* TestClock.adjust("10 seconds")
          assert.isFalse(yield* isValid(first.token))

          const second = yield* tokens.create({ login: "ann", roles: ["User"], name: "two" })
          assert.isTrue(yield* isValid(second.token))
          yield* revokeElsewhere
          yield* caches.clear
          assert.isFalse(yield* isValid(second.token))
        })
      )
  )
})

describe("Tokens.ensureAdmin", () => {
  it.effect("makes an admin and a token on the first start, and neither again", () =>
    test(
      Effect.gen(function* () {
        const tokens = yield* Tokens
        const made = yield* tokens.ensureAdmin()
        assert.isTrue(Option.isSome(made))
        const admin = yield* tokens.authenticate(Option.getOrThrow(made))
        assert.deepStrictEqual([admin.login, admin.roles], ["admin", ["Admin", "User"]])
        assert.isTrue(Option.isNone(yield* tokens.ensureAdmin()))
        assert.isTrue(yield* isValid(Option.getOrThrow(made)))
        assert.strictEqual(yield* Services.count("users"), 1)
      })
    )
  )

  it.effect("makes no token that cannot be kept", () =>
    test(
      Effect.gen(function* () {
        const tokens = yield* Tokens
        const refused = yield* Effect.flip(tokens.ensureAdmin(undefined, () => Effect.fail("disk full")))
        assert.strictEqual(refused, "disk full")
        assert.strictEqual(yield* Services.count("tokens"), 0)
        let kept: Redacted.Redacted | undefined
        const made = yield* tokens.ensureAdmin(undefined, (token) =>
          Effect.sync(() => {
            kept = token
          })
        )
        assert.strictEqual(kept, Option.getOrThrow(made))
        assert.isTrue(yield* isValid(Option.getOrThrow(made)))
      })
    )
  )

  it.effect("makes the configured token valid, again and again, and no longer the one before it", () =>
    test(
      Effect.gen(function* () {
        const tokens = yield* Tokens
        const first = Redacted.make("chosen by an operator")
        const second = Redacted.make("another one")
        assert.isTrue(Option.isNone(yield* tokens.ensureAdmin(first)))
        assert.isTrue(Option.isNone(yield* tokens.ensureAdmin(first)))
        assert.strictEqual((yield* tokens.authenticate(first)).login, "admin")
        assert.isTrue(Option.isNone(yield* tokens.ensureAdmin(second)))
        assert.deepStrictEqual([yield* isValid(first), yield* isValid(second)], [false, true])
        yield* tokens.ensureAdmin(first)
        assert.deepStrictEqual([yield* isValid(first), yield* isValid(second)], [true, false])
      })
    )
  )

  it.effect("leaves the first token valid beside a configured one, and makes one when the configured one is gone", () =>
    test(
      Effect.gen(function* () {
        const tokens = yield* Tokens
        const first = Option.getOrThrow(yield* tokens.ensureAdmin())
        const chosen = Redacted.make("chosen by an operator")
        yield* tokens.ensureAdmin(chosen)
        assert.isTrue(yield* isValid(first))
        assert.isTrue(Option.isNone(yield* tokens.ensureAdmin()))
        assert.deepStrictEqual([yield* isValid(first), yield* isValid(chosen)], [true, false])
      })
    )
  )

  it.effect("makes a token when there was only a configured one", () =>
    test(
      Effect.gen(function* () {
        const tokens = yield* Tokens
        yield* tokens.ensureAdmin(Redacted.make("chosen by an operator"))
        assert.isTrue(Option.isSome(yield* tokens.ensureAdmin(Redacted.make(""))))
      })
    )
  )
})
