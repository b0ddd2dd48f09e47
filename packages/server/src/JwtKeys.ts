/**
 * The public keys of an issuer of JSON Web Tokens, from where it publishes them (RFC 7517).
 *
 * They are kept, so that the issuer is not asked for every token; asked seldom, so that tokens with keys nobody knows cannot make this
 * backend hammer it; and kept on for a while when it does not answer.
 */
import { Unavailable } from "@effect-chatbot/schema/Errors"
import * as ByteSize from "effect/ByteSize"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"

/** For how long keys are not asked for again. */
export const freshFor = Duration.minutes(10)

/** For how long they are used when the issuer does not answer. */
export const usableFor = Duration.hours(1)

/** How long the issuer is left alone after it has answered, whatever keys tokens name. */
export const cooldown = Duration.seconds(30)

/** How long it is left alone after it has not. */
export const failureCooldown = Duration.seconds(5)

const timeout = Duration.seconds(5)
const maxSize = ByteSize.mebibytes(1)
const maxKeys = 100

/** A set of keys, as far as a program looks into it; it may hold more about each. */
const KeySet = Schema.Struct({
  keys: Schema.Array(Schema.Record(Schema.String, Schema.Unknown)).check(Schema.isMaxLength(maxKeys))
})

/** A set of keys. */
export type KeySet = typeof KeySet.Type

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(KeySet))

class TooLarge extends Schema.TaggedError<TooLarge>()("TooLarge", {}) {}

/** The keys of an issuer, each set as `parse` makes it. */
export interface JwtKeys<A> {
  /** The keys that are known; they are asked for when they are not, or not fresh any more. */
  readonly current: Effect.Effect<A, Unavailable>
  /** The keys after these, for a token whose key is not among them; absent when it is too early to ask again. */
  readonly after: (known: A) => Effect.Effect<A | undefined, Unavailable>
}

/** Keeps the keys that are at this URL. */
export const make = <A, E>(
  url: URL,
  parse: (keys: KeySet) => Effect.Effect<A, E>
): Effect.Effect<JwtKeys<A>, never, HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const client = yield* HttpClient.HttpClient
    const semaphore = yield* Semaphore.make(1)
    let known: { readonly keys: A; readonly since: number } | undefined
    let nextTry = 0
    let isFailing = false

    const request = HttpClientRequest.get(url).pipe(
      HttpClientRequest.acceptJson,
      client.execute,
      Effect.flatMap(HttpClientResponse.filterStatus((status) => status === 200)),
      Effect.flatMap(({ stream }) => {
        let size = 0
        return stream.pipe(
          Stream.tap((chunk) => {
            size += chunk.length
            return size > Number(maxSize) ? Effect.fail(new TooLarge()) : Effect.void
          }),
          Stream.decodeText(),
          Stream.mkString
        )
      }),
      Effect.flatMap(decode),
      Effect.flatMap(parse),
      Effect.timeout(timeout)
    )

    /** Asks for the keys unless it is too early, or somebody else has while this waited. */
    const refresh = (seen: A | undefined) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        if (now < nextTry || known?.keys !== seen) return
        nextTry = now + Duration.toMillis(failureCooldown)
        isFailing = true
        known = { keys: yield* request, since: now }
        nextTry = now + Duration.toMillis(cooldown)
        isFailing = false
      }).pipe(
        Effect.catchCause((cause) =>
          Effect.logWarning("The keys of the issuer of JSON Web Tokens cannot be read", cause)
        ),
        semaphore.withPermits(1)
      )

    const unavailable = Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.fail(
        new Unavailable({
          message: "Who you are cannot be checked now.",
          retryAfter: Duration.millis(Math.max(1000, nextTry - now))
        })
      )
    )

    return {
      current: Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        if (known === undefined || now >= known.since + Duration.toMillis(freshFor)) yield* refresh(known?.keys)
        return known !== undefined && now < known.since + Duration.toMillis(usableFor) ? known.keys : yield* unavailable
      }),
      after: (seen) =>
        Effect.gen(function* () {
          yield* refresh(seen)
          if (known !== undefined && known.keys !== seen) return known.keys
          // Where it does not answer, nobody knows whether the key is one of its own.
          return isFailing ? yield* unavailable : undefined
        })
    }
  })
