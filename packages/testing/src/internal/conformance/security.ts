import type { Check } from "./Check.ts"

/** The checks of who may do what, and of what nobody is told. */
export const security: ReadonlyArray<Check> = []
