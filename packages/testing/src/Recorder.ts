/**
 * Records what a program and a backend say to each other, and plays it again without the backend: bodies piece by piece, with the time
 * between them and the way in which they ended.
 *
 * ```ts
 * const transport = Recorder.layer({ file: "test/recordings/paging.json" }).pipe(Layer.provide(NodeTransport.layer))
 * ```
 *
 * It plays the file, and records it anew with `CHATBOT_RECORD=true`. Tokens, keys and tickets never get into it, nor what users and operators
 * write for models: names stand in their place. Whoever plays the recording and asks the same gets answers with the texts in them again. A
 * file with anything in it that looks like a secret is not written.
 */
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { differences } from "./internal/differences.ts"
import { makeRedaction, type Redaction } from "./internal/redact.ts"
import { type Exchange, type Piece, type RecordedAnswer, type RecordedRequest, Recording } from "./Recording.ts"

/** Where the recording is, and how it is made and played. */
export interface Options {
  readonly file: string
  /** Whether to record or to play; by default what `CHATBOT_RECORD` says, and to play without it. */
  readonly mode?: "record" | "replay" | undefined
  /**
   * Which recorded exchange answers a request: `strict`, the next one, which must be the same; `lenient`, the first one not used yet that
   * is the same, and when all of them are used the last one once more. `strict` by default.
   */
  readonly match?: "strict" | "lenient" | undefined
  /** Texts that must not get into the file, beside those that the contract says are secret. */
  readonly secrets?: ReadonlyArray<string> | undefined
}

/** There is no recording that can be played. The message says what to do. */
export class RecordingInvalid extends Schema.TaggedError<RecordingInvalid>()("RecordingInvalid", {
  file: Schema.String,
  message: Schema.String
}) {}

/** The headers of requests that answers depend on. Others change with every run, or are secret. */
const requestHeaders = ["accept", "content-type", "last-event-id"]

/** The headers of answers that say something of one connection, or are secret. */
const leftOut = new Set(["connection", "content-length", "date", "keep-alive", "set-cookie", "transfer-encoding"])

const parseJson = (text: string): Result.Result<Schema.Json, string> => {
  try {
    return Result.succeed(JSON.parse(text))
  } catch {
    return Result.fail(text)
  }
}

const bodyText = ({ body }: HttpClientRequest): string | undefined =>
  body._tag === "Uint8Array" ? new TextDecoder().decode(body.body) : undefined

const isTicket = (path: string): boolean => /\/tickets$/i.test(path)

/** A request as it stands in a recording. What is secret in it is known to the redaction from then on. */
const describe = (request: HttpClientRequest, redaction: Redaction): RecordedRequest => {
  const authorization = request.headers["authorization"]
  if (authorization !== undefined) redaction.hide("token", authorization.replace(/^Bearer\s+/i, ""))
  const url = URL.parse(request.url)
  const query = [...(url?.searchParams ?? []), ...request.urlParams.params].map(([name, value]) => {
    const text = Redacted.isRedacted(value) ? Redacted.value(value) : value
    return [name, name === "ticket" ? redaction.hide("ticket", text) : redaction.textWithout(text)] as const
  })
  const text = bodyText(request)
  return {
    method: request.method,
    path: redaction.textWithout(url?.pathname ?? request.url),
    query: Object.fromEntries(query),
    headers: Object.fromEntries(
      requestHeaders.flatMap((name) => {
        const value = request.headers[name]
        return value === undefined ? [] : [[name, value]]
      })
    ),
    ...(text === undefined ? undefined : { body: redaction.request(Result.merge(parseJson(text))) })
  }
}

const codeOf = (error: unknown): string => {
  for (let inner: unknown = error; Predicate.isObject(inner);) {
    if (Predicate.hasProperty(inner, "code") && typeof inner.code === "string") return inner.code
    inner = Predicate.hasProperty(inner, "cause") ? inner.cause : undefined
  }
  return "UNKNOWN"
}

const utf8 = new TextDecoder("utf-8", { fatal: true })

const pieceOf = (bytes: Uint8Array, after: number, redaction: Redaction): Piece => {
  try {
    return { after, text: redaction.textWithout(utf8.decode(bytes)) }
  } catch {
    return { after, base64: Base64.encode(bytes) }
  }
}

/** An exchange without the secrets that stand in the pieces of its answer part by part. */
const inParts = (exchange: Exchange, redaction: Redaction): Exchange => {
  const { answer } = exchange
  if (answer?.pieces === undefined) return exchange
  const texts = redaction.piecesWithout(answer.pieces.map(({ text = "" }) => text))
  const pieces = answer.pieces.map((piece, index) =>
    piece.text === undefined ? piece : { ...piece, text: texts[index] ?? "" }
  )
  return { ...exchange, answer: { ...answer, pieces } }
}

