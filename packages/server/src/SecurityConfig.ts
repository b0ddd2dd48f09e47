/**
 * What the backend is told by its environment about whom it lets in, and how much it lets them do.
 */
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as IpNetwork from "effect/net/IpNetwork"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { anyOrigin } from "./http/Cors.ts"
import * as NodeLimits from "./http/NodeLimits.ts"
import type { TokenBudgetOptions } from "./ServerOptions.ts"
import type { RateLimitOptions } from "./http/RateLimits.ts"
import * as Jwt from "./JwtOptions.ts"
import { defaultAuditDays } from "./Retention.ts"
import { defaultAnswerTokens } from "./TokenBudgets.ts"

/** What the backend is told by its environment about whom it lets in, and how much it lets them do. */
export interface SecurityConfig {
  /**
   * `CHATBOT_JWT_ISSUER`, `CHATBOT_JWT_AUDIENCE`, `CHATBOT_JWT_JWKS_URL`: whose JSON Web Tokens are taken; none by default. With
   * `CHATBOT_JWT_LOGIN_CLAIM`, `CHATBOT_JWT_LOGIN_PREFIX`, `CHATBOT_JWT_ROLE_CLAIM`, `CHATBOT_JWT_ADMIN_ROLE`, `CHATBOT_JWT_ALGORITHMS`,
   * `CHATBOT_JWT_CLOCK_TOLERANCE`.
   */
  readonly jwt: Jwt.JwtOptions | undefined
  /**
   * `CHATBOT_RATE_LIMIT_USER`, `CHATBOT_RATE_LIMIT_ADDRESS`, `CHATBOT_RATE_LIMIT_COMPLETIONS`, `CHATBOT_RATE_LIMIT_SIGN_IN_FAILURES`: how
   * many there may be in a minute; 0, the default, is any number.
   */
  readonly rateLimits: RateLimitOptions
  /**
   * `CHATBOT_USER_TOKENS_PER_DAY`, `CHATBOT_USER_TOKENS_PER_MONTH`, `CHATBOT_BOT_TOKENS_PER_DAY`, `CHATBOT_BOT_TOKENS_PER_MONTH`: how many
   * tokens may be used; 0, the default, is any number. `CHATBOT_ANSWER_TOKENS`: how many an answer may have, 4096 by default; they are held
   * while it is written.
   */
  readonly tokenBudgets: TokenBudgetOptions
  /** `CHATBOT_AUDIT_DAYS`: for how many days the audit log is kept; 365 by default. */
  readonly auditDays: number
  /** `CHATBOT_TRUSTED_PROXIES`: the networks of proxies whose `X-Forwarded-For` is believed, such as `10.0.0.0/8,::1/128`; none by default. */
  readonly trustedProxies: ReadonlyArray<IpNetwork.IpNetwork>
  /** `CHATBOT_CORS_ORIGINS`: the origins whose pages may call, or `*` for all; none by default. */
  readonly corsOrigins: ReadonlyArray<string>
  /** `CHATBOT_HSTS`: whether browsers are told to come by TLS only; `false` by default. */
  readonly hsts: boolean
  /**
   * `CHATBOT_MAX_HEADER_SIZE`, `CHATBOT_HEADERS_TIMEOUT`, `CHATBOT_REQUEST_TIMEOUT`, `CHATBOT_KEEP_ALIVE_TIMEOUT`, `CHATBOT_WRITE_TIMEOUT`,
   * `CHATBOT_MAX_CONNECTIONS`: the limits of connections, see `NodeLimits`.
   */
  readonly connections: NodeLimits.NodeLimits
}

/** What is chosen where nothing is said. */
export const defaults: SecurityConfig = {
  jwt: undefined,
  rateLimits: {},
  tokenBudgets: {},
  auditDays: defaultAuditDays,
  trustedProxies: [],
  corsOrigins: [],
  hsts: false,
  connections: NodeLimits.defaults
}

/** A list with commas between. */
const list = <S extends Schema.Codec<unknown, string>>(item: S) =>
  Schema.String.pipe(
    Schema.decodeTo(
      Schema.Array(item),
      SchemaTransformation.transform<ReadonlyArray<string>, string>({
        decode: (text: string) =>
          text
            .split(",")
            .map((part) => part.trim())
            .filter((part) => part !== ""),
        encode: (parts) => parts.join(",")
      })
    )
  )

const isOrigin = (text: string): boolean =>
  text === anyOrigin || (URL.canParse(text) && new URL(text).origin === text && text !== "null")

const Origin = Schema.String.check(
  Schema.makeFilter((text: string) =>
    isOrigin(text) ? undefined : "an origin such as https://app.example.com, without a path, or * for all"
  )
)

const HttpUrl = Schema.URLFromString.check(
  Schema.makeFilter((url: URL) => (/^https?:$/.test(url.protocol) ? undefined : "a URL with http or https"))
)

const count = (name: string) =>
  Config.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2_000_000_000 })), name).pipe(
    Config.withDefault(0),
    Config.map((number) => (number === 0 ? undefined : number))
  )

const tokens = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))

const positive = Schema.DurationFromString.check(
  Schema.makeFilter((duration: Duration.Duration) =>
    Duration.toMillis(duration) >= 1 && Duration.toMillis(duration) < 2 ** 31
      ? undefined
      : "a duration above zero, such as 30 seconds"
  )
)

