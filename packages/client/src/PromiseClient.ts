/**
 * The client for programs that are not Effect programs: the same methods as promises, async iterables and web streams. It is imported as
 * `@effect-chatbot/client/promise`.
 *
 * ```ts
 * await using client = createChatbotClient({ baseUrl: "http://127.0.0.1:8080", token })
 * const { chatId } = await client.chats.createByBotCode("client")
 * for await (const text of client.chats.stream(chatId, "How do I page?").text()) process.stdout.write(text)
 * ```
 *
 * A promise rejects with the error itself that the Effect fails with, an instance of a class of `@effect-chatbot/schema/Errors`: it has its
 * `_tag` and its fields, `CallStory.of` knows its story and `Predicates` its kind. {@link Rejections} are their types.
 */
import type {
  UpdateAcsConfiguration,
  UpdateAzureOpenAiSearchConfiguration
} from "@effect-chatbot/schema/AzureConfiguration"
import type { Feedback } from "@effect-chatbot/schema/Chat"
import type { BotId, ChatId, OpenAiServiceId } from "@effect-chatbot/schema/Ids"
import type { CreateOpenAiService, UpdateOpenAiService } from "@effect-chatbot/schema/OpenAiService"
import type { Brand } from "effect/Brand"
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import type { BinaryContent } from "./BinaryContent.ts"
import { ChatbotClient } from "./ChatbotClient.ts"
import type { Question } from "./Chats.ts"
import { ClientConfig, type ClientOptions } from "./ClientConfig.ts"
import * as Completion from "./Completion.ts"
import * as IdempotencyKeys from "./IdempotencyKeys.ts"
import { makeRunner, type Runner } from "./internal/runner.ts"
import * as RetryPolicy from "./RetryPolicy.ts"
import * as Timeouts from "./Timeouts.ts"
import * as Transport from "./Transport.ts"

/** The policies that most programs change. What is left out stays as it is. */
export interface PolicyOptions {
  /** Limits of time, as `{ attempt: "5 seconds" }`; a number is milliseconds. */
  readonly timeouts?: Partial<Timeouts.Timeouts> | undefined
  /** When a failed attempt is made again, as `{ attempts: 1 }`. */
  readonly retry?: Partial<RetryPolicy.RetryPolicy> | undefined
}

/** What every method takes as its last argument. */
export interface CallOptions extends PolicyOptions {
  /**
   * Ends the call and closes its connection when it is aborted; what was asked for may be done all the same. The promise, or the next item,
   * rejects with the reason of the signal. An aborted one lets nothing be sent.
   */
  readonly signal?: AbortSignal | undefined
  /** The key of a call that creates or asks something, for a program that repeats it beyond its own end. See `IdempotencyKeys`. */
  readonly idempotencyKey?: string | undefined
}

/** Where the backend is, who calls, and how. */
export interface PromiseClientOptions extends ClientOptions, PolicyOptions {
  /** How requests travel: by `fetch` unless it is something else, as `NodeTransport.layer`. */
  readonly transport?: Layer.Layer<HttpClient.HttpClient, Config.ConfigError> | undefined
  /** What else the calls are made with, as `CircuitBreaker.layer()` or `Telemetry.layer()`. */
  readonly layer?: Layer.Layer<never> | undefined
}

/** An image or a file. */
export interface PromiseContent extends Omit<BinaryContent, "stream"> {
  /**
   * The bytes; `new Response(stream)` collects them. They can be read once, and want to be read or cancelled: the connection is open until
   * then, or until the attempt limit of `Timeouts`. The signal of the call ends them too, from when they are read.
   */
  readonly stream: ReadableStream<Uint8Array>
}

/**
 * The events of an answer, as they are made. The question is asked when the first one is wanted.
 *
 * There are several ways to read an answer, and each can be taken once: another one would ask the question again, so it rejects with a
 * `TypeError`. To leave it before its end leaves the answer to be finished, unless `onInterrupt` is `stop`.
 */
export interface CompletionStream extends AsyncIterable<Completion.Event> {
  /** The text, piece by piece as it comes. */
  readonly text: () => AsyncIterable<string>
  /** The answer as far as it has come, after every event: for what shows it while it grows. */
  readonly answers: () => AsyncIterable<Completion.Answer>
  /** The answer, when it has ended. */
  readonly collect: () => Promise<Completion.Answer>
  /**
   * The text as bytes of UTF-8, as in `new Response(await answer.body())`. It resolves when the answer begins to come, and rejects with what
   * kept it from that, so that a status can still be chosen. A failure after that breaks the stream off. To cancel it leaves the answer.
   */
  readonly body: () => Promise<ReadableStream<Uint8Array>>
}

