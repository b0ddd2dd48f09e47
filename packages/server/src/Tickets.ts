/**
 * One-time tickets for downloads: who has one can download one file of the chat it was made for, once and soon, without a token.
 */
import type { Caller } from "@effect-chatbot/api/middleware/Authorization"
import { type ChatNotFound, Unauthorized } from "@effect-chatbot/schema/Errors"
import { type ChatId, Ticket } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import type * as Digest from "effect/crypto/Digest"
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ChatAccess } from "./ChatAccess.ts"
import * as Secrets from "./internal/secrets.ts"
import { TicketRepository } from "./repositories/TicketRepository.ts"
import { Transactions } from "./repositories/Transactions.ts"

/** How long a ticket can be used. */
export const timeToLive = Duration.seconds(60)

/** One-time tickets for downloads. The database has their hashes only. */
export class Tickets extends Context.Service<
  Tickets,
  {
    /** A ticket for a chat that the caller reaches. */
    readonly create: (caller: Caller, chatId: ChatId) => Effect.Effect<Ticket, ChatNotFound>
    /** Fails unless the ticket can be used for this chat now. */
    readonly check: (chatId: ChatId, ticket: Ticket) => Effect.Effect<void, Unauthorized>
    /** Uses the ticket up. Of many who try at once, one succeeds. */
    readonly redeem: (chatId: ChatId, ticket: Ticket) => Effect.Effect<void, Unauthorized>
  }
>()("@effect-chatbot/server/Tickets") {
  /** The tickets in the database. */
  static readonly layer: Layer.Layer<
    Tickets,
    never,
    ChatAccess | TicketRepository | Transactions | SecureRandom.SecureRandom | Digest.Digest
  > = Layer.effect(
    Tickets,
    Effect.gen(function* () {
      const access = yield* ChatAccess
      const tickets = yield* TicketRepository
      const transactions = yield* Transactions
      const secrets = yield* Secrets.make

      const create = Effect.fn("Tickets.create")(function* (caller: Caller, chatId: ChatId) {
        const ticket = Ticket.make(yield* secrets.generate)
        const hash = yield* secrets.hash(ticket)
        const expiresUtc = DateTime.addDuration(yield* DateTime.now, timeToLive)
        yield* transactions.run(
          Effect.andThen(access.reachable(caller, chatId), tickets.insert({ hash, chatId, expiresUtc }))
        )
        return ticket
      })

      const unlessUnusable = (usable: boolean) =>
        usable ? Effect.void : Effect.fail(new Unauthorized({ message: "The ticket is not valid, or not any more." }))

      const check = Effect.fn("Tickets.check")(function* (chatId: ChatId, ticket: Ticket) {
        const hash = yield* secrets.hash(ticket)
        yield* unlessUnusable(yield* tickets.exists(hash, chatId, yield* DateTime.now))
      })

      const redeem = Effect.fn("Tickets.redeem")(function* (chatId: ChatId, ticket: Ticket) {
        const hash = yield* secrets.hash(ticket)
        yield* unlessUnusable(yield* tickets.take(hash, chatId, yield* DateTime.now))
      })

      return { create, check, redeem }
    })
  )
}
