/**
 * The life of chats as a state machine: commands that a user may give, and what is there after each of them. A backend must agree with it
 * after every command.
 *
 * ```ts
 * it.effect.prop("agrees with the backend", { commands: ChatLife.Commands }, ({ commands }) => ChatLife.live("support", commands))
 * ```
 */
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import type { ChatId, CompletionId, UserSystemMessageId } from "@effect-chatbot/schema/Ids"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { differences } from "./internal/differences.ts"

/** Which of the chats there are, or of the messages: counted over and over, so that any number names one. */
const Which = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 7 }))

const Name = Schema.String.check(Schema.isPattern(/^[a-zé🙂]{1,12}$/u))

/** What a user may do. A command about something that is not there does nothing. */
export const Command = Schema.Union([
  Schema.TaggedStruct("Create", {}),
  Schema.TaggedStruct("Ask", { chat: Which, question: Name }),
  Schema.TaggedStruct("Rename", { chat: Which, name: Name }),
  Schema.TaggedStruct("SetFavorite", { chat: Which, isFavorite: Schema.Boolean }),
  Schema.TaggedStruct("CreateMessage", { name: Name }),
  Schema.TaggedStruct("DeleteMessage", { message: Which }),
  Schema.TaggedStruct("Follow", { chat: Which, message: Which }),
  Schema.TaggedStruct("FollowNone", { chat: Which }),
  Schema.TaggedStruct("DeleteCompletion", { chat: Which, completion: Which }),
  Schema.TaggedStruct("Delete", { chat: Which, byUser: Schema.Boolean }),
  Schema.TaggedStruct("DeleteAll", { keepFavorites: Schema.Boolean }),
  Schema.TaggedStruct("DeleteByMessage", { message: Which, keepFavorites: Schema.Boolean })
])

/** What a user may do. */
export type Command = typeof Command.Type

/** Some commands, one after the other. */
export const Commands = Schema.Array(Command).check(Schema.isMaxLength(24))

/** The backend has something else than it should. The message has the commands that led there, and where they differ. */
export class Disagrees extends Schema.TaggedError<Disagrees>()("Disagrees", {
  message: Schema.String
}) {}

interface ChatState {
  name: string | undefined
  isFavorite: boolean
  message: UserSystemMessageId | undefined
  readonly completions: Array<{ readonly id: CompletionId; readonly question: string }>
}

interface State {
  readonly chats: Map<ChatId, ChatState>
  readonly messages: Map<UserSystemMessageId, string>
}

const nth = <K, V>(map: ReadonlyMap<K, V>, which: number): readonly [K, V] | undefined =>
  map.size === 0 ? undefined : [...map][which % map.size]

const orDisagree = (what: string) =>
  Effect.mapError(
    (error: { readonly _tag: string; readonly message: string }) =>
      new Disagrees({ message: `${what} failed with ${error._tag}: ${error.message}` })
  )

