/**
 * The settings about whom the backend lets in, and how much it lets them do.
 */
import type * as ByteSize from "effect/ByteSize"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { anyOrigin } from "./http/Cors.ts"
import * as NodeLimits from "./http/NodeLimits.ts"
import type { RateLimitOptions } from "./http/RateLimits.ts"
import * as Jwt from "./JwtOptions.ts"
import { defaultAuditDays } from "./Retention.ts"
import type { TokenBudgetOptions } from "./ServerOptions.ts"
import { integer, type Setting, setting } from "./Setting.ts"
import { defaultAnswerTokens } from "./TokenBudgets.ts"

/** Whom the backend lets in, and how much it lets them do. The variable, the default and the meaning of each are in {@link settings}. */
export interface SecurityConfig {
  /** `CHATBOT_JWT_ISSUER` */
  readonly jwtIssuer: string | undefined
  /** `CHATBOT_JWT_AUDIENCE` */
  readonly jwtAudience: string | undefined
  /** `CHATBOT_JWT_JWKS_URL` */
  readonly jwtJwksUrl: URL | undefined
  /** `CHATBOT_JWT_ALGORITHMS` */
  readonly jwtAlgorithms: ReadonlyArray<Jwt.Algorithm>
  /** `CHATBOT_JWT_LOGIN_CLAIM` */
  readonly jwtLoginClaim: string
  /** `CHATBOT_JWT_LOGIN_PREFIX` */
  readonly jwtLoginPrefix: string
  /** `CHATBOT_JWT_ROLE_CLAIM` */
  readonly jwtRoleClaim: string
  /** `CHATBOT_JWT_ADMIN_ROLE` */
  readonly jwtAdminRole: string
  /** `CHATBOT_JWT_CLOCK_TOLERANCE` */
  readonly jwtClockTolerance: Duration.Duration
  /** `CHATBOT_RATE_LIMIT_USER` */
  readonly rateLimitUser: number | undefined
  /** `CHATBOT_RATE_LIMIT_ADDRESS` */
  readonly rateLimitAddress: number | undefined
  /** `CHATBOT_RATE_LIMIT_COMPLETIONS` */
  readonly rateLimitCompletions: number | undefined
  /** `CHATBOT_RATE_LIMIT_SIGN_IN_FAILURES` */
  readonly rateLimitSignInFailures: number | undefined
  /** `CHATBOT_TRUSTED_PROXIES` */
  readonly trustedProxies: ReadonlyArray<IpNetwork.IpNetwork>
  /** `CHATBOT_USER_TOKENS_PER_DAY` */
  readonly userTokensPerDay: number | undefined
  /** `CHATBOT_USER_TOKENS_PER_MONTH` */
  readonly userTokensPerMonth: number | undefined
  /** `CHATBOT_BOT_TOKENS_PER_DAY` */
  readonly botTokensPerDay: number | undefined
  /** `CHATBOT_BOT_TOKENS_PER_MONTH` */
  readonly botTokensPerMonth: number | undefined
  /** `CHATBOT_ANSWER_TOKENS` */
  readonly answerTokens: number
  /** `CHATBOT_AUDIT_DAYS` */
  readonly auditDays: number
  /** `CHATBOT_CORS_ORIGINS` */
  readonly corsOrigins: ReadonlyArray<string>
  /** `CHATBOT_HSTS` */
  readonly hsts: boolean
  /** `CHATBOT_MAX_HEADER_SIZE` */
  readonly maxHeaderSize: ByteSize.ByteSize
  /** `CHATBOT_HEADERS_TIMEOUT` */
  readonly headersTimeout: Duration.Duration
  /** `CHATBOT_REQUEST_TIMEOUT` */
  readonly requestTimeout: Duration.Duration
  /** `CHATBOT_KEEP_ALIVE_TIMEOUT` */
  readonly keepAliveTimeout: Duration.Duration
  /** `CHATBOT_WRITE_TIMEOUT` */
  readonly writeTimeout: Duration.Duration
  /** `CHATBOT_MAX_CONNECTIONS` */
  readonly maxConnections: number
}

/** A network; an address without a prefix is the network of itself. */
const Network = Schema.String.pipe(
  Schema.decodeTo(
    Schema.IpNetworkFromString,
    SchemaTransformation.transform({
      decode: (text: string) =>
        Result.match(NetAddress.ipFromString(text), {
          onSuccess: (address) => `${text}/${NetAddress.width(address)}`,
          onFailure: () => text
        }),
      encode: (text: string) => text
    })
  )
)

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

const isOrigin = (text: string): boolean => text === anyOrigin || (URL.canParse(text) && new URL(text).origin === text)

const Origin = Schema.String.check(
  Schema.makeFilter(
    (text: string) =>
      isOrigin(text) || "Expected an origin such as https://app.example.com, without a path, or * for all"
  )
)

