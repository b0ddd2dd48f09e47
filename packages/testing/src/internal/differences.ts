import * as Equal from "effect/Equal"
import * as Inspectable from "effect/Inspectable"
import * as Predicate from "effect/Predicate"

const shown = (value: unknown): string => (value === undefined ? "nothing" : Inspectable.toStringUnknown(value, 0))

const isTree = (value: unknown): value is object => Array.isArray(value) || Predicate.isObject(value)

/** Where two values of JSON differ, a line each, as `body.voteId: 1 and not -1`. */
export const differences = (actual: unknown, expected: unknown, path = ""): ReadonlyArray<string> => {
  if (isTree(actual) && isTree(expected)) {
    const names = new Set([...Object.keys(actual), ...Object.keys(expected)])
    return [...names].flatMap((name) =>
      differences(Reflect.get(actual, name), Reflect.get(expected, name), path === "" ? name : `${path}.${name}`)
    )
  }
  return Equal.equals(actual, expected) ? [] : [`${path}: ${shown(actual)} and not ${shown(expected)}`]
}
