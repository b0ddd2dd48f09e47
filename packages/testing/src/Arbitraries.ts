/**
 * Arbitrary values of the models, for tests by properties: what a backend may answer, absent fields included.
 *
 * ```ts
 * it.effect.prop("shows every chat", { chat: Arbitraries.chat }, ({ chat }) => …)
 * ```
 */
import * as AdminBot from "@effect-chatbot/schema/AdminBot"
import * as AzureConfiguration from "@effect-chatbot/schema/AzureConfiguration"
import * as Bot from "@effect-chatbot/schema/Bot"
import * as BotFact from "@effect-chatbot/schema/BotFact"
import * as BotFeedback from "@effect-chatbot/schema/BotFeedback"
import * as BotLink from "@effect-chatbot/schema/BotLink"
import * as Chat from "@effect-chatbot/schema/Chat"
import * as CompletionEvent from "@effect-chatbot/schema/CompletionEvent"
import * as OpenAiService from "@effect-chatbot/schema/OpenAiService"
import * as TokenUsage from "@effect-chatbot/schema/TokenUsage"
import * as User from "@effect-chatbot/schema/User"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"

/** Of the values that programs have, and not of what they are on the wire. */
const of = <S extends Schema.Constraint>(model: S): Arbitrary.Arbitrary<S["Type"]> =>
  Arbitrary.schema(Schema.toType(model))

/** A bot as users see it. */
export const bot: Arbitrary.Arbitrary<Bot.Bot> = of(Bot.Bot)
/** A page of bots. */
export const botPage: Arbitrary.Arbitrary<typeof Bot.BotPage.Type> = of(Bot.BotPage)
/** The open bot. */
export const openChatBot: Arbitrary.Arbitrary<Bot.OpenChatBot> = of(Bot.OpenChatBot)
/** A chat that was just created. */
export const createdChat: Arbitrary.Arbitrary<Chat.CreatedChat> = of(Chat.CreatedChat)
/** A chat with its completions. */
export const chat: Arbitrary.Arbitrary<Chat.Chat> = of(Chat.Chat)
/** A chat in a list. */
export const chatSummary: Arbitrary.Arbitrary<Chat.ChatSummary> = of(Chat.ChatSummary)
/** A page of chats. */
export const chatPage: Arbitrary.Arbitrary<typeof Chat.ChatPage.Type> = of(Chat.ChatPage)
/** A question with its answer. */
export const completion: Arbitrary.Arbitrary<Chat.Completion> = of(Chat.Completion)
/** A question with its answer, as a chat keeps it. */
export const storedCompletion: Arbitrary.Arbitrary<Chat.StoredCompletion> = of(Chat.StoredCompletion)
/** An event of an answer that is streamed. */
export const completionEvent: Arbitrary.Arbitrary<CompletionEvent.CompletionEvent> = of(CompletionEvent.CompletionEvent)
/** What a user thinks of an answer. */
export const feedback: Arbitrary.Arbitrary<Chat.Feedback> = of(Chat.Feedback)
/** The user who calls. */
export const currentUser: Arbitrary.Arbitrary<User.CurrentUser> = of(User.CurrentUser)
/** A standing instruction of a user. */
export const userSystemMessage: Arbitrary.Arbitrary<User.UserSystemMessage> = of(User.UserSystemMessage)
/** One in a list. */
export const userSystemMessageSummary: Arbitrary.Arbitrary<User.UserSystemMessageSummary> = of(
  User.UserSystemMessageSummary
)
/** What was used on a day. */
export const tokenUsage: Arbitrary.Arbitrary<TokenUsage.TokenUsage> = of(TokenUsage.TokenUsage)
/** An OpenAI service. */
export const openAiService: Arbitrary.Arbitrary<OpenAiService.OpenAiService> = of(OpenAiService.OpenAiService)
/** One in a list. */
export const openAiServiceSummary: Arbitrary.Arbitrary<OpenAiService.OpenAiServiceSummary> = of(
  OpenAiService.OpenAiServiceSummary
)
/** A bot as admins see it. */
export const adminBot: Arbitrary.Arbitrary<AdminBot.AdminBot> = of(AdminBot.AdminBot)
/** One in a list. */
export const adminBotSummary: Arbitrary.Arbitrary<AdminBot.AdminBotSummary> = of(AdminBot.AdminBotSummary)
/** A fact of a bot. */
export const botFact: Arbitrary.Arbitrary<BotFact.BotFact> = of(BotFact.BotFact)
/** Feedback that a bot was given. */
export const botFeedback: Arbitrary.Arbitrary<BotFeedback.BotFeedback> = of(BotFeedback.BotFeedback)
/** A bot that a start bot routes to. */
export const linkedBot: Arbitrary.Arbitrary<BotLink.LinkedBot> = of(BotLink.LinkedBot)
/** A bot that it could route to. */
export const unassignedBot: Arbitrary.Arbitrary<BotLink.UnassignedBot> = of(BotLink.UnassignedBot)
/** What a bot on Azure Cognitive Search is configured with. */
export const acsConfiguration: Arbitrary.Arbitrary<AzureConfiguration.AcsConfiguration> = of(
  AzureConfiguration.AcsConfiguration
)
/** What a bot on Azure OpenAI with search is configured with. */
export const azureOpenAiSearchConfiguration: Arbitrary.Arbitrary<AzureConfiguration.AzureOpenAiSearchConfiguration> =
  of(AzureConfiguration.AzureOpenAiSearchConfiguration)
