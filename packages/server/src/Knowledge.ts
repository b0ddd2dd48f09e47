/**
 * What the bots know, and how it is found: documents are split into passages, passages are indexed for full-text search, and a
 * question finds the passages that speak of it.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as SqlClient from "effect/sql/SqlClient"
import * as Markdown from "./internal/Markdown.ts"
import * as Words from "./internal/Words.ts"
import { PassageRepository } from "./repositories/PassageRepository.ts"

/** A piece of a document that can be read on its own. */
export interface Section {
  /** The title of the document and the headings above the piece, from the outermost in, joined by ` › `. */
  readonly heading: string
  /** Markdown, as it was written. */
  readonly text: string
}

/** A passage that a question found. */
export interface Passage {
  readonly id: number
  readonly botId: string
  /** The document it is from; absent for a fact. */
  readonly documentId: string | undefined
  /** Its place in the document, from 0. */
  readonly ordinal: number
  /** The title of the document and the headings above the passage, joined by ` › `; empty for a fact. */
  readonly heading: string
  /** Markdown. */
  readonly text: string
  /** The path of the document in the bot's knowledge folder; absent for a fact. */
  readonly path: string | undefined
  /** How well it answers; more is better. Comparable within one search only. */
  readonly score: number
  /** The share of the question, by weight, that its heading and text speak of: 0 to 1. */
  readonly coverage: number
}

/** A word of the question and what it weighs: words that few passages have weigh more. */
export interface WeightedTerm extends Words.Term {
  readonly weight: number
}

/** What a search found. */
export interface Found {
  /** What was looked for; empty when the question has no word of its own. */
  readonly terms: ReadonlyArray<WeightedTerm>
  /** The best first. */
  readonly passages: ReadonlyArray<Passage>
}

/** What is looked at of a question, and how much is found at most. */
export const limits = {
  /** Characters of a question; the rest is not looked at. */
  questionCharacters: Words.limits.characters,
  /** Different words of a question. */
  terms: Words.limits.terms,
  /** Passages of one search. */
  results: 50
} as const

/** Raised when {@link split} splits differently, so that documents already in a database are split again. */
export const splitVersion = 1

const separator = " › "

/** What a passage holds, in characters: it is filled up to the target, and cut at the limit; code may be as long as `code`. */
const sizes = { target: 900, limit: 1600, code: 4000 } as const

const chunked = (pieces: ReadonlyArray<string>, joiner: string, limit: number): ReadonlyArray<string> => {
  const result: Array<string> = []
  let current: string | undefined
  for (const piece of pieces) {
    if (current !== undefined && current.length + joiner.length + piece.length <= limit) {
      current = `${current}${joiner}${piece}`
    } else {
      if (current !== undefined) result.push(current)
      current = piece
    }
  }
  if (current !== undefined) result.push(current)
  return result
}

const hardCut = (text: string, limit: number): ReadonlyArray<string> => {
  const result: Array<string> = []
  let rest = text
  while (rest.length > limit) {
    const space = rest.lastIndexOf(" ", limit)
    const head = space > limit / 2 ? rest.slice(0, space) : Words.truncate(rest, limit)
    result.push(head)
    rest = rest.slice(head.length).trimStart()
  }
  if (rest !== "") result.push(rest)
  return result
}

/** The texts of a block, none over its limit: a table repeats its header, and code its fence. */
const pieces = (block: Exclude<Markdown.Block, { readonly _tag: "Heading" }>): ReadonlyArray<string> => {
  if (block.text.length <= (block._tag === "Code" ? sizes.code : sizes.limit)) return [block.text]
  switch (block._tag) {
    case "Paragraph":
      return chunked(
        Markdown.sentences(block.text.replace(/\s+/g, " ")).flatMap((sentence) => hardCut(sentence, sizes.limit)),
        " ",
        sizes.limit
      )
    case "List":
      return chunked(
        block.items.flatMap((item) => hardCut(`- ${item}`, sizes.limit)),
        "\n",
        sizes.limit
      )
    case "Table": {
      const [head = "", rule = "", ...rows] = block.text.split("\n")
      const room = Math.max(200, sizes.limit - head.length - rule.length - 2)
      return chunked(
        rows.flatMap((row) => hardCut(row, room)),
        "\n",
        room
      ).map((part) => `${head}\n${rule}\n${part}`)
    }
    case "Code": {
      const lines = block.text.split("\n")
      const opening = lines[0] ?? "```"
      const closing = lines.at(-1) ?? "```"
      return chunked(
        lines.slice(1, -1).flatMap((line) => (line === "" ? [""] : hardCut(line, sizes.code))),
        "\n",
        sizes.code
      ).map((part) => `${opening}\n${part}\n${closing}`)
    }
  }
}

/**
 * Splits a Markdown or plain text into passages of bounded size: one or more a section, whole paragraphs, lists and tables where they
 * fit, and code with the paragraph that leads to it. `title` stands in for a document without headings.
 */
