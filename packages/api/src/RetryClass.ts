/**
 * Whether a call may be sent again when its outcome is not known. It follows from what the endpoint does, not from its method.
 */
import * as Context from "effect/Context"

/**
 * `safe`: it changes nothing; it may always be sent again.
 * `idempotent`: twice has the effect of once; it may always be sent again.
 * `keyed`: an idempotency key makes twice have the effect of once; it may be sent again to a backend that honours keys.
 * `never`: it is sent once.
 */
export type RetryClass = "safe" | "idempotent" | "keyed" | "never"

/** The annotation that says whether a call of an endpoint may be sent again; without it, never. */
export const RetryClass = Context.Reference<RetryClass>("@effect-chatbot/api/RetryClass", {
  defaultValue: () => "never"
})
