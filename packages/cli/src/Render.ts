/**
 * How texts are laid out for people: width, wrapping, tables, and words for sizes and times. All of it is pure.
 *
 * What comes from a backend goes through {@link clean} or {@link fold} before it is shown, for a terminal obeys the control characters
 * in what it prints.
 */
import * as ByteSize from "effect/ByteSize"
import * as Duration from "effect/Duration"
import { stripVTControlCharacters } from "node:util"

/** How a text is set off. Each function gives the text back with its marks, or unchanged where there are no colours. */
export interface Style {
  /** A heading or a name. */
  readonly strong: (text: string) => string
  /** What may be overlooked. */
  readonly faint: (text: string) => string
  /** What belongs to the program: names of methods, the prompt. */
  readonly accent: (text: string) => string
  /** What went wrong. */
  readonly alarm: (text: string) => string
}

const unchanged = (text: string): string => text

/** No marks at all. */
export const plain: Style = { strong: unchanged, faint: unchanged, accent: unchanged, alarm: unchanged }

// Select graphic rendition (ECMA-48, 8.3.117): a code to begin with, and the code that takes it back.
const graphic =
  (begin: number, end: number) =>
  (text: string): string =>
    text === "" ? "" : `\u001b[${begin}m${text}\u001b[${end}m`

/** Marks for a terminal. */
export const coloured: Style = {
  strong: graphic(1, 22),
  faint: graphic(2, 22),
  accent: graphic(36, 39),
  alarm: graphic(31, 39)
}

/** The text without escape sequences and control characters but line breaks, which become `\n`. A tab becomes a space. */
export const clean = (text: string): string =>
  stripVTControlCharacters(text.replace(/\r\n?|[\u0085\u2028\u2029]/g, "\n").replaceAll("\t", " "))
    // Control characters but the line feed, and the marks that turn the writing direction of what follows.
    .replace(/(?!\n)\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu, "")

/** The text on one line: fences of code go, and every line break, with the blanks around it, becomes a space. */
export const fold = (text: string): string =>
  clean(text)
    .replace(/^ *```.*$/gm, "")
    .replace(/\s*\n\s*/g, " ")
    .trim()

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" })

/** Written over two columns (Unicode Standard Annex 11, East Asian Wide), or shown as a picture. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u

const ascii = /^[\u0020-\u007e]*$/

/** How many columns a text takes on a terminal; marks take none. */
export const width = (text: string): number => {
  const visible = stripVTControlCharacters(text)
  if (ascii.test(visible)) return visible.length
  let columns = 0
  for (const { segment } of graphemes.segment(visible)) {
    columns += /^[\p{Mn}\p{Me}\p{Cf}]/u.test(segment) ? 0 : wide.test(segment) ? 2 : 1
  }
  return columns
}

/** The beginning of a text that fits into `columns`; an ellipsis stands for the rest. */
export const shorten = (text: string, columns: number): string => {
  if (width(text) <= columns) return text
  let short = ""
  let used = 0
  for (const { segment } of graphemes.segment(text)) {
    used += width(segment)
    if (used > columns - 1) break
    short += segment
  }
  return columns < 1 ? "" : `${short.trimEnd()}…`
}

/** Breaks a word that is wider than a line. A URL stays whole, so that it can be copied. */
const breakWord = (word: string, columns: number): ReadonlyArray<string> => {
  if (width(word) <= columns || word.includes("://")) return [word]
  const pieces: Array<string> = []
  let piece = ""
  for (const { segment } of graphemes.segment(word)) {
    if (piece !== "" && width(piece) + width(segment) > columns) {
      pieces.push(piece)
      piece = ""
    }
    piece += segment
  }
  return [...pieces, piece]
}

/**
 * Breaks a text into lines of at most `columns`, between words where that is possible. Line breaks of the text stay. `indent` stands
 * before every line, and `first`, of the same width, before the first one.
 */
export const wrap = (text: string, columns: number, indent = "", first = indent): ReadonlyArray<string> => {
  const room = Math.max(1, columns - width(indent))
  const lines: Array<string> = []
  for (const paragraph of text.split("\n")) {
    let line = ""
    for (const word of paragraph.split(/ +/).flatMap((word) => breakWord(word, room))) {
      if (line === "") line = word
      else if (width(line) + 1 + width(word) <= room) line += ` ${word}`
      else {
        lines.push(line)
        line = word
      }
    }
    lines.push(line)
  }
  return lines.map((line, index) => ((index === 0 ? first : indent) + line).trimEnd())
}

const fence = /^\s*(?:```|~~~)/

/** What a list item begins with, or just its indentation. */
const lead = /^\s*(?:(?:[-*•]|\d+[.)])\s+)?/

/**
 * An answer of a bot in lines of at most `columns`: paragraphs wrapped, list items with their second lines under the first, and code
 * blocks as they are, without their fences and set in a little. Takes the text as it came.
 */
export const prose = (text: string, columns: number, style: Style = plain): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let isCode = false
  for (const line of clean(text).trim().split("\n")) {
    if (fence.test(line)) isCode = !isCode
    else if (isCode) lines.push(line === "" ? "" : `  ${style.accent(line)}`)
    else {
      const [first] = lead.exec(line) ?? [""]
      lines.push(...wrap(line.slice(first.length), columns, " ".repeat(width(first)), first))
    }
  }
  return lines
}

/** A column of a table. */
export interface Column {
  readonly title: string
  /** On which side its cells stand; left by default. */
  readonly align?: "left" | "right"
}

const pad = (text: string, columns: number, align: Column["align"]): string => {
  const blank = " ".repeat(Math.max(0, columns - width(text)))
  return align === "right" ? blank + text : text + blank
}

/** A table with a heading, two blanks between its columns. The last column is shortened to what fits into `columns`. */
export const table = (
  columns: ReadonlyArray<Column>,
  rows: ReadonlyArray<ReadonlyArray<string>>,
  options: { readonly columns: number; readonly indent?: string; readonly style?: Style }
): ReadonlyArray<string> => {
  const { indent = "", style = plain } = options
  const widths = columns.map(({ title }, index) =>
    Math.max(width(title), ...rows.map((row) => width(row[index] ?? "")))
  )
  const last = columns.length - 1
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, width(indent))
  const room = Math.max(width(columns[last]?.title ?? ""), Math.min(widths[last] ?? 0, options.columns - before))
  const line = (cells: ReadonlyArray<string>) =>
    columns
      .map(({ align }, index) => {
        const cell = cells[index] ?? ""
        return index === last ? pad(shorten(cell, room), room, align) : pad(cell, widths[index] ?? 0, align)
      })
      .join("  ")
      .trimEnd()
  return [indent + style.faint(line(columns.map(({ title }) => title))), ...rows.map((row) => indent + line(row))]
}

/** A number of things: `1 bot`, `2 bots`. */
export const count = (number: number, one: string, many = `${one}s`): string => `${number} ${number === 1 ? one : many}`

/** A size in bytes, in the unit that reads best: `200.3 KiB`. */
export const bytes = (size: number): string => ByteSize.format(ByteSize.bytes(size), { precision: 1 })

/** A time span in seconds, with one digit after the point. */
export const seconds = (duration: Duration.Duration): string => `${(Duration.toMillis(duration) / 1000).toFixed(1)} s`
