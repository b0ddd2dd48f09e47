import type { Check } from "./Check.ts"

/** The checks of what admins need to keep bots. */
export const administration: ReadonlyArray<Check> = []
