/**
 * An answer out of what was found: whole sentences of the best passages, in the order of their documents, and code where the question
 * asks how.
 */
import { type Found, isAbout, type Passage, type WeightedTerm } from "../Knowledge.ts"
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

/** How many of the best passages an answer is drawn from. */
export const passagesRead = 8

/** How much an answer may hold. */
const limits = { sentences: 4, characters: 700, items: 14, codeCharacters: 1500 } as const

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
  /** The share of the question, by weight, that its own words are about. */
  readonly share: number
  readonly score: number
}

const row = (header: ReadonlyArray<string>, cells: ReadonlyArray<string>): string => {
  const [first = "", ...rest] = cells.map(Markdown.plain)
  const others = rest
    .map((cell, index) => ({ name: Markdown.plain(header[index + 1] ?? ""), cell }))
    .filter(({ cell }) => cell !== "")
  return others.length === 1
    ? `${first}: ${others[0]?.cell ?? ""}`
    : [first, others.map(({ cell, name }) => (name === "" ? cell : `${name.toLowerCase()} ${cell}`)).join(", ")]
        .filter((part) => part !== "")
        .join(": ")
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

/** Whether it begins by saying what one of the terms is: "A ticket is …", "The data folder holds …". */
const defines = (text: string, terms: ReadonlyArray<WeightedTerm>): boolean => {
  const [subject] = /^(.{1,60}?)\s(?:is|are|means?|holds?|has|have)\s/.exec(text)?.slice(1) ?? []
  if (subject === undefined) return false
  const stems = Words.stems(subject)
  return terms.some((term) => stems.has(term.stem))
}

/** The units of a passage, each with its worth as an answer; `standing` is that of the passage among the others, from 0 to 1. */
const unitsOf = (
  question: string,
  passage: Passage,
  terms: ReadonlyArray<WeightedTerm>,
  standing: number
): ReadonlyArray<Unit> => {
  const whole = sum(terms, () => true)
  const heading = Words.stems(passage.heading)
  // How much of the heading next above is what was asked for: "Timeouts" says more about timeouts than "Change a timeout".
  const above = Words.terms(passage.heading.slice(passage.heading.lastIndexOf("›") + 1))
  const aboveStems = new Set(above.map((term) => term.stem))
  const matching = above.filter((word) => terms.some((term) => term.stem === word.stem)).length
  const precision = above.length === 0 ? 0 : matching / above.length
  const wantsDefinition = asksWhat.test(question)
  const wantsNumber = asksNumber.test(question)
  const wantsReason = asksWhy.test(question)
  const denies = denial.test(question)
  const result: Array<Unit> = []
  for (const [block, parsed] of Markdown.blocks(passage.text).entries()) {
    const kind = parsed._tag === "Code" ? "code" : parsed._tag === "Paragraph" ? "sentence" : "item"
    for (const text of texts(parsed)) {
      if (text === "") continue
      const words = Words.words(text)
      const stems = new Set(words.map(stem))
      const forms = new Set(words)
      const share = sum(terms, (stem) => stems.has(stem)) / whole
      // What a sentence does not say itself, the heading next above says for it, and less so the title of the document.
      const context =
        (sum(terms, (stem) => !stems.has(stem) && aboveStems.has(stem)) * 0.6 +
          sum(terms, (stem) => !stems.has(stem) && !aboveStems.has(stem) && heading.has(stem)) * 0.3) /
        whole
      const first = result.length === 0
      const leads = text.endsWith(":")
      const length = leads ? 0.85 : kind === "code" ? 0.7 : words.length < 4 ? 0.6 : words.length > 45 ? 0.85 : 1
      // "a chat" is rather found in "a chat" than in "all chats".
      const exact =
        sum(
          terms.filter((term) => forms.has(term.word)),
          () => true
        ) / whole
      const bonus =
        (first ? 0.08 : 0) +
        precision * 0.2 +
        exact * 0.06 +
        (wantsDefinition && defines(text, terms) ? 0.25 : 0) +
        (wantsNumber && /\d/.test(text) ? 0.2 : 0) +
        (wantsReason && reason.test(text) ? 0.3 : 0)
      const penalty = !denies && denial.test(text) ? 0.85 : 1
      const score =
        share === 0 && !(first && context > 0)
          ? 0
          : (share + context + bonus) * length * penalty * (0.6 + 0.4 * standing)
      result.push({ passage, block, index: result.length, kind, text, stems, share, score })
    }
  }
  return result
}

const asksWhat =
  /^\W*(?:(?:so|and|please|tell me|explain|describe)\s+)*(?:what|who)(?:'s|\s+(?:is|are|does|do))\b|\bmean(?:s|ing)?\b/i
const asksNumber = /\bhow\s+(?:long|many|much|often|big|large|old)\b/i
const asksWhy = /^\W*(?:(?:and|but|so|ok)\s+)*(?:why|how come)\b/i
const reason = /\b(?:because|so that|therefore|reasons?|in order to|lest)\b/i
const denial = /\b(?:not|never|cannot|can't|without|fails?|failed|wrong|missing|doesn't|don't)\b/i

const overlap = (a: ReadonlySet<string>, b: ReadonlySet<string>): number => {
  let common = 0
  for (const stem of a) if (b.has(stem)) common++
  return common / Math.max(1, Math.min(a.size, b.size))
}

/** What cannot be understood without the sentence before it. */
const leansBack =
  /^(?:It|Its|This|These|That|Those|They|Their|Them|He|She|Then|So|But|And|Or|Otherwise|Instead|Else|Also|Both|Such)\b/

const asksHow = (question: string): boolean =>
  /\bhow\s+(?:do|does|can|could|to|should|would|is|are|must|may|might)\b|\b(?:examples?|snippets?|code|commands?|show|syntax|write)\b/i.test(
    question
  )

const ended = (text: string): string => (/[.!?:…。！？]["'”’)\]]*$/u.test(text) ? text : `${text}.`)

/** Draws an answer from what was found, or nothing when it does not speak of the question. */
export const extract = (question: string, found: Found, isFollowUp: boolean): Extract | undefined => {
  const best = found.passages[0]
  if (best === undefined || !isAbout(found, isFollowUp ? 0.15 : 0.3)) return undefined
  const passages = found.passages.slice(0, passagesRead).filter((passage) => passage.score >= best.score * 0.35)
  const units = new Map(
    passages.map((passage) => [
      passage.id,
      unitsOf(question, passage, found.terms, best.score === 0 ? 1 : passage.score / best.score)
    ])
  )
  const ranked = Array.from(units.values())
    .flat()
    .filter((unit) => unit.score > 0)
    .toSorted((a, b) => b.score - a.score)
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
  // The next sentence of the same paragraph mostly says more about the same thing, the one after it only if it speaks of the question.
  for (let i = 1; i <= 2; i++) {
    const next = around(leading, i)
    if (next === undefined || next.block !== leading.block || next.kind !== "sentence" || !hasRoom(next)) break
    if (i === 2 && (next.share === 0 || characters + next.text.length > limits.characters / 2)) break
    choose(next)
  }
  const covered = new Set<string>()
  const cover = (unit: Unit): void => {
    for (const term of found.terms) if (unit.stems.has(term.stem)) covered.add(term.stem)
  }
  for (const unit of chosen) cover(unit)
  const whole = sum(found.terms, () => true)
  for (const unit of ranked) {
    if (unit.score < leading.score * 0.5) break
    if (unit.kind === "code" || unit.text.endsWith(":") || chosen.has(unit) || !hasRoom(unit) || !isNew(unit)) continue
    if (leansBack.test(unit.text) && around(unit, -1)?.block === unit.block) continue
    const near = unit.passage === leading.passage
    const gain = sum(found.terms, (stem) => unit.stems.has(stem) && !covered.has(stem)) / whole
    if (!near) {
      // From elsewhere only what says more of the question, and of the same thing; or as much, where little is said so far.
      const heading = Words.stems(unit.passage.heading)
      const sameThing = found.terms.some(({ stem }) => covered.has(stem) && (unit.stems.has(stem) || heading.has(stem)))
      if (unit.share < 0.5 || !sameThing || (gain < 0.15 && characters > 120)) continue
    }
    const least = gain >= 0.15 ? 0.5 : near && unit.kind === "sentence" ? 0.65 : 0.92
    if (unit.score < leading.score * least) continue
    choose(unit)
    cover(unit)
    const following = around(unit, 1)
    if (unit.text.length < 60 && following?.block === unit.block && following.kind === "sentence" && hasRoom(following))
      choose(following)
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
    code =
      own.find((unit) => unit.kind === "code" && unit.index > leading.index) ?? own.find((unit) => unit.kind === "code")
  }
  if (code !== undefined && code.text.length > limits.codeCharacters) code = undefined
  // Code stands behind what it is about: where it comes before all that was chosen of its passage, what leads to it comes along.
  if (code !== undefined) {
    const { index, passage } = code
    const isLed = [...chosen, ...attached].some((unit) => unit.passage === passage && unit.index < index)
    let lead = isLed ? undefined : around(code, -1)
    while (lead !== undefined && lead.kind !== "code") {
      chosen.add(lead)
      lead = leansBack.test(lead.text) ? around(lead, -1) : undefined
    }
  }

  // In the order of the documents: that of the leading sentence first, the others as they came in.
  const order = new Map<string, number>()
  const keyOf = (unit: Unit): string => unit.passage.documentId ?? `fact ${unit.passage.id}`
  for (const unit of chosen) if (!order.has(keyOf(unit))) order.set(keyOf(unit), order.size)
  const sequence = [
    ...chosen,
    ...Array.from(attached).filter((unit) => !chosen.has(unit)),
    ...(code === undefined || chosen.has(code) ? [] : [code])
  ].toSorted(
    (a, b) =>
      (order.get(keyOf(a)) ?? 0) - (order.get(keyOf(b)) ?? 0) ||
      a.passage.ordinal - b.passage.ordinal ||
      a.index - b.index
  )

  let text = ""
  let previous: Unit | undefined
  for (const unit of sequence) {
    // A passage that begins with code has its heading for a sentence.
    if (text === "" && unit.kind === "code") {
      text = `${Markdown.plain(unit.passage.heading.split(" › ").at(-1) ?? "") || "For example"}:\n\n`
    }
    const bulleted =
      attached.has(unit) ||
      (unit.kind === "item" &&
        sequence.some((other) => other !== unit && other.passage === unit.passage && other.block === unit.block))
    const written = unit.kind === "code" ? unit.text : bulleted ? `- ${unit.text}` : ended(unit.text)
    const together = previous !== undefined && previous.passage === unit.passage && previous.block === unit.block
    text += previous === undefined ? written : `${together ? (bulleted ? "\n" : " ") : "\n\n"}${written}`
    previous = unit
  }
  return {
    text,
    used: Array.from(new Set(sequence.map((unit) => unit.passage))),
    sentences: chosen.size,
    hasCode: code !== undefined
  }
}
