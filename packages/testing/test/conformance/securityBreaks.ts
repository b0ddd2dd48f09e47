/** Breaks of who may do what, and of what nobody must learn. */
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { type Operation, type OperationName, operations } from "../../src/internal/conformance/operations.ts"
import {
  asks,
  type Break,
  type Change,
  checksOf,
  done,
  heads,
  meeting,
  type Of,
  payloadOf,
  payloads,
  read,
  remembering,
  respond,
  row,
  to,
  where,
  withQuery
} from "./Break.ts"

const withAccess = (access: Operation["access"]) =>
  operations.filter((operation) => operation.access === access).map(({ name }) => name)

const ofAdmins = withAccess("Admin")
const ofUsers = withAccess("User")
const ofAnyone = withAccess("Anyone")

const withToken = (request: HttpClientRequest.HttpClientRequest, token: string) =>
  HttpClientRequest.setHeader(request, "authorization", token)

/** Whoever is refused with one of these statuses gets what somebody else would. */
const lettingIn = (of: Of, ...statuses: ReadonlyArray<number>): Change =>
  meeting(
    of,
    Effect.fnUntraced(function* ({ request, tokens }, send) {
      const first = yield* send(request)
      if (!statuses.includes(first.status)) return first
      for (const token of tokens) {
        const other = yield* send(withToken(request, token))
        if (!statuses.includes(other.status)) return other
      }
      return first
    })
  )

/** What belongs to somebody, and is reached by its id. */
const belongings: ReadonlyArray<OperationName> = [
  "chats.complete",
  "chats.events",
  "chats.stop",
  "chats.get",
  "chats.delete",
  "chats.feedback",
  "chats.rename",
  "chats.removeUserSystemMessage",
  "chats.createTicket",
  "users.deleteChat",
  "users.deleteCompletion",
  "users.setFavorite",
  "users.getSystemMessage",
  "users.updateSystemMessage",
  "users.deleteSystemMessage"
]

const lists = [
  "users.chats",
  "users.chatsByBot",
  "users.chatsByBotAndSystemMessage",
  "users.listSystemMessages"
] as const

const bots = ["chats.create", "chats.createByBotCode", "bots.search", "bots.listByStartBot"] as const

/** Tickets that are other ones, or of use where they are not. */
const tickets = (options: {
  readonly write?: (number: number) => string
  readonly isOfUse: (use: { readonly uses: number; readonly isOfChat: boolean }) => boolean
}): Change =>
  remembering(["chats.createTicket", "chats.download"], () => {
    const given = new Map<string, { readonly chatId: string; readonly token: string; uses: number }>()
    const written = new Map<string, string>()
    return Effect.fnUntraced(function* ({ name, params, request }, send) {
      const { chatId = "" } = params
      if (name === "chats.createTicket") {
        const answer = yield* Effect.flatMap(send(request), read)
        if (answer.status !== 200) return respond(request, answer)
        const isPlain = answer.headers["content-type"]?.startsWith("text/plain") === true
        const made = isPlain ? answer.text : String(JSON.parse(answer.text))
        const ticket = written.get(made) ?? options.write?.(written.size) ?? made
        written.set(made, ticket)
        given.set(ticket, { chatId, token: request.headers["authorization"] ?? "", uses: 0 })
        return respond(request, { ...answer, text: isPlain ? ticket : JSON.stringify(ticket) })
      }
      const ticket = new Map(request.urlParams).get("ticket")
      const known = given.get(String(ticket))
      if (known === undefined) return yield* send(request)
      known.uses++
      return options.isOfUse({ uses: known.uses, isOfChat: known.chatId === chatId })
        ? yield* send(
            withToken(
              withQuery(request, (query) => query.delete("ticket")),
              known.token
            )
          )
        : yield* send(withQuery(request, (query) => query.set("ticket", "used")))
    })
  })

