/**
 * The user who calls: what is known of it, and how long its chats are kept.
 */
import { InvalidRequest } from "@effect-chatbot/schema/Errors"
import type { CurrentUser, UpdateCurrentUser } from "@effect-chatbot/schema/User"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { SignedIn } from "./Callers.ts"
import { UserRepository } from "./repositories/UserRepository.ts"

/** The user who calls. */
export class UserService extends Context.Service<
  UserService,
  {
    readonly current: (caller: SignedIn) => Effect.Effect<CurrentUser>
    /** Sets how long the chats of the user are kept. */
    readonly update: (caller: SignedIn, settings: UpdateCurrentUser) => Effect.Effect<void, InvalidRequest>
    /** Records that the user accepts the terms, and when it did so first. */
    readonly acceptTerms: (caller: SignedIn) => Effect.Effect<void>
  }
>()("@effect-chatbot/server/UserService") {
  /** The users in the database. */
  static readonly layer: Layer.Layer<UserService, never, UserRepository> = Layer.effect(
    UserService,
    Effect.gen(function* () {
      const users = yield* UserRepository

      const current = Effect.fn("UserService.current")(function* (caller: SignedIn) {
        const user = yield* users.find(caller.id)
        // Users are never deleted, and the token was that of one.
        if (user === undefined) return yield* Effect.die(new Error("The user of a valid token is not there"))
        return {
          id: user.id,
          login: user.login,
          // Those of this request: a JSON Web Token brings its own.
          roles: caller.roles,
          isTermsAccepted: user.termsAcceptedUtc !== undefined,
          isKeepChatHistory: user.isKeepChatHistory,
          keepChatHistoryForDays: user.keepChatHistoryForDays,
          isKeepFavoritesForever: user.isKeepFavoritesForever
        }
      })

      const update = Effect.fn("UserService.update")(function* (caller: SignedIn, settings: UpdateCurrentUser) {
        if (!Number.isInteger(settings.keepChatHistoryForDays) || settings.keepChatHistoryForDays < 0) {
          return yield* new InvalidRequest({
            issues: [{ path: ["payload", "keepChatHistoryForDays"], message: "Expected a whole number from 0" }]
          })
        }
        yield* users.update(caller.id, settings)
      })

      const acceptTerms = Effect.fn("UserService.acceptTerms")(function* (caller: SignedIn) {
        yield* users.acceptTerms(caller.id, yield* DateTime.now)
      })

      return { current, update, acceptTerms }
    })
  )
}
