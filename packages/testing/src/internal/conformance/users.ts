import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Check, checksOf, contract, decision } from "./Check.ts"
import { ask } from "./exchange.ts"
import { conforms, equals, fields, hasStatus, holds, itemsOf, ok, prepared, seen, success, text } from "./expect.ts"
import * as Given from "./given.ts"
import { findOn, type List, listChecks } from "./lists.ts"
import { described, misses, nobodys, refuses, removes } from "./patterns.ts"
import { type OperationName } from "./operations.ts"
import { Target } from "./Target.ts"

const check = checksOf("core")

const user = ["user"] as const
const chat = ["user", "bot"] as const

/** A chat of this name. */
const named = Effect.fnUntraced(function* (displayName: string, bot?: { readonly botId: string }) {
  const { chatId } = yield* Given.chat("user", bot)
  yield* prepared(ok("chats.rename", { params: { chatId }, payload: { displayName } }))
  return chatId
})

const chatList = { items: "chats", id: "chatId", text: "displayName", needs: user, makes: chat } as const

const favourite = (chatId: string, isFavorite = true) =>
  prepared(ok("users.setFavorite", { params: { chatid: chatId }, payload: { isFavorite } }))

/** The list has favourites alone, where they are asked for. */
const onlyFavorites = (list: List): Check =>
  check(
    `${list.name}/has-favourites-alone-where-asked`,
    {
      title: "With OnlyFavorites there are no other chats, however true is spelled",
      source: contract,
      needs: list.makes,
      also: ["users.setFavorite"]
    },
    Effect.gen(function* () {
      const { name } = yield* Target
      const { input, make } = yield* list.given
      const search = name("item")
      yield* make(`${search} other`)
      const chatId = yield* make(`${search} favourite`)
      yield* favourite(chatId)
      for (const OnlyFavorites of ["true", "True"]) {
        yield* findOn(list, { ...input, query: { OnlyFavorites } }, `the favourite ${chatId}`, (page) =>
          Effect.gen(function* () {
            const items = yield* itemsOf(page, { isFavorite: Schema.Boolean, chatId: Schema.String })
            yield* holds(
              page,
              items.every(({ isFavorite }) => isFavorite),
              "favourites alone"
            )
            return items.some((item) => item.chatId === chatId)
          })
        )
      }
    })
  )

const allChats: List = {
  ...chatList,
  name: "users.chats",
  given: Effect.succeed({ input: {}, make: (text) => named(text) })
}

const chatsByBot: List = {
  ...chatList,
  name: "users.chatsByBot",
  needs: chat,
  given: Effect.gen(function* () {
    const { bot } = yield* Target
    const { botId } = yield* bot
    return { input: { params: { botid: botId } }, make: (text) => named(text) }
  })
}

const chatsByMessage: List = {
  ...chatList,
  name: "users.chatsByBotAndSystemMessage",
  needs: chat,
  given: Effect.gen(function* () {
    const { bot } = yield* Target
    const { botId } = yield* bot
    const { userSystemMessageId } = yield* Given.message()
    return {
      input: { params: { botid: botId, usersystempromptid: userSystemMessageId } },
      make: (text) =>
        Effect.gen(function* () {
          const chatId = yield* named(text)
          yield* follow(chatId, userSystemMessageId)
          return chatId
        })
    }
  })
}

const follow = (chatId: string, userSystemMessageId: string) =>
  prepared(ok("chats.setUserSystemMessage", { params: { chatId }, payload: { userSystemMessageId } }))

/** Whether a chat is there. */
const isThere = (chatId: string) =>
  Effect.map(prepared(ask("chats.get", { params: { chatId } })), ({ status }) => status === 200)

