/**
 * Which bots a caller may use, and which administer.
 */
import type { Caller } from "@effect-chatbot/api/middleware/Authorization"
import { isAdmin } from "./Callers.ts"
import * as Logins from "./Logins.ts"
import type { BotFilter, BotRow } from "./repositories/BotRepository.ts"

const lineOf = (caller: Caller): string | undefined => (caller._tag === "User" ? Logins.line(caller.login) : undefined)

const isListed = (caller: Caller, listed: string): boolean => {
  const line = lineOf(caller)
  return line !== undefined && listed.includes(line)
}

/**
 * Whether the caller may use a bot: an anonymous one only the open bot, a user every bot that is public or names the user in its logins, an
 * admin every bot; and nobody one that is not active.
 */
export const mayUse = (
  caller: Caller,
  bot: Pick<BotRow, "isActive" | "isPublic" | "isOpen" | "listedLogins">
): boolean =>
  bot.isActive &&
  (caller._tag === "Anonymous"
    ? bot.isOpen && bot.isPublic
    : bot.isPublic || isAdmin(caller) || isListed(caller, bot.listedLogins))

/** The same, as a filter of the database. */
export const filter = (caller: Caller): BotFilter => ({
  onlyOpen: caller._tag === "Anonymous",
  onlyPublic: !isAdmin(caller),
  orListing: lineOf(caller)
})

/** Whether the caller is an admin of a bot: an admin of all, or one of those the bot names. */
export const administers = (caller: Caller, bot: Pick<BotRow, "adminLogins">): boolean =>
  isAdmin(caller) || isListed(caller, Logins.listed(bot.adminLogins))

/** Whether the caller may change the facts of a bot: its admins, and those whom it names for that. */
export const contributes = (
  caller: Caller,
  bot: Pick<BotRow, "adminLogins"> & { readonly contributorLogins: string | undefined }
): boolean => administers(caller, bot) || isListed(caller, Logins.listed(bot.contributorLogins))
