import { isTerminal } from "@effect-chatbot/schema/CompletionEvent"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as HttpTraceContext from "effect/http/HttpTraceContext"
import type * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { requestId as requestIdHeader } from "./headers.ts"
import * as Metrics from "./metrics.ts"
import { quote, requestIdOf } from "./story.ts"
import type { Attempt, Recorder, Trace, Traced, Usage } from "./trace.ts"

/**
 * Whether this runs in a browser, or in a worker of one, which has no document. Every browser has called itself Mozilla since there are
 * others; servers and edges have names of their own.
 */
export const isBrowser = (): boolean => globalThis.navigator?.userAgent?.startsWith("Mozilla/") === true

/** How something ended, in a word out of few. */
const outcomeOf = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return "success"
  if (Cause.hasInterruptsOnly(exit.cause)) return "interrupted"
  const error = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
  return Predicate.hasProperty(error, "_tag") && Predicate.isString(error._tag) ? error._tag : "defect"
}

const isError = (outcome: string): boolean => !["success", "interrupted", "left"].includes(outcome)

/** What an exporter is told of an end: it would tell all of an error, its message, fields and causes, so it gets the name and no more. */
const toldOf = (name: string, outcome: string): Exit.Exit<void, unknown> => {
  if (outcome === "interrupted") return Exit.interrupt()
  return isError(outcome) ? Exit.fail({ name: outcome, message: `${name}: ${outcome}` }) : Exit.void
}

const serverOf = (baseUrl: string): Metrics.Attributes => {
  const { hostname, port, protocol } = new URL(baseUrl)
  const standard = protocol === "https:" ? 443 : 80
  // The brackets of an IPv6 address are those of the URL.
  const address = hostname.replace(/^\[|\]$/g, "")
  return { "server.address": address, "server.port": port === "" ? standard : Number(port) }
}

/** `/api/chats/:chatId` is a template in the words of one framework, `/api/chats/{chatId}` in those of a document. */
const templateOf = (route: string): string => route.replace(/:(\w+)/g, "{$1}").replace("*", "{path}")

const isTraceparent = (text: string | undefined): text is string =>
  /^00-[\da-f]{32}-[\da-f]{16}-0[01]$/.test(text ?? "")

const isUsage = (value: unknown): value is Usage => Predicate.hasProperty(value, "completionId")

interface Options {
  /** Whether requests carry the header of their span. */
  readonly propagates: boolean
  readonly provider: string
}

