import { keyHeader, replayedHeader, supportedHeader } from "@effect-chatbot/api/middleware/IdempotencyKeys"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { type Check, checksOf, decision } from "./Check.ts"
import { type Answer, ask } from "./exchange.ts"
import { fields, hasStatus, holds, inShort, ok, prepared } from "./expect.ts"
import type { Blocked, Violation } from "./Failure.ts"
import * as Given from "./given.ts"
import type { OperationName } from "./operations.ts"
import { type Caller, type Need, Target } from "./Target.ts"

const check = checksOf("idempotency")

type Headers = Readonly<Record<string, string>>

const keyed = (key: string): Headers => ({ [keyHeader]: key })

const newKey = Effect.map(Target, ({ name }) => name("key"))

/** Sends a request of an operation, the same each time but for its headers. What it makes is removed with the scope. */
type Send = (headers: Headers) => Effect.Effect<Answer, Violation, Target | Scope.Scope>

/** An operation that takes keys, and what its requests need. */
interface Keyed {
  readonly name: OperationName
  readonly needs: ReadonlyArray<Need>
  readonly sending: Effect.Effect<Send, Blocked, Target | Scope.Scope>
}

const answerOf = Effect.map(({ answer }: { readonly answer: Answer }) => answer)

/** Sends to an operation whose work goes with what it was done to. */
const plainly =
  (name: OperationName, input: Parameters<typeof ask>[1]): Send =>
  (headers) =>
    ask(name, { ...input, headers })

/** A user system message that is to be made. */
const newMessage = Effect.map(Target, ({ name }) => ({ displayName: name("message"), systemMessage: "Be brief." }))

type Message = Effect.Success<typeof newMessage>

/** Asks for a user system message to be made, whatever the answer is. */
const sendMessage =
  (as: Caller, payload: Message): Send =>
  (headers) =>
    ask("users.createSystemMessage", { as, payload, headers }).pipe(
      Effect.tap((answer) => Effect.ignore(Given.createdMessage(as, Effect.succeed(answer)))),
      Effect.uninterruptible
    )

const operations: ReadonlyArray<Keyed> = [
  {
    name: "chats.create",
    needs: ["user", "bot"],
    sending: Effect.gen(function* () {
      const { botId } = yield* Effect.flatMap(Target, ({ bot }) => bot)
      return (headers) => answerOf(Given.createdChat("user", ask("chats.create", { payload: { botId }, headers })))
    })
  },
  {
    name: "chats.createByBotCode",
    needs: ["user", "bot"],
    sending: Effect.gen(function* () {
      const { code } = yield* Effect.flatMap(Target, ({ bot }) => bot)
      const payload = { botCode: code }
      return (headers) => answerOf(Given.createdChat("user", ask("chats.createByBotCode", { payload, headers })))
    })
  },
  {
    name: "chats.complete",
    needs: ["user", "bot"],
    sending: Effect.gen(function* () {
      const { question } = yield* Target
      const { chatId } = yield* Given.chat()
      return plainly("chats.complete", { params: { chatId }, payload: { userMessage: question } })
    })
  },
  {
    name: "chats.feedback",
    needs: ["user", "bot"],
    sending: Effect.gen(function* () {
      // Feedback stays with its bot.
      const { chatId } = yield* Given.chat("user", yield* Given.spareBot)
      return plainly("chats.feedback", { params: { chatId }, payload: { voteId: 1 } })
    })
  },
  {
    name: "chats.createTicket",
    needs: ["user", "bot"],
    sending: Effect.map(Given.chat(), ({ chatId }) => plainly("chats.createTicket", { params: { chatId } }))
  },
  {
    name: "users.createSystemMessage",
    needs: ["user"],
    sending: Effect.map(newMessage, (payload) => sendMessage("user", payload))
  },
  {
    name: "admin.createOpenAiService",
    needs: ["admin"],
    sending: Effect.gen(function* () {
      const { name } = yield* Target
      const payload = { displayName: name("service"), isActive: false }
      return (headers) => answerOf(Given.createdService(ask("admin.createOpenAiService", { payload, headers })))
    })
  },
  {
    name: "adminBots.create",
    needs: ["admin"],
    sending: Effect.gen(function* () {
      const { name } = yield* Target
      const payload = Given.botPayload(name("bot"))
      return (headers) => answerOf(Given.createdBot(ask("adminBots.create", { payload, headers })))
    })
  },
  {
    name: "adminBots.createFact",
    needs: ["admin"],
    sending: Effect.map(Given.bot(), ({ botId }) =>
      plainly("adminBots.createFact", { params: { botId }, payload: { isActive: true, factText: "A is A." } })
    )
  },
  {
    name: "adminBots.createLink",
    needs: ["admin"],
    sending: Effect.gen(function* () {
      const start = yield* Given.bot({ implementationType: "Start" })
      const { botId } = yield* Given.bot()
      const params = { startBotId: start.botId, botId }
      return plainly("adminBots.createLink", { params, payload: { keywords: "a" } })
    })
  }
]

