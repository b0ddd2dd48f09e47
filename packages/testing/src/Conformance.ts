/**
 * The conformance kit: checks a backend, whoever has written it, against the contract, over HTTP and by what is on the wire.
 *
 * ```ts
 * const report = yield* Conformance.run({ baseUrl: "http://127.0.0.1:8080", token, userToken })
 * yield* Console.log(ConformanceReport.text(report))
 * ```
 *
 * What it makes it removes, also when it is interrupted, and what it finds it leaves as it is. See {@link verify} for checks as tests.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import type { Leftover, Outcome, Report, Result } from "./ConformanceReport.ts"
import { administration } from "./internal/conformance/administration.ts"
import { type Check, contract } from "./internal/conformance/Check.ts"
import { core } from "./internal/conformance/core.ts"
import { Blocked, Skipped, Violation } from "./internal/conformance/Failure.ts"
import { type Group, groups } from "./internal/conformance/Group.ts"
import { idempotency } from "./internal/conformance/idempotency.ts"
import { operationOf, operations } from "./internal/conformance/operations.ts"
import { type CannotRun, layer, masking, type TargetOptions } from "./internal/conformance/layer.ts"
import { security } from "./internal/conformance/security.ts"
import { streaming } from "./internal/conformance/streaming.ts"
import { Target } from "./internal/conformance/Target.ts"

export { type Check, type Source } from "./internal/conformance/Check.ts"
export { Blocked, Skipped, Violation } from "./internal/conformance/Failure.ts"
export { type Group, groups } from "./internal/conformance/Group.ts"
export { CannotRun, layer, type TargetOptions } from "./internal/conformance/layer.ts"
export { type OperationName } from "./internal/conformance/operations.ts"
export { type Bot, type Caller, type Need, Target } from "./internal/conformance/Target.ts"

const checksOf: Readonly<Record<Group, ReadonlyArray<Check>>> = {
  core,
  administration,
  streaming,
  idempotency,
  security
}

/** The checks of all groups, in the order in which they are run: by group, and then by operation. */
export const checks: ReadonlyArray<Check> = groups.flatMap((group) =>
  operations.flatMap(({ name }) =>
    checksOf[group]
      .filter(({ operations: [first] }) => first === name)
      .toSorted((one, other) => Number(one.isAlone) - Number(other.isAlone))
  )
)

/** Which checks are run, and how. */
export interface RunOptions extends TargetOptions {
  /** The checks to run, in this order. Default {@link checks}; see {@link choose}. */
  readonly checks?: ReadonlyArray<Check> | undefined
  /** How many checks of one operation run at a time. Default 4. */
  readonly concurrency?: number | undefined
  /** What is done with each result as it comes. The results come in the order of the checks. */
  readonly onResult?: ((result: Result) => Effect.Effect<void>) | undefined
}

/** Which checks to take. */
export interface Choice {
  /** Only those of these groups. */
  readonly groups?: ReadonlyArray<Group> | undefined
  /** Only those whose id has this in it; `*` stands for anything. */
  readonly check?: string | undefined
  /** None whose id has this in it. */
  readonly skip?: string | undefined
  /** Only rules of the published contract, which a backend of somebody else keeps too. */
  readonly onlyContract?: boolean | undefined
}

const matcher = (pattern: string): ((id: string) => boolean) => {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[^\w/]/g, String.raw`\$&`))
  const expression = new RegExp(parts.join(".*"), "i")
  return (id) => expression.test(id)
}

/** The checks of a choice; all of them, without one. */
export const choose = ({ check, groups, onlyContract = false, skip }: Choice): ReadonlyArray<Check> => {
  const isWanted = check === undefined ? () => true : matcher(check)
  const isSkipped = skip === undefined ? () => false : matcher(skip)
  return checks.filter(
    ({ group, id, source }) =>
      (groups === undefined || groups.includes(group)) &&
      (!onlyContract || source === contract) &&
      isWanted(id) &&
      !isSkipped(id)
  )
}

