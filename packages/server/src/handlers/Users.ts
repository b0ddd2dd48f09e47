import { Api } from "@effect-chatbot/api/Api"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { ChatService } from "../ChatService.ts"
import { bareText } from "../http/BareText.ts"
import { signedIn } from "../http/SignedIn.ts"
import { UserService } from "../UserService.ts"
import { UserSystemMessages } from "../UserSystemMessages.ts"

/** The handlers of the users group. */
export const layer = HttpApiBuilder.group(
  Api,
  "users",
  Effect.fnUntraced(function* (handlers) {
    const users = yield* UserService
    const chats = yield* ChatService
    const messages = yield* UserSystemMessages
    return handlers.handleAll({
      current: () => Effect.flatMap(signedIn, users.current),
      update: ({ payload }) => Effect.flatMap(signedIn, (user) => users.update(user, payload)),
      acceptTerms: () => Effect.flatMap(signedIn, users.acceptTerms),
      deleteChats: ({ params }) =>
        Effect.flatMap(signedIn, (user) => chats.deleteMany(user, { keepFavorites: params.keepfavorites })),
      deleteChat: ({ params }) => Effect.flatMap(signedIn, (user) => chats.deleteOwn(user, params.chatid)),
      deleteCompletion: ({ params }) =>
        Effect.flatMap(signedIn, (user) => chats.deleteCompletion(user, params.chatid, params.completionid)),
      deleteChatsByBot: ({ params }) =>
        Effect.flatMap(signedIn, (user) =>
          chats.deleteMany(user, { keepFavorites: params.keepfavorites, botId: params.botid })
        ),
      deleteChatsByBotAndSystemMessage: ({ params }) =>
        Effect.flatMap(signedIn, (user) =>
          chats.deleteMany(user, {
            keepFavorites: params.keepfavorites,
            botId: params.botid,
            userSystemMessageId: params.systemmessageid
          })
        ),
      chatsByBot: ({ params, query }) =>
        Effect.flatMap(signedIn, (user) => chats.list(user, query, { botId: params.botid })),
      chatsByBotAndSystemMessage: ({ params, query }) =>
        Effect.flatMap(signedIn, (user) =>
          chats.list(user, query, { botId: params.botid, userSystemMessageId: params.usersystempromptid })
        ),
      chats: ({ query }) => Effect.flatMap(signedIn, (user) => chats.list(user, query)),
      setFavorite: ({ params, payload }) =>
        Effect.flatMap(signedIn, (user) => chats.setFavorite(user, params.chatid, payload.isFavorite)),
      listSystemMessages: ({ query }) => Effect.flatMap(signedIn, (user) => messages.list(user, query)),
      createSystemMessage: ({ payload }) =>
        signedIn.pipe(
          Effect.flatMap((user) => messages.create(user, payload)),
          Effect.flatMap(bareText)
        ),
      getSystemMessage: ({ params }) =>
        Effect.flatMap(signedIn, (user) => messages.get(user, params.userSystemMessageId)),
      updateSystemMessage: ({ params, payload }) =>
        Effect.flatMap(signedIn, (user) => messages.update(user, params.userSystemMessageId, payload)),
      deleteSystemMessage: ({ params }) =>
        Effect.flatMap(signedIn, (user) => messages.delete(user, params.userSystemMessageId)),
      countSystemMessages: () => Effect.flatMap(signedIn, messages.count)
    })
  })
)
