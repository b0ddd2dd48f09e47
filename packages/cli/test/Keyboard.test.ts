import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { PassThrough } from "node:stream"
import { make } from "../src/Keyboard.ts"

const open = () => {
  const input = new PassThrough()
  const output = new PassThrough()
  const { ask } = make(input, output)
  /** Asks while these keys are pressed. */
  const press = (keys: string) =>
    Effect.gen(function* () {
      const asking = yield* Effect.forkChild(ask("› "), { startImmediately: true })
      input.write(keys)
      return yield* Fiber.join(asking)
    })
  return { ask, input, output, press, shown: () => String(output.read() ?? "") }
}

const up = "\u001b[A"
const left = "\u001b[D"

describe("ask", () => {
  it.effect("gives the line that is typed", () =>
    Effect.gen(function* () {
      const { press, shown } = open()
      assert.deepStrictEqual(yield* press("Grüße 👋\r"), Option.some("Grüße 👋"))
      assert.include(shown(), "› ")
    })
  )

  it.effect("lets the line be edited, whole characters at a time", () =>
    Effect.gen(function* () {
      const { press } = open()
      assert.deepStrictEqual(yield* press(`ac${left}b\r`), Option.some("abc"))
      assert.deepStrictEqual(yield* press("a👋\u007fb\r"), Option.some("ab"))
    })
  )

  it.effect("remembers the lines before", () =>
    Effect.gen(function* () {
      const { press } = open()
      yield* press("first\r")
      yield* press("second\r")
      assert.deepStrictEqual(yield* press(`${up}${up}\r`), Option.some("first"))
    })
  )

  it.effect("takes lines that are pasted at once one by one", () =>
    Effect.gen(function* () {
      const { ask, press, shown } = open()
      assert.deepStrictEqual(yield* press("one\rtwo\rthree\r"), Option.some("one"))
      shown()
      assert.deepStrictEqual(yield* ask("› "), Option.some("two"))
      assert.strictEqual(shown(), "› two\n")
      assert.deepStrictEqual(yield* ask("› "), Option.some("three"))
      assert.deepStrictEqual(yield* press("four\r"), Option.some("four"))
    })
  )

  it.effect("gives none for Ctrl-C and Ctrl-D, and at the end of the input", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* open().press("half a line\u0003"), Option.none())
      assert.deepStrictEqual(yield* open().press("\u0004"), Option.none())
      const { ask, input } = open()
      input.end()
      assert.deepStrictEqual(yield* ask("› "), Option.none())
    })
  )

  it.effect("gives none when the terminal is gone", () =>
    Effect.gen(function* () {
      const { ask, input } = open()
      const asking = yield* Effect.forkChild(ask("› "), { startImmediately: true })
      input.destroy(new Error("EIO"))
      assert.deepStrictEqual(yield* Fiber.join(asking), Option.none())
    })
  )

  it.effect("lets go of the terminal when it is interrupted", () =>
    Effect.gen(function* () {
      const { ask, input } = open()
      const asking = yield* Effect.forkChild(ask("› "), { startImmediately: true })
      yield* Fiber.interrupt(asking)
      assert.strictEqual(input.listenerCount("end"), 0)
    })
  )
})
