/**
 * Answers without a model and without a network: it finds the passages of a bot's facts and documents that speak of the question and
 * answers with their own sentences. The same question in the same chat always gets the same answer.
 */
import { BotId, SourceId } from "@effect-chatbot/schema/Ids"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import type * as SqlError from "effect/sql/SqlError"
import * as BotRouter from "./BotRouter.ts"
import { type Answer, CompletionProvider, type Request } from "./CompletionProvider.ts"
import * as Extract from "./internal/Extract.ts"
import * as Words from "./internal/Words.ts"
import * as Knowledge from "./Knowledge.ts"
import * as Tokenizer from "./Tokenizer.ts"

/** How many documents an answer names at most. */
const maxSources = 3

interface BotRow {
  readonly id: string
  readonly code: string
  readonly displayName: string
  readonly displayMessage: string | null
  readonly description: string | null
  readonly sampleQuestion1: string | null
  readonly sampleQuestion2: string | null
}

type SmallTalk = "greeting" | "thanks" | "about"

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
  return undefined
}

const samples = (bot: BotRow | undefined): string => {
  const questions = [bot?.sampleQuestion1, bot?.sampleQuestion2].filter((question) => typeof question === "string")
  return questions.length === 0
    ? ""
    : `You can ask me, for example: ${questions.map((question) => `“${question}”`).join(" or ")}`
}

const joined = (...parts: ReadonlyArray<string | null | undefined>): string =>
  parts
    .map((part) => part?.trim() ?? "")
    .filter((part) => part !== "")
    .join("\n\n")

const withEnd = (text: string): string => (/[.!?”]$/.test(text.trim()) ? text.trim() : `${text.trim()}.`)

const shortened = (text: string): string => (text.length <= 80 ? text : `${Words.truncate(text, 79)}…`)

const named = (passage: Knowledge.Passage): string =>
  passage.documentId === undefined ? `fact "${shortened(passage.text)}"` : `${passage.path ?? ""} (${passage.heading})`

/** Answers over the given knowledge and router. */
export const layerNoDeps: Layer.Layer<
  CompletionProvider,
  never,
  SqlClient.SqlClient | Knowledge.Knowledge | BotRouter.BotRouter | Tokenizer.Tokenizer
