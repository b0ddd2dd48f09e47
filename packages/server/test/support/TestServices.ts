/** The services on the database of the project, with a provider that answers as the test says. */
import type { SignedIn } from "@effect-chatbot/server/Callers"
import {
  type Answer,
  CompletionProvider,
  type Part,
  type Request,
  toParts
} from "@effect-chatbot/server/CompletionProvider"
import { Retention } from "@effect-chatbot/server/Retention"
import * as SearchText from "@effect-chatbot/server/SearchText"
import * as SecretBox from "@effect-chatbot/server/SecretBox"
import { ServerOptions } from "@effect-chatbot/server/ServerOptions"
import * as Services from "@effect-chatbot/server/Services"
import type { Database } from "@effect-chatbot/server/sql/Database"
import { Tokenizer } from "@effect-chatbot/server/Tokenizer"
import { Tokens } from "@effect-chatbot/server/Tokens"
import type { Caller } from "@effect-chatbot/api/middleware/Authorization"
import type { ProviderFailed, ProviderTimedOut } from "@effect-chatbot/schema/Errors"
import { BotId, SourceId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import * as TestDatabase from "./TestDatabase.ts"

/** What a provider does with a question. */
export type Behaviour = (request: Request) => Effect.Effect<Answer, ProviderFailed | ProviderTimedOut>

/** How a provider streams its answer to a question. */
export type Streaming = (request: Request) => Stream.Stream<Part, ProviderFailed | ProviderTimedOut>

/** An answer, with what a test has no say about filled in. */
export const answer = (options: Partial<Answer>): Answer => ({
  assistantMessage: "An answer.",
  promptTokens: 3,
  completionTokens: 2,
  sources: [],
  tags: [],
  trace: [],
  ...options
})

/** The provider of a test: repeats the question until it is told to do something else. */
export class TestProvider extends Context.Service<
  TestProvider,
  {
    /** What it was asked, the first question first. */
    readonly requests: ReadonlyArray<Request>
    readonly behave: (behaviour: Behaviour) => Effect.Effect<void>
    readonly stream: (streaming: Streaming) => Effect.Effect<void>
  }
>()("test/TestProvider") {
  static readonly layer = Layer.effectContext(
    Effect.sync(() => {
      const requests: Array<Request> = []
      let current: Streaming = ({ userMessage }) =>
        Stream.fromIterable(toParts(answer({ assistantMessage: `You said: ${userMessage}` })))
      return Context.make(TestProvider, {
        requests,
        behave: (behaviour) =>
          Effect.sync(() => {
            current = (request) =>
              Stream.unwrap(Effect.map(behaviour(request), (answer) => Stream.fromIterable(toParts(answer))))
          }),
        stream: (streaming) =>
          Effect.sync(() => {
            current = streaming
          })
      }).pipe(
        Context.add(CompletionProvider, {
          complete: (request) =>
            Stream.suspend(() => {
              requests.push(request)
              return current(request)
            })
        })
      )
    })
  )
}

/** A token for every word. */
const tokenizer = Layer.succeed(Tokenizer, {
  count: (text) => Effect.succeed(text.split(/\s+/).filter((word) => word !== "").length)
})

/** An encryption key for tests. */
export const secretKey = Redacted.make(Base64.encode(new Uint8Array(32).fill(7)))

/** A database with its tables. */
export const database = TestDatabase.layer

/** The services on another database, their database and their provider. */
export const layerOver = (options: ServerOptions, database: Database) =>
  Services.layer.pipe(
    Layer.provide(tokenizer),
    Layer.provide(SecretBox.layer({ key: secretKey, file: "no file" })),
    Layer.provide(FileSystem.layerNoop({})),
    Layer.provide(Layer.succeed(ServerOptions, options)),
    Layer.provideMerge(TestProvider.layer),
    Layer.provideMerge(database)
  )

/** The services, their database and their provider. */
export const layerWith = (options: ServerOptions) => layerOver(options, database)

/** The services, their database and their provider. */
export const layer = layerWith({ requireTerms: false })

/** The same on another database. */
export const layerOn = (database: Database) => layerOver({ requireTerms: false }, database)

/** The same on another database, with the jobs that run by themselves. */
export const layerWithJobs = (database: Database) =>
  Retention.layerJob.pipe(Layer.provideMerge(layerOver({ requireTerms: false }, database)))

/** Somebody without a token. */
export const anonymous: Caller = { _tag: "Anonymous" }

/** The user of this login, made if need be. */
export const user = (
  login: string,
  roles: ReadonlyArray<"Admin" | "User"> = ["User"]
): Effect.Effect<SignedIn, never, Tokens> =>
  Effect.gen(function* () {
    const tokens = yield* Tokens
    const { token } = yield* tokens.create({ login, roles, name: "test" })
    return yield* Effect.orDie(tokens.authenticate(token))
  })

/** An admin. */
export const admin = user("boss", ["Admin", "User"])

/** What a bot is made of; the rest is that of a public bot that answers. */
export interface BotSeed {
  readonly code: string
  readonly displayName?: string
  readonly displayMessage?: string | null
  readonly description?: string | null
  readonly implementationType?: "Facts" | "Start"
  readonly isActive?: 0 | 1
  readonly isPublic?: 0 | 1
  readonly isOpen?: 0 | 1
  readonly isUserSystemMessageSupported?: 0 | 1
  readonly baseSystemMessage?: string
  readonly openAiServiceId?: string | null
  readonly modelName?: string | null
  readonly image?: Uint8Array
}

/** Stores a bot; its id is `bot-` and its code. */
export const bot = Effect.fnUntraced(function* ({ code, image, ...seed }: BotSeed) {
  const sql = yield* SqlClient.SqlClient
  const id = BotId.make(`bot-${code}`)
  const texts = { displayName: code, displayMessage: null, description: null, ...seed }
  yield* sql`INSERT INTO bots ${sql.insert({
    id,
    code,
    implementationType: "Facts",
    isActive: 1,
    isPublic: 1,
    isOpen: 0,
    isUserSystemMessageSupported: 0,
    ...texts,
    searchName: SearchText.fold(texts.displayName),
    searchText: SearchText.foldAll([texts.displayName, texts.displayMessage, texts.description]),
    image: image ?? null,
    imageType: image === undefined ? null : "image/png",
    imageEtag: image === undefined ? null : "image-etag",
    createdUtc: "2026-01-01T00:00:00.000Z",
    updatedUtc: "2026-01-01T00:00:00.000Z"
  })}`
  return id
})

/** Lets a start bot route to a bot on some keywords. */
export const link = Effect.fnUntraced(function* (
  startBotId: BotId,
  botId: BotId,
  keywords: string | null,
  isDefault: 0 | 1 = 0
) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`INSERT INTO bot_links ${sql.insert({ startBotId, botId, isDefault, keywords })}`
})

/** Stores a document of a bot. */
export const document = Effect.fnUntraced(function* (botId: BotId, path: string, content: string | Uint8Array = path) {
  const sql = yield* SqlClient.SqlClient
  const id = SourceId.make(`${botId}/${path}`)
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content
  yield* sql`INSERT INTO documents ${sql.insert({
    id,
    botId,
    path,
    title: path,
    language: "en",
    mediaType: "text/markdown; charset=utf-8",
    content: bytes,
    size: bytes.length,
    etag: "etag-1",
    updatedUtc: "2026-01-01T00:00:00.000Z"
  })}`
  return id
})

/** How many rows a table has. */
export const count = (table: string): Effect.Effect<number, never, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const [row] = yield* sql<{ total: number }>`SELECT CAST(count(*) AS INTEGER) AS total FROM ${sql(table)}`
    return row?.total ?? 0
  }).pipe(Effect.orDie)

/** A question, with the flags off. */
export const question = (
  userMessage: string,
  flags?: {
    readonly ignoreChatHistory?: boolean
    readonly isAdminChat?: boolean
    readonly isTraceLogEnabled?: boolean
  }
) => ({ userMessage, ignoreChatHistory: false, isAdminChat: false, isTraceLogEnabled: false, ...flags })