/** Two chats, of which the first is a favourite; with which of them stay when it is deleted by `name`. */
const deletes = Effect.fnUntraced(function* (
  name: OperationName,
  params: { readonly [name: string]: string },
  make: Effect.Effect<string, Effect.Error<ReturnType<typeof named>>, Effect.Services<ReturnType<typeof named>>>
) {
  for (const keepfavorites of ["True", "false"]) {
    const [kept, other] = [yield* make, yield* make]
    yield* favourite(kept)
    const answer = yield* success(name, { params: { ...params, keepfavorites } })
    yield* equals(
      answer,
      "[favourite, other] chat kept",
      [yield* isThere(kept), yield* isThere(other)],
      [keepfavorites === "True", false]
    )
  }
})

/** A chat that was not to be deleted is there. */
const stays = (chatId: string) =>
  Effect.flatMap(prepared(ask("chats.get", { params: { chatId } })), (answer) =>
    holds(answer, answer.status === 200, "a chat that was not to be deleted")
  )

const settings = {
  isKeepChatHistory: Schema.Boolean,
  keepChatHistoryForDays: Schema.Finite,
  isKeepFavoritesForever: Schema.Boolean
}

const messagePayload = (displayName: string) => ({ displayName, systemMessage: "Be brief." })
const message = { displayName: text, systemMessage: text }
const missingMessage = Effect.succeed({
  params: { userSystemMessageId: nobodys },
  payload: messagePayload("Message")
})

