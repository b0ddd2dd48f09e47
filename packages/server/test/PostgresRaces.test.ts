import { OpenAiServiceId } from "@effect-chatbot/schema/Ids"
import { BotAdministration } from "@effect-chatbot/server/BotAdministration"
import * as BotsSync from "@effect-chatbot/server/BotsSync"
import { ChatService } from "@effect-chatbot/server/ChatService"
import { CompletionRuns } from "@effect-chatbot/server/CompletionRuns"
import { OpenAiServices } from "@effect-chatbot/server/OpenAiServices"
import { Retention } from "@effect-chatbot/server/Retention"
import * as Database from "@effect-chatbot/server/sql/Database"
import * as Postgres from "@effect-chatbot/server/sql/Postgres"
import { StatisticService } from "@effect-chatbot/server/StatisticService"
import { Tickets } from "@effect-chatbot/server/Tickets"
import { Tokens } from "@effect-chatbot/server/Tokens"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as SqlClient from "effect/sql/SqlClient"
import { postgresUrl } from "./support/TestDatabase.ts"
import * as Services from "./support/TestServices.ts"

const times = <A, E, R>(count: number, effect: (index: number) => Effect.Effect<A, E, R>) =>
  Effect.forEach(Arr.range(0, count - 1), effect, { concurrency: "unbounded" })

/** Two backends on one database, each with connections of its own, as two processes have. */
const two = Effect.gen(function* () {
  const url = yield* postgresUrl()
  const backend = Effect.suspend(() =>
    Layer.build(Layer.fresh(Services.layerOn(Database.migrated(Postgres.layer({ url, maxConnections: 4 })))))
  )
  return yield* Effect.all([backend, backend], { concurrency: 2 })
})

describe("two backends on one database", () => {
  it.live("let one of many redeem a ticket", () =>
    Effect.gen(function* () {
      const [one, other] = yield* two
      const { chatId, ticket } = yield* Effect.gen(function* () {
        yield* Services.bot({ code: "open", isOpen: 1 })
        const ann = yield* Services.user("ann")
        const { chatId } = yield* (yield* ChatService).createByBotCode(ann, "open")
        return { chatId, ticket: yield* (yield* Tickets).create(ann, chatId) }
      }).pipe(Effect.provideContext(one))
      const exits = yield* times(1000, (index) =>
        Effect.exit(Context.get(index % 2 === 0 ? one : other, Tickets).redeem(chatId, ticket))
      )
      assert.lengthOf(exits.filter(Exit.isSuccess), 1)
    })
  )

  it.live("give a code to one bot, in whatever case it is written", () =>
    Effect.gen(function* () {
      const backends = yield* two
      const exits = yield* times(20, (index) =>
        Effect.exit(
          Context.get(backends[index % 2]!, BotAdministration).create({
            code: index % 3 === 0 ? "same" : index % 3 === 1 ? "Same" : "SAME",
            displayNameTv: { value: "Same", valueDe: undefined },
            isActive: true,
            isPublic: true
          })
        )
      )
      assert.lengthOf(exits.filter(Exit.isSuccess), 1)
      for (const exit of exits.filter(Exit.isFailure)) {
        assert.strictEqual(Option.getOrThrow(Exit.findErrorOption(exit))._tag, "BotCodeTaken")
      }
    })
  )

  it.live("make a user once, and one token for the first admin", () =>
    Effect.gen(function* () {
      const backends = yield* two
      const made = yield* times(40, (index) =>
        Context.get(backends[index % 2]!, Tokens).create({ login: "ann", roles: ["User"], name: `${index}` })
      )
      assert.strictEqual(new Set(made.map(({ userId }) => userId)).size, 1)
      const tokens = yield* times(10, (index) => Context.get(backends[index % 2]!, Tokens).ensureAdmin())
      assert.lengthOf(tokens.filter(Option.isSome), 1)
    })
  )

  it.live("count every use and every user once, also while the statistic is recomputed", () =>
    Effect.gen(function* () {
      const backends = yield* two
      const [one] = backends
      yield* Effect.provideContext(Services.bot({ code: "open", isOpen: 1 }), one)
      const users = yield* Effect.forEach(Arr.range(0, 4), (index) => Services.user(`user-${index}`)).pipe(
        Effect.provideContext(one)
      )
      yield* times(60, (index) =>
        index % 10 === 9
          ? Context.get(backends[index % 2]!, StatisticService).recompute
          : Effect.gen(function* () {
              const user = users[index % users.length]!
              const { chatId } = yield* Context.get(backends[index % 2]!, ChatService).createByBotCode(user, "open")
              yield* Context.get(backends[index % 2]!, CompletionRuns).complete(
                user,
                chatId,
                Services.question("How are you?")
              )
            })
      )
      const [row] = (yield* Context.get(one, StatisticService).list({})).items
      assert.deepStrictEqual([row?.requestCount, row?.userCount], [54, 5])
    })
  )

  it.live("bring in the folder of bots once", () =>
    Effect.gen(function* () {
      const backends = yield* two
      yield* Effect.forEach(
        backends,
        (backend) =>
          Layer.build(Layer.fresh(BotsSync.layer())).pipe(
            Effect.provideContext(backend),
            Effect.provide(NodeServices.layer)
          ),
        { concurrency: 2 }
      )
      const sql = Context.get(backends[0], SqlClient.SqlClient)
      const twice = yield* sql`SELECT bot_id, path FROM documents GROUP BY bot_id, path HAVING count(*) > 1
        UNION ALL SELECT bot_id, fact_text FROM bot_facts GROUP BY bot_id, fact_text HAVING count(*) > 1`
      assert.deepStrictEqual(twice, [])
      assert.isAbove(yield* Effect.provideContext(Services.count("bots"), backends[0]), 1)
    })
  )

  it.live("delete what is not to be kept, both at once", () =>
    Effect.gen(function* () {
      const backends = yield* two
      yield* Effect.provideContext(Services.bot({ code: "open", isOpen: 1 }), backends[0])
      const sql = Context.get(backends[0], SqlClient.SqlClient)
      yield* sql`INSERT INTO chats (id, bot_id, is_favorite, created_utc, last_accessed_utc)
        SELECT 'old-' || n, 'bot-open', 0, '1970-01-01T00:00:00.000Z', '1970-01-01T00:00:00.000Z' FROM generate_series(1, 900) n`
      const deleted = yield* Effect.forEach(backends, (backend) => Context.get(backend, Retention).run, {
        concurrency: 2
      })
      assert.strictEqual(deleted[0]!.chats + deleted[1]!.chats, 900)
    })
  )

  it.live("never let a bot have a service that is gone", () =>
    Effect.gen(function* () {
      const backends = yield* two
      const services = Context.get(backends[0], OpenAiServices)
      yield* times(10, (index) =>
        Effect.gen(function* () {
          const id = yield* services.create({ displayName: `${index}`, isActive: true })
          const bot = {
            code: `bot-${index}`,
            displayNameTv: { value: "Bot", valueDe: undefined },
            isActive: true,
            isPublic: true,
            openAiServiceId: OpenAiServiceId.make(id)
          }
          const [created] = yield* Effect.all(
            [Effect.exit(Context.get(backends[1], BotAdministration).create(bot)), services.delete(id)],
            { concurrency: 2 }
          )
          if (Exit.isFailure(created)) {
            assert.strictEqual(Option.getOrThrow(Exit.findErrorOption(created))._tag, "OpenAiServiceNotFound")
          }
        })
      )
    })
  )
})
