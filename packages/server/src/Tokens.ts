/**
 * Bearer tokens: who has one is the user it was made for (RFC 6750).
 *
 * A token is 256 random bits behind a prefix by which scanners for leaked secrets know it; the database has its hash only.
 */
import { Unauthorized } from "@effect-chatbot/schema/Errors"
import type { UserId } from "@effect-chatbot/schema/Ids"
import * as Cache from "effect/Cache"
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import type * as Digest from "effect/crypto/Digest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import { Caches } from "./Caches.ts"
import type { SignedIn } from "./Callers.ts"
import * as Secrets from "./internal/secrets.ts"
import { type TokenInfo, TokenRepository, type TokenRow } from "./repositories/TokenRepository.ts"
import { Transactions } from "./repositories/Transactions.ts"
import { UserRepository } from "./repositories/UserRepository.ts"

/** What every token begins with, but for one that an operator chose. */
export const prefix = "ecb_"

/** The login of the user that the first start makes. */
export const adminLogin = "admin"

/** What a user may be: `User` is every user, `Admin` may also administer the backend. */
export type Role = "Admin" | "User"

/** A token to make. */
export interface CreateToken {
  readonly login: string
  /** The roles of the user, if it has to be made. */
  readonly roles: ReadonlyArray<Role>
  /** What the token is for. */
  readonly name: string
  /** Until when it is valid; for ever by default. */
  readonly expires?: DateTime.Utc | undefined
}

/** A token just made. This is the only time it can be read. */
export interface CreatedToken {
  readonly id: string
  readonly token: Redacted.Redacted
  readonly userId: UserId
}

/** Another process may revoke a token; this one notices within this time. */
const timeToLive = Duration.seconds(5)
const capacity = 1000

/** Longer texts are not worth hashing. */
const maxLength = 4096

/** The name of the token that the configuration gives: it is valid as long as it stands there. */
const configured = "configuration"

/** How long a new user's chats are kept: for ever. */
export const newUser = { isKeepChatHistory: true, keepChatHistoryForDays: 0, isKeepFavoritesForever: true } as const

/** Makes, checks and revokes bearer tokens. */
export class Tokens extends Context.Service<
  Tokens,
  {
    /** The user a token was made for. Fails for one that is unknown, expired or revoked, all alike. */
    readonly authenticate: (token: Redacted.Redacted) => Effect.Effect<SignedIn, Unauthorized>
    /** Makes a token, and its user when there is none of this login; one that is there keeps its roles. */
    readonly create: (options: CreateToken) => Effect.Effect<CreatedToken>
    /** The latest 1000 tokens, of one user or of all, the newest first; also those that are expired or revoked. */
    readonly list: (login?: string | undefined) => Effect.Effect<ReadonlyArray<TokenInfo>>
    /** Makes a token invalid, at once in this process, and in others when they hear of it. Tells whether there was such a token that was not revoked before. */
    readonly revoke: (id: string) => Effect.Effect<boolean>
    /**
     * Sees to it that the user `admin` is there and has a valid token.
     *
     * With a token from the configuration, that one is valid, and no longer one that stood there before. Without, a token is made if
     * `admin` has no valid one, and given back: it can be read only now.
     */
    readonly ensureAdmin: <E = never>(
      token?: Redacted.Redacted | undefined,
      /** Puts a token that was made where it can be read. The token is stored only if this succeeds, so that none is lost. */
      keep?: (token: Redacted.Redacted) => Effect.Effect<void, E>
    ) => Effect.Effect<Option.Option<Redacted.Redacted>, E>
  }
