/**
 * Chats and the completions in them.
 */
import * as Schema from "effect/Schema"
import { BotId, ChatId, CompletionId, FeedbackId, SourceId, UserSystemMessageId } from "./Ids.ts"
import { flag, int, list, nullable, omittable, optionalId, text, utc } from "./internal/wire.ts"
import * as Page from "./Page.ts"

/** What a new chat is made from. */
export const CreateChat = Schema.Struct({
  botId: BotId
}).annotate({ identifier: "ChatCreateRequestDto" })

/** What a new chat is made from. */
export interface CreateChat extends Schema.Schema.Type<typeof CreateChat> {}

/** What a new chat is made from, by the code of the bot. */
export const CreateChatByBotCode = Schema.Struct({
  botCode: Schema.NonEmptyString
}).annotate({ identifier: "ChatCreateByBotCodeRequestDto" })

/** What a new chat is made from, by the code of the bot. */
export interface CreateChatByBotCode extends Schema.Schema.Type<typeof CreateChatByBotCode> {}

/** A chat just created, with what to greet the user with. */
export const CreatedChat = Schema.Struct({
  chatId: ChatId,
  botId: optionalId(BotId),
  botDisplayName: text,
  botDisplayMessage: text,
  botDescription: text,
  botSampleQuestion1: text,
  botSampleQuestion2: text,
  isUserSystemMessageSupported: flag
}).annotate({ identifier: "ChatCreateResponseDto" })

/** A chat just created, with what to greet the user with. */
export interface CreatedChat extends Schema.Schema.Type<typeof CreatedChat> {}

/** A document that an answer was drawn from. */
export const InformationSource = Schema.Struct({
  id: optionalId(SourceId),
  fileName: text,
  /** Where the file can be downloaded, with a ticket or a token. */
  url: text,
  /** The language of the document as a BCP 47 tag. */
  language: text,
  /** Where a one-time ticket for the download is made, by POST. */
  createTicketUrl: text
}).annotate({ identifier: "InformationSource" })

/** A document that an answer was drawn from. */
export interface InformationSource extends Schema.Schema.Type<typeof InformationSource> {}

/** What belongs to an answer beside its text. */
export const CompletionMetaData = Schema.Struct({
  tags: list(Schema.String),
  sources: list(InformationSource)
}).annotate({ identifier: "ChatCompletionMetaData" })

/** What belongs to an answer beside its text. */
export interface CompletionMetaData extends Schema.Schema.Type<typeof CompletionMetaData> {}

/** A question to a bot. */
export const CompletionRequest = Schema.Struct({
  userMessage: Schema.NonEmptyString,
  /** Answer as if this were the first question of the chat. */
  ignoreChatHistory: flag,
  /** Ask as an admin of the bot; refused to others. */
  isAdminChat: flag,
  /** Ask for the trace log of the answer; refused to those who are no admin of the bot. */
  isTraceLogEnabled: flag
}).annotate({ identifier: "ChatCompletionRequestDto" })

/** A question to a bot. */
export interface CompletionRequest extends Schema.Schema.Type<typeof CompletionRequest> {}

/** A question and its answer, as it comes back from asking. */
export const Completion = Schema.Struct({
  completionId: CompletionId,
  chatId: optionalId(ChatId),
  userMessage: text,
  assistantMessage: text,
  promptTokens: int,
  completionTokens: int,
  totalTokens: int,
  /** The bot that answered; not the bot of the chat where that is a start bot. */
  botId: optionalId(BotId),
  botDisplayName: text,
  botDisplayMessage: text,
  botDescription: text,
  chatDisplayName: text,
  metaData: omittable(CompletionMetaData),
  /** How the answer came about, line by line, where it was asked for. */
  traceLog: text
}).annotate({ identifier: "ChatCompletionResponseDto" })

/** A question and its answer, as it comes back from asking. */
export interface Completion extends Schema.Schema.Type<typeof Completion> {}

