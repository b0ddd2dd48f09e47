/**
 * A backend as a server of the Model Context Protocol: its bots, its search and the chats of the caller, as tools and resources for agents.
 *
 * ```ts
 * const Server = ChatbotMcp.layerStdio.pipe(Layer.provide([NodeStdio.layer, ChatbotClient.layerConfig]))
 * ```
 *
 * `pnpm mcp` runs it. Over standard input and output it calls as whoever the client was made for. Over HTTP it has no token of its own: it
 * hands on the one that each request brings, so that a caller gets what that token gives and no more; without one, that is the open bot.
 *
 * What a tool fails with is an answer with `isError` that says what happened and what to do; a token is in none.
 */
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as Completion from "@effect-chatbot/client/Completion"
import type { Bot } from "@effect-chatbot/schema/Bot"
import type { Chat, CompletionMetaData, StoredCompletion } from "@effect-chatbot/schema/Chat"
import { BotId, ChatId, CompletionId } from "@effect-chatbot/schema/Ids"
import * as McpProtocol from "effect/ai/McpProtocol"
import * as McpSchema from "effect/ai/McpSchema"
import * as McpServer from "effect/ai/McpServer"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as ByteSize from "effect/ByteSize"
import type * as Config from "effect/Config"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { discard } from "./internal/discard.ts"

/** Why a tool has no result: a text that says what happened, and what to do about it where that is known. */
export class ToolFailed extends Schema.TaggedError<ToolFailed>()("ToolFailed", {
  message: Schema.String
}) {}

const text = Schema.optionalKey(Schema.String)

const described = (description: string) => Schema.String.annotate({ description })

const required = (description: string) => Schema.NonEmptyString.annotate({ description })

const PageNumber = Schema.optionalKey(
  Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)).annotate({ description: "The page wanted, from 1" })
)

const SearchFor = Schema.optionalKey(described("Only those with this text, in any case"))

/** A bot, as the tools tell of it. */
const BotSummary = Schema.Struct({
  botId: Schema.String,
  code: text,
  displayName: text,
  description: text,
  sampleQuestions: Schema.Array(Schema.String),
  isStartBot: Schema.Boolean
})

/** Where a page stands in its list. */
const page = { pageNumber: Schema.Int, totalPageCount: Schema.Int, totalItemCount: Schema.Int }

const Source = Schema.Struct({ fileName: text, url: text })

const failure = ToolFailed
const dependencies = [ChatbotClient]

const ListBots = Tool.make("list_bots", {
  description: "Lists the bots that the caller may ask, with their codes and what they are about.",
  parameters: Schema.Struct({ searchFor: SearchFor, pageNumber: PageNumber }),
  success: Schema.Struct({ bots: Schema.Array(BotSummary), ...page }),
  failure,
  dependencies
})
  .annotate(Tool.Title, "List bots")
  .annotate(Tool.Readonly, true)
  .annotate(Tool.Destructive, false)
  .annotate(Tool.Idempotent, true)
  .annotate(Tool.OpenWorld, false)

const FindBot = Tool.make("find_bot", {
  description: "Finds the bot that should take a question, among those that a start bot routes to.",
  parameters: Schema.Struct({
    question: required("The question that is to be asked"),
    startBotId: Schema.optionalKey(described("The start bot to look with; without it, the first that there is"))
  }),
  success: BotSummary,
  failure,
  dependencies
})
  .annotate(Tool.Title, "Find the bot for a question")
  .annotate(Tool.Readonly, true)
  .annotate(Tool.Destructive, false)
  .annotate(Tool.Idempotent, true)
  .annotate(Tool.OpenWorld, false)

const AskBot = Tool.make("ask_bot", {
  description:
    "Asks a bot and waits for its answer: in a new chat with the bot of a code, or in a chat that there is, whose earlier questions the " +
    "bot then knows. Give one of botCode and chatId.",
  parameters: Schema.Struct({
    question: required("What to ask"),
    botCode: Schema.optionalKey(described("The code of the bot, as list_bots tells it")),
    chatId: Schema.optionalKey(described("The chat to go on with, as ask_bot or list_chats tells it"))
  }),
  success: Schema.Struct({
    answer: Schema.String,
    isComplete: Schema.Boolean.annotate({ description: "false if the answer was stopped before its end" }),
    chatId: Schema.String,
    completionId: text,
    botDisplayName: text,
    sources: Schema.Array(Source)
  }),
  failure,
  dependencies
})
  .annotate(Tool.Title, "Ask a bot")
  .annotate(Tool.Readonly, false)
  .annotate(Tool.Destructive, false)
  .annotate(Tool.Idempotent, false)
  .annotate(Tool.OpenWorld, true)

