/**
 * The little of Markdown that answers need: its blocks, its sentences, and its text without the marks.
 */

/** A block of a document, in the order of the document. */
export type Block =
  | { readonly _tag: "Heading"; readonly level: number; readonly text: string }
  | { readonly _tag: "Paragraph"; readonly text: string }
  /** One entry an item, without its bullet; lines and nested items of an item are joined into it. */
  | { readonly _tag: "List"; readonly items: ReadonlyArray<string>; readonly text: string }
  | {
      readonly _tag: "Table"
      readonly header: ReadonlyArray<string>
      readonly rows: ReadonlyArray<ReadonlyArray<string>>
      readonly text: string
    }
  /** A fence with its marks, just as it was written. */
  | { readonly _tag: "Code"; readonly text: string }

const fence = /^ {0,3}(`{3,}|~{3,})[^`]*$/
const fenceEnd = /^ {0,3}(`{3,}|~{3,})[ \t]*$/
const heading = /^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$/
const bullet = /^(\s{0,8})(?:[-*+]|\d{1,9}[.)])[ \t]+(.*)$/
const delimiterRow = /^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/
const rule = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/

const cells = (line: string): ReadonlyArray<string> =>
  line
    .trim()
    .replace(/^\|/, "")
    .replace(/\|$/, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll("\\|", "|"))

/** The blocks of a Markdown (or plain) text. Front matter, comments and rules are left out. */
export const blocks = (text: string): ReadonlyArray<Block> => {
  const lines = text
    .replace(/^\uFEFF/, "")
    .replace(/\r\n?/g, "\n")
    .replace(/<!--[^]*?-->/g, "")
    .split("\n")
  const result: Array<Block> = []
  let i = 0
  if (lines[0] === "---") {
    const end = lines.indexOf("---", 1)
    if (end > 0) i = end + 1
  }
  const at = (index: number): string => lines[index] ?? ""
  const startsBlock = (index: number): boolean =>
    fence.test(at(index)) || heading.test(at(index)) || rule.test(at(index)) || bullet.test(at(index)) || isTable(index)
  const isTable = (index: number): boolean =>
    at(index).includes("|") && at(index + 1).includes("|") && delimiterRow.test(at(index + 1))
  while (i < lines.length) {
    const line = at(i)
    if (line.trim() === "") {
      i++
      continue
    }
    const opening = fence.exec(line)?.[1]
    if (opening !== undefined) {
      const start = i++
      while (i < lines.length && !(fenceEnd.exec(at(i))?.[1] ?? "").startsWith(opening)) i++
      const body = lines.slice(start, i)
      result.push({ _tag: "Code", text: [...body, opening].join("\n") })
      i++
      continue
    }
    const head = heading.exec(line)
    if (head !== null) {
      result.push({ _tag: "Heading", level: head[1]?.length ?? 1, text: head[2] ?? "" })
      i++
      continue
    }
    if (rule.test(line)) {
      i++
      continue
    }
    if (isTable(i)) {
      const start = i
      const rows: Array<ReadonlyArray<string>> = []
      i += 2
      while (i < lines.length && at(i).includes("|") && at(i).trim() !== "") rows.push(cells(at(i++)))
      result.push({ _tag: "Table", header: cells(line), rows, text: lines.slice(start, i).join("\n") })
      continue
    }
    if (bullet.test(line)) {
      const start = i
      const items: Array<string> = []
      const indent = bullet.exec(line)?.[1]?.length ?? 0
      while (i < lines.length) {
        const item = bullet.exec(at(i))
        if (item !== null) {
          const nested = (item[1]?.length ?? 0) > indent + 1
          if (nested && items.length > 0) items.push(`${items.pop() ?? ""} ${item[2] ?? ""}`)
          else items.push(item[2] ?? "")
        } else if (at(i).trim() === "") {
          // A blank line ends the list, unless another item or an indented line goes on with it.
          if (!bullet.test(at(i + 1)) && !/^\s{2,}\S/.test(at(i + 1))) break
        } else if (fence.test(at(i)) || heading.test(at(i)) || (at(i - 1).trim() === "" && !/^\s/.test(at(i)))) {
          break
        } else {
          items.push(`${items.pop() ?? ""} ${at(i).trim()}`)
        }
        i++
      }
      result.push({ _tag: "List", items, text: lines.slice(start, i).join("\n").trimEnd() })
      continue
    }
    const start = i++
    while (i < lines.length && at(i).trim() !== "" && !startsBlock(i)) i++
    const paragraph = lines
      .slice(start, i)
      .map((line) => line.trim().replace(/^>\s?/, ""))
      .join("\n")
      .trim()
    if (paragraph !== "") result.push({ _tag: "Paragraph", text: paragraph })
  }
  return result
}

const htmlTag =
  /<\/?(?:a|abbr|b|br|code|details|div|em|i|img|kbd|li|p|s|small|span|strong|sub|summary|sup|u|ul)(?:\s[^<>]*)?\/?>/gi

const withoutMarks = (text: string): string =>
  text
    .replace(/!\[([^[\]]*)\]\([^()]*\)/g, "$1")
    .replace(/\[([^[\]]*)\]\([^()]*\)/g, "$1")
    .replace(/\[([^[\]]*)\]\[[^[\]]*\]/g, "$1")
    .replace(/<(https?:[^<>\s]*)>/g, "$1")
    .replace(htmlTag, "")
    .replace(/(\*\*|__)(?=\S)(.*?\S)\1/gs, "$2")
    .replace(/(?<![*\w])\*(?=[^\s*])([^*]*[^\s*])\*(?!\w)/g, "$1")
    .replace(/(?<![_\w])_(?=[^\s_])([^_]*[^\s_])_(?!\w)/g, "$1")
    .replace(/~~(?=\S)([^~]*\S)~~/g, "$1")
    .replace(/\\([\\`*_{}[\]()#+\-.!|<>~])/g, "$1")

/** The text of a paragraph, an item or a cell as a person reads it: no marks, one line, but inline code still in its backticks. */
export const plain = (text: string): string => {
  // Links around code ("[`x`](…)") lose their marks first, for which the code itself must be out of the way.
  const code: Array<string> = []
  const masked = text.replace(/(`+)(?!`)([^]*?[^`])\1(?!`)/g, (span) => `\uE000${code.push(span) - 1}\uE001`)
  return withoutMarks(masked)
    .replace(/\uE000(\d+)\uE001/g, (_, index: string) => code[Number(index)] ?? "")
    .replace(/\s+/g, " ")
    .trim()
}

const abbreviation = /(?:^|[\s(])(?:e\.g|i\.e|etc|vs|cf|approx|ca|no|fig|Mr|Mrs|Ms|Dr|St)\.\s*$/i

let segmenter: Intl.Segmenter | undefined

/** The sentences of a plain text. A full stop in inline code or after an abbreviation ends none. */
export const sentences = (text: string): ReadonlyArray<string> => {
  segmenter ??= new Intl.Segmenter("en", { granularity: "sentence" })
  // Code counts as one word in lower case unless a sentence may begin with it, for which its first character must be a capital.
  const masked = text.replace(/`[^`]*`/g, (span) => `X${"x".repeat(span.length - 1)}`)
  const result: Array<string> = []
  let start = 0
  for (const { index, segment } of segmenter.segment(masked)) {
    const end = index + segment.length
    if (end < masked.length && abbreviation.test(masked.slice(start, end))) continue
    const sentence = text.slice(start, end).trim()
    if (sentence !== "") result.push(sentence)
    start = end
  }
  const rest = text.slice(start).trim()
  if (rest !== "") result.push(rest)
  return result
}

/** The first heading of a document, or nothing. */
export const title = (parsed: ReadonlyArray<Block>): string | undefined => {
  for (const block of parsed) {
    if (block._tag === "Heading" && block.text !== "") return plain(block.text)
  }
  return undefined
}