/** The milliseconds since it was last asked. */
const stopwatch = Effect.map(Clock.currentTimeMillis, (start) => {
  let last = start
  return Effect.map(Clock.currentTimeMillis, (now) => {
    const passed = now - last
    last = now
    return passed
  })
})

type Writable<A> = { -readonly [K in keyof A]: A[K] }

const recording = Effect.fnUntraced(function* ({ file, secrets }: Options, client: HttpClient.HttpClient) {
  const fs = yield* FileSystem.FileSystem
  const redaction = makeRedaction(secrets)
  const exchanges: Array<Writable<Exchange>> = []

  const write = Effect.gen(function* () {
    // What was found to be secret later may stand in what was recorded before.
    const json = yield* Schema.encodeEffect(Schema.toCodecJson(Recording))({
      version: 1,
      exchanges: exchanges.map((exchange) => inParts(exchange, redaction))
    })
    const clean = redaction.without(json)
    const text = `${JSON.stringify(clean, undefined, 2)}\n`
    const leaks = redaction.leaks(text)
    if (leaks.length > 0) {
      const message = `The recording ${file} was not written: there is ${leaks.join(" and ")} in it. Name it in \`secrets\`, or leave it out of what is recorded.`
      return yield* Effect.die(new RecordingInvalid({ file, message }))
    }
    const folder = file.replace(/[^/\\]*$/, "")
    if (folder !== "") yield* fs.makeDirectory(folder, { recursive: true })
    yield* fs.writeFileString(`${file}.new`, text)
    yield* fs.rename(`${file}.new`, file)
  })
  yield* Effect.addFinalizer(() => Effect.orDie(write))

  const answered = (response: HttpClientResponse, after: number, request: RecordedRequest) => {
    const answer: Writable<RecordedAnswer> = {
      after,
      status: response.status,
      headers: Object.fromEntries(Object.entries(response.headers).filter(([name]) => !leftOut.has(name)))
    }
    const keep = (pieces: ReadonlyArray<Piece>, ending: NonNullable<RecordedAnswer["ending"]>) => {
      const texts = pieces.map(({ text }) => text)
      const json =
        ending.how === "whole" && /\bjson\b/.test(response.headers["content-type"] ?? "") && !texts.includes(undefined)
          ? parseJson(texts.join(""))
          : Result.fail("")
      if (Result.isSuccess(json)) {
        answer.json = redaction.without(json.success)
        delete answer.pieces
        delete answer.ending
      } else Object.assign(answer, { pieces, ending })
    }
    keep([], { after: 0, how: "left" })
    const body = Stream.unwrap(
      Effect.map(stopwatch, (passed) => {
        const pieces: Array<Piece> = []
        return response.stream.pipe(
          Stream.catchIf(
            (error) => error.reason._tag === "EmptyBodyError",
            () => Stream.empty
          ),
          Stream.tap((bytes) =>
            Effect.map(passed, (after) => {
              if (isTicket(request.path)) redaction.hide("ticket", String(Result.merge(parseJson(utf8.decode(bytes)))))
              pieces.push(pieceOf(bytes, after, redaction))
              keep(pieces, { after: 0, how: "left" })
            })
          ),
          Stream.onExit((exit) =>
            Effect.map(passed, (after) => {
              const failure = Exit.findError(exit)
              keep(
                pieces,
                Result.isSuccess(failure)
                  ? { after, how: "broken", code: codeOf(failure.success) }
                  : { after, how: Exit.isSuccess(exit) ? "whole" : "left" }
              )
            })
          )
        )
      })
    )
    const { "content-length": _length, ...headers } = response.headers
    const passedOn = HttpServerResponse.toClientResponse(
      HttpServerResponse.stream(body, {
        status: response.status,
        headers,
        contentType: response.headers["content-type"]
      }),
      { request: response.request }
    )
    return { answer, passedOn }
  }

  return HttpClient.make((request) =>
    Effect.gen(function* () {
      const passed = yield* stopwatch
      const exchange: Writable<Exchange> = { request: describe(request, redaction) }
      exchanges.push(exchange)
      const response = yield* Effect.tapError(client.execute(request), (error) =>
        Effect.map(passed, (after) => {
          exchange.failure = { after, code: codeOf(error) }
        })
      )
      const { answer, passedOn } = answered(response, yield* passed, exchange.request)
      exchange.answer = answer
      return passedOn
    })
  )
})

const failed = (request: HttpClientRequest, code: string) =>
  new HttpClientError.HttpClientError({
    reason: new HttpClientError.TransportError({ request, cause: broken(code) })
  })

const broken = (code: string): Error => Object.assign(new Error(`${code} (recorded)`), { code })

