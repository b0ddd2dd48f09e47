import * as Context from "effect/Context"

/**
 * The idempotency key of a call that a workflow makes, which is the same when it is made again after a crash. Then the first one may still be
 * at work, so such a call waits for it as long as it may take.
 */
export const DurableKey = Context.Reference<string | undefined>("@effect-chatbot/client/internal/DurableKey", {
  defaultValue: () => undefined
})
