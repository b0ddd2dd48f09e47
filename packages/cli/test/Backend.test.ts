import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { Backend, start } from "../src/Backend.ts"
import { explain } from "../src/Explain.ts"

const module = (name: string) => new URL(`fixtures/${name}.ts`, import.meta.url).href

const withEnv = (env: Record<string, string>) =>
  Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** What the fixture tells about itself in its address. */
const whereabouts = (baseUrl: string) => {
  const url = new URL(baseUrl)
  return { pid: Number(url.pathname.slice(1)), data: decodeURIComponent(url.search.slice(1)) }
}

describe("start", () => {
  it.effect("starts a backend with temporary data, and leaves nothing of it", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const scope = yield* Scope.make()
      const backend = yield* start({ module: module("listens") }).pipe(Scope.provide(scope))
      const { data, pid } = whereabouts(backend.baseUrl)
      assert.isTrue(isAlive(pid))
      assert.isTrue(yield* files.exists(data))
      assert.isTrue(backend.isTemporary)
      assert.deepStrictEqual(Option.map(backend.token, Redacted.value), Option.some("made-on-first-start"))

      yield* Scope.close(scope, Exit.void)
      assert.isFalse(isAlive(pid))
      assert.isFalse(yield* files.exists(data))
    }).pipe(withEnv({}), Effect.provide(NodeServices.layer))
  )

  it.effect("keeps the data in a folder that was given", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped()
      const backend = yield* start({ module: module("listens") }).pipe(
        Effect.scoped,
        withEnv({ CHATBOT_DATA_DIR: folder, CHATBOT_ADMIN_TOKEN: "my-very-own-token" })
      )
      assert.isFalse(backend.isTemporary)
      assert.deepStrictEqual(Option.map(backend.token, Redacted.value), Option.some("my-very-own-token"))
      // It was asked to stop, not made to.
      assert.isTrue(yield* files.exists(`${folder}/stopped`))
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("tells why a backend did not come up", () =>
    Effect.gen(function* () {
      const error = yield* start({ module: module("refuses") }).pipe(Effect.flip)
      assert.strictEqual(error._tag, "BackendFailed")
      assert.strictEqual(error.message, "The backend did not come up (exit code 1).")
      assert.propertyVal(error, "log", "chatbot: bots/guide/bot.yaml:3: the code is missing\n")
    }).pipe(withEnv({}), Effect.provide(NodeServices.layer))
  )

  it.effect("notices that a backend is gone", () =>
    Effect.gen(function* () {
      const backend = yield* start({ module: module("dies") })
      const error = yield* Effect.flip(backend.lost)
      assert.strictEqual(error.message, "The backend is gone (exit code 7).")
      assert.strictEqual(error.log, "out of memory\n")
    }).pipe(withEnv({}), Effect.provide(NodeServices.layer))
  )

  it.effect("does not wait for ever", () =>
    Effect.gen(function* () {
      const starting = yield* start({ module: module("hangs"), patience: "20 seconds" }).pipe(
        Effect.scoped,
        Effect.flip,
        Effect.forkChild({ startImmediately: true })
      )
      // The clock may be set on before the child runs; the limit counts from when it does.
      while (starting.pollUnsafe() === undefined) {
        yield* TestClock.adjust("20 seconds")
        yield* Effect.promise(() => new Promise(setImmediate))
      }
      const error = yield* Fiber.join(starting)
      assert.strictEqual(error.message, "The backend did not come up in time.")
    }).pipe(withEnv({}), Effect.provide(NodeServices.layer))
  )
})

describe("layer", () => {
  it.effect("takes the backend that is named, and starts none", () =>
    Effect.gen(function* () {
      const backend = yield* Backend
      assert.strictEqual(backend.baseUrl, "http://example.org/chatbot")
      assert.deepStrictEqual(Option.map(backend.token, Redacted.value), Option.some("secret"))
      assert.isFalse(backend.isTemporary)
    }).pipe(
      Effect.provide(Backend.layer),
      withEnv({ CHATBOT_BASE_URL: "http://example.org/chatbot", CHATBOT_TOKEN: "secret" }),
      Effect.provide(NodeServices.layer)
    )
  )

  it.effect("names a setting that is not valid", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Layer.build(Backend.layer))
      assert.strictEqual(error._tag, "ConfigError")
      assert.match(explain(error), /^A setting is not valid: Expected an http or https URL.*"CHATBOT_BASE_URL"/)
    }).pipe(withEnv({ CHATBOT_BASE_URL: "ftp://example.org" }), Effect.provide(NodeServices.layer))
  )

  it.effect("calls it without a token where none is given", () =>
    Effect.map(Backend, ({ token }) => assert.deepStrictEqual(token, Option.none())).pipe(
      Effect.provide(Backend.layer),
      withEnv({ CHATBOT_BASE_URL: "http://example.org" }),
      Effect.provide(NodeServices.layer)
    )
  )
})
