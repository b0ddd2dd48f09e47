/**
 * An answer out of what was found: whole sentences of the best passages, in the order of their documents, and code where the question
 * asks how.
 */
import type { Found, Passage, WeightedTerm } from "../Knowledge.ts"
import * as Markdown from "./Markdown.ts"
import { stem } from "./Stemmer.ts"
import * as Words from "./Words.ts"

/** What was drawn from the passages. */
export interface Extract {
  readonly text: string
  /** The passages it draws on, in the order of their use. */
  readonly used: ReadonlyArray<Passage>
  /** Whole sentences (or items of a list) in it. */
  readonly sentences: number
  readonly hasCode: boolean
}

/** How much an answer may hold. */
const limits = { passages: 6, sentences: 4, characters: 700, items: 8, codeCharacters: 1500 } as const

/** A sentence, an item of a list or a row of a table. */
interface Unit {
  readonly passage: Passage
  /** The block of the passage it is in, and its place among all the units of the passage. */
  readonly block: number
  readonly index: number
  readonly kind: "sentence" | "item" | "code"
  /** Plain; for code, the fence as it is. */
  readonly text: string
  readonly stems: ReadonlySet<string>
  readonly score: number
}

const row = (header: ReadonlyArray<string>, cells: ReadonlyArray<string>): string => {
  const [first = "", ...rest] = cells.map(Markdown.plain)
  const others = rest
    .map((cell, index) => ({ name: Markdown.plain(header[index + 1] ?? ""), cell }))
    .filter(({ cell }) => cell !== "")
  return others.length === 1
    ? `${first}: ${others[0]?.cell ?? ""}`
    : [first, others.map(({ cell, name }) => name === "" ? cell : `${name.toLowerCase()} ${cell}`).join(", ")]
      .filter((part) => part !== "").join(": ")
}

/** The plain texts of a block: its sentences, items or rows. */
const texts = (block: Markdown.Block): ReadonlyArray<string> => {
  switch (block._tag) {
    case "Heading":
      return []
    case "Paragraph":
      return Markdown.sentences(Markdown.plain(block.text))
    case "List":
      return block.items.map(Markdown.plain)
    case "Table":
      return block.rows.map((cells) => row(block.header, cells))
    case "Code":
      return [block.text]
  }
}

const sum = (terms: ReadonlyArray<WeightedTerm>, has: (stem: string) => boolean): number => {
  let result = 0
  for (const term of terms) if (has(term.stem)) result += term.weight
  return result
}

/** The units of a passage, each with its worth as an answer to the terms; `standing` is that of the passage among the others. */
const unitsOf = (passage: Passage, terms: ReadonlyArray<WeightedTerm>, standing: number): ReadonlyArray<Unit> => {
  const whole = sum(terms, () => true)
  const heading = Words.stems(passage.heading)
  const result: Array<Unit> = []
  for (const [block, parsed] of Markdown.blocks(passage.text).entries()) {
    const kind = parsed._tag === "Code" ? "code" : parsed._tag === "Paragraph" ? "sentence" : "item"
    for (const text of texts(parsed)) {
      if (text === "") continue
      const words = Words.words(text)
      const stems = new Set(words.map(stem))
      const own = sum(terms, (stem) => stems.has(stem)) / whole
      const context = sum(terms, (stem) => !stems.has(stem) && heading.has(stem)) / whole
      const first = result.length === 0
      const length = kind === "code" ? 0.7 : words.length < 4 ? 0.6 : words.length > 45 ? 0.85 : 1
      const score = own === 0 && !(first && context > 0)
        ? 0
        : (own + context * 0.5 + (first ? 0.08 : 0)) * length * (0.5 + 0.5 * standing)
      result.push({ passage, block, index: result.length, kind, text, stems, score })
    }
  }
  return result
}

const overlap = (a: ReadonlySet<string>, b: ReadonlySet<string>): number => {
  let common = 0
  for (const stem of a) if (b.has(stem)) common++
  return common / Math.max(1, Math.min(a.size, b.size))
}

/** What cannot be understood without the sentence before it. */
const leansBack = /^(?:It|Its|This|These|That|Those|They|Their|Them|He|She|Then|So|But|And|Or|Otherwise|Instead|Else|Also|Both|Such)\b/

const asksHow = (question: string): boolean =>
  /\bhow\s+(?:do|does|can|could|to|should|would|is|are|must|may|might)\b|\b(?:examples?|snippets?|code|commands?|show|syntax|write)\b/i
    .test(question)

