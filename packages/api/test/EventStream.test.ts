import * as EventStream from "@effect-chatbot/api/EventStream"
import * as CompletionEvent from "@effect-chatbot/schema/CompletionEvent"
import { EventTooLarge } from "@effect-chatbot/schema/Errors"
import { ChatId, CompletionId } from "@effect-chatbot/schema/Ids"
import { assert, describe, it } from "@effect/vitest"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as FastCheck from "fast-check"

class NotInContract extends Data.TaggedError("NotInContract")<{ readonly name: string; readonly data: string }> {}

const bytesOf = (text: string) => new TextEncoder().encode(text)

const pieces = (bytes: Uint8Array, size: number) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))

const decode = <E>(stream: Stream.Stream<Uint8Array, E>, maxEventSize?: number) =>
  stream.pipe(
    EventStream.decode({
      maxEventSize,
      onInvalid: ({ data, name }) => new NotInContract({ name, data })
    })
  )

/** All that comes out before the end, and the end. */
const read = (reads: ReadonlyArray<Uint8Array>, maxEventSize?: number) => {
  const items: Array<unknown> = []
  return decode(Stream.rechunk(Stream.fromArray(reads), 1), maxEventSize).pipe(
    Stream.runForEach((item) =>
      Effect.sync(() =>
        items.push(item._tag === "Retry" ? { retry: Duration.toMillis(item.delay) } : [item.id, item.event])
      )
    ),
    Effect.match({
      onFailure: (failure) => ({ items, failure }),
      onSuccess: () => ({ items, failure: undefined })
    })
  )
}

const delta = (text: string) => CompletionEvent.Delta.make({ text })

/** A stream of an answer with everything in it that can be. */
const answer: ReadonlyArray<EventStream.Numbered> = [
  CompletionEvent.Started.make({ completionId: CompletionId.make("k"), chatId: ChatId.make("c") }),
  ...["Hello", " wörld €𝄞", "\r\n\r\ndata: x\n\n", "", "\0\ud800", '"}'].map(delta),
  CompletionEvent.Sources.make({ metaData: { tags: ["a"], sources: [] } }),
  CompletionEvent.Unknown.make({ name: "thinking", data: { text: "Hm\n\nevent: completed" } }),
  CompletionEvent.Completed.make({
    completion: {
      completionId: CompletionId.make("k"),
      assistantMessage: "Hello wörld",
      promptTokens: 1,
      completionTokens: 2,
      totalTokens: 3
    }
  })
].map((event, i) => ({ id: i + 1, event }))

/** What a reader has of events: absent fields are there as `undefined`. */
const asRead = ({ event, id }: EventStream.Numbered) =>
  Effect.map(
    Effect.fromResult(CompletionEvent.decode(CompletionEvent.encode(event).name, CompletionEvent.encode(event).data)),
    (event) => [String(id), event]
  )

