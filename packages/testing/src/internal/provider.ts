import { ProviderFailed, type ProviderTimedOut } from "@effect-chatbot/schema/Errors"
import { SourceId } from "@effect-chatbot/schema/Ids"
import { CompletionProvider, type Part, type Request } from "@effect-chatbot/server/CompletionProvider"
import * as EmbeddedProvider from "@effect-chatbot/server/EmbeddedProvider"
import * as Tokenizer from "@effect-chatbot/server/Tokenizer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import type { Answer, Answers, Asked, Text } from "../Model.ts"

/** Counts a token for each word: that is known without a table of two megabytes, and a test can count along. */
export const tokenizer: Layer.Layer<Tokenizer.Tokenizer> = Layer.succeed(Tokenizer.Tokenizer, {
  count: (text) => Effect.sync(() => words(text))
})

const words = (text: string): number => text.match(/\S+/g)?.length ?? 0

const askedOf = ({ bot, history, userMessage, userSystemMessage }: Request): Asked => ({
  bot: bot.code,
  baseSystemMessage: bot.baseSystemMessage,
  userSystemMessage,
  history,
  userMessage
})

const partsOf = (
  asked: Asked,
  text: Text,
  sources: ReadonlyArray<SourceId>
): Stream.Stream<Part, ProviderFailed | ProviderTimedOut> =>
  Stream.suspend(() => {
    const { baseSystemMessage = "", history, userMessage, userSystemMessage = "" } = asked
    const read = [baseSystemMessage, userSystemMessage, userMessage]
    for (const turn of history) read.push(turn.userMessage, turn.assistantMessage)
    let said = ""
    const pieces = typeof text === "string" ? Stream.succeed(text) : text
    return pieces.pipe(
      Stream.filter((text) => text !== ""),
      Stream.map((text): Part => {
        said += text
        return { _tag: "Delta", text }
      }),
      Stream.concat(
        Stream.sync((): Part => ({
          _tag: "Done",
          promptTokens: words(read.join(" ")),
          completionTokens: words(said),
          sources,
          tags: [],
          trace: ["the answer was scripted by a test"]
        }))
      )
    )
  })

/** What the model does: it can be told to do something else, and keeps what it was asked. */
export interface Model {
  answers: Answers | undefined
  /** How many of the answers were given. */
  given: number
  readonly asked: Array<Asked>
  /** What is wrong with the script, when it is found out. */
  mistake: unknown
}

/** The model of a script. */
export const makeModel = (answers: Answers | undefined): Model => ({
  answers,
  given: 0,
  asked: [],
  mistake: undefined
})

/** Dies of a mistake of the script, which is one of the test: no error of a call would say so. */
export const check = (model: Model): Effect.Effect<void> =>
  Effect.suspend(() => (model.mistake === undefined ? Effect.void : Effect.die(model.mistake)))

const next = (model: Model, asked: Asked): Answer => {
  const { answers } = model
  if (typeof answers === "function") {
    try {
      return answers(asked)
    } catch (thrown) {
      model.mistake = thrown
      return Stream.fail(new ProviderFailed({ message: "The script of the model has thrown" }))
    }
  }
  const answer = answers?.[model.given++]
  if (answer !== undefined) return answer
  const message = `No answer is scripted for the question "${asked.userMessage}" to the bot "${asked.bot}": it is question ${model.given}, and there are ${answers?.length ?? 0} answers`
  model.mistake = new Error(message)
  return Stream.fail(new ProviderFailed({ message }))
}

/** Answers as the model says; without answers, as the embedded provider does, from what the bots know. */
export const layer = (
  model: Model
): Layer.Layer<CompletionProvider, never, SqlClient.SqlClient | Tokenizer.Tokenizer> =>
  Layer.effect(
    CompletionProvider,
    Effect.gen(function* () {
      const embedded = Context.get(yield* Layer.build(EmbeddedProvider.layer), CompletionProvider)
      const sql = yield* SqlClient.SqlClient

      const documentIn = Effect.fnUntraced(function* ({ bot }: Request, path: string) {
        const [document] = yield* sql<{ id: string }>`
          SELECT id FROM documents WHERE bot_id = ${bot.id} AND path = ${path}`.pipe(Effect.orDie)
        if (document !== undefined) return SourceId.make(document.id)
        const message = `The bot "${bot.code}" has no document "${path}" that an answer could name`
        model.mistake = new Error(message)
        return yield* new ProviderFailed({ message })
      })

      const scripted = (request: Request, asked: Asked, answer: Answer) => {
        const { sources, text } =
          typeof answer === "string" || Stream.isStream(answer) ? { text: answer, sources: [] } : answer
        return Stream.unwrap(
          Effect.map(
            Effect.forEach(sources, (path) => documentIn(request, path)),
            (ids) => partsOf(asked, text, ids)
          )
        )
      }

      return {
        complete: (request) =>
          Stream.suspend(() => {
            const asked = askedOf(request)
            model.asked.push(asked)
            return model.answers === undefined
              ? embedded.complete(request)
              : scripted(request, asked, next(model, asked))
          })
      }
    })
  )