const time = (name: string, byDefault: Duration.Duration) =>
  Config.schema(positive, name).pipe(Config.withDefault(byDefault))

const optional = <A>(config: Config.Config<A>): Config.Config<A | undefined> => Config.withDefault(config, undefined)

const names = ["CHATBOT_JWT_ISSUER", "CHATBOT_JWT_AUDIENCE", "CHATBOT_JWT_JWKS_URL"] as const

const jwt: Config.Config<Jwt.JwtOptions | undefined> = Config.all({
  issuer: optional(Config.NonEmptyString(names[0])),
  audience: optional(Config.NonEmptyString(names[1])),
  jwksUrl: optional(Config.schema(HttpUrl, names[2])),
  loginClaim: Config.NonEmptyString("CHATBOT_JWT_LOGIN_CLAIM").pipe(Config.withDefault(Jwt.defaults.loginClaim)),
  loginPrefix: Config.NonEmptyString("CHATBOT_JWT_LOGIN_PREFIX").pipe(Config.withDefault(Jwt.defaults.loginPrefix)),
  roleClaim: Config.NonEmptyString("CHATBOT_JWT_ROLE_CLAIM").pipe(Config.withDefault(Jwt.defaults.roleClaim)),
  adminRole: Config.NonEmptyString("CHATBOT_JWT_ADMIN_ROLE").pipe(Config.withDefault(Jwt.defaults.adminRole)),
  algorithms: Config.schema(
    list(Schema.Literals(Jwt.algorithms)).check(Schema.isMinLength(1)),
    "CHATBOT_JWT_ALGORITHMS"
  ).pipe(Config.withDefault(Jwt.algorithms)),
  clockTolerance: Config.schema(Schema.DurationFromString, "CHATBOT_JWT_CLOCK_TOLERANCE").pipe(
    Config.withDefault(Jwt.defaults.clockTolerance)
  )
}).pipe(
  Config.mapEffect(({ audience, issuer, jwksUrl, ...rest }) => {
    if (issuer !== undefined && audience !== undefined && jwksUrl !== undefined) {
      return Effect.succeed({ issuer, audience, jwksUrl, ...rest })
    }
    const missing = names.filter((_, index) => [issuer, audience, jwksUrl][index] === undefined)
    if (missing.length === names.length) return Effect.undefined
    return Effect.fail(
      new Config.ConfigError(
        new Schema.SchemaError(
          new SchemaIssue.InvalidValue({
            message: `JSON Web Tokens need all of ${names.join(", ")}: ${missing.join(" and ")} is missing`
          })
        )
      )
    )
  })
)

/** Reads the {@link SecurityConfig}. */
export const SecurityConfig: Config.Config<SecurityConfig> = Config.all({
  jwt,
  rateLimits: Config.all({
    user: count("CHATBOT_RATE_LIMIT_USER"),
    address: count("CHATBOT_RATE_LIMIT_ADDRESS"),
    completions: count("CHATBOT_RATE_LIMIT_COMPLETIONS"),
    signInFailures: count("CHATBOT_RATE_LIMIT_SIGN_IN_FAILURES")
  }),
  tokenBudgets: Config.all({
    userPerDay: count("CHATBOT_USER_TOKENS_PER_DAY"),
    userPerMonth: count("CHATBOT_USER_TOKENS_PER_MONTH"),
    botPerDay: count("CHATBOT_BOT_TOKENS_PER_DAY"),
    botPerMonth: count("CHATBOT_BOT_TOKENS_PER_MONTH"),
    answerTokens: Config.schema(tokens, "CHATBOT_ANSWER_TOKENS").pipe(Config.withDefault(defaultAnswerTokens))
  }),
  auditDays: Config.schema(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 36_500 })),
    "CHATBOT_AUDIT_DAYS"
  ).pipe(Config.withDefault(defaultAuditDays)),
  trustedProxies: Config.schema(list(Schema.IpNetworkFromString), "CHATBOT_TRUSTED_PROXIES").pipe(
    Config.withDefault([])
  ),
  corsOrigins: Config.schema(list(Origin), "CHATBOT_CORS_ORIGINS").pipe(Config.withDefault([])),
  hsts: Config.Boolean("CHATBOT_HSTS").pipe(Config.withDefault(false)),
  connections: Config.all({
    maxHeaderSize: Config.ByteSize("CHATBOT_MAX_HEADER_SIZE").pipe(
      Config.withDefault(NodeLimits.defaults.maxHeaderSize)
    ),
    headersTimeout: time("CHATBOT_HEADERS_TIMEOUT", NodeLimits.defaults.headersTimeout),
    requestTimeout: time("CHATBOT_REQUEST_TIMEOUT", NodeLimits.defaults.requestTimeout),
    keepAliveTimeout: time("CHATBOT_KEEP_ALIVE_TIMEOUT", NodeLimits.defaults.keepAliveTimeout),
    writeTimeout: time("CHATBOT_WRITE_TIMEOUT", NodeLimits.defaults.writeTimeout),
    maxConnections: Config.schema(Schema.Int.check(Schema.isGreaterThan(0)), "CHATBOT_MAX_CONNECTIONS").pipe(
      Config.withDefault(NodeLimits.defaults.maxConnections)
    )
  })
})