const ended = (text: string): string => /[.!?:…)"'`”’]$/.test(text) && !/[\w`)]$/.test(text) ? text : `${text}.`

/** Draws an answer from what was found, or nothing when no sentence speaks of the question. */
export const extract = (question: string, found: Found): Extract | undefined => {
  const best = found.passages[0]
  if (best === undefined) return undefined
  const passages = found.passages.slice(0, limits.passages).filter((passage) => passage.score >= best.score * 0.35)
  const units = new Map(passages.map((passage) => [
    passage.id,
    unitsOf(passage, found.terms, best.score === 0 ? 1 : passage.score / best.score)
  ]))
  const ranked = Array.from(units.values()).flat().filter((unit) => unit.score > 0).sort((a, b) => b.score - a.score)
  const around = (unit: Unit, offset: number): Unit | undefined => units.get(unit.passage.id)?.[unit.index + offset]

  // Code is no sentence: what it stands for is the sentence that leads to it.
  let leading = ranked[0]
  while (leading?.kind === "code" && leading.index > 0) leading = around(leading, -1)
  if (leading === undefined) return undefined

  const chosen = new Set<Unit>()
  let characters = 0
  const choose = (unit: Unit): void => {
    if (chosen.has(unit)) return
    chosen.add(unit)
    characters += unit.text.length
  }
  const hasRoom = (unit: Unit): boolean =>
    chosen.size < limits.sentences && characters + unit.text.length <= limits.characters
  const isNew = (unit: Unit): boolean => !Array.from(chosen).some((other) => overlap(unit.stems, other.stems) > 0.7)

  choose(leading)
  let before = leading
  while (leansBack.test(before.text)) {
    const earlier = around(before, -1)
    if (earlier === undefined || earlier.block !== before.block || !hasRoom(earlier)) break
    choose(earlier)
    before = earlier
  }
  // The next sentence of the same paragraph mostly says more about the same thing.
  const next = around(leading, 1)
  if (next !== undefined && next.block === leading.block && next.kind === "sentence" && hasRoom(next)) choose(next)
  for (const unit of ranked) {
    if (unit.score < leading.score * 0.6) break
    if (unit.kind === "code" || chosen.has(unit) || !hasRoom(unit) || !isNew(unit) || leansBack.test(unit.text)) continue
    choose(unit)
  }

  // A sentence that ends with a colon is worth nothing without what follows it.
  const attached = new Set<Unit>()
  let code: Unit | undefined
  for (const unit of Array.from(chosen)) {
    if (!unit.text.endsWith(":")) continue
    const following = around(unit, 1)
    if (following === undefined || following.block === unit.block) continue
    if (following.kind === "code") {
      code ??= following
      continue
    }
    for (let i = 1; i <= limits.items; i++) {
      const item = around(unit, i)
      if (item === undefined || item.block !== following.block) break
      attached.add(item)
    }
  }
  if (code === undefined && asksHow(question)) {
    const own = units.get(leading.passage.id) ?? []
    code = own.find((unit) => unit.kind === "code" && unit.index > leading.index) ?? own.find((unit) => unit.kind === "code")
  }
  if (code !== undefined && code.text.length > limits.codeCharacters) code = undefined

  // In the order of the documents: that of the leading sentence first, the others as they came in.
  const order = new Map<string, number>()
  const keyOf = (unit: Unit): string => unit.passage.documentId ?? `fact ${unit.passage.id}`
  for (const unit of chosen) if (!order.has(keyOf(unit))) order.set(keyOf(unit), order.size)
  const sequence = [...chosen, ...Array.from(attached).filter((unit) => !chosen.has(unit)), ...(code === undefined ? [] : [code])]
    .sort((a, b) =>
      (order.get(keyOf(a)) ?? 0) - (order.get(keyOf(b)) ?? 0) || a.passage.ordinal - b.passage.ordinal || a.index - b.index
    )

  let text = ""
  let previous: Unit | undefined
  for (const unit of sequence) {
    const bulleted = attached.has(unit) || (unit.kind === "item" &&
      sequence.some((other) => other !== unit && other.passage === unit.passage && other.block === unit.block))
    const written = unit.kind === "code" ? unit.text : bulleted ? `- ${unit.text}` : ended(unit.text)
    const together = previous !== undefined && previous.passage === unit.passage && previous.block === unit.block
    text += previous === undefined ? written : `${together ? bulleted ? "\n" : " " : "\n\n"}${written}`
    previous = unit
  }
  return {
    text,
    used: Array.from(new Set(sequence.map((unit) => unit.passage))),
    sentences: chosen.size,
    hasCode: code !== undefined
  }
}
