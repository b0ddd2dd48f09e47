/**
 * A client without a backend: of each method that a test needs it has what the test says, and any other call fails the test.
 */
import { ChatbotClient, type Groups } from "@effect-chatbot/client/ChatbotClient"
import { Admin } from "@effect-chatbot/client/Admin"
import { AdminBots } from "@effect-chatbot/client/AdminBots"
import { Bots } from "@effect-chatbot/client/Bots"
import { Cache } from "@effect-chatbot/client/Cache"
import { Chats } from "@effect-chatbot/client/Chats"
import { Statistics } from "@effect-chatbot/client/Statistics"
import { System } from "@effect-chatbot/client/System"
import { Users } from "@effect-chatbot/client/Users"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpClient from "effect/http/HttpClient"
import * as Inspectable from "effect/Inspectable"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"

type Client = ChatbotClient["Service"]

type Method = Effect.Effect<unknown, unknown> | ((...args: never) => unknown)

/** The methods of a client, as far as a test needs them. */
export type Mocked<T = Client> = {
  readonly [K in keyof T]?: (T[K] extends Method ? T[K] : Mocked<T[K]>) | undefined
}

/** A call of a mocked client. */
export interface RecordedCall {
  /** As a program writes it: `chats.complete`, `users.systemMessages.list`. */
  readonly name: string
  /** What it was called with; nothing for what takes no argument. */
  readonly arguments: ReadonlyArray<unknown>
}

/** What was called of a mocked client. */
export class Recorded extends Context.Service<
  Recorded,
  {
    /** The calls that were run, the first one first; one that was mocked and one that was not. */
    readonly calls: Effect.Effect<ReadonlyArray<RecordedCall>>
  }
>()("@effect-chatbot/testing/Mock/Recorded") {}

/** The calls of the mocked client that were run, the first one first. Those of one method, by its name. */
export const calls = (name?: string): Effect.Effect<ReadonlyArray<RecordedCall>, never, Recorded> =>
  Effect.map(
    Effect.flatMap(Recorded, ({ calls }) => calls),
    (all) => (name === undefined ? all : all.filter((call) => call.name === name))
  )

const notMocked = ({ arguments: args, name }: RecordedCall) => {
  const said = args.map((arg) => (typeof arg === "string" ? JSON.stringify(arg) : Inspectable.toStringUnknown(arg, 0)))
  return new Error(
    `${name}(${said.join(", ")}) was called, and the mock has no such method. Give it one: ChatbotTest.mock({ ${name
      .split(".")
      .toReversed()
      .reduce((inner, part) => (inner === "" ? `${part}: …` : `${part}: { ${inner} }`), "")} })`
  )
}

/** A client that sends nothing: it shows which methods there are, and whether they give an effect or a stream. */
const shape = ChatbotClient.layer({ baseUrl: "http://chatbot.test" }).pipe(
  Layer.provide(
    Layer.succeed(
      HttpClient.HttpClient,
      HttpClient.make(() => Effect.die(new Error("A mock sends nothing")))
    )
  ),
  Layer.orDie
)

/** What the methods of a client fail with, as far as a mock looks at it. */
interface Failed {
  readonly _tag: string
}

const isEffect = (value: unknown): value is Effect.Effect<unknown, Failed> => Effect.isEffect(value)

/** What a mock keeps of its calls. */
interface Log {
  readonly calls: Array<RecordedCall>
  /** The first call that the test did not think of. */
  missed: Error | undefined
}

/** A value of a client with its place taken by a mock. The types of both are those of {@link Mocked}. */
const mocked = (name: string, real: unknown, mock: unknown, log: Log): unknown => {
  const missed = (call: RecordedCall) => {
    const error = notMocked(call)
    log.missed ??= error
    return error
  }
  if (typeof real === "function") {
    return (...args: ReadonlyArray<unknown>) => {
      const call = { name, arguments: args }
      const answer = (): unknown => (typeof mock === "function" ? mock(...args) : undefined)
      if (Stream.isStream(real(...args))) {
        return Stream.suspend(() => {
          log.calls.push(call)
          const stream = answer()
          return Stream.isStream(stream) ? stream : Stream.die(missed(call))
        })
      }
      return Effect.suspend(() => {
        log.calls.push(call)
        const effect = answer()
        return isEffect(effect) ? effect : Effect.die(missed(call))
      })
    }
  }
  if (isEffect(real)) {
    const call = { name, arguments: [] }
    return Effect.suspend(() => {
      log.calls.push(call)
      return isEffect(mock) ? mock : Effect.die(missed(call))
    })
  }
  const methods = Predicate.isObject(mock) ? mock : {}
  return Object.fromEntries(
    Object.entries(Object(real)).map(([key, value]) => [
      key,
      mocked(
        name === "" ? key : `${name}.${key}`,
        value,
        Object.hasOwn(methods, key) ? Reflect.get(methods, key) : undefined,
        log
      )
    ])
  )
}

/**
 * A client that does what these methods do. A call of any other one is a defect that names it and what it was called with, so it fails the
 * test; also at the end of the scope, where the program has hidden it. What is called is recorded, see {@link calls}.
 *
 * ```ts
 * const client = ChatbotTest.mock({ chats: { createByBotCode: () => Effect.succeed(chat) } })
 * ```
 */
export const mock = (methods: Mocked): Layer.Layer<ChatbotClient | Groups | Recorded> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const real = Context.get(yield* Layer.build(shape), ChatbotClient)
      const log: Log = { calls: [], missed: undefined }
      const client = mocked("", real, methods, log) as Client
      // The program may have caught the defect, or made the call on a fiber that nobody waits for.
      yield* Effect.addFinalizer((exit) =>
        Exit.isSuccess(exit) && log.missed !== undefined ? Effect.die(log.missed) : Effect.void
      )
      return Context.make(ChatbotClient, client).pipe(
        Context.add(Recorded, { calls: Effect.sync(() => [...log.calls]) }),
        Context.add(Admin, client.admin),
        Context.add(AdminBots, client.adminBots),
        Context.add(Bots, client.bots),
        Context.add(Cache, client.cache),
        Context.add(Chats, client.chats),
        Context.add(Statistics, client.statistics),
        Context.add(System, client.system),
        Context.add(Users, client.users)
      )
    })
  )
