import * as CompletionEvent from "@effect-chatbot/schema/CompletionEvent"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"

const decode = (name: string, data: unknown) =>
  Effect.fromResult(CompletionEvent.decode(name, typeof data === "string" ? data : JSON.stringify(data)))

const format = SchemaIssue.makeFormatterStandardSchemaV1()

/** What is wrong with data, in words. */
const complaint = (name: string, data: unknown) =>
  Effect.map(Effect.flip(decode(name, data)), (issue) => JSON.stringify(format(issue)))

/** Each event, the least it can be decoded from, and that. */
const least = {
  started: [
    { completionId: "k", chatId: "c" },
    {
      _tag: "Started",
      completionId: "k",
      chatId: "c",
      botId: undefined,
      botDisplayName: undefined,
      botDisplayMessage: undefined,
      botDescription: undefined,
      chatDisplayName: undefined
    }
  ],
  delta: [{}, { _tag: "Delta", text: "" }],
  sources: [{ metaData: {} }, { _tag: "Sources", metaData: { tags: [], sources: [] } }],
  completed: [{ completion: { completionId: "k" } }, undefined],
  stopped: [{ completionId: "k" }, { _tag: "Stopped", completionId: "k", text: "" }],
  failed: [{}, undefined]
} as const

describe.each(Object.entries(least))("%s", (name, [data, expected]) => {
  it.effect("is decoded from what cannot be left out, and unknown fields are ignored", () =>
    Effect.gen(function* () {
      const event = yield* decode(name, data)
      assert.strictEqual(event._tag.toLowerCase(), name)
      if (expected !== undefined) assert.deepEqual<unknown>({ ...expected, ...event }, expected)
      assert.deepStrictEqual(yield* decode(name, { ...data, surprise: { deep: 1 } }), event)
    })
  )

  it.effect("is refused without that", () =>
    Effect.gen(function* () {
      for (const key of Object.keys(data)) {
        assert.include(yield* complaint(name, { ...data, [key]: null }), key)
      }
    })
  )

  it.effect.each(["", "{", '{"text":"canary', "[DONE] canary", "null", "5", '"canary"'])(
    "is refused with the data %s, in words that do not repeat it",
    (data) =>
      Effect.gen(function* () {
        assert.notInclude(yield* complaint(name, data), "canary")
      })
  )
})

describe("an event", () => {
  it.effect.prop("comes back from the wire as it was sent", { event: CompletionEvent.CompletionEvent }, ({ event }) =>
    Effect.gen(function* () {
      // Not every duration is a time to wait.
      if (event._tag === "Failed" && event.retryAfter !== undefined) return
      const encoded = CompletionEvent.encode(event)
      assert.notMatch(encoded.data, /[\r\n\0]/)
      const again = CompletionEvent.encode(yield* decode(encoded.name, encoded.data))
      if (event._tag !== "Unknown") assert.deepStrictEqual(again, encoded)
    })
  )

  it("has a name on the wire and no tag", () => {
    assert.deepStrictEqual(CompletionEvent.encode({ _tag: "Delta", text: "Hello" }), {
      name: "delta",
      data: '{"text":"Hello"}'
    })
    const { data, name } = CompletionEvent.encode(CompletionEvent.Failed.make({ type: "urn:x", detail: "Gone." }))
    assert.strictEqual(name, "failed")
    assert.deepEqual(JSON.parse(data), {
      completionId: null,
      type: "urn:x",
      title: null,
      status: null,
      detail: "Gone.",
      requestId: null,
      ref: null,
      retryAfter: null
    })
  })

  it("that is a delta is what its schema makes of it", () => {
    const schema = Schema.toCodecJson(CompletionEvent.Delta)
    for (const text of ["", "Hello", "\0\r\n\ud800"]) {
      const event = CompletionEvent.Delta.make({ text })
      assert.strictEqual(CompletionEvent.encode(event).data, JSON.stringify(Schema.encodeSync(schema)(event)))
      assert.deepEqual(
        Effect.runSync(decode("delta", { text, other: 1 })),
        Schema.decodeUnknownSync(schema)(JSON.parse(JSON.stringify({ text, other: 1 })))
      )
    }
  })

  it.effect.each([
    ["thinking", '{"text":"Hm"}', { text: "Hm" }],
    ["thinking", "[1,", "[1,"],
    ["message", "[DONE]", "[DONE]"],
    ["Delta", "null", null],
    ["__proto__", '{"a":1}', { a: 1 }],
    ["toString", "", ""]
  ] as const)("with the unknown name %s and the data %s is kept", ([name, text, data]) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* decode(name, text), { _tag: "Unknown", name, data })
    })
  )

  it.effect("is the last one, if it says how the answer ended", () =>
    Effect.gen(function* () {
      const terminal: Array<string> = []
      for (const [name, [data]] of Object.entries(least)) {
        if (CompletionEvent.isTerminal(yield* decode(name, data))) terminal.push(name)
      }
      assert.deepStrictEqual(terminal, ["completed", "stopped", "failed"])
      assert.isFalse(CompletionEvent.isTerminal(yield* decode("done", "")))
    })
  )
})
