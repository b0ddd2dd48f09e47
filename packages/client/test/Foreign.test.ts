/** Every method against a backend that is not of this project, over sockets. */
import { Api } from "@effect-chatbot/api/Api"
import * as Problem from "@effect-chatbot/api/Problem"
import type { BinaryContent } from "@effect-chatbot/client/BinaryContent"
import * as CallStory from "@effect-chatbot/client/CallStory"
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import * as RetryPolicy from "@effect-chatbot/client/RetryPolicy"
import * as Transport from "@effect-chatbot/client/Transport"
import * as Errors from "@effect-chatbot/schema/Errors"
import { BotId } from "@effect-chatbot/schema/Ids"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import type * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as Stream from "effect/Stream"
import { inspect } from "node:util"
import * as Foreign from "./support/ForeignBackend.ts"
import { chatId, type Row, rows } from "./support/Methods.ts"

// The administrative operations of bots are asked of our own backend alone.
const { adminBots: _, ...core } = Api.groups

/** What the contract says of every other endpoint that a method asks. */
const endpoints = Object.values(core).flatMap((group) =>
  Object.values(group.endpoints).flatMap((endpoint) => {
    const name = `${group.identifier}.${endpoint.identifier}`
    const row = rows[name]
    const errorsOf = (schemas: Iterable<unknown>) =>
      Array.from(schemas as Iterable<Schema.Constraint>, (schema) => ({
        tag: Problem.errorClassOf(schema)?.identifier,
        status: SchemaAST.resolveAt<number>("httpApiStatus")(schema.ast)
      }))
    const [success] = Array.from(endpoint.success)
    return row === undefined
      ? []
      : {
          name,
          method: name,
          row,
          route: `${endpoint.method} ${endpoint.path.replaceAll(/:(\w+)/g, "{$1}").replace("*", "{path}")}`,
          isVoid: Predicate.hasProperty(success, "ast") && HttpApiSchema.isNoContent((success as Schema.Top).ast),
          isBinary: Predicate.isTagged(success, "StreamUint8Array"),
          errors: errorsOf(endpoint.error)
        }
  })
)

/** Those of this project's own, which another backend does not have. */
const added = new Set(["chats.stop"])

const asked = "2026-01-02T03:04:07.000Z"
const accessed = "2026-01-02T03:04:06.250Z"
const created = "2026-01-02T03:04:05.123Z"

const rich: Foreign.Mood = {
  fields: "all",
  json: "application/json; charset=utf-8",
  byteOrderMark: false,
  isTextBare: true,
  truth: { type: "application/json; charset=utf-8", body: "true" },
  nothing: 200
}

const moods = {
  "writes all it has, and bare texts as they are": rich,
  "begins its bodies with a byte order mark, and answers nothing with 204": {
    ...rich,
    json: "text/json; charset=utf-8",
    byteOrderMark: true,
    truth: { type: "text/plain; charset=utf-8", body: "True" },
    nothing: 204
  },
  "writes null for what it can": { ...rich, fields: "null", isTextBare: false },
  "leaves out what it can, and calls its JSON plain text": {
    ...rich,
    fields: "missing",
    json: "text/plain; charset=utf-8",
    truth: { type: "text/plain", body: "TRUE" },
    nothing: 204
  }
} satisfies { readonly [mood: string]: Foreign.Mood }

const transports = { undici: NodeTransport.layer, fetch: Transport.layer }

const overTransports = ["undici", "fetch"] as const

/** A client that makes one attempt, and the backend it asks. */
const start = Effect.fnUntraced(function* (mood: Foreign.Mood, transport: keyof typeof transports = "undici") {
  const backend = yield* Foreign.foreignBackend(mood)
  const services = yield* ChatbotClient.layer({ baseUrl: backend.baseUrl, token: "token-canary" }).pipe(
    Layer.provide(transports[transport]),
    Layer.provide(Layer.succeed(RetryPolicy.RetryPolicy, RetryPolicy.none)),
    Layer.build
  )
  return { ...backend, client: yield* Effect.provide(ChatbotClient, services) }
})

const isContent = (value: unknown): value is BinaryContent =>
  Predicate.hasProperty(value, "stream") && Stream.isStream(value.stream)

