/**
 * What the document says of each operation, by its id. It does not stand on the endpoints: a client has those in its bundle, and no use for
 * the texts.
 */
export const texts: { readonly [id: string]: { readonly summary: string; readonly description: string } } = {
  AdminGetOpenAiServices: {
    summary: "List the OpenAI services",
    description: "A page of the OpenAI services, without their endpoints and keys."
  },
  AdminCreateOpenAiService: {
    summary: "Create an OpenAI service",
    description: "Answers the id of the new service. Its key is stored and never told again."
  },
  AdminGetOpenAiService: {
    summary: "Get an OpenAI service",
    description: "One OpenAI service. `isAzureOpenAiSet` says whether a key is stored."
  },
  AdminUpdateOpenAiService: {
    summary: "Update an OpenAI service",
    description: "Endpoint and key are changed only when `isUpdateOpenAi` is true."
  },
  AdminDeleteOpenAiService: {
    summary: "Delete an OpenAI service",
    description:
      "The path is singular, unlike those of the other four. Bots that used the service answer by the embedded provider."
  },
  AdminGetBots: {
    summary: "List the bots",
    description: "A page of all bots, active or not, without their prompts."
  },
  AdminCreateBot: {
    summary: "Create a bot",
    description: "Makes a bot of one of the `implementationTypes`; another type is refused. Its code must be free."
  },
  AdminGetStartBots: {
    summary: "List the start bots",
    description: "A page of the bots that route to others, active or not."
  },
  AdminGetBotImplementationTypes: {
    summary: "List the implementation types",
    description: "The types of bots that can be created."
  },
  AdminStopAllBots: {
    summary: "Stop or release all bots",
    description: "While the bots are stopped, completions answer 503 `BotsStopped`; those that run are broken off."
  },
  AdminGetBot: {
    summary: "Get a bot",
    description: "One bot with its prompt and its logins, which only admins see."
  },
  AdminUpdateBot: {
    summary: "Update a bot",
    description: "Changes all of a bot but its type; what is absent is cleared."
  },
  AdminDeleteBot: {
    summary: "Delete a bot",
    description:
      "Deletes a bot with its links, facts, documents, feedback and configurations. Chats with it stay readable; nothing can be asked in them."
  },
  AdminGetBotFacts: {
    summary: "List the facts of a bot",
    description: "A page of what an admin told the bot, active or not."
  },
  AdminCreateBotFact: {
    summary: "Create a fact",
    description: "Tells the bot a fact. The very next answer knows it."
  },
  AdminUpdateBotFact: {
    summary: "Update a fact",
    description: "Changes a fact, or switches it on or off. The very next answer follows."
  },
  AdminDeleteBotFact: {
    summary: "Delete a fact",
    description: "The very next answer does not know it any more."
  },
  AdminGetStartBotBots: {
    summary: "List the bots of a start bot",
    description: "A page of the bots that a start bot routes to, active or not."
  },
  AdminGetStartBotUnassignedBots: {
    summary: "List the other bots",
    description: "A page of the bots that a start bot could route to and does not."
  },
  AdminCreateStartBotBot: {
    summary: "Link a bot to a start bot",
    description: "Lets the start bot route to the bot. A start bot cannot be linked."
  },
  AdminUpdateStartBotBot: {
    summary: "Update a link",
    description: "Changes the keywords of a link and whether it is the default."
  },
  AdminDeleteStartBotBot: {
    summary: "Unlink a bot",
    description: "Lets the start bot route to the bot no more."
  },
  AdminGetBotFeedback: {
    summary: "List the feedback about a bot",
    description: "A page of what users said about its answers, the latest first."
  },
  AdminUpdateBotFeedback: {
    summary: "Update a feedback",
    description: "Sets the status and the comment of an admin: 0 new, 1 in work, 2 done."
  },
  AdminGetAcsBotConfiguration: {
    summary: "Get the configuration of Azure Cognitive Search",
    description: "What is stored, but for the secrets."
  },
  AdminUpdateAcsBotConfiguration: {
    summary: "Update the configuration of Azure Cognitive Search",
    description:
      "Stores it, its secrets encrypted and changed only where `isUpdateBlobClient` and `isUpdateSearchClient` say so."
  },
  AdminGetAzureOpenAISearchBotConfiguration: {
    summary: "Get the configuration of the search of Azure OpenAI",
    description: "What is stored, but for the secrets."
  },
  AdminUpdateAzureOpenAISearchBotConfiguration: {
    summary: "Update the configuration of the search of Azure OpenAI",
    description:
      "Stores it, its secrets encrypted and changed only where `isUpdateBlobClient` and `isUpdateSearchClient` say so."
  },
  AdminGetBotConfiguration: {
    summary: "Get the configuration of a bot",
    description: "The text that was stored."
  },
  AdminUpdateBotConfiguration: {
    summary: "Update the configuration of a bot",
    description: "Stores a text for programs beside the backend, which only keeps it."
  },
  SearchBotByStartBot: {
    summary: "Find the bot for a message",
    description:
      "Answers the id of the bot that should take this message: for a start bot the best of its linked bots, else its default bot; for any other bot that bot itself."
  },
  GetBots: {
    summary: "List the bots",
    description: "A page of the bots the user may chat with."
  },
  GetBotsByStartBot: {
    summary: "List the bots of a start bot",
    description: "A page of the bots that a start bot routes to."
  },
  GetStartBots: {
    summary: "List the start bots",
    description: "A page of the bots that route to others."
  },
  GetBotImage: {
    summary: "Get the image of a bot",
    description: "A PNG, JPEG, WebP or GIF, with an `ETag`. Without a token only the image of the open bot is shown."
  },
  IsStopAllBots: {
    summary: "Stop all bots",
    description:
      "Breaks off every running completion of every bot and answers `true`. It changes state although it is a GET."
  },
  DeleteCacheAsync: {
    summary: "Clear the caches",
    description: "Drops every cache of the backend. The path has no `/api`."
  },
  CreateChat: {
    summary: "Create a chat",
    description: "Creates a chat with a bot. Without a token only the open bot can be chatted with."
  },
  CreateChatByBotCode: {
    summary: "Create a chat by the code of a bot",
    description: "Creates a chat with the bot of this code. Without a token only the open bot can be chatted with."
  },
  ChatCompletion: {
    summary: "Ask a question in a chat",
    description:
      "Answers when the bot has answered, and stores both; or, where `text/event-stream` is preferred, with the events of the answer as they come. The `Completion-Id` header of those names the answer. A chat answers one question at a time. Leaving does not stop the answer."
  },
  GetChatCompletionEvents: {
    summary: "Follow an answer",
    description:
      "The events of an answer after the one that `Last-Event-ID` names, and then the others as they come, each once and in order. They can be read until 24 hours after its end."
  },
  StopChatCompletion: {
    summary: "Stop an answer",
    description: "Ends an answer where it is, and stores it so. Of one that has ended already nothing changes."
  },
  GetOpenChatBotId: {
    summary: "Get the open bot",
    description: "The bot that may be used without a token, if there is one."
  },
  GetChat: {
    summary: "Get a chat",
    description: "A chat with all its completions, oldest first."
  },
  DeleteChat: {
    summary: "Delete a chat",
    description: "Deletes a chat and its completions. What it used stays in the statistic."
  },
  BotFeedback: {
    summary: "Give feedback",
    description: "`voteId` is 1 for up, -1 for down and 0 for withdrawn; any other int32 is kept as sent."
  },
  UpdateChatDisplayName: {
    summary: "Rename a chat",
    description: "Gives a chat another display name."
  },
  UpdateChatUserSystemMessage: {
    summary: "Attach a user system message to a chat",
    description: "The chat follows this user system message from its next question on."
  },
  DeleteChatUserSystemMessage: {
    summary: "Detach the user system message from a chat",
    description: "The message itself stays."
  },
  CreateChatOneTimeticket: {
    summary: "Create a ticket for a download",
    description: "Answers a ticket that opens one download of this chat, once, within 60 seconds, without a token."
  },
  GetChatDownload: {
    summary: "Download a file",
    description:
      "A file that a source of the chat names, by a ticket or by the token of the owner of the chat. The path may contain slashes; a range may be asked for."
  },
  UpdateStatistic: {
    summary: "Recompute the statistic",
    description: "Computes the statistic anew from the ledger of token usage."
  },
  GetTokenUsageStatistic: {
    summary: "List the token usage",
    description: "A page of the statistic: a row for each day, bot and kind of use."
  },
  GetCurrentSystemStatus: {
    summary: "Get the status of the system",
    description: "A text shown to users; empty when all is well."
  },
  SetCurrentSystemStatus: {
    summary: "Set the status of the system",
    description: "The text is shown to users; empty when all is well."
  },
  GetCurrentUser: {
    summary: "Get the current user",
    description: "The user whose token was sent."
  },
  UpdateCurrentUser: {
    summary: "Update the current user",
    description: "Sets how long the chats of the user are kept."
  },
  AcceptTerms: {
    summary: "Accept the terms",
    description: "Records that the user accepts the terms, and when. It cannot be taken back."
  },
  DeleteCurrentUserChats: {
    summary: "Delete all chats",
    description: "Deletes every chat of the user, or every one but the favourites."
  },
  DeleteCurrentUserChatById: {
    summary: "Delete a chat",
    description: "Deletes one chat of the user and its completions."
  },
  DeleteCurrentUserChatCompletionById: {
    summary: "Delete a completion",
    description: "Deletes one question of a chat and its answer."
  },
  DeleteCurrentUserChatsByBotId: {
    summary: "Delete the chats with a bot",
    description: "Deletes the chats of the user with one bot, or all of them but the favourites."
  },
  DeleteCurrentUserChatsByBotIdAndSystemMessageId: {
    summary: "Delete the chats with a bot and a user system message",
    description:
      "Deletes the chats of the user with one bot that follow one user system message, or all of them but the favourites."
  },
  GetCurrentUserChatsByBot: {
    summary: "List the chats with a bot",
    description: "A page of the chats of the user with one bot."
  },
  GetCurrentUserChatsByBotAndSystemprompt: {
    summary: "List the chats with a bot and a user system message",
    description: "A page of the chats of the user with one bot that follow one user system message."
  },
  GetCurrentUserChats: {
    summary: "List the chats",
    description: "A page of the chats of the user, latest first unless another order is asked for."
  },
  UpdateChatIsFavorite: {
    summary: "Set whether a chat is a favourite",
    description: "Makes a chat a favourite, or no favourite any more."
  },
  GetUserSystemMessages: {
    summary: "List the user system messages",
    description: "A page of the user system messages of the user, without their texts."
  },
  CreateUserSystemMessage: {
    summary: "Create a user system message",
    description: "Answers the id of the new user system message."
  },
  GetUserSystemMessage: {
    summary: "Get a user system message",
    description: "One user system message with its text."
  },
  UpdateUserSystemMessage: {
    summary: "Update a user system message",
    description: "Chats that follow it follow the new text from their next question on."
  },
  DeleteUserSystemMessage: {
    summary: "Delete a user system message",
    description: "Chats that followed it stay, and follow none."
  },
  GetUserSystemMessageCount: {
    summary: "Count the user system messages",
    description: "How many user system messages the user has."
  }
}