/** A new user system message of the user, and how to ask for it. */
const message = Effect.map(newMessage, (payload) => ({ payload, send: sendMessage("user", payload) }))

/** A request that has been answered with its key. */
const answered = Effect.fnUntraced(function* (send: Send, key: string) {
  return yield* prepared(Effect.flatMap(send(keyed(key)), (answer) => hasStatus(answer, 200)))
})

const isSame = (one: Answer, other: Answer): boolean => one.status === other.status && one.text === other.text

/** It is the answer that was given before. */
const repeats = (answer: Answer, first: Answer): Effect.Effect<void, Violation> =>
  holds(answer, isSame(answer, first), `what was answered before: ${inShort(first)}`)

/** The checks of what a key of a request promises. */
export const idempotency: ReadonlyArray<Check> = [
  ...operations.map(({ name, needs, sending }) =>
    check(
      `${name}/answers-again-with-its-key`,
      { title: "A request that is sent again with its key is answered as before", source: decision, needs },
      Effect.gen(function* () {
        const send = yield* sending
        const key = yield* newKey
        const first = yield* answered(send, key)
        yield* repeats(yield* send(keyed(key)), first)
      })
    )
  ),
  check(
    "chats.complete/asks-once-with-its-key",
    {
      title: "A question that is sent again with its key is asked once",
      source: decision,
      also: ["chats.get"],
      needs: ["user", "bot"]
    },
    Effect.gen(function* () {
      const { question } = yield* Target
      const { chatId } = yield* Given.chat()
      const send = plainly("chats.complete", { params: { chatId }, payload: { userMessage: question } })
      const key = yield* newKey
      yield* answered(send, key)
      yield* answered(send, key)
      const chat = yield* prepared(ok("chats.get", { params: { chatId } }))
      const { completions } = yield* prepared(fields(chat, { completions: Schema.Array(Schema.Json) }))
      yield* holds(chat, completions.length === 1, "one question in the chat", `${completions.length}`)
    })
  ),
  check(
    "users.createSystemMessage/makes-one-with-its-key",
    {
      title: "What is made by a request that is sent again with its key is made once",
      source: decision,
      also: ["users.listSystemMessages"],
      needs: ["user"]
    },
    Effect.gen(function* () {
      const { payload, send } = yield* message
      const key = yield* newKey
      yield* answered(send, key)
      yield* answered(send, key)
      const list = yield* prepared(ok("users.listSystemMessages", { query: { SearchFor: payload.displayName } }))
      const { totalItemCount } = yield* prepared(fields(list, { totalItemCount: Schema.Int }))
      yield* holds(list, totalItemCount === 1, "one of the name", `${totalItemCount}`)
    })
  ),
  check(
    "users.createSystemMessage/makes-one-at-once",
    {
      title:
        "Requests that are sent with one key at the same time have the effect of one; the others get its answer, or 409",
      source: decision,
      needs: ["user"]
    },
    Effect.gen(function* () {
      const { send } = yield* message
      const key = yield* newKey
      const answers = yield* Effect.all(
        Array.from({ length: 5 }, () => send(keyed(key))),
        { concurrency: "unbounded" }
      )
      for (const answer of answers) yield* holds(answer, [200, 409].includes(answer.status), "status 200 or 409")
      const made = answers.filter(({ status }) => status === 200)
      for (const answer of made) yield* repeats(answer, made[0]!)
    })
  ),
  check(
    "users.createSystemMessage/makes-two-without-a-key",
    { title: "The same request is done again when it has no key", source: decision, needs: ["user"] },
    Effect.gen(function* () {
      const { send } = yield* message
      const first = yield* prepared(Effect.flatMap(send({}), (answer) => hasStatus(answer, 200)))
      const second = yield* send({})
      yield* holds(second, second.status === 200 && second.text !== first.text, "another id")
    })
  ),
  check(
    "users.createSystemMessage/says-that-keys-are-honoured",
    { title: "Each answer says that keys are honoured", source: decision, needs: ["user"] },
    Effect.gen(function* () {
      const { send } = yield* message
      const { headers, ...answer } = yield* send({})
      const said = headers[supportedHeader.toLowerCase()]
      yield* holds({ ...answer, headers }, said === "true", `${supportedHeader}: true`, said ?? "no such header")
    })
  ),
  check(
    "users.createSystemMessage/says-that-it-answered-before",
    { title: "An answer says whether it was given before", source: decision, needs: ["user"] },
    Effect.gen(function* () {
      const { send } = yield* message
      const key = yield* newKey
      for (const said of [undefined, "true"]) {
        const answer = yield* answered(send, key)
        const came = answer.headers[replayedHeader.toLowerCase()]
        const inWords = (value: string | undefined) =>
          value === undefined ? `no ${replayedHeader}` : `${replayedHeader}: ${value}`
        yield* holds(answer, came === said, inWords(said), inWords(came))
      }
    })
  ),
  check(
    "users.createSystemMessage/refuses-its-key-for-another",
    {
      title: "A key that was used is refused with 422 for another request of the same operation",
      source: decision,
      needs: ["user"]
    },
    Effect.gen(function* () {
      const { payload, send } = yield* message
      const key = yield* newKey
      yield* answered(send, key)
      const other = sendMessage("user", { ...payload, systemMessage: "Be verbose." })
      yield* hasStatus(yield* other(keyed(key)), 422)
    })
  ),
  check(
    "chats.createTicket/refuses-its-key-for-another",
    {
      title: "A key that was used is refused with 422 for a request to another path",
      source: decision,
      needs: ["user", "bot"]
    },
    Effect.gen(function* () {
      const [first, second] = [yield* Given.chat(), yield* Given.chat()]
      const key = yield* newKey
      yield* answered(plainly("chats.createTicket", { params: { chatId: first.chatId } }), key)
      yield* hasStatus(
        yield* ask("chats.createTicket", { params: { chatId: second.chatId }, headers: keyed(key) }),
        422
      )
    })
  ),
  check(
    "users.createSystemMessage/keeps-keys-of-users-apart",
    { title: "A key of one user says nothing to another", source: decision, needs: ["user", "other"] },
    Effect.gen(function* () {
      const { payload, send } = yield* message
      const key = yield* newKey
      const first = yield* answered(send, key)
      const other = yield* sendMessage("other", payload)(keyed(key))
      yield* holds(other, other.status === 200 && other.text !== first.text, "a message of the other user")
    })
  ),
  check(
    "users.createSystemMessage/refuses-what-is-no-key",
    {
      title: "What is not 1 to 255 visible characters is no key, and is refused with 400",
      source: decision,
      needs: ["user"]
    },
    Effect.gen(function* () {
      const { send } = yield* message
      for (const key of ["a b", '"open', "x".repeat(256)]) yield* hasStatus(yield* send(keyed(key)), 400)
    })
  ),
  check(
    "users.createSystemMessage/reads-a-key-in-quotes",
    { title: "A key in quotes is the same as without", source: "RFC 9651, 3.3.3", needs: ["user"] },
    Effect.gen(function* () {
      const { send } = yield* message
      const key = yield* newKey
      const first = yield* answered(send, key)
      yield* repeats(yield* send(keyed(`"${key}"`)), first)
    })
  ),
  check(
    "users.createSystemMessage/takes-its-key-after-a-refusal",
    { title: "A key of a request that was refused may be used again", source: decision, needs: ["user"] },
    Effect.gen(function* () {
      const { send } = yield* message
      const key = yield* newKey
      const refused = yield* prepared(ask("users.createSystemMessage", { body: "{", headers: keyed(key) }))
      yield* prepared(hasStatus(refused, 400))
      yield* hasStatus(yield* send(keyed(key)), 200)
    })
  )
]
