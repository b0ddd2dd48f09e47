import { supportedHeader } from "@effect-chatbot/api/middleware/IdempotencyKeys"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import type { Budget } from "../RetryPolicy.ts"

/** What a client knows of its backend, of which it has one. */
export interface Backend {
  /** Names it, where several share the state of a policy. */
  readonly name: string
  /** Whether it said that it honours idempotency keys. */
  honoursKeys: boolean
  /** How many tokens of the retry budget are taken. */
  spent: number
}

/** What a client knows of a backend at the beginning. */
export const makeBackend = (name: string): Backend => ({ name, honoursKeys: false, spent: 0 })

// Transports know headers by names in lower case.
const honoursKeys = supportedHeader.toLowerCase()

/** Learns from the head of an answer. */
export const listen = (
  backend: Backend,
  { headers, status }: HttpClientResponse,
  hadKey: boolean,
  budget: Budget | undefined
): void => {
  const isSuccess = status >= 200 && status < 300
  if (headers[honoursKeys] === "true") backend.honoursKeys = true
  // It was another backend that said so before, or another version of it. An error may be the answer of a proxy and tells nothing.
  else if (hadKey && isSuccess) backend.honoursKeys = false
  if (isSuccess && budget !== undefined) backend.spent = Math.max(0, backend.spent - budget.refund)
}

/** Takes the tokens for a further attempt, if there are enough. */
export const spend = (backend: Backend, budget: Budget, isAfterTimeout: boolean): boolean => {
  const spent = backend.spent + (isAfterTimeout ? budget.timeoutCost : budget.cost)
  if (spent > budget.capacity) return false
  backend.spent = spent
  return true
}
