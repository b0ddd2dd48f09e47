/**
 * How many requests one user and one address may make, each with a bucket of tokens: as many at once as in a minute, then as they come back.
 *
 * The answers say what is left, by the draft "RateLimit header fields for HTTP" of the IETF (draft-ietf-httpapi-ratelimit-headers-10).
 */
import type { Caller } from "@effect-chatbot/api/middleware/Authorization"
import { RateLimited, Unauthorized } from "@effect-chatbot/schema/Errors"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as RateLimiter from "effect/persistence/RateLimiter"
import * as TokenBuckets from "../internal/TokenBuckets.ts"
import { clientAddress, counted } from "./ClientAddress.ts"

/** How many of each there may be in a minute; without a number, any number. */
export interface RateLimitOptions {
  /** Requests of one user. */
  readonly user?: number | undefined
  /** Requests of one address, whoever calls from it. */
  readonly address?: number | undefined
  /** Questions of one user; of callers without a token, of one address. */
  readonly completions?: number | undefined
  /** Tokens of one address that turn out not to be valid. */
  readonly signInFailures?: number | undefined
}

/** What all limits are counted over. */
const window = Duration.minutes(1)

/** The most callers that are told apart at a time: some 10 MB. */
const capacity = 50_000

const seconds = (duration: Duration.Duration): number => Math.ceil(Duration.toSeconds(duration))

/** Adds a member to a header that is a list (RFC 9651, 3.1). */
const append = (
  response: HttpServerResponse.HttpServerResponse,
  name: string,
  member: string
): HttpServerResponse.HttpServerResponse => {
  const before = response.headers[name]
  return HttpServerResponse.setHeader(response, name, before === undefined ? member : `${before}, ${member}`)
}

/**
 * How many requests one user and one address may make.
 *
 * @effect-expect-leaking HttpServerRequest
 */
export class RateLimits extends Context.Service<
  RateLimits,
  {
    /** Counts a request of its address. */
    readonly request: Effect.Effect<void, RateLimited, HttpServerRequest.HttpServerRequest>
    /** Counts a request of the caller. */
    readonly call: (
      caller: Caller,
      what: { readonly isCompletion: boolean }
    ) => Effect.Effect<void, RateLimited, HttpServerRequest.HttpServerRequest>
    /** Counts an `Unauthorized` of its address. After too many of them it is not even tried, so that nobody learns by it. */
    readonly signIn: <A, E, R>(
      authenticate: Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | RateLimited, R | HttpServerRequest.HttpServerRequest>
  }
>()("@effect-chatbot/server/http/RateLimits") {
  /** Limits that this process keeps. Of several processes each counts for itself. */
  static readonly layer = (options: RateLimitOptions): Layer.Layer<RateLimits> =>
    Layer.effect(
      RateLimits,
      Effect.gen(function* () {
        const limiter = yield* RateLimiter.RateLimiter

        const take = (policy: string, limit: number, key: string, tokens: number) =>
          limiter
            .consume({
              algorithm: "token-bucket",
              onExceeded: "fail",
              window,
              limit,
              key: `${policy}:${key}`,
              tokens
            })
            .pipe(
              Effect.catch(({ reason }) =>
                reason._tag === "RateLimitExceeded" ? Effect.fail(reason.retryAfter) : Effect.die(reason)
              )
            )

        /** What the answer says of a policy. */
        const tell = (policy: string, limit: number, remaining: number, after: Duration.Duration) =>
          HttpEffect.appendPreResponseHandler((_request, response) =>
            Effect.succeed(
              append(
                append(response, "ratelimit-policy", `"${policy}";q=${limit};w=${seconds(window)}`),
                "ratelimit",
                `"${policy}";r=${remaining};t=${seconds(after)}`
              )
            )
          )

        const count = (policy: string, limit: number | undefined, key: string, message: string) =>
          limit === undefined
            ? Effect.void
            : Effect.matchEffect(take(policy, limit, key, 1), {
                onSuccess: ({ remaining, resetAfter }) => tell(policy, limit, remaining, resetAfter),
                onFailure: (retryAfter) =>
                  Effect.andThen(
                    tell(policy, limit, 0, retryAfter),
                    Effect.fail(new RateLimited({ message, retryAfter }))
                  )
              })

        const address = Effect.map(clientAddress, counted)

        const { signInFailures } = options
        const signIn =
          signInFailures === undefined
            ? <A, E, R>(authenticate: Effect.Effect<A, E, R>) => authenticate
            : <A, E, R>(authenticate: Effect.Effect<A, E, R>) =>
                Effect.gen(function* () {
                  const key = yield* address
                  const each = Duration.divideUnsafe(window, signInFailures)
                  // Nothing is taken, so it never fails.
                  const { remaining, resetAfter } = yield* Effect.orDie(take("sign-in", signInFailures, key, 0))
                  if (remaining < 1) {
                    return yield* new RateLimited({
                      message: "Too many tokens that are not valid came from this address.",
                      retryAfter: Duration.subtract(resetAfter, Duration.times(each, signInFailures - 1))
                    })
                  }
                  return yield* Effect.tapError(authenticate, (error) =>
                    error instanceof Unauthorized ? Effect.ignore(take("sign-in", signInFailures, key, 1)) : Effect.void
                  )
                })

        return RateLimits.of({
          request:
            options.address === undefined
              ? Effect.void
              : Effect.flatMap(address, (key) =>
                  count("address", options.address, key, "Too many requests from this address.")
                ),
          call: Effect.fnUntraced(function* (caller, { isCompletion }) {
            const key = caller._tag === "User" ? `user ${caller.id}` : `address ${yield* address}`
            if (caller._tag === "User") yield* count("user", options.user, key, "Too many requests of this user.")
            if (isCompletion) yield* count("completions", options.completions, key, "Too many questions.")
          }),
          signIn
        })
      })
    ).pipe(Layer.provide(RateLimiter.layer), Layer.provide(TokenBuckets.layer(capacity)))
}