/** What a method gave, as JSON: times are texts, and what is absent is not there. Bytes are read. */
const plain = (value: unknown): Effect.Effect<unknown, { readonly _tag: string }> => {
  if (!isContent(value)) return Effect.succeed(value === undefined ? undefined : JSON.parse(JSON.stringify(value)))
  const { stream, ...head } = value
  return Effect.map(Stream.mkString(Stream.decodeText(stream)), (text) => JSON.parse(JSON.stringify({ ...head, text })))
}

const bot = { botDisplayName: "Guide", botDisplayMessage: "Hello!", botDescription: "Knows the product." }
const metaData = { tags: ["answer"], sources: [{ id: "d-1", fileName: "a b?.md" }] }

/** What a method gives of an object: what is there in every mood, the rest where all is written, and what stands for it where it is not. */
type Write = (always: object, rest: object, otherwise?: object) => object

const write =
  (isAll: boolean): Write =>
  (always, rest, otherwise = {}) => ({ ...always, ...(isAll ? rest : otherwise) })

const page = (write: Write, item: object, pageSize = 20) =>
  write(
    { items: [item], hasPrevious: false, hasNext: false },
    { pageNumber: 1, totalPageCount: 1, pageSize, totalItemCount: 1 },
    { pageNumber: 0, totalPageCount: 0, pageSize: 0, totalItemCount: 0 }
  )

const bots = (pageSize: number) => (write: Write) =>
  page(
    write,
    write(
      { botId: "bot 1" },
      {
        code: "guide",
        displayName: "Guide",
        displayMessage: "Hello!",
        sampleQuestion1: "What is a page?",
        description: "Knows the product.",
        modelName: "gpt-4o",
        isStartBot: true,
        createdUtc: created,
        updatedUtc: accessed
      },
      { isStartBot: false }
    ),
    pageSize
  )

const createdChat = (write: Write) =>
  write(
    { chatId: "chat-1" },
    {
      botId: "bot 1",
      ...bot,
      botSampleQuestion1: "What is a page?",
      isUserSystemMessageSupported: true
    },
    { isUserSystemMessageSupported: false }
  )

const followed = { userSystemMessageId: "ü1", userSystemMessageDisplayName: "Short" }

const chats = (write: Write) =>
  page(
    write,
    write(
      { chatId: "chat/1", isFavorite: false },
      { displayName: "New chat", lastAccessedUtc: accessed, botId: "bot 1", botDisplayName: "Guide", ...followed }
    )
  )

