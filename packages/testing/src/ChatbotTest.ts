/**
 * The client against the real backend, in memory: real routes, encoding and rules on a database in memory, with no port and no process. What
 * the model answers is scripted, and all of it keeps to the clock of the test.
 *
 * ```ts
 * const backend = ChatbotTest.layer({
 *   bots: { support: { facts: ["We take cards."] } },
 *   answers: ["Yes, we take cards."]
 * })
 *
 * it.effect("asks", () => ask("Do you take cards?").pipe(Effect.provide(backend)))
 * ```
 *
 * See {@link mock} for a client without a backend.
 */
import { ChatbotClient, type Groups } from "@effect-chatbot/client/ChatbotClient"
import * as RetryPolicy from "@effect-chatbot/client/RetryPolicy"
import type { BotId, ChatId } from "@effect-chatbot/schema/Ids"
import { Drain } from "@effect-chatbot/server/Drain"
import { Health } from "@effect-chatbot/server/Health"
import { ServerOptions } from "@effect-chatbot/server/ServerOptions"
import * as Services from "@effect-chatbot/server/Services"
import * as Migrations from "@effect-chatbot/server/sql/Migrations"
import * as NodeSqlite from "@effect-chatbot/server/sql/NodeSqlite"
import { adminLogin, Tokens } from "@effect-chatbot/server/Tokens"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import { seedBots } from "./internal/bots.ts"
import * as InMemory from "./internal/inMemory.ts"
import * as Provider from "./internal/provider.ts"
import { secretBox } from "./internal/secretBox.ts"
import type { Answers, Asked } from "./Model.ts"
import type { Seed, UserSeed } from "./Seed.ts"

export { calls, mock, type Mocked, type RecordedCall, Recorded } from "./Mock.ts"

/** What is in the backend, what its model answers, and who calls. */
export interface Options extends Seed {
  /** What the model answers; without it, what the bots know of the question, as the embedded provider finds it. */
  readonly answers?: Answers | undefined
  /** The login of the user that the client of the layer calls as; `user` by default. */
  readonly as?: string | undefined
  /** Whether terms must be accepted before the first chat. Default `false`. */
  readonly requireTerms?: boolean | undefined
  /** The origins whose pages may call from a browser, as in `CHATBOT_CORS_ORIGINS`. Default none. */
  readonly corsOrigins?: ReadonlyArray<string> | undefined
}

/** The backend of a test. */
export class Backend extends Context.Service<
  Backend,
  {
    /** A client that calls as the user of this login, who is made if need be. `admin` is an admin. */
    readonly as: (login: string) => Effect.Effect<ChatbotClient["Service"], never, Scope.Scope>
    /** A client without a token. */
    readonly anonymous: Effect.Effect<ChatbotClient["Service"], never, Scope.Scope>
    /** The transport to the backend and where it is, for a client of one's own; see {@link through}. */
    readonly http: HttpClient.HttpClient
    readonly baseUrl: string
    readonly tokenOf: (login: string) => Effect.Effect<Redacted.Redacted>
    /** The id of the bot of this code; there being none is a mistake of the test. */
    readonly botId: (code: string) => Effect.Effect<BotId>
    /** The id of the chat of this name in the seed. */
    readonly chatId: (name: string) => Effect.Effect<ChatId>
    /** Lets the model answer so from now on. */
    readonly answer: (answers: Answers) => Effect.Effect<void>
    /** What the model was asked so far, the first question first. */
    readonly asked: Effect.Effect<ReadonlyArray<Asked>>
  }
>()("@effect-chatbot/testing/ChatbotTest/Backend") {}

const baseUrl = "http://chatbot.test"

const rolesOf = (login: string, seed: UserSeed | undefined) =>
  seed?.roles ?? (login === adminLogin ? (["Admin", "User"] as const) : (["User"] as const))

const servicesOf = (model: Provider.Model, { requireTerms = false }: Options) =>
  Layer.merge(Services.layer, Health.layer).pipe(
    Layer.provideMerge(Drain.layer),
    Layer.provide(Provider.layer(model)),
    Layer.provide([Provider.tokenizer, secretBox]),
    // What a test has left is not waited for: it may never end, and its clock stands still.
    Layer.provide(Layer.succeed(ServerOptions, { requireTerms, shutdownGrace: Duration.zero })),
    Layer.provide(Migrations.layer),
    Layer.provideMerge(NodeSqlite.layer({ filename: ":memory:" }))
  )

const botsWithCode = (code: string) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql<{ id: BotId }>`SELECT id FROM bots WHERE code = ${code} AND deleted_utc IS NULL`
  ).pipe(Effect.orDie)

const missing = (what: string, name: string, known: Iterable<string>) =>
  Effect.die(new Error(`There is no ${what} "${name}" in the seed. There is: ${[...known].join(", ") || "none"}`))