>()("@effect-chatbot/server/Tokens") {
  /** The tokens in the database, with a small cache. */
  static readonly layer: Layer.Layer<
    Tokens,
    never,
    Caches | TokenRepository | UserRepository | Transactions | SecureRandom.SecureRandom | Digest.Digest
  > = Layer.effect(
    Tokens,
    Effect.gen(function* () {
      const caches = yield* Caches
      const repository = yield* TokenRepository
      const users = yield* UserRepository
      const transactions = yield* Transactions
      const random = yield* SecureRandom.SecureRandom
      const secrets = yield* Secrets.make

      const cache = yield* Cache.makeWith<string, TokenRow, Unauthorized>(
        (hash) =>
          Effect.filterOrFail(repository.findByHash(hash), Predicate.isNotUndefined, () => new Unauthorized({})),
        // What is not valid is asked again every time, or it would stay invalid after it was made.
        { capacity, timeToLive: (exit) => (Exit.isSuccess(exit) ? timeToLive : Duration.zero) }
      )
      yield* caches.register(Cache.invalidateAll(cache))

      const authenticate = Effect.fn("Tokens.authenticate")(function* (token: Redacted.Redacted) {
        const text = Redacted.value(token)
        if (text === "" || text.length > maxLength) return yield* new Unauthorized({})
        const { expiresUtc, login, roles, userId } = yield* Cache.get(cache, yield* secrets.hash(text))
        if (expiresUtc !== undefined && DateTime.isLessThanOrEqualTo(expiresUtc, yield* DateTime.now)) {
          return yield* new Unauthorized({})
        }
        return { _tag: "User", id: userId, login, roles } as const
      })

      const create = Effect.fn("Tokens.create")(function* ({ expires, login, name, roles }: CreateToken) {
        const now = yield* DateTime.now
        const token = `${prefix}${yield* secrets.generate}`
        const hash = yield* secrets.hash(token)
        const id = yield* random.uuidV7()
        const user = yield* transactions.run(
          Effect.gen(function* () {
            const user = yield* users.findOrCreate({ login, roles, ...newUser }, now)
            yield* repository.insert({ id, userId: user.id, hash, name, expiresUtc: expires }, now)
            return user
          })
        )
        return { id, token: Redacted.make(token, { label: "token" }), userId: user.id }
      })

      const revoke = Effect.fn("Tokens.revoke")(function* (id: string) {
        const hash = yield* repository.revoke(id, yield* DateTime.now)
        if (hash !== undefined) yield* caches.clear
        return hash !== undefined
      })

      const ensureAdmin = Effect.fn("Tokens.ensureAdmin")(function* <E = never>(
        token?: Redacted.Redacted,
        keep: (token: Redacted.Redacted) => Effect.Effect<void, E> = () => Effect.void
      ) {
        const now = yield* DateTime.now
        const given = token === undefined || Redacted.value(token) === "" ? undefined : Redacted.value(token)
        const hash = given === undefined ? undefined : yield* secrets.hash(given)
        const id = yield* random.uuidV7()
        const { created, stale } = yield* transactions.run(
          Effect.gen(function* () {
            // Of two processes that start at once, one makes a token.
            yield* transactions.lock("the token of the admin")
            const admin = yield* users.findOrCreate({ login: adminLogin, roles: ["Admin", "User"], ...newUser }, now)
            const stale = yield* repository.revokeOthers({ userId: admin.id, name: configured, hash }, now)
            if (hash !== undefined) {
              yield* repository.upsert({ id, userId: admin.id, hash, name: configured, expiresUtc: undefined }, now)
              return { stale, created: Option.none() }
            }
            if (yield* repository.hasValid(admin.id, now)) return { stale, created: Option.none() }
            const { token } = yield* create({ login: adminLogin, roles: ["Admin", "User"], name: "first start" })
            yield* keep(token)
            return { stale, created: Option.some(token) }
          })
        )
        yield* Effect.forEach(stale, (hash) => Cache.invalidate(cache, hash), { discard: true })
        if (stale.length > 0) {
          yield* Effect.logWarning("The token of CHATBOT_ADMIN_TOKEN is another one: the one before is revoked")
        }
        return created
      })

      const list = Effect.fn("Tokens.list")((login?: string | undefined) => repository.list(login, capacity))

      return { authenticate, create, list, revoke, ensureAdmin }
    })
  )
}
