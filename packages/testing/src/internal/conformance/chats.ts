import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Check, checksOf, contract, decision } from "./Check.ts"
import { ask, type Input } from "./exchange.ts"
import {
  conforms,
  equals,
  fields,
  hasStatus,
  holds,
  isProblem,
  itemsOf,
  json,
  ok,
  prepared,
  seen,
  skip,
  success,
  text
} from "./expect.ts"
import * as Given from "./given.ts"
import { described, misses, nobodys, refuses, removes } from "./patterns.ts"
import { Target } from "./Target.ts"

const check = checksOf("core")

const chat = ["user", "bot"] as const

const theBot = Effect.flatMap(Target, ({ bot }) => bot)

const aQuestion = Effect.map(Target, ({ question }) => ({ userMessage: question }))

const completions = {
  completions: Schema.Array(Schema.Struct({ completionId: Schema.String, userMessage: text, assistantMessage: text }))
}

/** A chat with an answer that names a document: its id and the path of the document. */
export const document = Effect.gen(function* () {
  const { chatId } = yield* Given.chat()
  const payload = yield* aQuestion
  const { body } = yield* seen(
    "chats.complete",
    { params: { chatId }, payload },
    {
      metaData: Schema.optional(
        Schema.Struct({
          sources: Schema.optional(Schema.NullOr(Schema.Array(Schema.Struct({ url: text }))))
        })
      )
    }
  )
  const url = body.metaData?.sources?.[0]?.url
  const path = url?.split("/downloads/")[1]
  if (path === undefined) {
    return yield* skip(
      "name a bot whose answers name documents (--bot), and ask what it answers from them (--question)"
    )
  }
  return { chatId, path: decodeURIComponent(path) }
})

