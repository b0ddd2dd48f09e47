/** How many letters have to be put in, taken out or changed to make one text of the other. */
const distance = (from: string, to: string): number => {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const change = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[to.length] ?? 0
}

/** The name that somebody may have meant by another. */
export const nearest = (name: string, known: ReadonlyArray<string>): string | undefined => {
  const all = known.map((known) => ({ known, distance: distance(name, known) }))
  return all.toSorted((one, other) => one.distance - other.distance)[0]?.known
}
