import { adminBots } from "./adminBots.ts"
import type { Check } from "./Check.ts"
import { configurations } from "./configurations.ts"
import { facts } from "./facts.ts"
import { feedback } from "./feedback.ts"
import { links } from "./links.ts"

/** The checks of what admins need to keep bots. */
export const administration: ReadonlyArray<Check> = [...adminBots, ...facts, ...links, ...feedback, ...configurations]
