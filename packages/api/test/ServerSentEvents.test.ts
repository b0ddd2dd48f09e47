import * as ServerSentEvents from "@effect-chatbot/api/ServerSentEvents"
import { EventTooLarge } from "@effect-chatbot/schema/Errors"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import * as FastCheck from "fast-check"

const bytesOf = (input: string | Uint8Array) => (typeof input === "string" ? new TextEncoder().encode(input) : input)

/** The same bytes, in pieces of this size. */
const pieces = (bytes: Uint8Array, size: number) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))

/** The same bytes, cut at these places. */
const cutAt = (bytes: Uint8Array, places: ReadonlyArray<number>) =>
  [...places, bytes.length].map((end, i) => bytes.subarray(places[i - 1] ?? 0, end))

const shown = (item: ServerSentEvents.Received | ServerSentEvents.Retry) =>
  item._tag === "Retry" ? { retry: Duration.toMillis(item.delay) } : { id: item.id, name: item.name, data: item.data }

type Shown = ReturnType<typeof shown>

/** All that comes out before the end, and the end. */
const read = (reads: ReadonlyArray<Uint8Array>, options?: ServerSentEvents.DecodeOptions) => {
  const items: Array<Shown> = []
  return Stream.fromArray(reads).pipe(
    Stream.rechunk(1),
    ServerSentEvents.decode(options),
    Stream.runForEach((item) => Effect.sync(() => items.push(shown(item)))),
    Effect.match({
      onFailure: (failure) => ({ items, failure }),
      onSuccess: () => ({ items, failure: undefined })
    })
  )
}

const message = (data: string, rest?: { readonly id?: string; readonly name?: string }): Shown => ({
  id: rest?.id,
  name: rest?.name ?? "message",
  data
})

