/**
 * JSON Web Tokens of another issuer as bearer tokens (RFC 7519, RFC 8725): who has one is the user it names.
 *
 * The user is made at first sight. Its login is the claim behind a prefix, so that it is never one that was made here. What a token says of
 * roles holds for the requests with it, and is not stored.
 */
import { Unauthorized, type Unavailable } from "@effect-chatbot/schema/Errors"
import type { UserId } from "@effect-chatbot/schema/Ids"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Cache from "effect/Cache"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Digest from "effect/crypto/Digest"
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { JWTPayload, LocalJWKSet } from "jose"
import { Caches } from "./Caches.ts"
import type { SignedIn } from "./Callers.ts"
import * as Secrets from "./internal/secrets.ts"
import * as JwtKeys from "./JwtKeys.ts"
import { JwtOptions } from "./JwtOptions.ts"
import { UserRepository } from "./repositories/UserRepository.ts"
import { newUser, type Role } from "./Tokens.ts"

/** Three parts in Base64url, of which the first is an object (RFC 7515, 7.1). A token of this backend has no dots. */
const shape = /^eyJ[\w-]*\.[\w-]*\.[\w-]*$/

/** The most characters of a token that is looked at. */
const maxLength = 8192

/** How long a token that was checked is believed, unless it ends before. */
const timeToLive = Duration.minutes(1)
const capacity = 1000

/** A login that can be shown and stored. */
const isLogin = Schema.is(Schema.String.check(Schema.isPattern(/^[^\s\p{C}](?:[^\p{C}]{0,198}[^\s\p{C}])?$/u)))

/** The claim of this name; or else, where the name has dots, what the path leads to. */
export const claim = (payload: { readonly [name: string]: unknown }, name: string): unknown => {
  if (Object.hasOwn(payload, name)) return payload[name]
  let value: unknown = payload
  for (const part of name.split(".")) {
    if (!Predicate.isReadonlyObject(value) || !Object.hasOwn(value, part)) return undefined
    value = value[part]
  }
  return value
}

/** Whether a claim holds a role: as a text, as a word of one, or in a list. */
export const hasRole = (value: unknown, role: string): boolean =>
  Array.isArray(value) ? value.includes(role) : typeof value === "string" && [value, ...value.split(" ")].includes(role)

/** A token, or a set of keys, that the library refuses: why, by its code. */
class Refused extends Schema.TaggedError<Refused>()("Refused", { reason: Schema.String }) {}

interface Verified {
  readonly caller: SignedIn
  /** In milliseconds since the epoch. */
  readonly expires: number
}

/** JSON Web Tokens as bearer tokens. */
export class Jwts extends Context.Service<
  Jwts,
  {
    /** Whether this is a JSON Web Token, and such tokens are taken at all. */
    readonly accepts: (token: Redacted.Redacted) => boolean
    /**
     * The user a token names. Fails with `Unauthorized` for one that is not valid, whatever is wrong with it, and with `Unavailable` when
     * the keys to check it by cannot be had.
     */
    readonly authenticate: (token: Redacted.Redacted) => Effect.Effect<SignedIn, Unauthorized | Unavailable>
  }
