import * as Context from "effect/Context"
import * as Bulkhead from "../Bulkhead.ts"
import * as CircuitBreaker from "../CircuitBreaker.ts"
import * as IdempotencyKeys from "../IdempotencyKeys.ts"
import * as RateLimit from "../RateLimit.ts"
import * as RetryPolicy from "../RetryPolicy.ts"
import * as Telemetry from "../Telemetry.ts"
import * as Timeouts from "../Timeouts.ts"

/** The policies of a call. */
export interface Policies {
  readonly timeouts: Timeouts.Timeouts
  readonly keys: IdempotencyKeys.IdempotencyKeys
  readonly rateLimit: RateLimit.RateLimit | "off"
  readonly bulkhead: Bulkhead.Bulkhead | "off"
  readonly retry: RetryPolicy.RetryPolicy
  readonly circuitBreaker: CircuitBreaker.CircuitBreaker | "off"
  readonly telemetry: Telemetry.Telemetry | "off"
}

/** The policies that a layer is built with. */
export const policiesOf = (context: Context.Context<never>): Policies => ({
  timeouts: Context.get(context, Timeouts.Timeouts),
  keys: Context.get(context, IdempotencyKeys.IdempotencyKeys),
  rateLimit: Context.get(context, RateLimit.RateLimit),
  bulkhead: Context.get(context, Bulkhead.Bulkhead),
  retry: Context.get(context, RetryPolicy.RetryPolicy),
  circuitBreaker: Context.get(context, CircuitBreaker.CircuitBreaker),
  telemetry: Context.get(context, Telemetry.Telemetry)
})

/** The policies in force where a call is made: what its program provides goes before what the client was built with. */
export const policiesIn = (context: Context.Context<never>, built: Policies): Policies => ({
  timeouts: Context.getOrUndefined(context, Timeouts.Timeouts) ?? built.timeouts,
  keys: Context.getOrUndefined(context, IdempotencyKeys.IdempotencyKeys) ?? built.keys,
  rateLimit: Context.getOrUndefined(context, RateLimit.RateLimit) ?? built.rateLimit,
  bulkhead: Context.getOrUndefined(context, Bulkhead.Bulkhead) ?? built.bulkhead,
  retry: Context.getOrUndefined(context, RetryPolicy.RetryPolicy) ?? built.retry,
  circuitBreaker: Context.getOrUndefined(context, CircuitBreaker.CircuitBreaker) ?? built.circuitBreaker,
  telemetry: Context.getOrUndefined(context, Telemetry.Telemetry) ?? built.telemetry
})