const ListChats = Tool.make("list_chats", {
  description: "Lists the chats of the caller, the last used first.",
  parameters: Schema.Struct({
    searchFor: SearchFor,
    onlyFavorites: Schema.optionalKey(Schema.Boolean),
    pageNumber: PageNumber
  }),
  success: Schema.Struct({
    chats: Schema.Array(
      Schema.Struct({
        chatId: Schema.String,
        displayName: text,
        botDisplayName: text,
        lastAccessedUtc: text,
        isFavorite: Schema.Boolean
      })
    ),
    ...page
  }),
  failure,
  dependencies
})
  .annotate(Tool.Title, "List chats")
  .annotate(Tool.Readonly, true)
  .annotate(Tool.Destructive, false)
  .annotate(Tool.Idempotent, true)
  .annotate(Tool.OpenWorld, false)

/** How many questions of a chat are read, unless more are asked for. */
const defaultLatest = 20

const ReadChat = Tool.make("read_chat", {
  description: "Reads a chat: its latest questions and answers, the oldest of them first.",
  parameters: Schema.Struct({
    chatId: ChatId.annotate({ description: "The chat, as list_chats tells it" }),
    latest: Schema.optionalKey(
      Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 })).annotate({
        description: `How many questions at most, ${defaultLatest} by default`
      })
    )
  }),
  success: Schema.Struct({
    chatId: Schema.String,
    displayName: text,
    botDisplayName: text,
    isFavorite: Schema.Boolean,
    questionCount: Schema.Int,
    completions: Schema.Array(
      Schema.Struct({
        completionId: Schema.String,
        createdUtc: text,
        question: text,
        answer: text,
        sources: Schema.Array(Source)
      })
    )
  }),
  failure,
  dependencies
})
  .annotate(Tool.Title, "Read a chat")
  .annotate(Tool.Readonly, true)
  .annotate(Tool.Destructive, false)
  .annotate(Tool.Idempotent, true)
  .annotate(Tool.OpenWorld, false)

const StopAnswer = Tool.make("stop_answer", {
  description: "Stops an answer that is being made. What there is of it stays in the chat, and the rest never comes.",
  parameters: Schema.Struct({
    chatId: ChatId.annotate({ description: "The chat that is being answered" }),
    completionId: CompletionId.annotate({ description: "The answer to stop" })
  }),
  success: Schema.Struct({ isStopped: Schema.Boolean }),
  failure,
  dependencies
})
  .annotate(Tool.Title, "Stop an answer")
  .annotate(Tool.Readonly, false)
  .annotate(Tool.Destructive, true)
  .annotate(Tool.Idempotent, true)
  .annotate(Tool.OpenWorld, false)

const DeleteChat = Tool.make("delete_chat", {
  description: "Deletes a chat with all its questions and answers, for good.",
  parameters: Schema.Struct({ chatId: ChatId.annotate({ description: "The chat, as list_chats tells it" }) }),
  success: Schema.Struct({ isDeleted: Schema.Boolean }),
  failure,
  dependencies
})
  .annotate(Tool.Title, "Delete a chat")
  .annotate(Tool.Readonly, false)
  .annotate(Tool.Destructive, true)
  .annotate(Tool.Idempotent, true)
  .annotate(Tool.OpenWorld, false)

/** The tools, for who wants them without the server. */
export const tools = Toolkit.make(ListBots, FindBot, AskBot, ListChats, ReadChat, StopAnswer, DeleteChat)

/** What an error of the client says to who calls a tool: nothing of it is a secret. */
const toFailure = (error: {
  readonly _tag: string
  readonly message: string
  readonly reason?: string
  readonly requestId?: string | undefined
  readonly retryAfter?: Duration.Duration | undefined
  readonly issues?: ReadonlyArray<{ readonly path: ReadonlyArray<string | number>; readonly message: string }>
}) =>
  new ToolFailed({
    message: [
      `${error._tag === "CompletionFailed" ? error.reason : error._tag}: ${error.message}`,
      ...(error.issues ?? []).map(({ message, path }) => `${path.join(".")}: ${message}.`),
      ...(error.retryAfter === undefined ? [] : [`Try again in ${Duration.format(error.retryAfter)}.`]),
      ...(error.requestId === undefined ? [] : [`(Request ${error.requestId})`])
    ].join(" ")
  })