/** What was told in one operation is in the answers of another. */
const telling = (from: OperationName, field: string, to: OperationName, into: (body: string, said: string) => string) =>
  remembering([from, to], () => {
    let said = ""
    return ({ name, request }, send) => {
      if (name === from) {
        said = String(payloadOf(request)?.[field] ?? said)
        return send(request)
      }
      return Effect.map(Effect.flatMap(send(request), read), (answer) =>
        respond(request, answer.status === 200 ? { ...answer, text: into(answer.text, said) } : answer)
      )
    }
  })

/** A refusal that says what was refused. */
const echoing = (of: OperationName, status: number, said: (request: HttpClientRequest.HttpClientRequest) => string) =>
  where(of, status, (answer, { request }) => ({
    ...answer,
    text: JSON.stringify({ ...JSON.parse(answer.text), detail: `It was: ${said(request)}` })
  }))

const bodyOf = ({ body }: HttpClientRequest.HttpClientRequest) =>
  body._tag === "Uint8Array" ? new TextDecoder().decode(body.body) : ""

/** Who has a token like this one of the user is the user. */
const tokensLike = (isLike: (given: string, token: string) => boolean) =>
  asks("users.current", (request, { tokens: [, token = ""] }) =>
    isLike(request.headers["authorization"] ?? "", token) ? withToken(request, token) : request
  )

const lessHeader = (of: OperationName, name: string) =>
  heads(of, ({ headers: { [name]: _value, ...headers }, status }) => ({ status, headers }))

const withField = (name: string) => (body: string, said: string) =>
  JSON.stringify({ ...JSON.parse(body), [name]: said })

