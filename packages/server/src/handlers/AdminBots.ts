import { Api } from "@effect-chatbot/api/Api"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { AzureConfigurations } from "../AzureConfigurations.ts"
import { BotAdministration, implementationTypes } from "../BotAdministration.ts"
import { BotFacts } from "../BotFacts.ts"
import { BotFeedbacks } from "../BotFeedbacks.ts"
import { BotLinks } from "../BotLinks.ts"
import { CompletionRuns } from "../CompletionRuns.ts"
import { signedIn } from "../http/SignedIn.ts"

/** The handlers of the adminBots group. */
export const layer = HttpApiBuilder.group(
  Api,
  "adminBots",
  Effect.fnUntraced(function* (handlers) {
    const azure = yield* AzureConfigurations
    const bots = yield* BotAdministration
    const facts = yield* BotFacts
    const feedbacks = yield* BotFeedbacks
    const links = yield* BotLinks
    const runs = yield* CompletionRuns
    return handlers.handleAll({
      list: ({ query }) => Effect.flatMap(signedIn, (user) => bots.list(user, query)),
      create: ({ payload }) => Effect.map(bots.create(payload), (botId) => ({ botId })),
      listStartBots: ({ query }) => Effect.flatMap(signedIn, (user) => bots.startBots(user, query)),
      implementationTypes: () => Effect.succeed(implementationTypes),
      setStopped: ({ params }) => runs.setStopped(params.isStopAllBots),
      get: ({ params }) => Effect.flatMap(signedIn, (user) => bots.get(user, params.botId)),
      update: ({ params, payload }) => bots.update(params.botId, payload),
      delete: ({ params }) => bots.delete(params.botId),
      listFacts: ({ params, query }) => facts.list(params.botId, query),
      createFact: ({ params, payload }) =>
        Effect.map(facts.create(params.botId, payload), (botFactId) => ({ botFactId })),
      updateFact: ({ params, payload }) => facts.update(params.botId, params.botFactId, payload),
      deleteFact: ({ params }) => facts.delete(params.botId, params.botFactId),
      listLinks: ({ params, query }) => links.list(params.startBotId, query),
      listUnassigned: ({ params, query }) => links.unassigned(params.startBotId, query),
      createLink: ({ params, payload }) => links.create(params.startBotId, params.botId, payload),
      updateLink: ({ params, payload }) => links.update(params.startBotId, params.botId, payload),
      deleteLink: ({ params }) => links.delete(params.startBotId, params.botId),
      listFeedback: ({ params, query }) => feedbacks.list(params.botId, query),
      updateFeedback: ({ params, payload }) => feedbacks.update(params.botId, params.feedbackId, payload),
      getAcsConfiguration: ({ params }) => azure.acs(params.botId),
      updateAcsConfiguration: ({ params, payload }) => azure.setAcs(params.botId, payload),
      getSearchConfiguration: ({ params }) => azure.search(params.botId),
      updateSearchConfiguration: ({ params, payload }) => azure.setSearch(params.botId, payload),
      getConfiguration: ({ params }) => bots.configuration(params.botId),
      updateConfiguration: ({ params, payload }) => bots.setConfiguration(params.botId, payload)
    })
  })
)
