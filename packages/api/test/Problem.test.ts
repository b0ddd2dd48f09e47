import { errorClassOf, typeOf } from "@effect-chatbot/api/Problem"
import { Problems } from "@effect-chatbot/api/Problems"
import * as Errors from "@effect-chatbot/schema/Errors"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

describe("a problem", () => {
  it.effect("has the standard members and the fields of its class, and never the body", () =>
    Effect.gen(function* () {
      const error = new Errors.RateLimited({
        message: "Slow down.",
        requestId: "r1",
        retryAfter: Duration.seconds(3),
        body: Redacted.make("canary")
      })
      assert.deepStrictEqual(yield* Schema.encodeEffect(Problems.RateLimited)(error), {
        type: "urn:effect-chatbot:problem:RateLimited",
        title: "Rate Limited",
        status: 429,
        detail: "Slow down.",
        requestId: "r1",
        retryAfter: 3
      })
    })
  )

  it.effect("of every class comes back as that class", () =>
    Effect.gen(function* () {
      for (const [tag, problem] of Object.entries(Problems)) {
        const errorClass = errorClassOf(problem)
        assert.isDefined(errorClass)
        const error = new errorClass({ message: `about ${tag}`, requestId: "r1" })
        const encoded = yield* Schema.encodeUnknownEffect(problem)(error)
        assert.strictEqual(encoded.type, typeOf(tag))
        const decoded = yield* Schema.decodeUnknownEffect(problem)(JSON.parse(JSON.stringify(encoded)))
        assert.instanceOf(decoded, errorClass)
        assert.deepStrictEqual(decoded, error)
      }
    })
  )
})