> = Layer.effect(
  CompletionProvider,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const knowledge = yield* Knowledge.Knowledge
    const router = yield* BotRouter.BotRouter
    const tokenizer = yield* Tokenizer.Tokenizer

    const botsOf = (ids: ReadonlyArray<string>) =>
      sql<BotRow>`SELECT id, code, display_name, display_message, description, sample_question1, sample_question2
        FROM bots WHERE ${sql.in("id", ids)}`

    /** The question this one leans on: the last that stands for itself. */
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

    /** Passages of the bot that was routed to stand before those of its siblings. */
    const preferring = (found: Knowledge.Found, route: BotRouter.Route): Knowledge.Found =>
      route.reason === "itself" || route.reason === "default"
        ? found
        : {
            terms: found.terms,
            passages: found.passages
              .map((passage) => (passage.botId === route.botId ? { ...passage, score: passage.score * 1.3 } : passage))
              .toSorted((a, b) => b.score - a.score || a.id - b.id)
          }

    const notKnown = Effect.fnUntraced(function* (
      bot: BotRow | undefined,
      route: BotRouter.Route,
      bots: ReadonlyArray<BotRow>
    ) {
      let topics = bots.filter((other) => other.id !== bot?.id).map((other) => other.displayName)
      if (route.reason === "itself") {
        const titles = yield* sql<{ title: string }>`
          SELECT title FROM documents d
          WHERE bot_id = ${route.botId} AND EXISTS (SELECT 1 FROM passages WHERE document_id = d.id) ORDER BY path LIMIT 5`
        topics = titles.length === 0 ? [bot?.displayName ?? "other things"] : titles.map((row) => row.title)
      }
      return joined(withEnd(`I do not know that; I can answer about: ${topics.slice(0, 5).join("; ")}`), samples(bot))
    })

    const complete = Effect.fn("EmbeddedProvider.complete")(function* (
      request: Request
    ): Effect.fn.Return<Answer, SqlError.SqlError> {
      const started = yield* Clock.currentTimeNanos
      const millisSince = (from: bigint) =>
        Effect.map(Clock.currentTimeNanos, (now) => `${(Number(now - from) / 1e6).toFixed(1)} ms`)
      const trace: Array<string> = ["provider: embedded"]
      const { bot, userMessage, userSystemMessage } = request

      /** The answer with its counts and sources; `read` is what else was read for it. */
      const answer = Effect.fnUntraced(function* (
        assistantMessage: string,
        tags: ReadonlyArray<string>,
        used: ReadonlyArray<Knowledge.Passage> = [],
        read: ReadonlyArray<string> = []
      ) {
        const sources: Array<SourceId> = []
        for (const { documentId } of used) {
          if (documentId === undefined || sources.length === maxSources) continue
          const source = SourceId.make(documentId)
          if (!sources.includes(source)) sources.push(source)
        }
        const prompt = [bot.baseSystemMessage ?? "", userSystemMessage ?? "", ...read, userMessage].filter(
          (text) => text !== ""
        )
        const counting = yield* Clock.currentTimeNanos
        const promptTokens = yield* tokenizer.count(prompt.join("\n"))
        const completionTokens = yield* tokenizer.count(assistantMessage)
        trace.push(
          `tokens: ${promptTokens} read, ${completionTokens} written, counted in ${yield* millisSince(counting)}`,
          `total: ${yield* millisSince(started)}`
        )
        const answering = BotId.make(used[0]?.botId ?? bot.id)
        return {
          assistantMessage,
          promptTokens,
          completionTokens,
          botId: answering,
          sources,
          tags,
          trace
        } satisfies Answer
      })

      const talk = smallTalk(userMessage)
      if (talk !== undefined) {
        const [row] = yield* botsOf([bot.id])
        trace.push(`answer: ${talk}, from the bot's own texts`)
        const name = row?.displayName ?? bot.displayName
        const texts: Readonly<Record<SmallTalk, ReadonlyArray<string | null | undefined>>> = {
          greeting: [row?.displayMessage ?? `Hello, I am ${name}.`],
          thanks: ["You are welcome."],
          about: [row?.displayMessage ?? `I am ${name}.`, row?.description]
        }
        return yield* answer(joined(...texts[talk], samples(row)), [talk])
      }

      const earlier = leanedOn(request)
      const route = yield* router.route(bot.id, userMessage, earlier.at(-1))
      const ids = route.reason === "itself" ? [bot.id] : [bot.id, ...route.candidates]
      const bots = yield* botsOf(ids)
      const row = bots.find((row) => row.id === bot.id)
      const codeOf = (id: string): string => bots.find((row) => row.id === id)?.code ?? id
      if (route.reason !== "itself") trace.push(`route: ${codeOf(route.botId)}, by ${route.reason}`)

      const searching = yield* Clock.currentTimeNanos
      const question = [userMessage, ...earlier].join(" ")
      const found = preferring(yield* knowledge.search(ids, question, 12), route)
      trace.push(
        `terms: ${found.terms.map(({ weight, word }) => `${word} ${weight.toFixed(2)}`).join(", ")}` +
          (earlier.length === 0 ? "" : " (with those of the question before)"),
        `retrieval: ${found.passages.length} passages in ${yield* millisSince(searching)}`
      )
      for (const [index, passage] of found.passages.slice(0, Extract.passagesRead).entries()) {
        trace.push(
          `hit ${index + 1}: score ${passage.score.toFixed(2)}, coverage ${passage.coverage.toFixed(2)}, ` +
            `${codeOf(passage.botId)}: ${named(passage)}`
        )
      }

      const extract = Extract.extract(userMessage, found, earlier.length > 0)
      if (extract === undefined) {
        trace.push("answer: none, for nothing found speaks of the question")
        return yield* answer(yield* notKnown(row, route, bots), ["no-answer"], [], earlier)
      }
      trace.push(
        `answer: ${extract.sentences} sentences${extract.hasCode ? " and code" : ""} from ${extract.used.map(named).join("; ")}`
      )
      const [answering] = extract.used
      const tags = answering === undefined || answering.botId === bot.id ? [] : [codeOf(answering.botId)]
      const read = found.passages.slice(0, Extract.passagesRead).map((passage) => passage.text)
      return yield* answer(extract.text, ["answer", ...tags], extract.used, [...earlier, ...read])
    }, Effect.orDie)

    return CompletionProvider.of({ complete })
  })
)

/**
 * Answers from the facts and documents of the bot; for a start bot, from those of the bot it routes to first, and of the others. Never
 * fails: what goes wrong in the database is a defect.
 */
export const layer: Layer.Layer<CompletionProvider, never, SqlClient.SqlClient | Tokenizer.Tokenizer> = Layer.provide(
  layerNoDeps,
  [BotRouter.layer, Knowledge.layer]
)
