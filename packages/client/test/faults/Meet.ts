/** Lets a client meet a fault. */
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import type { Event } from "@effect-chatbot/client/Completion"
import * as RetryPolicy from "@effect-chatbot/client/RetryPolicy"
import * as Timeouts from "@effect-chatbot/client/Timeouts"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { calls } from "./Calls.ts"
import { token, watched } from "./Canaries.ts"
import { type Call, type Fault, judge, type Seen, type Setting, type Verdict } from "./Fault.ts"
import { inVirtualTime } from "./VirtualTime.ts"

/** The bound of the first wait where time is real, in milliseconds. */
export const realBackoff = 10

/** Each limit where time is real, in milliseconds. */
export const realLimit = 150

const realPolicies = Layer.mergeAll(
  Layer.succeed(RetryPolicy.RetryPolicy, {
    ...RetryPolicy.standard,
    backoff: RetryPolicy.fullJitter({ initial: realBackoff, max: realBackoff * 10 })
  }),
  Layer.succeed(Timeouts.Timeouts, {
    ...Timeouts.standard,
    attempt: realLimit,
    completions: { ...Timeouts.standard.completions, attempt: realLimit },
    streams: { firstEvent: realLimit, idle: realLimit }
  })
)

const clientOf = ({ baseUrl, isVirtual, transport }: Setting) => {
  const client = Layer.provide(ChatbotClient.layer({ baseUrl, token }), transport)
  return isVirtual ? client : Layer.provide(client, realPolicies)
}

const see = ({ isHonoured, isOnce = false, setting }: Fault, call: Call): Effect.Effect<Seen> =>
  Effect.gen(function* () {
    const found = yield* setting
    const events: Array<Event> = []
    const made = Effect.gen(function* () {
      const client = yield* ChatbotClient
      if (isHonoured) yield* Effect.orDie(client.system.status)
      const watching = watched(call(client, (event) => events.push(event)))
      return yield* isOnce ? Effect.provideService(watching, RetryPolicy.RetryPolicy, RetryPolicy.none) : watching
    }).pipe(Effect.provide(clientOf(found)), Effect.orDie)
    const { exit, leaks } = yield* found.isVirtual ? inVirtualTime(made) : made
    return { exit, leaks, events, arrivals: found.arrivals(), effects: found.effects(), isVirtual: found.isVirtual }
  }).pipe(Effect.scoped)

/** Makes the call of a row, and then every other call that has a secret, to see whether the fault brings one of them to light. */
export const meet = (fault: Fault): Effect.Effect<Verdict> =>
  Effect.gen(function* () {
    const seen = yield* see(fault, fault.call)
    const others = yield* Effect.forEach(
      calls.filter((call) => call !== fault.call),
      (call) => see(fault, call)
    )
    return judge(fault, { ...seen, leaks: [seen, ...others].flatMap(({ leaks }) => leaks) })
  })