/** What a program without Effect has instead of a value: a text for an id or a secret, a `Date` for a time. The value itself will do too. */
export type Plain<T> =
  T extends Redacted.Redacted<infer A>
    ? A | T
    : T extends DateTime.Utc
      ? Date | T
      : T extends string & Brand<string>
        ? string
        : T extends object
          ? PlainFields<T>
          : T

/** The fields of an object, plain; where that makes no difference, the object itself, which has a name. */
type PlainFields<T> = { [K in keyof T]: Plain<T[K]> } extends infer Fields ? (Fields extends T ? T : Fields) : never

type PlainArgs<Args extends ReadonlyArray<unknown>> = { [K in keyof Args]: Plain<Args[K]> }

/** What a method is called with. */
type Given<Args extends ReadonlyArray<unknown>> = [...PlainArgs<Args>, options?: CallOptions | undefined]

/** The method that stands for one of a service, or for an Effect without arguments. */
export type PromiseOf<T> = T extends (...args: infer Args) => Effect.Effect<infer A, unknown>
  ? (...args: Given<Args>) => Promise<A extends BinaryContent ? PromiseContent : A>
  : T extends (...args: infer Args) => Stream.Stream<infer A, unknown>
    ? (...args: Given<Args>) => AsyncIterable<A>
    : T extends Effect.Effect<infer A, unknown>
      ? (options?: CallOptions | undefined) => Promise<A>
      : Promises<T>

/** The methods whose options are those of a call as well. */
interface WithOptions {
  readonly stream: (
    chatId: string,
    question: string | Question,
    options?: (Completion.StreamOptions & CallOptions) | undefined
  ) => CompletionStream
  readonly download: (
    chatId: string,
    path: string,
    options?: ({ readonly ticket?: string | undefined } & CallOptions) | undefined
  ) => Promise<PromiseContent>
}

/** The methods that stand for those of services. */
export type Promises<T> = { readonly [K in keyof T]: K extends keyof WithOptions ? WithOptions[K] : PromiseOf<T[K]> }

type Client = ChatbotClient["Service"]

type RejectionOf<T> = T extends (...args: never) => Effect.Effect<unknown, infer E> | Stream.Stream<unknown, infer E>
  ? E
  : T extends Effect.Effect<unknown, infer E>
    ? E
    : { readonly [K in keyof T]: RejectionOf<T[K]> }

/**
 * What each method can reject with, as `Rejections["chats"]["get"]`. Beside it a promise rejects with the reason of its signal, with an
 * `AbortError` where the client is closed, and with the `ConfigError` of a transport whose options are wrong.
 */
export type Rejections = RejectionOf<Client>

/**
 * The client. A method takes what that of the service of the same name takes, as plain values, and after that {@link CallOptions}: as in
 * `bots.list({ pageSize: 50 }, { signal })`. What has options of its own takes both as one object.
 *
 * An id may be any text; one that cannot be an id is an `InvalidRequest`. What is answered are the models of `@effect-chatbot/schema`: a time
 * is a `DateTime`, `new Date(chat.createdUtc.epochMilliseconds)`.
 *
 * A stream of items asks for a page when its items are wanted, anew in each loop. Left by `break`, `return` or `throw`, it is closed.
 */
