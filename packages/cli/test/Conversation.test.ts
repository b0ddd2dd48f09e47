import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { converse } from "../src/Conversation.ts"
import * as Fake from "./support/Fake.ts"

const talk = (routes: Fake.Routes, ...lines: ReadonlyArray<string>) => {
  const { layer, requests } = Fake.backend(routes)
  const screen = Fake.screen()
  return Effect.provide(converse, [layer, screen.layer, Fake.keyboard(...lines)]).pipe(
    Effect.map(() => ({ requests, shown: screen.text() }))
  )
}

const greeting = `
Echo
I say what you say.

You could ask:
  1  Is anybody there?
  2  What did you say?

Type a question, or the number of one of these. /help shows what else there is.

`

describe("converse", () => {
  it.effect("greets with the sample questions of the bot", () =>
    Effect.gen(function* () {
      const { shown } = yield* talk(Fake.echo)
      assert.strictEqual(shown, greeting)
    })
  )

  it.effect("shows the answers", () =>
    Effect.gen(function* () {
      const { shown } = yield* talk(Fake.echo, "", "  hello  ")
      assert.strictEqual(shown.slice(greeting.length), "You said:\nhello\n\n")
    })
  )

  it.effect("asks a sample question by its number", () =>
    Effect.gen(function* () {
      const { shown } = yield* talk(Fake.echo, "2", "3")
      assert.strictEqual(shown.slice(greeting.length), "You said:\nWhat did you say?\n\nYou said:\n3\n\n")
    })
  )

  it.effect("says who answers where that is another bot, and what the answer was drawn from", () =>
    Effect.gen(function* () {
      const source = { fileName: "a.md", url: "/api/chats/chat-1/downloads/a.md" }
      const { shown } = yield* talk(
        {
          ...Fake.echo,
          "POST /api/chats/chat-1/completions": () => ({
            completionId: "c",
            botId: "other",
            botDisplayName: "Other",
            assistantMessage: "Because.",
            metaData: { sources: [source, source] }
          })
        },
        "Why?"
      )
      assert.strictEqual(
        shown.slice(greeting.length),
        "Other\nBecause.\n\n  ▪ a.md  http://chatbot.test/api/chats/chat-1/downloads/a.md\n\n"
      )
    })
  )

  it.effect("goes on after an error", () =>
    Effect.gen(function* () {
      let isIll = true
      const { shown } = yield* talk(
        {
          ...Fake.echo,
          "POST /api/chats/chat-1/completions": (body) => {
            if (!isIll) return Fake.echo["POST /api/chats/chat-1/completions"]?.(body)
            isIll = false
            return Fake.problem("ProviderFailed", 502, "The provider is ill.")
          }
        },
        "one",
        "two"
      )
      assert.strictEqual(shown.slice(greeting.length), "The provider is ill. (ProviderFailed)\n\nYou said:\ntwo\n\n")
    })
  )

  it.effect("lists the bots, and begins a new chat with one of them", () =>
    Effect.gen(function* () {
      const { requests, shown } = yield* talk(
        {
          ...Fake.echo,
          "GET /api/bots": () =>
            Fake.page({ botId: "echo", code: "echo", displayName: "Echo", description: "Says it again." }),
          "POST /api/chats/create/bybotcode": ({ botCode }) => ({ chatId: "chat-2", botDisplayName: String(botCode) }),
          "POST /api/chats/chat-2/completions": () => ({ completionId: "c", assistantMessage: "From the second chat." })
        },
        "/bots",
        "/new parrot",
        "hello"
      )
      assert.include(shown, "  code  name  about\n  echo  Echo  Says it again.\n")
      assert.include(shown, "\nparrot\n\nType a question. /help shows what else there is.\n")
      assert.isTrue(shown.endsWith("From the second chat.\n\n"))
      assert.notInclude(requests, "POST /api/chats/chat-1/completions")
    })
  )

  it.effect("explains its commands, and what is none", () =>
    Effect.gen(function* () {
      const { requests, shown } = yield* talk(Fake.echo, "/help", "/what", "/quit", "not asked any more")
      for (const command of ["/bots", "/new [code]", "/help", "/quit"]) assert.include(shown, `\n  ${command} `)
      assert.isTrue(shown.endsWith("There is no /what. /help shows what there is.\n\n"))
      assert.notInclude(requests, "POST /api/chats/chat-1/completions")
    })
  )

  it.effect("shows an answer word by word where somebody watches", () =>
    Effect.gen(function* () {
      const { layer } = Fake.backend(Fake.echo)
      const screen = Fake.screen({ canAnimate: true })
      const fiber = yield* Effect.forkChild(Effect.provide(converse, [layer, screen.layer, Fake.keyboard("a b c")]), {
        startImmediately: true
      })
      const said: Array<string> = []
      while (fiber.pollUnsafe() === undefined) {
        const before = screen.text().length
        yield* TestClock.adjust("20 millis")
        said.push(screen.text().slice(before))
      }
      yield* Fiber.join(fiber)
      assert.include(said.join("|"), "|\na| b| c|")
    })
  )
})
