/**
 * What a recording of requests and their answers looks like: JSON that is fit for a review. `Recorder` makes and plays it.
 */
import * as Schema from "effect/Schema"

/** A request, without what is secret in it. */
export const RecordedRequest = Schema.Struct({
  method: Schema.String,
  path: Schema.String,
  query: Schema.Record(Schema.String, Schema.String),
  /** Of its headers those that an answer depends on. */
  headers: Schema.Record(Schema.String, Schema.String),
  /** As JSON where it is JSON, and else as a text; absent where there is none. */
  body: Schema.optionalKey(Schema.Json)
})

/** A request, without what is secret in it. */
export interface RecordedRequest extends Schema.Schema.Type<typeof RecordedRequest> {}

/** A piece of a body. */
export const Piece = Schema.Struct({
  /** How long it took after the piece before, or the head, in milliseconds. */
  after: Schema.Finite,
  text: Schema.optionalKey(Schema.String),
  /** Bytes that are no text, in Base64. */
  base64: Schema.optionalKey(Schema.String)
})

/** A piece of a body. */
export interface Piece extends Schema.Schema.Type<typeof Piece> {}

/** How a body ended: it is whole, its connection broke with this code, or the program left it. */
export const Ending = Schema.Struct({
  after: Schema.Finite,
  how: Schema.Literals(["whole", "broken", "left"]),
  code: Schema.optionalKey(Schema.String)
})

/** An answer. */
export const RecordedAnswer = Schema.Struct({
  /** How long it took, in milliseconds. */
  after: Schema.Finite,
  status: Schema.Int,
  headers: Schema.Record(Schema.String, Schema.String),
  /** A body of JSON that came at once. */
  json: Schema.optionalKey(Schema.Json),
  /** Any other one, as it came. */
  pieces: Schema.optionalKey(Schema.Array(Piece)),
  ending: Schema.optionalKey(Ending)
})

/** An answer. */
export interface RecordedAnswer extends Schema.Schema.Type<typeof RecordedAnswer> {}

/** That no answer came: the code of what went wrong with the connection. */
export const RecordedFailure = Schema.Struct({ after: Schema.Finite, code: Schema.String })

/** A request and what came of it. */
export const Exchange = Schema.Struct({
  request: RecordedRequest,
  answer: Schema.optionalKey(RecordedAnswer),
  failure: Schema.optionalKey(RecordedFailure)
})

/** A request and what came of it. */
export interface Exchange extends Schema.Schema.Type<typeof Exchange> {}

/** The requests of a program in the order in which they were sent. */
export const Recording = Schema.Struct({
  version: Schema.Literal(1),
  exchanges: Schema.Array(Exchange)
})

/** The requests of a program in the order in which they were sent. */
export interface Recording extends Schema.Schema.Type<typeof Recording> {}