/** Whether the backend keeps the rule of a check; fails with what it did instead, without tokens. What the check has made is removed again. */
export const verify = (check: Check): Effect.Effect<void, Violation | Blocked | Skipped, Target> =>
  Effect.flatMap(Target, (target) => {
    const message = check.needs.map(target.lacks).find((lack) => lack !== undefined)
    if (message !== undefined) return new Skipped({ message })
    const mask = masking(target.tokens)
    return Effect.scoped(check.run).pipe(
      Effect.mapError((failure) => {
        if (failure._tag === "Blocked") return new Blocked({ message: mask(failure.message) })
        if (failure._tag === "Skipped") return failure
        const { actual, expected, request } = failure
        return new Violation({ expected: mask(expected), actual: mask(actual), request: request && mask(request) })
      })
    )
  })

const outcomeOf = (check: Check): Effect.Effect<Outcome, never, Target> =>
  verify(check).pipe(
    Effect.as<Outcome>({ _tag: "Passed" }),
    Effect.catchTags({
      Violation: ({ actual, expected, request }) =>
        Effect.succeed<Outcome>({ _tag: "Failed", request, expected, actual }),
      Blocked: ({ message }) => Effect.succeed<Outcome>({ _tag: "Blocked", reason: message }),
      Skipped: ({ message }) => Effect.succeed<Outcome>({ _tag: "Skipped", reason: message })
    }),
    Effect.catchDefect((defect) =>
      Effect.succeed<Outcome>({ _tag: "Blocked", reason: `the check itself is broken: ${String(defect)}` })
    )
  )

/** Checks that may run at a time: neighbours of the same operation, none of which must be alone. */
const batches = (checks: ReadonlyArray<Check>): ReadonlyArray<ReadonlyArray<Check>> => {
  const all: Array<Array<Check>> = []
  for (const check of checks) {
    const last = all.at(-1)
    const [before] = last ?? []
    if (
      last === undefined ||
      before === undefined ||
      check.isAlone ||
      before.isAlone ||
      before.group !== check.group ||
      before.operations[0] !== check.operations[0]
    ) {
      all.push([check])
    } else last.push(check)
  }
  return all
}

/**
 * Runs the checks: operation by operation, of each some at a time, and those that must be alone after them. Fails only when the backend is not
 * there or does not take the tokens; whatever else it does is in the report.
 */
export const run = Effect.fn("Conformance.run")(function* (
  options: RunOptions
): Effect.fn.Return<Report, CannotRun, HttpClient.HttpClient> {
  const {
    checks: chosen = checks,
    concurrency = 4,
    onLeftover = () => Effect.void,
    onResult = () => Effect.void
  } = options
  const leftovers: Array<Leftover> = []
  const startedUtc = yield* DateTime.now

  const resultOf = Effect.fnUntraced(function* (check: Check) {
    const begin = yield* Clock.currentTimeMillis
    const outcome = yield* outcomeOf(check)
    const {
      group,
      id,
      operations: [first, ...others],
      source,
      title
    } = check
    return {
      check: id,
      group,
      operations: [operationOf(first).label, ...others.map((name) => operationOf(name).label)],
      title,
      source,
      outcome,
      millis: (yield* Clock.currentTimeMillis) - begin
    } satisfies Result
  })

  const leave = (leftover: Leftover) => {
    leftovers.push(leftover)
    return onLeftover(leftover)
  }

  const { prefix, results } = yield* Effect.gen(function* () {
    const target = Context.get(yield* Layer.build(layer({ ...options, onLeftover: leave })), Target)
    const results: Array<Result> = []
    for (const batch of batches(chosen)) {
      yield* Effect.forEach(batch, resultOf, { concurrency }).pipe(
        Effect.tap((results) => Effect.forEach(results, onResult)),
        Effect.tap((more) => Effect.sync(() => results.push(...more))),
        Effect.provideService(Target, target)
      )
    }
    return { prefix: target.prefix, results }
  }).pipe(Effect.scoped)

  return { backend: options.baseUrl, prefix, startedUtc, results, leftovers }
})
