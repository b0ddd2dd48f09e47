import type { Check } from "./Check.ts"

/** The checks of what a key of a request promises. */
export const idempotency: ReadonlyArray<Check> = []
