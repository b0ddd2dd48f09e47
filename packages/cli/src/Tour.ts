/**
 * A tour of the API: every group of it through the client, and what each call returned in a form that reads well.
 */
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as Sources from "@effect-chatbot/client/Sources"
import type { Bot } from "@effect-chatbot/schema/Bot"
import { type Completion, type CreatedChat, Vote } from "@effect-chatbot/schema/Chat"
import { BotId } from "@effect-chatbot/schema/Ids"
import { TokenUsageType } from "@effect-chatbot/schema/TokenUsage"
import type { CurrentUser } from "@effect-chatbot/schema/User"
import * as CliError from "effect/cli/CliError"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Backend } from "./Backend.ts"
import { explain } from "./Explain.ts"
import * as Render from "./Render.ts"
import { Screen } from "./Screen.ts"
import * as Talk from "./Talk.ts"

/** A call of the tour failed, and the tour ended with it. */
export class TourFailed extends Schema.TaggedError<TourFailed>()("TourFailed", {
  message: Schema.String
}) {
  override get [CliError.userMessage]() {
    return this.message
  }
}

/** What is shown of a result: some words beside the name of the method, and lines below it. */
type Shown = string | readonly [beside: string, ...below: ReadonlyArray<string>]

/** How many endpoints the contract has, but for the 25 that keep bots. */
const endpointCount = 46

/** Where the words beside the names of the methods begin. */
const margin = 34
const indent = "    "

/** The endpoint behind a stream of items: it goes through the pages of this method. */
const pages: Readonly<Record<string, string>> = { "users.chatItems": "users.chats" }

/** Shows calls and counts them. */
const makeGuide = Effect.gen(function* () {
  const screen = yield* Screen
  const columns = yield* screen.columns
  const { style } = screen
  const endpoints = new Set<string>()
  let calls = 0

  const section = (title: string, about: string) =>
    screen.lines("", `${style.strong(title)} ${style.faint(`· ${about}`)}`)

  const show = (method: string, shown: Shown) => {
    const [beside, ...below] = typeof shown === "string" ? [shown] : shown
    const name = `  ${style.accent(method)}`
    const lines = Render.wrap(Render.clean(beside), columns, " ".repeat(margin))
    // A name that is too long for its column has a line to itself.
    const head =
      Render.width(name) < margin
        ? [name.padEnd(name.length - Render.width(name) + margin) + (lines[0] ?? "").trimStart(), ...lines.slice(1)]
        : [name, ...lines]
    return screen.lines(...head, ...below.map((line) => (indent + line).trimEnd()))
  }

  /** Makes a call and shows what it returned. */
  const call = <A, E, R>(method: string, effect: Effect.Effect<A, E, R>, shown: (result: A) => Shown) =>
    effect.pipe(
      Effect.mapError((error) => new TourFailed({ message: `${method}: ${explain(error)}` })),
      Effect.tap((result) => {
        calls++
        endpoints.add(pages[method] ?? method)
        return show(method, shown(result))
      })
    )

  const inner = columns - indent.length
  const text = (text: string) => Render.prose(text, inner, style)
  const table = (heading: ReadonlyArray<Render.Column>, rows: ReadonlyArray<ReadonlyArray<string>>) =>
    Render.table(
      heading,
      rows.map((row) => row.map(Render.fold)),
      { columns: inner, style }
    )
  const summary = () => `${Render.count(calls, "call")} to ${endpoints.size} of the ${endpointCount} core endpoints`

  return { call, screen, section, style, summary, table, text }
})

const nameOf = (bot: Pick<Bot, "botId" | "displayName">): string => Render.fold(bot.displayName ?? bot.botId)

const quoted = (text: string | undefined): string => `"${Render.fold(text ?? "")}"`

const keeps = (user: CurrentUser): string =>
  !user.isKeepChatHistory
    ? "keeps no chats"
    : user.keepChatHistoryForDays === 0
      ? "keeps chats for ever"
      : `keeps chats for ${Render.count(user.keepChatHistoryForDays, "day")}`

