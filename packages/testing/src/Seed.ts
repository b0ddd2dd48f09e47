/**
 * What a backend in memory has in it before a test begins, for `ChatbotTest`.
 *
 * ```ts
 * const seed: Seed.Seed = {
 *   bots: { payments: { facts: ["We take cards."] } },
 *   chats: { first: { bot: "payments", user: "ada", questions: ["Do you take cards?"] } }
 * }
 * ```
 */

/** A bot. What is left out is as it is for most: it is active, for every user, and answers by itself. */
export interface BotSeed {
  /** Its code by default. */
  readonly displayName?: string | undefined
  /** What it greets with. */
  readonly displayMessage?: string | undefined
  readonly description?: string | undefined
  readonly baseSystemMessage?: string | undefined
  readonly sampleQuestions?: readonly [first?: string, second?: string] | undefined
  /** What it knows. */
  readonly facts?: ReadonlyArray<string> | undefined
  /** The texts of its knowledge folder by their paths, as `{ "refunds/how.md": "# Refunds…" }`; a chat can download them. */
  readonly documents?: { readonly [path: string]: string } | undefined
  /** Makes it a start bot, which hands each question on to one of these bots, by its keywords. The first one takes what fits none. */
  readonly links?: { readonly [code: string]: ReadonlyArray<string> } | undefined
  readonly isActive?: boolean | undefined
  readonly isPublic?: boolean | undefined
  /** Whether it can be used without a token, as one bot can. Default `false`. */
  readonly isOpen?: boolean | undefined
  readonly isUserSystemMessageSupported?: boolean | undefined
}

/** A user. */
export interface UserSeed {
  /** `["User"]` by default, and `["Admin", "User"]` for the login `admin`. */
  readonly roles?: ReadonlyArray<"Admin" | "User"> | undefined
  /** Whether the terms are accepted. Default `false`. */
  readonly isTermsAccepted?: boolean | undefined
  /** Standing instructions for bots, by their names. */
  readonly systemMessages?: { readonly [displayName: string]: string } | undefined
}

/** A chat. */
export interface ChatSeed {
  /** The code of its bot. */
  readonly bot: string
  /** The login of its user; that of the client of the layer by default. */
  readonly user?: string | undefined
  readonly displayName?: string | undefined
  readonly isFavorite?: boolean | undefined
  /** What was asked in it, in this order; the model answers that first of all, and must not take its time: no clock moves yet. */
  readonly questions?: ReadonlyArray<string> | undefined
}

/** What there is. */
export interface Seed {
  /** The bots by their codes. */
  readonly bots?: { readonly [code: string]: BotSeed } | undefined
  /** The users by their logins. Any other user is there from its first call on. */
  readonly users?: { readonly [login: string]: UserSeed } | undefined
  /** The chats, by names under which a test asks for their ids. */
  readonly chats?: { readonly [name: string]: ChatSeed } | undefined
}