/** What the methods give that give something. */
const values: { readonly [endpoint: string]: (write: Write, isAll: boolean) => unknown } = {
  "admin.listOpenAiServices": (write) =>
    page(write, write({ id: "s#1" }, { displayName: "Azure", isActive: true }, { isActive: false })),
  "admin.createOpenAiService": () => "service-1",
  "admin.getOpenAiService": (write) =>
    write(
      {},
      { displayName: "Azure", isActive: true, isAzureOpenAiSet: true, azureOpenAiEndpoint: "https://e" },
      { isActive: false, isAzureOpenAiSet: false }
    ),
  "bots.search": () => "bot 1",
  "bots.list": bots(20),
  "bots.listByStartBot": bots(1),
  "bots.startBots": bots(20),
  "bots.image": () => ({ contentType: "image/png", text: "png" }),
  "bots.stopAll": () => true,
  "chats.create": createdChat,
  "chats.createByBotCode": createdChat,
  "chats.complete": (write) =>
    write(
      { completionId: "completion-1" },
      {
        chatId: "chat/1",
        userMessage: "hello",
        assistantMessage: "You said: hello",
        promptTokens: 3,
        completionTokens: 2,
        totalTokens: 5,
        botId: "bot 1",
        ...bot,
        chatDisplayName: "hello",
        metaData
      },
      { promptTokens: 0, completionTokens: 0, totalTokens: 0 }
    ),
  "chats.openBot": (write) => write({}, { openChatBotId: "bot 1", isPublic: true }, { isPublic: false }),
  "chats.get": (write) =>
    write(
      {
        chatId: "chat/1",
        isFavorite: false,
        completions: [
          write(
            { completionId: "c?1" },
            { userMessage: "What is a page?", assistantMessage: "A part of a list.", createdUtc: asked, metaData }
          )
        ]
      },
      {
        displayName: "New chat",
        createdUtc: created,
        lastAccessedUtc: accessed,
        botId: "bot 1",
        ...bot,
        botSampleQuestion1: "What is a page?",
        isUserSystemMessageSupported: true,
        ...followed
      },
      { isUserSystemMessageSupported: false }
    ),
  "chats.feedback": () => "feedback-1",
  "chats.createTicket": () => "ticket-1",
  "chats.download": () => ({ contentType: "text/markdown", fileName: "a b?.md", text: "# A page" }),
  "statistics.tokenUsage": (write) =>
    page(
      write,
      write(
        {},
        {
          requestDate: "2026-01-02",
          botId: "bot 1",
          botDisplayName: "Guide",
          tokenUsageTypeId: 17,
          userCount: 1,
          requestCount: 2,
          promptTokens: 30,
          completionTokens: 12,
          totalTokens: 42
        },
        {
          tokenUsageTypeId: 0,
          userCount: 0,
          requestCount: 0,
          promptTokens: 0,
          completionTokens: 0,
          totalTokens: 0
        }
      )
    ),
  "system.status": (_, isAll) => (isAll ? "up" : ""),
  "users.current": (write) =>
    write(
      { id: 7 },
      {
        login: "ann",
        roles: ["User"],
        isTermsAccepted: false,
        isKeepChatHistory: true,
        keepChatHistoryForDays: 30,
        isKeepFavoritesForever: true
      },
      {
        roles: [],
        isTermsAccepted: false,
        isKeepChatHistory: false,
        keepChatHistoryForDays: 0,
        isKeepFavoritesForever: false
      }
    ),
  "users.chatsByBot": chats,
  "users.chatsByBotAndSystemMessage": chats,
  "users.chats": chats,
  "users.listSystemMessages": (write) => page(write, write({ userSystemMessageId: "ü1" }, { displayName: "Short" })),
  "users.createSystemMessage": () => "message-1",
  "users.getSystemMessage": (write) =>
    write({ userSystemMessageId: "ü1" }, { displayName: "Short", systemMessage: "Be brief." }),
  "users.countSystemMessages": (_, isAll) => (isAll ? 1 : 0)
}

/** A call of every method; of a list, its first page. */
const calls: { readonly [endpoint: string]: Row["call"] } = {
  ...Object.fromEntries(Object.entries(rows).map(([name, { call }]) => [name, call])),
  "admin.listOpenAiServices": ({ admin }) => admin.openAiServices.list(),
  "bots.startBots": ({ bots }) => bots.startBots(),
  "statistics.tokenUsage": ({ statistics }) => statistics.tokenUsage(),
  "users.chats": ({ users }) => users.chats()
}

/** What asks an endpoint: its method, and of a completion the one that streams, too. */
const ways = endpoints.flatMap((endpoint) => {
  const way = { ...endpoint, call: endpoint.row.call }
  const stream: Row["call"] = ({ chats }) => Stream.runDrain(chats.stream(chatId, "hello"))
  return endpoint.name === "chats.complete" ? [way, { ...way, method: "chats.stream", call: stream }] : way
})

describe("the backend of these tests", () => {
  it("has every endpoint of the contract but those that this project adds", () => {
    const routes = endpoints.filter(({ name }) => !added.has(name)).map(({ route }) => route)
    assert.deepStrictEqual(Foreign.routes(rich).toSorted(), routes.toSorted())
    assert.strictEqual(routes.length, 46)
    assert.deepStrictEqual(
      Object.keys(values).toSorted(),
      endpoints
        .filter(({ isVoid, name }) => !isVoid && name !== "cache.clear")
        .map(({ name }) => name)
        .toSorted()
    )
  })
})

