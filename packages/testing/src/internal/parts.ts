/**
 * Secrets that stand in texts part by part: in the pieces of a body as they came, and in the pieces of an answer that they tell.
 */

/** A secret, as JSON has it, and its name. */
export type Named = readonly [secret: string, name: string]

/** A part of a secret that stands somewhere: from `start` to `end`, and from `at` on in the secret. */
interface Part {
  readonly start: number
  readonly end: number
  readonly name: string
  readonly at: number
}

/** What events say, one after the other: the text of a delta. */
const said = /(?<="text":")(?:[^"\\]|\\.)+(?=")/gs

/** Where a text stands in others that are read one after the other. */
const find = (spans: ReadonlyArray<{ readonly start: number; readonly text: string }>, [secret, name]: Named) => {
  const whole = spans.map(({ text }) => text).join("")
  const parts: Array<Part> = []
  for (let found = whole.indexOf(secret); found !== -1; found = whole.indexOf(secret, found + secret.length)) {
    let offset = 0
    for (const { start, text } of spans) {
      const from = Math.max(found, offset)
      const to = Math.min(found + secret.length, offset + text.length)
      if (from < to) parts.push({ start: start + from - offset, end: start + to - offset, name, at: from - found })
      offset += text.length
    }
  }
  return parts
}

/** The pieces of a text with names in the place of these secrets: `<name 0-5>` for the first five characters of one. */
export const without = (pieces: ReadonlyArray<string>, secrets: ReadonlyArray<Named>): ReadonlyArray<string> => {
  const whole = pieces.join("")
  const deltas = Array.from(whole.matchAll(said), ({ 0: text, index }) => ({ start: index, text }))
  const parts = secrets
    .flatMap((secret) => [...find([{ start: 0, text: whole }], secret), ...find(deltas, secret)])
    .toSorted((one, other) => one.start - other.start)
  let offset = 0
  return pieces.map((piece) => {
    let result = ""
    let end = offset
    for (const part of parts) {
      const from = Math.max(part.start, offset)
      const to = Math.min(part.end, offset + piece.length)
      if (from < end || from >= to) continue
      const at = part.at + from - part.start
      result += `${whole.slice(end, from)}${part.name.slice(0, -1)} ${at}-${at + to - from}>`
      end = to
    }
    offset += piece.length
    return result + whole.slice(end, offset)
  })
}
