import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Blocked, Violation } from "./Failure.ts"
import { type Answer, ask, type Input } from "./exchange.ts"
import { fields, inShort, isSuccess, json, prepared, succeeds, violates } from "./expect.ts"
import type { OperationName } from "./operations.ts"
import { type Bot, type Caller, Target } from "./Target.ts"

/** How something that was made is removed, and looked for afterwards. */
interface Removal {
  /** What it is and its id. */
  readonly what: string
  readonly remove: readonly [OperationName, Input]
  /** What finds it as long as it is there. */
  readonly find: readonly [OperationName, Input]
}

const removed = ({ find, remove, what }: Removal): Effect.Effect<void, never, Target> =>
  Effect.gen(function* () {
    const { leave } = yield* Target
    const reason = yield* Effect.gen(function* () {
      const answer = yield* ask(...remove)
      if (!isSuccess(answer) && answer.status !== 404) return `${answer.request} answered ${inShort(answer)}`
      const left = yield* ask(...find)
      return left.status === 200
        ? `it was still there after ${answer.request} had answered ${answer.status}`
        : undefined
    }).pipe(Effect.catch(({ actual, request }) => Effect.succeed(`${request ?? what}: ${actual}`)))
    if (reason !== undefined) yield* leave({ what, reason })
  })

/**
 * Sees to it that what an answer has made is removed with the scope, whatever the status and the body are and whatever happens then, and wants
 * success with an id. What comes without an id is left: nobody can remove it.
 */
const made = <E, R>(
  create: Effect.Effect<Answer, E, R>,
  idOf: (answer: Answer) => Effect.Effect<string, Violation>,
  removal: (id: string) => Removal
) =>
  Effect.acquireRelease(
    Effect.flatMap(create, (answer) => Effect.map(Effect.result(idOf(answer)), (id) => ({ answer, id }))),
    ({ answer, id }) => {
      if (Result.isSuccess(id)) return removed(removal(id.success))
      if (!isSuccess(answer)) return Effect.void
      const leftover = { what: removal("without an id").what, reason: `${answer.request} answered none` }
      return Effect.flatMap(Target, ({ leave }) => leave(leftover))
    }
  ).pipe(
    Effect.tap(({ answer }) => succeeds(answer)),
    Effect.flatMap(({ answer, id }) => Effect.map(Effect.fromResult(id), (id) => ({ answer, id })))
  )

const idIn =
  (name: string) =>
  (answer: Answer): Effect.Effect<string, Violation> =>
    Effect.map(fields(answer, { [name]: Schema.NonEmptyString }), (body) => String(body[name]))

const isText = (body: unknown): body is string => typeof body === "string" && body !== ""

/** Puts back what a check has changed, and takes down where that does not succeed. */
export const restored = (what: string, name: OperationName, input: Input): Effect.Effect<void, never, Target> =>
  Effect.flatMap(Target, ({ leave }) =>
    ask(name, input).pipe(
      Effect.map((answer) => (isSuccess(answer) ? undefined : `${answer.request} answered ${inShort(answer)}`)),
      Effect.catch(({ actual }) => Effect.succeed(actual)),
      Effect.flatMap((reason) => (reason === undefined ? Effect.void : leave({ what, reason })))
    )
  )

/** A text as an answer, in quotes. */
export const bareText = (answer: Answer): Effect.Effect<string, Violation> =>
  json(answer).pipe(Effect.filterOrElse(isText, () => violates(answer, "a text that is not empty, in quotes")))

/** The chat that an answer has made. It is deleted with the scope. */
export const createdChat = <E, R>(as: Caller, create: Effect.Effect<Answer, E, R>) =>
  made(create, idIn("chatId"), (chatId) => ({
    what: `chat ${chatId}`,
    remove: ["chats.delete", { as, params: { chatId } }],
    find: ["chats.get", { as, params: { chatId } }]
  }))

/** The bot that an answer has made. It is deleted with the scope. */
export const createdBot = <E, R>(create: Effect.Effect<Answer, E, R>) =>
  made(create, idIn("botId"), (botId) => ({
    what: `bot ${botId}`,
    remove: ["adminBots.delete", { params: { botId } }],
    find: ["adminBots.get", { params: { botId } }]
  }))

/** The user system message that an answer has made. It is deleted with the scope. */
export const createdMessage = <E, R>(as: Caller, create: Effect.Effect<Answer, E, R>) =>
  made(create, bareText, (userSystemMessageId) => ({
    what: `user system message ${userSystemMessageId}`,
    remove: ["users.deleteSystemMessage", { as, params: { userSystemMessageId } }],
    find: ["users.getSystemMessage", { as, params: { userSystemMessageId } }]
  }))

/** The OpenAI service that an answer has made. It is deleted with the scope. */
export const createdService = <E, R>(create: Effect.Effect<Answer, E, R>) =>
  made(create, bareText, (openAiServiceId) => ({
    what: `OpenAI service ${openAiServiceId}`,
    remove: ["admin.deleteOpenAiService", { params: { openAiServiceId } }],
    find: ["admin.getOpenAiService", { params: { openAiServiceId } }]
  }))

/** Asks for what a check needs. */
const done = (name: OperationName, input: Input): Effect.Effect<Answer, Violation, Target> =>
  Effect.flatMap(ask(name, input), succeeds)

