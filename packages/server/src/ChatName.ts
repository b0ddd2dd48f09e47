/**
 * The name that a chat gets from its first question.
 */

/** How many characters a name has at most, as a reader counts them. */
export const maxLength = 60

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" })

/** A question as a name: on one line, and cut between words, with an ellipsis, when it is long. */
export const fromQuestion = (question: string): string => {
  // No name needs more than this, and a character has no end by itself.
  const line = question.replace(/\s+/gu, " ").trim()
  const characters = Array.from(segmenter.segment(line.slice(0, maxLength * 20)), ({ segment }) => segment)
  if (characters.length <= maxLength && line.length <= maxLength * 20) return line
  const head = characters.slice(0, maxLength - 1)
  // The character after the cut tells whether a word ends there.
  const end = characters[head.length] === " " ? head.length : head.lastIndexOf(" ")
  return `${head
    .slice(0, end > 0 ? end : head.length)
    .join("")
    .trimEnd()}…`
}