/** A call as it is told of, and its end. */
interface Telling {
  readonly span: Tracer.Span
  readonly end: (exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void>
}

/** Begins to tell of a call. */
const begin = (call: Traced, name: string, isStream: boolean, { propagates, provider }: Options) => {
  const server = serverOf(call.backend.name)
  const endpoint = { "chatbot.endpoint": name }
  const genAi: Metrics.Attributes | undefined =
    call.kind === "completion" ? { "gen_ai.operation.name": "chat", "gen_ai.provider.name": provider } : undefined
  const attributes = { ...endpoint, ...server, ...genAi, ...(isStream ? { "gen_ai.request.stream": true } : undefined) }

  const tell = (span: Tracer.Span, fiber: Fiber.Fiber<unknown, unknown>): Telling => {
    const { context } = fiber
    const isTimed = fiber.getRef(References.TracerTimingEnabled)
    const began = call.now()
    let sent:
      | { readonly attempt: Attempt; readonly attributes: Metrics.Attributes; readonly span: Tracer.Span }
      | undefined
    let hasBegun = false
    let isOver = false

    const time = () => (isTimed ? call.clock.currentTimeNanosUnsafe() : 0n)
    const secondsSince = (start: number, end = call.now()) => (end - start) / 1000
    const add = <Input>(metric: Metric.Metric<Input, unknown>, input: Input, attributes: Metrics.Attributes) =>
      Metrics.record(metric, input, attributes, context)

    const event = (name: string, attributes?: Record<string, unknown>) => {
      if (isStream) span.event(`chatbot.${name}`, time(), attributes)
    }

    const use = ({ completionId, completionTokens, promptTokens }: Usage) => {
      span.attribute("gen_ai.response.id", completionId)
      for (const [type, tokens] of [
        ["input", promptTokens],
        ["output", completionTokens]
      ] as const) {
        // A backend that does not count says nothing, or 0.
        if (tokens <= 0) continue
        span.attribute(`gen_ai.usage.${type}_tokens`, tokens)
        add(Metrics.tokenUsage, tokens, { ...genAi, ...server, "gen_ai.token.type": type })
      }
    }

    /** The request that was sent last has ended. */
    const finish = (outcome: string, error: string | undefined) => {
      if (sent === undefined) return
      const { attempt, attributes, span } = sent
      sent = undefined
      const status = attempt.response?.status
      const errorType = status !== undefined && status >= 400 ? String(status) : error
      const said = {
        ...(status === undefined ? undefined : { "http.response.status_code": status }),
        ...(errorType === undefined ? undefined : { "error.type": errorType })
      }
      const requestId = requestIdOf(attempt)
      if (requestId !== undefined) span.attribute(`http.response.header.${requestIdHeader}`, [quote(requestId)])
      for (const [name, value] of Object.entries(said)) span.attribute(name, value)
      span.attribute("chatbot.outcome", outcome)
      span.end(time(), toldOf(span.name, errorType ?? outcome))
      add(Metrics.requestDuration, secondsSince(attempt.began, attempt.failed?.at), {
        ...attributes,
        ...server,
        ...said
      })
      add(Metrics.attempts, 1, { ...endpoint, "chatbot.outcome": outcome })
    }

    const send: Trace["send"] = (attempt, { method, route }, request) => {
      const template = templateOf(route)
      const attributes = { "http.request.method": method, "url.template": template }
      const again = attempt.number - 1
      const delay = attempt.delay / 1000
      const begun = Effect.map(
        Effect.makeSpan(`${method} ${template}`, {
          kind: "client",
          parent: span,
          attributes: {
            ...attributes,
            ...server,
            ...(again > 0 ? { "http.request.resend_count": again, "chatbot.attempt.delay": delay } : undefined)
          }
        }),
        (span) => {
          sent = { attempt, attributes, span }
          return span
        }
      )
      return Effect.flatMap(Effect.uninterruptible(begun), (span) => {
        if (again > 0) {
          add(Metrics.retries, 1, endpoint)
          event("reconnect", { "http.request.resend_count": again, "chatbot.attempt.delay": delay })
        }
        const { traceparent } = HttpTraceContext.toHeaders(span)
        // A tracer that is off, or of a test, has ids that are none of W3C.
        const headers = propagates && isTraceparent(traceparent) ? { traceparent } : {}
        return Effect.provideService(request(headers), Tracer.ParentSpan, span)
      })
    }

    call.trace = {
      send,
      failed: ({ failed }) => {
        if (failed === undefined) return
        finish(failed.outcome, failed.error._tag)
        if (failed.error._tag === "CompletionFailed") event("terminal_event", { "chatbot.event": "Failed" })
      },
      event: (arrived) => {
        if (!hasBegun) {
          hasBegun = true
          const seconds = secondsSince(began)
          event("first_event")
          span.attribute("gen_ai.response.time_to_first_chunk", seconds)
          add(Metrics.timeToFirstChunk, seconds, { ...genAi, ...server })
        }
        if (arrived._tag === "Started" || arrived._tag === "Stopped") {
          span.attribute("gen_ai.response.id", arrived.completionId)
        }
        if (arrived._tag === "Completed") use(arrived.completion)
        if (!isTerminal(arrived)) return
        isOver = true
        event("terminal_event", { "chatbot.event": arrived._tag })
      }
    }

    const end = (exit: Exit.Exit<unknown, unknown>) =>
      Effect.sync(() => {
        const ended = outcomeOf(exit)
        const outcome = isStream && !isOver && !isError(ended) ? "left" : ended
        const failure = isError(outcome) ? outcome : undefined
        // What fails ends its attempts by itself; this one was under way.
        finish(failure === undefined ? outcome : "unfinished", failure)
        if (outcome === "left") event("left")
        if (!isStream && genAi !== undefined && Exit.isSuccess(exit) && isUsage(exit.value)) use(exit.value)
        const error = failure === undefined ? undefined : { "error.type": failure }
        if (failure !== undefined) span.attribute("error.type", failure)
        span.attribute("chatbot.outcome", outcome)
        span.attribute("chatbot.attempts", call.attempts.length)
        span.end(time(), toldOf(name, outcome))
        add(Metrics.calls, 1, { ...endpoint, "chatbot.outcome": outcome })
        if (genAi !== undefined) add(Metrics.operationDuration, secondsSince(began), { ...genAi, ...server, ...error })
      })

    return { span, end }
  }

  return Effect.withFiber((fiber) =>
    Effect.map(Effect.makeSpan(name, { kind: "client", attributes }), (span) => tell(span, fiber))
  )
}

/** Tells of calls, in spans and metrics. */
export const makeRecorder = (options: Options): Recorder => ({
  call: (call, self) =>
    Effect.acquireUseRelease(
      begin(call, call.endpoint, false, options),
      ({ span }) => Effect.provideService(self, Tracer.ParentSpan, span),
      ({ end }, exit) => end(exit)
    ),
  stream: (call, self) =>
    Stream.unwrap(
      Effect.map(
        // The stream is a method of its own, of the group of the endpoint.
        Effect.acquireRelease(begin(call, call.endpoint.replace(/\.\w+$/, ".stream"), true, options), ({ end }, exit) =>
          end(exit)
        ),
        ({ span }) => Stream.provideService(self, Tracer.ParentSpan, span)
      )
    )
})
