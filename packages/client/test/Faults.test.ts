/** Every fault: what the client makes of it is what it should. `pnpm faults` prints the same as a table. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { callFaults } from "./faults/CallFaults.ts"
import type { Fault } from "./faults/Fault.ts"
import { long } from "./faults/Long.ts"
import { meet } from "./faults/Meet.ts"
import { socketFaults } from "./faults/SocketFaults.ts"
import { streamFaults } from "./faults/StreamFaults.ts"

const cases = (faults: ReadonlyArray<Fault>) => faults.map((fault) => [fault.name, fault.asks, fault] as const)

const isRight = ([, , fault]: readonly [string, string, Fault]) =>
  Effect.map(meet(fault), ({ wrong }) => assert.deepStrictEqual(wrong, []))

describe("a call meets", () => {
  it.live.each(cases(callFaults))("%s (%s)", isRight)
})

describe("a stream meets", () => {
  it.live.each(cases(streamFaults))("%s (%s)", isRight)
})

describe.concurrent("a connection meets", () => {
  it.live.each(cases(socketFaults))("%s (%s)", isRight)
})

describe("many rounds", () => {
  it.live.each(long)("of $name", ({ run }) =>
    Effect.map(run(false), ({ wrong }) => assert.deepStrictEqual(wrong.slice(0, 10), []))
  )
})

describe("the rows", () => {
  it("have each a name of its own", () => {
    const names = cases([...callFaults, ...streamFaults, ...socketFaults]).map(([name, asks]) => `${name} ${asks}`)
    assert.strictEqual(new Set(names).size, names.length)
  })
})
