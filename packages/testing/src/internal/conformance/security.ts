import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { document } from "./chats.ts"
import { type Check, checksOf, decision } from "./Check.ts"
import { type Answer, ask, type Input } from "./exchange.ts"
import { equals, hasStatus, holds, ok, prepared } from "./expect.ts"
import type { Blocked, Violation } from "./Failure.ts"
import * as Given from "./given.ts"
import { type Operation, type OperationName, operationOf, operations } from "./operations.ts"
import { nobodys } from "./patterns.ts"
import { type Caller, type Need, Target } from "./Target.ts"

const check = checksOf("security")

const paramsOf = ({ path }: Operation): ReadonlyArray<string> =>
  Array.from(path.matchAll(/:(\w+)|\*/g), ([all, name = all]) => name)

/** A request that could do nothing if it were let in: what it names is not there, and its body is of no use. */
const harmless = (operation: Operation): Input => ({
  params: Object.fromEntries(
    paramsOf(operation).map((name) => [name, /^(isStopAllBots|keepfavorites)$/.test(name) ? "neither" : nobodys])
  ),
  ...(/^(POST|PUT)$/.test(operation.method) ? { payload: [] } : undefined)
})

/** What is needed for a request that does something by its path alone. */
const needsFor = ({ retry }: Operation): ReadonlyArray<Need> => (retry === "never" ? ["destruction"] : [])

const wrongToken = { authorization: "Bearer a-token-of-nobody" }

/** Who may call what, operation by operation. */
const access: ReadonlyArray<Check> = operations.flatMap((operation) => {
  const { access, label, name } = operation
  const input = harmless(operation)
  const needs = needsFor(operation)
  const refuses = check(
    `${name}/refuses-other-tokens`,
    { title: `${label} is 401 with a token that is not valid`, source: decision, needs },
    Effect.flatMap(ask(name, { ...input, as: "nobody", headers: wrongToken }), (answer) => hasStatus(answer, 401))
  )
  const needsToken = check(
    `${name}/needs-a-token`,
    { title: `${label} is 401 without a token`, source: decision, needs },
    Effect.flatMap(ask(name, { ...input, as: "nobody" }), (answer) => hasStatus(answer, 401))
  )
  const isForAdmins = check(
    `${name}/is-for-admins`,
    { title: `${label} is 403 for a user who is no admin`, source: decision, needs: ["member", ...needs] },
    Effect.flatMap(ask(name, { ...input, as: "user" }), (answer) => hasStatus(answer, 403))
  )
  return access === "Anyone"
    ? [refuses]
    : access === "User"
      ? [refuses, needsToken]
      : [refuses, needsToken, isForAdmins]
})

/** A chat of the user with an answer in it, and a user system message. */
const belongings = Effect.gen(function* () {
  const { chatId } = yield* Given.chat()
  const { completionId } = yield* Given.completion(chatId)
  const { userSystemMessageId } = yield* Given.message()
  return { chatId, completionId, userSystemMessageId }
})

type Belongings = Effect.Success<typeof belongings>

