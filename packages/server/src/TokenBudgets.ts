/**
 * How many tokens one user and one bot may use in a day and in a month (UTC).
 *
 * What a question may cost is held before the provider is asked, and settled by what it did cost. So however many ask at once, on however
 * many processes, a budget is overrun by one question at most. Tokens are counted from when a budget is set; callers without a token are
 * under the budget of the bot only.
 */
import { RateLimited } from "@effect-chatbot/schema/Errors"
import type { BotId, UserId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Budget, TokenBudgetRepository } from "./repositories/TokenBudgetRepository.ts"
import { Transactions } from "./repositories/Transactions.ts"
import { ServerOptions } from "./ServerOptions.ts"

/** Whose budgets a question is under. */
export interface Spender {
  /** Absent for an anonymous caller. */
  readonly userId: UserId | undefined
  /** The bot that answers. */
  readonly botId: BotId
}

/** What is held for a question, in all of its budgets. Plain data, so that it can be settled elsewhere. */
export interface Hold {
  readonly id: string
  readonly budgets: ReadonlyArray<Budget>
}

/** The most tokens a prompt has by default, see `ServerOptions`. */
const defaultPromptTokens = 8000

/** How many tokens are held for an answer, beside those of its prompt, by default. */
export const defaultAnswerTokens = 4096

/** A question is answered or has failed by then, so what is held for it after is that of a process that is gone. */
export const holdsFor = Duration.minutes(15)

/** When to ask again where nothing but answers in the making stands in the way. */
const retryHeld = Duration.seconds(10)

interface Limited extends Budget {
  readonly limit: number
  /** The budget in words. */
  readonly name: string
}

const usedUp = ({ endsUtc, name }: Limited, now: DateTime.Utc) =>
  new RateLimited({ message: `The token budget of ${name} is used up.`, retryAfter: DateTime.distance(now, endsUtc) })

const held = ({ name }: Limited) =>
  new RateLimited({
    message: `What is left of the token budget of ${name} is held for answers that are being written.`,
    retryAfter: retryHeld
  })

/** How many tokens one user and one bot may use. */
export class TokenBudgets extends Context.Service<
  TokenBudgets,
  {
    /** Fails when a budget is used up, so that a question is refused before anything is done for it. */
    readonly check: (spender: Spender) => Effect.Effect<void, RateLimited>
    /** Holds what a question may cost, in all of its budgets or in none. */
    readonly reserve: (spender: Spender) => Effect.Effect<Hold, RateLimited>
    /** Counts what a question did cost; without a hold, in the budgets of now. */
    readonly settle: (hold: Hold | undefined, spender: Spender, tokens: number) => Effect.Effect<void>
    /** Holds no longer what was held: the question cost nothing. */
    readonly release: (hold: Hold) => Effect.Effect<void>
  }
>()("@effect-chatbot/server/TokenBudgets") {
  /** The budgets that the `ServerOptions` give. */
  static readonly layer: Layer.Layer<
    TokenBudgets,
    never,
    TokenBudgetRepository | Transactions | SecureRandom.SecureRandom
  > = Layer.effect(
    TokenBudgets,
    Effect.gen(function* () {
      const repository = yield* TokenBudgetRepository
      const transactions = yield* Transactions
      const random = yield* SecureRandom.SecureRandom
      const { promptTokens = defaultPromptTokens, tokenBudgets = {} } = yield* ServerOptions
      const { answerTokens = defaultAnswerTokens, botPerDay, botPerMonth, userPerDay, userPerMonth } = tokenBudgets
      const tokens = promptTokens + answerTokens

      /** The budgets of a question, always in the same order: two questions never wait for each other. */
      const budgetsOf = ({ botId, userId }: Spender, now: DateTime.Utc): ReadonlyArray<Limited> => {
        const { day, month } = {
          day: {
            period: DateTime.formatIsoDateUtc(now),
            endsUtc: DateTime.add(DateTime.startOf(now, "day"), { days: 1 })
          },
          month: {
            period: DateTime.formatIsoDateUtc(now).slice(0, 7),
            endsUtc: DateTime.add(DateTime.startOf(now, "month"), { months: 1 })
          }
        }
        const user = userId === undefined ? undefined : `user ${userId}`
        const bot = `bot ${botId}`
        const all = [
          { subject: user, ...day, limit: userPerDay, name: "this user for the day" },
          { subject: user, ...month, limit: userPerMonth, name: "this user for the month" },
          { subject: bot, ...day, limit: botPerDay, name: "this bot for the day" },
          { subject: bot, ...month, limit: botPerMonth, name: "this bot for the month" }
        ]
        return all.flatMap(({ limit, subject, ...rest }) =>
          limit === undefined || subject === undefined ? [] : [{ ...rest, limit, subject }]
        )
      }

      const check = Effect.fn("TokenBudgets.check")(function* (spender: Spender) {
        const now = yield* DateTime.now
        // A budget of a month ends after those of its days, and is what has to be waited for.
        for (const budget of budgetsOf(spender, now).toReversed()) {
          if ((yield* repository.state(budget)).used >= budget.limit) return yield* usedUp(budget, now)
        }
      })

      const reserve = Effect.fn("TokenBudgets.reserve")(function* (spender: Spender) {
        const now = yield* DateTime.now
        const budgets = budgetsOf(spender, now)
        if (budgets.length === 0) return { id: "", budgets }
        const id = yield* random.uuidV7()
        const expiresUtc = DateTime.addDuration(now, holdsFor)
        yield* transactions.run(
          Effect.forEach(
            budgets,
            Effect.fnUntraced(function* (budget) {
              if (yield* repository.reserve(budget, { id, tokens, limit: budget.limit, expiresUtc }, now)) return
              const { used } = yield* repository.state(budget)
              return yield* used >= budget.limit ? usedUp(budget, now) : held(budget)
            }),
            { discard: true }
          )
        )
        return { id, budgets }
      })

      const settle = Effect.fn("TokenBudgets.settle")(function* (
        hold: Hold | undefined,
        spender: Spender,
        tokens: number
      ) {
        const { budgets, id } = hold ?? { id: "", budgets: budgetsOf(spender, yield* DateTime.now) }
        if (budgets.length === 0) return
        yield* transactions.run(
          Effect.forEach(budgets, (budget) => repository.settle(budget, id, tokens), { discard: true })
        )
      })

      const release = Effect.fn("TokenBudgets.release")(function* ({ budgets, id }: Hold) {
        if (budgets.length === 0) return
        yield* transactions.run(
          Effect.forEach(budgets, (budget) => repository.settle(budget, id, 0), { discard: true })
        )
      })

      return { check, reserve, settle, release }
    })
  )
}
