/**
 * A calendar date without a time or a zone, as in the statistics.
 */
import type { Brand } from "effect/Brand"
import * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"

const isCalendarDate = (text: string): boolean => {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : NaN
  // `Date.parse` rolls 31 April over to 1 May.
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

/** A calendar date, `yyyy-mm-dd`. */
export const PlainDate = Schema.String.check(
  Schema.makeFilter(isCalendarDate, { expected: "a date as yyyy-mm-dd" })
).pipe(Schema.brand("PlainDate"))

/** A calendar date, `yyyy-mm-dd`. */
export type PlainDate = string & Brand<"PlainDate">

/** The date of an instant in UTC. */
export const fromDateTime = (instant: DateTime.DateTime): PlainDate =>
  PlainDate.make(DateTime.formatIsoDateUtc(instant))