>()("@effect-chatbot/server/Jwts") {
  /** No token is taken. */
  static readonly layerNone: Layer.Layer<Jwts> = Layer.succeed(Jwts, {
    accepts: () => false,
    authenticate: () => Effect.fail(new Unauthorized({}))
  })

  /** The tokens of an issuer. Its keys are asked for by the `HttpClient`. */
  static readonly layerOf = (
    options: JwtOptions
  ): Layer.Layer<
    Jwts,
    never,
    Caches | Digest.Digest | HttpClient.HttpClient | SecureRandom.SecureRandom | UserRepository
  > =>
    Layer.effect(
      Jwts,
      Effect.gen(function* () {
        const caches = yield* Caches
        const users = yield* UserRepository
        const secrets = yield* Secrets.make
        const jose = yield* Effect.promise(() => import("jose"))
        const toRefused = (cause: unknown) =>
          new Refused({ reason: cause instanceof jose.errors.JOSEError ? cause.code : "It cannot be checked" })
        const keys = yield* JwtKeys.make(options.jwksUrl, ({ keys }) =>
          Effect.try({
            try: () => jose.createLocalJWKSet({ keys: keys.map((key) => ({ ...key, kty: String(key["kty"]) })) }),
            catch: toRefused
          })
        )
        const tolerance = Duration.toMillis(options.clockTolerance)

        const verify = Effect.fnUntraced(function* (token: string, set: LocalJWKSet) {
          const currentDate = DateTime.toDateUtc(yield* DateTime.now)
          const { payload } = yield* Effect.tryPromise({
            try: () =>
              jose.jwtVerify(token, set, {
                issuer: options.issuer,
                audience: options.audience,
                algorithms: [...options.algorithms],
                clockTolerance: tolerance / 1000,
                currentDate,
                requiredClaims: ["exp"]
              }),
            catch: toRefused
          })
          return payload
        })

        // Why is for the operator: who calls could learn from it.
        const refuse = ({ reason }: Refused) =>
          Effect.andThen(Effect.logDebug(`A JSON Web Token was refused: ${reason}`), Effect.fail(new Unauthorized({})))

        const payloadOf = Effect.fnUntraced(function* (token: string) {
          const set = yield* keys.current
          return yield* verify(token, set).pipe(
            Effect.catchTag("Refused", (refused): Effect.Effect<JWTPayload, Refused | Unavailable> => {
              if (refused.reason !== jose.errors.JWKSNoMatchingKey.code) return Effect.fail(refused)
              return Effect.flatMap(keys.after(set), (next) =>
                next === undefined ? Effect.fail(refused) : verify(token, next)
              )
            }),
            Effect.catchTag("Refused", refuse)
          )
        })

        const ids = new Map<string, UserId>()
        const userOf = Effect.fnUntraced(function* (login: string) {
          const known = ids.get(login)
          if (known !== undefined) return known
          const { id } = yield* users.findOrCreate({ login, roles: ["User"], ...newUser }, yield* DateTime.now)
          if (ids.size >= capacity) ids.clear()
          ids.set(login, id)
          return id
        })

        const cache = yield* Cache.makeWith<string, Verified>(
          () => Effect.die(new Error("What was checked is put into the cache, and not looked up by it")),
          { capacity, timeToLive: (exit) => (Exit.isSuccess(exit) ? timeToLive : Duration.zero) }
        )
        yield* caches.register(
          Effect.andThen(
            Cache.invalidateAll(cache),
            Effect.sync(() => ids.clear())
          )
        )

        const authenticate = Effect.fn("Jwts.authenticate")(function* (token: Redacted.Redacted) {
          const text = Redacted.value(token)
          if (text.length > maxLength) return yield* new Unauthorized({})
          const hash = yield* secrets.hash(text)
          const known = yield* Cache.getOption(cache, hash)
          if (Option.isSome(known)) {
            return (yield* Clock.currentTimeMillis) < known.value.expires
              ? known.value.caller
              : yield* new Unauthorized({})
          }
          const payload = yield* payloadOf(text)
          const name = claim(payload, options.loginClaim)
          if (!isLogin(name))
            return yield* refuse(new Refused({ reason: `there is no login in ${options.loginClaim}` }))
          const login = `${options.loginPrefix}${name}`
          const isAdmin = hasRole(claim(payload, options.roleClaim), options.adminRole)
          const roles: ReadonlyArray<Role> = isAdmin ? ["Admin", "User"] : ["User"]
          const caller = { _tag: "User", id: yield* userOf(login), login, roles } as const
          yield* Cache.set(cache, hash, { caller, expires: (payload.exp ?? 0) * 1000 + tolerance })
          return caller
        })

        return {
          accepts: (token) => shape.test(Redacted.value(token)),
          authenticate
        }
      })
    )

  /** The tokens of the issuer in the `JwtOptions`, if there is one. Nothing is loaded for it if there is none. */
  static readonly layer: Layer.Layer<Jwts, never, Caches | Digest.Digest | SecureRandom.SecureRandom | UserRepository> =
    Layer.unwrap(
      Effect.map(JwtOptions, (options) =>
        options === undefined
          ? Jwts.layerNone
          : Jwts.layerOf(options).pipe(Layer.provide(NodeHttpClient.layerUndiciOptions({ allowH2: false })))
      )
    )
}
