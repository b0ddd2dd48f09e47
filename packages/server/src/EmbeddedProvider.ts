/**
 * Answers without a model and without a network: it finds the passages of a bot's facts and documents that speak of the question and
 * answers with their own sentences. The same question in the same chat always gets the same answer.
 */
import { SourceId } from "@effect-chatbot/schema/Ids"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import { type Answer, CompletionProvider, type Request, toParts } from "./CompletionProvider.ts"
import * as Extract from "./internal/Extract.ts"
import * as Words from "./internal/Words.ts"
import * as Knowledge from "./Knowledge.ts"
import type { BotRow } from "./repositories/BotRepository.ts"
import { DocumentRepository } from "./repositories/DocumentRepository.ts"
import * as Tokenizer from "./Tokenizer.ts"

/** How many documents an answer names at most. */
const maxSources = 3

/** How many documents are named to someone who asks about something else. */
const maxTopics = 5

type SmallTalk = "greeting" | "thanks" | "about" | "maker"

/** "What is this?", "What does it do?": about the bot, unless the chat has spoken of something else. */
const asksAboutThis = (message: string): boolean =>
  /^(?:(?:so|and|but|ok|okay|please|well|hi|hello|hey) )*(?:(?:what|who)(?: exactly)? (?:is|s|are) (?:this|that|it|these|here)(?: (?:all|thing|bot|app|exactly))*(?: (?:about|for|good for|used for))?|what (?:does|do|can|could) (?:this|that|it|these|i)(?: (?:thing|bot|app))? do(?: (?:with (?:it|this|that)|here|for me|exactly))*|what is (?:the )?(?:point|purpose|use) of (?:this|that|it)(?: (?:thing|bot|app))?|(?:tell me|explain|describe)(?: (?:more|something))?(?: about)? (?:this|it)(?: (?:thing|bot|app))?|where am i|what am i (?:talking|speaking|chatting) (?:to|with))$/.test(
    Words.words(Words.truncate(message, 200)).join(" ")
  )

const smallTalk = (message: string): SmallTalk | undefined => {
  const words = Words.words(Words.truncate(message, 200))
  if (words.length === 0 || words.length > 8) return undefined
  const said = words.join(" ")
  if (
    /^(?:hi|hello|hey|hallo|greetings|howdy|welcome|good (?:morning|afternoon|evening|day))(?: (?:there|again|bot|all|everyone|you))*$/.test(
      said
    )
  ) {
    return "greeting"
  }
  if (
    /^(?:(?:ok|okay|great|perfect|super|cool|nice|wonderful|many|and|so|no) )*(?:thanks|thank you|thx|cheers|bye|goodbye)(?: (?:a lot|so much|very much|again|for (?:your|the) help|you|that|all|bye|and|goodbye))*$/.test(
      said
    )
  ) {
    return "thanks"
  }
  if (
    /^(?:(?:hi|hello|hey|so|and|please) )*(?:help(?: me)?|(?:who|what) are you|what (?:can|do) you (?:do|know|answer)(?: for me)?|what can i ask(?: you)?(?: about)?|how can you help(?: me)?|what (?:is|are) you for|introduce yourself|tell me about yourself)$/.test(
      said
    )
  ) {
    return "about"
  }
  if (
    /^(?:(?:hi|hello|hey|so|and|but) )*(?:who (?:wrote|made|built|created|developed|programmed|trained) (?:you|this bot)|are you (?:an? )?(?:real )?(?:ai|human|person|robot|bot|machine|computer|program|chatbot|chatgpt|gpt|llm|model|language model)|(?:what|which) (?:language |ai )?(?:model|llm|ai) (?:are you|do you use|is behind you))$/.test(
      said
    )
  ) {
    return "maker"
  }
  return undefined
}

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

const shortened = (text: string): string => (text.length <= 80 ? text : `${Words.truncate(text, 79)}…`)

const named = (passage: Knowledge.Passage): string =>
  passage.documentId === undefined ? `fact "${shortened(passage.text)}"` : `${passage.path ?? ""} (${passage.heading})`

/** The question this one leans on, and what was said since: the earlier questions of the chat back to the last that stands for itself. */
const leanedOn = ({ history, userMessage }: Request): ReadonlyArray<string> => {
  if (!Words.isFollowUp(userMessage)) return []
  const result: Array<string> = []
  for (const turn of history.slice(-4).toReversed()) {
    if (smallTalk(turn.userMessage) !== undefined) continue
    result.push(turn.userMessage)
    if (!Words.isFollowUp(turn.userMessage)) break
  }
  return result
}

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

/** The documents of passages, each once. */
const sourcesOf = (passages: ReadonlyArray<Knowledge.Passage>): ReadonlyArray<SourceId> =>
  Array.from(new Set(passages.map(({ documentId }) => documentId).filter((id) => id !== undefined)))
    .slice(0, maxSources)
    .map((id) => SourceId.make(id))

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
      for (const [index, passage] of best.entries()) {
        trace.push(
          `hit ${index + 1}: score ${passage.score.toFixed(2)}, coverage ${passage.coverage.toFixed(2)}, ${named(passage)}`
        )
      }

      const extract = Extract.extract(userMessage, found, earlier.length > 0)
      if (extract === undefined) {
        trace.push("answer: none, for nothing found speaks of the question")
        return yield* answer(yield* notKnown(bot, userMessage), "no-answer", [], earlier)
      }
      trace.push(
        `answer: ${extract.sentences} sentences${extract.hasCode ? " and code" : ""} from ${extract.used.map(named).join("; ")}`
      )
      const read = [...earlier, ...best.map((passage) => passage.text)]
      return yield* answer(extract.text, "answer", sourcesOf(extract.used), read)
    })

    return {
      complete: (request) =>
        Stream.unwrap(Effect.map(complete(request), (answer) => Stream.fromIterable(toParts(answer))))
    }
  })
).pipe(Layer.provide([DocumentRepository.layer, Knowledge.layer]))