describe.each<readonly [string, Foreign.Mood]>(Object.entries(moods))("a backend that %s", (_, mood) => {
  it.live.each(endpoints)("is understood by $name", ({ name }) =>
    Effect.gen(function* () {
      const { asked, client } = yield* start(mood)
      const call = Effect.flatMap(calls[name]!(client), plain)
      if (added.has(name)) {
        assert.instanceOf(yield* Effect.flip(Effect.asVoid(call)), Errors.ChatNotFound)
      } else {
        const isAll = mood.fields === "all"
        assert.deepStrictEqual(yield* call, values[name]?.(write(isAll), isAll))
      }
      assert.strictEqual(asked.length, 1)
    })
  )

  it.live.each(overTransports)("answers a stream with all of it at once, over %s", (transport) =>
    Effect.gen(function* () {
      const { asked, client } = yield* start(mood, transport)
      const events = yield* Stream.runCollect(client.chats.stream(chatId, "hello"))
      const isAll = mood.fields === "all"
      const completion = values["chats.complete"]?.(write(isAll), isAll)
      assert.deepStrictEqual(yield* plain(events), [
        // There is no text to give where the backend left it out.
        ...(isAll ? [{ _tag: "Delta", text: "You said: hello" }] : []),
        { _tag: "Completed", completion }
      ])
      assert.strictEqual(asked.length, 1)
    })
  )

  it.live.each(overTransports)("can be worked with, over %s", (transport) =>
    Effect.gen(function* () {
      const { client } = yield* start(mood, transport)
      const { bots, chats, system, users } = client
      const isAll = mood.fields === "all"

      yield* users.acceptTerms
      yield* users.update({ isKeepChatHistory: true, keepChatHistoryForDays: 9, isKeepFavoritesForever: false })
      const user = yield* users.current
      assert.strictEqual(user.isTermsAccepted, isAll)
      assert.strictEqual(user.keepChatHistoryForDays, isAll ? 9 : 0)

      const botId = yield* bots.search(BotId.make(Foreign.seed.botId), "Which bot?")
      const { chatId } = yield* chats.create(botId)
      const first = yield* chats.complete(chatId, "one")
      const second = yield* chats.complete(chatId, "two")
      assert.strictEqual(second.assistantMessage, isAll ? "You said: two" : undefined)
      yield* users.deleteCompletion(chatId, first.completionId)

      const messageId = yield* users.systemMessages.create({ displayName: "Long", systemMessage: "Go on." })
      yield* chats.setUserSystemMessage(chatId, messageId)
      yield* chats.rename(chatId, "Näme")
      yield* users.setFavorite(chatId, true)
      const chat = yield* chats.get(chatId)
      assert.deepStrictEqual(
        chat.completions.map(({ completionId }) => completionId),
        [second.completionId]
      )
      assert.strictEqual(chat.displayName, isAll ? "Näme" : undefined)
      assert.strictEqual(chat.isFavorite, isAll)
      assert.strictEqual(chat.userSystemMessageId, isAll ? messageId : undefined)
      assert.strictEqual(
        Option.getOrUndefined(Option.map(Option.fromUndefinedOr(chat.createdUtc), DateTime.formatIso)),
        isAll ? created : undefined
      )
      yield* chats.feedback(chatId, { voteId: 1, messageCreatedUtc: chat.completions[0]?.createdUtc })

      const ticket = yield* chats.createTicket(chatId)
      const file = yield* chats.download(chatId, Foreign.seed.path, { ticket })
      assert.strictEqual(yield* Stream.mkString(Stream.decodeText(file.stream)), "# A page")
      const again = yield* Effect.flip(chats.download(chatId, Foreign.seed.path, { ticket }))
      assert.instanceOf(again, Errors.Unauthorized)

      yield* chats.create(botId)
      yield* users.deleteChats({ keepFavorites: true })
      const left = yield* Stream.runCollect(users.chatItems({ pageSize: 1 }))
      assert.deepStrictEqual(
        left.map(({ chatId }) => chatId),
        [chatId]
      )
      yield* users.systemMessages.delete(messageId)
      assert.strictEqual(yield* users.systemMessages.count, isAll ? 1 : 0)
      yield* users.deleteChat(chatId)
      const error = yield* Effect.flip(chats.get(chatId))
      assert.instanceOf(error, Errors.ChatNotFound)
      assert.strictEqual(error.requestId, Foreign.traceId)

      yield* system.setStatus("down at noon")
      assert.strictEqual(yield* system.status, isAll ? "down at noon" : "")
    })
  )
})

/** What any endpoint may answer, whatever it does. */
const anywhere: { readonly [status: number]: string } = {
  401: "Unauthorized",
  429: "RateLimited",
  500: "InternalError",
  503: "Unavailable"
}

/** Of several classes of one status, the one that a backend means that says no more than the status. */
const nearest: { readonly [statusAndEndpoint: string]: string } = {
  "404 bots.image": "BotNotFound",
  "404 chats.download": "ChatNotFound",
  "404 chats.setUserSystemMessage": "ChatNotFound",
  "404 chats.stop": "ChatNotFound",
  "404 users.deleteCompletion": "ChatNotFound",
  "409 chats.complete": "ChatBusy"
}

