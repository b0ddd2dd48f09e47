/**
 * The field kinds of the wire contract. Decoding is tolerant: on the wire every field may be missing or `null`. Encoding is complete:
 * every field is written, so that a reader who trusts the documented types finds them.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaIssue from "effect/SchemaIssue"
import { PlainDate } from "../PlainDate.ts"

const nullWhenAbsent = <S extends Schema.Constraint>(value: S, orNull: Schema.NullOr<S>) =>
  Schema.optionalKey(orNull).pipe(
    Schema.decodeTo(Schema.optional(Schema.toType(value)), {
      decode: SchemaGetter.transformOptional(Option.filter(Predicate.isNotNull)),
      encode: SchemaGetter.transformOptional((value) =>
        Option.some(Option.getOrNull(Option.filter(value, Predicate.isNotUndefined)))
      )
    })
  )

/** A missing or `null` value is absent; an absent value is written as `null`. */
export const nullable = <S extends Schema.Constraint>(value: S) => nullWhenAbsent(value, Schema.NullOr(value))

/** As {@link nullable}, of what is neither a text nor a list: that `null` is allowed there stands in the document of the contract by this. */
export const nullableValue = <S extends Schema.Constraint>(value: S) =>
  nullWhenAbsent(value, Schema.NullOr(value).annotate({ default: null }))

/** A missing or `null` value is absent; an absent value is left out, for the fields of which the contract allows no `null`. */
export const omittable = <S extends Schema.Constraint>(value: S) =>
  Schema.optionalKey(Schema.NullOr(value)).pipe(
    Schema.decodeTo(Schema.optional(Schema.toType(value)), {
      decode: SchemaGetter.transformOptional(Option.filter(Predicate.isNotNull)),
      encode: SchemaGetter.transformOptional(Option.filter(Predicate.isNotUndefined))
    })
  )

/** A missing or `null` value is `fallback`. */
export const orElse = <S extends Schema.Constraint>(value: S, fallback: S["Type"]) =>
  Schema.optionalKey(Schema.NullOr(value)).pipe(
    Schema.decodeTo(Schema.toType(value), {
      decode: SchemaGetter.transformOptional((value) =>
        Option.some(Option.getOrElse(Option.filter(value, Predicate.isNotNull), () => fallback))
      ),
      encode: SchemaGetter.passthroughSupertype()
    })
  )

const isGiven = (text: string | null): text is string => text !== null && text !== ""

/** An id where there may be none: missing, `null` or, as some backends write it, empty. An absent one is written as `null`. */
export const optionalId = <Id>(id: Schema.Codec<Id, string>) =>
  Schema.optionalKey(Schema.NullOr(Schema.String)).pipe(
    Schema.decodeTo(Schema.optional(id), {
      decode: SchemaGetter.transformOptional(Option.filter(isGiven)),
      encode: SchemaGetter.transformOptional((id) =>
        Option.some(Option.getOrNull(Option.filter(id, Predicate.isNotUndefined)))
      )
    })
  )

/** A text. */
export const text = nullable(Schema.String)

/** A text that does not show in what is printed. */
export const secret = nullable(Schema.RedactedFromValue(Schema.String))

/** A flag; missing is `false`. */
export const flag = orElse(Schema.Boolean, false)

/** An int32. */
export const Int32 = Schema.Finite.check(Schema.isInt32()).annotate({ format: "int32" })

/** An int32; missing is `0`. */
export const int = orElse(Int32, 0)

/** A list; missing is empty. */
export const list = <S extends Schema.Constraint>(item: S) => orElse(Schema.Array(item), [])

// RFC 3339 wants an offset. ASP.NET leaves it out of times of unspecified kind, which are UTC here, and writes up to seven fraction digits.
const hasOffset = /(?:[zZ]|[+-]\d\d:?\d\d)$/

/** A time in UTC, as a text. */
export const UtcFromString = Schema.String.annotate({ format: "date-time" }).pipe(
  Schema.decodeTo(Schema.DateTimeUtc, {
    decode: SchemaGetter.transformEffect((input, options) => {
      const millis = Date.parse(hasOffset.test(input) ? input : `${input}Z`)
      return Number.isNaN(millis)
        ? Effect.fail(new SchemaIssue.InvalidValue({ message: "Expected an ISO 8601 date-time" }, input, options))
        : Effect.succeed(DateTime.makeUnsafe(millis))
    }),
    encode: SchemaGetter.transform(DateTime.formatIso)
  })
)

/** A time in UTC; never `null` on the wire. */
export const utc = omittable(UtcFromString)

const PlainDateFromString = Schema.String.annotate({ format: "date" }).pipe(
  Schema.decodeTo(PlainDate, {
    decode: SchemaGetter.transform((input) => input.slice(0, 10)),
    encode: SchemaGetter.passthrough()
  })
)

/** A plain date; a full date-time is cut to its date. */
export const date = omittable(PlainDateFromString)

/** A duration; seconds on the wire. */
export const seconds = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)).pipe(
  Schema.decodeTo(Schema.Duration, {
    // Nobody waits for more, and a duration that overflowed could not be written again.
    decode: SchemaGetter.transform((seconds) => Duration.seconds(Math.min(seconds, 1e12))),
    encode: SchemaGetter.transform(Duration.toSeconds)
  })
)