/** Every break of this kind. */
export const securityBreaks: ReadonlyArray<Break> = [
  row(
    "users need no token",
    lettingIn(ofUsers, 401),
    ...checksOf(ofUsers, "refuses-other-tokens", "needs-a-token"),
    "users.current/takes-no-other-token",
    "users.current/takes-tokens-from-its-header-alone",
    "users.current/asks-for-a-bearer-token"
  ),
  row("admins need no token", lettingIn(ofAdmins, 401), ...checksOf(ofAdmins, "refuses-other-tokens", "needs-a-token")),
  row(
    "a token that is not valid is as good as none",
    meeting(
      ofAnyone,
      Effect.fnUntraced(function* ({ request }, send) {
        const first = yield* send(request)
        return first.status === 401 ? yield* send(HttpClientRequest.removeHeader(request, "authorization")) : first
      })
    ),
    ...checksOf(
      ofAnyone.filter((name) => name !== "chats.download"),
      "refuses-other-tokens"
    )
  ),
  row("users may do what admins may", lettingIn(ofAdmins, 403), ...checksOf(ofAdmins, "is-for-admins")),
  ...belongings.map((name) =>
    row(`another reaches what is somebody's: ${name}`, lettingIn(name, 404), `${name}/hides-what-is-anothers`)
  ),
  row(
    "another reaches what is somebody's: chats.download",
    lettingIn("chats.download", 404),
    "chats.download/hides-what-is-anothers"
  ),
  row(
    "files need neither a ticket nor a token",
    lettingIn("chats.download", 401),
    "chats.download/refuses-other-tokens",
    "chats.download/needs-a-ticket-or-a-token"
  ),
  row(
    "who needs a ticket finds no file",
    where("chats.download", 401, (answer) => ({ ...answer, status: 404 })),
    "chats.createTicket/works-once",
    "chats.createTicket/is-for-its-chat",
    "chats.download/refuses-other-tokens",
    "chats.download/needs-a-ticket-or-a-token"
  ),
  row(
    "another's chat is 403",
    meeting(
      "chats.get",
      Effect.fnUntraced(function* ({ request, tokens }, send) {
        const first = yield* Effect.flatMap(send(request), read)
        if (first.status !== 404) return respond(request, first)
        const others = yield* Effect.forEach(tokens, (token) => send(withToken(request, token)))
        return respond(request, others.some(({ status }) => status === 200) ? { ...first, status: 403 } : first)
      })
    ),
    "chats.get/hides-what-is-anothers"
  ),
  row(
    "another's chat is renamed, though it is 404",
    meeting(
      "chats.rename",
      Effect.fnUntraced(function* ({ request, tokens }, send) {
        const first = yield* send(request)
        if (first.status === 404) yield* Effect.forEach(tokens, (token) => send(withToken(request, token)))
        return first
      })
    ),
    "chats.rename/hides-what-is-anothers"
  ),
  ...lists.map((name) =>
    row(
      `a list has what is another's: ${name}`,
      asks(name, (request, { tokens }) =>
        tokens.includes(request.headers["authorization"] ?? "") ? withToken(request, tokens[1] ?? "") : request
      ),
      `${name}/lists-nothing-of-others`
    )
  ),
  ...(["users.deleteChats", "users.deleteChatsByBot"] as const).map((name) =>
    row(
      `what is another's is deleted too: ${name}`,
      meeting(
        name,
        Effect.fnUntraced(function* ({ request, tokens }, send) {
          const first = yield* send(request)
          if (first.status === 200) yield* Effect.forEach(tokens, (token) => send(withToken(request, token)))
          return first
        })
      ),
      `${name}/leaves-what-is-anothers`
    )
  ),
  ...bots.map((name) =>
    row(`bots that are not public are for all: ${name}`, lettingIn(name, 404), `${name}/hides-bots-that-are-not-public`)
  ),
  row(
    "the message of another is taken",
    meeting(
      "chats.setUserSystemMessage",
      Effect.fnUntraced(function* ({ params, request, tokens }, send) {
        const answer = yield* Effect.flatMap(send(request), read)
        if (answer.status !== 404) return respond(request, answer)
        const messageId = payloadOf(request)?.userSystemMessageId
        const looks = tokens.flatMap((token) =>
          [`/api/chats/${params["chatId"]}`, `/api/users/current/userSystemMessage/${messageId}`].map((path) =>
            withToken(HttpClientRequest.setMethod(to(request, path), "GET"), token)
          )
        )
        const found = yield* Effect.forEach(looks, (look) => send(look))
        const areThere = found.filter(({ status }) => status === 200).length === 2
        return respond(request, areThere ? done(answer) : answer)
      })
    ),
    "chats.setUserSystemMessage/hides-what-is-anothers",
    "chats.setUserSystemMessage/takes-no-message-of-others"
  ),
  row("a ticket works twice", tickets({ isOfUse: ({ isOfChat }) => isOfChat }), "chats.createTicket/works-once"),
  row(
    "a ticket works in every chat",
    tickets({ isOfUse: ({ uses }) => uses === 1 }),
    "chats.createTicket/is-for-its-chat"
  ),
  row(
    "tickets are counted",
    tickets({
      write: (number) => `ticket-of-a-chat-${String(number).padStart(8, "0")}`,
      isOfUse: ({ isOfChat, uses }) => isOfChat && uses === 1
    }),
    "chats.createTicket/cannot-be-guessed"
  ),
  row(
    "a path leads out of the files of a bot",
    meeting("chats.download", ({ params, request }, send) =>
      /%(2f|5c|25|c0)/i.test(params["rest"] ?? "")
        ? Effect.succeed(
            respond(request, { status: 200, headers: { "content-type": "text/plain" }, text: "root:x:0:0:" })
          )
        : send(request)
    ),
    "chats.download/leads-nowhere-else"
  ),
  row(
    "a service tells its key",
    telling("admin.createOpenAiService", "azureOpenAiApiKey", "admin.getOpenAiService", withField("azureOpenAiApiKey")),
    "admin.getOpenAiService/answers-as-described",
    "admin.getOpenAiService/tells-no-key"
  ),
  row(
    "the list of services tells a key",
    telling("admin.createOpenAiService", "azureOpenAiApiKey", "admin.listOpenAiServices", (body, said) =>
      JSON.stringify({
        ...JSON.parse(body),
        items: JSON.parse(body).items.map((item: object) => Object.assign(item, { azureOpenAiApiKey: said }))
      })
    ),
    "admin.listOpenAiServices/answers-as-described",
    "admin.getOpenAiService/tells-no-key"
  ),
  row(
    "a configuration tells its connection string",
    telling(
      "adminBots.updateAcsConfiguration",
      "blobClientConnectionString",
      "adminBots.getAcsConfiguration",
      withField("blobServiceClientDisplayUri")
    ),
    "adminBots.getAcsConfiguration/tells-no-secret"
  ),
  row(
    "a configuration tells its credential",
    telling(
      "adminBots.updateSearchConfiguration",
      "searchClientCredential",
      "adminBots.getSearchConfiguration",
      withField("searchClientCredential")
    ),
    "adminBots.getSearchConfiguration/answers-as-described",
    "adminBots.getSearchConfiguration/tells-no-secret"
  ),
  row(
    "the refusal of a service tells its key",
    echoing("admin.createOpenAiService", 400, bodyOf),
    "admin.createOpenAiService/tells-no-key-when-it-refuses"
  ),
  row(
    "the refusal of a question tells it",
    echoing("chats.complete", 400, bodyOf),
    "chats.complete/tells-no-question-when-it-refuses"
  ),
  row(
    "the refusal of a token tells it",
    echoing("users.current", 401, ({ headers }) => headers["authorization"] ?? "none"),
    "users.current/tells-no-token-when-it-refuses"
  ),
  row(
    "a refusal tells where in the source it was",
    echoing("chats.create", 400, () => "SyntaxError\n    at parse (/srv/app/node_modules/body/index.js:12:7)"),
    "chats.create/tells-nothing-of-its-insides"
  ),
  row(
    "a token is looked at but for its last letter",
    tokensLike((given, token) => given === token.slice(0, -1)),
    "users.current/takes-no-other-token"
  ),
  row(
    "a token may go on",
    tokensLike((given, token) => given !== "" && given.startsWith(token)),
    "users.current/takes-no-other-token"
  ),
  row(
    "the case of a token does not matter",
    tokensLike((given, token) => given.toLowerCase() === token.toLowerCase()),
    "users.current/takes-no-other-token"
  ),
  row(
    "a token that nobody has signed is taken",
    tokensLike((given) => given.endsWith(".")),
    "users.current/takes-no-other-token"
  ),
  row(
    "a token in the query is taken",
    asks("users.current", (request) => {
      const token = new Map(request.urlParams).get("access_token")
      return token === undefined ? request : withToken(request, `Bearer ${String(token)}`)
    }),
    "users.current/takes-tokens-from-its-header-alone"
  ),
  row(
    "401 does not say what is wanted",
    lessHeader("users.current", "www-authenticate"),
    "users.current/asks-for-a-bearer-token"
  ),
  row(
    "caches may keep what is of a user",
    lessHeader("users.current", "cache-control"),
    "users.current/is-kept-by-no-cache"
  ),
  row(
    "browsers may guess the type of an answer",
    lessHeader("users.current", "x-content-type-options"),
    "users.current/is-of-no-other-type"
  ),
  row(
    "every origin may read answers with credentials",
    heads("users.current", ({ headers, status }, { request }) => ({
      status,
      headers: {
        ...headers,
        "access-control-allow-origin": request.headers["origin"] ?? "*",
        "access-control-allow-credentials": "true"
      }
    })),
    "users.current/is-for-no-other-origin"
  ),
  row(
    "a header makes another method of a request",
    meeting(
      "chats.get",
      Effect.fnUntraced(function* ({ request }, send) {
        const answer = yield* send(request)
        if (request.headers["x-http-method-override"] === "DELETE") {
          yield* send(HttpClientRequest.setMethod(request, "DELETE"))
        }
        return answer
      })
    ),
    "chats.get/keeps-to-its-method"
  ),
  row(
    "bodies are read without end",
    payloads("chats.rename", (payload) => ({ ...payload, displayName: payload.displayName?.slice(0, 100) })),
    "chats.rename/limits-its-body"
  ),
  row(
    "queries are read without end",
    asks("bots.list", (request) =>
      withQuery(request, (query) => {
        const search = query.get("SearchFor")
        if (search !== null) query.set("SearchFor", search.slice(0, 100))
      })
    ),
    "bots.list/limits-its-query"
  )
]