const tagOf = ({ errors, name }: Pick<(typeof endpoints)[number], "errors" | "name">, status: number): string => {
  const declared = errors.filter((error) => error.status === status).map(({ tag }) => tag)
  const [only = "UnexpectedStatus"] = declared
  return anywhere[status] ?? (declared.length > 1 ? (nearest[`${status} ${name}`] ?? "undecided") : only)
}

const statuses = [400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 429, 500, 501, 502, 503, 504]

const canary = "body-canary"

/** The ways to say that something went wrong. */
const refusals: { readonly [kind: string]: (status: number) => Foreign.Reply } = {
  "a problem": (status) => Foreign.problem(status, { "$.userMessage": [`The value '${canary}' is not valid.`] }),
  "the page of a proxy": (status) => Foreign.html(status, canary),
  nothing: Foreign.bare
}

describe("what went wrong", () => {
  it("can be any status that an endpoint declares", () => {
    const declared = endpoints.flatMap(({ errors }) => errors.map(({ status }) => status))
    assert.includeMembers(statuses, [...new Set(declared)])
    for (const endpoint of endpoints)
      for (const status of statuses) assert.notStrictEqual(tagOf(endpoint, status), "undecided")
  })

  it.live.each(ways)("is told by its status, and kept, for $method", ({ call, ...endpoint }) =>
    Effect.gen(function* () {
      const { answerInstead, asked, client } = yield* start(rich)
      for (const [kind, refusal] of Object.entries(refusals)) {
        for (const status of statuses) {
          const reply = refusal(status)
          answerInstead(() => reply)
          const error = yield* Effect.flip(Effect.asVoid(call(client)))
          const what = `${status} with ${kind}`
          assert.strictEqual(error._tag, tagOf(endpoint, status), what)
          if (error._tag === "UnexpectedStatus") assert.propertyVal(error, "status", status)
          const { body, requestId } = error as Errors.InternalError
          assert.strictEqual(body === undefined ? undefined : Redacted.value(body), reply.body ?? "", what)
          assert.strictEqual(requestId, kind === "a problem" ? Foreign.traceId : undefined, what)
          assert.notInclude(inspect(error, { depth: 20, showHidden: true }), canary, what)
        }
      }
      assert.strictEqual(asked.length, statuses.length * Object.keys(refusals).length)
    })
  )
})

describe("a proxy", () => {
  // A file that is downloaded may be a page.
  it.live.each(ways.filter(({ name }) => name !== "chats.download"))(
    "that shows a page of its own with the status of a success is no success, for $method",
    ({ call }) =>
      Effect.gen(function* () {
        const { answerInstead, client } = yield* start(rich)
        answerInstead(() => Foreign.html(200, canary))
        const error = yield* Effect.flip(Effect.asVoid(call(client)))
        assert.instanceOf(error, Errors.InvalidResponse)
        assert.notInclude(inspect(error, { depth: 20, showHidden: true }), canary)
      })
  )
})

describe("a backend that knows no keys", () => {
  it.live.each(overTransports)("is not asked again for what it may have done, over %s", (transport) =>
    Effect.gen(function* () {
      const { answerInstead, asked, client } = yield* start(rich, transport)
      const standard = Effect.provideService(RetryPolicy.RetryPolicy, RetryPolicy.standard)
      yield* client.users.current
      yield* client.chats.createByBotCode("guide")
      answerInstead(() => "lost")
      const before = asked.length
      const error = yield* Effect.flip(client.chats.createByBotCode("guide").pipe(standard))
      assert.instanceOf(error, Errors.TransportFailed)
      assert.strictEqual(Option.getOrThrow(CallStory.of(error)).ended, "uncertain")
      const ofStream = yield* Effect.flip(Stream.runDrain(client.chats.stream(chatId, "hello")).pipe(standard))
      assert.instanceOf(ofStream, Errors.TransportFailed)
      assert.strictEqual(Option.getOrThrow(CallStory.of(ofStream)).ended, "uncertain")
      assert.strictEqual(asked.length, before + 2)
      // Both were done.
      answerInstead(undefined)
      assert.strictEqual((yield* client.users.chats()).totalItemCount, 3)
      assert.strictEqual((yield* client.chats.get(chatId)).completions.length, 2)
    })
  )
})
