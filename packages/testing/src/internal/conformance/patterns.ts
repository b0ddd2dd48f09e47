import * as Effect from "effect/Effect"
import { type Check, type checksOf, contract, decision } from "./Check.ts"
import { ask, type Input } from "./exchange.ts"
import { hasStatus, holds, prepared, success } from "./expect.ts"
import type { OperationName } from "./operations.ts"
import type { Need } from "./Target.ts"

/** Makes a check of a group. */
export type Define = ReturnType<typeof checksOf>

/** An id that nothing has, in the form of those of this project. */
export const nobodys = "00000000-0000-7000-8000-000000000000"

/** The operation does what it is for, and answers as the document of the contract describes it. */
export const described = (
  check: Define,
  name: OperationName,
  title: string,
  needs: ReadonlyArray<Need>,
  run: Check["run"]
): Check => check(`${name}/answers-as-described`, { title, source: contract, needs }, run)

/** An input of a request, as something makes it. */
type Made = Effect.Effect<Input, Effect.Error<Check["run"]>, Effect.Services<Check["run"]>>

/** What is deleted is not found any more by `find`, which has the same parameters. */
export const removes = (
  check: Define,
  name: OperationName,
  what: string,
  needs: ReadonlyArray<Need>,
  find: OperationName,
  input: Made
): Check =>
  described(
    check,
    name,
    `${what} that is deleted is gone, and the answer is empty`,
    needs,
    Effect.gen(function* () {
      const given = yield* input
      yield* success(name, given)
      const read = yield* prepared(ask(find, given))
      yield* holds(read, read.status !== 200, `${what.toLowerCase()} no more`)
    })
  )

/** What does not exist is 404. */
export const misses = (
  check: Define,
  name: OperationName,
  what: string,
  needs: ReadonlyArray<Need>,
  input: Made
): Check =>
  check(
    `${name}/misses-with-404`,
    { title: `${what} that does not exist is 404`, source: decision, needs },
    Effect.flatMap(input, (input) => Effect.flatMap(ask(name, input), (answer) => hasStatus(answer, 404)))
  )

/** A body that lacks what the operation cannot do without is 400. */
export const refuses = (
  check: Define,
  name: OperationName,
  what: string,
  needs: ReadonlyArray<Need>,
  input: Made,
  payloads: ReadonlyArray<NonNullable<Input["payload"]>>
): Check =>
  check(
    `${name}/refuses-a-body-that-lacks-something`,
    { title: `A body without ${what} is 400`, source: decision, needs },
    Effect.gen(function* () {
      const given = yield* input
      for (const payload of payloads) yield* hasStatus(yield* ask(name, { ...given, payload }), 400)
    })
  )
