/**
 * Which bot takes a message that was sent to a start bot.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as SqlClient from "effect/sql/SqlClient"
import { stem } from "./internal/Stemmer.ts"
import * as Words from "./internal/Words.ts"
import * as Knowledge from "./Knowledge.ts"
import { BotRepository, type BotRow, type LinkedBotRow } from "./repositories/BotRepository.ts"

/** A bot that takes a message, and why: by its keywords, by what it knows, or because the message fits no bot. */
export interface Route {
  readonly bot: BotRow
  readonly reason: "keywords" | "text" | "default"
}

/** A keyword or message as its stems between spaces, so that whole words and phrases can be looked for as text. */
const normalized = (text: string): string => ` ${Words.words(text).map(stem).join(" ")} `

const matches = (message: string, keywords: string | undefined): number => {
  if (keywords === undefined) return 0
  let count = 0
  for (const keyword of keywords.split(",")) {
    const wanted = normalized(keyword)
    if (wanted.trim() !== "" && message.includes(wanted)) count++
  }
  return count
}

/** Chooses the bot for a message. */
export class BotRouter extends Context.Service<
  BotRouter,
  {
    /**
     * The bot that should take this message: of the active bots that this one links to the one with the most keywords in the message
     * (whole words or phrases, in any case, singular or plural), else the one that knows most about it, else the default. When the
     * message has nothing of its own to go by, the last of the `earlier` ones of the chat (oldest first) that has decides.
     *
     * Absent for a bot that links to none that is active: it takes the message itself.
     */
    readonly route: (
      bot: Pick<BotRow, "id">,
      message: string,
      earlier?: ReadonlyArray<string> | undefined
    ) => Effect.Effect<Route | undefined>
  }
>()("@effect-chatbot/server/BotRouter") {}

/** Routes by the links and the knowledge in the database. */
export const layer: Layer.Layer<BotRouter, never, SqlClient.SqlClient> = Layer.effect(
  BotRouter,
  Effect.gen(function* () {
    const bots = yield* BotRepository
    const knowledge = yield* Knowledge.Knowledge

    const byMessage = Effect.fnUntraced(function* (links: ReadonlyArray<LinkedBotRow>, text: string) {
      const message = normalized(Words.truncate(text, Words.limits.characters))
      const scored = links.map((bot) => ({ bot, score: matches(message, bot.keywords) }))
      const most = Math.max(...scored.map(({ score }) => score))
      const tied = scored.filter(({ score }) => score === most).map(({ bot }) => bot)
      const [first, second] = tied
      if (most > 0 && first !== undefined && second === undefined) return { bot: first, reason: "keywords" as const }
      const found = yield* knowledge.search(
        tied.map(({ id }) => id),
        text,
        8
      )
      const best = tied.find(({ id }) => id === found.passages[0]?.botId)
      if (most > 0) return { bot: best ?? first, reason: "keywords" as const }
      // A word that two bots happen to have decides nothing.
      return Knowledge.isAbout(found) ? { bot: best, reason: "text" as const } : undefined
    })

    const route = Effect.fn("BotRouter.route")(function* (
      { id }: Pick<BotRow, "id">,
      message: string,
      earlier: ReadonlyArray<string> = []
    ): Effect.fn.Return<Route | undefined> {
      const links = yield* bots.linked(id)
      const [fallback] = links
      if (fallback === undefined) return undefined
      let chosen = yield* byMessage(links, message)
      if (chosen?.reason !== "keywords" && Words.isFollowUp(message)) {
        const before = earlier.findLast((text) => !Words.isFollowUp(text))
        if (before !== undefined) chosen = (yield* byMessage(links, before)) ?? chosen
      }
      return { bot: chosen?.bot ?? fallback, reason: chosen?.reason ?? "default" }
    })

    return { route }
  })
).pipe(Layer.provide([BotRepository.layer, Knowledge.layer]))
