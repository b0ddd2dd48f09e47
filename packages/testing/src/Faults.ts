/**
 * A transport that lets things go wrong, by rules and a seed: to see what a program does then.
 *
 * ```ts
 * const flaky = Faults.layer({
 *   rules: [
 *     Faults.on({ method: "POST", path: /\/completions$/ }, Faults.resetAfter, { times: 1 }),
 *     Faults.on({}, Faults.status(503, { headers: { "retry-after": "1" } }), { chance: 0.1 })
 *   ]
 * }).pipe(Layer.provide(NodeTransport.layer))
 * ```
 *
 * What goes wrong depends on the seed and on the number of the request alone. When a test fails, the seed is printed; with it in `seed`, or in
 * the variable `CHATBOT_FAULTS_SEED`, the same goes wrong again.
 */
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"

/** Something that goes wrong with a request or its answer. */
export type Fault =
  /** No connection comes about. */
  | { readonly _tag: "Refuse" }
  /** The connection breaks before the request arrives, or after the work is done and before its answer arrives. */
  | { readonly _tag: "Reset"; readonly work: "undone" | "done" }
  /** Nothing comes any more: no answer, or nothing of its body after so many bytes. The work is done. */
  | { readonly _tag: "Stall"; readonly afterBytes: number | undefined }
  /** The answer takes its time: before it comes, and before every piece of its body. */
  | { readonly _tag: "Slow"; readonly head: Duration.Duration; readonly piece: Duration.Duration }
  /** The body breaks off after so many bytes, or somewhere: its connection ends as if all were well, or is reset. */
  | { readonly _tag: "Truncate"; readonly afterBytes: number | undefined; readonly isReset: boolean }
  /** The request arrives twice, as when a proxy repeats it. Its answer is that to the second one. */
  | { readonly _tag: "Duplicate" }
  /** The request is held until another one has overtaken it, at most so long. */
  | { readonly _tag: "Reorder"; readonly within: Duration.Duration }
  /** So many bytes of the body, somewhere, are other ones. */
  | { readonly _tag: "Corrupt"; readonly bytes: number }
  /** Another answer, as from a proxy that is on the way: the work is not done, or done all the same. */
  | {
      readonly _tag: "Status"
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: string
      readonly work: "undone" | "done"
    }

/** No connection comes about: certainly nothing was done. */
export const refuse: Fault = { _tag: "Refuse" }

/** The connection breaks before the request has arrived. The caller cannot know that. */
export const resetBefore: Fault = { _tag: "Reset", work: "undone" }

/** The connection breaks when the work is done, and its answer is lost. */
export const resetAfter: Fault = { _tag: "Reset", work: "done" }

/** No answer comes, though the work is done; with `afterBytes`, nothing more of its body after so many of them. */
export const stall = (options: { readonly afterBytes?: number | undefined } = {}): Fault => ({
  _tag: "Stall",
  afterBytes: options.afterBytes
})

/** The answer takes its time: so long before it comes, and so long before every piece of its body; nothing by default. */
export const slow = (options: {
  readonly head?: Duration.Input | undefined
  readonly piece?: Duration.Input | undefined
}): Fault => ({
  _tag: "Slow",
  head: Duration.fromInputUnsafe(options.head ?? 0),
  piece: Duration.fromInputUnsafe(options.piece ?? 0)
})

/** The body breaks off after so many bytes, by default somewhere before its end, with the end of the connection or a reset of it. */
export const truncate = (
  options: { readonly afterBytes?: number | undefined; readonly isReset?: boolean | undefined } = {}
): Fault => ({ _tag: "Truncate", afterBytes: options.afterBytes, isReset: options.isReset ?? false })

/** The request arrives twice. */
export const duplicate: Fault = { _tag: "Duplicate" }

/** Another request overtakes this one, if there is one within a second or what is said instead. */
export const reorder = (options: { readonly within?: Duration.Input | undefined } = {}): Fault => ({
  _tag: "Reorder",
  within: Duration.fromInputUnsafe(options.within ?? "1 second")
})

/** Some bytes of the body, by default one, are other ones. */
export const corrupt = (options: { readonly bytes?: number | undefined } = {}): Fault => ({
  _tag: "Corrupt",
  bytes: options.bytes ?? 1
})

/** An answer of this status instead of that of the backend, which by default has not seen the request. */
export const status = (
  status: number,
  options: {
    readonly headers?: Readonly<Record<string, string>> | undefined
    readonly body?: string | undefined
    readonly work?: "undone" | "done" | undefined
  } = {}
): Fault => ({
  _tag: "Status",
  status,
  headers: options.headers ?? {},
  body: options.body ?? "",
  work: options.work ?? "undone"
})

/** Which requests. Without anything, all. */
export interface Filter {
  readonly method?: string | undefined
  /** The path, or what it matches. */
  readonly path?: string | RegExp | undefined
}

