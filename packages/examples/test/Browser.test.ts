/** The page of `browser/page.ts` in a real browser. */
import { assert, describe, it, layer } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import { type AddressInfo, createServer } from "node:net"
import type { Page } from "playwright-core"
import { Browser, find, open } from "./support/Browser.ts"
import { type Environment, listening, start } from "./support/Program.ts"
import { serve } from "./support/Serve.ts"
import { Slow } from "./support/Slow.ts"

/** A port that nobody listens on: a backend must be told where its pages are, and these where it is. */
const freePort = Effect.callback<number>((resume) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo
    server.close(() => resume(Effect.succeed(port)))
  })
})

/** Serves the page on a port. */
const servePage = (env: Environment, port: number) =>
  Effect.flatMap(start("examples/src/browser/serve.ts", { ...env, PORT: `${port}` }), listening)

const ask = (page: Page, question: string) =>
  Effect.promise(async () => {
    await page.getByLabel("Question").fill(question)
    await page.getByRole("button", { name: "Ask" }).click()
  })

/** Waits until the log has a paragraph of this class with this text. */
const shows = (page: Page, className: string, text: string | RegExp) =>
  Effect.promise(() => page.locator(`p.${className}`, { hasText: text }).waitFor())

const texts = (page: Page) => Effect.promise(() => page.getByRole("log").locator("p").allTextContents())

describe("browser/page.ts", () => {
  layer(Browser.layer, { excludeTestServices: true, timeout: "13 minutes" })((it) => {
    it.effect(
      "chats with pnpm serve, which knows where it comes from",
      () =>
        Effect.gen(function* () {
          const port = yield* freePort
          const { env } = yield* serve({ CHATBOT_CORS_ORIGINS: `http://127.0.0.1:${port}` })
          const url = yield* servePage(env, port)
          const page = yield* open(url)
          const complaints: Array<string> = []
          page.on("console", (message) => complaints.push(message.text()))
          page.on("pageerror", (error) => complaints.push(error.message))

          yield* Effect.promise(() => page.route("**/api/chats/**", (route) => route.abort(), { times: 1 }))
          yield* ask(page, "How do I page through a list?")
          yield* shows(page, "error", /./)
          assert.deepStrictEqual(complaints.splice(0), ["Failed to load resource: net::ERR_FAILED"])

          yield* ask(page, "How do I page through a list?")
          yield* shows(page, "answer", /pageNumber/)
          yield* ask(page, "How do I start the <b>server</b>?")
          yield* shows(page, "answer", /serve/)
          assert.include(yield* texts(page), "How do I start the <b>server</b>?")
          assert.deepStrictEqual(complaints, [])

          // The same page from another origin, which is not in the list.
          const foreign = yield* open(url.replace("127.0.0.1", "localhost"))
          yield* ask(foreign, "How do I page through a list?")
          yield* shows(foreign, "error", /./)
          assert.strictEqual((yield* texts(foreign))[1], "")
        }),
      60_000
    )

    it.effect(
      "shows an answer while it is made, and stops it",
      () =>
        Effect.gen(function* () {
          const port = yield* freePort
          yield* Effect.gen(function* () {
            const { env, stopped } = yield* Slow
            const page = yield* open(yield* servePage(env, port))
            const isEnabled = (name: string) => Effect.promise(() => page.getByRole("button", { name }).isEnabled())
            yield* ask(page, "Count.")
            yield* shows(page, "answer", "One, two,")
            assert.deepStrictEqual([yield* isEnabled("Ask"), yield* isEnabled("Stop")], [false, true])
            yield* Effect.promise(() => page.getByRole("button", { name: "Stop" }).click())
            assert.strictEqual(yield* stopped, "Count.")
            yield* shows(page, "answer", "One, two, …")

            // The chat is free for the next question.
            yield* Effect.promise(() => page.getByRole("button", { name: "Ask", disabled: false }).waitFor())
            yield* ask(page, "And again.")
            yield* shows(page, "answer", /^One, two,$/)
            assert.deepStrictEqual(yield* texts(page), ["Count.", "One, two, …", "And again.", "One, two,"])
          }).pipe(Effect.provide(Slow.layerWith({ corsOrigins: [`http://127.0.0.1:${port}`] })))
        }),
      60_000
    )
  })
})

describe("a browser that is not here", () => {
  /** A folder of programs with an `apt-get` that writes down how it is called. */
  const folder = (script: string) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* fs.makeTempDirectoryScoped({ prefix: "chatbot-test-" })
      const log = `${path}/log`
      yield* fs.writeFileString(`${path}/apt-get`, `#!/bin/sh\necho "$@" >>${log}\ncd ${path}\n${script}\n`, {
        mode: 0o755
      })
      return { path, called: Effect.map(fs.readFileString(log), (text) => text.trimEnd().split("\n")) }
    })

  const makeChromium = "echo >chromium && /bin/chmod +x chromium"
  const update = "-qq update"
  const install = "-qq --no-install-recommends -y install chromium"

  it.effect("is installed, once", () =>
    Effect.gen(function* () {
      const { called, path } = yield* folder(makeChromium)
      assert.strictEqual(yield* find(path, true), `${path}/chromium`)
      assert.strictEqual(yield* find(path, true), `${path}/chromium`)
      assert.deepStrictEqual(yield* called, [install])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("is installed where the packages are not known yet", () =>
    Effect.gen(function* () {
      const { called, path } = yield* folder(
        `if [ "$2" = update ]; then echo >lists; elif [ -e lists ]; then ${makeChromium}; else exit 100; fi`
      )
      assert.strictEqual(yield* find(path, true), `${path}/chromium`)
      assert.deepStrictEqual(yield* called, [install, update, install])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("is asked for where it cannot be installed", () =>
    Effect.gen(function* () {
      const { called, path } = yield* folder("echo 'no network' >&2; exit 100")
      const said = (isRoot: boolean) =>
        Effect.map(Effect.exit(find(path, isRoot)), (exit) =>
          Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "found"
        )
      const asks = /install Chromium \(as by `apt-get install chromium`\), or set CHATBOT_TEST_BROWSER/
      assert.match(yield* said(true), asks)
      assert.include(yield* said(true), "no network")
      yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.writeFileString(`${path}/log`, ""))
      assert.match(yield* said(false), asks)
      assert.deepStrictEqual(yield* called, [""])
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
