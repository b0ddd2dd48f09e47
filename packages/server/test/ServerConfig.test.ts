import * as Security from "@effect-chatbot/server/SecurityConfig"
import { defaults, ServerConfig, settings } from "@effect-chatbot/server/ServerConfig"
import type { Setting } from "@effect-chatbot/server/Setting"
import { explain } from "@effect-chatbot/server/StartFailed"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as IpNetwork from "effect/net/IpNetwork"
import * as Equal from "effect/Equal"
import { readFileSync } from "node:fs"

/** The settings but those of security, whose defaults are those of what they are for. */
const withoutSecurity = (config: object) =>
  Object.fromEntries(Object.entries(config).filter(([key]) => !Object.hasOwn(Security.settings, key)))

const read = (env: Record<string, string>) =>
  Effect.provideService(ServerConfig, ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))

describe("ServerConfig", () => {
  it.effect("is the documented one when nothing is set", () =>
    Effect.map(read({}), (config) => {
      assert.deepStrictEqual(config, defaults)
      const { botsDir, failover, maxBodySize, shutdownGrace, ...rest } = config
      assert.match(botsDir, /bots$/)
      assert.strictEqual(Duration.toSeconds(shutdownGrace), 10)
      assert.strictEqual(Duration.toSeconds(failover), 15)
      assert.strictEqual(Number(maxBodySize), 2 ** 20)
      assert.deepStrictEqual(withoutSecurity(rest), {
        host: "127.0.0.1",
        port: 8080,
        dataDir: ".chatbot",
        databaseUrl: undefined,
        databaseConnections: 10,
        cluster: false,
        runnerHost: undefined,
        runnerPort: 0,
        adminToken: undefined,
        secretKey: undefined,
        secretKeyPrevious: undefined,
        promptTokens: 8000,
        allowLinkLocalProviders: false,
        requireTerms: false,
        metricsPort: undefined,
        metricsHost: "127.0.0.1",
        logLevel: "Info",
        logFormat: "logfmt",
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
    ["CHATBOT_ADMIN_TOKEN", "short"],
    ["CHATBOT_ADMIN_TOKEN", "a token with spaces in it"],
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
    ["CHATBOT_USER_TOKENS_PER_DAY", "0"],
    ["CHATBOT_CORS_ORIGINS", "https://app.example.com/"],
    ["CHATBOT_CORS_ORIGINS", "https://a.example.com, app.example.com"],
    ["CHATBOT_CORS_ORIGINS", "null"],
    ["CHATBOT_HSTS", "maybe"],
    ["CHATBOT_MAX_HEADER_SIZE", "12 B"],
    ["CHATBOT_REQUEST_TIMEOUT", "0 seconds"],
    ["CHATBOT_MAX_CONNECTIONS", "0"],
    ["CHATBOT_SHUTDOWN_GRACE", "soon"],
    ["CHATBOT_METRICS_PORT", "70000"],
    ["CHATBOT_LOG_LEVEL", "Loud"],
    ["CHATBOT_LOG_FORMAT", "xml"]
  ] as const)("says that %s=%s is wrong", ([name, value]) =>
    Effect.map(Effect.flip(read({ [name]: value })), (error) => {
      const { message } = explain(error)
      assert.include(message, name)
      assert.notInclude(message, "    at ")
    })
  )

  it.effect("reads lists, limits and durations", () =>
    Effect.gen(function* () {
      const config = yield* read({
        CHATBOT_TRUSTED_PROXIES: "10.0.0.0/8, ::1/128, 192.0.2.1,2001:db8::1",
        CHATBOT_CORS_ORIGINS: "https://app.example.com, http://localhost:3000",
        CHATBOT_RATE_LIMIT_USER: "600",
        CHATBOT_REQUEST_TIMEOUT: "90 seconds"
      })
      assert.deepStrictEqual(config.trustedProxies.map(IpNetwork.format), [
        "10.0.0.0/8",
        "::1/128",
        "192.0.2.1/32",
        "2001:db8::1/128"
      ])
      assert.deepStrictEqual(config.corsOrigins, ["https://app.example.com", "http://localhost:3000"])
      assert.strictEqual(config.rateLimitUser, 600)
      assert.strictEqual(Duration.toSeconds(config.requestTimeout), 90)
    })
  )

  it.effect("takes JSON Web Tokens of an issuer as a whole, or not at all", () =>
    Effect.gen(function* () {
      const whole = {
        CHATBOT_JWT_ISSUER: "https://id.example.com/",
        CHATBOT_JWT_AUDIENCE: "chatbot",
        CHATBOT_JWT_JWKS_URL: "https://id.example.com/keys"
      }
      const jwt = Security.jwt(yield* read(whole))
      assert.deepInclude(jwt, { issuer: "https://id.example.com/", loginClaim: "sub", loginPrefix: "jwt:" })
      for (const missing of Object.keys(whole)) {
        const error = yield* Effect.flip(read({ ...whole, [missing]: "" }))
        assert.include(explain(error).message, missing)
      }
      const { message } = explain(yield* Effect.flip(read({ CHATBOT_JWT_ISSUER: "https://id.example.com/" })))
      assert.include(message, "CHATBOT_JWT_AUDIENCE and CHATBOT_JWT_JWKS_URL are missing")
    })
  )
  const texts = (file: string) => readFileSync(new URL(file, import.meta.url), "utf8")

  /** The default as the README has it: as code where it can be written like that, and else in words. */
  const shown = ({ default: text, fallback, name, config }: Setting) =>
    Effect.provideService(
      config,
      ConfigProvider.ConfigProvider,
      ConfigProvider.fromEnv({ env: { [name]: text } })
    ).pipe(
      Effect.map((value) => (text !== "" && Equal.equals(value, fallback) ? `\`${text}\`` : text)),
      Effect.orElseSucceed(() => text)
    )

  it.effect("is in the README, a row a setting", () =>
    Effect.gen(function* () {
      const rows = [...texts("../../../README.md").matchAll(/^\| `(CHATBOT_\w+)` +\| (.*?) *\| (.*?) *\|$/gm)]
      const expected = yield* Effect.forEach(Object.values(settings), (setting) =>
        Effect.map(shown(setting), (standard) => [setting.name, standard, setting.about])
      )
      assert.deepStrictEqual(
        rows.map(([, name, standard, about]) => [name, standard, about]),
        expected,
        expected.map(([name, standard, about]) => `| \`${name}\` | ${standard} | ${about} |`).join("\n")
      )
    })
  )

  it("is known to the bot that answers about the server", () => {
    const listed = [...texts("../bots/server/knowledge/settings.md").matchAll(/^- `(CHATBOT_\w+)`/gm)]
    assert.sameMembers(
      listed.map(([, name]) => name),
      Object.values(settings).map(({ name }) => name)
    )
  })
})