// Each of them is read in one piece, byte by byte, and cut in two at every place.
const cases: ReadonlyArray<readonly [title: string, input: string | Uint8Array, expected: ReadonlyArray<Shown>]> = [
  ["nothing", "", []],
  ["a message", "data: hello\n\n", [message("hello")]],
  ["two messages", "data: a\n\ndata: b\n\n", [message("a"), message("b")]],
  ["lines of data", "data: a\ndata:\ndata: b\ndata\n\n", [message("a\n\nb\n")]],
  ["data without a value", "data\n\ndata:\n\ndata: \n\n", [message(""), message(""), message("")]],
  ["no data", "event: a\n\nid: 1\n\n\n\n", []],
  [
    "one space after the colon, and only that",
    "data:a\n\ndata: a\n\ndata:  a\n\ndata:\ta\n\n",
    [message("a"), message("a"), message(" a"), message("\ta")]
  ],
  ["a colon in a value", "data: a: b:c\n\n", [message("a: b:c")]],
  ["comments", ": hi\ndata: a\n:\n:data: b\n\n:\n\n", [message("a")]],
  [
    "fields that are not known",
    "dat: x\ndatas: x\nDATA: x\n data: x\nfoo\nfoo: bar\ndata: a\nevents: x\n\n",
    [message("a")]
  ],
  ["a field name with a space before the colon", "data : x\ndata: a\n\n", [message("a")]],
  ["a name", "event: a\ndata: x\n\ndata: y\n\n", [message("x", { name: "a" }), message("y")]],
  ["the last of two names", "event: a\nevent: b\ndata: x\n\n", [message("x", { name: "b" })]],
  ["an empty name", "event: a\nevent\ndata: x\n\nevent:\ndata: y\n\n", [message("x"), message("y")]],
  ["no name of a message before it that had no data", "event: a\n\ndata: x\n\n", [message("x")]],
  ["an id, which stays", "id: 1\ndata: x\n\ndata: y\n\n", [message("x", { id: "1" }), message("y", { id: "1" })]],
  ["an id of a message without data", "id: 1\n\ndata: x\n\n", [message("x", { id: "1" })]],
  ["an id that is taken back", "id: 1\ndata: x\n\nid\ndata: y\n\n", [message("x", { id: "1" }), message("y")]],
  ["no id with NUL", "id: 1\nid: 2\0\nid: \0\ndata: x\n\n", [message("x", { id: "1" })]],
  ["an id with spaces and letters", "id:  1…é \ndata: x\n\n", [message("x", { id: " 1…é " })]],
  ["NUL in data and name", "event: a\0\ndata: \0x\0\n\n", [message("\0x\0", { name: "a\0" })]],
  [
    "retry, among the messages",
    "retry: 1000\n\ndata: a\nretry: 5\n\ndata: b\n\nretry: 0",
    [{ retry: 1000 }, { retry: 5 }, message("a"), message("b")]
  ],
  [
    "no retry that is not all digits",
    "retry: 1s\nretry: -1\nretry: 1.5\nretry:\nretry\nretry: \u0663\nretry: 0x1\ndata: a\n\n",
    [message("a")]
  ],
  ["a very long retry", `retry: ${"9".repeat(400)}\n\n`, [{ retry: Infinity }]],
  ["CR", "event: a\rdata: x\rdata: y\r\rdata: z\r\r", [message("x\ny", { name: "a" }), message("z")]],
  ["CRLF", "event: a\r\ndata: x\r\ndata: y\r\n\r\ndata: z\r\n\r\n", [message("x\ny", { name: "a" }), message("z")]],
  [
    "line ends of all kinds",
    "data: a\r\ndata: b\ndata: c\rdata: d\n\rdata: e\r\n\ndata: f\r\r\ndata: g\n\r\n",
    [message("a\nb\nc\nd"), message("e"), message("f"), message("g")]
  ],
  ["no line ends but those", "data: a\u2028b\u0085c\vd\fe\n\n", [message("a\u2028b\u0085c\vd\fe")]],
  ["a byte order mark", "\ufeffdata: a\n\ndata: b\n\n", [message("a"), message("b")]],
  ["only one of two byte order marks", "\ufeff\ufeffdata: a\n\ndata: b\n\n", [message("b")]],
  [
    "a byte order mark further on as text",
    "data: a\n\n\ufeffdata: b\n\ndata: \ufeffc\n\n",
    [message("a"), message("\ufeffc")]
  ],
  ["characters of one to four bytes", "event: é\ndata: aé€𝄞\n\n", [message("aé€𝄞", { name: "é" })]],
  [
    "bytes that are not UTF-8",
    Uint8Array.of(...bytesOf("data: "), 0xff, 0xc3, 0x28, 0xe2, 0x82, ...bytesOf("\n\n")),
    [message("\ufffd\ufffd(\ufffd")]
  ],
  [
    "a last message without its blank line",
    "data: a\n\nid: 7\nevent: b\ndata: c\n",
    [message("a"), message("c", { id: "7", name: "b" })]
  ],
  [
    "a last message without any line end",
    "data: a\n\nid: 7\nevent: b\ndata: c",
    [message("a"), message("c", { id: "7", name: "b" })]
  ],
  ["a last message with lines of data", "data: a\ndata: b", [message("a\nb")]],
  ["a last message that ends in CR", "data: a\r", [message("a")]],
  ["no last message with half an id, a name or a field", "data: a\n\ndata: b\nid: 7", [message("a")]],
  ["no last message with half a name", "data: b\nevent: c", []],
  ["no last message with half a field", "data: b\ndat", []],
  ["no last message without data", "id: 7\nevent: b\n", []],
  ["a character cut off at the end", Uint8Array.of(...bytesOf("data: a"), 0xe2, 0x82), [message("a\ufffd")]]
]

