import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import { checksOf } from "./Check.ts"
import type { Input } from "./exchange.ts"
import * as Given from "./given.ts"
import { nobodys } from "./patterns.ts"
import { Target } from "./Target.ts"

/** Makes checks of the group. */
export const check = checksOf("administration")

/** What most of its checks need. */
export const admin = ["admin"] as const
/** What those need in which somebody chats. */
export const user = ["user", "admin"] as const

/** A text of a bot in its languages. */
export const term = (value: string) => ({ value, valueDe: value })

/** A list of bots, for `listChecks`. */
export const bots = { items: "bots", id: "botId", needs: admin, makes: admin } as const
/** A new bot of this name. */
export const named = (text: string, payload: { readonly [field: string]: Schema.Json } = {}) =>
  Effect.map(Given.bot({ ...payload, displayNameTv: term(text) }), ({ botId }) => botId)

/** A request about a bot that there is not. */
export const missingBot = Effect.map(Target, ({ name }): Input => ({
  params: { botId: nobodys, startBotId: nobodys },
  payload: Given.botPayload(name("nothing"))
}))
