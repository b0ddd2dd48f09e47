/**
 * What the backend is told by its environment: one table of settings, which is read on start, listed by `pnpm serve --check`, and held
 * against the README by a test.
 */
import * as ByteSize from "effect/ByteSize"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import * as BotsFolder from "./BotsFolder.ts"
import * as Security from "./SecurityConfig.ts"
import { integer, type Setting, setting } from "./Setting.ts"

/** What the backend is told by its environment. The variable, the default and the meaning of each are in {@link settings}. */
export interface ServerConfig extends Security.SecurityConfig {
  /** `CHATBOT_HOST` */
  readonly host: string
  /** `CHATBOT_PORT` */
  readonly port: number
  /** `CHATBOT_DATA_DIR` */
  readonly dataDir: string
  /** `CHATBOT_DATABASE_URL` */
  readonly databaseUrl: Redacted.Redacted | undefined
  /** `CHATBOT_DATABASE_CONNECTIONS` */
  readonly databaseConnections: number
  /** `CHATBOT_CLUSTER` */
  readonly cluster: boolean
  /** `CHATBOT_RUNNER_HOST` */
  readonly runnerHost: string | undefined
  /** `CHATBOT_RUNNER_PORT` */
  readonly runnerPort: number
  /** `CHATBOT_FAILOVER` */
  readonly failover: Duration.Duration
  /** `CHATBOT_BOTS_DIR` */
  readonly botsDir: string
  /** `CHATBOT_ADMIN_TOKEN` */
  readonly adminToken: Redacted.Redacted | undefined
  /** `CHATBOT_SECRET_KEY` */
  readonly secretKey: Redacted.Redacted | undefined
  /** `CHATBOT_SECRET_KEY_PREVIOUS` */
  readonly secretKeyPrevious: Redacted.Redacted | undefined
  /** `CHATBOT_PROMPT_TOKENS` */
  readonly promptTokens: number
  /** `CHATBOT_ALLOW_LINK_LOCAL_PROVIDERS` */
  readonly allowLinkLocalProviders: boolean
  /** `CHATBOT_REQUIRE_TERMS` */
  readonly requireTerms: boolean
  /** `CHATBOT_MAX_BODY_SIZE` */
  readonly maxBodySize: ByteSize.ByteSize
  /** `CHATBOT_SHUTDOWN_GRACE` */
  readonly shutdownGrace: Duration.Duration
  /** `CHATBOT_METRICS_PORT` */
  readonly metricsPort: number | undefined
  /** `CHATBOT_METRICS_HOST` */
  readonly metricsHost: string
  /** `CHATBOT_LOG_LEVEL` */
  readonly logLevel: "All" | "Trace" | "Debug" | "Info" | "Warn" | "Error" | "Fatal" | "None"
  /** `CHATBOT_LOG_FORMAT` */
  readonly logFormat: "logfmt" | "json"
  /** `CHATBOT_STOP_WITH_STDIN` */
  readonly stopWithStdin: boolean
}

const isPostgres = (url: string) => /^postgres(?:ql)?:\/\//i.test(url) && URL.canParse(url)

/** It holds a password, so what is said of a wrong one does not repeat it. */
const DatabaseUrl = Schema.Redacted(
  Schema.String.check(
    Schema.makeFilter(
      (url) =>
        isPostgres(url) ||
        "Expected a URL such as postgres://user:password@host:5432/name, with special characters of the password percent-encoded"
    )
  )
)

const databaseUrl = (name: string) => Config.schema(DatabaseUrl, name)

/** Shorter than this, a process that is only busy would seem lost. */
const shortestFailover = Duration.seconds(5)

const Failover = Schema.DurationFromString.check(
  Schema.makeFilter(
    (failover) =>
      Duration.isGreaterThanOrEqualTo(failover, shortestFailover) || "Expected a duration of at least 5 seconds"
  )
)

const failover = (name: string) => Config.schema(Failover, name)

/** Whoever guesses it is an admin, and what cannot stand in a header is of no use. None at all is as if it were not set. */
const Token = Schema.Redacted(
  Schema.String.check(
    Schema.makeFilter(
      (text) => /^([\x21-\x7e]{16,4096})?$/.test(text) || "Expected at least 16 characters of ASCII without spaces"
    )
  )
)

const token = (name: string) => Config.schema(Token, name)

