import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { spin } from "../src/Spinner.ts"
import * as Fake from "./support/Fake.ts"

const run = <A>(self: Effect.Effect<A>, canAnimate: boolean) => {
  const screen = Fake.screen({ canAnimate })
  return Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(self.pipe(spin("thinking"), Effect.provide(screen.layer)), {
      startImmediately: true
    })
    return { fiber, screen }
  })
}

describe("spin", () => {
  it.effect("turns while it waits, and leaves an empty line", () =>
    Effect.gen(function* () {
      const { fiber, screen } = yield* run(Effect.as(Effect.sleep("1 second"), "done"), true)
      yield* TestClock.adjust("300 millis")
      assert.strictEqual(screen.text(), ["⠋", "⠙", "⠹"].map((frame) => `\r\u001b[2K${frame} thinking`).join(""))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(fiber), "done")
      assert.isTrue(screen.text().endsWith("\r\u001b[2K"))
    })
  )

  it.effect("does not flicker for what is quick", () =>
    Effect.gen(function* () {
      const { fiber, screen } = yield* run(Effect.sleep("100 millis"), true)
      yield* TestClock.adjust("100 millis")
      yield* Fiber.join(fiber)
      assert.strictEqual(screen.text(), "")
    })
  )

  it.effect("clears its line when what it waits for is interrupted", () =>
    Effect.gen(function* () {
      const { fiber, screen } = yield* run(Effect.never, true)
      yield* TestClock.adjust("200 millis")
      yield* Fiber.interrupt(fiber)
      assert.isTrue(screen.text().endsWith("\r\u001b[2K"))
    })
  )

  it.effect("shows nothing where nobody watches", () =>
    Effect.gen(function* () {
      const { fiber, screen } = yield* run(Effect.sleep("1 second"), false)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      assert.strictEqual(screen.text(), "")
    })
  )
})
