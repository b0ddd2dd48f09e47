/**
 * A tour of the API: every group of it through the client, and what each call returned in a form that reads well.
 */
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import type { Bot } from "@effect-chatbot/schema/Bot"
import { type Completion, type CreatedChat, Vote } from "@effect-chatbot/schema/Chat"
import { BotId, type ChatId } from "@effect-chatbot/schema/Ids"
import { TokenUsageType } from "@effect-chatbot/schema/TokenUsage"
import * as DateTime from "effect/DateTime"
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
}) {}

/** What is shown of a result: some words beside the name of the method, and lines below it. */
type Shown = string | readonly [beside: string, ...below: ReadonlyArray<string>]

const indent = "    "

/** The streams of the client go through the pages of these. */
const pagedBy: Readonly<Record<string, string>> = {
  "users.chatItems": "users.chats"
}

/** Shows calls and counts them. */
const makeGuide = Effect.gen(function*() {
  const screen = yield* Screen
  const columns = yield* screen.columns
  const { style } = screen
  const endpoints = new Set<string>()
  let calls = 0

  const section = (title: string, about: string) =>
    screen.lines("", `${style.strong(title)}  ${style.faint(about)}`)

  /** Makes a call and shows what it returned. */
  const call = <A, E, R>(method: string, effect: Effect.Effect<A, E, R>, show: (result: A) => Shown) =>
    effect.pipe(
      Effect.mapError((error) => new TourFailed({ message: `${method} failed: ${explain(error)}` })),
      Effect.tap((result) => {
        calls++
        endpoints.add(pagedBy[method] ?? method)
        const shown = show(result)
        const [beside, ...below] = typeof shown === "string" ? [shown] : shown
        const name = `  ${style.accent(method)}`
        const first = Render.width(method) > 30 ? [name] : []
        const margin = " ".repeat(34)
        const lines = Render.wrap(Render.clean(beside), columns, margin)
        return screen.lines(
          ...first,
          ...lines.map((line, index) =>
            index === 0 && first.length === 0 ? name + " ".repeat(32 - Render.width(method)) + line.slice(34) : line
          ),
          ...below.map((line) => line === "" ? "" : indent + line)
        )
      })
    )

  const wrap = (text: string) => Render.wrap(Render.clean(text).trim(), columns - indent.length)
  const table = (titles: ReadonlyArray<Render.Column>, rows: ReadonlyArray<ReadonlyArray<string>>) =>
    Render.table(titles, rows.map((row) => row.map(Render.fold)), { columns: columns - indent.length, style })

  return { call, columns, endpoints, calls: () => calls, section, screen, style, table, wrap }
})

const yes = (flag: boolean): string => flag ? "yes" : "no"

const nameOf = (bot: Pick<Bot, "botId" | "displayName">): string => bot.displayName ?? bot.botId

const kinds: Readonly<Record<number, string>> = {
  [TokenUsageType.completion]: "completion",
  [TokenUsageType.search]: "search",
  [TokenUsageType.embedding]: "embedding"
}

/** What stands after `downloads/` in the URL of a source. */
const downloadPath = (url: string, baseUrl: string): string | undefined => {
  const path = URL.parse(url, baseUrl)?.pathname.split("/downloads/")[1]
  return path === undefined || path === "" ? undefined : path.split("/").map(decodeURIComponent).join("/")
}
