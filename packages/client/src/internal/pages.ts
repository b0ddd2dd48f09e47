import type * as Page from "@effect-chatbot/schema/Page"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

interface Position<A> {
  readonly pageNumber: number
  readonly previous: ReadonlyArray<A>
}

/** The items of all pages from the first one asked for, each page asked for when its items are wanted. */
export const itemsOf = <A, E, Query extends Page.PageQuery>(
  list: (query: Query) => Effect.Effect<Page.Page<A>, E>,
  query: Query
): Stream.Stream<A, E> =>
  Stream.suspend(() => {
    const start: Position<A> = { pageNumber: query.pageNumber ?? 1, previous: [] }
    return Stream.paginate(start, ({ pageNumber, previous }) =>
      Effect.map(list({ ...query, pageNumber }), ({ hasNext, items, totalPageCount }) => {
        // A backend that says there is always more would never end: one that ignores the page number repeats itself, others run out of items.
        const isRepeated = previous.length > 0 && Equal.equals(items, previous)
        const isLast =
          !hasNext || items.length === 0 || isRepeated || (totalPageCount > 0 && pageNumber >= totalPageCount)
        const next: Position<A> = { pageNumber: pageNumber + 1, previous: items }
        return [isRepeated ? [] : items, isLast ? Option.none() : Option.some(next)] as const
      })
    )
  })
