import * as Equal from "effect/Equal"
import * as Inspectable from "effect/Inspectable"
import * as Predicate from "effect/Predicate"

const shown = (value: unknown): string => (value === undefined ? "nothing" : Inspectable.toStringUnknown(value, 0))

const isTree = (value: unknown): value is object => Array.isArray(value) || Predicate.isObject(value)

/** Where two values of JSON differ, a line each, as `body.voteId: recorded 1, now -1`. */
export const differences = (recorded: unknown, now: unknown, path = ""): ReadonlyArray<string> => {
  if (isTree(recorded) && isTree(now)) {
    const names = new Set([...Object.keys(recorded), ...Object.keys(now)])
    return [...names].flatMap((name) =>
      differences(Reflect.get(recorded, name), Reflect.get(now, name), path === "" ? name : `${path}.${name}`)
    )
  }
  return Equal.equals(recorded, now) ? [] : [`${path}: recorded ${shown(recorded)}, now ${shown(now)}`]
}
