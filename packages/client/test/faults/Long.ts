/** What takes many rounds to prove. */
import type * as Effect from "effect/Effect"
import { everyByte } from "./EveryByte.ts"
import type { Verdict } from "./Fault.ts"
import { limitsHeld } from "./Limits.ts"

/** Something that is tried in many rounds: in some that tell, or in all of them. */
export interface Long {
  readonly name: string
  readonly asks: string
  readonly run: (isFull: boolean) => Effect.Effect<{
    /** How many rounds there were. */
    readonly count: number
    readonly wrong: ReadonlyArray<string>
  }>
}

/** The long ones that need no backend but a scripted one. */
export const long: ReadonlyArray<Long> = [
  { name: "cut at every byte, and followed", asks: "stream", run: everyByte },
  { name: "any limit, held within a twentieth of it", asks: "all", run: (isFull) => limitsHeld(isFull ? 500 : 10) }
]

/** A row of the table of what came of the rounds, with the first of what is wrong. */
export const verdictOf = (
  { asks, name }: Long,
  { count, wrong }: Effect.Success<ReturnType<Long["run"]>>
): Verdict => ({ name, asks, did: `${count} rounds, ${wrong.length} wrong`, wrong: wrong.slice(0, 10) })
