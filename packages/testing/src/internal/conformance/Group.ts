/** The groups of checks, in the order in which they are run. */
export const groups = ["core", "administration", "streaming", "idempotency", "security"] as const

/**
 * `core`: the 46 operations that users and admins need. `administration`: the 25 of the bots, for admins. `streaming`: answers as events, and
 * the two operations that are added for them. `idempotency`: what a key of a request promises. `security`: who may do what, and what nobody
 * is told.
 */
export type Group = (typeof groups)[number]
