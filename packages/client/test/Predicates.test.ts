import * as Predicates from "@effect-chatbot/client/Predicates"
import * as Errors from "@effect-chatbot/schema/Errors"
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Effect from "effect/Effect"

const tags = Object.keys(Errors).filter((name) => name !== "RequestIssue")

const kindOf = (predicate: (error: unknown) => boolean) => tags.filter((_tag) => predicate({ _tag }))

describe("Predicates", () => {
  it("isNotFound is every class that says so", () => {
    assert.deepStrictEqual(
      kindOf(Predicates.isNotFound),
      tags.filter((tag) => tag.endsWith("NotFound"))
    )
  })

  it("isAuth asks for another token", () => {
    assert.deepStrictEqual(kindOf(Predicates.isAuth), ["Unauthorized", "Forbidden"])
  })

  it("isTransport is an answer that did not come, or not in full", () => {
    assert.deepStrictEqual(kindOf(Predicates.isTransport), [
      "TransportFailed",
      "RequestTimedOut",
      "StreamTruncated",
      "StreamIdle"
    ])
  })

  it("isRetryable is what may be over later", () => {
    assert.deepStrictEqual(kindOf(Predicates.isRetryable), [
      "ChatBusy",
      "IdempotencyKeyInUse",
      "RateLimited",
      "InternalError",
      "ProviderFailed",
      "ProviderTimedOut",
      "BotsStopped",
      "Unavailable",
      "TransportFailed",
      "RequestTimedOut",
      "StreamTruncated",
      "StreamIdle",
      "CircuitOpen"
    ])
    const retryable = [408, 418, 429, 500, 502, 503, 504].filter((status) =>
      Predicates.isRetryable(new Errors.UnexpectedStatus({ status }))
    )
    assert.deepStrictEqual(retryable, [408, 429, 502, 503, 504])
  })

  it.each([undefined, null, "BotNotFound", 5, {}, { _tag: 5 }, new Error("BotNotFound")])(
    "none of them is %s",
    (value) => {
      assert.isFalse(Predicates.isNotFound(value))
      assert.isFalse(Predicates.isAuth(value))
      assert.isFalse(Predicates.isTransport(value))
      assert.isFalse(Predicates.isRetryable(value))
      assert.isFalse(Predicates.isChatbotError(value))
    }
  )

  it("isChatbotError is every class, and nothing that only has its tag", () => {
    for (const [tag, { prototype }] of Object.entries(Errors).filter(([name]) => tags.includes(name))) {
      assert.isTrue(Predicates.isChatbotError(Object.assign(Object.create(prototype), { _tag: tag })), tag)
    }
    assert.deepStrictEqual(kindOf(Predicates.isChatbotError), [])
    assert.isFalse(Predicates.isChatbotError(Object.assign(new Error("toString"), { _tag: "toString" })))
  })

  it("tell what an error is of which nothing is known", () => {
    const error: unknown = new Errors.RateLimited({ requestId: "r-1" })
    if (!Predicates.isChatbotError(error)) return assert.fail("It is one.")
    expectTypeOf<Errors.ChatNotFound | Errors.StreamIdle>().toExtend<typeof error>()
    const notFound: unknown = new Errors.ChatNotFound({ requestId: "r-2" })
    if (!Predicates.isNotFound(notFound)) return assert.fail("It is one.")
    expectTypeOf<Errors.ChatNotFound>().toExtend<typeof notFound>()
    expectTypeOf<Errors.RateLimited>().not.toExtend<typeof notFound>()
    assert.deepStrictEqual([error._tag, notFound.requestId], ["RateLimited", "r-2"])
  })

  it.effect("take their errors out of the type", () =>
    Effect.gen(function* () {
      type Failure = Errors.ChatNotFound | Errors.BotNotFound | Errors.Unauthorized
      const call: Effect.Effect<string, Failure> = Effect.fail(new Errors.ChatNotFound({}))
      const caught = call.pipe(
        Effect.catchIf(Predicates.isNotFound, (error) => {
          expectTypeOf(error).toEqualTypeOf<Errors.ChatNotFound | Errors.BotNotFound>()
          return Effect.succeed(error._tag)
        })
      )
      expectTypeOf(caught).toEqualTypeOf<Effect.Effect<string, Errors.Unauthorized>>()
      assert.strictEqual(yield* caught, "ChatNotFound")
    })
  )
})