describe("events", () => {
  it.effect("come back as they were sent, whatever the reads are", () =>
    Effect.gen(function* () {
      const bytes = EventStream.encode(answer)
      const whole = { items: yield* Effect.forEach(answer, asRead), failure: undefined }
      for (let size = 1; size <= bytes.length; size++) {
        assert.deepEqual<unknown>(yield* read(pieces(bytes, size)), whole)
      }
      const one = answer.map((numbered) => EventStream.encode([numbered]))
      assert.deepEqual<unknown>(yield* read(one), whole)
      const beating = one.flatMap((bytes) => [EventStream.heartbeat(), bytes])
      assert.deepEqual<unknown>(yield* read(beating), whole)
    })
  )

  const text = FastCheck.oneof(
    FastCheck.string({ unit: "binary" }),
    FastCheck.array(
      FastCheck.constantFrom("\n", "\r", "\0", "data: x", "id: 9", "event: failed", ":", " ", "\ud800", "}")
    ).map((parts) => parts.join(""))
  )
  const event = FastCheck.oneof(
    text.map(delta),
    text.map((text) => CompletionEvent.Stopped.make({ completionId: CompletionId.make("k"), text })),
    text.map((detail) => CompletionEvent.Failed.make({ detail })),
    FastCheck.record({ name: text, data: FastCheck.oneof(text, FastCheck.array(text)) }).map((unknown) =>
      CompletionEvent.Unknown.make(unknown)
    )
  )

  it.effect("are one event each, whatever is in them", () =>
    Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(FastCheck.array(event, { maxLength: 5 }), async (events) => {
          const numbered = events.map((event, i) => ({ id: i + 1, event }))
          const { failure, items } = await Effect.runPromise(read([EventStream.encode(numbered)]))
          assert.isUndefined(failure)
          const sent = events.map((event, i) => {
            if (event._tag !== "Unknown") return [String(i + 1), event]
            const name = event.name.toWellFormed().replaceAll(/[\r\n\0]/g, "\ufffd")
            return [String(i + 1), { ...event, name: name === "" ? "message" : name }]
          })
          // Absent fields are there as `undefined` when they were read.
          assert.strictEqual(JSON.stringify(items), JSON.stringify(sent))
        })
      )
    )
  )

  it.effect("that were cut off anywhere are those that are whole, and no other", () =>
    Effect.gen(function* () {
      const bytes = EventStream.encode(answer)
      const items = yield* Effect.forEach(answer, asRead)
      // An event is whole before its blank line: when the line of its data is.
      let end = 0
      const ends = answer.map((numbered) => (end += EventStream.encode([numbered]).length) - 2)
      for (let cut = 0; cut <= bytes.length; cut++) {
        const whole = ends.filter((end) => end <= cut).length
        const expected = { items: items.slice(0, whole), failure: undefined }
        assert.deepEqual<unknown>(yield* read([bytes.subarray(0, cut)]), expected, `cut at ${cut}`)
      }
    })
  )

  it.effect("with an unknown name, with a retry or without an id end nothing", () =>
    Effect.gen(function* () {
      const input = [
        "data: [DONE]\n\n",
        "retry: 3000\n\n",
        'event: delta\ndata: {"text":"a","logprobs":[]}\n\n',
        'id: 0e9c\nevent: delta\ndata: {"text":null}\n\n',
        "event: ping\ndata:\n\n",
        'event: delta\ndata: {"text":\ndata: "b"}\n\n',
        'event: Delta\ndata: {"text":"a"}'
      ].join("")
      const expected = [
        [undefined, { _tag: "Unknown", name: "message", data: "[DONE]" }],
        { retry: 3000 },
        [undefined, { _tag: "Delta", text: "a" }],
        ["0e9c", { _tag: "Delta", text: "" }],
        ["0e9c", { _tag: "Unknown", name: "ping", data: "" }],
        ["0e9c", { _tag: "Delta", text: "b" }],
        ["0e9c", { _tag: "Unknown", name: "Delta", data: { text: "a" } }]
      ]
      assert.deepEqual<unknown>(yield* read([bytesOf(input)]), { items: expected, failure: undefined })
    })
  )

  it.effect.each([
    ["delta", "Hello"],
    ["started", '{"completionId":"k"}'],
    ["completed", "{}"]
  ] as const)("%s with the data %s ends the stream, after the events before it", ([name, data]) =>
    Effect.gen(function* () {
      const input = `event: delta\nid: 1\ndata: {"text":"a"}\n\nevent: ${name}\ndata: ${data}\n\n${"data: x\n\n".repeat(9)}`
      for (const size of [1, 1000]) {
        assert.deepEqual<unknown>(yield* read(pieces(bytesOf(input), size)), {
          items: [["1", { _tag: "Delta", text: "a" }]],
          failure: new NotInContract({ name, data })
        })
      }
    })
  )

  it.effect("over the limit end the stream, after the events before it", () =>
    Effect.gen(function* () {
      const bytes = EventStream.encode([1, 100, 1].map((size, i) => ({ id: i + 1, event: delta("x".repeat(size)) })))
      for (const size of [1, 1000]) {
        assert.deepEqual<unknown>(yield* read(pieces(bytes, size), 100), {
          items: [["1", delta("x")]],
          failure: new EventTooLarge({ maxEventSize: 100 })
        })
        assert.isUndefined((yield* read(pieces(bytes, size), 117)).failure)
      }
    })
  )

  it.effect("come before the failure of the transport, and what is cut off does not", () =>
    Effect.gen(function* () {
      const bytes = bytesOf('event: delta\ndata: {"text":"a"}\n\nevent: delta\ndata: {"text":"b"}')
      const items: Array<unknown> = []
      const error = yield* decode(Stream.concat(Stream.make(bytes), Stream.fail("reset" as const))).pipe(
        Stream.runForEach((item) => Effect.sync(() => items.push(item))),
        Effect.flip
      )
      assert.strictEqual(error, "reset")
      assert.deepEqual(items, [{ _tag: "Event", id: undefined, hasOwnId: false, event: { _tag: "Delta", text: "a" } }])
    })
  )

  it.effect("are decoded each time a stream is run", () =>
    Effect.gen(function* () {
      const stream = decode(Stream.make(bytesOf('\ufeffid: 1\nevent: delta\ndata: {"text":"a"}')))
      const first = yield* Stream.runCollect(stream)
      assert.deepEqual(yield* Stream.runCollect(stream), first)
      assert.lengthOf(first, 1)
    })
  )
})
