/**
 * Keyed requests through a proxy that loses answers: however often the client must ask, what it asked for is in the database once.
 */
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as IdempotencyKeys from "@effect-chatbot/client/IdempotencyKeys"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import * as Predicates from "@effect-chatbot/client/Predicates"
import * as RetryPolicy from "@effect-chatbot/client/RetryPolicy"
import type { BotId, ChatId } from "@effect-chatbot/schema/Ids"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Function from "effect/Function"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Rec from "effect/Record"
import type * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as SqlClient from "effect/sql/SqlClient"
import { lossyProxy, type Fates } from "./LossyProxy.ts"
import { TestBackend } from "./TestBackend.ts"

type Client = ChatbotClient["Service"]

/** What came of the requests of one kind. */
export interface Stored {
  /** How many calls there were. */
  readonly calls: number
  /** How many of them did not succeed in the end, by their errors. */
  readonly failed: { readonly [tag: string]: number }
  /** How many rows there are for them in the database. */
  readonly stored: number
  /** How many answers name a row that is not there. */
  readonly lost: number
  /** How many rows no answer names, and how many answers name a row that another one names. */
  readonly twice: number
}

/** What came of them all. */
export interface Report {
  /** With which the same luck can be had again. */
  readonly seed: string
  readonly answers: Readonly<Fates>
  /** By the table that a kind of request is stored in. */
  readonly tables: { readonly [table: string]: Stored }
}

/** How many requests there are, and the luck they have. */
export interface Options {
  readonly rounds: number
  readonly seed: string
}

interface Kind {
  /** Where it is stored. */
  readonly table: string
  /** Answers the id of what was stored. */
  readonly call: (client: Client, round: number) => Effect.Effect<string, { readonly _tag: string }>
}

/** The kinds of requests but for questions. */
const kindsOf = (botId: BotId, chatId: ChatId): ReadonlyArray<Kind> => [
  {
    table: "chats",
    call: ({ chats }) => Effect.map(chats.create(botId), ({ chatId }) => chatId)
  },
  {
    table: "user_system_messages",
    call: ({ users }, round) =>
      users.systemMessages.create({ displayName: `Message ${round}`, systemMessage: "Be brief." })
  },
  {
    table: "feedback",
    call: ({ chats }, round) => chats.feedback(chatId, { userComment: `Comment ${round}`, voteId: 1 })
  },
  {
    table: "open_ai_services",
    call: ({ admin }, round) => admin.openAiServices.create({ displayName: `Service ${round}`, isActive: false })
  }
]

/** Every so many requests is a question, which takes longer. */
const questionEvery = 25

/** A program that wants its calls to succeed gives them more attempts. It knows its backend. */
const persistent = {
  retry: {
    ...RetryPolicy.standard,
    attempts: 100,
    budget: undefined,
    backoff: RetryPolicy.fullJitter({ initial: "5 millis", max: "200 millis" })
  },
  keys: { ...IdempotencyKeys.standard, honoured: true }
}

/** Another one stores a key, and makes the call with it until it knows how it ended. */
const untilKnown =
  (key: string) =>
  <A, E extends { readonly _tag: string }>(call: Effect.Effect<A, E>) =>
    call.pipe(
      Effect.provideService(IdempotencyKeys.IdempotencyKeys, { ...IdempotencyKeys.standard, key }),
      Effect.retry({ while: Predicates.isRetryable, schedule: Schedule.spaced("5 millis") })
    )

const idsIn = Effect.fnUntraced(function* (table: string) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ id: string }>`SELECT id FROM ${sql(table)}`
  return new Set(rows.map(({ id }) => id))
})

const compare = (ended: ReadonlyArray<Result.Result<string, string>>, stored: ReadonlySet<string>): Stored => {
  const [ids, failures] = [Arr.getSuccesses(ended), Arr.getFailures(ended)]
  const answered = new Set(ids)
  return {
    calls: ended.length,
    failed: Rec.map(Arr.groupBy(failures, Function.identity), (tags) => tags.length),
    stored: stored.size,
    lost: [...answered].filter((id) => !stored.has(id)).length,
    twice: [...stored].filter((id) => !answered.has(id)).length + ids.length - answered.size
  }
}

/** Makes the calls, and counts what they left in the database. */
export const exactlyOnce = ({ rounds, seed }: Options) =>
  Effect.gen(function* () {
    const { adminToken, baseUrl, client } = yield* TestBackend
    const direct = yield* client("admin")
    const { botId, chatId } = yield* direct.chats.createByBotCode("client")
    if (botId === undefined) return yield* Effect.die(new Error("A chat is with a bot"))
    const newChat = Effect.map(direct.chats.create(botId), ({ chatId }) => chatId)
    const chats = yield* Effect.replicateEffect(newChat, Math.ceil(rounds / questionEvery))
    const question: Kind = {
      table: "completions",
      call: ({ chats: { complete } }, round) =>
        Effect.map(
          complete(chats[round / questionEvery]!, "How do I page through a list?"),
          ({ completionId }) => completionId
        )
    }
    const kinds = kindsOf(botId, chatId)
    const kindOf = (round: number) => (round % questionEvery === 0 ? question : kinds[round % kinds.length]!)

    const proxy = yield* lossyProxy(baseUrl)
    const services = yield* ChatbotClient.layer({ baseUrl: proxy.baseUrl, token: adminToken }).pipe(
      Layer.provide(NodeTransport.layer),
      Layer.build
    )
    const flaky = yield* Effect.provide(ChatbotClient, services)

    const tables = [question, ...kinds].map(({ table }) => table)
    const before = yield* Effect.forEach(tables, idsIn)
    const outcomes = yield* Effect.forEach(
      Array.from({ length: rounds }, (_, round) => round),
      (round) => {
        const { call, table } = kindOf(round)
        const made = call(flaky, round)
        const safe =
          Math.floor(round / kinds.length) % 2 === 0
            ? untilKnown(`${seed}-${round}`)(made)
            : made.pipe(
                Effect.provideService(RetryPolicy.RetryPolicy, persistent.retry),
                Effect.provideService(IdempotencyKeys.IdempotencyKeys, persistent.keys)
              )
        return Effect.map(Effect.result(Effect.mapError(safe, ({ _tag }) => _tag)), (ended) => ({ table, ended }))
      },
      { concurrency: 16 }
    )
    const after = yield* Effect.forEach(tables, idsIn)

    const report: Report = {
      seed,
      answers: proxy.fates,
      tables: Object.fromEntries(
        tables.map((table, i) => {
          const own = outcomes.filter((outcome) => outcome.table === table)
          const stored = new Set([...after[i]!].filter((id) => !before[i]!.has(id)))
          return [
            table,
            compare(
              own.map(({ ended }) => ended),
              stored
            )
          ]
        })
      )
    }
    return report
  }).pipe(Random.withSeed(seed))