export interface PromiseClient extends Promises<Client> {
  /** Interrupts what still runs, and closes all connections. What is called after that rejects. */
  readonly close: () => Promise<void>
  /** As {@link close}, for `await using`. */
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

const defined = <A extends object>(options: A): A =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as A

/** The policies that options change, from those that are in force. */
const changed = (
  context: Context.Context<never>,
  { idempotencyKey: key, retry, timeouts }: CallOptions
): Context.Context<never> => {
  const change = <A extends object>(reference: Context.Reference<A>, options: Partial<A> | undefined) =>
    options === undefined
      ? Context.empty()
      : Context.make(reference, { ...Context.get(context, reference), ...defined(options) })
  return Context.mergeAll(
    change(Timeouts.Timeouts, timeouts),
    change(RetryPolicy.RetryPolicy, retry),
    change(IdempotencyKeys.IdempotencyKeys, key === undefined ? undefined : { key })
  )
}

type Secret = string | Redacted.Redacted | undefined

const secretOf = (secret: Secret): Redacted.Redacted | undefined =>
  typeof secret === "string" ? Redacted.make(secret) : secret

const withSecret = <A extends { readonly azureOpenAiApiKey?: Secret }>({ azureOpenAiApiKey, ...rest }: A) => ({
  ...rest,
  azureOpenAiApiKey: secretOf(azureOpenAiApiKey)
})

const withSecrets = <
  A extends { readonly blobClientConnectionString?: Secret; readonly searchClientCredential?: Secret }
>({
  blobClientConnectionString,
  searchClientCredential,
  ...rest
}: A) => ({
  ...rest,
  blobClientConnectionString: secretOf(blobClientConnectionString),
  searchClientCredential: secretOf(searchClientCredential)
})

const makePromises = ({ iterate, run }: Runner<ChatbotClient>): Promises<Client> => {
  const iterable = <A, E>(
    stream: Stream.Stream<A, E, ChatbotClient>,
    signal: AbortSignal | undefined
  ): AsyncIterable<A> => ({ [Symbol.asyncIterator]: () => iterate(stream, signal) })

  /** What was read already comes first. */
  const readable = (
    bytes: AsyncIterator<Uint8Array, void>,
    read?: IteratorResult<Uint8Array, void>
  ): ReadableStream<Uint8Array> => {
    let next = read
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const { done, value } = next ?? (await bytes.next())
          next = undefined
          if (done === true) controller.close()
          else controller.enqueue(value)
        },
        cancel: async () => {
          // Bytes that nobody began to read are begun, for only then can they be left.
          bytes.next().catch(() => {})
          await bytes.return?.()
        }
      },
      { highWaterMark: 0 }
    )
  }

  type Select<Args extends ReadonlyArray<unknown>, A> = (client: Client) => (...args: Args) => A
  type Arity<Args extends ReadonlyArray<unknown>> = Required<Args>["length"]

  /** What a method is called with, apart. Ids are texts here, and checked by the call itself. */
  const split = <Args extends ReadonlyArray<unknown>>(given: Given<Args>, arity: Arity<Args>) => ({
    args: given.slice(0, arity) as ReadonlyArray<unknown> as Args,
    options: (given[arity] ?? {}) as CallOptions
  })

  const call =
    <Args extends ReadonlyArray<unknown>, A, E>(arity: Arity<Args>, select: Select<Args, Effect.Effect<A, E>>) =>
    (...given: Given<Args>): Promise<A> => {
      const { args, options } = split<Args>(given, arity)
      return run(
        Effect.contextWith((context: Context.Context<ChatbotClient>) =>
          Effect.provideContext(select(Context.get(context, ChatbotClient))(...args), changed(context, options))
        ),
        options.signal
      )
    }

  const streamOf = <A, E>(select: (client: Client) => Stream.Stream<A, E>, options: CallOptions) =>
    Stream.unwrap(
      Effect.map(Effect.context<ChatbotClient>(), (context) =>
        Stream.provideContext(select(Context.get(context, ChatbotClient)), changed(context, options))
      )
    )

  const items =
    <Args extends ReadonlyArray<unknown>, A, E>(arity: Arity<Args>, select: Select<Args, Stream.Stream<A, E>>) =>
    (...given: Given<Args>): AsyncIterable<A> => {
      const { args, options } = split<Args>(given, arity)
      return iterable(
        streamOf((client) => select(client)(...args), options),
        options.signal
      )
    }

  const content =
    <Args extends ReadonlyArray<unknown>, E>(
      arity: Arity<Args>,
      select: Select<Args, Effect.Effect<BinaryContent, E>>
    ) =>
    async (...given: Given<Args>): Promise<PromiseContent> => {
      const { stream, ...head } = await call(arity, select)(...given)
      return { ...head, stream: readable(iterate(stream, split<Args>(given, arity).options.signal)) }
    }

  const completion = <E>(
    stream: Stream.Stream<Completion.Event, E, ChatbotClient>,
    signal: AbortSignal | undefined
  ): CompletionStream => {
    let isRead = false
    const once = Stream.suspend(() => {
      if (isRead) return Stream.die(new TypeError("An answer can be read once. Ask the question again for another."))
      isRead = true
      return stream
    })
    return {
      ...iterable(once, signal),
      text: () => iterable(Completion.text(once), signal),
      answers: () => iterable(Completion.answers(once), signal),
      collect: () => run(Completion.collect(once), signal),
      body: async () => {
        const bytes = iterate(Stream.encodeText(Completion.text(once)), signal)
        return readable(bytes, await bytes.next())
      }
    }
  }

  const download = content(3, ({ chats }) => chats.download)

  return {
    admin: {
      openAiServices: {
        list: call(1, ({ admin }) => admin.openAiServices.list),
        items: items(1, ({ admin }) => admin.openAiServices.items),
        create: call(
          1,
          ({ admin }) =>
            (service: Plain<CreateOpenAiService>) =>
              admin.openAiServices.create(withSecret(service))
        ),
        get: call(1, ({ admin }) => admin.openAiServices.get),
        update: call(
          2,
          ({ admin }) =>
            (openAiServiceId: OpenAiServiceId, service: Plain<UpdateOpenAiService>) =>
              admin.openAiServices.update(openAiServiceId, withSecret(service))
        ),
        delete: call(1, ({ admin }) => admin.openAiServices.delete)
      }
    },
    adminBots: {
      list: call(1, ({ adminBots }) => adminBots.list),
      items: items(1, ({ adminBots }) => adminBots.items),
      create: call(1, ({ adminBots }) => adminBots.create),
      get: call(1, ({ adminBots }) => adminBots.get),
      update: call(2, ({ adminBots }) => adminBots.update),
      delete: call(1, ({ adminBots }) => adminBots.delete),
      startBots: call(1, ({ adminBots }) => adminBots.startBots),
      startBotItems: items(1, ({ adminBots }) => adminBots.startBotItems),
      implementationTypes: call(
        0,
        ({ adminBots }) =>
          () =>
            adminBots.implementationTypes
      ),
      setStopped: call(1, ({ adminBots }) => adminBots.setStopped),
      facts: {
        list: call(2, ({ adminBots }) => adminBots.facts.list),
        items: items(2, ({ adminBots }) => adminBots.facts.items),
        create: call(2, ({ adminBots }) => adminBots.facts.create),
        update: call(3, ({ adminBots }) => adminBots.facts.update),
        delete: call(2, ({ adminBots }) => adminBots.facts.delete)
      },
      links: {
        list: call(2, ({ adminBots }) => adminBots.links.list),
        items: items(2, ({ adminBots }) => adminBots.links.items),
        unassigned: call(2, ({ adminBots }) => adminBots.links.unassigned),
        unassignedItems: items(2, ({ adminBots }) => adminBots.links.unassignedItems),
        create: call(3, ({ adminBots }) => adminBots.links.create),
        update: call(3, ({ adminBots }) => adminBots.links.update),
        delete: call(2, ({ adminBots }) => adminBots.links.delete)
      },
      feedback: {
        list: call(2, ({ adminBots }) => adminBots.feedback.list),
        items: items(2, ({ adminBots }) => adminBots.feedback.items),
        update: call(3, ({ adminBots }) => adminBots.feedback.update)
      },
      acsConfiguration: {
        get: call(1, ({ adminBots }) => adminBots.acsConfiguration.get),
        update: call(
          2,
          ({ adminBots }) =>
            (botId: BotId, configuration: Plain<UpdateAcsConfiguration>) =>
              adminBots.acsConfiguration.update(botId, withSecrets(configuration))
        )
      },
      searchConfiguration: {
        get: call(1, ({ adminBots }) => adminBots.searchConfiguration.get),
        update: call(
          2,
          ({ adminBots }) =>
            (botId: BotId, configuration: Plain<UpdateAzureOpenAiSearchConfiguration>) =>
              adminBots.searchConfiguration.update(botId, withSecrets(configuration))
        )
      },
      configuration: {
        get: call(1, ({ adminBots }) => adminBots.configuration.get),
        update: call(2, ({ adminBots }) => adminBots.configuration.update)
      }
    },
    bots: {
      list: call(1, ({ bots }) => bots.list),
      items: items(1, ({ bots }) => bots.items),
      listByStartBot: call(2, ({ bots }) => bots.listByStartBot),
      itemsByStartBot: items(2, ({ bots }) => bots.itemsByStartBot),
      startBots: call(1, ({ bots }) => bots.startBots),
      startBotItems: items(1, ({ bots }) => bots.startBotItems),
      image: content(1, ({ bots }) => bots.image),
      search: call(2, ({ bots }) => bots.search),
      stopAll: call(
        0,
        ({ bots }) =>
          () =>
            bots.stopAll
      )
    },
    cache: {
      clear: call(
        0,
        ({ cache }) =>
          () =>
            cache.clear
      )
    },
    chats: {
      create: call(1, ({ chats }) => chats.create),
      createByBotCode: call(1, ({ chats }) => chats.createByBotCode),
      complete: call(2, ({ chats }) => chats.complete),
      stream: (chatId, question, options = {}) =>
        completion(
          streamOf(({ chats }) => chats.stream(chatId as ChatId, question, options), options),
          options.signal
        ),
      stop: call(2, ({ chats }) => chats.stop),
      openBot: call(
        0,
        ({ chats }) =>
          () =>
            chats.openBot
      ),
      get: call(1, ({ chats }) => chats.get),
      delete: call(1, ({ chats }) => chats.delete),
      feedback: call(
        2,
        ({ chats }) =>
          (chatId: ChatId, { messageCreatedUtc: at, ...feedback }: Plain<Omit<Feedback, "chatId">>) =>
            chats.feedback(chatId, {
              ...feedback,
              messageCreatedUtc: at instanceof Date ? DateTime.fromDateUnsafe(at) : at
            })
      ),
      rename: call(2, ({ chats }) => chats.rename),
      setUserSystemMessage: call(2, ({ chats }) => chats.setUserSystemMessage),
      removeUserSystemMessage: call(1, ({ chats }) => chats.removeUserSystemMessage),
      createTicket: call(1, ({ chats }) => chats.createTicket),
      download: (chatId, path, options) => download(chatId, path, options, options)
    },
    statistics: {
      recompute: call(
        0,
        ({ statistics }) =>
          () =>
            statistics.recompute
      ),
      tokenUsage: call(1, ({ statistics }) => statistics.tokenUsage),
      tokenUsageItems: items(1, ({ statistics }) => statistics.tokenUsageItems)
    },
    system: {
      status: call(
        0,
        ({ system }) =>
          () =>
            system.status
      ),
      setStatus: call(1, ({ system }) => system.setStatus)
    },
    users: {
      current: call(
        0,
        ({ users }) =>
          () =>
            users.current
      ),
      update: call(1, ({ users }) => users.update),
      acceptTerms: call(
        0,
        ({ users }) =>
          () =>
            users.acceptTerms
      ),
      deleteChats: call(1, ({ users }) => users.deleteChats),
      deleteChat: call(1, ({ users }) => users.deleteChat),
      deleteCompletion: call(2, ({ users }) => users.deleteCompletion),
      deleteChatsByBot: call(2, ({ users }) => users.deleteChatsByBot),
      deleteChatsByBotAndSystemMessage: call(3, ({ users }) => users.deleteChatsByBotAndSystemMessage),
      chats: call(1, ({ users }) => users.chats),
      chatItems: items(1, ({ users }) => users.chatItems),
      chatsByBot: call(2, ({ users }) => users.chatsByBot),
      chatItemsByBot: items(2, ({ users }) => users.chatItemsByBot),
      chatsByBotAndSystemMessage: call(3, ({ users }) => users.chatsByBotAndSystemMessage),
      chatItemsByBotAndSystemMessage: items(3, ({ users }) => users.chatItemsByBotAndSystemMessage),
      setFavorite: call(2, ({ users }) => users.setFavorite),
      systemMessages: {
        list: call(1, ({ users }) => users.systemMessages.list),
        items: items(1, ({ users }) => users.systemMessages.items),
        create: call(1, ({ users }) => users.systemMessages.create),
        get: call(1, ({ users }) => users.systemMessages.get),
        update: call(2, ({ users }) => users.systemMessages.update),
        delete: call(1, ({ users }) => users.systemMessages.delete),
        count: call(
          0,
          ({ users }) =>
            () =>
              users.systemMessages.count
        )
      }
    }
  }
}

/**
 * The client of the backend at `baseUrl`. It begins with its first call, and is open until it is closed. Throws a `ConfigError` that names
 * what is wrong with `baseUrl` or `token`, without its value.
 */
export const createChatbotClient = (options: PromiseClientOptions): PromiseClient => {
  const { layer = Layer.empty, transport = Transport.layer } = options
  const config = Effect.runSync(Effect.scoped(Layer.build(ClientConfig.layer(options))))
  const policies = Layer.provideMerge(
    Layer.effectContext(Effect.map(Effect.context(), (context) => changed(context, options))),
    layer
  )
  const runner = makeRunner(
    ChatbotClient.layerNoConfig.pipe(
      Layer.provide(Layer.succeedContext(config)),
      Layer.provideMerge(policies),
      Layer.provide(transport)
    )
  )
  return { ...makePromises(runner), close: runner.close, [Symbol.asyncDispose]: runner.close }
}