const toBot = ({ botId, code, description, displayName, isStartBot, sampleQuestion1, sampleQuestion2 }: Bot) => ({
  botId,
  ...defined({ code, displayName, description }),
  sampleQuestions: [sampleQuestion1, sampleQuestion2].filter((question) => question !== undefined),
  isStartBot
})

type Defined<A> = { [K in keyof A]?: Exclude<A[K], undefined> }

/** Without the fields that have no value. */
const defined = <A extends Record<string, unknown>>(fields: A): Defined<A> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<A>

const toSources = (metaData: Pick<CompletionMetaData, "sources"> | undefined) =>
  (metaData?.sources ?? []).map(({ fileName, url }) => defined({ fileName, url }))

const toIso = (utc: DateTime.Utc | undefined) => (utc === undefined ? undefined : DateTime.formatIso(utc))

const toCompletion = ({ assistantMessage, completionId, createdUtc, metaData, userMessage }: StoredCompletion) => ({
  completionId,
  ...defined({ createdUtc: toIso(createdUtc), question: userMessage, answer: assistantMessage }),
  sources: toSources(metaData)
})

const toPage = ({ pageNumber, totalItemCount, totalPageCount }: typeof Position.Type) => ({
  pageNumber,
  totalPageCount,
  totalItemCount
})

const Position = Schema.Struct(page)

const noBot = new ToolFailed({
  message: "BotNotFound: There is no such bot for this caller. Ask list_bots for those there are."
})

const ask = Effect.fnUntraced(function* ({
  botCode,
  chatId: existing,
  question
}: {
  readonly question: string
  readonly botCode?: string | undefined
  readonly chatId?: string | undefined
}) {
  const { chats } = yield* ChatbotClient
  if ((botCode === undefined || botCode === "") === (existing === undefined || existing === "")) {
    return yield* new ToolFailed({ message: "Give either botCode, for a new chat, or chatId, to go on with a chat." })
  }
  const asked = (chatId: ChatId) =>
    Effect.gen(function* () {
      let botDisplayName: string | undefined
      // Who cancels the call does not want the answer.
      const answer = yield* chats.stream(chatId, question, { onInterrupt: "stop" }).pipe(
        Stream.tap((event) =>
          Effect.sync(() => {
            if (event._tag === "Started") botDisplayName = event.botDisplayName
          })
        ),
        Completion.collect
      )
      return {
        answer: answer.text,
        isComplete: answer.ended === "Completed",
        chatId,
        ...defined({
          completionId: answer.completionId,
          botDisplayName: answer.completion?.botDisplayName ?? botDisplayName
        }),
        sources: toSources(answer)
      }
    })
  if (existing !== undefined && existing !== "") return yield* asked(ChatId.make(existing))
  // Of a new chat whose question failed nobody has the id.
  return yield* Effect.acquireUseRelease(
    chats.createByBotCode(botCode ?? ""),
    ({ chatId }) => asked(chatId),
    ({ chatId }, exit) => (exit._tag === "Success" ? Effect.void : discard(chats, chatId))
  )
})

