import { ServerConfig } from "@effect-chatbot/server/ServerConfig"
import { explain } from "@effect-chatbot/server/StartFailed"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

const read = (env: Record<string, string>) =>
  Effect.provideService(ServerConfig, ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))

describe("ServerConfig", () => {
  it.effect("is the documented one when nothing is set", () =>
    Effect.map(read({}), ({ botsDir, maxBodySize, ...config }) => {
      assert.match(botsDir, /bots$/)
      assert.strictEqual(Number(maxBodySize), 2 ** 20)
      assert.deepStrictEqual(config, {
        host: "127.0.0.1",
        port: 8080,
        dataDir: ".chatbot",
        databaseUrl: undefined,
        databaseConnections: 10,
        cluster: false,
        runnerHost: undefined,
        runnerPort: 0,
        failover: Duration.seconds(15),
        shutdownGrace: Duration.seconds(10),
        adminToken: undefined,
        secretKey: undefined,
        secretKeyPrevious: undefined,
        promptTokens: 8000,
        allowLinkLocalProviders: false,
        requireTerms: false,
        logLevel: "Info",
        stopWithStdin: false
      })
    })
  )

  it.effect.each([
    ["CHATBOT_PORT", "eighty"],
    ["CHATBOT_PORT", "70000"],
    ["CHATBOT_PORT", "-1"],
    ["CHATBOT_PORT", "80.5"],
    ["CHATBOT_CLUSTER", "several"],
    ["CHATBOT_RUNNER_PORT", "70000"],
    ["CHATBOT_FAILOVER", "soon"],
    ["CHATBOT_FAILOVER", "1 second"],
    ["CHATBOT_PROMPT_TOKENS", "0"],
    ["CHATBOT_PROMPT_TOKENS", "many"],
    ["CHATBOT_ALLOW_LINK_LOCAL_PROVIDERS", "some"],
    ["CHATBOT_REQUIRE_TERMS", "perhaps"],
    ["CHATBOT_MAX_BODY_SIZE", "huge"],
    ["CHATBOT_LOG_LEVEL", "Loud"]
  ] as const)("says that %s=%s is wrong", ([name, value]) =>
    Effect.map(Effect.flip(read({ [name]: value })), (error) => {
      const { message } = explain(error)
      assert.include(message, name)
      assert.notInclude(message, "    at ")
    })
  )
})