/** How often. */
export interface Frequency {
  /** With which probability; always by default. */
  readonly chance?: number | undefined
  /** How many times at most; without end by default. */
  readonly times?: number | undefined
  /** How many of the requests it could meet are spared first; none by default. */
  readonly skip?: number | undefined
}

/** What goes wrong, with which requests, and how often. */
export interface Rule extends Frequency {
  readonly fault: Fault
  readonly filter: Filter
}

/** What goes wrong with these requests. */
export const on = (filter: Filter, fault: Fault, frequency: Frequency = {}): Rule => ({ fault, filter, ...frequency })

/** The rules, of which the first that meets a request is applied to it, and the luck. */
export interface Options {
  readonly rules: ReadonlyArray<Rule>
  /** By default `CHATBOT_FAULTS_SEED`, and without that another one each time. */
  readonly seed?: string | undefined
}

/** A fault that was injected. */
export interface InjectedFault {
  /** Of the request, from 1 on. */
  readonly number: number
  readonly method: string
  readonly path: string
  readonly fault: Fault
}

/** What went wrong so far, and by which luck. */
export class Injected extends Context.Service<
  Injected,
  {
    readonly seed: string
    /** The first one first. */
    readonly faults: Effect.Effect<ReadonlyArray<InjectedFault>>
    /** How many requests there were, those included with which nothing was wrong. */
    readonly requests: Effect.Effect<number>
  }
>()("@effect-chatbot/testing/Faults/Injected") {}

/** The faults that were injected, the first one first. */
export const injected: Effect.Effect<ReadonlyArray<InjectedFault>, never, Injected> = Effect.flatMap(
  Injected,
  ({ faults }) => faults
)

const pathOf = (url: string): string => URL.parse(url)?.pathname ?? url

const fits = ({ method, path }: Filter, request: HttpClientRequest): boolean => {
  const own = pathOf(request.url)
  return (
    (method === undefined || method.toUpperCase() === request.method) &&
    (path === undefined || (typeof path === "string" ? path === own : new RegExp(path.source, path.flags).test(own)))
  )
}

/** As Node and undici say it: by a code. */
const failed = (request: HttpClientRequest, code: string, message: string) =>
  new HttpClientError.HttpClientError({
    reason: new HttpClientError.TransportError({ request, cause: coded(code, message) })
  })

const coded = (code: string, message: string): Error => Object.assign(new Error(message), { code })

const refused = (request: HttpClientRequest) => failed(request, "ECONNREFUSED", "connect ECONNREFUSED (a fault)")

const wasReset = (request: HttpClientRequest) => failed(request, "ECONNRESET", "read ECONNRESET (a fault)")

type Bytes = Stream.Stream<Uint8Array, unknown>

/** The same answer with another body. Its length is no longer known. */
const withBody = (response: HttpClientResponse, change: (body: Bytes) => Bytes): HttpClientResponse => {
  const { "content-length": _length, ...headers } = response.headers
  return HttpServerResponse.toClientResponse(
    HttpServerResponse.stream(change(response.stream), {
      status: response.status,
      headers,
      contentType: response.headers["content-type"]
    }),
    { request: response.request }
  )
}

/** As many bytes as are wanted, and then what comes instead of the rest. */
const cut = (body: Bytes, afterBytes: number, rest: Bytes): Bytes =>
  Stream.suspend(() => {
    let left = afterBytes
    return body.pipe(
      Stream.takeWhile(() => left > 0),
      Stream.map((piece) => {
        const kept = piece.subarray(0, left)
        left -= kept.length
        return kept
      }),
      Stream.concat(rest)
    )
  })

interface Luck {
  /** From 0 on, below 1. */
  readonly draw: () => number
}

