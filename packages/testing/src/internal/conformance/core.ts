import { bots } from "./bots.ts"
import { chats } from "./chats.ts"
import type { Check } from "./Check.ts"
import { services } from "./services.ts"
import { system } from "./system.ts"
import { users } from "./users.ts"

/** The checks of what users and admins need of a backend. */
export const core: ReadonlyArray<Check> = [...services, ...bots, ...system, ...chats, ...users]