/** Gives a command to the backend and, when it is done, to the model. */
const give = Effect.fnUntraced(function* (
  { chats, users }: ChatbotClient["Service"],
  botCode: string,
  state: State,
  command: Command
): Effect.fn.Return<void, { readonly _tag: string; readonly message: string }> {
  const [chatId, chat] = ("chat" in command ? nth(state.chats, command.chat) : undefined) ?? []
  const [messageId] = ("message" in command ? nth(state.messages, command.message) : undefined) ?? []
  const deleteChats = (isMeant: (chat: ChatState) => boolean) => {
    for (const [id, chat] of state.chats) if (isMeant(chat)) state.chats.delete(id)
  }
  switch (command._tag) {
    case "Create": {
      const { chatId } = yield* chats.createByBotCode(botCode)
      state.chats.set(chatId, { name: undefined, isFavorite: false, message: undefined, completions: [] })
      return
    }
    case "CreateMessage": {
      const { name } = command
      state.messages.set(yield* users.systemMessages.create({ displayName: name, systemMessage: name }), name)
      return
    }
    case "DeleteMessage":
      if (messageId === undefined) return
      yield* users.systemMessages.delete(messageId)
      state.messages.delete(messageId)
      for (const chat of state.chats.values()) if (chat.message === messageId) chat.message = undefined
      return
    case "DeleteAll":
      yield* users.deleteChats({ keepFavorites: command.keepFavorites })
      return deleteChats(({ isFavorite }) => !(command.keepFavorites && isFavorite))
    case "DeleteByMessage": {
      const [any] = state.chats.keys()
      if (messageId === undefined || any === undefined) return
      const { botId } = yield* chats.get(any)
      if (botId === undefined) return
      yield* users.deleteChatsByBotAndSystemMessage(botId, messageId, { keepFavorites: command.keepFavorites })
      return deleteChats(({ isFavorite, message }) => message === messageId && !(command.keepFavorites && isFavorite))
    }
  }
  if (chatId === undefined || chat === undefined) return
  switch (command._tag) {
    case "Ask": {
      const { question } = command
      const { chatDisplayName, completionId } = yield* chats.complete(chatId, question)
      // A chat without a name takes one from its first question; which one, the backend says.
      chat.name ??= chatDisplayName
      chat.completions.push({ id: completionId, question })
      return
    }
    case "Rename":
      yield* chats.rename(chatId, command.name)
      chat.name = command.name
      return
    case "SetFavorite":
      yield* users.setFavorite(chatId, command.isFavorite)
      chat.isFavorite = command.isFavorite
      return
    case "Follow":
      if (messageId === undefined) return
      yield* chats.setUserSystemMessage(chatId, messageId)
      chat.message = messageId
      return
    case "FollowNone":
      yield* chats.removeUserSystemMessage(chatId)
      chat.message = undefined
      return
    case "DeleteCompletion": {
      const completion = chat.completions[command.completion % Math.max(1, chat.completions.length)]
      if (completion === undefined) return
      yield* users.deleteCompletion(chatId, completion.id)
      chat.completions.splice(chat.completions.indexOf(completion), 1)
      return
    }
    case "Delete":
      yield* command.byUser ? users.deleteChat(chatId) : chats.delete(chatId)
      state.chats.delete(chatId)
  }
})

/** What of a chat both must agree on. Its name is that of its bot as long as it has none, so it is not looked at until then. */
const expected = (id: ChatId, { completions, isFavorite, message, name }: ChatState) => ({
  id,
  isFavorite,
  ...(name === undefined ? undefined : { name }),
  message: message ?? null,
  questions: completions.map(({ question }) => question)
})

const actual = Effect.fnUntraced(function* ({ chats, users }: ChatbotClient["Service"], { chats: known }: State) {
  const listed = yield* Stream.runCollect(users.chatItems({ pageSize: 5, orderBy: "chatId" }))
  return yield* Effect.forEach(listed, ({ chatId }) =>
    Effect.map(chats.get(chatId), ({ completions, displayName, isFavorite, userSystemMessageId }) => ({
      id: chatId,
      isFavorite,
      ...(known.get(chatId)?.name === undefined ? undefined : { name: displayName }),
      message: userSystemMessageId ?? null,
      questions: completions.map(({ userMessage }) => userMessage)
    }))
  )
})

/**
 * Gives the commands to the backend one by one, as a user who has no chats yet, in chats with the bot of this code, and compares all chats of
 * the user after each of them. What there is at the end is deleted.
 */
export const live = Effect.fn("ChatLife.live")(function* (
  botCode: string,
  commands: ReadonlyArray<Command>
): Effect.fn.Return<void, Disagrees, ChatbotClient> {
  const client = yield* ChatbotClient
  const state: State = { chats: new Map(), messages: new Map() }
  const cleanUp = Effect.gen(function* () {
    yield* client.users.deleteChats({ keepFavorites: false })
    yield* Effect.forEach(state.messages.keys(), (id) => client.users.systemMessages.delete(id))
  })
  const run = Effect.forEach(
    commands,
    Effect.fnUntraced(function* (command, index) {
      const what = `After ${commands
        .slice(0, index + 1)
        .map((command) => JSON.stringify(command))
        .join(", ")}`
      yield* orDisagree(what)(give(client, botCode, state, command))
      const there = yield* orDisagree(what)(actual(client, state))
      const wanted = [...state.chats].map(([id, chat]) => expected(id, chat)).toSorted((a, b) => (a.id < b.id ? -1 : 1))
      const different = differences(there, wanted)
      if (different.length > 0) return yield* new Disagrees({ message: [what, ...different].join("\n  ") })
    }),
    { discard: true }
  )
  yield* Effect.ensuring(run, Effect.ignore(cleanUp))
})