export const split = (markdown: string, title: string): ReadonlyArray<Section> => {
  const parsed = Markdown.blocks(markdown)
  const documentTitle = Markdown.title(parsed) ?? title
  const result: Array<Section> = []
  const trail: Array<{ readonly level: number; readonly text: string }> = []
  let current: Array<string> = []
  let size = 0
  const flush = () => {
    if (current.length === 0) return
    const heading = [documentTitle, ...trail.map((_) => _.text)]
      .filter((text, index, all) => text !== "" && (index === 0 || text !== all[index - 1]))
      .join(separator)
    result.push({ heading, text: current.join("\n\n") })
    current = []
    size = 0
  }
  for (const block of parsed) {
    if (block._tag === "Heading") {
      flush()
      while ((trail.at(-1)?.level ?? 0) >= block.level) trail.pop()
      trail.push({ level: block.level, text: Markdown.plain(block.text) })
      continue
    }
    for (const piece of pieces(block)) {
      // What follows "…:" and code after its explanation belong together, as far as there is room.
      const attached = block._tag === "Code" ? current.length > 0 : current.at(-1)?.endsWith(":") === true
      const room = block._tag === "Code" ? sizes.code : attached ? sizes.limit : sizes.target
      if (size > 0 && size + piece.length > room) flush()
      current.push(piece)
      size += piece.length
    }
  }
  flush()
  return result
}

/** The title of a Markdown text: its first heading. */
export const titleOf = (markdown: string): string | undefined => Markdown.title(Markdown.blocks(markdown))

/**
 * Whether what was found speaks of the question: a passage of the best eight has half of it by weight, or a smaller part (`least`, 0.3
 * unless given) of which a heading speaks. One word of two that happens to occur somewhere is no answer.
 */
export const isAbout = (found: Found, least = 0.3): boolean =>
  found.passages.slice(0, 8).some(({ coverage, heading }) => {
    if (coverage >= Math.max(0.5, least)) return true
    if (coverage < least) return false
    const stems = Words.stems(heading)
    return found.terms.some((term) => stems.has(term.stem))
  })

/**
 * Inverse document frequency, seen from what was found: a word that every passage has still weighs something, and one that none has weighs
 * most, for it is missing.
 */
const weigh = (
  terms: ReadonlyArray<Words.Term>,
  stems: ReadonlyArray<ReadonlySet<string>>,
  total: number
): ReadonlyArray<WeightedTerm> =>
  terms.map((term) => {
    let having = 0
    for (const set of stems) if (set.has(term.stem)) having++
    const weight = 0.5 + Math.log(1 + (Math.max(total, having) - having + 0.5) / (having + 0.5))
    return { word: term.word, stem: term.stem, weight }
  })

const sum = (terms: Iterable<WeightedTerm>): number => {
  let result = 0
  for (const term of terms) result += term.weight
  return result
}

/** Full-text search over the facts and documents of bots. */
export class Knowledge extends Context.Service<
  Knowledge,
  {
    /**
     * The passages of these bots that speak of the text, the best first: those with rarer words of it, with more of them, and with
     * them in a heading. Nothing when the text has no word of its own ("what is that?"). `limit` is 1 to 50; any text is fine.
     */
    readonly search: (botIds: ReadonlyArray<string>, text: string, limit: number) => Effect.Effect<Found>
  }
>()("@effect-chatbot/server/Knowledge") {}

/** Searches the database. */
export const layer: Layer.Layer<Knowledge, never, SqlClient.SqlClient> = Layer.effect(
  Knowledge,
  Effect.gen(function* () {
    const stored = yield* PassageRepository

    const search = Effect.fn("Knowledge.search")(function* (
      botIds: ReadonlyArray<string>,
      text: string,
      limit: number
    ): Effect.fn.Return<Found> {
      const terms = Words.terms(text)
      if (botIds.length === 0 || terms.length === 0) return { terms: [], passages: [] }
      const wanted = Math.min(Math.max(Math.trunc(limit), 1), limits.results)
      // More than wanted, for they are ranked again by how much of the question each covers.
      const query = { words: terms.map(({ word }) => word), phrases: Words.phrases(text) }
      const rows = yield* stored.find(botIds, query, Math.max(24, wanted * 2))
      const stems = rows.map((row) => Words.stems(row.heading, row.text))
      const weighted = weigh(terms, stems, rows[0]?.total ?? 0)
      const whole = sum(weighted)
      const passages = rows.map((row, index): Passage => {
        const coverage = whole === 0 ? 0 : sum(weighted.filter((term) => stems[index]?.has(term.stem))) / whole
        return {
          id: row.id,
          botId: row.botId,
          documentId: row.documentId,
          ordinal: row.ordinal,
          heading: row.heading,
          text: row.text,
          path: row.path,
          score: row.relevance * (0.4 + coverage),
          coverage
        }
      })
      return {
        terms: weighted,
        passages: passages.toSorted((a, b) => b.score - a.score || a.id - b.id).slice(0, wanted)
      }
    })

    return { search }
  })
).pipe(Layer.provide(PassageRepository.layer))
