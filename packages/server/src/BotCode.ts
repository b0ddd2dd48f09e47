/**
 * The codes of bots: short names that stand in URLs.
 */

/** What a code looks like. No two bots have the same, in any case of its letters. */
export const pattern: RegExp = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
