import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { type Check, type checksOf, contract, decision } from "./Check.ts"
import { type Answer, ask, type Input } from "./exchange.ts"
import { conforms, equals, fields, hasStatus, holds, inShort, itemsOf, ok, violates } from "./expect.ts"
import { Blocked, type Violation } from "./Failure.ts"
import { type OperationName, operationOf } from "./operations.ts"
import { type Need, Target } from "./Target.ts"

/** A list that is read page by page, and how to make something that it has. */
export interface List {
  readonly name: OperationName
  /** What its items are called, as `bots`. */
  readonly items: string
  /** The field with the id of an item. */
  readonly id: string
  /** A field with a text that is shown to users, which can be searched and ordered by. */
  readonly text: string
  /** What it needs to be read. */
  readonly needs: ReadonlyArray<Need>
  /** What it needs for items to be made. */
  readonly makes: ReadonlyArray<Need>
  /** What it is asked with, and makes an item of this text in it; gives the id. */
  readonly given: Effect.Effect<
    { readonly input: Input; readonly make: (text: string) => Effect.Effect<string, Blocked, Target | Scope.Scope> },
    Blocked,
    Target | Scope.Scope
  >
}

const counts = {
  pageNumber: Schema.Finite,
  pageSize: Schema.Finite,
  totalPageCount: Schema.Finite,
  totalItemCount: Schema.Finite,
  hasPrevious: Schema.Boolean,
  hasNext: Schema.Boolean
}

/** Three items of a list: what it is asked with, a text that they and nothing else have, and their ids in the order of their texts. */
const threeOf = Effect.fnUntraced(function* ({ given }: List) {
  const { name } = yield* Target
  const { input, make } = yield* given
  const search = name("item")
  const ids: Array<string> = []
  for (const letter of ["A", "B", "C"]) ids.push(yield* make(`${search} ${letter}`))
  return { input, search, ids }
})

const idsOf = ({ id }: List, answer: Parameters<typeof itemsOf>[0]) =>
  Effect.map(itemsOf(answer, { [id]: Schema.String }), (items) => items.map((item) => String(item[id])))

const withQuery = (input: Input, query: NonNullable<Input["query"]>): Input => ({
  ...input,
  query: { ...input.query, ...query }
})

/** How many pages are read at most in search of something. */
const maxPages = 40

/** Reads page after page until something is found that must be on one. */
export const findOn = Effect.fnUntraced(function* (
  { name }: List,
  input: Input,
  what: string,
  isFound: (page: Answer) => Effect.Effect<boolean, Violation>
) {
  for (let pageNumber = 1; pageNumber <= maxPages; pageNumber++) {
    const page = yield* ok(name, withQuery(input, { PageNumber: pageNumber, PageSize: 50 }))
    if (yield* isFound(page)) return
    const { hasNext } = yield* fields(page, { hasNext: Schema.Boolean })
    if (!hasNext) return yield* violates(page, `${what} on a page`, `the last page: ${inShort(page)}`)
  }
  return yield* new Blocked({ message: `${what}: on none of the first ${maxPages} pages` })
})

/** The checks that every list of the contract is to pass. */
export const listChecks = (check: ReturnType<typeof checksOf>, list: List): ReadonlyArray<Check> => {
  const { items, makes, name, needs } = list
  const { label } = operationOf(name)
  return [
    check(
      `${name}/answers-as-described`,
      {
        title: `The list of ${items} is a page as the contract describes it, with what was made`,
        source: contract,
        needs: makes
      },
      Effect.gen(function* () {
        const { ids, input } = yield* threeOf(list)
        const missing = new Set(ids)
        yield* findOn(list, input, `all of ${ids.join(", ")}`, (page) =>
          Effect.gen(function* () {
            yield* conforms(page)
            for (const id of yield* idsOf(list, page)) missing.delete(id)
            return missing.size === 0
          })
        )
      })
    ),
    check(
      `${name}/pages`,
      // What others make at the same time would move the pages.
      {
        title: `Pages of ${items} do not overlap, and say where they are`,
        source: contract,
        needs: makes,
        isAlone: true
      },
      Effect.gen(function* () {
        const { input } = yield* threeOf(list)
        const met = new Set<string>()
        for (const pageNumber of [1, 2, 3]) {
          const answer = yield* ok(name, withQuery(input, { PageNumber: pageNumber, PageSize: 1 }))
          const { totalItemCount, ...page } = yield* fields(answer, counts)
          yield* holds(answer, totalItemCount >= 3, "totalItemCount of all pages, 3 or more", String(totalItemCount))
          yield* equals(answer, "a page with", page, {
            pageNumber,
            pageSize: 1,
            totalPageCount: totalItemCount,
            hasPrevious: pageNumber > 1,
            hasNext: pageNumber < totalItemCount
          })
          const [id, ...others] = yield* idsOf(list, answer)
          if (id === undefined || others.length > 0) return yield* violates(answer, "a page of one item")
          yield* holds(answer, !met.has(id), "an item that is on no page before", id)
          met.add(id)
        }
      })
    ),
    check(
      `${name}/searches`,
      {
        title: `SearchFor finds the ${items} with a text, in any case, and counts them`,
        source: decision,
        needs: makes
      },
      Effect.gen(function* () {
        const { ids, input, search } = yield* threeOf(list)
        for (const text of [search, search.toUpperCase()]) {
          const answer = yield* ok(name, withQuery(input, { SearchFor: text, PageSize: 2 }))
          const { totalItemCount } = yield* fields(answer, counts)
          yield* equals(answer, "totalItemCount", totalItemCount, ids.length)
          const listed = yield* idsOf(list, answer)
          yield* holds(
            answer,
            listed.length === 2 && listed.every((id) => ids.includes(id)),
            `2 of the ${items} ${ids.join(", ")}`
          )
        }
        const none = yield* ok(name, withQuery(input, { SearchFor: `${search} nothing` }))
        yield* equals(none, items, yield* idsOf(list, none), [])
      })
    ),
    check(
      `${name}/orders`,
      { title: `OrderBy puts ${items} in the order of ${list.text}, up or down`, source: decision, needs: makes },
      Effect.gen(function* () {
        const { ids, input, search } = yield* threeOf(list)
        for (const [order, wanted] of [
          [list.text, ids],
          [`${list.text} desc`, ids.toReversed()]
        ] as const) {
          const answer = yield* ok(name, withQuery(input, { SearchFor: search, OrderBy: order }))
          yield* equals(answer, items, yield* idsOf(list, answer), wanted)
        }
      })
    ),
    check(
      `${name}/gives-pages-of-20`,
      { title: `Without a query, ${label} gives the first page, of 20`, source: decision, needs },
      Effect.gen(function* () {
        const { input } = yield* list.given
        const answer = yield* ok(name, input)
        const { pageNumber, pageSize } = yield* fields(answer, counts)
        yield* equals(answer, "a page with", { pageNumber, pageSize }, { pageNumber: 1, pageSize: 20 })
      })
    ),
    check(
      `${name}/refuses-other-pages`,
      { title: `Pages that cannot be, and orders by no field, of ${items} are 400`, source: decision, needs },
      Effect.gen(function* () {
        const { input } = yield* list.given
        const queries = [
          { PageNumber: 0 },
          { PageSize: 0 },
          { PageSize: 101 },
          { PageSize: "many" },
          { OrderBy: "nothing" }
        ]
        for (const query of queries) yield* hasStatus(yield* ask(name, withQuery(input, query)), 400)
      })
    )
  ]
}
