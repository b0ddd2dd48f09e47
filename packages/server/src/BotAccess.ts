/**
 * Which bots a caller may use.
 */
import type { Caller } from "@effect-chatbot/api/middleware/Authorization"
import { isAdmin } from "./Callers.ts"
import type { BotFilter, BotRow } from "./repositories/BotRepository.ts"

/**
 * Whether the caller may use a bot: an anonymous one only the open bot, a user every bot that is public, an admin every bot; and nobody
 * one that is not active.
 */
export const mayUse = (caller: Caller, bot: Pick<BotRow, "isActive" | "isPublic" | "isOpen">): boolean =>
  bot.isActive && (caller._tag === "Anonymous" ? bot.isOpen && bot.isPublic : bot.isPublic || isAdmin(caller))

/** The same, as a filter of a list. */
export const filter = (caller: Caller): BotFilter => ({
  onlyOpen: caller._tag === "Anonymous",
  onlyPublic: !isAdmin(caller)
})