/** The settings, in the order in which they are listed. */
export const settings: { readonly [K in keyof ServerConfig]: Setting<ServerConfig[K]> } = {
  host: setting("CHATBOT_HOST", Config.NonEmptyString, "127.0.0.1", "the address to listen on"),
  port: setting("CHATBOT_PORT", integer(0, 65535), 8080, "the port to listen on; 0 takes a free one"),
  dataDir: setting(
    "CHATBOT_DATA_DIR",
    Config.NonEmptyString,
    ".chatbot",
    "the folder of the database, the secret key and the admin token"
  ),
  databaseUrl: setting(
    "CHATBOT_DATABASE_URL",
    databaseUrl,
    undefined,
    "the PostgreSQL database, as `postgres://user:password@host:5432/name`",
    { default: "SQLite in the data folder", isSecret: true }
  ),
  databaseConnections: setting(
    "CHATBOT_DATABASE_CONNECTIONS",
    integer(2, 1000),
    10,
    "the most connections to PostgreSQL that this process opens"
  ),
  cluster: setting(
    "CHATBOT_CLUSTER",
    Config.Boolean,
    false,
    "whether other processes serve the same PostgreSQL, each ready to take over from the others"
  ),
  runnerHost: setting(
    "CHATBOT_RUNNER_HOST",
    Config.NonEmptyString,
    undefined,
    "the name or address by which the other processes reach this one",
    { default: "`CHATBOT_HOST`, or the name of the machine" }
  ),
  runnerPort: setting(
    "CHATBOT_RUNNER_PORT",
    integer(0, 65535),
    0,
    "the port for the other processes, and for nobody else; 0 takes a free one"
  ),
  failover: setting(
    "CHATBOT_FAILOVER",
    failover,
    Duration.seconds(15),
    "how long a process may be silent before the others take over; one that has ended they miss at once"
  ),
  botsDir: setting(
    "CHATBOT_BOTS_DIR",
    Config.NonEmptyString,
    BotsFolder.defaultFolder,
    "the folder of the bots: `*/bot.yaml`, `*/knowledge/**`, `*/image.*`",
    { default: "the bots of the package" }
  ),
  adminToken: setting("CHATBOT_ADMIN_TOKEN", token, undefined, "the token of the user `admin`", {
    default: "made on the first start",
    isSecret: true
  }),
  secretKey: setting(
    "CHATBOT_SECRET_KEY",
    Config.Redacted,
    undefined,
    "32 bytes in Base64 that encrypt the keys of OpenAI services",
    { default: "made on the first start" }
  ),
  secretKeyPrevious: setting(
    "CHATBOT_SECRET_KEY_PREVIOUS",
    Config.Redacted,
    undefined,
    "the secret key before, while it is changed"
  ),
  promptTokens: setting(
    "CHATBOT_PROMPT_TOKENS",
    integer(1, Number.MAX_SAFE_INTEGER),
    8000,
    "the most tokens that the prompt of a model may have"
  ),
  allowLinkLocalProviders: setting(
    "CHATBOT_ALLOW_LINK_LOCAL_PROVIDERS",
    Config.Boolean,
    false,
    "whether OpenAI services may be at link-local and metadata addresses"
  ),
  requireTerms: setting(
    "CHATBOT_REQUIRE_TERMS",
    Config.Boolean,
    false,
    "whether a user must accept the terms before the first chat"
  ),
  maxBodySize: setting(
    "CHATBOT_MAX_BODY_SIZE",
    Config.ByteSize,
    ByteSize.mebibytes(1),
    "the most the body of a request may have"
  ),
  shutdownGrace: setting(
    "CHATBOT_SHUTDOWN_GRACE",
    Config.Duration,
    Duration.seconds(10),
    "how long running answers may go on when it is told to stop"
  ),
  metricsPort: setting(
    "CHATBOT_METRICS_PORT",
    integer(0, 65535),
    undefined,
    "the port of `/metrics`, for Prometheus; without it there are none",
    { default: "off" }
  ),
  metricsHost: setting("CHATBOT_METRICS_HOST", Config.NonEmptyString, "127.0.0.1", "the address of `/metrics`"),
  logLevel: setting("CHATBOT_LOG_LEVEL", Config.LogLevel, "Info", "what is logged on standard error"),
  logFormat: setting(
    "CHATBOT_LOG_FORMAT",
    (name) => Config.Literals(["logfmt", "json"], name),
    "logfmt",
    "how it is logged: `logfmt` or `json`"
  ),
  stopWithStdin: setting(
    "CHATBOT_STOP_WITH_STDIN",
    Config.Boolean,
    false,
    "whether to stop when standard input ends, as a child process should"
  ),
  ...Security.settings
}

interface ToFallback extends Struct.Lambda {
  <A>(setting: Setting<A>): A
  readonly "~lambda.out": this["~lambda.in"] extends Setting<infer A> ? A : never
}

interface ToConfig extends Struct.Lambda {
  <A>(setting: Setting<A>): Config.Config<A>
  readonly "~lambda.out": this["~lambda.in"] extends Setting<infer A> ? Config.Config<A> : never
}

/** The {@link ServerConfig} of an environment that sets nothing. */
export const defaults: ServerConfig = Struct.map(
  settings,
  Struct.lambda<ToFallback>(({ fallback }) => fallback)
)

/** Reads the {@link ServerConfig}. A value that does not fit is a `ConfigError` that names its variable. */
export const ServerConfig: Config.Config<ServerConfig> = Config.all(
  Struct.map(
    settings,
    Struct.lambda<ToConfig>(({ config }) => config)
  )
).pipe(Config.mapEffect(Security.check))
