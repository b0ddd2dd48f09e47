/**
 * The English stemmer of M. F. Porter ("An algorithm for suffix stripping", 1980), with the three changes its author made later, as
 * the `porter` tokenizer of SQLite's FTS5 has it. So a word of a question can be compared with a word of a text outside the database
 * and the two agree.
 */

const isVowelAt = (word: string, index: number): boolean => {
  switch (word[index]) {
    case "a":
    case "e":
    case "i":
    case "o":
    case "u":
      return true
    case "y":
      return index > 0 && !isVowelAt(word, index - 1)
    default:
      return false
  }
}

/** How often a consonant follows a vowel. */
const measure = (stem: string): number => {
  let count = 0
  let afterVowel = false
  for (let i = 0; i < stem.length; i++) {
    const vowel = isVowelAt(stem, i)
    if (afterVowel && !vowel) count++
    afterVowel = vowel
  }
  return count
}

const hasVowel = (stem: string): boolean => {
  for (let i = 0; i < stem.length; i++) {
    if (isVowelAt(stem, i)) return true
  }
  return false
}

const endsWithDoubleConsonant = (word: string): boolean =>
  word.length > 1 && word.at(-1) === word.at(-2) && !isVowelAt(word, word.length - 1)

/** Whether it ends with consonant, vowel, consonant, the last not w, x or y: what had a final e, such as "hop" of "hoping". */
const endsShort = (word: string): boolean => {
  const last = word.length - 1
  return (
    last > 1 &&
    !isVowelAt(word, last) &&
    isVowelAt(word, last - 1) &&
    !isVowelAt(word, last - 2) &&
    !"wxy".includes(word[last] ?? "")
  )
}

type Rules = ReadonlyArray<readonly [suffix: string, replacement: string]>

const step2: Rules = [
  ["ational", "ate"],
  ["tional", "tion"],
  ["enci", "ence"],
  ["anci", "ance"],
  ["izer", "ize"],
  ["logi", "log"],
  ["bli", "ble"],
  ["alli", "al"],
  ["entli", "ent"],
  ["eli", "e"],
  ["ousli", "ous"],
  ["ization", "ize"],
  ["ation", "ate"],
  ["ator", "ate"],
  ["alism", "al"],
  ["iveness", "ive"],
  ["fulness", "ful"],
  ["ousness", "ous"],
  ["aliti", "al"],
  ["iviti", "ive"],
  ["biliti", "ble"]
]

const step3: Rules = [
  ["icate", "ic"],
  ["ative", ""],
  ["alize", "al"],
  ["iciti", "ic"],
  ["ical", "ic"],
  ["ful", ""],
  ["ness", ""]
]

const step4: Rules = [
  ["ement", ""],
  ["ment", ""],
  ["ance", ""],
  ["ence", ""],
  ["able", ""],
  ["ible", ""],
  ["sion", "s"],
  ["tion", "t"],
  ["ant", ""],
  ["ent", ""],
  ["ism", ""],
  ["ate", ""],
  ["iti", ""],
  ["ous", ""],
  ["ive", ""],
  ["ize", ""],
  ["al", ""],
  ["er", ""],
  ["ic", ""],
  ["ou", ""]
]

/** The first suffix that fits decides, whether its condition holds or not. */
const replace = (word: string, rules: Rules, minimalMeasure: number): string => {
  for (const [suffix, replacement] of rules) {
    if (word.length > suffix.length && word.endsWith(suffix)) {
      const stem = word.slice(0, -suffix.length) + replacement
      return measure(replacement.length === 1 ? stem : word.slice(0, -suffix.length)) >= minimalMeasure ? stem : word
    }
  }
  return word
}

const plural = (word: string): string =>
  word.endsWith("sses") || word.endsWith("ies")
    ? word.slice(0, -2)
    : word.endsWith("s") && !word.endsWith("ss")
      ? word.slice(0, -1)
      : word

const pastOrGerund = (word: string): string => {
  if (word.endsWith("eed")) return measure(word.slice(0, -3)) > 0 ? word.slice(0, -1) : word
  const length = word.endsWith("ed") ? 2 : word.endsWith("ing") ? 3 : 0
  if (length === 0 || !hasVowel(word.slice(0, -length))) return word
  const stem = word.slice(0, -length)
  if (stem.endsWith("at") || stem.endsWith("bl") || stem.endsWith("iz")) return `${stem}e`
  if (endsWithDoubleConsonant(stem) && !"lsz".includes(stem.at(-1) ?? "")) return stem.slice(0, -1)
  return measure(stem) === 1 && endsShort(stem) ? `${stem}e` : stem
}

const finalY = (word: string): string =>
  word.endsWith("y") && hasVowel(word.slice(0, -1)) ? `${word.slice(0, -1)}i` : word

const finalE = (word: string): string => {
  if (!word.endsWith("e")) return word
  const stem = word.slice(0, -1)
  const count = measure(stem)
  return count > 1 || (count === 1 && !endsShort(stem)) ? stem : word
}

const finalL = (word: string): string =>
  word.endsWith("ll") && measure(word.slice(0, -1)) > 1 ? word.slice(0, -1) : word

const compute = (word: string): string => {
  const base = finalY(pastOrGerund(plural(word)))
  return finalL(finalE(replace(replace(replace(base, step2, 1), step3, 1), step4, 2)))
}

// Texts are made of few words, said again and again.
const known = new Map<string, string>()
const capacity = 20_000

/** The stem of a word in lower case. Words of two letters, very long ones, and words of other alphabets stay as they are. */
export const stem = (word: string): string => {
  if (word.length < 3 || word.length > 60) return word
  let result = known.get(word)
  if (result === undefined) {
    result = compute(word)
    if (known.size >= capacity) known.clear()
    known.set(word, result)
  }
  return result
}
