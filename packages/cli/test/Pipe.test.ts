import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestConsole from "effect/testing/TestConsole"
import * as Pipe from "../src/Pipe.ts"
import * as Fake from "./support/Fake.ts"

const answer = (routes: Fake.Routes, ...lines: ReadonlyArray<string>) => {
  const { layer, requests } = Fake.backend(routes)
  const screen = Fake.screen()
  return Effect.gen(function* () {
    const outcome = yield* Pipe.answer(Stream.fromIterable(lines))
    return { outcome, requests, shown: screen.text(), errors: yield* TestConsole.errorLines }
  }).pipe(Effect.provide([layer, screen.layer]))
}

describe("answer", () => {
  it.effect("shows one answer a line, and nothing else", () =>
    Effect.gen(function* () {
      const { outcome, shown } = yield* answer(Fake.echo, "one", "two\r")
      assert.strictEqual(shown, "You said: one\nYou said: two\n")
      assert.deepStrictEqual(outcome, { asked: 2, failed: 0 })
    })
  )

  it.effect("asks in one chat, and passes over blank lines", () =>
    Effect.gen(function* () {
      const { outcome, requests } = yield* answer(Fake.echo, "", "one", "  \t", "two", "")
      assert.strictEqual(outcome.asked, 2)
      assert.deepStrictEqual(requests, [
        "GET /api/chats/OpenChatBotId",
        "POST /api/chats",
        "POST /api/chats/chat-1/completions",
        "POST /api/chats/chat-1/completions"
      ])
    })
  )

  it.effect("asks nothing where there is no question", () =>
    Effect.gen(function* () {
      const { outcome, requests, shown } = yield* answer(Fake.echo, "", " ")
      assert.deepStrictEqual(outcome, { asked: 0, failed: 0 })
      assert.deepStrictEqual(requests, [])
      assert.strictEqual(shown, "")
    })
  )

  it.effect("tells of a question that fails on standard error, and goes on", () =>
    Effect.gen(function* () {
      const routes: Fake.Routes = {
        ...Fake.echo,
        "POST /api/chats/chat-1/completions": (body) =>
          body["userMessage"] === "two"
            ? Fake.problem("ProviderFailed", 502, "The provider is ill.", { requestId: "r-2" })
            : Fake.echo["POST /api/chats/chat-1/completions"]?.(body)
      }
      const { errors, outcome, shown } = yield* answer(routes, "one", "two", "three")
      assert.strictEqual(shown, "You said: one\nYou said: three\n")
      assert.deepStrictEqual(errors, [
        "Question 2 was not answered: The provider is ill. (ProviderFailed, request r-2)"
      ])
      assert.deepStrictEqual(outcome, { asked: 3, failed: 1 })
    })
  )

  it.effect("fails with the input", () =>
    Effect.gen(function* () {
      const { layer } = Fake.backend(Fake.echo)
      const error = yield* Pipe.answer(Stream.fail("no more input")).pipe(
        Effect.provide([layer, Fake.screen().layer]),
        Effect.flip
      )
      assert.strictEqual(error, "no more input")
    })
  )
})
