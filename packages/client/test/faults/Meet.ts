/** Lets a client meet a fault. */
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import type { Event } from "@effect-chatbot/client/Completion"
import * as RetryPolicy from "@effect-chatbot/client/RetryPolicy"
import * as Telemetry from "@effect-chatbot/client/Telemetry"
import * as Timeouts from "@effect-chatbot/client/Timeouts"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { calls } from "./Calls.ts"
import { token, watched } from "./Canaries.ts"
import { type Call, type Fault, judge, type Seen, type Setting, type Verdict } from "./Fault.ts"
import { inVirtualTime } from "./VirtualTime.ts"

/** Where time is real, waits are short, and the bounds of a row that is meant to take too long. */
const realPolicies = (limit: number | undefined) => {
  const { standard } = Timeouts
  const limits = { attempt: limit ?? standard.attempt, deadline: standard.completions.deadline }
  return Layer.mergeAll(
    Layer.succeed(RetryPolicy.RetryPolicy, {
      ...RetryPolicy.standard,
      backoff: RetryPolicy.fullJitter({ initial: "10 millis", max: "100 millis" })
    }),
    Layer.succeed(Timeouts.Timeouts, {
      ...standard,
      ...limits,
      completions: limits,
      streams: limit === undefined ? standard.streams : { firstEvent: limit, idle: limit }
    })
  )
}

const clientOf = ({ baseUrl, isVirtual, transport }: Setting, limit: number | undefined) => {
  const client = ChatbotClient.layer({ baseUrl, token }).pipe(
    Layer.provide(transport),
    Layer.provide(Telemetry.layer())
  )
  return isVirtual ? client : Layer.provide(client, realPolicies(limit))
}

const see = ({ isHonoured, isOnce = false, limit, setting }: Fault, call: Call): Effect.Effect<Seen> =>
  Effect.gen(function* () {
    const found = yield* setting
    const events: Array<Event> = []
    const made = Effect.gen(function* () {
      const client = yield* ChatbotClient
      if (isHonoured) yield* Effect.orDie(client.system.status)
      const watching = watched(call(client, (event) => events.push(event)))
      return yield* isOnce ? Effect.provideService(watching, RetryPolicy.RetryPolicy, RetryPolicy.none) : watching
    }).pipe(Effect.provide(clientOf(found, limit)), Effect.orDie)
    const { exit, leaks } = yield* found.isVirtual ? inVirtualTime(made) : made
    return { exit, leaks, events, arrivals: found.arrivals(), effects: found.effects(), isVirtual: found.isVirtual }
  }).pipe(Effect.scoped)

/** Makes the call of a row, and beside it every other call that has a secret, to see whether the fault brings one of them to light. */
export const meet = (fault: Fault): Effect.Effect<Verdict> =>
  Effect.gen(function* () {
    const { others, seen } = yield* Effect.all(
      {
        seen: see(fault, fault.call),
        others: Effect.forEach(
          calls.filter((call) => call !== fault.call),
          (call) => see(fault, call),
          { concurrency: "unbounded" }
        )
      },
      { concurrency: "unbounded" }
    )
    return judge(fault, { ...seen, leaks: [seen, ...others].flatMap(({ leaks }) => leaks) })
  }).pipe(
    Effect.catchCause(({ reasons }) =>
      Effect.succeed({
        name: fault.name,
        asks: fault.asks,
        did: "nothing that can be judged",
        wrong: reasons.map((reason) => (reason._tag === "Die" ? String(reason.defect) : reason._tag))
      })
    )
  )
