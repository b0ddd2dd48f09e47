/**
 * What a question is about: its words without those every sentence has, folded and stemmed as the full-text index does it.
 */
import { stem } from "./Stemmer.ts"

/** A word that says what a question is about. */
export interface Term {
  /** The word itself, in lower case and without diacritics. */
  readonly word: string
  /** What it is compared by. */
  readonly stem: string
}

/** Words that say nothing about a subject, and those a question is made of ("how do I …", "please tell me …"). */
const stopWords: ReadonlySet<string> = new Set(
  `a about above after again all also am an and any anybody anyone anything are around as at be because been before being below
  between both but by can cannot could d did do does doing don done down during each either else ever every few for from further get
  gets getting give given go goes going got had has have having he her here hers herself him himself his hello hey hi how however i
  if in into is isn it its itself just know kind ll let lets like m many may maybe me mean means might mine more most much must my
  myself need needs neither no nor not now of off often ok okay on once only or other others our ours out over own per please
  possible really s same set sets shall she should show so some someone something such sure t tell than thank thanks that the their theirs
  them then there these they thing things this those though through to too under until up upon us use used uses using ve very via want wants was we well
  were what whatever when whenever where wherever whether which while who whoever whom whose why will with within without won would
  wouldn work working works yes yet you your yours yourself explain describe happen happens exactly actually`.split(
    /\s+/
  )
)

/** Words that point at what was said before. */
const pronouns: ReadonlySet<string> = new Set(
  "it its that this they them their these those there he she him her one ones".split(" ")
)

/** Words that are in nearly every German, French, Spanish, Italian or Dutch question, and in no English one. */
const foreignWords: ReadonlySet<string> = new Set(
  `ich wie wer wo wann warum wieso ist sind der das den dem nicht und kann kannst mein meine wir ein eine einen gibt es auf
  le la les est que qui quel quelle pourquoi je peux une du des avec pour dans como cual donde quien cuando puedo el los las una
  che cosa posso il della perche quando quale hoe waar waarom het een ik kan wat`.split(/\s+/)
)

/** How long a text is looked at, and how many terms are taken from it. */
export const limits = { characters: 2000, terms: 32 } as const

const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text)

/** Lower case without diacritics, as the index folds it. */
export const fold = (text: string): string =>
  isAscii(text)
    ? text.toLowerCase()
    : text
        .normalize("NFD")
        .replace(/\p{M}+/gu, "")
        .toLowerCase()

/** The words of a text in their order, folded. Everything that is neither a letter nor a digit separates them. */
export const words = (text: string): ReadonlyArray<string> => {
  const folded = fold(text)
  return folded.match(isAscii(folded) ? /[a-z0-9]+/g : /[\p{L}\p{N}]+/gu) ?? []
}

/** The stems of texts, each once. */
export const stems = (...texts: ReadonlyArray<string>): ReadonlySet<string> =>
  new Set(texts.flatMap((text) => words(text).map(stem)))

/** Cut at a code point, so that no half of a surrogate pair is left. */
export const truncate = (text: string, length: number): string => {
  if (text.length <= length) return text
  const last = text.charCodeAt(length - 1)
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length)
}

/** The parts of names written in camelCase, beside the names themselves. */
const parts = (text: string): string => text.replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2")

/** What a question is about: its terms in their order, each once, bounded. */
export const terms = (text: string): ReadonlyArray<Term> => {
  const bounded = truncate(text, limits.characters)
  // "how long", "how many" … ask for a number, which no answer calls "long" or "many"; "show me code" asks for no word of the answer.
  const asked = bounded
    .replace(/\bhow\s+(?:long|many|much|often|big|large|fast|far|old)\b/giu, " ")
    .replace(
      /\b(?:show|give|write|see)\s+(?:me\s+)?(?:some\s+|the\s+|an?\s+)?(?:code|commands?|examples?|snippets?)\b/giu,
      " "
    )
  const result = new Map<string, Term>()
  for (const word of [...words(asked), ...words(parts(asked))]) {
    if (result.size >= limits.terms) break
    const key = stem(word)
    if (!stopWords.has(word) && !result.has(key)) result.set(key, { word, stem: key })
  }
  return Array.from(result.values())
}

/** Names of several parts, such as `CHATBOT_DATA_DIR` or `bots.list`, each as its words: they are looked for as a phrase too. */
export const phrases = (text: string): ReadonlyArray<ReadonlyArray<string>> =>
  (truncate(text, limits.characters).match(/(?<![\p{L}\p{N}])[\p{L}\p{N}]+(?:[_.\-/:@]+[\p{L}\p{N}]+)+/gu) ?? [])
    .slice(0, 8)
    .map((name) => words(name).slice(0, 8))
    .filter((phrase) => phrase.length > 1)

/** Whether a text is in another language than English, as far as its commonest words or its script tell. */
export const isForeign = (text: string): boolean => {
  let foreign = 0
  let english = 0
  for (const word of words(truncate(text, limits.characters))) {
    if (foreignWords.has(word) || /[^\0-\u024f]/.test(word)) foreign++
    else if (stopWords.has(word)) english++
  }
  return foreign > english
}

/** Whether a question leans on what was said before ("and how do I change that?"). */
export const isFollowUp = (text: string): boolean => {
  const all = words(truncate(text, limits.characters))
  const own = terms(text).length
  if (own === 0) return true
  if (own > 2) return false
  return (
    all[0] === "and" ||
    all[0] === "but" ||
    all[0] === "so" ||
    all[0] === "then" ||
    (all[1] === "about" && (all[0] === "what" || all[0] === "how")) ||
    all.some((word) => pronouns.has(word))
  )
}
