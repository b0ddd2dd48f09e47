/**
 * What the backend is told by its environment.
 */
import * as ByteSize from "effect/ByteSize"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as BotsFolder from "./BotsFolder.ts"

/** What the backend is told by its environment. */
export interface ServerConfig {
  /** `CHATBOT_HOST`: the address to listen on; 127.0.0.1 by default. */
  readonly host: string
  /** `CHATBOT_PORT`: the port to listen on; 8080 by default, 0 for a free one. */
  readonly port: number
  /** `CHATBOT_DATA_DIR`: the folder of the database, the secret key and the admin token; `.chatbot` by default. */
  readonly dataDir: string
  /**
   * `CHATBOT_DATABASE_URL`: the PostgreSQL database to use, such as `postgres://user:password@host:5432/name`; without it a SQLite file in
   * the data folder.
   */
  readonly databaseUrl: Redacted.Redacted | undefined
  /** `CHATBOT_DATABASE_CONNECTIONS`: the most connections to PostgreSQL that this process opens; 10 by default. */
  readonly databaseConnections: number
  /** `CHATBOT_CLUSTER`: whether other processes serve the same database, so that each can take over from the others; `false` by default. */
  readonly cluster: boolean
  /**
   * `CHATBOT_RUNNER_HOST`: the name or address by which the other processes of the cluster reach this one; by default that of
   * `CHATBOT_HOST`, or the name of the machine where it listens on all addresses.
   */
  readonly runnerHost: string | undefined
  /** `CHATBOT_RUNNER_PORT`: the port for the other processes of the cluster, and for nobody else; a free one by default. */
  readonly runnerPort: number
  /**
   * `CHATBOT_FAILOVER`: how long a process of the cluster may be silent before the others take over what it does; 15 seconds by default.
   * One that has ended, in whatever way, is noticed within two.
   */
  readonly failover: Duration.Duration
  /** `CHATBOT_SHUTDOWN_GRACE`: how long completions may go on when the backend shuts down; 10 seconds by default. */
  readonly shutdownGrace: Duration.Duration
  /** `CHATBOT_BOTS_DIR`: the folder of the bots; those that come with the backend by default. */
  readonly botsDir: string
  /** `CHATBOT_ADMIN_TOKEN`: the token of the user `admin`; without it one is made on the first start. */
  readonly adminToken: Redacted.Redacted | undefined
  /** `CHATBOT_SECRET_KEY`: 32 bytes in base64 that encrypt what is secret in the database; without it a key is made on the first start. */
  readonly secretKey: Redacted.Redacted | undefined
  /** `CHATBOT_SECRET_KEY_PREVIOUS`: the secret key before, when it was changed; what it encrypted is encrypted anew on start. */
  readonly secretKeyPrevious: Redacted.Redacted | undefined
  /** `CHATBOT_PROMPT_TOKENS`: the most tokens that the prompt of a model may have; 8000 by default. */
  readonly promptTokens: number
  /** `CHATBOT_ALLOW_LINK_LOCAL_PROVIDERS`: whether OpenAI services may be at link-local and metadata addresses; `false` by default. */
  readonly allowLinkLocalProviders: boolean
  /** `CHATBOT_REQUIRE_TERMS`: whether a user must accept the terms before the first chat; `false` by default. */
  readonly requireTerms: boolean
  /** `CHATBOT_MAX_BODY_SIZE`: the most the body of a request may have; 1 MiB by default. */
  readonly maxBodySize: ByteSize.ByteSize
  /** `CHATBOT_LOG_LEVEL`: what is logged on standard error; `Info` by default. */
  readonly logLevel: "All" | "Trace" | "Debug" | "Info" | "Warn" | "Error" | "Fatal" | "None"
  /** `CHATBOT_STOP_WITH_STDIN`: whether to stop when standard input ends, as a child process should; `false` by default. */
  readonly stopWithStdin: boolean
}

const optional = <A>(config: Config.Config<A>): Config.Config<A | undefined> => Config.withDefault(config, undefined)

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

const Port = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65535 }))

/** Shorter than this, a process that is only busy would seem lost. */
const shortestFailover = Duration.seconds(5)

const Failover = Schema.DurationFromString.check(
  Schema.makeFilter(
    (failover) => Duration.isGreaterThanOrEqualTo(failover, shortestFailover) || "Expected a duration of at least 5 seconds"
  )
)

/** Reads the {@link ServerConfig}. A value that does not fit is a `ConfigError` that names its variable. */
export const ServerConfig: Config.Config<ServerConfig> = Config.all({
  host: Config.NonEmptyString("CHATBOT_HOST").pipe(Config.withDefault("127.0.0.1")),
  port: Config.schema(Port, "CHATBOT_PORT").pipe(Config.withDefault(8080)),
  dataDir: Config.NonEmptyString("CHATBOT_DATA_DIR").pipe(Config.withDefault(".chatbot")),
  databaseUrl: optional(Config.schema(DatabaseUrl, "CHATBOT_DATABASE_URL")),
  databaseConnections: Config.schema(
    Schema.Int.check(Schema.isBetween({ minimum: 2, maximum: 1000 })),
    "CHATBOT_DATABASE_CONNECTIONS"
  ).pipe(Config.withDefault(10)),
  cluster: Config.Boolean("CHATBOT_CLUSTER").pipe(Config.withDefault(false)),
  runnerHost: optional(Config.NonEmptyString("CHATBOT_RUNNER_HOST")),
  runnerPort: Config.schema(Port, "CHATBOT_RUNNER_PORT").pipe(Config.withDefault(0)),
  failover: Config.schema(Failover, "CHATBOT_FAILOVER").pipe(Config.withDefault(Duration.seconds(15))),
  shutdownGrace: Config.Duration("CHATBOT_SHUTDOWN_GRACE").pipe(Config.withDefault(Duration.seconds(10))),
  botsDir: Config.NonEmptyString("CHATBOT_BOTS_DIR").pipe(Config.withDefault(BotsFolder.defaultFolder)),
  adminToken: optional(Config.Redacted("CHATBOT_ADMIN_TOKEN")),
  secretKey: optional(Config.Redacted("CHATBOT_SECRET_KEY")),
  secretKeyPrevious: optional(Config.Redacted("CHATBOT_SECRET_KEY_PREVIOUS")),
  promptTokens: Config.schema(Schema.Int.check(Schema.isGreaterThan(0)), "CHATBOT_PROMPT_TOKENS").pipe(
    Config.withDefault(8000)
  ),
  allowLinkLocalProviders: Config.Boolean("CHATBOT_ALLOW_LINK_LOCAL_PROVIDERS").pipe(Config.withDefault(false)),
  requireTerms: Config.Boolean("CHATBOT_REQUIRE_TERMS").pipe(Config.withDefault(false)),
  maxBodySize: Config.ByteSize("CHATBOT_MAX_BODY_SIZE").pipe(Config.withDefault(ByteSize.mebibytes(1))),
  logLevel: Config.LogLevel("CHATBOT_LOG_LEVEL").pipe(Config.withDefault("Info")),
  stopWithStdin: Config.Boolean("CHATBOT_STOP_WITH_STDIN").pipe(Config.withDefault(false))
})
