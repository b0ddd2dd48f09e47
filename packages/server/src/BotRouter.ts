/**
 * Which bot takes a message.
 */
import { BotId } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import type * as SqlError from "effect/sql/SqlError"
import { stem } from "./internal/Stemmer.ts"
import * as Words from "./internal/Words.ts"
import * as Knowledge from "./Knowledge.ts"

/** A bot that takes a message, and why. */
export interface Route {
  readonly botId: BotId
  /**
   * `itself`: not a start bot, or one whose bots are all inactive. `keywords`, `text`: the message fits this bot by its keywords or by
   * what it knows. `default`: the message fits none.
   */
  readonly reason: "itself" | "keywords" | "text" | "default"
  /** All the active bots that could have been chosen, the chosen one first; the bot itself when it is no start bot. */
  readonly candidates: ReadonlyArray<BotId>
}

interface Row {
  readonly botId: string
  readonly isDefault: number
  readonly keywords: string | null
}

/** A keyword or message as its stems between spaces, so that whole words and phrases can be looked for as text. */
const normalized = (text: string): string => ` ${Words.words(text).map(stem).join(" ")} `

const matches = (message: string, keywords: string | null): number => {
  if (keywords === null) return 0
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
     * The bot that should take this message. For a start bot: of its active linked bots the one with the most keywords in the message
     * (whole words or phrases, in any case, singular or plural), else the one that knows most about it, else the default. For any other
     * bot (or an id that is not one): itself. When the message has nothing of its own to go by, `previousMessage`, the one before it in
     * the chat, decides.
     */
    readonly route: (
      botId: BotId,
      message: string,
      previousMessage?: string | undefined
    ) => Effect.Effect<Route, SqlError.SqlError>
  }
>()("@effect-chatbot/server/BotRouter") {}

/** Routes by the links in the database, over the given knowledge. */
export const layerNoDeps: Layer.Layer<BotRouter, never, SqlClient.SqlClient | Knowledge.Knowledge> = Layer.effect(
  BotRouter,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const knowledge = yield* Knowledge.Knowledge

    const byMessage = Effect.fnUntraced(function* (links: ReadonlyArray<Row>, text: string) {
      const message = normalized(Words.truncate(text, Words.limits.characters))
      const scored = links.map((link) => ({ botId: link.botId, score: matches(message, link.keywords) }))
      const most = Math.max(...scored.map(({ score }) => score))
      const tied = scored.filter(({ score }) => score === most).map(({ botId }) => botId)
      const [first, second] = tied
      if (most > 0 && first !== undefined && second === undefined) return { botId: first, reason: "keywords" as const }
      const found = yield* knowledge.search(tied, text, 8)
      const best = found.passages[0]?.botId
      if (most > 0) return { botId: best ?? first, reason: "keywords" as const }
      // A word that two bots happen to have decides nothing.
      return Knowledge.isAbout(found) ? { botId: best, reason: "text" as const } : undefined
    })

    const route = Effect.fn("BotRouter.route")(function* (
      botId: BotId,
      message: string,
      previousMessage?: string | undefined
    ): Effect.fn.Return<Route, SqlError.SqlError> {
      const links = yield* sql<Row>`
        SELECT l.bot_id, l.is_default, l.keywords
        FROM bots s
        JOIN bot_links l ON l.start_bot_id = s.id
        JOIN bots b ON b.id = l.bot_id
        WHERE s.id = ${botId} AND s.implementation_type = 'Start' AND b.is_active = 1
        ORDER BY l.is_default DESC, b.code`
      const [fallback] = links
      if (fallback === undefined) return { botId, reason: "itself", candidates: [botId] }
      let chosen = yield* byMessage(links, message)
      if (previousMessage !== undefined && chosen?.reason !== "keywords" && Words.isFollowUp(message)) {
        chosen = (yield* byMessage(links, previousMessage)) ?? chosen
      }
      const id = BotId.make(chosen?.botId ?? fallback.botId)
      const others = links.map((link) => BotId.make(link.botId)).filter((other) => other !== id)
      return { botId: id, reason: chosen?.reason ?? "default", candidates: [id, ...others] }
    })

    return BotRouter.of({ route })
  })
)

/** Routes by the links and the knowledge in the database. */
export const layer: Layer.Layer<BotRouter, never, SqlClient.SqlClient> = Layer.provide(layerNoDeps, Knowledge.layer)