const HttpUrl = Schema.URLFromString.check(
  Schema.makeFilter((url: URL) => /^https?:$/.test(url.protocol) || "Expected a URL with http or https")
)

const Time = Schema.DurationFromString.check(
  Schema.makeFilter((duration: Duration.Duration) => {
    const millis = Duration.toMillis(duration)
    return (millis >= 1 && millis < 2 ** 31) || "Expected a duration above zero, such as 30 seconds"
  })
)

/** Node keeps the head of a request in memory, and must be able to read one at all. */
const HeaderSize = Schema.ByteSizeFromString.check(
  Schema.makeFilter(
    (size: ByteSize.ByteSize) =>
      (Number(size) >= 1024 && Number(size) <= 1024 * 1024) || "Expected a size from 1 KiB to 1 MiB"
  )
)

const time = (name: string) => Config.schema(Time, name)

const off = { default: "off" }

/** As many as the column of a budget can hold. */
const many = integer(1, 2_000_000_000)

/** The settings, in the order in which they are listed. */
export const settings: { readonly [K in keyof SecurityConfig]: Setting<SecurityConfig[K]> } = {
  jwtIssuer: setting(
    "CHATBOT_JWT_ISSUER",
    Config.NonEmptyString,
    undefined,
    "whose JSON Web Tokens are taken: what `iss` must be",
    { default: "none" }
  ),
  jwtAudience: setting("CHATBOT_JWT_AUDIENCE", Config.NonEmptyString, undefined, "what `aud` must be or contain"),
  jwtJwksUrl: setting(
    "CHATBOT_JWT_JWKS_URL",
    (name) => Config.schema(HttpUrl, name),
    undefined,
    "where the public keys of the issuer are"
  ),
  jwtAlgorithms: setting(
    "CHATBOT_JWT_ALGORITHMS",
    (name) => Config.schema(list(Schema.Literals(Jwt.algorithms)).check(Schema.isMinLength(1)), name),
    Jwt.defaults.algorithms,
    "the algorithms they may be signed by; those with a shared secret, and none at all, never",
    { default: "all with a public key" }
  ),
  jwtLoginClaim: setting(
    "CHATBOT_JWT_LOGIN_CLAIM",
    Config.NonEmptyString,
    Jwt.defaults.loginClaim,
    "the claim with the name of the user"
  ),
  jwtLoginPrefix: setting(
    "CHATBOT_JWT_LOGIN_PREFIX",
    Config.NonEmptyString,
    Jwt.defaults.loginPrefix,
    "what stands before that name in the login"
  ),
  jwtRoleClaim: setting(
    "CHATBOT_JWT_ROLE_CLAIM",
    Config.NonEmptyString,
    Jwt.defaults.roleClaim,
    "the claim with the roles; dots go into objects, as in `realm_access.roles`"
  ),
  jwtAdminRole: setting(
    "CHATBOT_JWT_ADMIN_ROLE",
    Config.NonEmptyString,
    Jwt.defaults.adminRole,
    "the role that makes an admin"
  ),
  jwtClockTolerance: setting(
    "CHATBOT_JWT_CLOCK_TOLERANCE",
    Config.Duration,
    Jwt.defaults.clockTolerance,
    "how far the clock of the issuer may be off"
  ),
  rateLimitUser: setting("CHATBOT_RATE_LIMIT_USER", many, undefined, "the most requests of one user in a minute", off),
  rateLimitAddress: setting(
    "CHATBOT_RATE_LIMIT_ADDRESS",
    many,
    undefined,
    "the most requests of one address in a minute",
    off
  ),
  rateLimitCompletions: setting(
    "CHATBOT_RATE_LIMIT_COMPLETIONS",
    many,
    undefined,
    "the most questions of one user in a minute; without a token, of one address",
    off
  ),
  rateLimitSignInFailures: setting(
    "CHATBOT_RATE_LIMIT_SIGN_IN_FAILURES",
    many,
    undefined,
    "the most tokens of one address in a minute that are not valid",
    off
  ),
  trustedProxies: setting(
    "CHATBOT_TRUSTED_PROXIES",
    (name) => Config.schema(list(Network), name),
    [],
    "the proxies whose `X-Forwarded-For` is believed, as `10.0.0.0/8,192.0.2.1`",
    { default: "none" }
  ),
  userTokensPerDay: setting(
    "CHATBOT_USER_TOKENS_PER_DAY",
    many,
    undefined,
    "the most tokens one user may use in a day",
    off
  ),
  userTokensPerMonth: setting("CHATBOT_USER_TOKENS_PER_MONTH", many, undefined, "and in a month", off),
  botTokensPerDay: setting(
    "CHATBOT_BOT_TOKENS_PER_DAY",
    many,
    undefined,
    "the most tokens one bot may use in a day, whoever asks",
    off
  ),
  botTokensPerMonth: setting("CHATBOT_BOT_TOKENS_PER_MONTH", many, undefined, "and in a month", off),
  answerTokens: setting(
    "CHATBOT_ANSWER_TOKENS",
    integer(1, 1_000_000),
    defaultAnswerTokens,
    "the most tokens of an answer that a budget reckons with"
  ),
  auditDays: setting(
    "CHATBOT_AUDIT_DAYS",
    integer(1, 36_500),
    defaultAuditDays,
    "for how many days the audit log is kept"
  ),
  corsOrigins: setting(
    "CHATBOT_CORS_ORIGINS",
    (name) => Config.schema(list(Origin), name),
    [],
    "the origins whose pages may call from a browser, with commas between; `*` is all",
    { default: "none" }
  ),
  hsts: setting("CHATBOT_HSTS", Config.Boolean, false, "whether browsers are told to come by TLS only"),
  maxHeaderSize: setting(
    "CHATBOT_MAX_HEADER_SIZE",
    (name) => Config.schema(HeaderSize, name),
    NodeLimits.defaults.maxHeaderSize,
    "the most the head of a request may have"
  ),
  headersTimeout: setting(
    "CHATBOT_HEADERS_TIMEOUT",
    time,
    NodeLimits.defaults.headersTimeout,
    "how long the head of a request may take to come"
  ),
  requestTimeout: setting(
    "CHATBOT_REQUEST_TIMEOUT",
    time,
    NodeLimits.defaults.requestTimeout,
    "how long a whole request may take to come"
  ),
  keepAliveTimeout: setting(
    "CHATBOT_KEEP_ALIVE_TIMEOUT",
    time,
    NodeLimits.defaults.keepAliveTimeout,
    "how long a connection may wait for the next request"
  ),
  writeTimeout: setting(
    "CHATBOT_WRITE_TIMEOUT",
    time,
    NodeLimits.defaults.writeTimeout,
    "how long a caller may read nothing of an answer that is there"
  ),
  maxConnections: setting(
    "CHATBOT_MAX_CONNECTIONS",
    integer(1, 1_000_000),
    NodeLimits.defaults.maxConnections,
    "the most connections at a time"
  )
}

