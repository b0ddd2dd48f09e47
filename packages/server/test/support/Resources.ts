/** What belongs to somebody, of every kind, put into the database. */
import * as EventStream from "@effect-chatbot/api/EventStream"
import {
  BotFactId,
  BotId,
  ChatId,
  CompletionId,
  FeedbackId,
  OpenAiServiceId,
  UserSystemMessageId
} from "@effect-chatbot/schema/Ids"
import type { UserId } from "@effect-chatbot/schema/Ids"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { randomUUID } from "node:crypto"

/** One thing of every kind. */
export interface Resources {
  readonly botCode: string
  readonly botFactId: BotFactId
  readonly botId: BotId
  readonly chatId: ChatId
  readonly completionId: CompletionId
  readonly feedbackId: FeedbackId
  readonly messageId: UserSystemMessageId
  readonly openAiServiceId: OpenAiServiceId
  /** What stands after `downloads/` for a file that a source of the chat names. */
  readonly path: string
  readonly startBotId: BotId
}

/** Of a user, or of nobody: then the bot is open, and the chat is anonymous. */
export type Owner = { readonly id: UserId; readonly login: string } | undefined

const day = "2026-01-01T00:00:00.000Z"

/** Ids that nothing has. */
export const missing = (): Resources => {
  const id = randomUUID()
  return {
    botCode: id,
    botFactId: BotFactId.make(id),
    botId: BotId.make(id),
    chatId: ChatId.make(id),
    completionId: CompletionId.make(id),
    feedbackId: FeedbackId.make(id),
    messageId: UserSystemMessageId.make(id),
    openAiServiceId: OpenAiServiceId.make(id),
    path: `${id}/a.md`,
    startBotId: BotId.make(id)
  }
}

/** Puts resources of an owner into the database. The bots of a user are for nobody else; `isLinked` says whether they are linked. */
export const make = Effect.fnUntraced(function* (owner: Owner, isLinked: boolean) {
  const sql = yield* SqlClient.SqlClient
  const insert = (table: string, row: Record<string, unknown>) => sql`INSERT INTO ${sql(table)} ${sql.insert(row)}`

  const resources: Resources = {
    ...missing(),
    startBotId: BotId.make(randomUUID()),
    openAiServiceId: OpenAiServiceId.make(randomUUID())
  }
  const { botCode, botFactId, botId, chatId, completionId, feedbackId, messageId, openAiServiceId, startBotId } =
    resources
  const isOpen = owner === undefined ? 1 : 0
  const bot = {
    displayName: "A bot",
    searchName: "a bot",
    searchText: "a bot",
    isActive: 1,
    isPublic: isOpen,
    isOpen,
    isUserSystemMessageSupported: 1,
    userLogins: owner?.login ?? null,
    listedLogins: owner === undefined ? "" : `\n${owner.login}\n`,
    imageType: "image/png",
    imageEtag: "etag",
    image: new Uint8Array([1, 2, 3]),
    createdUtc: day,
    updatedUtc: day
  }
  const documentId = randomUUID()
  const text = { userMessage: "Q", assistantMessage: "A", createdUtc: day }
  yield* insert("bots", { ...bot, id: botId, code: botCode, implementationType: "Facts" })
  yield* insert("bots", { ...bot, id: startBotId, code: `${botCode}-start`, implementationType: "Start" })
  if (isLinked) yield* insert("bot_links", { startBotId, botId, isDefault: 1 })
  yield* insert("bot_facts", { id: botFactId, botId, factText: "F", isActive: 1, createdUtc: day, updatedUtc: day })
  yield* insert("documents", {
    id: documentId,
    botId,
    path: "a.md",
    title: "A",
    mediaType: "text/markdown",
    size: 1,
    etag: "etag",
    updatedUtc: day,
    content: new Uint8Array([65])
  })
  if (owner !== undefined) {
    yield* insert("user_system_messages", {
      id: messageId,
      userId: owner.id,
      displayName: "M",
      searchName: "m",
      systemMessage: "M",
      createdUtc: day,
      updatedUtc: day
    })
  }
  // Used a moment ago, so that reading it is not noted.
  const now = DateTime.formatIso(yield* DateTime.now)
  yield* insert("chats", {
    id: chatId,
    botId,
    userId: owner?.id ?? null,
    isFavorite: 0,
    userSystemMessageId: owner === undefined ? null : messageId,
    createdUtc: day,
    lastAccessedUtc: now
  })
  yield* insert("completions", {
    ...text,
    id: completionId,
    chatId,
    botId,
    tags: "[]",
    promptTokens: 1,
    completionTokens: 1
  })
  yield* insert("completion_sources", { completionId, ordinal: 0, documentId })
  yield* insert("completion_logs", {
    completionId,
    chatId,
    isForAdmins: 0,
    createdUtc: now,
    events: EventStream.encode([{ id: 1, event: { _tag: "Stopped", completionId, text: "A" } }])
  })
  yield* insert("feedback", { ...text, id: feedbackId, botId, chatId, userId: owner?.id ?? null, voteId: 1 })
  yield* insert("open_ai_services", {
    id: openAiServiceId,
    displayName: "S",
    searchName: "s",
    isActive: 1,
    createdUtc: day,
    updatedUtc: day
  })
  return { ...resources, path: `${botCode}/a.md` }
})

/** How much was ever written to the database by this process. */
export const written: Effect.Effect<number, never, SqlClient.SqlClient> = SqlClient.SqlClient.pipe(
  Effect.flatMap((sql) => sql<{ total: number }>`SELECT total_changes() AS total`),
  Effect.map(([row]) => row?.total ?? 0),
  Effect.orDie
)

/** What is in the database of these resources, to see that it stays as it is. */
export const stored = Effect.fnUntraced(function* (resources: Resources) {
  const sql = yield* SqlClient.SqlClient
  const { botId, chatId, messageId, openAiServiceId, startBotId } = resources
  return yield* Effect.all([
    sql`SELECT * FROM bots WHERE id IN ${sql.in([botId, startBotId])} ORDER BY id`,
    sql`SELECT * FROM bot_links WHERE bot_id = ${botId}`,
    sql`SELECT * FROM bot_facts WHERE bot_id = ${botId}`,
    sql`SELECT * FROM documents WHERE bot_id = ${botId}`,
    sql`SELECT * FROM chats WHERE id = ${chatId}`,
    sql`SELECT * FROM completions WHERE chat_id = ${chatId}`,
    sql`SELECT * FROM feedback WHERE bot_id = ${botId}`,
    sql`SELECT * FROM user_system_messages WHERE id = ${messageId}`,
    sql`SELECT * FROM open_ai_services WHERE id = ${openAiServiceId}`
  ])
})
