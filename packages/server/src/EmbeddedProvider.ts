/**
 * Answers without a model and without a network: it finds the passages of a bot's facts and documents that speak of the question and
 * answers with their own sentences. The same question in the same chat always gets the same answer.
 */
import type { SourceId } from "@effect-chatbot/schema/Ids"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import { type Answer, CompletionProvider, type Request, toParts } from "./CompletionProvider.ts"
import * as Extract from "./internal/Extract.ts"
import { hits, named, sourcesOf } from "./internal/passages.ts"
import { leanedOn, type SmallTalk, smallTalk } from "./internal/SmallTalk.ts"
import * as Words from "./internal/Words.ts"
import * as Knowledge from "./Knowledge.ts"
import type { BotRow } from "./repositories/BotRepository.ts"
import { DocumentRepository } from "./repositories/DocumentRepository.ts"
import * as Tokenizer from "./Tokenizer.ts"

/** How many documents an answer names at most. */
const maxSources = 3

/** How many documents are named to someone who asks about something else. */
const maxTopics = 5

/** "What is this?", "What does it do?": about the bot, unless the chat has spoken of something else. */
const asksAboutThis = (message: string): boolean =>
  /^(?:(?:so|and|but|ok|okay|please|well|hi|hello|hey) )*(?:(?:what|who)(?: exactly)? (?:is|s|are) (?:this|that|it|these|here)(?: (?:all|thing|bot|app|exactly))*(?: (?:about|for|good for|used for))?|what (?:does|do|can|could) (?:this|that|it|these|i)(?: (?:thing|bot|app))? do(?: (?:with (?:it|this|that)|here|for me|exactly))*|what is (?:the )?(?:point|purpose|use) of (?:this|that|it)(?: (?:thing|bot|app))?|(?:tell me|explain|describe)(?: (?:more|something))?(?: about)? (?:this|it)(?: (?:thing|bot|app))?|where am i|what am i (?:talking|speaking|chatting) (?:to|with))$/.test(
    Words.words(Words.truncate(message, 200)).join(" ")
  )

const samples = (bot: BotRow): string => {
  const questions = [bot.sampleQuestion1, bot.sampleQuestion2].filter((question) => question !== undefined)
  return questions.length === 0
    ? ""
    : `You can ask me, for example: ${questions.map((question) => `“${question}”`).join(" or ")}`
}

const joined = (...parts: ReadonlyArray<string | undefined>): string =>
  parts
    .map((part) => part?.trim() ?? "")
    .filter((part) => part !== "")
    .join("\n\n")

const withEnd = (text: string): string => (/[.!?”]$/.test(text.trim()) ? text.trim() : `${text.trim()}.`)

/** The answer to small talk, in the bot's own words. */
const reply = (bot: BotRow, talk: SmallTalk): string => {
  switch (talk) {
    case "greeting":
      return joined(bot.displayMessage ?? `Hello, I am ${bot.displayName}.`, samples(bot))
    case "thanks":
      return joined("You are welcome.", samples(bot))
    case "maker":
      return joined(
        "I am a program, and no language model writes my answers. The embedded provider of this server finds them in my facts and documents, and answers with the sentences it finds.",
        samples(bot)
      )
    case "about":
      return joined(bot.displayMessage ?? `I am ${bot.displayName}.`, bot.description, samples(bot))
  }
}

/** Answers from the facts and documents of the bot that is asked. Never fails: what goes wrong in the database is a defect. */
export const layer: Layer.Layer<CompletionProvider, never, SqlClient.SqlClient | Tokenizer.Tokenizer> = Layer.effect(
  CompletionProvider,
  Effect.gen(function* () {
    const documents = yield* DocumentRepository
    const knowledge = yield* Knowledge.Knowledge
    const tokenizer = yield* Tokenizer.Tokenizer

    const notKnown = Effect.fnUntraced(function* (bot: BotRow, userMessage: string) {
      const own = joined(bot.displayMessage, bot.description, samples(bot))
      const hint =
        Words.isForeign(userMessage) && !Words.isForeign(own)
          ? "I answer questions in English. Please ask me in English."
          : undefined
      const titles = yield* documents.titles(bot.id, maxTopics)
      const topics = titles.length === 0 ? bot.displayName : titles.join("; ")
      return joined(withEnd(`I do not know that; I can answer about: ${topics}`), hint, samples(bot))
    })

    const complete = Effect.fn("EmbeddedProvider.complete")(function* (request: Request): Effect.fn.Return<Answer> {
      const { bot, userMessage, userSystemMessage } = request
      const trace: Array<string> = ["provider: embedded"]

      /** The answer with its counts; `read` is what else was read for it. */
      const answer = Effect.fnUntraced(function* (
        assistantMessage: string,
        tag: string,
        sources: ReadonlyArray<SourceId> = [],
        read: ReadonlyArray<string> = []
      ) {
        const prompt = [bot.baseSystemMessage ?? "", userSystemMessage ?? "", ...read, userMessage].filter(
          (text) => text !== ""
        )
        return {
          assistantMessage,
          promptTokens: yield* tokenizer.count(prompt.join("\n")),
          completionTokens: yield* tokenizer.count(assistantMessage),
          sources,
          tags: [tag],
          trace
        } satisfies Answer
      })

      const talk = smallTalk(userMessage)
      if (talk !== undefined) {
        trace.push(`answer: ${talk}, from the bot's own texts`)
        return yield* answer(reply(bot, talk), talk)
      }

      const earlier = leanedOn(request)
      if (asksAboutThis(userMessage) && Words.terms(earlier.join(" ")).length === 0) {
        trace.push("answer: about, from the bot's own texts")
        return yield* answer(reply(bot, "about"), "about")
      }
      const started = yield* Clock.currentTimeNanos
      const found = yield* knowledge.search([bot.id], [userMessage, ...earlier].join(" "), 12)
      const nanos = (yield* Clock.currentTimeNanos) - started
      trace.push(
        `terms: ${found.terms.map(({ weight, word }) => `${word} ${weight.toFixed(2)}`).join(", ")}` +
          (earlier.length === 0 ? "" : " (with those of the question before)"),
        `retrieval: ${found.passages.length} passages in ${(Number(nanos) / 1e6).toFixed(1)} ms`
      )
      const best = found.passages.slice(0, Extract.passagesRead)
      trace.push(...hits(best))

      const extract = Extract.extract(userMessage, found, earlier.length > 0)
      if (extract === undefined) {
        trace.push("answer: none, for nothing found speaks of the question")
        return yield* answer(yield* notKnown(bot, userMessage), "no-answer", [], earlier)
      }
      trace.push(
        `answer: ${extract.sentences} sentences${extract.hasCode ? " and code" : ""} from ${extract.used.map(named).join("; ")}`
      )
      const read = [...earlier, ...best.map((passage) => passage.text)]
      return yield* answer(extract.text, "answer", sourcesOf(extract.used).slice(0, maxSources), read)
    })

    return {
      complete: (request) =>
        Stream.unwrap(Effect.map(complete(request), (answer) => Stream.fromIterable(toParts(answer))))
    }
  })
).pipe(Layer.provide([DocumentRepository.layer, Knowledge.layer]))