const later = <A>(after: number, value: A): Effect.Effect<A> =>
  after <= 0 ? Effect.succeed(value) : Effect.delay(Effect.succeed(value), after)

const bodyOf = (
  { ending, json, pieces = [] }: RecordedAnswer,
  redaction: Redaction
): Stream.Stream<Uint8Array, Error> => {
  const bytes = (text: string) => new TextEncoder().encode(redaction.withSecrets(text))
  if (json !== undefined) return Stream.succeed(bytes(JSON.stringify(json)))
  const come = Stream.fromIterable(pieces).pipe(
    Stream.rechunk(1),
    Stream.mapEffect(({ after, base64, text = "" }) =>
      later(after, base64 === undefined ? bytes(text) : Result.getOrThrow(Base64.decode(base64)))
    )
  )
  const { after, code = "UNKNOWN", how } = ending ?? { after: 0, how: "whole" }
  const end = how === "whole" ? Stream.empty : how === "left" ? Stream.never : Stream.fail(broken(code))
  return Stream.concat(come, Stream.unwrap(later(after, end)))
}

const replaying = Effect.fnUntraced(function* ({ file, match = "strict", secrets }: Options) {
  const fs = yield* FileSystem.FileSystem
  const invalid = (why: string) =>
    new RecordingInvalid({ file, message: `The recording ${file} ${why}. CHATBOT_RECORD=true makes it anew.` })
  const text = yield* Effect.mapError(fs.readFileString(file), () => invalid("cannot be read"))
  const { exchanges } = yield* Effect.mapError(Schema.decodeEffect(Schema.fromJsonString(Recording))(text), () =>
    invalid("is not one that this version can play")
  )
  const redaction = makeRedaction(secrets)
  const used = new Set<number>()
  let number = 0

  const find = (
    request: RecordedRequest
  ): { readonly exchange: Exchange } | { readonly nearest: number | undefined } => {
    const same = exchanges.flatMap((exchange, index) =>
      differences(request, exchange.request).length === 0 ? [index] : []
    )
    const next = exchanges.findIndex((_, index) => !used.has(index))
    const index =
      match === "strict"
        ? same.includes(next)
          ? next
          : undefined
        : (same.find((index) => !used.has(index)) ?? same.at(-1))
    const exchange = index === undefined ? undefined : exchanges[index]
    if (index === undefined || exchange === undefined) {
      const alike = exchanges.findIndex(
        ({ request: { method, path } }, index) => !used.has(index) && method === request.method && path === request.path
      )
      const nearest = match === "strict" || alike === -1 ? next : alike
      return { nearest: nearest === -1 ? undefined : nearest }
    }
    used.add(index)
    return { exchange }
  }

  const notFound = (request: RecordedRequest, nearest: number | undefined) => {
    const head = `${file} has no recording of request ${number}, ${request.method} ${request.path}`
    const recorded = nearest === undefined ? undefined : exchanges[nearest]
    const why =
      recorded === undefined || nearest === undefined
        ? [`All of its ${exchanges.length} exchanges were played.`]
        : [`It differs from exchange ${nearest + 1}:`, ...differences(request, recorded.request)]
    return new Error([head, ...why, "CHATBOT_RECORD=true records it anew."].join("\n  "))
  }

  return HttpClient.make((request) =>
    Effect.gen(function* () {
      number++
      const described = describe(request, redaction)
      const found = find(described)
      if ("nearest" in found) return yield* Effect.die(notFound(described, found.nearest))
      const { answer, failure } = found.exchange
      if (answer === undefined) {
        const { after, code } = failure ?? { after: 0, code: "UNKNOWN" }
        return yield* Effect.flatten(later(after, Effect.fail(failed(request, code))))
      }
      const response = HttpServerResponse.stream(bodyOf(answer, redaction), {
        status: answer.status,
        headers: answer.headers,
        contentType: answer.headers["content-type"]
      })
      return yield* later(answer.after, HttpServerResponse.toClientResponse(response, { request }))
    })
  )
})

const isRecording = Config.Boolean("CHATBOT_RECORD").pipe(Config.withDefault(false))

/**
 * A transport that plays a recording, or records over the one provided, which is used for nothing else. It is written when the scope ends. A
 * request of which there is no recording is a defect that shows what is different.
 */
export const layer = (
  options: Options
): Layer.Layer<
  HttpClient.HttpClient,
  Config.ConfigError | RecordingInvalid,
  FileSystem.FileSystem | HttpClient.HttpClient
> =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.gen(function* () {
      const mode = options.mode ?? ((yield* isRecording) ? "record" : "replay")
      return mode === "record" ? yield* recording(options, yield* HttpClient.HttpClient) : yield* replaying(options)
    })
  )
