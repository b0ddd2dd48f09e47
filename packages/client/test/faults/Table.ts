/** The table of the faults, a row each. */
import type { Verdict } from "./Fault.ts"

/** A row: what the client made of the fault, whether it is right, and if not, why. */
export const line = ({ asks, did, name, wrong }: Verdict): string =>
  [
    `${wrong.length === 0 ? "right" : "WRONG"}  ${name.padEnd(52)} ${asks.padEnd(12)} ${did}`,
    ...wrong.map((why) => `       ${why}`)
  ].join("\n")

/** How many rows are right. */
export const sum = (verdicts: ReadonlyArray<Verdict>): string => {
  const right = verdicts.filter(({ wrong }) => wrong.length === 0).length
  return `${right} of ${verdicts.length} right`
}
