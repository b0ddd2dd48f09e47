/**
 * What the ways to talk with a bot have in common.
 */
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import type { Completion, InformationSource } from "@effect-chatbot/schema/Chat"
import * as CliError from "effect/cli/CliError"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Render from "./Render.ts"

/** The backend has no bot this caller could talk to. */
export class NoBot extends Schema.TaggedError<NoBot>()("NoBot", {
  message: Schema.String.pipe(
    Schema.withConstructorDefault(Effect.succeed("The backend has no bot that you could talk to."))
  )
}) {
  override get [CliError.userMessage]() {
    return this.message
  }
}

/** The bot a newcomer talks to: the open bot, else the first start bot, else the first of all bots. */
export const greeter = Effect.gen(function* () {
  const { bots, chats } = yield* ChatbotClient
  const { openChatBotId } = yield* chats.openBot
  if (openChatBotId !== undefined) return openChatBotId
  const startBots = yield* bots.startBots({ pageSize: 1 })
  const [first] = startBots.items.length > 0 ? startBots.items : (yield* bots.list({ pageSize: 1 })).items
  return first === undefined ? yield* new NoBot() : first.botId
})

/** A new chat with the bot that newcomers talk to. */
export const open = Effect.gen(function* () {
  const { chats } = yield* ChatbotClient
  return yield* chats.create(yield* greeter)
})

/** The documents an answer was drawn from, each once. */
export const sources = (completion: Pick<Completion, "metaData">): ReadonlyArray<InformationSource> => {
  const byUrl = new Map<string | undefined, InformationSource>()
  for (const source of completion.metaData?.sources ?? []) {
    const key = source.url ?? source.fileName
    if (!byUrl.has(key)) byUrl.set(key, source)
  }
  return [...byUrl.values()]
}

/** A document an answer was drawn from, as a line: its file name and where it can be downloaded. */
export const citation = (source: InformationSource, baseUrl: string, style: Render.Style): string => {
  // A URL may stand there relative to the backend.
  const url = source.url === undefined ? undefined : (URL.parse(source.url, baseUrl)?.href ?? source.url)
  const name = Render.fold(source.fileName ?? "a document without a name")
  return url === undefined ? name : `${name}  ${style.faint(Render.fold(url))}`
}
