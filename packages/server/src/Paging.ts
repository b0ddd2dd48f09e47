/**
 * Pages of lists, by the wire contract: pages count from 1 and hold 20 items, at most 100; `OrderBy` is a field of the item and a
 * direction; `SearchFor` is a text that one of the item's texts must contain, in any case.
 */
import { InvalidRequest, type RequestIssue } from "@effect-chatbot/schema/Errors"
import type { Page, PageQuery } from "@effect-chatbot/schema/Page"
import * as Effect from "effect/Effect"
import * as SearchText from "./SearchText.ts"

/** How many items a page holds when the caller does not say. */
export const defaultPageSize = 20

/** How many items a page may hold. */
export const maxPageSize = 100

/** A page to read: a {@link PageQuery} with everything decided. */
export interface PageRequest<out Field extends string> {
  /** In the form of {@link SearchText}; absent when all items are wanted. */
  readonly search: string | undefined
  readonly orderBy: Field
  readonly descending: boolean
  readonly pageNumber: number
  readonly pageSize: number
  /** How many items stand on the pages before. */
  readonly offset: number
}

/** Part of a list: the items of one page, and how many there are on all. */
export interface Slice<out A> {
  readonly total: number
  readonly rows: ReadonlyArray<A>
}

const orderPattern = /^(\S+)(?:\s+(asc|desc))?$/i

/**
 * Decides what a query leaves open. `fields` has the fields of the item by their names on the wire; `orderBy` is the order of a list when
 * none is asked for. Fails with the issues of `PageNumber`, `PageSize` and `OrderBy`, all at once.
 */
export const request = <Fields extends object>(
  query: PageQuery,
  options: {
    readonly fields: Fields
    readonly orderBy: keyof Fields & string
    readonly descending?: boolean | undefined
  }
): Effect.Effect<PageRequest<keyof Fields & string>, InvalidRequest> => {
  const issues: Array<RequestIssue> = []
  const issue = (name: string, message: string) => issues.push({ path: ["query", name], message })

  const natural = (name: string, value: number, max: number) => {
    if (!Number.isSafeInteger(value) || value < 1) issue(name, "Expected a whole number from 1")
    else if (value > max) issue(name, `Expected at most ${max}`)
    return value
  }
  const pageNumber = natural("PageNumber", query.pageNumber ?? 1, 2 ** 31 - 1)
  const pageSize = natural("PageSize", query.pageSize ?? defaultPageSize, maxPageSize)

  let orderBy = options.orderBy
  let descending = options.descending ?? false
  const order = query.orderBy?.trim() ?? ""
  if (order !== "") {
    const [, name = "", direction = "asc"] = orderPattern.exec(order) ?? []
    const field = fieldsOf(options.fields).find((field) => field.toLowerCase() === name.toLowerCase())
    if (field === undefined) {
      const allowed = fieldsOf(options.fields).join(", ")
      issue("OrderBy", `Expected one of ${allowed}, optionally followed by " asc" or " desc"`)
    } else {
      orderBy = field
      descending = direction.toLowerCase() === "desc"
    }
  }

  if (issues.length > 0) return Effect.fail(new InvalidRequest({ issues }))
  const search = query.searchFor === undefined || query.searchFor === "" ? undefined : SearchText.fold(query.searchFor)
  return Effect.succeed({ search, orderBy, descending, pageNumber, pageSize, offset: (pageNumber - 1) * pageSize })
}

const fieldsOf = <Fields extends object>(fields: Fields) => Object.keys(fields) as Array<keyof Fields & string>

/** A page of a list. One beyond the last is empty, and has the right totals. */
export const page = <A>(request: PageRequest<string>, { rows, total }: Slice<A>): Page<A> => {
  const totalPageCount = Math.ceil(total / request.pageSize)
  return {
    items: rows,
    pageNumber: request.pageNumber,
    pageSize: request.pageSize,
    totalPageCount,
    totalItemCount: total,
    hasPrevious: request.pageNumber > 1,
    hasNext: request.pageNumber < totalPageCount
  }
}
