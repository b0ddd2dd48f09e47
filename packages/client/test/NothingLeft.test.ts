import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { batches, concurrency, nothingLeft, type Sample } from "./support/NothingLeft.ts"

/** With `CHATBOT_TEST_FULL=true` there are 10,000 calls. */
const rounds = process.env["CHATBOT_TEST_FULL"] === "true" ? 10_000 : 360

/** How each kind of call may end. Bytes that nobody reads may be too late already when a machine is busy. */
const ends: { readonly [call: string]: ReadonlyArray<string> } = {
  answered: ["success"],
  "not found": ["ChatNotFound"],
  "made again": ["Unavailable"],
  unreadable: ["InvalidResponse"],
  reset: ["TransportFailed"],
  "not valid": ["InvalidRequest"],
  "timed out": ["RequestTimedOut"],
  "timed out in the body": ["RequestTimedOut"],
  interrupted: ["success"],
  "interrupted in the body": ["success"],
  "interrupted at once": ["success"],
  "with a signal": ["success"],
  downloaded: ["success"],
  "left in the download": ["success"],
  streamed: ["success"],
  "left in the stream": ["success"],
  "interrupted in the stream": ["success"],
  "not read": ["success", "RequestTimedOut"]
}

const heapOf = (samples: ReadonlyArray<Sample>): number => {
  const heaps = samples.map(({ heap }) => heap).toSorted((a, b) => a - b)
  return heaps[Math.floor(heaps.length / 2)]!
}

describe.concurrent.each(["undici", "fetch"] as const)("calls over %s", (transport) => {
  it.live(
    "leave nothing, however they end",
    () =>
      Effect.gen(function* () {
        const { left, outcomes, peak, samples, warnings } = yield* nothingLeft(transport, rounds)
        assert.deepStrictEqual(Object.keys(outcomes), Object.keys(ends))
        for (const [call, counts] of Object.entries(outcomes))
          assert.includeMembers([...ends[call]!], Object.keys(counts), call)
        const total = Object.values(outcomes).flatMap((counts) => Object.values(counts))
        assert.isAtLeast(
          total.reduce((sum, count) => sum + count, 0),
          rounds
        )

        assert.isAtMost(peak, 3 * concurrency)
        assert.strictEqual(samples.length, batches)
        const third = batches / 3
        const [early, late] = [samples.slice(third, 2 * third), samples.slice(2 * third)]
        assert.isAtMost(
          Math.max(...late.map(({ listeners }) => listeners)),
          Math.max(...early.map(({ listeners }) => listeners))
        )
        assert.isBelow(heapOf(late) / heapOf(early), 1.03)

        const { socketsAtClose, ...ofPrograms } = left
        assert.deepStrictEqual(ofPrograms, { sockets: 0, signalListeners: 0, processListeners: 0, observers: 0 })
        // The connections of `fetch` are those of the process.
        if (transport === "undici") assert.strictEqual(socketsAtClose, 0)
        assert.deepStrictEqual(warnings, [])
      }),
    600_000
  )
})
