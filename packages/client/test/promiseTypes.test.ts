/**
 * Holds the client of promises to the services it stands for: a method for every method, with types as an editor should show them. The
 * compiler runs these tests.
 */
import type { BinaryContent } from "@effect-chatbot/client/BinaryContent"
import type { CallError, StreamError } from "@effect-chatbot/client/CallError"
import type { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import type { Question } from "@effect-chatbot/client/Chats"
import type * as Completion from "@effect-chatbot/client/Completion"
import type {
  CallOptions,
  CompletionStream,
  Plain,
  PromiseClient,
  PromiseContent,
  Rejections
} from "@effect-chatbot/client/promise"
import type { Bot } from "@effect-chatbot/schema/Bot"
import type { Chat, ChatQuery } from "@effect-chatbot/schema/Chat"
import type * as Errors from "@effect-chatbot/schema/Errors"
import type { BotId, ChatId, OpenAiServiceId, Ticket } from "@effect-chatbot/schema/Ids"
import type { CreateOpenAiService } from "@effect-chatbot/schema/OpenAiService"
import type { Page, PageQuery } from "@effect-chatbot/schema/Page"
import type { TokenUsageQuery } from "@effect-chatbot/schema/TokenUsage"
import type { CurrentUser } from "@effect-chatbot/schema/User"
import { assertType, describe, expectTypeOf, it } from "@effect/vitest"
import type * as DateTime from "effect/DateTime"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Stream from "effect/Stream"

type Client = ChatbotClient["Service"]

/** Every method of a service by its path, `users.systemMessages.list`, and every Effect. */
type Paths<T, Prefix extends string = ""> = {
  [K in keyof T & string]: T[K] extends ((...args: never) => unknown) | Effect.Effect<unknown, unknown>
    ? `${Prefix}${K}`
    : Paths<T[K], `${Prefix}${K}.`>
}[keyof T & string]

type At<T, Path> = Path extends `${infer K}.${infer Rest}` ? At<T[K & keyof T], Rest> : T[Path & keyof T]

type Given<Method> = Method extends (...args: infer Args) => unknown ? Args : []

/** What a method of the client of promises gives, from what the method of the service gives. */
type Expected<Method> = Method extends (...args: never) => infer R
  ? Expected<R>
  : Method extends Effect.Effect<infer A, unknown>
    ? Promise<A extends BinaryContent ? PromiseContent : A>
    : Method extends Stream.Stream<Completion.Event, unknown>
      ? CompletionStream
      : Method extends Stream.Stream<infer A, unknown>
        ? AsyncIterable<A>
        : never

type Failure<Method> = Method extends (...args: never) => infer R
  ? Failure<R>
  : Method extends Effect.Effect<unknown, infer E> | Stream.Stream<unknown, infer E>
    ? E
    : never

/** The methods whose own options are those of the call as well. */
type WithOptions = "chats.stream" | "chats.download"

// Identical, and not only assignable both ways, as `any` would be.
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** A value for the compiler to complain of: it then says which names are wrong. */
const some = <A>(): A => undefined as A

describe("the client of promises", () => {
  it("has the methods of all services and no other", () => {
    expectTypeOf<Paths<Omit<PromiseClient, "close">>>().toEqualTypeOf<Paths<Client>>()
    expectTypeOf<Exclude<keyof PromiseClient, keyof Client>>().toEqualTypeOf<"close" | typeof Symbol.asyncDispose>()
  })

  it("promises what the Effects give, and iterates over what the streams give", () => {
    type Wrong = {
      [P in Paths<Client>]: At<PromiseClient, P> extends (...args: never) => infer R
        ? Same<R, Expected<At<Client, P>>> extends true
          ? never
          : P
        : P
    }[Paths<Client>]
    assertType<never>(some<Wrong>())
  })

  it("takes what the services take, and after that the options of a call", () => {
    type Wrong = {
      [P in Exclude<Paths<Client>, WithOptions>]: [...Given<At<Client, P>>, options?: CallOptions] extends Given<
        At<PromiseClient, P>
      >
        ? Required<Given<At<PromiseClient, P>>> extends [...infer _, CallOptions]
          ? never
          : P
        : P
    }[Exclude<Paths<Client>, WithOptions>]
    assertType<never>(some<Wrong>())
  })

  it("says what each method rejects with", () => {
    type Wrong = {
      [P in Paths<Client>]: Same<At<Rejections, P>, Failure<At<Client, P>>> extends true ? never : P
    }[Paths<Client>]
    assertType<never>(some<Wrong>())
    expectTypeOf<Rejections["chats"]["get"]>().toEqualTypeOf<Errors.InvalidRequest | Errors.ChatNotFound | CallError>()
    expectTypeOf<StreamError>().toExtend<Rejections["chats"]["stream"]>()
  })

  it("shows types that can be read", () => {
    type Chats = PromiseClient["chats"]
    type Options = CallOptions | undefined
    expectTypeOf<Chats["get"]>().toEqualTypeOf<(chatId: string, options?: Options) => Promise<Chat>>()
    expectTypeOf<PromiseClient["users"]["current"]>().toEqualTypeOf<(options?: Options) => Promise<CurrentUser>>()
    expectTypeOf<PromiseClient["bots"]["list"]>().toEqualTypeOf<
      (query?: PageQuery, options?: Options) => Promise<Page<Bot>>
    >()
    expectTypeOf<PromiseClient["bots"]["itemsByStartBot"]>().toEqualTypeOf<
      (startBotId: string, query?: PageQuery, options?: Options) => AsyncIterable<Bot>
    >()
    expectTypeOf<PromiseClient["bots"]["image"]>().toEqualTypeOf<
      (botId: string, options?: Options) => Promise<PromiseContent>
    >()
    expectTypeOf<Chats["stream"]>().toEqualTypeOf<
      (
        chatId: string,
        question: string | Question,
        options?: Completion.StreamOptions & CallOptions
      ) => CompletionStream
    >()
  })

  it("takes plain values, and the values of Effect too", () => {
    expectTypeOf<Plain<ChatId>>().toEqualTypeOf<string>()
    expectTypeOf<Plain<DateTime.Utc>>().toEqualTypeOf<DateTime.Utc | Date>()
    expectTypeOf<Plain<Redacted.Redacted>>().toEqualTypeOf<Redacted.Redacted | string>()
    expectTypeOf<Plain<TokenUsageQuery>["botId"]>().toEqualTypeOf<string | undefined>()
    expectTypeOf<CreateOpenAiService>().toExtend<Plain<CreateOpenAiService>>()
    expectTypeOf<Parameters<PromiseClient["chats"]["download"]>[2]>().toEqualTypeOf<
      ({ readonly ticket?: string | undefined } & CallOptions) | undefined
    >()
    // What makes no difference keeps its name.
    expectTypeOf<Plain<ChatQuery>>().toEqualTypeOf<ChatQuery>()
    expectTypeOf<BotId | OpenAiServiceId | Ticket>().toExtend<string>()
    expectTypeOf<number>().not.toExtend<Parameters<PromiseClient["chats"]["get"]>[0]>()
  })
})
