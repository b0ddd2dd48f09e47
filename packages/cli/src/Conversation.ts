/**
 * A conversation with a bot on a terminal.
 */
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import type { Bot } from "@effect-chatbot/schema/Bot"
import type { Completion, CreatedChat } from "@effect-chatbot/schema/Chat"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Backend } from "./Backend.ts"
import { explain } from "./Explain.ts"
import { Keyboard } from "./Keyboard.ts"
import * as Render from "./Render.ts"
import { Screen } from "./Screen.ts"
import { spin } from "./Spinner.ts"
import * as Talk from "./Talk.ts"

const commands: ReadonlyArray<readonly [command: string, meaning: string]> = [
  ["/bots", "list the bots"],
  ["/new [code]", "begin a new chat, with the bot of this code or the first one"],
  ["/help", "show this"],
  ["/quit", "leave; Ctrl-C and Ctrl-D do too"]
]

const sampleQuestions = (chat: CreatedChat): ReadonlyArray<string> =>
  [chat.botSampleQuestion1, chat.botSampleQuestion2].flatMap((question) => (question ? [Render.fold(question)] : []))

/** Shows a text word by word, faster than anyone reads: all of it within about a second and a half. At once where nobody watches. */
const stream = Effect.fnUntraced(function* (lines: ReadonlyArray<string>) {
  const screen = yield* Screen
  const text = lines.map((line) => `${line}\n`).join("")
  const words = text.match(/\s*\S+|\s+$/g) ?? []
  if (!screen.canAnimate) return yield* screen.show(text)
  const pause = Math.min(20, 1500 / words.length)
  yield* Effect.forEach(words, (word) => Effect.andThen(screen.show(word), Effect.sleep(pause)), {
    discard: true
  }).pipe(
    // The shell's prompt belongs on a line of its own.
    Effect.onInterrupt(() => screen.show("\n"))
  )
})

const showAnswer = Effect.fnUntraced(function* (chat: CreatedChat, completion: Completion) {
  const screen = yield* Screen
  const { baseUrl } = yield* Backend
  const { style } = screen
  const columns = yield* screen.columns
  // A start bot hands the question over; then it is told who answers.
  if (completion.botId !== chat.botId && completion.botDisplayName !== undefined) {
    yield* screen.lines(style.strong(Render.fold(completion.botDisplayName)))
  }
  yield* stream(Render.prose(completion.assistantMessage ?? "(no answer)", columns, style))
  const sources = Talk.sources(completion)
  if (sources.length > 0) yield* screen.lines("")
  for (const source of sources) yield* screen.lines(`  ${style.accent("▪")} ${Talk.citation(source, baseUrl, style)}`)
  yield* screen.lines("")
})

const showGreeting = Effect.fnUntraced(function* (chat: CreatedChat) {
  const screen = yield* Screen
  const { style } = screen
  const columns = yield* screen.columns
  yield* screen.lines("", style.strong(Render.fold(chat.botDisplayName ?? "A bot")))
  if (chat.botDisplayMessage) yield* screen.lines(...Render.prose(chat.botDisplayMessage, columns, style))
  const samples = sampleQuestions(chat)
  if (samples.length > 0) {
    yield* screen.lines("", "You could ask:")
    yield* screen.lines(
      ...samples.flatMap((sample, index) =>
        Render.wrap(sample, columns, "     ", `  ${style.accent(`${index + 1}`)}  `)
      )
    )
  }
  yield* screen.lines(
    "",
    style.faint(
      `Type a question${samples.length > 0 ? ", or the number of one of these" : ""}. /help shows what else there is.`
    ),
    ""
  )
})

const showHelp = Effect.gen(function* () {
  const screen = yield* Screen
  const room = Math.max(...commands.map(([command]) => command.length)) + 2
  yield* screen.lines(
    ...commands.map(([command, meaning]) => `  ${screen.style.accent(command.padEnd(room))}${meaning}`),
    ""
  )
})

const showBots = Effect.fnUntraced(function* (bots: ReadonlyArray<Bot>) {
  const screen = yield* Screen
  yield* screen.lines(
    ...Render.table(
      [{ title: "code" }, { title: "name" }, { title: "about" }],
      bots.map((bot) => [
        Render.fold(bot.code ?? ""),
        Render.fold(bot.displayName ?? ""),
        Render.fold(bot.description ?? bot.displayMessage ?? "")
      ]),
      { columns: yield* screen.columns, indent: "  ", style: screen.style }
    ),
    ""
  )
})

const showError = Effect.fnUntraced(function* (error: unknown) {
  const screen = yield* Screen
  yield* screen.lines(...Render.wrap(explain(error), yield* screen.columns).map(screen.style.alarm), "")
})

/** Talks with the person at the `Keyboard` until that person leaves. What fails is told, and the conversation goes on. */
export const converse = Effect.gen(function* () {
  const client = yield* ChatbotClient
  const screen = yield* Screen
  const keyboard = yield* Keyboard

  let chat = yield* Talk.open
  yield* showGreeting(chat)

  const begin = Effect.fnUntraced(function* (code: string) {
    chat = yield* code === "" ? Talk.open : client.chats.createByBotCode(code)
    yield* showGreeting(chat)
  })

  const obey = Effect.fnUntraced(function* (command: string, argument: string) {
    switch (command) {
      case "/bots":
        return yield* showBots((yield* client.bots.list({ pageSize: 100 })).items)
      case "/new":
        return yield* begin(argument)
      case "/help":
        return yield* showHelp
      default:
        return yield* screen.lines(`There is no ${Render.fold(command)}. /help shows what there is.`, "")
    }
  })

  const ask = Effect.fnUntraced(function* (question: string) {
    const completion = yield* client.chats.complete(chat.chatId, question).pipe(spin("thinking"))
    yield* showAnswer(chat, completion)
  })

  const prompt = screen.style.accent("› ")
  while (true) {
    const line = yield* keyboard.ask(prompt)
    const text = Option.map(line, (line) => line.trim())
    if (Option.isNone(text)) return
    if (text.value === "") continue
    const [command = "", argument = ""] = text.value.split(/\s+/)
    if (/^\/?(?:quit|exit)$/.test(text.value)) return
    const sample = /^[12]$/.test(text.value) ? sampleQuestions(chat)[Number(text.value) - 1] : undefined
    yield* Effect.gen(function* () {
      if (command.startsWith("/")) yield* obey(command, argument)
      else yield* ask(sample ?? text.value)
    }).pipe(Effect.catch(showError))
  }
})
