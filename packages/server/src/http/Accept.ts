/**
 * Which of two types a caller would rather have.
 */

/** How much the `Accept` header wants a type, from 0 to 1: the most specific range that matches it counts (RFC 9110, 12.5.1). */
const quality = (accept: string, [type, subtype]: ReadonlyArray<string>): number => {
  let best = { specificity: 0, quality: 0 }
  for (const range of accept.split(",")) {
    const [media = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase())
    const specificity = media === `${type}/${subtype}` ? 3 : media === `${type}/*` ? 2 : media === "*/*" ? 1 : 0
    if (specificity <= best.specificity) continue
    const q = Number(parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? 1)
    best = { specificity, quality: Number.isNaN(q) ? 0 : q }
  }
  return best.quality
}

/** Whether an `Accept` header prefers this type to JSON. Without one, and at a draw, it does not. */
export const prefers = (accept: string | undefined, type: "text/plain" | "text/event-stream"): boolean =>
  accept !== undefined && quality(accept, type.split("/")) > quality(accept, ["application", "json"])
