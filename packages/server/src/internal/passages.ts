/**
 * How passages that were found stand in trace logs and sources.
 */
import { SourceId } from "@effect-chatbot/schema/Ids"
import type { Passage } from "../Knowledge.ts"
import * as Words from "./Words.ts"

const shortened = (text: string): string => (text.length <= 80 ? text : `${Words.truncate(text, 79)}…`)

/** What a passage is called in a trace log. */
export const named = (passage: Passage): string =>
  passage.documentId === undefined ? `fact "${shortened(passage.text)}"` : `${passage.path ?? ""} (${passage.heading})`

/** A line for each passage, with what speaks for it. */
export const hits = (passages: ReadonlyArray<Passage>): ReadonlyArray<string> =>
  passages.map(
    (passage, index) =>
      `hit ${index + 1}: score ${passage.score.toFixed(2)}, coverage ${passage.coverage.toFixed(2)}, ${named(passage)}`
  )

/** The documents of passages, each once. */
export const sourcesOf = (passages: ReadonlyArray<Passage>): ReadonlyArray<SourceId> =>
  Array.from(new Set(passages.map(({ documentId }) => documentId).filter((id) => id !== undefined))).map((id) =>
    SourceId.make(id)
  )
