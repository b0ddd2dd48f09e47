/** A real browser: Chromium, the one that is here or the one that Debian has. */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { execFile } from "node:child_process"
import { accessSync, constants } from "node:fs"
import { delimiter, join } from "node:path"
import { type Browser as Chromium, chromium } from "playwright-core"

const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "microsoft-edge"]

const canRun = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const which = (PATH: string, ...names: ReadonlyArray<string>): string | undefined =>
  names.flatMap((name) => PATH.split(delimiter).map((folder) => join(folder, name))).find(canRun)

/** How long one command may take, in milliseconds. */
const limit = 4 * 60_000

/** With what it says of proxies, and nobody to answer questions. */
const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" }

/** Runs a command to its end, and fails with what it complained about. */
const run = (PATH: string, file: string, ...args: ReadonlyArray<string>) =>
  Effect.callback<void, string>((resume, signal) => {
    execFile(file, args, { env: { ...environment, PATH }, signal, timeout: limit }, (error, _, stderr) =>
      resume(error === null ? Effect.void : Effect.fail(`${error.message}\n${stderr}`))
    )
  })

const install = (PATH: string, apt: string) => {
  const install = run(PATH, apt, "-qq", "--no-install-recommends", "-y", "install", "chromium")
  // What it knows of packages may be nothing, or too old.
  return install.pipe(Effect.catch(() => Effect.andThen(run(PATH, apt, "-qq", "update"), install)))
}

/** Where a browser is. Root of a Debian without one gets it installed; anybody else is told what to install. */
export const find = Effect.fnUntraced(function* (PATH: string, isRoot: boolean) {
  const here = which(PATH, ...names)
  if (here !== undefined) return here
  const apt = isRoot ? which(PATH, "apt-get") : undefined
  const why = apt === undefined ? "" : yield* install(PATH, apt).pipe(Effect.as(""), Effect.catch(Effect.succeed))
  const installed = which(PATH, ...names)
  if (installed !== undefined) return installed
  return yield* Effect.die(
    new Error(
      `The tests of pages need a browser, and there is none: install Chromium (as by \`apt-get install chromium\`), or set CHATBOT_TEST_BROWSER to the path of one. ${why}`.trimEnd()
    )
  )
})

const program = Effect.gen(function* () {
  const { named, path } = yield* Config.all({
    named: Config.option(Config.String("CHATBOT_TEST_BROWSER")),
    path: Config.String("PATH")
  })
  return yield* Option.match(named, { onSome: Effect.succeed, onNone: () => find(path, process.getuid?.() === 0) })
})

/** The browser of a file of tests. */
export class Browser extends Context.Service<Browser, Chromium>()("test/Browser") {
  static readonly layer = Layer.effect(
    Browser,
    Effect.gen(function* () {
      const executablePath = yield* program
      return yield* Effect.acquireRelease(
        Effect.promise(() => chromium.launch({ executablePath })),
        (browser) => Effect.promise(() => browser.close())
      )
    })
  )
}

/** A page at this URL, in a profile of its own, until the scope ends. */
export const open = (url: string) =>
  Effect.gen(function* () {
    const browser = yield* Browser
    const page = yield* Effect.acquireRelease(
      Effect.promise(() => browser.newPage()),
      (page) => Effect.promise(() => page.close())
    )
    page.setDefaultTimeout(15_000)
    yield* Effect.promise(() => page.goto(url))
    return page
  })
