/**
 * The backend a program of this package talks to: one that runs somewhere, or one that is started for the program and stopped with it.
 */
import { ClientConfig } from "@effect-chatbot/client/ClientConfig"
import * as CliError from "effect/cli/CliError"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type * as PlatformError from "effect/PlatformError"
import * as ChildProcess from "effect/process/ChildProcess"
import * as ChildProcessSpawner from "effect/process/ChildProcessSpawner"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { getCompileCacheDir } from "node:module"

/** The backend that was started did not come up, or did not stay up. */
export class BackendFailed extends Schema.TaggedError<BackendFailed>()("BackendFailed", {
  /** What happened, for people. */
  message: Schema.String,
  /** The end of what the backend wrote to its standard error; empty where that was shown all along. */
  log: Schema.String
}) {
  override get [CliError.userMessage]() {
    return this.log === "" ? this.message : `${this.message} It said:\n\n${this.log.trimEnd()}`
  }
}

/** A backend to talk to. */
export class Backend extends Context.Service<
  Backend,
  {
    /** Where it is. */
    readonly baseUrl: string
    /** Who calls; absent for a caller without a token. */
    readonly token: Option.Option<Redacted.Redacted>
    /** Whether all that is in it goes when the program ends, so that nothing in it is worth keeping. */
    readonly isTemporary: boolean
    /** Fails when a backend that was started ends by itself; never ends otherwise. */
    readonly lost: Effect.Effect<never, BackendFailed>
  }
>()("@effect-chatbot/cli/Backend") {
  /** The backend at `CHATBOT_BASE_URL`, called with `CHATBOT_TOKEN`, if the first is set; else one that is started, see {@link start}. */
  static readonly layer: Layer.Layer<
    Backend,
    BackendFailed | Config.ConfigError,
    ChildProcessSpawner.ChildProcessSpawner | FileSystem.FileSystem | Path.Path
  > = Layer.effect(
    Backend,
    Effect.gen(function* () {
      const remote = yield* settings.remote
      if (Option.isNone(remote)) return yield* start({ module: import.meta.resolve(serverModule) })
      const { baseUrl, token } = Context.get(yield* Layer.build(ClientConfig.layerConfig), ClientConfig)
      return Backend.of({ baseUrl, token, isTemporary: false, lost: Effect.never })
    })
  )
}

/** Resolved when it is needed, and run, never imported: the server is another program. */
const serverModule = "@effect-chatbot/server/main"

const settings = {
  remote: Config.option(Config.String("CHATBOT_BASE_URL")),
  dataDirectory: Config.option(Config.String("CHATBOT_DATA_DIR")),
  adminToken: Config.option(Config.Redacted("CHATBOT_ADMIN_TOKEN")),
  logLevel: Config.option(Config.String("CHATBOT_LOG_LEVEL"))
}

/** What the server says on its standard output once it answers. */
const ready = /^Listening on (https?:\/\/\S+)$/

/** How much of the log is kept, in characters. */
const logLimit = 16_384

const failedTo = (what: string) => (error: PlatformError.PlatformError) =>
  Effect.fail(new BackendFailed({ message: `${what}: ${error.message}`, log: "" }))

/**
 * Starts a backend as a child process on a free port of this machine. It stops when the scope closes: it is asked to (SIGTERM), waited
 * for, and after 5 seconds made to. When this process dies without a word, the child sees the end of its standard input and stops.
 *
 * Its data are in `CHATBOT_DATA_DIR` and stay there, or in a temporary folder that is removed. Its log is shown when it fails, or all
 * along if `CHATBOT_LOG_LEVEL` is set. `module` is the URL of its main module. Fails when it does not answer within `patience`, a minute
 * by default.
 */
export const start = Effect.fnUntraced(function* (options: {
  readonly module: string
  readonly patience?: Duration.Input | undefined
}) {
  const path = yield* Path.Path
  const files = yield* FileSystem.FileSystem
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const given = yield* settings.dataDirectory
  const adminToken = yield* settings.adminToken
  const logLevel = yield* settings.logLevel

  const data = Option.isSome(given)
    ? path.resolve(given.value)
    : yield* files
        .makeTempDirectoryScoped({ prefix: "effect-chatbot-" })
        .pipe(Effect.catch(failedTo("There is no room for temporary data")))
  const main = yield* path
    .fromFileUrl(new URL(options.module))
    .pipe(Effect.mapError((error) => new BackendFailed({ message: error.message, log: "" })))
  const child = yield* spawner
    .spawn(
      ChildProcess.make(process.execPath, [main], {
        env: {
          CHATBOT_HOST: "127.0.0.1",
          CHATBOT_PORT: "0",
          CHATBOT_DATA_DIR: data,
          CHATBOT_LOG_LEVEL: Option.getOrElse(logLevel, () => "Warn"),
          CHATBOT_STOP_WITH_STDIN: "true",
          NODE_COMPILE_CACHE: getCompileCacheDir()
        },
        extendEnv: true,
        // Never written to; it ends when this process does.
        stdin: "pipe",
        stderr: Option.isSome(logLevel) ? "inherit" : "pipe",
        killSignal: "SIGTERM",
        forceKillAfter: "5 seconds"
      })
    )
    .pipe(Effect.catch(failedTo("The backend could not be started")))

  let log = ""
  const reading = yield* child.stderr.pipe(
    Stream.decodeText,
    Stream.runForEach((text) =>
      Effect.sync(() => {
        log = (log + text).slice(-logLimit)
      })
    ),
    Effect.ignore,
    Effect.forkScoped
  )
  const address = yield* Deferred.make<string>()
  yield* child.stdout.pipe(
    Stream.decodeText,
    Stream.splitLines,
    Stream.runForEach((line) => {
      const url = ready.exec(line)?.[1]
      return url === undefined ? Effect.void : Deferred.succeed(address, url)
    }),
    Effect.ignore,
    Effect.forkScoped
  )
  const lost = (message: string) =>
    child.exitCode.pipe(
      Effect.map((code) => `exit code ${code}`),
      Effect.catch((error) => Effect.succeed(error.message)),
      // What it wrote last may still be on its way; a process it left behind may hold the pipe for ever.
      Effect.tap(Effect.ignore(Effect.timeout(Fiber.await(reading), "1 second"))),
      Effect.flatMap((how) => Effect.fail(new BackendFailed({ message: `${message} (${how}).`, log })))
    )

  const { patience = "1 minute" } = options
  const baseUrl = yield* Deferred.await(address).pipe(
    Effect.raceFirst(lost("The backend did not come up")),
    Effect.timeoutOrElse({
      duration: patience,
      orElse: () => Effect.fail(new BackendFailed({ message: "The backend did not come up in time.", log }))
    })
  )
  const token = Option.isSome(adminToken)
    ? adminToken.value
    : Redacted.make(
        (yield* files
          .readFileString(path.join(data, "admin-token"))
          .pipe(
            Effect.catch(failedTo("The admin token of the backend cannot be read (CHATBOT_ADMIN_TOKEN sets it)"))
          )).trim()
      )
  return Backend.of({
    baseUrl,
    token: Option.some(token),
    isTemporary: Option.isNone(given),
    lost: lost("The backend is gone")
  })
})