/** What becomes of a request. */
const meet = (
  fault: Fault,
  request: HttpClientRequest,
  send: Effect.Effect<HttpClientResponse, HttpClientError.HttpClientError>,
  overtaken: Effect.Effect<void>,
  { draw }: Luck
): Effect.Effect<HttpClientResponse, HttpClientError.HttpClientError> => {
  /** The work is done, and nobody hears of it. */
  const done = Effect.flatMap(send, (response) => Effect.exit(Stream.runDrain(response.stream)))
  switch (fault._tag) {
    case "Refuse":
      return Effect.fail(refused(request))
    case "Reset":
      return Effect.andThen(fault.work === "done" ? done : Effect.void, Effect.fail(wasReset(request)))
    case "Stall": {
      const { afterBytes } = fault
      return afterBytes === undefined
        ? Effect.andThen(done, Effect.never)
        : Effect.map(send, (response) => withBody(response, (body) => cut(body, afterBytes, Stream.never)))
    }
    case "Slow":
      return Effect.delay(
        Effect.map(send, (response) =>
          withBody(response, (body) =>
            Stream.mapEffect(body, (piece) => Effect.delay(Effect.succeed(piece), fault.piece))
          )
        ),
        fault.head
      )
    case "Truncate": {
      const end = fault.isReset ? Stream.fail(coded("ECONNRESET", "read ECONNRESET (a fault)")) : Stream.empty
      const { afterBytes } = fault
      return Effect.flatMap(send, (response) =>
        afterBytes === undefined
          ? Effect.map(Stream.mkUint8Array(response.stream), (body) =>
              withBody(response, () => cut(Stream.succeed(body), Math.floor(draw() * body.length), end))
            )
          : Effect.succeed(withBody(response, (body) => cut(body, afterBytes, end)))
      )
    }
    case "Duplicate":
      return Effect.andThen(done, send)
    case "Reorder":
      return Effect.andThen(Effect.timeoutOption(overtaken, fault.within), send)
    case "Corrupt":
      return Effect.flatMap(send, (response) =>
        Effect.map(Stream.mkUint8Array(response.stream), (body) => {
          for (let left = Math.min(fault.bytes, body.length); left > 0; left--) {
            const at = Math.floor(draw() * body.length)
            // Never the byte that was there.
            body[at] = (body[at] ?? 0) ^ (1 + Math.floor(draw() * 255))
          }
          return withBody(response, () => Stream.succeed(body))
        })
      )
    case "Status": {
      const { body, headers, status, work } = fault
      const answer = HttpServerResponse.text(body, { status, headers })
      return Effect.as(work === "done" ? done : Effect.void, HttpServerResponse.toClientResponse(answer, { request }))
    }
  }
}

const seedConfig = Config.NonEmptyString("CHATBOT_FAULTS_SEED").pipe(Config.option)

/** A transport over the one provided, with which things go wrong. Fails where `CHATBOT_FAULTS_SEED` cannot be read. */
export const layer = (
  options: Options
): Layer.Layer<HttpClient.HttpClient | Injected, Config.ConfigError, HttpClient.HttpClient> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const client = yield* HttpClient.HttpClient
      const given = yield* seedConfig
      const fresh = yield* Effect.map(Random.next, (number) => number.toString(36).slice(2))
      const seed = options.seed ?? (given._tag === "Some" ? given.value : fresh)
      const rules = options.rules.map((rule) => ({ ...rule, met: 0, applied: 0 }))
      const injected: Array<InjectedFault> = []
      const held = new Set<Deferred.Deferred<void>>()
      let requests = 0

      const choose = (request: HttpClientRequest, { draw }: Luck) =>
        rules.find((rule) => {
          if (!fits(rule.filter, request)) return false
          // Drawn for every rule that fits, so that the luck of one does not depend on how often another was applied.
          const isDrawn = draw() < (rule.chance ?? 1)
          rule.met++
          const isApplied = isDrawn && rule.met > (rule.skip ?? 0) && rule.applied < (rule.times ?? Infinity)
          if (isApplied) rule.applied++
          return isApplied
        })?.fault

      yield* Effect.addFinalizer((exit) =>
        Exit.isFailure(exit) && injected.length > 0
          ? Console.error(
              `Faults: ${injected.length} of ${requests} requests met a fault. CHATBOT_FAULTS_SEED=${seed} repeats them.`
            ).pipe(
              // The console of a test keeps to itself what is written there, and nobody would see it.
              Effect.provideService(Console.Console, Console.Console.defaultValue())
            )
          : Effect.void
      )

      const faulty = HttpClient.make((request) =>
        Effect.gen(function* () {
          const number = ++requests
          // Of its own for every request: with several at a time, one does not take the luck of another.
          const random = yield* Random.Random.pipe(Random.withSeed(`${seed}/${number}`))
          const luck: Luck = { draw: () => random.nextDoubleUnsafe() }
          const fault = choose(request, luck)
          const release = Effect.sync(() => {
            for (const waiting of held) Deferred.doneUnsafe(waiting, Exit.void)
          })
          // A request is overtaken by one that is answered: one that is only sent may still be the later one.
          const send = Effect.ensuring(client.execute(request), release)
          if (fault === undefined) return yield* send
          injected.push({ number, method: request.method, path: pathOf(request.url), fault })
          const overtaken = Effect.acquireUseRelease(
            Effect.sync(() => {
              const waiting = Deferred.makeUnsafe<void>()
              held.add(waiting)
              return waiting
            }),
            Deferred.await,
            (waiting) => Effect.sync(() => held.delete(waiting))
          )
          return yield* meet(fault, request, send, overtaken, luck)
        })
      )

      return Context.make(HttpClient.HttpClient, faulty).pipe(
        Context.add(Injected, {
          seed,
          faults: Effect.sync(() => [...injected]),
          requests: Effect.sync(() => requests)
        })
      )
    })
  )
