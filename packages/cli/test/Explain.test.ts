import { ChatNotFound, InvalidRequest } from "@effect-chatbot/schema/Errors"
import { assert, describe, it } from "@effect/vitest"
import { BackendFailed } from "../src/Backend.ts"
import { explain } from "../src/Explain.ts"

describe("explain", () => {
  it("tells what happened, its tag and its request", () => {
    assert.strictEqual(
      explain(new ChatNotFound({ requestId: "r-1" })),
      "There is no such chat. (ChatNotFound, request r-1)"
    )
  })

  it("tells what was wrong with a request", () => {
    const error = new InvalidRequest({
      issues: [
        { path: ["payload", "items", 0], message: "Missing key" },
        { path: [], message: "Too\nlong" }
      ]
    })
    assert.strictEqual(
      explain(error),
      "The request is not valid. payload.items.0: Missing key Too long (InvalidRequest)"
    )
  })

  it("tells nothing that a terminal would obey", () => {
    assert.strictEqual(explain(new ChatNotFound({ message: "a\u001b[2J\nb" })), "a b (ChatNotFound)")
  })

  it("takes an error of this program at its word", () => {
    assert.strictEqual(explain(new BackendFailed({ message: "It did not come up.", log: "" })), "It did not come up.")
    assert.strictEqual(explain(new BackendFailed({ message: "It died.", log: "why\n" })), "It died. It said:\n\nwhy")
  })

  it("makes do with anything", () => {
    assert.strictEqual(explain(new TypeError("odd")), "odd (TypeError)")
    assert.strictEqual(explain("just words"), "just words")
    assert.strictEqual(explain({}), "Something went wrong. ()")
  })
})
