/**
 * How long a provider may take, and when it is asked again: by the values and the rules that the client has for the backend.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"

/** How long a provider may take, and when it is asked again. */
export interface ProviderPolicy {
  /** For a connection to come about. Read once, when the transport is built. */
  readonly connect: Duration.Input
  /** For the first event of an attempt, from its begin: a model may have to be loaded, and a long prompt to be read. */
  readonly firstEvent: Duration.Input
  /** For each wait for more bytes after that; comments count. */
  readonly idle: Duration.Input
  /** For the whole answer with all its attempts. */
  readonly whole: Duration.Input
  /** How many attempts there are at most, the first one included. None is made once a part of the answer was handed on. */
  readonly attempts: number
  /** How long to wait before each further attempt. */
  readonly backoff: Schedule.Schedule<unknown>
  /** The longest `Retry-After` to wait for, beside the wait of `backoff`. A provider that asks for more time is not asked again. */
  readonly maxRetryAfter: Duration.Input
  /**
   * What keeps a provider that is down from being hammered: of `capacity` tokens a service has, a further attempt takes `cost`, or
   * `timeoutCost` after a limit of time, and a success puts back `refund`.
   */
  readonly budget: {
    readonly capacity: number
    readonly cost: number
    readonly timeoutCost: number
    readonly refund: number
  }
}

/**
 * 10 seconds for a connection, 5 minutes for the first event, 1 minute between two, and 10 minutes in all. Three attempts, with full jitter
 * from 200 ms to 10 s between them; a `Retry-After` of up to a minute.
 */
export const standard: ProviderPolicy = {
  connect: "10 seconds",
  firstEvent: "5 minutes",
  idle: "1 minute",
  whole: "10 minutes",
  attempts: 3,
  backoff: Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("10 seconds")]).pipe(
    Schedule.modifyDelay(({ duration }) => Effect.map(Random.next, (random) => Duration.times(duration, random)))
  ),
  maxRetryAfter: "60 seconds",
  budget: { capacity: 100, cost: 5, timeoutCost: 10, refund: 1 }
}

/** The policy in force; {@link standard} unless changed. */
export const ProviderPolicy = Context.Reference<ProviderPolicy>("@effect-chatbot/server/ProviderPolicy", {
  defaultValue: () => standard
})

/** Why an attempt failed, as far as it says whether there may be another. */
export interface FailedAttempt {
  /** Whether another might succeed, and nothing of this one was handed on. */
  readonly isRetryable: boolean
  /** Whether it ran into a limit of time. */
  readonly isTimeout: boolean
  /** How long the provider asked to wait. */
  readonly retryAfter: Duration.Duration | undefined
}

/** The statuses that another attempt may change: those of the client for what has no effect but an answer. */
const passing: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])

/** Whether another attempt may change this status; the header `x-should-retry` decides where it is there. */
export const isRetryable = (status: number, shouldRetry?: string | undefined): boolean =>
  shouldRetry === "true" || (shouldRetry !== "false" && passing.has(status))

/** The retry budgets of services. Of one that has its whole budget nothing is kept. */
export interface Budgets {
  /** Takes the tokens for a further attempt, if there are enough. */
  readonly spend: (service: string, policy: ProviderPolicy, isAfterTimeout: boolean) => boolean
  /** Puts some back after a success. */
  readonly refund: (service: string, policy: ProviderPolicy) => void
}

/** The retry budgets of services that have not failed yet. */
export const makeBudgets = (): Budgets => {
  const spent = new Map<string, number>()
  return {
    spend: (service, { budget }, isAfterTimeout) => {
      const next = (spent.get(service) ?? 0) + (isAfterTimeout ? budget.timeoutCost : budget.cost)
      if (next > budget.capacity) return false
      spent.set(service, next)
      return true
    },
    refund: (service, { budget }) => {
      const next = (spent.get(service) ?? 0) - budget.refund
      if (next > 0) spent.set(service, next)
      else spent.delete(service)
    }
  }
}

/** When to make another attempt: as the policy says, within the budget, and never beyond `deadline` (milliseconds of the clock). */
export const schedule = (
  policy: ProviderPolicy,
  options: { readonly deadline: number; readonly spend: (isAfterTimeout: boolean) => boolean }
): Schedule.Schedule<unknown, FailedAttempt> =>
  policy.backoff.pipe(
    Schedule.upTo({ times: policy.attempts - 1 }),
    Schedule.setInputType<FailedAttempt>(),
    Schedule.while(
      ({ input: { isRetryable, retryAfter = Duration.zero } }) =>
        isRetryable && Duration.isLessThanOrEqualTo(retryAfter, Duration.fromInputUnsafe(policy.maxRetryAfter))
    ),
    Schedule.modifyDelay(({ duration, input: { retryAfter = Duration.zero } }) =>
      Effect.succeed(Duration.sum(duration, retryAfter))
    ),
    Schedule.while(
      ({ duration, input, now }) =>
        now + Duration.toMillis(duration) < options.deadline && options.spend(input.isTimeout)
    )
  )
