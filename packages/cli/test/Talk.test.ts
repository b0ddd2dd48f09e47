import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Render from "../src/Render.ts"
import * as Talk from "../src/Talk.ts"
import * as Fake from "./support/Fake.ts"

const greeter = (routes: Fake.Routes) => Effect.provide(Talk.greeter, Fake.backend(routes).layer)

const noOpenBot = { "GET /api/chats/OpenChatBotId": () => ({}) }

describe("greeter", () => {
  it.effect("is the open bot", () => Effect.map(greeter(Fake.echo), (botId) => assert.strictEqual(botId, "echo")))

  it.effect("is the first start bot where none is open", () =>
    Effect.map(greeter({ ...noOpenBot, "GET /api/bots/startbots": () => Fake.page({ botId: "start" }) }), (botId) =>
      assert.strictEqual(botId, "start")
    )
  )

  it.effect("is the first bot where there is no start bot either", () =>
    Effect.map(
      greeter({
        ...noOpenBot,
        "GET /api/bots/startbots": () => Fake.page(),
        "GET /api/bots": () => Fake.page({ botId: "first" })
      }),
      (botId) => assert.strictEqual(botId, "first")
    )
  )

  it.effect("is missing where there is no bot at all", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        greeter({ ...noOpenBot, "GET /api/bots/startbots": () => Fake.page(), "GET /api/bots": () => Fake.page() })
      )
      assert.strictEqual(error._tag, "NoBot")
    })
  )
})

describe("sources", () => {
  const source = (fileName: string, url: string | undefined) => ({
    id: undefined,
    fileName,
    url,
    language: undefined,
    createTicketUrl: undefined
  })

  it("names each document once", () => {
    const sources = [source("a.md", "/a"), source("b.md", undefined), source("a.md", "/a"), source("b.md", undefined)]
    assert.deepStrictEqual(
      Talk.sources({ metaData: { tags: [], sources } }).map(({ fileName }) => fileName),
      ["a.md", "b.md"]
    )
    assert.deepStrictEqual(Talk.sources({ metaData: undefined }), [])
  })

  it("stands as a line with the whole URL", () => {
    const line = (url: string | undefined) =>
      Talk.citation(source("a\u001b[2J.md", url), "http://chatbot.test/x", Render.plain)
    assert.strictEqual(line("/api/a.md"), "a.md  http://chatbot.test/api/a.md")
    assert.strictEqual(line("https://elsewhere.test/a.md"), "a.md  https://elsewhere.test/a.md")
    assert.strictEqual(line(undefined), "a.md")
  })
})
