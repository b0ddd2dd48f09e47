/**
 * Holds the interfaces of the services, which are written out, to the contract they are written from. The compiler runs these tests.
 */
import type { Api } from "@effect-chatbot/api/Api"
import type { BinaryContent } from "@effect-chatbot/client/BinaryContent"
import type { CallError, ClientError } from "@effect-chatbot/client/CallError"
import type { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import type { Completion } from "@effect-chatbot/schema/Chat"
import type * as Errors from "@effect-chatbot/schema/Errors"
import type { BotFactId, BotId, ChatId, FeedbackId } from "@effect-chatbot/schema/Ids"
import { assertType, describe, expectTypeOf, it } from "@effect/vitest"
import type * as Effect from "effect/Effect"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type * as Stream from "effect/Stream"

type Client = ChatbotClient["Service"]

/** The method of every endpoint. */
interface Methods {
  "admin.listOpenAiServices": Client["admin"]["openAiServices"]["list"]
  "admin.createOpenAiService": Client["admin"]["openAiServices"]["create"]
  "admin.getOpenAiService": Client["admin"]["openAiServices"]["get"]
  "admin.updateOpenAiService": Client["admin"]["openAiServices"]["update"]
  "admin.deleteOpenAiService": Client["admin"]["openAiServices"]["delete"]
  "adminBots.list": Client["adminBots"]["list"]
  "adminBots.create": Client["adminBots"]["create"]
  "adminBots.get": Client["adminBots"]["get"]
  "adminBots.update": Client["adminBots"]["update"]
  "adminBots.delete": Client["adminBots"]["delete"]
  "adminBots.listStartBots": Client["adminBots"]["startBots"]
  "adminBots.implementationTypes": Client["adminBots"]["implementationTypes"]
  "adminBots.setStopped": Client["adminBots"]["setStopped"]
  "adminBots.listFacts": Client["adminBots"]["facts"]["list"]
  "adminBots.createFact": Client["adminBots"]["facts"]["create"]
  "adminBots.updateFact": Client["adminBots"]["facts"]["update"]
  "adminBots.deleteFact": Client["adminBots"]["facts"]["delete"]
  "adminBots.listLinks": Client["adminBots"]["links"]["list"]
  "adminBots.listUnassigned": Client["adminBots"]["links"]["unassigned"]
  "adminBots.createLink": Client["adminBots"]["links"]["create"]
  "adminBots.updateLink": Client["adminBots"]["links"]["update"]
  "adminBots.deleteLink": Client["adminBots"]["links"]["delete"]
  "adminBots.listFeedback": Client["adminBots"]["feedback"]["list"]
  "adminBots.updateFeedback": Client["adminBots"]["feedback"]["update"]
  "adminBots.getAcsConfiguration": Client["adminBots"]["acsConfiguration"]["get"]
  "adminBots.updateAcsConfiguration": Client["adminBots"]["acsConfiguration"]["update"]
  "adminBots.getSearchConfiguration": Client["adminBots"]["searchConfiguration"]["get"]
  "adminBots.updateSearchConfiguration": Client["adminBots"]["searchConfiguration"]["update"]
  "adminBots.getConfiguration": Client["adminBots"]["configuration"]["get"]
  "adminBots.updateConfiguration": Client["adminBots"]["configuration"]["update"]
  "bots.search": Client["bots"]["search"]
  "bots.list": Client["bots"]["list"]
  "bots.listByStartBot": Client["bots"]["listByStartBot"]
  "bots.startBots": Client["bots"]["startBots"]
  "bots.image": Client["bots"]["image"]
  "bots.stopAll": Client["bots"]["stopAll"]
  "cache.clear": Client["cache"]["clear"]
  "chats.create": Client["chats"]["create"]
  "chats.createByBotCode": Client["chats"]["createByBotCode"]
  "chats.complete": Client["chats"]["complete"]
  "chats.stop": Client["chats"]["stop"]
  "chats.openBot": Client["chats"]["openBot"]
  "chats.get": Client["chats"]["get"]
  "chats.delete": Client["chats"]["delete"]
  "chats.feedback": Client["chats"]["feedback"]
  "chats.rename": Client["chats"]["rename"]
  "chats.setUserSystemMessage": Client["chats"]["setUserSystemMessage"]
  "chats.removeUserSystemMessage": Client["chats"]["removeUserSystemMessage"]
  "chats.createTicket": Client["chats"]["createTicket"]
  "chats.download": Client["chats"]["download"]
  "statistics.recompute": Client["statistics"]["recompute"]
  "statistics.tokenUsage": Client["statistics"]["tokenUsage"]
  "system.status": Client["system"]["status"]
  "system.setStatus": Client["system"]["setStatus"]
  "users.current": Client["users"]["current"]
  "users.update": Client["users"]["update"]
  "users.acceptTerms": Client["users"]["acceptTerms"]
  "users.deleteChats": Client["users"]["deleteChats"]
  "users.deleteChat": Client["users"]["deleteChat"]
  "users.deleteCompletion": Client["users"]["deleteCompletion"]
  "users.deleteChatsByBot": Client["users"]["deleteChatsByBot"]
  "users.deleteChatsByBotAndSystemMessage": Client["users"]["deleteChatsByBotAndSystemMessage"]
  "users.chatsByBot": Client["users"]["chatsByBot"]
  "users.chatsByBotAndSystemMessage": Client["users"]["chatsByBotAndSystemMessage"]
  "users.chats": Client["users"]["chats"]
  "users.setFavorite": Client["users"]["setFavorite"]
  "users.listSystemMessages": Client["users"]["systemMessages"]["list"]
  "users.createSystemMessage": Client["users"]["systemMessages"]["create"]
  "users.getSystemMessage": Client["users"]["systemMessages"]["get"]
  "users.updateSystemMessage": Client["users"]["systemMessages"]["update"]
  "users.deleteSystemMessage": Client["users"]["systemMessages"]["delete"]
  "users.countSystemMessages": Client["users"]["systemMessages"]["count"]
}

/** What a method gives where that is not what the endpoint answers. */
interface Unwrapped {
  "adminBots.create": BotId
  "adminBots.createFact": BotFactId
  "adminBots.getConfiguration": string
  "bots.image": BinaryContent
  "cache.clear": void
  "chats.complete": Completion
  "chats.download": BinaryContent
  "chats.feedback": FeedbackId
  "system.status": string
  "users.countSystemMessages": number
}

/** The stream of the items beside the method that gives a page of them. */
interface Items {
  "admin.listOpenAiServices": Client["admin"]["openAiServices"]["items"]
  "adminBots.list": Client["adminBots"]["items"]
  "adminBots.listStartBots": Client["adminBots"]["startBotItems"]
  "adminBots.listFacts": Client["adminBots"]["facts"]["items"]
  "adminBots.listLinks": Client["adminBots"]["links"]["items"]
  "adminBots.listUnassigned": Client["adminBots"]["links"]["unassignedItems"]
  "adminBots.listFeedback": Client["adminBots"]["feedback"]["items"]
  "bots.list": Client["bots"]["items"]
  "bots.listByStartBot": Client["bots"]["itemsByStartBot"]
  "bots.startBots": Client["bots"]["startBotItems"]
  "statistics.tokenUsage": Client["statistics"]["tokenUsageItems"]
  "users.chatsByBot": Client["users"]["chatItemsByBot"]
  "users.chatsByBotAndSystemMessage": Client["users"]["chatItemsByBotAndSystemMessage"]
  "users.chats": Client["users"]["chatItems"]
  "users.listSystemMessages": Client["users"]["systemMessages"]["items"]
}

type Groups = (typeof Api)["groups"]
type Endpoints = {
  [G in keyof Groups]: { [E in keyof Groups[G]["endpoints"] & string as `${G}.${E}`]: Groups[G]["endpoints"][E] }
}
type All = Endpoints["admin"] &
  Endpoints["adminBots"] &
  Endpoints["bots"] &
  Endpoints["cache"] &
  Endpoints["chats"] &
  Endpoints["statistics"] &
  Endpoints["system"] &
  Endpoints["users"]

/** What is answered with events alone: `chats.stream` reads them. */
type Streamed = "chats.events"
type Name = Exclude<keyof All, Streamed>

/** A method that takes nothing is the Effect itself. */
type Result<Method> = Method extends (...args: never) => infer R ? R : Method

/** A value for the compiler to complain of: it then says which names are wrong. */
const some = <A>(): A => undefined as A

// Identical, and not only assignable both ways, as `any` would be.
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

describe("the interfaces of the services", () => {
  it("have a method for every endpoint and no other", () => {
    expectTypeOf<keyof Methods>().toEqualTypeOf<Name>()
    expectTypeOf<keyof Groups>().toEqualTypeOf<keyof Client>()
  })

  it("fail with what the endpoint declares, what its middleware declares and what the client finds out, and nothing else", () => {
    type Wrong = {
      [N in Name]: Same<Effect.Error<Result<Methods[N]>>, HttpApiEndpoint.Errors<All[N]> | ClientError> extends true
        ? never
        : N
    }[Name]
    assertType<never>(some<Wrong>())
  })

  it("give what the endpoint answers, but for what they unwrap", () => {
    type Expected<N extends Name> = N extends keyof Unwrapped ? Unwrapped[N] : HttpApiEndpoint.Success<All[N]>["Type"]
    type Wrong = {
      [N in Name]: Same<Effect.Success<Result<Methods[N]>>, Expected<N>> extends true ? never : N
    }[Name]
    assertType<never>(some<Wrong>())
  })

  it("need nothing to run", () => {
    type Wrong = { [N in Name]: Same<Effect.Services<Result<Methods[N]>>, never> extends true ? never : N }[Name]
    assertType<never>(some<Wrong>())
  })

  it("have a stream beside every page, of its items and with its errors and arguments", () => {
    type Paged = {
      [N in Name]: HttpApiEndpoint.Success<All[N]>["Type"] extends { readonly items: unknown } ? N : never
    }[Name]
    expectTypeOf<keyof Items>().toEqualTypeOf<Paged>()
    type Wrong = {
      [N in keyof Items]: Methods[N] extends (...args: infer Args) => Effect.Effect<infer Page, infer E>
        ? Same<
            Items[N],
            (...args: Args) => Stream.Stream<Page extends { readonly items: ReadonlyArray<infer A> } ? A : never, E>
          > extends true
          ? never
          : N
        : N
    }[keyof Items]
    assertType<never>(some<Wrong>())
  })

  it("have a stream of an answer that fails as the call does, and with what only a stream can fail with", () => {
    type Answer = ReturnType<Client["chats"]["stream"]>
    expectTypeOf<Stream.Error<Answer>>().toEqualTypeOf<
      | Effect.Error<Result<Methods["chats.complete"]>>
      | Errors.StreamTruncated
      | Errors.StreamIdle
      | Errors.EventTooLarge
      | Errors.CompletionFailed
    >()
    expectTypeOf<Stream.Success<Answer>["_tag"]>().toEqualTypeOf<
      "Started" | "Delta" | "Sources" | "Completed" | "Stopped" | "Unknown"
    >()
    expectTypeOf<Stream.Services<Answer>>().toEqualTypeOf<never>()
  })

  it("name the errors of every call once", () => {
    expectTypeOf<CallError>().toEqualTypeOf<
      HttpApiEndpoint.Errors<Groups["system"]["endpoints"]["status"]> | ClientError
    >()
    expectTypeOf<ClientError["_tag"]>().toEqualTypeOf<
      "TransportFailed" | "RequestTimedOut" | "UnexpectedStatus" | "InvalidResponse" | "CircuitOpen"
    >()
    expectTypeOf<Effect.Error<ReturnType<Client["chats"]["get"]>>>().toEqualTypeOf<
      Errors.InvalidRequest | Errors.ChatNotFound | CallError
    >()
  })

  it("do not take the id of one thing for that of another", () => {
    expectTypeOf<Client["chats"]["get"]>().parameters.toEqualTypeOf<[ChatId]>()
    expectTypeOf<BotId>().not.toExtend<ChatId>()
    expectTypeOf<string>().not.toExtend<ChatId>()
  })
})