const jwtNames = { jwtIssuer: settings.jwtIssuer, jwtAudience: settings.jwtAudience, jwtJwksUrl: settings.jwtJwksUrl }

/** Fails with a `ConfigError` when settings that go together are not all there. */
export const check = <C extends SecurityConfig>(config: C): Effect.Effect<C, Config.ConfigError> => {
  const keys = ["jwtIssuer", "jwtAudience", "jwtJwksUrl"] as const
  const missing = keys.filter((key) => config[key] === undefined)
  if (missing.length === 0 || missing.length === keys.length) return Effect.succeed(config)
  const names = (keys: ReadonlyArray<keyof typeof jwtNames>) => keys.map((key) => jwtNames[key].name)
  const message = `JSON Web Tokens need all of ${names(keys).join(", ")}: ${names(missing).join(" and ")} ${missing.length === 1 ? "is" : "are"} missing`
  return Effect.fail(new Config.ConfigError(new Schema.SchemaError(new SchemaIssue.InvalidValue({ message }))))
}

/** Whose JSON Web Tokens are taken; absent when none are. */
export const jwt = (config: SecurityConfig): Jwt.JwtOptions | undefined => {
  const { jwtAudience: audience, jwtIssuer: issuer, jwtJwksUrl: jwksUrl } = config
  return issuer === undefined || audience === undefined || jwksUrl === undefined
    ? undefined
    : {
        issuer,
        audience,
        jwksUrl,
        algorithms: config.jwtAlgorithms,
        loginClaim: config.jwtLoginClaim,
        loginPrefix: config.jwtLoginPrefix,
        roleClaim: config.jwtRoleClaim,
        adminRole: config.jwtAdminRole,
        clockTolerance: config.jwtClockTolerance
      }
}

/** How many requests one user and one address may make. */
export const rateLimits = (config: SecurityConfig): RateLimitOptions => ({
  user: config.rateLimitUser,
  address: config.rateLimitAddress,
  completions: config.rateLimitCompletions,
  signInFailures: config.rateLimitSignInFailures
})

/** How many tokens users and bots may use. */
export const tokenBudgets = (config: SecurityConfig): TokenBudgetOptions => ({
  userPerDay: config.userTokensPerDay,
  userPerMonth: config.userTokensPerMonth,
  botPerDay: config.botTokensPerDay,
  botPerMonth: config.botTokensPerMonth,
  answerTokens: config.answerTokens
})
