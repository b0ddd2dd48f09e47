/**
 * `text/event-stream` (WHATWG HTML, 9.2): messages to bytes and back.
 *
 * It differs from the letter of the standard in one thing. A message that only lacks its closing blank line at the end of the input is
 * read, because there are backends that leave it out after the last one.
 */
import { EventTooLarge } from "@effect-chatbot/schema/Errors"
import * as Duration from "effect/Duration"
import type * as Stream from "effect/Stream"
import { type Decoder, through } from "./internal/decoder.ts"

/** The media type of a stream of events. */
export const contentType = "text/event-stream"

/** A message as it is sent. */
export interface Message {
  /** What a reader says that it has when it comes back. Without one the id of the message before it stays. */
  readonly id: string | undefined
  /** What kind of message it is; `message` where the stream does not say. */
  readonly name: string
  readonly data: string
}

/** A message that was read. Its `id` is that of the last message that had one, and absent as long as none had. */
export interface Received extends Message {
  readonly _tag: "Message"
  /** Whether it has the id itself, and not from a message before it. */
  readonly hasOwnId: boolean
}

/** How long the server asks its reader to wait before it comes back. It may be any time, so bound it. */
export interface Retry {
  readonly _tag: "Retry"
  readonly delay: Duration.Duration
}

// No line of a message can end before it is meant to, and no id is ignored. What cannot be written becomes what stands for that in Unicode.
const oneLine = (text: string): string => text.replaceAll(/[\r\n\0]/g, "\ufffd")

/**
 * A message as text. No text in it, whatever it holds, can become another message: line ends in the data are kept as such, in the form of
 * `\n`; in the name and the id they are replaced, as is NUL. The data comes last, so that a message cut off lacks some of it.
 */
export const encode = ({ data, id, name }: Message): string => {
  const head = id === undefined ? `event: ${oneLine(name)}\n` : `event: ${oneLine(name)}\nid: ${oneLine(id)}\n`
  return `${head}data: ${data.replaceAll(/\r\n|\r|\n/g, "\ndata: ")}\n\n`
}

/** A comment, which readers ignore. It shows both ends and all proxies between them that the stream is alive. */
export const heartbeat: string = ":\n\n"

/** How messages are read. */
export interface DecodeOptions {
  /**
   * How large a message may be, from its first line of data on, and any line before that, in UTF-16 code units. The default is 1 Mi. The
   * memory that is used is in proportion to it.
   */
  readonly maxEventSize?: number | undefined
}

const BOM = 0xfeff
const LF = 10
const SPACE = 32
const COLON = 58

/** The value of a field, if the line from `start` to `end` is of that field. */
const valueOf = (field: string, text: string, start: number, end: number): string | undefined => {
  if (!text.startsWith(field, start)) return undefined
  const at = start + field.length
  if (at === end) return ""
  if (text.charCodeAt(at) !== COLON) return undefined
  return text.slice(text.charCodeAt(at + 1) === SPACE ? at + 2 : at + 1, end)
}

/** The decoder of one stream. */
export const decoder = (options?: DecodeOptions): Decoder<Received | Retry, EventTooLarge> => {
  const maxEventSize = options?.maxEventSize ?? 2 ** 20
  // Node takes two byte order marks away where the first is split, so that is done here.
  const utf8 = new TextDecoder("utf-8", { ignoreBOM: true })

  // What is no part of the text if it comes next: a byte order mark at its beginning, and LF after CR.
  let skipped: number | undefined = BOM

  // The beginning of a line that has not ended. It is added to and not looked into, which would make the time quadratic.
  let begun = ""

  let id = ""
  let hasOwnId = false
  let name = ""
  let data: string | undefined
  let size = 0

  const dispatch = (out: Array<Received | Retry>) => {
    if (data !== undefined) {
      out.push({
        _tag: "Message",
        id: id === "" ? undefined : id,
        hasOwnId,
        name: name === "" ? "message" : name,
        data
      })
    }
    hasOwnId = false
    name = ""
    data = undefined
    size = 0
  }

  const readField = (text: string, start: number, end: number, out: Array<Received | Retry>) => {
    let value: string | undefined
    if ((value = valueOf("data", text, start, end)) !== undefined) {
      data = data === undefined ? value : `${data}\n${value}`
    } else if ((value = valueOf("event", text, start, end)) !== undefined) {
      name = value
    } else if ((value = valueOf("id", text, start, end)) !== undefined) {
      if (!value.includes("\0")) {
        id = value
        hasOwnId = true
      }
    } else if ((value = valueOf("retry", text, start, end)) !== undefined) {
      if (/^[0-9]+$/.test(value)) out.push({ _tag: "Retry", delay: Duration.millis(Number(value)) })
    }
    if (data !== undefined) size += end - start + 1
  }

  return {
    feed: (bytes, out) => {
      const text = utf8.decode(bytes, { stream: true })
      let at = 0
      if (skipped !== undefined && text !== "") {
        if (text.charCodeAt(0) === skipped) at = 1
        skipped = undefined
      }
      let lf = text.indexOf("\n", at)
      let cr = text.indexOf("\r", at)
      while (lf !== -1 || cr !== -1) {
        const end = cr === -1 || (lf !== -1 && lf < cr) ? lf : cr
        const length = begun.length + end - at
        if (length === 0) dispatch(out)
        // The size is looked at line by line, so that it does not matter in which pieces a line came.
        else if (size + length > maxEventSize) return new EventTooLarge({ maxEventSize })
        else if (begun === "") readField(text, at, end, out)
        else {
          readField(begun + text.slice(at, end), 0, length, out)
          begun = ""
        }

        at = end + 1
        if (end === cr) {
          if (at === text.length) skipped = LF
          else if (at === lf) at++
          cr = text.indexOf("\r", at)
        }
        if (lf !== -1 && lf < at) lf = text.indexOf("\n", at)
      }
      if (at === text.length) return undefined
      begun += text.slice(at)
      return size + begun.length > maxEventSize ? new EventTooLarge({ maxEventSize }) : undefined
    },
    // A last line that has not ended may be cut off. Of data its reader can tell; but a message with half its id or name is a wrong one.
    end: (out) => {
      const line = begun + utf8.decode()
      if (line.startsWith("data")) readField(line, 0, line.length, out)
      if (line === "" || line.startsWith("data")) dispatch(out)
      return undefined
    }
  }
}

/**
 * Reads the messages of a stream, cut into reads as it may be: one Effect a read. Time is linear and memory bounded.
 *
 * `retry` is a value among the messages. A message over the limit ends the stream with `EventTooLarge`, after the messages before it.
 */
export const decode = (
  options?: DecodeOptions
): (<E, R>(self: Stream.Stream<Uint8Array, E, R>) => Stream.Stream<Received | Retry, E | EventTooLarge, R>) =>
  through(() => decoder(options))
