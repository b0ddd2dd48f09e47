/** Every fault: what the client makes of it is what it should. `pnpm faults` prints the same as a table. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { callFaults } from "./faults/CallFaults.ts"
import type { Fault } from "./faults/Fault.ts"
import { meet } from "./faults/Meet.ts"
import { streamFaults } from "./faults/StreamFaults.ts"

const rowsOf = (faults: ReadonlyArray<Fault>) =>
  it.live.each(faults.map((fault) => [fault.asks, fault.name, fault] as const))("%s: %s", ([, , fault]) =>
    Effect.map(meet(fault), ({ wrong }) => assert.deepStrictEqual(wrong, []))
  )

describe("a call meets", () => rowsOf(callFaults))

describe("a stream meets", () => rowsOf(streamFaults))
