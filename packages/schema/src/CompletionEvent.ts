/**
 * The events of a completion that is streamed: `started`, then `delta` and `sources` as they come, and last exactly one of `completed`,
 * `stopped` and `failed`.
 *
 * On the wire the name of an event stands beside its data, so the data has no tag; {@link encode} and {@link decode} go from one to the
 * other. Decoding is tolerant, as for every model, and an event of a later version of the contract is {@link Unknown}, not an error.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { Completion, CompletionMetaData } from "./Chat.ts"
import { BotId, ChatId, CompletionId } from "./Ids.ts"
import { Int32, nullable, orElse, seconds, text } from "./internal/wire.ts"

const string = orElse(Schema.String, "")

/** The first event: the answer has begun, and is kept under this id from here on, whoever listens. */
export const Started = Schema.Struct({
  _tag: Schema.tagDefaultOmit("Started"),
  completionId: CompletionId,
  chatId: ChatId,
  /** The bot that answers; not the bot of the chat where that is a start bot. */
  botId: nullable(BotId),
  botDisplayName: text,
  botDisplayMessage: text,
  botDescription: text,
  chatDisplayName: text
}).annotate({ identifier: "CompletionStartedEvent" })

/** The first event: the answer has begun, and is kept under this id from here on, whoever listens. */
export interface Started extends Schema.Schema.Type<typeof Started> {}

/** The next piece of the text of the answer. */
export const Delta = Schema.Struct({
  _tag: Schema.tagDefaultOmit("Delta"),
  text: string
}).annotate({ identifier: "CompletionDeltaEvent" })

/** The next piece of the text of the answer. */
export interface Delta extends Schema.Schema.Type<typeof Delta> {}

/** What the answer is drawn from. It may come more than once; the last one counts. */
export const Sources = Schema.Struct({
  _tag: Schema.tagDefaultOmit("Sources"),
  metaData: CompletionMetaData
}).annotate({ identifier: "CompletionSourcesEvent" })

/** What the answer is drawn from. It may come more than once; the last one counts. */
export interface Sources extends Schema.Schema.Type<typeof Sources> {}

/** The last event of an answer that is whole: what the endpoint answers where it does not stream. */
export const Completed = Schema.Struct({
  _tag: Schema.tagDefaultOmit("Completed"),
  completion: Completion
}).annotate({ identifier: "CompletionCompletedEvent" })

/** The last event of an answer that is whole: what the endpoint answers where it does not stream. */
export interface Completed extends Schema.Schema.Type<typeof Completed> {}

/** The last event of an answer that was stopped. What there was of it is stored as it is. */
export const Stopped = Schema.Struct({
  _tag: Schema.tagDefaultOmit("Stopped"),
  completionId: CompletionId,
  /** The whole text until then. */
  text: string
}).annotate({ identifier: "CompletionStoppedEvent" })

/** The last event of an answer that was stopped. What there was of it is stored as it is. */
export interface Stopped extends Schema.Schema.Type<typeof Stopped> {}

/** The last event of an answer that failed: the problem (RFC 9457) that the endpoint answers where it does not stream. */
export const Failed = Schema.Struct({
  _tag: Schema.tagDefaultOmit("Failed"),
  completionId: nullable(CompletionId),
  /** What kind of problem it is, as a URI. */
  type: text,
  title: text,
  /** The HTTP status the problem would have had. */
  status: nullable(Int32),
  /** What happened, for people. */
  detail: text,
  requestId: text,
  /** Where it is a defect of the backend, what its log has the rest under. */
  ref: text,
  /** When to ask again, counted from this event. */
  retryAfter: nullable(seconds)
}).annotate({ identifier: "CompletionFailedEvent" })

/** The last event of an answer that failed: the problem (RFC 9457) that the endpoint answers where it does not stream. */
export interface Failed extends Schema.Schema.Type<typeof Failed> {}

/** An event that this version does not know. */
export const Unknown = Schema.Struct({
  _tag: Schema.tag("Unknown"),
  name: Schema.String,
  /** The data as it came; a text where it is no JSON. */
  data: Schema.Json
}).annotate({ identifier: "CompletionUnknownEvent" })

/** An event that this version does not know. */
export interface Unknown extends Schema.Schema.Type<typeof Unknown> {}

/** An event of a streamed completion, as a program has it. The data on the wire has no tag: see {@link decode}. */
export const CompletionEvent = Schema.Union([
  Schema.toType(Started),
  Schema.toType(Delta),
  Schema.toType(Sources),
  Schema.toType(Completed),
  Schema.toType(Stopped),
  Schema.toType(Failed),
  Unknown
]).pipe(Schema.toTaggedUnion("_tag"))

/** An event of a streamed completion. */
export type CompletionEvent = typeof CompletionEvent.Type

/** One of the events that end a stream. */
export type Terminal = Completed | Stopped | Failed

/** Whether nothing can follow this event. A stream that ends without such an event was cut off. */
export const isTerminal: (event: CompletionEvent) => event is Terminal = CompletionEvent.isAnyOf([
  "Completed",
  "Stopped",
  "Failed"
])

const codec = (schema: Schema.Codec<CompletionEvent, unknown>) => {
  const json = Schema.toCodecJson(schema)
  return { decode: Schema.decodeUnknownResult(json), encode: Schema.encodeUnknownSync(json) }
}

const codecs = {
  started: codec(Started),
  delta: codec(Delta),
  sources: codec(Sources),
  completed: codec(Completed),
  stopped: codec(Stopped),
  failed: codec(Failed)
}

const isKnown = (name: string): name is keyof typeof codecs => Object.hasOwn(codecs, name)

const nameOf = (tag: Exclude<CompletionEvent, Unknown>["_tag"]) => tag.toLowerCase() as Lowercase<typeof tag>

/** An event on the wire: its name, and its data as JSON on one line. */
export interface Encoded {
  readonly name: string
  readonly data: string
}

/** An event as it goes on the wire. Every field is written. A value that is not of the type it has is a defect. */
export const encode = (event: CompletionEvent): Encoded => {
  if (event._tag === "Unknown") return { name: event.name, data: JSON.stringify(event.data) }
  const name = nameOf(event._tag)
  // Nearly all events are deltas, and the schema would do no more.
  const json = event._tag === "Delta" ? { text: event.text } : codecs[name].encode(event)
  return { name, data: JSON.stringify(json) }
}

const parse = (data: string): { readonly json: Schema.Json } | undefined => {
  try {
    return { json: JSON.parse(data) }
  } catch {
    return undefined
  }
}

const isDelta = (json: Schema.Json): json is { readonly text: string } =>
  typeof json === "object" && json !== null && "text" in json && typeof json.text === "string"

/**
 * The event with this name and this data. Only one with a known name can fail: where its data is no JSON, or lacks what an event of that
 * name exists for.
 */
export const decode = (name: string, data: string): Result.Result<CompletionEvent, SchemaIssue.Issue> => {
  const parsed = parse(data)
  if (!isKnown(name)) return Result.succeed({ _tag: "Unknown", name, data: parsed === undefined ? data : parsed.json })
  if (parsed === undefined) return Result.fail(new SchemaIssue.InvalidValue({ message: "Expected JSON" }, data))
  // Nearly all events are deltas, and the schema would do no more, at four times the cost of parsing.
  if (name === "delta" && isDelta(parsed.json)) return Result.succeed({ _tag: "Delta", text: parsed.json.text })
  return Result.mapError(codecs[name].decode(parsed.json), ({ issue }) => issue)
}
