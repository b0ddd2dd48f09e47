/**
 * Why the backend could not start, for the person who starts it.
 */
import * as Config from "effect/Config"
import * as HttpServerError from "effect/http/HttpServerError"
import * as Predicate from "effect/Predicate"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"

/** The backend could not start. The message says what to do; the process ends with exit code 1. */
export class StartFailed extends Schema.TaggedError<StartFailed>()("StartFailed", {
  message: Schema.String
}) {
  override readonly [Runtime.errorExitCode] = 1
  // It is printed as a sentence, not as a log line with a stack.
  override readonly [Runtime.errorReported] = false
}

const codeOf = (cause: unknown): unknown => Predicate.hasProperty(cause, "code") ? cause.code : undefined

const listenMessages: Record<string, string> = {
  EADDRINUSE: "The port is in use. Set CHATBOT_PORT to another, or to 0 for a free one.",
  EACCES: "The port may not be used. Set CHATBOT_PORT to one above 1023.",
  EADDRNOTAVAIL: "The address is not one of this machine. Set CHATBOT_HOST to another.",
  ENOTFOUND: "The address is not known. Set CHATBOT_HOST to another."
}

/** Says in a sentence why the backend could not start. */
export const explain = (error: Error | Config.ConfigError | HttpServerError.ServeError): StartFailed => {
  if (error instanceof Config.ConfigError) {
    return new StartFailed({ message: `The configuration is not valid: ${error.message}` })
  }
  if (error instanceof HttpServerError.ServeError) {
    const message = listenMessages[String(codeOf(error.cause))]
    return new StartFailed({ message: message ?? `The server cannot listen: ${String(error.cause)}` })
  }
  return new StartFailed({ message: error.message })
}