const kindOf: Readonly<Record<number, string>> = {
  [TokenUsageType.completion]: "completion",
  [TokenUsageType.search]: "search",
  [TokenUsageType.embedding]: "embedding"
}

const noSuchBot = BotId.make("00000000-0000-7000-8000-000000000000")

/**
 * Calls the API from one end to the other and shows what comes back. It takes back what it made, also when it fails half way. On a
 * backend that is not temporary it leaves out what others would notice, and without the role `Admin` what only admins may do.
 */
export const tour = Effect.gen(function* () {
  const { admin, bots, cache, chats, statistics, system, users } = yield* ChatbotClient
  const { baseUrl, isTemporary } = yield* Backend
  const { call, screen, section, style, summary, table, text } = yield* makeGuide

  // What is still there when the tour ends early.
  const made = new Map<string, Effect.Effect<void>>()
  yield* Effect.addFinalizer(() => Effect.all(made.values(), { discard: true }))
  const forget = (id: string) => Effect.sync(() => made.delete(id))

  const greeted = (chat: CreatedChat): Shown => {
    made.set(chat.chatId, Effect.ignore(chats.delete(chat.chatId)))
    return [
      `a chat with ${Render.fold(chat.botDisplayName ?? "a bot")}, who says:`,
      ...text(chat.botDisplayMessage ?? "")
    ]
  }
  const answered = (completion: Completion): Shown => [
    quoted(completion.userMessage),
    ...text(`${Render.fold(completion.botDisplayName ?? "The bot")}: ${completion.assistantMessage ?? ""}`),
    ...Talk.sources(completion).map((source) => `${style.accent("▪")} ${Talk.citation(source, baseUrl, style)}`)
  ]

  yield* screen.lines(
    style.strong("A tour of the chatbot API"),
    ...Render.wrap(
      `Every call goes through the client to the backend at ${baseUrl}${
        isTemporary ? ", which was started for this tour" : ""
      }. Ask it something yourself: run the same command on a terminal, or with questions from a pipe.`,
      yield* screen.columns
    )
  )

  yield* section("Users", "Who is calling.")
  const user = yield* call(
    "users.current",
    users.current,
    (user) =>
      `${Render.fold(user.login ?? `user ${user.id}`)}, ${user.roles.join(" and ") || "without a role"}, ${keeps(user)}`
  )
  const isAdmin = user.roles.includes("Admin")
  if (isTemporary) {
    yield* call("users.acceptTerms", users.acceptTerms, () => "accepted")
    yield* call(
      "users.update",
      users.update({ isKeepChatHistory: true, keepChatHistoryForDays: 30, isKeepFavoritesForever: true }),
      () => "keep chats for 30 days, favourites for ever"
    )
    yield* call(
      "users.current",
      users.current,
      (user) => `terms ${user.isTermsAccepted ? "accepted" : "not accepted"}, ${keeps(user)}`
    )
  }

  yield* section("System", "What users are told about the state of the system.")
  yield* call("system.status", system.status, (status) => (status === "" ? "all is well" : quoted(status)))
  if (isTemporary && isAdmin) {
    const notice = "Back in ten minutes."
    yield* call("system.setStatus", system.setStatus(notice), () => "a notice is set")
    yield* call("system.status", system.status, quoted)
    yield* call("system.setStatus", system.setStatus(""), () => "taken back")
  }

  yield* section("Bots", "Who answers, and who answers what.")
  const all = yield* call("bots.list", bots.list({ pageSize: 10 }), (page) => [
    Render.count(page.totalItemCount, "bot"),
    ...table(
      [{ title: "code" }, { title: "name" }, { title: "about" }],
      page.items.map((bot) => [bot.code ?? "", nameOf(bot), bot.description ?? ""])
    )
  ])
  const byId = new Map(all.items.map((bot) => [bot.botId, bot]))
  const nameById = (id: BotId) => nameOf(byId.get(id) ?? { botId: id, displayName: undefined })
  const startBots = yield* call(
    "bots.startBots",
    bots.startBots(),
    (page) => page.items.map(nameOf).join(", ") || "none"
  )
  const [startBot] = startBots.items
  if (startBot !== undefined) {
    yield* call(
      "bots.listByStartBot",
      bots.listByStartBot(startBot.botId),
      (page) => `${nameOf(startBot)} passes questions on to ${page.items.map(nameOf).join(", ") || "nobody"}`
    )
    for (const question of ["How do I back up the database?", "Which status code has a missing chat?"]) {
      yield* call(
        "bots.search",
        bots.search(startBot.botId, question),
        (id) => `${quoted(question)} is for ${nameById(id)}`
      )
    }
  }
  for (const bot of all.items.slice(0, 1)) {
    const image = bots.image(bot.botId).pipe(
      Effect.flatMap(({ contentType, stream }) =>
        Effect.map(
          Stream.mkUint8Array(stream),
          ({ length }) => `${nameOf(bot)}: ${contentType}, ${Render.bytes(length)}`
        )
      ),
      Effect.catchTag("BotImageNotFound", () => Effect.succeed(`${nameOf(bot)} has no image`))
    )
    yield* call("bots.image", image, (shown) => shown)
  }

  yield* section("Chats", "Questions, answers, and the documents they were drawn from.")
  const open = yield* call("chats.openBot", chats.openBot, ({ openChatBotId }) =>
    openChatBotId === undefined ? "no bot is open to everybody" : `${nameById(openChatBotId)} is open to everybody`
  )
  const first = yield* call("chats.create", chats.create(open.openChatBotId ?? (yield* Talk.greeter)), greeted)
  const questions = [first.botSampleQuestion1, first.botSampleQuestion2].filter((question) => question !== undefined)
  const completions: Array<Completion> = []
  for (const question of questions.length > 0 ? questions : ["What can you do?"]) {
    completions.push(yield* call("chats.complete", chats.complete(first.chatId, question), answered))
  }
  const other = all.items.find(({ botId, code }) => botId !== first.botId && code !== undefined)
  const second = yield* call(
    "chats.createByBotCode",
    chats.createByBotCode(other?.code ?? byId.get(first.botId ?? noSuchBot)?.code ?? ""),
    greeted
  )
  completions.push(
    yield* call(
      "chats.complete",
      chats.complete(second.chatId, second.botSampleQuestion1 ?? "What can you do?"),
      answered
    )
  )
  yield* call("chats.rename", chats.rename(first.chatId, "The tour"), () => "The tour")
  yield* call(
    "chats.get",
    chats.get(first.chatId),
    (chat) => `${quoted(chat.displayName)} holds ${Render.count(chat.completions.length, "question")} and their answers`
  )
  const [praised] = completions
  if (praised !== undefined) {
    const { assistantMessage, userMessage } = praised
    yield* call(
      "chats.feedback",
      chats.feedback(first.chatId, {
        userMessage,
        assistantMessage,
        voteId: Vote.up,
        userComment: "Just what I needed."
      }),
      () => "thumbs up, with a comment"
    )
  }

  const source = completions.flatMap((completion) =>
    Talk.sources(completion).flatMap((source) => {
      const path = Sources.pathOf(source)
      const chatId = completion.chatId
      return path === undefined || chatId === undefined ? [] : [{ chatId, fileName: source.fileName ?? path, path }]
    })
  )[0]
  if (source !== undefined) {
    const ticket = yield* call(
      "chats.createTicket",
      chats.createTicket(source.chatId),
      (ticket) => `a ticket of ${ticket.length} characters, good for one download`
    )
    const download = chats
      .download(source.chatId, source.path, { ticket })
      .pipe(
        Effect.flatMap(({ contentType, stream }) =>
          Effect.map(
            Stream.mkUint8Array(stream),
            ({ length }) => `${source.fileName}: ${contentType}, ${Render.bytes(length)}`
          )
        )
      )
    yield* call("chats.download", download, (shown) => shown)
  }

  yield* section("Users: standing instructions", "Texts that bots follow in the chats of a user.")
  const { systemMessages } = users
  const messageId = yield* call(
    "users.systemMessages.create",
    systemMessages.create({ displayName: "Brief", systemMessage: "Answer in one sentence." }),
    (id) => {
      made.set(id, Effect.ignore(systemMessages.delete(id)))
      return `"Brief" is made`
    }
  )
  yield* call(
    "users.systemMessages.update",
    systemMessages.update(messageId, {
      displayName: "Very brief",
      systemMessage: "Answer in one short sentence."
    }),
    () => `it is "Very brief" now`
  )
  yield* call(
    "users.systemMessages.get",
    systemMessages.get(messageId),
    (message) => `${quoted(message.displayName)} says ${quoted(message.systemMessage)}`
  )
  yield* call("users.systemMessages.list", systemMessages.list(), (page) =>
    page.items.map(({ displayName }) => quoted(displayName)).join(", ")
  )
  yield* call("users.systemMessages.count", systemMessages.count, (count) => `${count}`)
  const follower = [second, first].find((chat) => chat.isUserSystemMessageSupported)
  if (follower?.botId !== undefined) {
    const { botId, chatId } = follower
    yield* call(
      "chats.setUserSystemMessage",
      chats.setUserSystemMessage(chatId, messageId),
      () => `the chat with ${nameById(botId)} follows it`
    )
    yield* call(
      "users.chatsByBotAndSystemMessage",
      users.chatsByBotAndSystemMessage(botId, messageId),
      (page) => `${Render.count(page.totalItemCount, "chat")} with ${nameById(botId)} that follows it`
    )
    yield* call(
      "chats.removeUserSystemMessage",
      chats.removeUserSystemMessage(chatId),
      () => "the chat follows none any more"
    )
    yield* call(
      "users.deleteChatsByBotAndSystemMessage",
      users.deleteChatsByBotAndSystemMessage(botId, messageId, { keepFavorites: true }),
      () => "chats that follow it would be gone; there is none"
    )
  }
  yield* call("users.systemMessages.delete", systemMessages.delete(messageId), () => "gone")
  yield* forget(messageId)

  yield* section("Users: their chats", "Lists come as pages, and as a stream over all pages.")
  yield* call("users.setFavorite", users.setFavorite(first.chatId, true), () => `"The tour" is a favourite`)
  yield* call(
    "users.chats",
    users.chats({ onlyFavorites: true, searchFor: "tour" }),
    (page) =>
      `${Render.count(page.totalItemCount, "favourite")} about a tour: ${page.items
        .map(({ displayName }) => quoted(displayName))
        .join(", ")}`
  )
  yield* call("users.chatItems", Stream.runCollect(Stream.take(users.chatItems({ pageSize: 1 }), 5)), (chats) => [
    `${Render.count(chats.length, "chat")}, by a page each`,
    ...chats.map((chat) => `${quoted(chat.displayName)} with ${Render.fold(chat.botDisplayName ?? "a bot")}`)
  ])
  if (first.botId !== undefined) {
    yield* call(
      "users.chatsByBot",
      users.chatsByBot(first.botId),
      (page) => `${Render.count(page.totalItemCount, "chat")} with ${Render.fold(first.botDisplayName ?? "the bot")}`
    )
  }
  if (praised !== undefined) {
    yield* call(
      "users.deleteCompletion",
      users.deleteCompletion(first.chatId, praised.completionId),
      () => `${quoted(praised.userMessage)} and its answer are gone`
    )
  }

  yield* section("Errors", "What can go wrong is in the type, and is caught by its tag.")
  const missing = chats.create(noSuchBot).pipe(
    Effect.as("that should not have worked"),
    Effect.catchTag("BotNotFound", (error) => Effect.succeed(`${error._tag}, caught: ${error.message}`))
  )
  yield* call("chats.create", missing, (shown) => shown)

  if (isAdmin) {
    yield* section("Admin", "The services that bots answer through, for those who have a key of one.")
    const services = admin.openAiServices
    const serviceId = yield* call(
      "admin.openAiServices.create",
      services.create({
        displayName: "Example",
        isActive: false,
        azureOpenAiEndpoint: "https://example.openai.azure.com",
        azureOpenAiApiKey: Redacted.make("an example, not a key")
      }),
      (id) => {
        made.set(id, Effect.ignore(services.delete(id)))
        return `"Example" is made`
      }
    )
    yield* call(
      "admin.openAiServices.get",
      services.get(serviceId),
      (service) =>
        `${quoted(service.displayName)} at ${Render.fold(service.azureOpenAiEndpoint ?? "no endpoint")}, ${
          service.isAzureOpenAiSet ? "with a key that is never told" : "without a key"
        }`
    )
    yield* call(
      "admin.openAiServices.update",
      services.update(serviceId, { displayName: "Example, renamed", isActive: false, isUpdateOpenAi: false }),
      () => "renamed; its endpoint and key stay"
    )
    yield* call("admin.openAiServices.list", services.list(), (page) =>
      page.items
        .map((service) => `${quoted(service.displayName)} (${service.isActive ? "active" : "not active"})`)
        .join(", ")
    )
    yield* call("admin.openAiServices.delete", services.delete(serviceId), () => "gone")
    yield* forget(serviceId)

    yield* section("Statistics", "Who used what: requests and tokens by day, bot and kind.")
    yield* call("statistics.recompute", statistics.recompute, () => "computed anew from the ledger")
    yield* call("statistics.tokenUsage", statistics.tokenUsage({ pageSize: 10 }), (page) => [
      Render.count(page.totalItemCount, "row"),
      ...table(
        [
          { title: "day" },
          { title: "bot" },
          { title: "kind" },
          { title: "requests", align: "right" },
          { title: "prompt", align: "right" },
          { title: "completion", align: "right" },
          { title: "tokens", align: "right" }
        ],
        page.items.map((row) => [
          row.requestDate ?? "",
          row.botDisplayName ?? "",
          kindOf[row.tokenUsageTypeId] ?? `${row.tokenUsageTypeId}`,
          ...[row.requestCount, row.promptTokens, row.completionTokens, row.totalTokens].map(String)
        ])
      )
    ])
  }

  if (isAdmin && isTemporary) {
    yield* section("Cache and bots", "For operators: begin afresh, and stop what runs.")
    yield* call("cache.clear", cache.clear, () => "every cache is empty")
    yield* call("bots.stopAll", bots.stopAll, (stopped) => (stopped ? "nothing is being answered now" : "not stopped"))
  }

  yield* section("The end", "The tour leaves nothing behind.")
  yield* call(
    "users.deleteChat",
    users.deleteChat(second.chatId),
    () => `the chat with ${second.botDisplayName ?? "the bot"} is gone`
  )
  yield* forget(second.chatId)
  yield* call("chats.delete", chats.delete(first.chatId), () => `"The tour" is gone`)
  yield* forget(first.chatId)
  if (isTemporary) {
    if (first.botId !== undefined) {
      yield* call(
        "users.deleteChatsByBot",
        users.deleteChatsByBot(first.botId, { keepFavorites: false }),
        () => `no chat with ${first.botDisplayName ?? "the bot"} is left`
      )
    }
    yield* call("users.deleteChats", users.deleteChats({ keepFavorites: false }), () => "no chat at all is left")
  }

  return summary
}).pipe(
  Effect.scoped,
  Effect.timed,
  Effect.flatMap(([duration, summary]) =>
    Effect.flatMap(Screen, ({ lines, style }) =>
      lines("", style.strong(`${summary()}, in ${Render.seconds(duration)}.`))
    )
  )
)
