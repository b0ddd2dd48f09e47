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
export class BotRouter extends Context.Service<BotRouter, {
  /**
   * The bot that should take this message. For a start bot: of its active linked bots the one with the most keywords in the message
   * (whole words or phrases, in any case, singular or plural), else the one that knows most about it, else the default. For any other
   * bot (or an id that is not one): itself. When the message has nothing of its own to go by, `previousMessage`, the one before it in
   * the chat, decides.
   */
  readonly route: (botId: BotId, message: string, previousMessage?: string | undefined) => Effect.Effect<Route, SqlError.SqlError>
}>()("@effect-chatbot/server/BotRouter") {}

/** Routes by the links in the database, over the given knowledge. */
export const layerNoDeps: Layer.Layer<BotRouter, never, SqlClient.SqlClient | Knowledge.Knowledge> = Layer.effect(
  BotRouter,
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const knowledge = yield* Knowledge.Knowledge

    const byMessage = Effect.fnUntraced(function*(links: ReadonlyArray<Row>, text: string) {
      const message = normalized(Words.truncate(text, Words.limits.characters))
      const scored = links.map((link) => ({ botId: link.botId, score: matches(message, link.keywords) }))
      const best = Math.max(...scored.map((_) => _.score))
      const tied = scored.filter((_) => _.score === best).map((_) => _.botId)
      if (best > 0 && tied[0] !== undefined && tied.length === 1) return { botId: tied[0], reason: "keywords" as const }
      const found = yield* knowledge.search(tied, text, 1)
      const [passage] = found.passages
      if (passage !== undefined) return { botId: passage.botId, reason: best > 0 ? "keywords" as const : "text" as const }
      return best > 0 && tied[0] !== undefined ? { botId: tied[0], reason: "keywords" as const } : undefined
    })

    const route = Effect.fn("BotRouter.route")(function*(
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
      if (links.length === 0) return { botId, reason: "itself", candidates: [botId] }
      let chosen = yield* byMessage(links, message)
      if (previousMessage !== undefined && (chosen === undefined || Words.isFollowUp(message)) && chosen?.reason !== "keywords") {
        chosen = (yield* byMessage(links, previousMessage)) ?? chosen
      }
      const first = links.find((link) => link.isDefault === 1)
      const { botId: id, reason } = chosen ?? (first === undefined
        ? { botId: links[0]?.botId ?? botId, reason: "default" as const }
        : { botId: first.botId, reason: "default" as const })
      const others = links.filter((link) => link.botId !== id).map((link) => BotId.make(link.botId))
      return { botId: BotId.make(id), reason, candidates: [BotId.make(id), ...others] }
    })

    return BotRouter.of({ route })
  })
)

/** Routes by the links and the knowledge in the database. */
export const layer: Layer.Layer<BotRouter, never, SqlClient.SqlClient> = Layer.provide(layerNoDeps, Knowledge.layer)