/** A new chat with the bot of the run, or with another one. */
export const chat = Effect.fnUntraced(function* (
  as: Caller = "user",
  bot?: { readonly botId: string }
): Effect.fn.Return<{ readonly chatId: string; readonly botId: string }, Blocked, Target | Scope.Scope> {
  const { botId } = bot ?? (yield* Effect.flatMap(Target, ({ bot }) => bot))
  const { id: chatId } = yield* prepared(createdChat(as, ask("chats.create", { as, payload: { botId } })))
  return { chatId, botId }
})

/** What a bot is made of, unless a check says something else. */
export const botPayload = (code: string) => ({
  code,
  displayNameTv: { value: code, valueDe: code },
  isActive: true,
  isPublic: true
})

/** A new bot of a name of its own. */
export const bot = Effect.fnUntraced(function* (
  payload: { readonly [field: string]: Schema.Json } = {}
): Effect.fn.Return<{ readonly botId: string; readonly code: string }, Blocked, Target | Scope.Scope> {
  const { name } = yield* Target
  const code = name("bot")
  const { id: botId } = yield* prepared(
    createdBot(ask("adminBots.create", { payload: { ...botPayload(code), ...payload } }))
  )
  return { botId, code }
})

/** A bot for what no operation deletes, as feedback, and what goes with it: a new one, or where none can be made the one that was named. */
export const spareBot = Effect.flatMap(Target, ({ bot: named, lacks }) =>
  lacks("bots") === undefined ? bot() : Effect.map(named, ({ botId, code }) => ({ botId, code }))
)

/** A new start bot. */
export const startBot = bot({ implementationType: "Start" })

/** Links a bot to a start bot. The link goes with either of them. */
export const link = (
  startBotId: string,
  botId: string,
  payload: { readonly [field: string]: Schema.Json } = {}
): Effect.Effect<Answer, Blocked, Target> =>
  prepared(
    done("adminBots.createLink", {
      params: { startBotId, botId },
      payload: { isDefaultBot: false, keywords: "", ...payload }
    })
  )

/** What a bot of the kit knows, and the question about it. */
export const fact = "The conformance kit is what checks a backend against its contract."
/** What a bot of the kit is asked. */
export const question = "What is the conformance kit?"

/** The bot that a run makes for itself, with something that it knows. */
export const ownBot = (fact: string): Effect.Effect<Bot, Blocked, Target | Scope.Scope> =>
  Effect.gen(function* () {
    const { botId, code } = yield* bot()
    yield* prepared(done("adminBots.createFact", { params: { botId }, payload: { isActive: true, factText: fact } }))
    return { botId, code, isMade: true }
  })

/** The bot of this code, by way of a chat with it. */
export const namedBot = (code: string): Effect.Effect<Bot, Blocked, Target> =>
  createdChat("user", ask("chats.createByBotCode", { payload: { botCode: code } })).pipe(
    Effect.flatMap(({ answer }) => fields(answer, { botId: Schema.NonEmptyString })),
    prepared,
    Effect.scoped,
    Effect.map(({ botId }) => ({ botId, code, isMade: false }))
  )

/** A new user system message. */
export const message = Effect.fnUntraced(function* (
  as: Caller = "user"
): Effect.fn.Return<
  { readonly userSystemMessageId: string; readonly displayName: string },
  Blocked,
  Target | Scope.Scope
> {
  const { name } = yield* Target
  const displayName = name("message")
  const payload = { displayName, systemMessage: "Be brief." }
  const { id } = yield* prepared(createdMessage(as, ask("users.createSystemMessage", { as, payload })))
  return { userSystemMessageId: id, displayName }
})

/** The endpoint of OpenAI services that are made. Nothing listens there, and no bot uses them. */
export const nowhere = "http://127.0.0.1:9/"

/** A new OpenAI service. */
export const service = Effect.fnUntraced(function* (
  payload: { readonly [field: string]: Schema.Json } = {}
): Effect.fn.Return<{ readonly openAiServiceId: string; readonly displayName: string }, Blocked, Target | Scope.Scope> {
  const { name } = yield* Target
  const displayName = name("service")
  const { id } = yield* prepared(
    createdService(
      ask("admin.createOpenAiService", {
        payload: { displayName, isActive: false, azureOpenAiEndpoint: nowhere, azureOpenAiApiKey: "none", ...payload }
      })
    )
  )
  return { openAiServiceId: id, displayName }
})

/** A question in a chat, with its answer. It goes with the chat. */
export const completion = Effect.fnUntraced(function* (
  chatId: string,
  as: Caller = "user",
  userMessage?: string
): Effect.fn.Return<
  { readonly completionId: string; readonly userMessage: string; readonly assistantMessage: string },
  Blocked,
  Target
> {
  const { question } = yield* Target
  const asked = userMessage ?? question
  const { assistantMessage, completionId } = yield* prepared(
    Effect.flatMap(done("chats.complete", { as, params: { chatId }, payload: { userMessage: asked } }), (answer) =>
      fields(answer, { completionId: Schema.NonEmptyString, assistantMessage: Schema.String })
    )
  )
  return { completionId, userMessage: asked, assistantMessage }
})