/** The checks of chats, of the questions in them and of the files that answers name. */
export const chats: ReadonlyArray<Check> = [
  described(
    check,
    "chats.create",
    "A new chat is answered with its id and its bot",
    chat,
    Effect.gen(function* () {
      const { botId } = yield* theBot
      const { answer } = yield* Given.createdChat("user", ask("chats.create", { payload: { botId } }))
      yield* conforms(answer)
      const created = yield* fields(answer, { botId: Schema.String })
      yield* equals(answer, "botId", created.botId, botId)
    })
  ),
  check(
    "chats.create/reads-all-kinds-of-json",
    {
      title: "A body may be of type text/json or application/*+json too, literally",
      source: contract,
      needs: chat
    },
    Effect.gen(function* () {
      const { botId } = yield* theBot
      for (const type of ["text/json", "application/*+json", "application/json; charset=utf-8"]) {
        const headers = { "content-type": type }
        yield* Given.createdChat("user", ask("chats.create", { headers, payload: { botId } }))
      }
    })
  ),
  check(
    "chats.create/refuses-other-types",
    { title: "A body that is no JSON by its type is 415", source: decision, needs: chat },
    Effect.gen(function* () {
      const { botId } = yield* theBot
      const headers = { "content-type": "application/xml" }
      yield* hasStatus(yield* ask("chats.create", { headers, payload: { botId } }), 415)
    })
  ),
  check(
    "chats.create/refuses-what-is-no-json",
    { title: "A body that cannot be read is 400", source: decision, needs: ["user"] },
    Effect.gen(function* () {
      for (const body of ["{", "", "[]", '"text"']) yield* hasStatus(yield* ask("chats.create", { body }), 400)
    })
  ),
  refuses(check, "chats.create", "a botId", ["user"], Effect.succeed({}), [{}, { botId: "" }, { botId: null }]),
  misses(check, "chats.create", "A chat with a bot", ["user"], Effect.succeed({ payload: { botId: nobodys } })),
  described(
    check,
    "chats.createByBotCode",
    "A new chat with the bot of a code is answered with its id and its bot",
    chat,
    Effect.gen(function* () {
      // Not by way of the bot itself, which is known by this very operation where it was named.
      const { botCode: named } = yield* Target
      const botCode = named ?? (yield* theBot).code
      const create = ask("chats.createByBotCode", { payload: { botCode } })
      const { answer } = yield* Given.createdChat("user", create)
      yield* conforms(answer)
      const { botId } = yield* fields(answer, { botId: Schema.String })
      const page = yield* prepared(ok("bots.list", { query: { PageSize: 100 } }))
      const bots = yield* prepared(itemsOf(page, { botId: Schema.String, code: text }))
      const bot = bots.find(({ code }) => code === botCode)
      if (bot !== undefined) yield* equals(answer, "botId", botId, bot.botId)
    })
  ),
  refuses(check, "chats.createByBotCode", "a botCode", ["user"], Effect.succeed({}), [{}, { botCode: "" }]),
  misses(
    check,
    "chats.createByBotCode",
    "A chat with the bot of a code",
    ["user"],
    Effect.map(Target, ({ name }) => ({ payload: { botCode: name("nothing") } }))
  ),
  described(
    check,
    "chats.complete",
    "A question is answered, in the chat that it was asked in, with the tokens that it took",
    chat,
    Effect.gen(function* () {
      const { chatId } = yield* Given.chat()
      const payload = yield* aQuestion
      const answer = yield* success("chats.complete", { params: { chatId }, payload })
      const completion = yield* fields(answer, {
        completionId: Schema.NonEmptyString,
        chatId: Schema.String,
        userMessage: Schema.String,
        assistantMessage: Schema.NonEmptyString,
        promptTokens: Schema.Finite,
        completionTokens: Schema.Finite,
        totalTokens: Schema.Finite
      })
      yield* equals(answer, "chatId", completion.chatId, chatId)
      yield* equals(answer, "userMessage", completion.userMessage, payload.userMessage)
      const { completionTokens, promptTokens, totalTokens } = completion
      yield* equals(answer, "totalTokens", totalTokens, promptTokens + completionTokens)
    })
  ),
  check(
    "chats.complete/is-kept",
    { title: "A question and its answer are kept in the chat", source: contract, needs: chat, also: ["chats.get"] },
    Effect.gen(function* () {
      const { chatId } = yield* Given.chat()
      const payload = yield* aQuestion
      const completed = yield* ok("chats.complete", { params: { chatId }, payload })
      const completion = yield* fields(completed, { completionId: Schema.String, assistantMessage: Schema.String })
      const { answer, body } = yield* seen("chats.get", { params: { chatId } }, completions)
      yield* equals(
        answer,
        "completions",
        body.completions.map(({ assistantMessage, completionId, userMessage }) => ({
          completionId,
          userMessage,
          assistantMessage
        })),
        [{ ...completion, ...payload }]
      )
    })
  ),
  check(
    "chats.complete/answers-json-by-default",
    { title: "Whoever takes anything is answered JSON, and no events", source: contract, needs: chat },
    Effect.gen(function* () {
      const { chatId } = yield* Given.chat()
      const headers = { accept: "*/*" }
      const payload = yield* aQuestion
      yield* json(yield* conforms(yield* ask("chats.complete", { headers, params: { chatId }, payload })))
    })
  ),
  check(
    "chats.complete/traces-when-asked",
    {
      title: "An admin may ask for the trace log of an answer, and without asking gets none",
      source: decision,
      needs: ["admin", "bot"]
    },
    Effect.gen(function* () {
      const { chatId } = yield* Given.chat("admin")
      for (const isTraceLogEnabled of [true, false]) {
        const payload = { ...(yield* aQuestion), isTraceLogEnabled }
        const answer = yield* ok("chats.complete", { as: "admin", params: { chatId }, payload })
        const { traceLog } = yield* fields(answer, { traceLog: text })
        yield* holds(
          answer,
          ((traceLog ?? "") !== "") === isTraceLogEnabled,
          isTraceLogEnabled ? "a traceLog" : "no traceLog"
        )
      }
    })
  ),
  refuses(
    check,
    "chats.complete",
    "a userMessage",
    chat,
    Effect.map(Given.chat(), ({ chatId }) => ({ params: { chatId } })),
    [{}, { userMessage: "" }, { userMessage: null }]
  ),
  misses(
    check,
    "chats.complete",
    "A question in a chat",
    ["user"],
    Effect.map(aQuestion, (payload) => ({ params: { chatId: nobodys }, payload }))
  ),
  described(
    check,
    "chats.openBot",
    "The open bot is told, and the path to it is no chat",
    ["user"],
    Effect.gen(function* () {
      const answer = yield* success("chats.openBot")
      yield* fields(answer, { isPublic: Schema.Boolean })
    })
  ),
  check(
    "chats.openBot/matches-in-any-case",
    { title: "The path matches in any case, as it does in ASP.NET", source: decision, needs: ["user"] },
    Effect.gen(function* () {
      yield* hasStatus(yield* ask("chats.openBot", { spell: (target) => target.toLowerCase() }), 200)
    })
  ),
  described(
    check,
    "chats.get",
    "A chat is answered with its bot, and without completions when it is new",
    chat,
    Effect.gen(function* () {
      const { botId, chatId } = yield* Given.chat()
      const answer = yield* success("chats.get", { params: { chatId } })
      const body = yield* fields(answer, { chatId: Schema.String, botId: Schema.String, ...completions })
      yield* equals(answer, "a chat", body, { chatId, botId, completions: [] })
    })
  ),
  misses(check, "chats.get", "A chat", ["user"], Effect.succeed({ params: { chatId: nobodys } })),
  check(
    "chats.get/tells-in-a-problem-what-is-missing",
    { title: "What is missing is told in a problem (RFC 9457)", source: decision, needs: ["user"] },
    Effect.gen(function* () {
      yield* isProblem(yield* ask("chats.get", { params: { chatId: nobodys } }))
    })
  ),
  removes(
    check,
    "chats.delete",
    "A chat",
    chat,
    "chats.get",
    Effect.map(Given.chat(), ({ chatId }) => ({ params: { chatId } }))
  ),
  misses(check, "chats.delete", "A chat", ["user"], Effect.succeed({ params: { chatId: nobodys } })),
  described(
    check,
    "chats.feedback",
    "A feedback is answered with its id",
    chat,
    Effect.gen(function* () {
      // No operation deletes a feedback: it goes with its bot.
      const { chatId } = yield* Given.chat("user", yield* Given.spareBot)
      const answer = yield* success("chats.feedback", {
        params: { chatId },
        payload: { userMessage: "What?", assistantMessage: "That.", userComment: "Good.", voteId: 1 }
      })
      yield* fields(answer, { feedbackId: Schema.NonEmptyString })
    })
  ),
  misses(
    check,
    "chats.feedback",
    "A feedback about a chat",
    ["user"],
    Effect.succeed({ params: { chatId: nobodys }, payload: { voteId: 1 } })
  ),
  described(
    check,
    "chats.rename",
    "A chat that is renamed has its new name",
    chat,
    Effect.gen(function* () {
      const { name } = yield* Target
      const { chatId } = yield* Given.chat()
      const displayName = `${name("renamed")} é🙂`
      yield* success("chats.rename", { params: { chatId }, payload: { displayName } })
      const { answer, body } = yield* seen("chats.get", { params: { chatId } }, { displayName: text })
      yield* equals(answer, "displayName", body.displayName, displayName)
    })
  ),
  refuses(
    check,
    "chats.rename",
    "a displayName",
    chat,
    Effect.map(Given.chat(), ({ chatId }) => ({ params: { chatId } })),
    [{}, { displayName: "" }]
  ),
  misses(
    check,
    "chats.rename",
    "A chat",
    ["user"],
    Effect.succeed({ params: { chatId: nobodys }, payload: { displayName: "Name" } })
  ),
  described(
    check,
    "chats.setUserSystemMessage",
    "A chat follows the user system message that it is given",
    chat,
    Effect.gen(function* () {
      const { chatId } = yield* Given.chat()
      const { displayName, userSystemMessageId } = yield* Given.message()
      yield* success("chats.setUserSystemMessage", { params: { chatId }, payload: { userSystemMessageId } })
      const { answer, body } = yield* seen(
        "chats.get",
        { params: { chatId } },
        {
          userSystemMessageId: text,
          userSystemMessageDisplayName: text
        }
      )
      yield* equals(answer, "a chat with", body, { userSystemMessageId, userSystemMessageDisplayName: displayName })
    })
  ),
  misses(
    check,
    "chats.setUserSystemMessage",
    "A user system message",
    chat,
    Effect.map(Given.chat(), ({ chatId }) => ({ params: { chatId }, payload: { userSystemMessageId: nobodys } }))
  ),
  described(
    check,
    "chats.removeUserSystemMessage",
    "A chat that is to follow no user system message follows none",
    chat,
    Effect.gen(function* () {
      const { chatId } = yield* Given.chat()
      const { userSystemMessageId } = yield* Given.message()
      const params = { chatId }
      yield* prepared(ok("chats.setUserSystemMessage", { params, payload: { userSystemMessageId } }))
      yield* success("chats.removeUserSystemMessage", { params })
      const { answer, body } = yield* seen("chats.get", { params }, { userSystemMessageId: text })
      yield* equals(answer, "userSystemMessageId", body.userSystemMessageId ?? null, null)
      yield* prepared(ok("users.getSystemMessage", { params: { userSystemMessageId } }))
    })
  ),
  misses(check, "chats.removeUserSystemMessage", "A chat", ["user"], Effect.succeed({ params: { chatId: nobodys } })),
  described(
    check,
    "chats.createTicket",
    "A ticket is a text in quotes, and no two are the same",
    chat,
    Effect.gen(function* () {
      const { chatId } = yield* Given.chat()
      const first = yield* success("chats.createTicket", { params: { chatId } })
      const second = yield* success("chats.createTicket", { params: { chatId } })
      const tickets = [yield* Given.bareText(first), yield* Given.bareText(second)]
      yield* holds(second, tickets[0] !== tickets[1], "another ticket than before", "the same one")
    })
  ),
  check(
    "chats.createTicket/is-plain-where-that-is-preferred",
    { title: "Whoever prefers text/plain gets the ticket without quotes", source: decision, needs: chat },
    Effect.gen(function* () {
      const { chatId } = yield* Given.chat()
      const headers = { accept: "text/plain" }
      const answer = yield* ok("chats.createTicket", { headers, params: { chatId } })
      const isPlain = (answer.headers["content-type"] ?? "").startsWith("text/plain")
      yield* holds(
        answer,
        isPlain && /^[^"\s]+$/.test(answer.text),
        "a text of type text/plain, without quotes",
        `${answer.headers["content-type"]}, ${answer.text.length} characters`
      )
    })
  ),
  misses(check, "chats.createTicket", "A chat", ["user"], Effect.succeed({ params: { chatId: nobodys } })),
  check(
    "chats.download/gives-the-file",
    {
      title: "The document of an answer can be downloaded with a token, and with a ticket without one",
      source: decision,
      needs: chat,
      also: ["chats.createTicket"]
    },
    Effect.gen(function* () {
      const { chatId, path } = yield* document
      const params = { chatId, "*": path }
      const whole = yield* ok("chats.download", { params })
      yield* holds(whole, whole.bytes.length > 0, "a file that is not empty")
      const ticket = yield* prepared(Effect.flatMap(ok("chats.createTicket", { params: { chatId } }), Given.bareText))
      const again = yield* ok("chats.download", { as: "nobody", params, query: { ticket } })
      yield* holds(again, again.text === whole.text, "the same file as with the token", `${again.bytes.length} bytes`)
    })
  ),
  misses(
    check,
    "chats.download",
    "A file",
    chat,
    Effect.map(Given.chat(), ({ chatId }): Input => ({ params: { chatId, "*": "nothing/here.md" } }))
  )
]
