/** One ticket and many who try to use it, and paths that try to leave the files of a chat: over sockets, as bytes. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { redeemAtOnce } from "./support/redeemAtOnce.ts"
import { send } from "./support/raw.ts"
import { head, sendRaw } from "./support/sockets.ts"
import { TestBackend } from "./support/TestBackend.ts"
import { traversals } from "./support/traversals.ts"

layer(TestBackend.layer, { excludeTestServices: true })("a ticket", (it) => {
  it.effect("of 1,000 who use it at once, each on a connection of their own, is good for one", () =>
    Effect.gen(function* () {
      const answers = yield* redeemAtOnce(1000)
      assert.strictEqual(answers.filter(({ status }) => status === 200).length, 1)
      const refused = answers.filter(({ status }) => status !== 200)
      for (const { status, text } of refused) {
        assert.strictEqual(status, 401)
        assert.include(text, "urn:effect-chatbot:problem:Unauthorized")
      }
    })
  )
})

const canary = "canary-4f1d"

/** The folder of everything. */
class Root extends Context.Service<Root, string>()("test/Root") {}

/** A folder of bots and one of data, and beside and in them files that nobody may read. */
const root = Layer.effect(
  Root,
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const root = yield* fs.makeTempDirectoryScoped({ prefix: "chatbot-test-" })
    yield* fs.makeDirectory(`${root}/bots/one/knowledge`, { recursive: true })
    yield* fs.makeDirectory(`${root}/data`)
    yield* fs.writeFileString(
      `${root}/bots/one/bot.yaml`,
      `code: one\nimplementationType: Facts\ndisplayName: One\nisPublic: true\nbaseSystemMessage: ${canary}\n`
    )
    yield* fs.writeFileString(`${root}/bots/one/knowledge/zebras.md`, "# Zebras\n\nZebras are striped.\n")
    for (const folder of ["", "/data"]) {
      yield* fs.writeFileString(`${root}${folder}/canary.txt`, canary)
    }
    return root
  })
).pipe(Layer.provide(NodeServices.layer))

const backend = Layer.unwrap(
  Effect.map(Root, (root) => TestBackend.layerWith({ dataDir: `${root}/data`, botsDir: `${root}/bots` }))
).pipe(Layer.provideMerge(root))

layer(backend, { excludeTestServices: true })("a path that tries to leave its folder", (it) => {
  /** What every answer to such a path must be. */
  const assertNothing = Effect.fnUntraced(function* (
    at: string,
    token: Redacted.Redacted,
    prefixes: ReadonlyArray<string>
  ) {
    const { baseUrl } = yield* TestBackend
    const root = yield* Root
    const outside = [`${root}/canary.txt`, `${root}/data/canary.txt`, `${root}/bots/one/bot.yaml`]
    const spellings = traversals(prefixes, outside)
    assert.isAtLeast(spellings.length, 500)
    const authorization = `Bearer ${Redacted.value(token)}`
    const statuses = yield* Effect.forEach(
      spellings,
      (spelling) =>
        Effect.map(sendRaw(baseUrl, head("GET", `${at}${spelling}`, { authorization })), ({ status, text }) => {
          const shown = JSON.stringify(spelling)
          assert.notInclude(text, canary, shown)
          // What is no request line of HTTP does not get as far as a path.
          const isRequestLine = /^[!-~]+$/.test(spelling)
          assert.strictEqual(status, isRequestLine ? 404 : 400, `${shown}: ${text}`)
          return status
        }),
      { concurrency: 16 }
    )
    assert.isAtLeast(statuses.filter((status) => status === 404).length, 500)
  })

  it.effect("is no download", () =>
    Effect.gen(function* () {
      const { tokenOf } = yield* TestBackend
      const token = yield* tokenOf("ann")
      const chat = yield* send("POST", "/api/chats/create/bybotcode", { token, body: { botCode: "one" } })
      const { chatId } = chat.json()
      const body = { userMessage: "Are zebras striped?" }
      const answer = yield* send("POST", `/api/chats/${chatId}/completions`, { token, body })
      const [source] = answer.json().metaData.sources
      assert.strictEqual((yield* send("GET", source.url, { token })).status, 200)
      yield* assertNothing(`/api/chats/${chatId}/downloads/`, token, [
        "",
        "one/",
        "one/sub/",
        "one/knowledge/",
        "nothing/"
      ])
    })
  )

  it.effect("is no image of a bot", () =>
    Effect.gen(function* () {
      const { adminToken: token } = yield* TestBackend
      const { items } = (yield* send("GET", "/api/bots", { token })).json()
      yield* assertNothing("/api/bots/botimage/", token, ["", "one/", `${items[0].botId}/`])
    })
  )
})