const make = Effect.fnUntraced(function* (options: Options) {
  const model = Provider.makeModel(options.answers)
  // A layer is built once in a program and then shared: two backends would be one.
  const services = yield* Layer.buildWithMemoMap(
    servicesOf(model, options),
    Layer.makeMemoMapUnsafe(),
    yield* Effect.scope
  ).pipe(Effect.orDie)
  const http = yield* Effect.provide(InMemory.transport(Provider.check(model), options.corsOrigins), services)
  const tokens = Context.get(services, Tokens)
  const { as: self = "user", bots = {}, chats = {}, users = {} } = options

  const tokenOf = (login: string) =>
    Effect.map(tokens.create({ login, roles: rolesOf(login, users[login]), name: "test" }), ({ token }) => token)

  const layerAs = (token: Redacted.Redacted | undefined) =>
    ChatbotClient.layer({ baseUrl, token }).pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, http)), Layer.orDie)

  const clientOf = (token: Redacted.Redacted | undefined) =>
    Effect.map(Layer.build(layerAs(token)), Context.get(ChatbotClient))

  yield* Effect.provide(seedBots(bots), services)

  const seedUsers = Effect.forEach(Object.entries(users), ([login, { isTermsAccepted, systemMessages = {} }]) =>
    Effect.gen(function* () {
      const client = yield* clientOf(yield* tokenOf(login))
      if (isTermsAccepted === true) yield* client.users.acceptTerms
      for (const [displayName, systemMessage] of Object.entries(systemMessages)) {
        yield* client.users.systemMessages.create({ displayName, systemMessage })
      }
    })
  )

  const chatIds = new Map<string, ChatId>()
  const seedChats = Effect.forEach(Object.entries(chats), ([name, { bot, displayName, isFavorite, questions, user }]) =>
    Effect.gen(function* () {
      if (!Object.hasOwn(bots, bot)) return yield* missing("bot", bot, Object.keys(bots))
      const client = yield* clientOf(yield* tokenOf(user ?? self))
      const { chatId } = yield* client.chats.createByBotCode(bot)
      chatIds.set(name, chatId)
      if (displayName !== undefined) yield* client.chats.rename(chatId, displayName)
      if (isFavorite !== undefined) yield* client.users.setFavorite(chatId, isFavorite)
      for (const question of questions ?? []) yield* client.chats.complete(chatId, question)
    })
  )
  yield* Effect.andThen(seedUsers, seedChats).pipe(
    // As long as the layer is built, nobody moves the clock.
    Effect.provideService(RetryPolicy.RetryPolicy, RetryPolicy.none),
    Effect.scoped,
    Effect.orDie
  )

  const backend = Backend.of({
    as: (login) => Effect.flatMap(tokenOf(login), clientOf),
    anonymous: clientOf(undefined),
    http,
    baseUrl,
    tokenOf,
    botId: (code) =>
      botsWithCode(code).pipe(
        Effect.provide(services),
        Effect.flatMap(([bot]) =>
          bot === undefined ? missing("bot", code, Object.keys(bots)) : Effect.succeed(bot.id)
        )
      ),
    chatId: (name) => {
      const chatId = chatIds.get(name)
      return chatId === undefined ? missing("chat", name, chatIds.keys()) : Effect.succeed(chatId)
    },
    answer: (answers) =>
      Effect.sync(() => {
        model.answers = answers
        model.given = 0
      }),
    asked: Effect.sync(() => [...model.asked])
  })
  return Layer.merge(layerAs(yield* tokenOf(self)), Layer.succeed(Backend, backend))
})

/**
 * The client and the services of its groups, as in `ChatbotClient.layer`, against a backend of its own, and that {@link Backend} itself. What
 * is wrong with the seed is a defect. Policies that are provided to it are those of its calls; a failure that is worth another attempt comes
 * out after the waits between them, by the clock of the test, or at once with `RetryPolicy.none`.
 */
export const layer = (options: Options = {}): Layer.Layer<ChatbotClient | Groups | Backend> =>
  Layer.unwrap(make(options))

/**
 * The client of a user, by default of `user`, over a transport that is put between it and the {@link Backend}, as one with faults or one that
 * records. It stands in the place of the client of {@link layer}.
 *
 * ```ts
 * const flaky = ChatbotTest.through(Faults.layer({ rules })).pipe(Layer.provideMerge(backend))
 * ```
 */
export const through = <A, E, R>(
  transport: Layer.Layer<A | HttpClient.HttpClient, E, R | HttpClient.HttpClient>,
  login = "user"
): Layer.Layer<ChatbotClient | Groups | A | HttpClient.HttpClient, E, Backend | Exclude<R, HttpClient.HttpClient>> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { baseUrl, http, tokenOf } = yield* Backend
      return ChatbotClient.layer({ baseUrl, token: yield* tokenOf(login) }).pipe(
        Layer.orDie,
        Layer.provideMerge(transport),
        Layer.provide(Layer.succeed(HttpClient.HttpClient, http))
      )
    })
  )

/** Serves a backend on the server provided, and tells where. */
const served = Layer.effect(
  Backend,
  Effect.gen(function* () {
    const backend = yield* Backend
    const { address, serve } = yield* HttpServer.HttpServer
    yield* serve(
      Effect.gen(function* () {
        const request = yield* HttpServerRequest.HttpServerRequest
        const url = new URL(request.url, backend.baseUrl)
        const passed = HttpClientRequest.setUrl(HttpServerRequest.toClientRequest(request), url)
        return HttpServerResponse.fromClientResponse(yield* backend.http.execute(passed))
      })
    )
    return { ...backend, baseUrl: HttpServer.formatAddress(address) }
  })
)

/**
 * As {@link layer}, and on the `HttpServer` provided as well, for browsers, workers and programs of other processes: `baseUrl` of the
 * {@link Backend} is where. What comes over sockets keeps to the clock of the machine, so give the test that one (`it.live`, or
 * `excludeTestServices`).
 */
export const layerServed = (
  options: Options = {}
): Layer.Layer<ChatbotClient | Groups | Backend, never, HttpServer.HttpServer> =>
  Layer.provideMerge(served, layer(options))
