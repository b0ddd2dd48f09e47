import * as Logging from "@effect-chatbot/server/Logging"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as References from "effect/References"

/** The lines that a program logs. */
const lines = (format: Logging.Format, program: Effect.Effect<void>) =>
  Effect.suspend(() => {
    const written: Array<string> = []
    const logger = Logger.map(Logging.toLine(format), (line) => {
      written.push(line)
    })
    return Effect.as(
      program.pipe(Effect.provide(Logger.layer([logger])), Effect.provideService(References.MinimumLogLevel, "All")),
      written
    )
  })

// What a caller might send, to forge a line or to command a terminal.
const hostile = 'a\nlevel=ERROR message=forged \r\n\u001b[2J\u0000\u009b31m\u2028\u202e" = \\'

describe("Logging", () => {
  it.effect.each([["logfmt"], ["json"]] as const)(
    "writes one plain line an event as %s, whatever is in it",
    ([format]) =>
      Effect.gen(function* () {
        const written = yield* lines(
          format,
          Effect.logWarning(hostile, { more: hostile }).pipe(Effect.annotateLogs({ field: hostile, level: hostile }))
        )
        assert.strictEqual(written.length, 1)
        assert.match(written[0] ?? "", /^[^\p{Cc}\u2028\u2029\u202a-\u202e]+$/u)
        assert.notMatch(written[0] ?? "", / level=ERROR message=forged /)
      })
  )

  it.effect("writes JSON with the fields of the event", () =>
    Effect.gen(function* () {
      const [line = ""] = yield* lines(
        "json",
        Effect.logError("It failed", Cause.fail(new Error("because"))).pipe(
          Effect.annotateLogs({ requestId: "r-1", status: 500, message: "not the message" })
        )
      )
      const { cause, timestamp, ...event } = JSON.parse(line)
      assert.deepStrictEqual(event, {
        level: "ERROR",
        message: "It failed",
        requestId: "r-1",
        status: 500,
        message_: "not the message"
      })
      assert.match(cause, /^Error: because\n/)
      assert.match(timestamp, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    })
  )

  it.effect("writes what an event names as fields, not into its text", () =>
    Effect.gen(function* () {
      const [line = ""] = yield* lines(
        "json",
        Effect.logInfo("An admin acted", { login: "boss", status: 200, level: "forged", resources: { botId: "b-1" } })
      )
      const { timestamp: _, ...event } = JSON.parse(line)
      assert.deepStrictEqual(event, {
        level: "INFO",
        message: "An admin acted",
        login: "boss",
        status: 200,
        level_: "forged",
        resources: '{"botId":"b-1"}'
      })
    })
  )

  it.effect("bounds what is logged", () =>
    Effect.gen(function* () {
      const long = "x".repeat(100_000)
      const [line = ""] = yield* lines(
        "json",
        Effect.logError(long, Cause.fail(new Error(long))).pipe(Effect.annotateLogs({ field: long }))
      )
      assert.isBelow(line.length, 2 * Logging.limits.field + Logging.limits.cause + 500)
      assert.include(line, "98000 more")
    })
  )
})