describe("decode reads", () => {
  it.effect.each(cases)("%s", ([, input, expected]) =>
    Effect.gen(function* () {
      const bytes = bytesOf(input)
      const whole = { items: expected, failure: undefined }
      assert.deepEqual<unknown>(yield* read([bytes]), whole)
      assert.deepEqual<unknown>(yield* read(pieces(bytes, 1)), whole)
      for (let i = 0; i <= bytes.length; i++) {
        assert.deepEqual<unknown>(yield* read(cutAt(bytes, [i])), whole, `cut at ${i}`)
      }
    })
  )

  const line = FastCheck.oneof(
    FastCheck.constantFrom("data", "data:", "id: 1", "id: 22", "id", "event: a", "retry: 10", ":", "", "", "foo: bar"),
    FastCheck.string({ unit: "binary", maxLength: 12 }).map((text) => `data: ${text}`),
    FastCheck.string({ unit: "binary", maxLength: 12 })
  )
  const input = FastCheck.array(FastCheck.tuple(line, FastCheck.constantFrom("\n", "\r", "\r\n")), {
    maxLength: 20
  }).map((lines) => bytesOf(lines.flat().join("")))

  it.effect("the same whatever the reads are, under any limit", () =>
    Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(
          FastCheck.oneof(input, FastCheck.uint8Array({ maxLength: 60 })),
          FastCheck.array(FastCheck.nat(400), { maxLength: 10 }),
          FastCheck.constantFrom(1, 5, 9, 14, 20, 1000),
          async (bytes, places, maxEventSize) => {
            const cuts = places.filter((place) => place <= bytes.length).toSorted((a, b) => a - b)
            const whole = await Effect.runPromise(read([bytes], { maxEventSize }))
            assert.deepEqual(await Effect.runPromise(read(cutAt(bytes, cuts), { maxEventSize })), whole)
            assert.deepEqual(await Effect.runPromise(read(pieces(bytes, 1), { maxEventSize })), whole)
          }
        ),
        { numRuns: 500 }
      )
    )
  )

  it.effect("one array of messages for one read, however many they are", () =>
    Effect.gen(function* () {
      const reads = ["data: 1\n\ndata: 2\n\nda", "ta: 3\n", "", "\ndata: 4\n\n"].map(bytesOf)
      const arrays = yield* Stream.fromArray(reads).pipe(
        Stream.rechunk(1),
        ServerSentEvents.decode(),
        Stream.chunks,
        Stream.map((items) => items.map(shown)),
        Stream.runCollect
      )
      assert.deepEqual(arrays, [
        [message("1"), message("2")],
        [message("3"), message("4")]
      ])
    })
  )
})

describe("the limit", () => {
  const limit = { maxEventSize: 20 }
  const tooLarge = new EventTooLarge({ maxEventSize: 20 })

  it.effect.each([
    ["a line of data", "data: 12345678901234\n\n"],
    ["lines of data", "data: 1234\ndata: 123\n\n"],
    ["a name", "event: 1234567890123\n"],
    ["an id", "id: 1234567890123456\n"],
    ["a comment", ":1234567890123456789\n"],
    ["a line after data", "data: 1234\n: 3456789\n\n"],
    ["a line that never ends", "data: 12345678901234"],
    ["a character of two units", "data: 123456789012𝄞\n\n"]
  ] as const)("allows %s as long as it, and not one longer", ([, input]) =>
    Effect.gen(function* () {
      const ahead = "data: a\n\n: comment\n\ndata: b\n\n"
      for (const size of [1, 7, 1000]) {
        const fits = yield* read(pieces(bytesOf(`${ahead}${input}`), size), limit)
        assert.isUndefined(fits.failure)
        assert.deepEqual(fits.items.slice(0, 2), [message("a"), message("b")])

        const longer = input.replace(/(?=\d)/, "0")
        const fails = yield* read(pieces(bytesOf(`${ahead}${longer}`), size), limit)
        assert.deepEqual<unknown>(fails, { items: [message("a"), message("b")], failure: tooLarge })
      }
    })
  )

  it.effect("is for one message, and not for what is between messages", () =>
    Effect.gen(function* () {
      const input = `${": a comment\n".repeat(100)}data: a\n\n${"event: b\n".repeat(100)}${"foo\n".repeat(100)}data: b\n\n`
      for (const size of [1, 7, 5000]) {
        const { failure, items } = yield* read(pieces(bytesOf(input), size), limit)
        assert.isUndefined(failure)
        assert.deepEqual(items, [message("a"), message("b", { name: "b" })])
      }
    })
  )

  it.effect("is a mebi unless another is asked for", () =>
    Effect.gen(function* () {
      const input = (size: number) => [bytesOf(`data:${"x".repeat(size - 5)}\n\n`)]
      assert.isUndefined((yield* read(input(2 ** 20))).failure)
      assert.isDefined((yield* read(input(2 ** 20 + 1))).failure)
    })
  )

  it.effect("ends the stream at once, and reads no more", () =>
    Effect.gen(function* () {
      let reads = 0
      const endless = Stream.fromEffectRepeat(Effect.sync(() => (reads++, bytesOf("data: 7\n"))))
      const error = yield* endless.pipe(ServerSentEvents.decode({ maxEventSize: 80 }), Stream.runDrain, Effect.flip)
      assert.deepStrictEqual(error, new EventTooLarge({ maxEventSize: 80 }))
      assert.strictEqual(reads, 11)
    })
  )
})

