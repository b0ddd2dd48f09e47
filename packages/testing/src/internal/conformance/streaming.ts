import type { Check } from "./Check.ts"

/** The checks of answers that are followed as they are made. */
export const streaming: ReadonlyArray<Check> = []
