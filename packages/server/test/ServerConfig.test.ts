import { ServerConfig } from "@effect-chatbot/server/ServerConfig"
import { defaults } from "@effect-chatbot/server/SecurityConfig"
import { explain } from "@effect-chatbot/server/StartFailed"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as IpNetwork from "effect/net/IpNetwork"

const unlimited = { user: undefined, address: undefined, completions: undefined, signInFailures: undefined }

const unbounded = {
  userPerDay: undefined,
  userPerMonth: undefined,
  botPerDay: undefined,
  botPerMonth: undefined,
  answerTokens: 4096
}

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
        adminToken: undefined,
        secretKey: undefined,
        secretKeyPrevious: undefined,
        promptTokens: 8000,
        allowLinkLocalProviders: false,
        requireTerms: false,
        security: { ...defaults, rateLimits: unlimited, tokenBudgets: unbounded },
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
    ["CHATBOT_PROMPT_TOKENS", "0"],
    ["CHATBOT_PROMPT_TOKENS", "many"],
    ["CHATBOT_ALLOW_LINK_LOCAL_PROVIDERS", "some"],
    ["CHATBOT_REQUIRE_TERMS", "perhaps"],
    ["CHATBOT_MAX_BODY_SIZE", "huge"],
    ["CHATBOT_JWT_JWKS_URL", "file:///etc/passwd"],
    ["CHATBOT_JWT_ALGORITHMS", "RS256,HS256"],
    ["CHATBOT_JWT_ALGORITHMS", "none"],
    ["CHATBOT_JWT_CLOCK_TOLERANCE", "a bit"],
    ["CHATBOT_RATE_LIMIT_USER", "-1"],
    ["CHATBOT_RATE_LIMIT_ADDRESS", "some"],
    ["CHATBOT_TRUSTED_PROXIES", "10.0.0.1/8"],
    ["CHATBOT_TRUSTED_PROXIES", "proxy.example"],
    ["CHATBOT_CORS_ORIGINS", "https://app.example.com/"],
    ["CHATBOT_CORS_ORIGINS", "https://a.example.com, app.example.com"],
    ["CHATBOT_HSTS", "maybe"],
    ["CHATBOT_REQUEST_TIMEOUT", "0 seconds"],
    ["CHATBOT_MAX_CONNECTIONS", "0"],
    ["CHATBOT_LOG_LEVEL", "Loud"]
  ] as const)("says that %s=%s is wrong", ([name, value]) =>
    Effect.map(Effect.flip(read({ [name]: value })), (error) => {
      const { message } = explain(error)
      assert.include(message, name)
      assert.notInclude(message, "    at ")
    })
  )

  it.effect("reads lists, limits and durations", () =>
    Effect.gen(function* () {
      const { security } = yield* read({
        CHATBOT_TRUSTED_PROXIES: "10.0.0.0/8, ::1/128",
        CHATBOT_CORS_ORIGINS: "https://app.example.com, http://localhost:3000",
        CHATBOT_RATE_LIMIT_USER: "600",
        CHATBOT_REQUEST_TIMEOUT: "90 seconds"
      })
      assert.deepStrictEqual(security.trustedProxies.map(IpNetwork.format), ["10.0.0.0/8", "::1/128"])
      assert.deepStrictEqual(security.corsOrigins, ["https://app.example.com", "http://localhost:3000"])
      assert.strictEqual(security.rateLimits.user, 600)
      assert.strictEqual(Duration.toSeconds(security.connections.requestTimeout), 90)
    })
  )

  it.effect("takes JSON Web Tokens of an issuer as a whole, or not at all", () =>
    Effect.gen(function* () {
      const whole = {
        CHATBOT_JWT_ISSUER: "https://id.example.com/",
        CHATBOT_JWT_AUDIENCE: "chatbot",
        CHATBOT_JWT_JWKS_URL: "https://id.example.com/keys"
      }
      const { jwt } = (yield* read(whole)).security
      assert.deepInclude(jwt, { issuer: "https://id.example.com/", loginClaim: "sub", loginPrefix: "jwt:" })
      for (const missing of Object.keys(whole)) {
        const error = yield* Effect.flip(read({ ...whole, [missing]: "" }))
        assert.include(explain(error).message, missing)
      }
      const { message } = explain(yield* Effect.flip(read({ CHATBOT_JWT_ISSUER: "https://id.example.com/" })))
      assert.include(message, "CHATBOT_JWT_AUDIENCE and CHATBOT_JWT_JWKS_URL is missing")
    })
  )
})