const handlers = tools.of({
  list_bots: ({ pageNumber, searchFor }) =>
    Effect.flatMap(ChatbotClient, ({ bots }) => bots.list({ searchFor, pageNumber })).pipe(
      Effect.map((found) => ({ bots: found.items.map(toBot), ...toPage(found) })),
      Effect.mapError(toFailure)
    ),
  find_bot: Effect.fnUntraced(
    function* ({ question, startBotId }) {
      const { bots } = yield* ChatbotClient
      const start =
        startBotId === undefined || startBotId === ""
          ? (yield* bots.startBots({ pageSize: 1 })).items[0]?.botId
          : BotId.make(startBotId)
      if (start === undefined) {
        return yield* new ToolFailed({ message: "There is no start bot. Choose a bot with list_bots." })
      }
      const found = yield* bots.search(start, question)
      const bot = yield* Stream.runHead(Stream.filter(bots.items({ pageSize: 100 }), ({ botId }) => botId === found))
      return Option.match(bot, {
        onNone: () => ({ botId: found, sampleQuestions: [], isStartBot: false }),
        onSome: toBot
      })
    },
    Effect.mapError((error) =>
      error._tag === "ToolFailed" ? error : error._tag === "BotNotFound" ? noBot : toFailure(error)
    )
  ),
  ask_bot: (parameters) =>
    Effect.mapError(ask(parameters), (error) =>
      error._tag === "ToolFailed" ? error : error._tag === "BotNotFound" ? noBot : toFailure(error)
    ),
  list_chats: ({ onlyFavorites, pageNumber, searchFor }) =>
    Effect.flatMap(ChatbotClient, ({ users }) => users.chats({ searchFor, pageNumber, onlyFavorites })).pipe(
      Effect.map((found) => ({
        chats: found.items.map(({ botDisplayName, chatId, displayName, isFavorite, lastAccessedUtc }) => ({
          chatId,
          ...defined({ displayName, botDisplayName, lastAccessedUtc: toIso(lastAccessedUtc) }),
          isFavorite
        })),
        ...toPage(found)
      })),
      Effect.mapError(toFailure)
    ),
  read_chat: ({ chatId, latest = defaultLatest }) =>
    Effect.flatMap(ChatbotClient, ({ chats }) => chats.get(chatId)).pipe(
      Effect.map(({ botDisplayName, completions, displayName, isFavorite }) => ({
        chatId,
        ...defined({ displayName, botDisplayName }),
        isFavorite,
        questionCount: completions.length,
        completions: completions.slice(-latest).map(toCompletion)
      })),
      Effect.mapError(toFailure)
    ),
  stop_answer: ({ chatId, completionId }) =>
    Effect.flatMap(ChatbotClient, ({ chats }) => chats.stop(chatId, completionId)).pipe(
      Effect.as({ isStopped: true }),
      Effect.mapError(toFailure)
    ),
  delete_chat: ({ chatId }) =>
    Effect.flatMap(ChatbotClient, ({ chats }) => chats.delete(chatId)).pipe(
      Effect.as({ isDeleted: true }),
      Effect.mapError(toFailure)
    )
})

/** A chat as a text to read, with the latest questions that {@link ReadChat} gives. */
const transcript = ({ botDisplayName, completions, displayName }: Chat): string =>
  [
    `# ${displayName ?? "Chat"}`,
    ...(completions.length > 100 ? [`The latest 100 of ${completions.length} questions.`] : []),
    ...completions
      .slice(-100)
      .map(
        ({ assistantMessage = "", userMessage = "" }) =>
          `**You:** ${userMessage}\n\n**${botDisplayName ?? "Bot"}:** ${assistantMessage}`
      )
  ].join("\n\n") + "\n"

const BotsResource = McpServer.resource({
  uri: "chatbot://bots",
  name: "bots",
  description: "The bots that the caller may ask, at most 100 of them",
  mimeType: "application/json",
  content: Effect.flatMap(ChatbotClient, ({ bots }) => bots.list({ pageSize: 100 })).pipe(
    Effect.map(({ items }) => JSON.stringify(items.map(toBot), undefined, 2)),
    Effect.mapError(toFailure)
  )
})

const chatIdParam = McpSchema.param("chatId", ChatId)

const ChatResource = McpServer.resource`chatbot://chats/${chatIdParam}`({
  name: "chat",
  description: "The transcript of a chat of the caller",
  mimeType: "text/markdown",
  content: (_, chatId) =>
    Effect.flatMap(ChatbotClient, ({ chats }) => chats.get(chatId)).pipe(
      Effect.map(transcript),
      Effect.mapError(toFailure)
    )
})

const registrations = Layer.mergeAll(McpServer.toolkit(tools), BotsResource, ChatResource).pipe(
  Layer.provide(tools.toLayer(handlers))
)

const about = {
  name: "effect-chatbot",
  version: "0.1.0",
  instructions:
    "Bots that answer questions from their own knowledge. list_bots tells which there are, find_bot which of them should take a question, " +
    "ask_bot asks; a chat remembers what was asked in it.",
  protocols: [McpProtocol.v2025_11_25, McpProtocol.v2025_06_18, McpProtocol.v2025_03_26, McpProtocol.v2024_11_05]
} as const