/** A question and its answer, as a chat keeps it. */
export const StoredCompletion = Schema.Struct({
  completionId: CompletionId,
  userMessage: text,
  assistantMessage: text,
  createdUtc: utc,
  metaData: omittable(CompletionMetaData)
}).annotate({ identifier: "GetChatResponseCompletionDto" })

/** A question and its answer, as a chat keeps it. */
export interface StoredCompletion extends Schema.Schema.Type<typeof StoredCompletion> {}

/** A chat with all its completions, oldest first. */
export const Chat = Schema.Struct({
  chatId: ChatId,
  displayName: text,
  createdUtc: utc,
  lastAccessedUtc: utc,
  botId: optionalId(BotId),
  botDisplayName: text,
  botDisplayMessage: text,
  botDescription: text,
  botSampleQuestion1: text,
  botSampleQuestion2: text,
  completions: list(StoredCompletion),
  isFavorite: flag,
  isUserSystemMessageSupported: flag,
  userSystemMessageId: optionalId(UserSystemMessageId),
  userSystemMessageDisplayName: text
}).annotate({ identifier: "GetChatResponseDto" })

/** A chat with all its completions, oldest first. */
export interface Chat extends Schema.Schema.Type<typeof Chat> {}

/** A chat as it stands in a list. */
export const ChatSummary = Schema.Struct({
  chatId: ChatId,
  displayName: text,
  lastAccessedUtc: utc,
  botId: optionalId(BotId),
  botDisplayName: text,
  userSystemMessageId: optionalId(UserSystemMessageId),
  userSystemMessageDisplayName: text,
  isFavorite: flag
}).annotate({ identifier: "GetChatsResponseItemDto" })

/** A chat as it stands in a list. */
export interface ChatSummary extends Schema.Schema.Type<typeof ChatSummary> {}

/** A page of chats. */
export const ChatPage = Page.Page(ChatSummary, "GetChatsResponseItemDtoPagingResult")

/** Which chats of a user. */
export interface ChatQuery extends Page.PageQuery {
  /** Only favourites; all by default. */
  readonly onlyFavorites?: boolean | undefined
}

/** A new name for a chat. */
export const RenameChat = Schema.Struct({
  displayName: Schema.NonEmptyString
}).annotate({ identifier: "UpdateChatDisplayNameRequestDto" })

/** A new name for a chat. */
export interface RenameChat extends Schema.Schema.Type<typeof RenameChat> {}

/** The user system message a chat is to follow. */
export const SetChatUserSystemMessage = Schema.Struct({
  userSystemMessageId: UserSystemMessageId
}).annotate({ identifier: "UpdateChatUserSystemMessageRequestDto" })

/** The user system message a chat is to follow. */
export interface SetChatUserSystemMessage extends Schema.Schema.Type<typeof SetChatUserSystemMessage> {}

/** Whether a chat is a favourite. */
export const SetFavorite = Schema.Struct({
  isFavorite: flag
}).annotate({ identifier: "ChatUpdateIsFavoriteRequestDto" })

/** Whether a chat is a favourite. */
export interface SetFavorite extends Schema.Schema.Type<typeof SetFavorite> {}

/** The votes the contract gives a meaning. Any other int32 is kept as it was sent. */
export const Vote = { up: 1, withdrawn: 0, down: -1 } as const

/** What a user thinks of an answer. */
export const Feedback = Schema.Struct({
  chatId: nullable(ChatId),
  userMessage: text,
  assistantMessage: text,
  messageCreatedUtc: utc,
  userComment: text,
  /** See {@link Vote}. */
  voteId: int
}).annotate({ identifier: "BotFeedbackRequestDto" })

/** What a user thinks of an answer. */
export interface Feedback extends Schema.Schema.Type<typeof Feedback> {}

/** A feedback that was stored. */
export const StoredFeedback = Schema.Struct({
  feedbackId: FeedbackId
}).annotate({ identifier: "BotFeedbackResponseDto" })

/** A feedback that was stored. */
export interface StoredFeedback extends Schema.Schema.Type<typeof StoredFeedback> {}
