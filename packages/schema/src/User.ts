/**
 * The user who calls, and that user's standing instructions for bots.
 */
import * as Schema from "effect/Schema"
import { UserId, UserSystemMessageId } from "./Ids.ts"
import { flag, int, Int32, list, orElse, text } from "./internal/wire.ts"
import * as Page from "./Page.ts"

/** The user who calls. */
export const CurrentUser = Schema.Struct({
  id: UserId,
  login: text,
  /** `Admin` and `User` on a backend of this project. */
  roles: list(Schema.String),
  isTermsAccepted: flag,
  isKeepChatHistory: flag,
  keepChatHistoryForDays: int,
  isKeepFavoritesForever: flag
}).annotate({ identifier: "CurrentUserDto" })

/** The user who calls. */
export interface CurrentUser extends Schema.Schema.Type<typeof CurrentUser> {}

/** How long the chats of the current user are kept. */
export const UpdateCurrentUser = Schema.Struct({
  /** Whether chats are kept at all; if not, they go once they have been left for an hour. */
  isKeepChatHistory: flag,
  /** How many days a chat is kept after its last use; 0 is for ever. */
  keepChatHistoryForDays: orElse(Int32.check(Schema.isGreaterThanOrEqualTo(0)), 0),
  /** Whether favourites are kept whatever the other two say. */
  isKeepFavoritesForever: flag
}).annotate({ identifier: "UpdateUserRequestDto" })

/** How long the chats of the current user are kept. */
export interface UpdateCurrentUser extends Schema.Schema.Type<typeof UpdateCurrentUser> {}

/** A user's standing instruction, as it stands in a list: without its text. */
export const UserSystemMessageSummary = Schema.Struct({
  userSystemMessageId: UserSystemMessageId,
  displayName: text
}).annotate({ identifier: "GetUserSystemMessagesResponseItemDto" })

/** A user's standing instruction, as it stands in a list: without its text. */
export interface UserSystemMessageSummary extends Schema.Schema.Type<typeof UserSystemMessageSummary> {}

/** A page of user system messages. */
export const UserSystemMessagePage = Page.Page(
  UserSystemMessageSummary,
  "GetUserSystemMessagesResponseItemDtoPagingResult"
)

/** A user's standing instruction for bots. */
export const UserSystemMessage = Schema.Struct({
  userSystemMessageId: UserSystemMessageId,
  displayName: text,
  systemMessage: text
}).annotate({ identifier: "GetUserSystemMessageResponseDto" })

/** A user's standing instruction for bots. */
export interface UserSystemMessage extends Schema.Schema.Type<typeof UserSystemMessage> {}

/** What a user system message is made of, new or changed. */
export const EditUserSystemMessage = Schema.Struct({
  displayName: Schema.NonEmptyString,
  systemMessage: Schema.NonEmptyString
}).annotate({ identifier: "UpdateUserSystemMessageRequestDto" })

/** What a user system message is made of, new or changed. */
export interface EditUserSystemMessage extends Schema.Schema.Type<typeof EditUserSystemMessage> {}

/** How many user system messages the current user has. */
export const UserSystemMessageCount = Schema.Struct({
  systemMessageCount: int
}).annotate({ identifier: "GetUserSystemMessageCountResponseDto" })

/** How many user system messages the current user has. */
export interface UserSystemMessageCount extends Schema.Schema.Type<typeof UserSystemMessageCount> {}