/** What is there of them, but for when it was looked at. */
const stateOf = ({ chatId, userSystemMessageId }: Belongings) =>
  Effect.gen(function* () {
    const chat = yield* ok("chats.get", { params: { chatId } })
    const message = yield* ok("users.getSystemMessage", { params: { userSystemMessageId } })
    const texts = [chat, message].map(({ text }) => text.replace(/"lastAccessedUtc":"[^"]*"/, ""))
    return { answer: chat, texts }
  }).pipe(prepared)

/** The parameter of what belongs to somebody, by its name in a path. */
const belongingOf: Readonly<Record<string, keyof Belongings>> = {
  chatId: "chatId",
  chatid: "chatId",
  completionId: "completionId",
  completionid: "completionId",
  userSystemMessageId: "userSystemMessageId"
}

/** What does something to what belongs to somebody, with the body it needs. */
const intrusions: { readonly [name in OperationName]?: (own: Belongings) => Input["payload"] } = {
  "chats.complete": () => ({ userMessage: "Who are you?" }),
  "chats.events": () => undefined,
  "chats.stop": () => undefined,
  "chats.get": () => undefined,
  "chats.delete": () => undefined,
  "chats.feedback": () => ({ voteId: 1 }),
  "chats.rename": () => ({ displayName: "Mine" }),
  "chats.setUserSystemMessage": ({ userSystemMessageId }) => ({ userSystemMessageId }),
  "chats.removeUserSystemMessage": () => undefined,
  "chats.createTicket": () => undefined,
  "users.deleteChat": () => undefined,
  "users.deleteCompletion": () => undefined,
  "users.setFavorite": () => ({ isFavorite: true }),
  "users.getSystemMessage": () => undefined,
  "users.updateSystemMessage": () => ({ displayName: "Mine", systemMessage: "Mine" }),
  "users.deleteSystemMessage": () => undefined
}

/** An answer without what is of its request alone. */
const plain = ({ headers, status, text }: Answer, ids: ReadonlyArray<string>): string =>
  [...ids, headers["x-request-id"] ?? ""]
    .filter((id) => id !== "")
    .reduce((text, id) => text.replaceAll(id, "…"), `${status} ${headers["content-type"] ?? ""} ${text}`)

/** What belongs to somebody is to others as if it were not there, and stays as it is. */
const privacy: ReadonlyArray<Check> = Object.entries(intrusions).map(([key, payloadOf]) => {
  const operation = operationOf(key as OperationName)
  const { access, label, name } = operation
  const callers: ReadonlyArray<Caller> = access === "Anyone" ? ["other", "nobody"] : ["other"]
  return check(
    `${name}/hides-what-is-anothers`,
    {
      title: `${label} answers of what is another's as of what does not exist, and leaves it as it is`,
      source: decision,
      needs: ["user", "other", "bot"]
    },
    Effect.gen(function* () {
      const theirs = yield* belongings
      const own = yield* Given.message("other")
      const before = yield* stateOf(theirs)
      for (const as of callers) {
        const inputOf = (id: (belonging: keyof Belongings) => string): Input => ({
          as,
          params: Object.fromEntries(
            paramsOf(operation).map((name) => {
              return [name, id(belongingOf[name]!)]
            })
          ),
          payload: payloadOf({ ...theirs, userSystemMessageId: own.userSystemMessageId })
        })
        const missing = yield* prepared(
          ask(
            name,
            inputOf(() => nobodys)
          )
        )
        const answer = yield* ask(
          name,
          inputOf((belonging) => theirs[belonging])
        )
        const ids = [nobodys, ...Object.values(theirs)]
        yield* equals(answer, "the same answer as of nothing:", plain(answer, ids), plain(missing, ids))
      }
      const after = yield* stateOf(theirs)
      yield* equals(after.answer, "the same as before:", after.texts, before.texts)
    })
  )
})

/** The lists of what belongs to somebody, and how to read them as somebody else. */
const ownLists: ReadonlyArray<{
  readonly name: OperationName
  readonly inputOf: (ids: { readonly botId: string; readonly userSystemMessageId: string }) => Input
}> = [
  { name: "users.chats", inputOf: () => ({}) },
  { name: "users.chatsByBot", inputOf: ({ botId }) => ({ params: { botid: botId } }) },
  {
    name: "users.chatsByBotAndSystemMessage",
    inputOf: ({ botId, userSystemMessageId }) => ({
      params: { botid: botId, usersystempromptid: userSystemMessageId }
    })
  },
  { name: "users.listSystemMessages", inputOf: () => ({}) }
]

const lists: ReadonlyArray<Check> = ownLists.map(({ inputOf, name }) =>
  check(
    `${name}/lists-nothing-of-others`,
    {
      title: `${operationOf(name).label} lists nothing that belongs to others`,
      source: decision,
      needs: ["user", "other", "bot"]
    },
    Effect.gen(function* () {
      const { bot } = yield* Target
      const { botId } = yield* bot
      const { chatId } = yield* Given.chat()
      const { displayName, userSystemMessageId } = yield* Given.message()
      yield* prepared(ok("chats.rename", { params: { chatId }, payload: { displayName } }))
      yield* prepared(ok("chats.setUserSystemMessage", { params: { chatId }, payload: { userSystemMessageId } }))
      const input = inputOf({ botId, userSystemMessageId })
      const page = yield* ok(name, { ...input, as: "other", query: { SearchFor: displayName, PageSize: 100 } })
      yield* holds(page, !page.text.includes(displayName), "nothing of the first user's")
    })
  )
)

/** Deletes of a user all that there is. */
const deletions: ReadonlyArray<Check> = (
  [
    ["users.deleteChats", () => ({ keepfavorites: "false" })],
    ["users.deleteChatsByBot", (botid) => ({ botid, keepfavorites: "false" })]
  ] satisfies ReadonlyArray<readonly [OperationName, (botId: string) => NonNullable<Input["params"]>]>
).map(([name, paramsFor]) =>
  check(
    `${name}/leaves-what-is-anothers`,
    {
      title: `${operationOf(name).label} deletes nothing that belongs to others`,
      source: decision,
      needs: ["user", "other", "bot", "destruction"],
      isAlone: true
    },
    Effect.gen(function* () {
      const { botId, chatId } = yield* Given.chat()
      yield* ok(name, { as: "other", params: paramsFor(botId) })
      const chat = yield* prepared(ask("chats.get", { params: { chatId } }))
      yield* holds(chat, chat.status === 200, "the chat of the first user")
    })
  )
)

/** What asks for a bot, with a bot that is not public and whose user the caller is not. */
const hiddenBots: ReadonlyArray<Check> = (
  [
    ["chats.create", ({ botId }) => ({ payload: { botId } })],
    ["chats.createByBotCode", ({ code }) => ({ payload: { botCode: code } })],
    ["bots.search", ({ botId }) => ({ params: { botId }, payload: { userMessage: "Who are you?" } })],
    ["bots.listByStartBot", ({ botId }) => ({ params: { startBotId: botId } })]
  ] satisfies ReadonlyArray<readonly [OperationName, (bot: Effect.Success<typeof Given.startBot>) => Input]>
).map(([name, inputFor]) =>
  check(
    `${name}/hides-bots-that-are-not-public`,
    {
      title: `${operationOf(name).label} is 404 for a bot that is not public, and not for the user`,
      source: decision,
      needs: ["member", "bots"]
    },
    Effect.gen(function* () {
      const hidden = yield* Given.bot({ implementationType: "Start", isPublic: false })
      yield* hasStatus(yield* ask(name, { as: "user", ...inputFor(hidden) }), 404)
    })
  )
)

/** A secret that is given to a backend. */
const secret = Effect.map(Target, ({ name }) => name("secret"))

const tellsNot = (answer: Answer, what: string, said: string): Effect.Effect<void, Violation> =>
  holds(answer, !`${JSON.stringify(answer.headers)}${answer.text}`.includes(said), `an answer without ${what}`)

/** The configurations of bots that hold secrets, with those that they hold. */
const configurations = (
  [
    ["adminBots.getAcsConfiguration", "adminBots.updateAcsConfiguration"],
    ["adminBots.getSearchConfiguration", "adminBots.updateSearchConfiguration"]
  ] as const
).map(([name, update]) =>
  check(
    `${name}/tells-no-secret`,
    {
      title: `${operationOf(name).label} tells no connection string and no credential`,
      source: decision,
      also: [update],
      needs: ["admin", "bots"]
    },
    Effect.gen(function* () {
      const { botId } = yield* Given.bot()
      const params = { botId }
      const said = yield* secret
      const payload = {
        isUpdateBlobClient: true,
        blobClientConnectionString: `DefaultEndpointsProtocol=https;AccountName=nobody;AccountKey=${said}`,
        isUpdateSearchClient: true,
        searchClientEndpoint: Given.nowhere,
        searchClientCredential: said
      }
      yield* prepared(ok(update, { params, payload }))
      yield* tellsNot(yield* ok(name, { params }), "the secret", said)
    })
  )
)

/** What a backend must not tell of itself: where it was, in its language, when something went wrong. */
const insides = /\bat [^\n]*:\d+|\.cs:line \d+|Traceback|Exception\b|node_modules|\bSELECT\b[^\n]*\bFROM\b/

const wantsTicket = (answer: Answer) => hasStatus(answer, 401)

const newTicket = (chatId: string): Effect.Effect<string, Blocked, Target> =>
  prepared(Effect.flatMap(ok("chats.createTicket", { params: { chatId } }), Given.bareText))

/** Ways that would lead out of the folder of a bot, as they stand in a path. */
const ways = [
  "..%2f..%2f..%2fetc%2fpasswd",
  "..%5c..%5c..%5cwindows%5cwin.ini",
  "%2fetc%2fpasswd",
  "a%2f..%2f..%2f..%2fetc%2fpasswd",
  "..%252f..%252fetc%252fpasswd",
  "..%c0%af..%c0%afetc%c0%afpasswd",
  "....%2f%2f....%2f%2fetc%2fpasswd",
  "file:%2f%2f%2fetc%2fpasswd",
  "etc%2fpasswd%00.md"
]

const files: ReadonlyArray<Check> = [
  check(
    "chats.createTicket/cannot-be-guessed",
    { title: "A ticket has at least 128 bits that nobody can guess", source: decision, needs: ["user", "bot"] },
    Effect.gen(function* () {
      const { chatId } = yield* Given.chat()
      const answer = yield* ok("chats.createTicket", { params: { chatId } })
      const [one, other] = [yield* prepared(Given.bareText(answer)), yield* newTicket(chatId)]
      const alike = Array.from(one).filter((letter, i) => letter === other[i]).length
      // Of 64 letters, 22 have 128 bits; two random texts have some at the same place.
      yield* holds(answer, one.length - alike >= 16, "two tickets without a likeness", `${alike} letters are the same`)
    })
  ),
  check(
    "chats.createTicket/works-once",
    {
      title: "A ticket is of no use a second time",
      source: decision,
      also: ["chats.download"],
      needs: ["user", "bot"]
    },
    Effect.gen(function* () {
      const { chatId, path } = yield* document
      const input: Input = { as: "nobody", params: { chatId, "*": path }, query: { ticket: yield* newTicket(chatId) } }
      yield* prepared(ok("chats.download", input))
      yield* wantsTicket(yield* ask("chats.download", input))
    })
  ),
  check(
    "chats.createTicket/is-for-its-chat",
    {
      title: "A ticket is of no use in another chat",
      source: decision,
      also: ["chats.download"],
      needs: ["user", "bot"]
    },
    Effect.gen(function* () {
      const { chatId, path } = yield* document
      const other = yield* Given.chat()
      const ticket = yield* newTicket(other.chatId)
      yield* wantsTicket(
        yield* ask("chats.download", { as: "nobody", params: { chatId, "*": path }, query: { ticket } })
      )
    })
  ),
  check(
    "chats.download/needs-a-ticket-or-a-token",
    {
      title: "A file is 401 without a token and without a ticket that is valid",
      source: decision,
      needs: ["user", "bot"]
    },
    Effect.gen(function* () {
      const { chatId, path } = yield* document
      const input: Input = { as: "nobody", params: { chatId, "*": path } }
      for (const query of [{}, { ticket: "a-ticket-of-nobody" }]) {
        yield* wantsTicket(yield* ask("chats.download", { ...input, query }))
      }
    })
  ),
  check(
    "chats.download/hides-what-is-anothers",
    { title: "A file of a chat is 404 for another user", source: decision, needs: ["user", "other", "bot"] },
    Effect.gen(function* () {
      const { chatId, path } = yield* document
      yield* hasStatus(yield* ask("chats.download", { as: "other", params: { chatId, "*": path } }), 404)
    })
  ),
  check(
    "chats.download/leads-nowhere-else",
    {
      title: "A path that leads out of the files of a bot is 404, however it is spelled",
      source: decision,
      needs: ["user", "bot"]
    },
    Effect.gen(function* () {
      const { chatId } = yield* Given.chat()
      for (const way of ways) {
        const answer = yield* ask("chats.download", {
          params: { chatId, "*": "way" },
          spell: (target) => target.replace(/way$/, way)
        })
        yield* holds(answer, answer.status === 404 || answer.status === 400, "status 404")
      }
    })
  )
]

/** Far more than any body and any query of this contract has. */
const tooLarge = 8 * 2 ** 20
const tooLong = 64 * 1024

/** It is refused with one of these statuses, or without being read to its end. */
const isRefused = (request: Effect.Effect<Answer, Violation, Target>, ...statuses: ReadonlyArray<number>) =>
  Effect.matchEffect(request, {
    onSuccess: (answer) => holds(answer, statuses.includes(answer.status), `status ${statuses.join(" or ")}`),
    onFailure: (violation) => (violation.expected === "an answer" ? Effect.void : Effect.fail(violation))
  })

const leaks: ReadonlyArray<Check> = [
  check(
    "admin.getOpenAiService/tells-no-key",
    {
      title: "The key of a service is told nowhere",
      source: decision,
      also: ["admin.listOpenAiServices"],
      needs: ["admin"]
    },
    Effect.gen(function* () {
      const azureOpenAiApiKey = yield* secret
      const { displayName, openAiServiceId } = yield* Given.service({ azureOpenAiApiKey })
      for (const answer of [
        yield* ok("admin.getOpenAiService", { params: { openAiServiceId } }),
        yield* ok("admin.listOpenAiServices", { query: { SearchFor: displayName } })
      ]) {
        yield* tellsNot(answer, "the key", azureOpenAiApiKey)
      }
    })
  ),
  check(
    "admin.createOpenAiService/tells-no-key-when-it-refuses",
    { title: "The refusal of a service does not tell its key", source: decision, needs: ["admin"] },
    Effect.gen(function* () {
      const azureOpenAiApiKey = yield* secret
      const answer = yield* ask("admin.createOpenAiService", { payload: { displayName: [], azureOpenAiApiKey } })
      yield* tellsNot(answer, "the key", azureOpenAiApiKey)
    })
  ),
  ...configurations,
  check(
    "users.current/tells-no-token-when-it-refuses",
    { title: "The refusal of a token does not tell it", source: decision },
    Effect.gen(function* () {
      const said = yield* secret
      const headers = { authorization: `Bearer ${said}` }
      yield* tellsNot(yield* ask("users.current", { as: "nobody", headers }), "the token", said)
    })
  ),
  check(
    "chats.complete/tells-no-question-when-it-refuses",
    { title: "The refusal of a question does not tell it", source: decision, needs: ["user", "bot"] },
    Effect.gen(function* () {
      const { chatId } = yield* Given.chat()
      const said = yield* secret
      for (const body of [
        JSON.stringify({ userMessage: said, isTraceLogEnabled: said }),
        JSON.stringify({ userMessage: [said] }),
        `{"userMessage":"${said}`
      ]) {
        const answer = yield* ask("chats.complete", { params: { chatId }, body })
        yield* holds(answer, answer.status === 400, "status 400")
        yield* tellsNot(answer, "the question", said)
      }
    })
  ),
  check(
    "chats.create/tells-nothing-of-its-insides",
    { title: "A refusal does not tell how the backend is made", source: decision, needs: ["user"] },
    Effect.gen(function* () {
      for (const input of [
        { body: "{" },
        { body: '{"botId":{"a":1}}' },
        { payload: { botId: "'; --" } },
        { payload: { botId: "\0" } },
        { payload: { botId: "x".repeat(10_000) } }
      ] satisfies ReadonlyArray<Input>) {
        const answer = yield* ask("chats.create", input)
        yield* holds(answer, answer.status >= 400 && answer.status < 500, "a status of 400 to 499")
        yield* holds(answer, !insides.test(answer.text), "a body without a stack, a statement or a place in a source")
      }
    })
  )
]

/** The token of the user, and what looks like it. */
const lookAlikes = Effect.map(Target, ({ tokens }) => {
  const token = tokens.user === undefined ? "" : Redacted.value(tokens.user)
  const unsigned = [{ alg: "none" }, { sub: "admin", roles: ["Admin"] }].map((part) => btoa(JSON.stringify(part)))
  return [token.slice(0, -1), `${token}A`, token.toUpperCase(), `${unsigned.join(".")}.`].map(
    (text) => `Bearer ${text}`
  )
})

const manners: ReadonlyArray<Check> = [
  check(
    "users.current/takes-no-other-token",
    { title: "What looks like a valid token is none", source: decision, needs: ["user"] },
    Effect.gen(function* () {
      for (const authorization of yield* lookAlikes) {
        yield* hasStatus(yield* ask("users.current", { as: "nobody", headers: { authorization } }), 401)
      }
    })
  ),
  check(
    "users.current/takes-tokens-from-its-header-alone",
    { title: "A token in the query is not looked at", source: "RFC 6750, 5.3", needs: ["user"] },
    Effect.gen(function* () {
      const { tokens } = yield* Target
      const token = tokens.user === undefined ? "" : Redacted.value(tokens.user)
      for (const name of ["access_token", "token"]) {
        yield* hasStatus(yield* ask("users.current", { as: "nobody", query: { [name]: token } }), 401)
      }
    })
  ),
  check(
    "users.current/asks-for-a-bearer-token",
    { title: "An answer with 401 says that a bearer token is wanted", source: "RFC 6750, 3" },
    Effect.gen(function* () {
      const answer = yield* ask("users.current", { as: "nobody" })
      const said = answer.headers["www-authenticate"] ?? "none"
      yield* holds(answer, /^Bearer\b/i.test(said), "WWW-Authenticate: Bearer", said)
    })
  ),
  check(
    "users.current/is-kept-by-no-cache",
    { title: "No cache may keep what is of a user", source: "RFC 9111, 5.2.2.5", needs: ["user"] },
    Effect.gen(function* () {
      const answer = yield* ok("users.current")
      const said = answer.headers["cache-control"] ?? "none"
      yield* holds(answer, /\bno-store\b/i.test(said), "Cache-Control: no-store", said)
    })
  ),
  check(
    "users.current/is-of-no-other-type",
    { title: "Browsers may not guess the type of an answer", source: decision, needs: ["user"] },
    Effect.gen(function* () {
      const answer = yield* ok("users.current")
      const said = answer.headers["x-content-type-options"] ?? "none"
      yield* holds(answer, said.toLowerCase() === "nosniff", "X-Content-Type-Options: nosniff", said)
    })
  ),
  check(
    "users.current/is-for-no-other-origin",
    {
      title: "Pages of any origin may not read an answer with the credentials of a browser",
      source: decision,
      needs: ["user"]
    },
    Effect.gen(function* () {
      const origin = "https://conformance.invalid"
      const answer = yield* ok("users.current", { headers: { origin } })
      const allowed = answer.headers["access-control-allow-origin"] ?? "none"
      const withCredentials = answer.headers["access-control-allow-credentials"] === "true"
      const isOpen = allowed === origin || (allowed === "*" && withCredentials)
      yield* holds(answer, !isOpen, "no Access-Control-Allow-Origin, or * without credentials", allowed)
    })
  ),
  check(
    "chats.get/keeps-to-its-method",
    { title: "No header and no query makes another method of a request", source: decision, needs: ["user", "bot"] },
    Effect.gen(function* () {
      const { chatId } = yield* Given.chat()
      const params = { chatId }
      yield* ok("chats.get", {
        params,
        query: { _method: "DELETE" },
        headers: { "x-http-method-override": "DELETE", "x-method-override": "DELETE", "x-http-method": "DELETE" }
      })
      yield* ok("chats.get", { params })
    })
  ),
  check(
    "chats.rename/limits-its-body",
    { title: "A body of 8 MiB is refused", source: decision, needs: ["user", "bot"] },
    Effect.gen(function* () {
      const { chatId } = yield* Given.chat()
      const payload = { displayName: "x".repeat(tooLarge) }
      yield* isRefused(ask("chats.rename", { params: { chatId }, payload }), 400, 413)
    })
  ),
  check(
    "bots.list/limits-its-query",
    { title: "A query of 64 KiB is refused", source: decision, needs: ["user"] },
    isRefused(ask("bots.list", { query: { SearchFor: "x".repeat(tooLong) } }), 400, 414, 431)
  ),
  check(
    "chats.setUserSystemMessage/takes-no-message-of-others",
    {
      title: "The user system message of another is 404 for a chat",
      source: decision,
      needs: ["user", "other", "bot"]
    },
    Effect.gen(function* () {
      const { chatId } = yield* Given.chat()
      const { userSystemMessageId } = yield* Given.message("other")
      const payload = { userSystemMessageId }
      yield* hasStatus(yield* ask("chats.setUserSystemMessage", { params: { chatId }, payload }), 404)
    })
  )
]

/** The checks of who may do what, and of what nobody is told. */
export const security: ReadonlyArray<Check> = [
  ...access,
  ...privacy,
  ...lists,
  ...deletions,
  ...hiddenBots,
  ...files,
  ...leaks,
  ...manners
]
