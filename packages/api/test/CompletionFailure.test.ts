import * as CompletionFailure from "@effect-chatbot/api/CompletionFailure"
import { typeOf } from "@effect-chatbot/api/Problem"
import { Problems } from "@effect-chatbot/api/Problems"
import * as CompletionEvent from "@effect-chatbot/schema/CompletionEvent"
import * as Errors from "@effect-chatbot/schema/Errors"
import { CompletionId } from "@effect-chatbot/schema/Ids"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

const completionId = CompletionId.make("k")

describe("the failure of a completion", () => {
  it.effect("goes on the wire as the problem it would have been, without the body", () =>
    Effect.gen(function* () {
      const error = new Errors.BotsStopped({
        message: "All bots rest.",
        requestId: "r1",
        retryAfter: Duration.seconds(3),
        body: Redacted.make("canary")
      })
      const { data, name } = CompletionEvent.encode(CompletionFailure.toEvent(error, completionId))
      assert.strictEqual(name, "failed")
      assert.deepEqual(JSON.parse(data), {
        completionId: "k",
        type: "urn:effect-chatbot:problem:BotsStopped",
        title: "Bots Stopped",
        status: 503,
        detail: "All bots rest.",
        requestId: "r1",
        ref: null,
        retryAfter: 3
      })
      const event = yield* Effect.fromResult(CompletionEvent.decode(name, data))
      assert.strictEqual(event._tag, "Failed")
      if (event._tag !== "Failed") return
      assert.deepStrictEqual(
        CompletionFailure.toError(event),
        new Errors.CompletionFailed({
          message: "All bots rest.",
          reason: "BotsStopped",
          completionId,
          requestId: "r1",
          retryAfter: Duration.seconds(3)
        })
      )
    })
  )

  it.each(Object.keys(Problems) as Array<keyof typeof Problems>)("keeps what it says: %s", (tag) => {
    const problem = { type: typeOf(tag), detail: `about ${tag}`, requestId: "r1", issues: [], supported: [] }
    const error = Schema.decodeSync(Problems[tag])(problem)
    const failed = CompletionFailure.toError(CompletionFailure.toEvent(error, completionId))
    assert.deepStrictEqual(
      failed,
      new Errors.CompletionFailed({ message: error.message, reason: tag, completionId, requestId: "r1" })
    )
  })

  it("keeps the `ref` of a defect", () => {
    const event = CompletionFailure.toEvent(new Errors.InternalError({ ref: "x1" }), completionId)
    assert.strictEqual(CompletionFailure.toError(event).ref, "x1")
  })

  it.each([
    [{}, { reason: "" }],
    [
      { type: "about:blank", title: "Bad Gateway" },
      { reason: "about:blank", message: "Bad Gateway" }
    ],
    [
      { type: "https://example.com/busy", title: "Busy", detail: "Too many." },
      { reason: "https://example.com/busy", message: "Too many." }
    ]
  ])("of another backend is told by what there is: %j", (problem, expected) => {
    assert.deepStrictEqual(
      CompletionFailure.toError(CompletionEvent.Failed.make(problem)),
      new Errors.CompletionFailed(expected)
    )
  })
})
