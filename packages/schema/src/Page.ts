/**
 * Pages of a list. Pages count from 1; a backend of this project gives 20 items a page and refuses more than 100.
 */
import * as Schema from "effect/Schema"
import { flag, int, Int32, list } from "./internal/wire.ts"

/** One page of a list and where it stands in it. */
export interface Page<out A> {
  /** The items of this page, in order. */
  readonly items: ReadonlyArray<A>
  /** The number of this page, from 1. */
  readonly pageNumber: number
  /** How many items a page holds at most. */
  readonly pageSize: number
  /** How many pages there are. */
  readonly totalPageCount: number
  /** How many items there are on all pages. */
  readonly totalItemCount: number
  /** Whether there is a page before this one. */
  readonly hasPrevious: boolean
  /** Whether there is a page after this one. */
  readonly hasNext: boolean
}

/** The schema of a page of `item`. `identifier` is the name of the envelope in the OpenAPI document. */
export const Page = <S extends Schema.Constraint>(item: S, identifier: string) =>
  Schema.Struct({
    pageNumber: int,
    totalPageCount: int,
    pageSize: int,
    totalItemCount: int,
    hasPrevious: flag,
    hasNext: flag,
    items: list(item)
  }).annotate({ identifier })

/** Which page of a list, of which items, in which order. What is left out is the backend's choice. */
export interface PageQuery {
  /** Only items with this text in one of their texts, in any case. */
  readonly searchFor?: string | undefined
  /** A field of the item, optionally followed by ` asc` or ` desc`: `"displayName desc"`. */
  readonly orderBy?: string | undefined
  /** The page wanted, from 1. */
  readonly pageNumber?: number | undefined
  /** How many items a page should hold, from 1; backends of this project allow 100 and give 20. */
  readonly pageSize?: number | undefined
}

const natural = Int32.check(Schema.isGreaterThanOrEqualTo(1))

/** The fields of a {@link PageQuery}, to be joined with those a list adds. */
export const queryFields = {
  searchFor: Schema.optional(Schema.String),
  orderBy: Schema.optional(Schema.String),
  pageNumber: Schema.optional(natural),
  pageSize: Schema.optional(natural)
}

/** The names of the {@link PageQuery} fields in a URL. */
export const queryKeys = {
  searchFor: "SearchFor",
  orderBy: "OrderBy",
  pageNumber: "PageNumber",
  pageSize: "PageSize"
} as const

/** The query of a list as it stands in a URL. */
export const PageQuery = Schema.Struct(queryFields).pipe(Schema.encodeKeys(queryKeys))
