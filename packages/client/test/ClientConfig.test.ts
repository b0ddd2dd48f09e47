import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import { ClientConfig, type ClientOptions } from "@effect-chatbot/client/ClientConfig"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { json, scripted } from "./support/Scripted.ts"

const read = Effect.map(ClientConfig, ({ baseUrl, token }) => ({
  baseUrl,
  token: Option.getOrUndefined(Option.map(token, Redacted.value))
}))

const fromOptions = (options: ClientOptions) => Effect.provide(read, ClientConfig.layer(options))

const fromEnvironment = (variables: Record<string, string>) =>
  read.pipe(
    Effect.provide(Layer.provide(ClientConfig.layerConfig, ConfigProvider.layer(ConfigProvider.fromUnknown(variables))))
  )

const bad = [
  "chatbot.test",
  "/api",
  "ftp://chatbot.test",
  "http://user:canary@chatbot.test",
  "http://chatbot.test?key=canary",
  "http://chatbot.test#canary",
  "http://"
]

describe("ClientConfig", () => {
  it.effect.each([
    ["http://chatbot.test", "http://chatbot.test"],
    ["http://chatbot.test/", "http://chatbot.test"],
    ["HTTPS://Chatbot.Test:443/Path/", "https://chatbot.test/Path"],
    ["http://[::1]:8080//", "http://[::1]:8080"],
    [new URL("http://chatbot.test/a/b"), "http://chatbot.test/a/b"]
  ] as const)("takes %s", ([baseUrl, normal]) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* fromOptions({ baseUrl }), { baseUrl: normal, token: undefined })
    })
  )

  it.effect("takes a token, bare or redacted, and trims it", () =>
    Effect.gen(function* () {
      const baseUrl = "http://chatbot.test"
      assert.strictEqual((yield* fromOptions({ baseUrl, token: "abc" })).token, "abc")
      assert.strictEqual(
        (yield* fromOptions({ baseUrl, token: Redacted.make("abc\n", { label: "token" }) })).token,
        "abc"
      )
      assert.isUndefined((yield* fromOptions({ baseUrl, token: "" })).token)
      assert.isUndefined((yield* fromOptions({ baseUrl, token: undefined })).token)
    })
  )

  it.effect("reads the environment, and has defaults", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* fromEnvironment({}), { baseUrl: "http://127.0.0.1:8080", token: undefined })
      assert.deepStrictEqual(
        yield* fromEnvironment({ CHATBOT_BASE_URL: "https://chatbot.test/x/", CHATBOT_TOKEN: "abc" }),
        { baseUrl: "https://chatbot.test/x", token: "abc" }
      )
      assert.isUndefined((yield* fromEnvironment({ CHATBOT_TOKEN: " " })).token)
    })
  )

  it.effect.each(bad)("refuses %s and does not repeat it", (baseUrl) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(fromOptions({ baseUrl }))
      assert.strictEqual(error._tag, "ConfigError")
      assert.include(error.message, "Expected an http or https URL without credentials, query and fragment")
      assert.include(error.message, "baseUrl")
      assert.notInclude(error.message, "canary")
      const variable = yield* Effect.flip(fromEnvironment({ CHATBOT_BASE_URL: baseUrl }))
      assert.include(variable.message, "CHATBOT_BASE_URL")
      assert.notInclude(variable.message, "canary")
    })
  )

  it.effect("takes an empty variable for none, and refuses an empty option", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* fromEnvironment({ CHATBOT_BASE_URL: "" })).baseUrl, "http://127.0.0.1:8080")
      assert.strictEqual((yield* Effect.flip(fromOptions({ baseUrl: "" })))._tag, "ConfigError")
    })
  )

  it.effect.each(["can\nary", "canary\u00e4", "can ary"])("refuses the token %s and does not repeat it", (token) =>
    Effect.gen(function* () {
      for (const error of [
        yield* Effect.flip(fromOptions({ baseUrl: "http://chatbot.test", token })),
        yield* Effect.flip(fromOptions({ baseUrl: "http://chatbot.test", token: Redacted.make(token) })),
        yield* Effect.flip(fromEnvironment({ CHATBOT_TOKEN: token }))
      ]) {
        assert.strictEqual(error._tag, "ConfigError")
        assert.match(error.message, /token/i)
        assert.notInclude(error.message, "ary")
      }
    })
  )

  it.effect("is what the client calls by", () =>
    Effect.gen(function* () {
      const backend = scripted(() => json({ value: "fine" }))
      const status = yield* Effect.flatMap(ChatbotClient, ({ system }) => system.status).pipe(
        Effect.provide(
          Layer.provide(ChatbotClient.layerConfig, [
            backend.layer,
            ConfigProvider.layer(ConfigProvider.fromUnknown({ CHATBOT_TOKEN: "abc" }))
          ])
        )
      )
      assert.strictEqual(status, "fine")
      assert.strictEqual(backend.sent[0]!.url, "http://127.0.0.1:8080/api/System/status/current")
      assert.strictEqual(backend.sent[0]!.headers["authorization"], "Bearer abc")
    })
  )
})