describe("time", () => {
  /**
   * How many times the processor time of the first task the second takes, at best: of some rounds in turns, and of more as long as it is
   * not below `most`. What else the machine does makes a round slower and never faster.
   */
  const ratio = (small: () => void, large: () => void, most: number) => {
    const timeOf = (task: () => void) => {
      const start = process.cpuUsage()
      task()
      const { system, user } = process.cpuUsage(start)
      return system + user
    }
    const times: { readonly small: Array<number>; readonly large: Array<number> } = { small: [], large: [] }
    for (let round = 0; round < 50; round++) {
      times.small.push(timeOf(small))
      times.large.push(timeOf(large))
      if (round >= 4 && Math.min(...times.large) / Math.min(...times.small) < most) break
    }
    return Math.min(...times.large) / Math.min(...times.small)
  }

  const task = (input: string, size: number) => {
    const reads = pieces(bytesOf(input), size)
    return () => {
      const exit = Effect.runSyncExit(
        Stream.fromArray(reads).pipe(
          Stream.rechunk(1),
          ServerSentEvents.decode({ maxEventSize: 2 ** 25 }),
          Stream.runCount
        )
      )
      assert.isTrue(Exit.isSuccess(exit) && exit.value > 0)
    }
  }

  it("grows with the size of a message, and not with its square", () => {
    const mebi = "x".repeat(2 ** 20)
    const small = task(`data: ${mebi.repeat(4)}\n\n`, 1024)
    const large = task(`data: ${mebi.repeat(16)}\n\n`, 1024)
    assert.isBelow(ratio(small, large, 5), 5)
  })

  it.each(["data:\n", "data: x\r\n", ": comment\n", "event: name\r", "x"])("grows with the number of %j", (line) => {
    const small = task(`data: a\n\n${line.repeat(20_000)}\n\n`, 1000)
    const large = task(`data: a\n\n${line.repeat(80_000)}\n\n`, 1000)
    assert.isBelow(ratio(small, large, 8), 8)
  })
})

describe("encode", () => {
  const text = FastCheck.oneof(
    FastCheck.string({ unit: "binary" }),
    FastCheck.array(
      FastCheck.constantFrom(
        "\n",
        "\r",
        "\r\n",
        "\0",
        "data: x",
        "id: 9",
        "event: evil",
        ":",
        " ",
        "\ud800",
        "\udc00",
        "\ufeff",
        "\u2028"
      )
    ).map((parts) => parts.join(""))
  )
  const oneLine = (text: string) => text.toWellFormed().replaceAll(/[\r\n\0]/g, "\ufffd")

  it.effect("makes one message of one, whatever is in it", () =>
    Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(
          FastCheck.array(FastCheck.record({ id: text.filter((id) => id !== ""), name: text, data: text }), {
            maxLength: 4
          }),
          async (messages) => {
            const bytes = bytesOf(messages.map(ServerSentEvents.encode).join(ServerSentEvents.heartbeat))
            const { failure, items } = await Effect.runPromise(read([bytes]))
            assert.isUndefined(failure)
            assert.deepEqual(
              items,
              messages.map(({ data, id, name }) => ({
                id: oneLine(id),
                name: name === "" ? "message" : oneLine(name),
                data: data.toWellFormed().replaceAll(/\r\n?/g, "\n")
              }))
            )
          }
        ),
        { numRuns: 500 }
      )
    )
  )

  it("puts the data last", () => {
    assert.strictEqual(
      ServerSentEvents.encode({ id: "7", name: "delta", data: "a\r\nb\rc\n" }),
      "event: delta\nid: 7\ndata: a\ndata: b\ndata: c\ndata: \n\n"
    )
    assert.strictEqual(ServerSentEvents.encode({ id: undefined, name: "a", data: "" }), "event: a\ndata: \n\n")
  })
})
