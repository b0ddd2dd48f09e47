/**
 * The facts that admins tell the bots. The very next answer follows every change: the passages that answers are found in change with it.
 */
import { BotFact, type CreateBotFact, type UpdateBotFact } from "@effect-chatbot/schema/BotFact"
import { BotFactNotFound, BotNotFound, type InvalidRequest } from "@effect-chatbot/schema/Errors"
import { BotFactId, type BotId } from "@effect-chatbot/schema/Ids"
import type { Page, PageQuery } from "@effect-chatbot/schema/Page"
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Paging from "./Paging.ts"
import { AdminBotRepository } from "./repositories/AdminBotRepository.ts"
import { BotFactRepository } from "./repositories/BotFactRepository.ts"
import { Transactions } from "./repositories/Transactions.ts"
import * as TextLimits from "./TextLimits.ts"

/** The facts that admins tell the bots. */
export class BotFacts extends Context.Service<
  BotFacts,
  {
    /** Active or not, the oldest first unless another order is asked for. */
    readonly list: (botId: BotId, query: PageQuery) => Effect.Effect<Page<BotFact>, InvalidRequest | BotNotFound>
    readonly create: (botId: BotId, fact: CreateBotFact) => Effect.Effect<BotFactId, InvalidRequest | BotNotFound>
    readonly update: (
      botId: BotId,
      id: BotFactId,
      fact: UpdateBotFact
    ) => Effect.Effect<void, InvalidRequest | BotNotFound | BotFactNotFound>
    readonly delete: (botId: BotId, id: BotFactId) => Effect.Effect<void, BotNotFound | BotFactNotFound>
  }
>()("@effect-chatbot/server/BotFacts") {
  /** The facts in the database. */
  static readonly layer: Layer.Layer<
    BotFacts,
    never,
    AdminBotRepository | BotFactRepository | SecureRandom.SecureRandom | Transactions
  > = Layer.effect(
    BotFacts,
    Effect.gen(function* () {
      const bots = yield* AdminBotRepository
      const facts = yield* BotFactRepository
      const random = yield* SecureRandom.SecureRandom
      const transactions = yield* Transactions

      const list = Effect.fn("BotFacts.list")(function* (botId: BotId, query: PageQuery) {
        const request = yield* Paging.request(query, { fields: BotFact.fields, orderBy: "createdUtc" })
        if ((yield* bots.typeOf(botId)) === undefined) return yield* new BotNotFound({ botId })
        return Paging.page(request, yield* facts.list(botId, request))
      })

      /** Changes the facts of a bot, in a transaction. Without the fact nothing is changed, nor noted. */
      const change = Effect.fnUntraced(function* (
        botId: BotId,
        botFactId: BotFactId,
        write: (now: DateTime.Utc) => Effect.Effect<boolean>
      ) {
        const now = yield* DateTime.now
        yield* transactions.run(
          Effect.gen(function* () {
            if (!(yield* bots.edited(botId, now))) return yield* new BotNotFound({ botId })
            if (!(yield* write(now))) return yield* new BotFactNotFound({ botFactId })
          })
        )
      })

      const create = Effect.fn("BotFacts.create")(function* (botId: BotId, { factText, isActive }: CreateBotFact) {
        yield* TextLimits.check({ factText }, ["factText"])
        const id = BotFactId.make(yield* random.uuidV7())
        const now = yield* DateTime.now
        yield* transactions.run(
          Effect.gen(function* () {
            if (!(yield* bots.edited(botId, now))) return yield* new BotNotFound({ botId })
            yield* facts.insert(botId, id, { factText: factText.trim(), isActive }, now)
          })
        )
        return id
      })

      const update = Effect.fn("BotFacts.update")(function* (
        botId: BotId,
        id: BotFactId,
        { factText, isActive }: UpdateBotFact
      ) {
        yield* TextLimits.check({ factText }, ["factText"])
        yield* change(botId, id, (now) => facts.update(botId, id, { factText: factText.trim(), isActive }, now))
      })

      const remove = Effect.fn("BotFacts.delete")((botId: BotId, id: BotFactId) =>
        change(botId, id, () => facts.delete(botId, id))
      )

      return { list, create, update, delete: remove }
    })
  )
}
