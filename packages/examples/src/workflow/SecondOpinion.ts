/**
 * A durable workflow: it asks one bot after the other until a judge finds an answer good, waits for what a person thinks of it, fetches the
 * file that the answer cites, and deletes its chats. Whatever process dies meanwhile, each question is asked once and no chat is left.
 */
import { Predicates, Sources } from "@effect-chatbot/client"
import * as Activities from "@effect-chatbot/client/Activities"
import { Vote } from "@effect-chatbot/schema/Chat"
import type { ChatId } from "@effect-chatbot/schema/Ids"
import { Console, Effect, Schema } from "effect"
import { Activity, DurableDeferred, Workflow } from "effect/workflow"
import * as Files from "./Files.ts"

/** No bot had a good answer. */
export class NoGoodAnswer extends Schema.TaggedError<NoGoodAnswer>()("NoGoodAnswer", {}) {}

/** The file that the answer cites cannot be written. */
export class NotSaved extends Schema.TaggedError<NotSaved>()("NotSaved", { message: Schema.String }) {}

/** What a person thinks of an answer. */
export const Opinion = Schema.Literals(["good", "bad"])

/** Where the workflow waits for a person, for as long as it takes. */
export const Person = DurableDeferred.make("Person", { success: Opinion })

/** A case is one by its id: who asks it again gets the answer it had. */
export const SecondOpinion = Workflow.make("SecondOpinion", {
  payload: {
    /** It is the name of a file, too. */
    caseId: Schema.String.check(Schema.isPattern(/^[\w-]+$/)),
    question: Schema.String,
    /** The codes of the bots to ask, the first one first. */
    bots: Schema.Array(Schema.String),
    /** The code of the bot that judges their answers; without one, an answer is good that cites a document. */
    judge: Schema.optional(Schema.String)
  },
  idempotencyKey: ({ caseId }) => caseId,
  success: Schema.Struct({
    bot: Schema.String,
    answer: Schema.String,
    opinion: Opinion,
    /** Where the cited file is. */
    file: Schema.optional(Schema.String)
  }),
  error: Schema.Union([Activities.anyError, NoGoodAnswer, NotSaved])
})

/** A chat that is deleted if the workflow fails. */
const open = (name: string, botCode: string) =>
  Activities.createByBotCode(`open ${name}`, botCode).pipe(Activities.deleteOnFailure(`give up ${name}`))

/** Asks a bot to judge the answer of another one. */
const askJudge = Effect.fnUntraced(function* (judge: string, bot: string, question: string, answer: string) {
  const { chatId } = yield* open(`judge of ${bot}`, judge)
  const verdict = yield* Activities.complete(
    `judge ${bot}`,
    chatId,
    `Is this a good answer? Say yes or no.\nQuestion: ${question}\nAnswer: ${answer}`
  )
  return { chatId, isGood: /^yes\b/i.test(verdict.assistantMessage ?? "") }
})

/** Asks a bot, and rates its answer. */
const ask = Effect.fnUntraced(function* (bot: string, { judge, question }: typeof SecondOpinion.payloadSchema.Type) {
  const { chatId } = yield* open(bot, bot)
  const { assistantMessage: answer = "", metaData } = yield* Activities.complete(`ask ${bot}`, chatId, question)
  const source = metaData?.sources[0]
  const judged = judge === undefined ? undefined : yield* askJudge(judge, bot, question, answer)
  const isGood = judged?.isGood ?? source !== undefined
  yield* Activities.feedback(`rate ${bot}`, chatId, {
    userMessage: question,
    assistantMessage: answer,
    userComment: judged ? "By another bot" : "By a rule",
    voteId: isGood ? Vote.up : Vote.down
  })
  return { answer, chatId, chatIds: judged ? [chatId, judged.chatId] : [chatId], isGood, source }
})

/** What breaks on the way can be fetched again, by another ticket. */
const fetchFile = (chatId: ChatId, path: string, name: string) =>
  Activities.download("fetch the file", chatId, path, {
    success: Schema.String,
    error: NotSaved,
    save: ({ stream }) =>
      Effect.catchTag(Files.write(name, stream), "PlatformError", ({ message }) =>
        Effect.fail(new NotSaved({ message }))
      )
  }).pipe(Activity.retry({ while: Predicates.isTransport, times: 3 }))

/** Runs cases. */
export const SecondOpinionLive = SecondOpinion.toLayer(
  Effect.fnUntraced(function* (payload) {
    const { bots, caseId } = payload
    const chatIds: Array<ChatId> = []
    for (const bot of bots) {
      const asked = yield* ask(bot, payload)
      chatIds.push(...asked.chatIds)
      if (!asked.isGood) continue

      // What is no activity is done again whenever the workflow goes on.
      yield* Activity.make({ name: "tell", execute: Console.log(`${caseId}: ${bot} says: ${asked.answer}`) })
      const opinion = yield* DurableDeferred.await(Person)
      const path = asked.source && Sources.pathOf(asked.source)
      const file = path && (yield* fetchFile(asked.chatId, path, `${caseId}.md`))
      for (const chatId of chatIds) yield* Activities.deleteChat(`clean up ${chatId}`, chatId)
      return { bot, answer: asked.answer, opinion, file }
    }
    return yield* new NoGoodAnswer({})
  })
)
