/**
 * Why the backend could not start, for the person who starts it.
 */
import * as Config from "effect/Config"
import * as HttpServerError from "effect/http/HttpServerError"
import * as Predicate from "effect/Predicate"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"

/** The backend, or a command on its data, could not do what it was started for. The message says why; the process ends with exit code 1. */
export class StartFailed extends Schema.TaggedError<StartFailed>()("StartFailed", {
  message: Schema.String
}) {
  override readonly [Runtime.errorExitCode] = 1
  // It is printed as a sentence, not as a log line with a stack.
  override readonly [Runtime.errorReported] = false
}

const remedies: Record<string, string> = {
  EADDRINUSE: "it is in use. Set *_PORT to another port, or to 0 for a free one.",
  EACCES: "that is not allowed. Set *_PORT to a port above 1023.",
  EADDRNOTAVAIL: "it is not an address of this machine. Set *_HOST to another.",
  ENOTFOUND: "the name is not known. Set *_HOST to another."
}

/** What Node says when a server cannot listen. */
const ListenError = Schema.Struct({
  code: Schema.String,
  address: Schema.optional(Schema.String),
  hostname: Schema.optional(Schema.String),
  port: Schema.optional(Schema.Int)
})

/** Says why a server cannot listen, whose settings have this prefix. */
const explainListen = (cause: unknown, prefix: string): string => {
  if (!Schema.is(ListenError)(cause)) return `The server cannot listen: ${String(cause)}`
  const where = [cause.address ?? cause.hostname, cause.port].filter(Predicate.isNotUndefined).join(":")
  return `The server cannot listen on ${where}: ${remedies[cause.code]?.replace("*", prefix) ?? cause.code}`
}

/** Why the server of the settings with this prefix could not listen. */
export const notListening =
  (prefix: string) =>
  (error: HttpServerError.ServeError): StartFailed =>
    new StartFailed({ message: explainListen(error.cause, prefix) })

/** Says in a sentence why the backend could not start. */
export const explain = (error: Error | Config.ConfigError | HttpServerError.ServeError): StartFailed => {
  if (error instanceof Config.ConfigError) {
    return new StartFailed({ message: `The configuration is not valid: ${error.cause.message}` })
  }
  if (error instanceof HttpServerError.ServeError) return notListening("CHATBOT")(error)
  return new StartFailed({ message: error.message })
}
