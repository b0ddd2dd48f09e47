/** What must never be seen again: the secrets of a call, which the faults of a backend throw back at the client wherever they can. */
import * as CallStory from "@effect-chatbot/client/CallStory"
import { Ticket } from "@effect-chatbot/schema/Ids"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { inspect } from "node:util"
import { recording, toldBy } from "../support/Watched.ts"

/** The token that calls are made with. */
export const token = "token-canary"

/** What is asked. */
export const prompt = "prompt-canary"

/** What opens a download. */
export const ticket = Ticket.make("ticket-canary")

/** All of them, as a backend that is out of its mind would repeat them. */
export const echo = `Bearer ${token} ${prompt} ?ticket=${ticket}`

/** An answer with them in its head. */
export const echoing: { readonly [name: string]: string } = { "x-echo": echo }

/** The parts of a text that must not be in it. */
const leaksIn = (where: string, text: string): ReadonlyArray<string> =>
  [token, prompt, ticket].filter((secret) => text.includes(secret)).map((secret) => `${where} shows ${secret}`)

const causesOf = (error: unknown): ReadonlyArray<Error> =>
  error instanceof Error ? [error, ...causesOf(error.cause)] : []

const json = (value: unknown): string =>
  JSON.stringify(value, (_, part) => (typeof part === "bigint" ? `${part}` : part))

/** All that can be seen of how a call ended. */
const seenOf = (exit: Exit.Exit<unknown, unknown>): ReadonlyArray<readonly [where: string, text: string]> => {
  if (Exit.isSuccess(exit)) return []
  const error = Option.getOrUndefined(Exit.findErrorOption(exit))
  const story = CallStory.of(error)
  return [
    ["the message", causesOf(error).map(String).join("\n")],
    [
      "the stack",
      causesOf(error)
        .map(({ stack }) => stack)
        .join("\n")
    ],
    ["inspect", inspect(error, { depth: 20, showHidden: false })],
    ["JSON", json(error)],
    ["the cause", Cause.pretty(exit.cause)],
    ["the story", Option.match(story, { onNone: () => "", onSome: (story) => CallStory.format(story) + json(story) })]
  ]
}

/**
 * Makes a call with its failure logged, by a client that traces and measures, inside of a span of the program, and tells what of the secrets
 * came to light.
 */
export const watched = <A, E, R>(call: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const logged: Array<string> = []
    const { spans, tracer } = recording()
    const registry: Metric.MetricRegistry = new Map()
    const logger = Logger.make((options) => {
      const { cause, message } = options
      logged.push(Logger.formatJson.log(options), Logger.formatLogFmt.log(options))
      logged.push(inspect([message, cause], { depth: 20 }))
    })
    const exit = yield* call.pipe(
      Effect.tapCause((cause) => Effect.logError("The call failed.", cause)),
      Effect.withSpan("the program"),
      Effect.exit,
      Effect.provideService(Tracer.Tracer, tracer),
      Effect.provideService(Metric.MetricRegistry, registry),
      Effect.provide(Logger.layer([logger, Logger.tracerLogger]))
    )
    const leaks = [
      ...seenOf(exit),
      ["the log", logged.join("\n")] as const,
      ["the trace", spans.map(toldBy).join("\n")] as const,
      ["a metric", inspect(registry, { depth: 20 })] as const
    ]
    return { exit, leaks: leaks.flatMap(([where, text]) => leaksIn(where, text)) }
  })