/** The checks of what belongs to a user: settings, chats and user system messages. */
export const users: ReadonlyArray<Check> = [
  described(
    check,
    "users.current",
    "The user who calls is told, with a number as id",
    user,
    Effect.flatMap(success("users.current"), (answer) =>
      fields(answer, {
        id: Schema.Finite,
        login: Schema.NonEmptyString,
        roles: Schema.optional(Schema.NullOr(Schema.Array(Schema.String)))
      })
    )
  ),
  check(
    "users.update/answers-as-described",
    {
      title: "Settings of a user that are changed are what they were changed to, and the answer is empty",
      source: contract,
      needs: user,
      isAlone: true,
      also: ["users.current"]
    },
    Effect.gen(function* () {
      const { body } = yield* seen("users.current", {}, settings)
      yield* Effect.addFinalizer(() => Given.restored("the settings of the user", "users.update", { payload: body }))
      // Nothing that would let go of a chat.
      const payload = { ...body, keepChatHistoryForDays: 36_500, isKeepFavoritesForever: true }
      yield* success("users.update", { payload })
      const after = yield* seen("users.current", {}, settings)
      yield* equals(after.answer, "settings", after.body, payload)
    })
  ),
  check(
    "users.acceptTerms/answers-as-described",
    {
      title: "A user who accepts the terms has accepted them, and the answer is empty",
      source: contract,
      needs: ["user", "destruction"],
      also: ["users.current"]
    },
    Effect.gen(function* () {
      yield* success("users.acceptTerms")
      const { answer, body } = yield* seen("users.current", {}, { isTermsAccepted: Schema.Boolean })
      yield* equals(answer, "isTermsAccepted", body.isTermsAccepted, true)
    })
  ),
  check(
    "users.deleteChats/answers-as-described",
    {
      title: "All chats of a user go, or all but the favourites, and the answer is empty",
      source: contract,
      needs: ["user", "bot", "destruction"],
      isAlone: true
    },
    deletes("users.deleteChats", {}, named("A chat"))
  ),
  check(
    "users.deleteChats/refuses-what-is-neither-true-nor-false",
    {
      title: "What is neither true nor false is 400, and deletes nothing",
      source: decision,
      needs: ["user", "bot", "destruction"],
      isAlone: true
    },
    Effect.gen(function* () {
      const { chatId } = yield* Given.chat()
      for (const keepfavorites of ["xyz", "1"]) {
        const answer = yield* hasStatus(yield* ask("users.deleteChats", { params: { keepfavorites } }), 400)
        yield* holds(answer, yield* isThere(chatId), "the chats as they were", "a chat that is gone")
      }
    })
  ),
  removes(
    check,
    "users.deleteChat",
    "A chat",
    chat,
    "chats.get",
    Effect.map(Given.chat(), ({ chatId }) => ({ params: { chatId, chatid: chatId } }))
  ),
  misses(check, "users.deleteChat", "A chat", user, Effect.succeed({ params: { chatid: nobodys } })),
  described(
    check,
    "users.deleteCompletion",
    "A completion that is deleted is gone from its chat, and another one is not",
    chat,
    Effect.gen(function* () {
      const { chatId } = yield* Given.chat()
      const gone = yield* Given.completion(chatId)
      const kept = yield* Given.completion(chatId)
      yield* success("users.deleteCompletion", { params: { chatid: chatId, completionid: gone.completionId } })
      const { answer, body } = yield* seen(
        "chats.get",
        { params: { chatId } },
        {
          completions: Schema.Array(Schema.Struct({ completionId: Schema.String }))
        }
      )
      yield* equals(answer, "completions", body.completions, [{ completionId: kept.completionId }])
    })
  ),
  misses(
    check,
    "users.deleteCompletion",
    "A completion",
    chat,
    Effect.map(Given.chat(), ({ chatId }) => ({ params: { chatid: chatId, completionid: nobodys } }))
  ),
  described(
    check,
    "users.deleteChatsByBot",
    "All chats with a bot go, or all but the favourites, and those with another bot stay",
    ["user", "bots"],
    Effect.gen(function* () {
      const bot = yield* Given.bot()
      const { chatId: another } = yield* Given.chat("user", yield* Given.bot())
      yield* deletes("users.deleteChatsByBot", { botid: bot.botId }, named("A chat", bot))
      yield* stays(another)
    })
  ),
  check(
    "users.deleteChatsByBot/refuses-what-is-neither-true-nor-false",
    { title: "What is neither true nor false is 400, and deletes nothing", source: decision, needs: ["user", "bots"] },
    Effect.gen(function* () {
      const bot = yield* Given.bot()
      const { chatId } = yield* Given.chat("user", bot)
      const params = { botid: bot.botId, keepfavorites: "xyz" }
      const answer = yield* hasStatus(yield* ask("users.deleteChatsByBot", { params }), 400)
      yield* holds(answer, yield* isThere(chatId), "the chats as they were", "a chat that is gone")
    })
  ),
  described(
    check,
    "users.deleteChatsByBotAndSystemMessage",
    "All chats with a bot that follow a user system message go, or all but the favourites, and the others stay",
    chat,
    Effect.gen(function* () {
      const { chatId: another, botId } = yield* Given.chat()
      const { userSystemMessageId } = yield* Given.message()
      const make = Effect.tap(named("A chat"), (chatId) => follow(chatId, userSystemMessageId))
      const params = { botid: botId, systemmessageid: userSystemMessageId }
      yield* deletes("users.deleteChatsByBotAndSystemMessage", params, make)
      yield* stays(another)
    })
  ),
  ...listChecks(check, chatsByBot),
  onlyFavorites(chatsByBot),
  check(
    "users.chatsByBot/leaves-out-other-chats",
    { title: "A chat with another bot is not on the list", source: contract, needs: ["user", "bots"] },
    Effect.gen(function* () {
      const bot = yield* Given.bot()
      const { chatId } = yield* Given.chat("user", bot)
      yield* Given.chat("user", yield* Given.bot())
      const answer = yield* ok("users.chatsByBot", { params: { botid: bot.botId } })
      yield* equals(answer, "items", yield* itemsOf(answer, { chatId: Schema.String }), [{ chatId }])
    })
  ),
  ...listChecks(check, chatsByMessage),
  onlyFavorites(chatsByMessage),
  check(
    "users.chatsByBotAndSystemMessage/leaves-out-other-chats",
    {
      title: "A chat that follows another user system message, or none, is not on the list",
      source: contract,
      needs: chat
    },
    Effect.gen(function* () {
      const { input, make } = yield* chatsByMessage.given
      const wanted = yield* make("A chat")
      yield* Given.chat()
      const answer = yield* ok("users.chatsByBotAndSystemMessage", input)
      const items = yield* itemsOf(answer, { chatId: Schema.String })
      yield* equals(answer, "items", items, [{ chatId: wanted }])
    })
  ),
  ...listChecks(check, allChats),
  onlyFavorites(allChats),
  described(
    check,
    "users.setFavorite",
    "A chat is made a favourite, and none again",
    chat,
    Effect.gen(function* () {
      const { chatId } = yield* Given.chat()
      for (const isFavorite of [true, false]) {
        yield* success("users.setFavorite", { params: { chatid: chatId }, payload: { isFavorite } })
        const { answer, body } = yield* seen("chats.get", { params: { chatId } }, { isFavorite: Schema.Boolean })
        yield* equals(answer, "isFavorite", body.isFavorite, isFavorite)
      }
    })
  ),
  misses(
    check,
    "users.setFavorite",
    "A chat",
    user,
    Effect.succeed({ params: { chatid: nobodys }, payload: { isFavorite: true } })
  ),
  ...listChecks(check, {
    name: "users.listSystemMessages",
    items: "user system messages",
    id: "userSystemMessageId",
    text: "displayName",
    needs: user,
    makes: user,
    given: Effect.succeed({
      input: {},
      make: (text) =>
        Effect.map(
          prepared(Given.createdMessage("user", ask("users.createSystemMessage", { payload: messagePayload(text) }))),
          ({ id }) => id
        )
    })
  }),
  described(
    check,
    "users.createSystemMessage",
    "A new user system message is answered with its id, a text in quotes",
    user,
    Effect.gen(function* () {
      const { name } = yield* Target
      const payload = messagePayload(name("message"))
      const { answer } = yield* Given.createdMessage("user", ask("users.createSystemMessage", { payload }))
      yield* conforms(answer)
    })
  ),
  refuses(check, "users.createSystemMessage", "a name and a text", user, Effect.succeed({}), [
    {},
    { displayName: "Name" },
    { systemMessage: "Text" },
    { displayName: "", systemMessage: "" }
  ]),
  described(
    check,
    "users.getSystemMessage",
    "A user system message is answered with its text",
    user,
    Effect.gen(function* () {
      const { displayName, userSystemMessageId } = yield* Given.message()
      const answer = yield* success("users.getSystemMessage", { params: { userSystemMessageId } })
      yield* equals(answer, "a message", yield* fields(answer, message), messagePayload(displayName))
    })
  ),
  misses(check, "users.getSystemMessage", "A user system message", user, missingMessage),
  described(
    check,
    "users.updateSystemMessage",
    "A user system message that is changed is what it was changed to, and the answer is empty",
    user,
    Effect.gen(function* () {
      const { name } = yield* Target
      const { userSystemMessageId } = yield* Given.message()
      const payload = { displayName: name("message"), systemMessage: "Be long. é🙂" }
      yield* success("users.updateSystemMessage", { params: { userSystemMessageId }, payload })
      const { answer, body } = yield* seen("users.getSystemMessage", { params: { userSystemMessageId } }, message)
      yield* equals(answer, "a message", body, payload)
    })
  ),
  misses(check, "users.updateSystemMessage", "A user system message", user, missingMessage),
  removes(
    check,
    "users.deleteSystemMessage",
    "A user system message",
    user,
    "users.getSystemMessage",
    Effect.map(Given.message(), ({ userSystemMessageId }) => ({ params: { userSystemMessageId } }))
  ),
  misses(check, "users.deleteSystemMessage", "A user system message", user, missingMessage),
  check(
    "users.countSystemMessages/answers-as-described",
    {
      title: "The user system messages are counted",
      source: contract,
      needs: user,
      isAlone: true,
      also: ["users.createSystemMessage"]
    },
    Effect.gen(function* () {
      const counted = Effect.flatMap(success("users.countSystemMessages"), (answer) =>
        Effect.map(fields(answer, { systemMessageCount: Schema.Finite }), ({ systemMessageCount }) => ({
          answer,
          systemMessageCount
        }))
      )
      const before = yield* counted
      yield* Given.message()
      const { answer, systemMessageCount } = yield* counted
      yield* equals(answer, "systemMessageCount", systemMessageCount, before.systemMessageCount + 1)
    })
  )
]
