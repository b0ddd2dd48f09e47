/**
 * Counts tokens as the o200k_base encoding has them (GPT-4o and later), for the ledger of token usage.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Words from "./internal/Words.ts"

/** Letters, other signs, or white space without end, on which the time of the encoding would grow with the square of their length. */
const longRun = /[\p{L}\p{M}]{129,}|[^\s\p{L}\p{N}]{129,}|\s{129,}/gu
const partOfRun = /[^]{1,64}/gu

/** The text, with long runs cut: nobody writes them, and a wrong count of a few tokens is better than a backend that stands still. */
const withoutLongRuns = (text: string): ReadonlyArray<string> => {
  const result: Array<string> = []
  let start = 0
  for (const run of text.matchAll(longRun)) {
    if (run.index > start) result.push(text.slice(start, run.index))
    result.push(...(run[0].match(partOfRun) ?? []))
    start = run.index + run[0].length
  }
  if (start < text.length) result.push(text.slice(start))
  return result
}

/** The text in blocks, cut before white space, where tokens begin. Others get their turn between two blocks. */
const blocks = (text: string): ReadonlyArray<string> => {
  const size = 16 * 1024
  if (text.length <= size) return [text]
  const result: Array<string> = []
  let start = 0
  while (text.length - start > size) {
    const window = text.slice(start, start + size)
    const space = window.search(/\s\S*$/)
    const part = space > size / 2 ? window.slice(0, space) : Words.truncate(window, size - 1)
    result.push(part)
    start += part.length
  }
  result.push(text.slice(start))
  return result
}

/** Counts tokens. */
export class Tokenizer extends Context.Service<
  Tokenizer,
  {
    /**
     * The number of tokens of a text, o200k_base; exact but for runs of more than 128 letters, signs or spaces without a break. Text that
     * looks like a special token (`<|endoftext|>`) counts as plain text. The first call loads the encoding (about 2 MB of code).
     */
    readonly count: (text: string) => Effect.Effect<number>
  }
>()("@effect-chatbot/server/Tokenizer") {}

/** Counts in this process. */
export const layer: Layer.Layer<Tokenizer> = Layer.effect(
  Tokenizer,
  Effect.gen(function* () {
    // By its own entry, so that no other encoding and no list of models comes along.
    const encoding = yield* Effect.cached(Effect.promise(() => import("gpt-tokenizer/encoding/o200k_base")))
    const plainText = { disallowedSpecial: new Set<string>() }
    return Tokenizer.of({
      count: (text) =>
        Effect.flatMap(encoding, ({ countTokens }) => {
          const countBlock = (block: string): number => {
            let count = 0
            for (const part of withoutLongRuns(block)) count += countTokens(part, plainText)
            return count
          }
          const parts = blocks(text)
          return parts.length === 1
            ? Effect.sync(() => countBlock(text))
            : Effect.reduce(
                parts,
                () => 0,
                (sum, block) =>
                  Effect.andThen(
                    Effect.yieldNow,
                    Effect.sync(() => sum + countBlock(block))
                  )
              )
        })
    })
  })
)
