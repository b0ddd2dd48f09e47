/** Answers as they are made, on a terminal, in a pipe and out of a worker, and how they are left. */
import * as ChatbotTest from "@effect-chatbot/testing/ChatbotTest"
import { assert, describe, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { command, path, run, start } from "./support/Program.ts"
import { Serve } from "./support/Serve.ts"
import { Slow } from "./support/Slow.ts"

const programs = ["examples/src/streaming.ts", "examples/src/worker/main.ts"]

describe.each(programs)("%s", (program) => {
  layer(Serve.layer, { excludeTestServices: true })((it) => {
    it.effect("prints the text of an answer into a pipe, and nothing else", () =>
      Effect.gen(function* () {
        const { env } = yield* Serve
        const { code, stderr, stdout } = yield* run(program, env, "How do I page through a list?")
        assert.deepStrictEqual([code, stderr], [0, ""])
        assert.match(stdout, /page[^]*[^\n]\n$/)
        for (const extra of ["\u001b", "lists.md"]) assert.notInclude(stdout, extra)
      })
    )
  })

  layer(Serve.layer, { excludeTestServices: true })((it) => {
    it.effect("says in a line what went wrong, not into the pipe, and fails", () =>
      Effect.gen(function* () {
        const { env } = yield* Serve
        for (const [more, said] of [
          [{ CHATBOT_TOKEN: "wrong" }, /^A valid bearer token is needed\..*\n$/],
          [{ CHATBOT_BASE_URL: "http://127.0.0.1:9" }, /^127\.0\.0\.1:9 refused the connection.*\n$/]
        ] as const) {
          const { code, stderr, stdout } = yield* run(program, { ...env, ...more })
          assert.deepStrictEqual([code, stdout], [1, ""])
          assert.match(stderr, said)
        }
      })
    )
  })

  layer(Slow.layer, { excludeTestServices: true })((it) => {
    it.effect("prints while the answer is made, and stops it on Ctrl-C", () =>
      Effect.gen(function* () {
        const { env, stopped } = yield* Slow
        const { ended, kill, said } = yield* start(program, env, "Count.")
        yield* said(/^One, two,/)
        yield* kill("SIGINT")
        assert.strictEqual(yield* stopped, "Count.")
        assert.deepStrictEqual(yield* ended, { code: 130, stdout: "One, two,", stderr: "\nStopped.\n" })
      })
    )
  })
})

layer(Serve.layer, { excludeTestServices: true })("streaming.ts on a terminal", (it) => {
  it.effect("names the documents too", () =>
    Effect.gen(function* () {
      const { env } = yield* Serve
      const line = `${process.execPath} ${path("examples/src/streaming.ts")} "How do I page through a list?"`
      const { ended } = yield* command("script", ["-qec", line, "/dev/null"], env)
      const { code, stdout } = yield* ended
      assert.strictEqual(code, 0)
      assert.include(stdout, "page")
      assert.isTrue(stdout.endsWith("\u001b[2mlists.md\u001b[0m\r\n"), stdout)
    })
  )
})

layer(Slow.layer, { excludeTestServices: true })("streaming.ts", (it) => {
  it.effect("obeys the key Ctrl-C of a terminal", () =>
    Effect.gen(function* () {
      const { env, stopped } = yield* Slow
      const line = `${process.execPath} ${path("examples/src/streaming.ts")} Count.`
      const { ended, said, type } = yield* command("script", ["-qec", line, "/dev/null"], env)
      yield* said(/One, two,/)
      yield* type("\u0003")
      assert.strictEqual(yield* stopped, "Count.")
      const { code, stdout } = yield* ended
      assert.strictEqual(code, 130)
      assert.match(stdout, /^One, two,(\^C)?\r\nStopped\.\r\n$/)
    })
  )

  it.effect("stops the answer when nobody reads it any more", () =>
    Effect.gen(function* () {
      const { env } = yield* Slow
      const { answer } = yield* ChatbotTest.Backend
      const left = yield* Deferred.make<void>()
      yield* answer(() =>
        Stream.fromSchedule(Schedule.spaced("10 millis")).pipe(
          Stream.map((number) => `${number}, `),
          Stream.ensuring(Deferred.succeed(left, undefined))
        )
      )
      const { ended, said, stopReading } = yield* start("examples/src/streaming.ts", env, "Count.")
      yield* said(/^0, 1, /)
      yield* stopReading
      yield* Deferred.await(left)
      const { code, stderr } = yield* ended
      assert.deepStrictEqual([code, stderr], [0, "Nobody reads any more.\n"])
    })
  )
})