/** Every call by one client. */
const asClient = McpServer.middleware<{ provides: ChatbotClient }>()(
  Effect.map(ChatbotClient, (client) => (effect) => Effect.provideService(effect, ChatbotClient, client))
)

const parseJson = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Unknown))

/** No message is longer than this. */
const maxMessageSize = 2 ** 20

/**
 * Standard input without the lines that are no JSON, or too much of it, which are answered here: after one of them the server would read
 * nothing more.
 */
const onlyJson = Layer.effect(
  Stdio.Stdio,
  Effect.map(Stdio.Stdio, (stdio) => {
    const parseError = { jsonrpc: "2.0", id: null, error: { code: -32700, message: "Parse error" } }
    const refuse = Stream.run(Stream.succeed(`${JSON.stringify(parseError)}\n`), stdio.stdout())
    return {
      ...stdio,
      stdin: stdio.stdin.pipe(
        Stream.decodeText,
        Stream.splitLines,
        Stream.filter((line) => line.trim() !== ""),
        Stream.filterEffect((line) =>
          line.length <= maxMessageSize && Option.isSome(parseJson(line))
            ? Effect.succeed(true)
            : Effect.as(refuse, false)
        ),
        Stream.map((line) => `${line}\n`),
        Stream.encodeText
      )
    }
  })
)

/** Over standard input and output, for an agent that starts it; every call is one of the client provided. Nothing else may write there. */
export const layerStdio: Layer.Layer<never, never, ChatbotClient | Stdio.Stdio> = Layer.effectDiscard(
  Layer.build(McpServer.layerStdio({ ...about, registrations: Layer.provide(registrations, asClient.layer) }))
).pipe(Layer.provide(onlyJson), Layer.orDie)

/** Where the endpoint is, and what is behind it. */
export interface HttpOptions {
  /** Where the backend is, as in `ClientOptions`. */
  readonly baseUrl: string | URL
  /** The path of the endpoint; `/mcp` by default. */
  readonly path?: HttpRouter.PathInput | undefined
  /** The origins of web pages that may call it; none by default. */
  readonly allowedOrigins?: ReadonlyArray<string> | undefined
}

/** The token of a request; one that is no bearer token is none. */
const tokenOf = (authorization: string | undefined) => /^bearer +(.*)$/i.exec(authorization ?? "")?.[1]?.trim() ?? ""

/** Every call by a client of its own, with the token of its request. */
const asCaller = (baseUrl: string | URL) =>
  McpServer.middleware<{ provides: ChatbotClient }>()(
    Effect.gen(function* () {
      const http = yield* HttpClient.HttpClient
      const clientOf = (token: string) =>
        ChatbotClient.layer({ baseUrl, token: Redacted.make(token) }).pipe(
          Layer.provide(Layer.succeed(HttpClient.HttpClient, http))
        )
      // What is wrong with the URL is told at the start.
      yield* Effect.scoped(Layer.build(clientOf("")))
      return (effect, { headers }) =>
        Effect.provide(effect, clientOf(tokenOf(headers["authorization"]))).pipe(
          Effect.catchTag("ConfigError", () =>
            Effect.fail(new McpSchema.InvalidRequest({ message: "The bearer token has characters that no token has." }))
          )
        )
    })
  )

const bounded = HttpRouter.middleware(
  Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(maxMessageSize))
)

/**
 * Over HTTP ("Streamable HTTP"), as a route of the `HttpRouter`. The server has no token of its own: each request is handed on with its own
 * `Authorization`. What web pages ask is refused unless their origin is allowed, so that no page can use what listens on this machine.
 */
export const layerHttp = ({
  allowedOrigins,
  baseUrl,
  path = "/mcp"
}: HttpOptions): Layer.Layer<never, Config.ConfigError, HttpRouter.HttpRouter | HttpClient.HttpClient> =>
  Layer.effectDiscard(
    Layer.build(
      McpServer.layerHttp({
        ...about,
        path,
        allowedOrigins,
        registrations: Layer.provide(registrations, asCaller(baseUrl).layer)
      }).pipe(Layer.provide(bounded.layer))
    ).pipe(Effect.catchTag("IllegalArgumentError", Effect.die))
  )
