import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Check, checksOf, contract, decision } from "./Check.ts"
import { ask, type Input } from "./exchange.ts"
import {
  conforms,
  equals,
  fields,
  hasStatus,
  holds,
  itemsOf,
  json,
  ok,
  prepared,
  seen,
  skip,
  success,
  text
} from "./expect.ts"
import * as Given from "./given.ts"
import { type List, listChecks } from "./lists.ts"
import type { OperationName } from "./operations.ts"
import { described, misses, nobodys, refuses, removes } from "./patterns.ts"
import { Target } from "./Target.ts"

const check = checksOf("administration")

const admin = ["admin"] as const
const user = ["user", "admin"] as const

const term = (value: string) => ({ value, valueDe: value })
const Term = Schema.Struct({ value: text, valueDe: text })

/** A list of bots. */
const bots = { items: "bots", id: "botId", needs: admin, makes: admin } as const
const named = (text: string, payload: { readonly [field: string]: Schema.Json } = {}) =>
  Effect.map(Given.bot({ ...payload, displayNameTv: term(text) }), ({ botId }) => botId)

const missingBot = Effect.map(Target, ({ name }): Input => ({
  params: { botId: nobodys, startBotId: nobodys },
  payload: Given.botPayload(name("nothing"))
}))

const factPayload = (factText: string) => ({ isActive: true, factText })

/** A new fact of a bot. It goes with the bot. */
const fact = (botId: string, factText: string) =>
  prepared(
    Effect.flatMap(ok("adminBots.createFact", { params: { botId }, payload: factPayload(factText) }), (answer) =>
      Effect.map(fields(answer, { botFactId: Schema.NonEmptyString }), ({ botFactId }) => botFactId)
    )
  )

const facts = Schema.Struct({ botFactId: Schema.String, factText: text, isActive: Schema.Boolean })

const factsOf = (botId: string) => seen("adminBots.listFacts", { params: { botId } }, { items: Schema.Array(facts) })

const missingFact = Effect.map(Given.bot(), ({ botId }) => ({
  params: { botId, botFactId: nobodys },
  payload: factPayload("A fact.")
}))

/** A start bot with a bot that it could route to. */
const pair = Effect.gen(function* () {
  const { botId: startBotId } = yield* Given.startBot
  const { botId } = yield* Given.bot()
  return { startBotId, botId }
})

const links = {
  items: Schema.Array(Schema.Struct({ botId: Schema.String, isDefaultBot: Schema.Boolean, keywords: text }))
}

const linkPayload = { isDefaultBot: true, keywords: "zebra, stripes" }

const linksOf = (startBotId: string) => seen("adminBots.listLinks", { params: { startBotId } }, links)

const missingLink = Effect.map(pair, (params) => ({ params, payload: linkPayload }))

/** A new feedback about an answer of a bot. It goes with the chat that it is about. */
const feedback = Effect.fnUntraced(function* (botId: string, userComment: string, voteId = 1) {
  const { chatId } = yield* Given.chat("user", { botId })
  const payload = { userMessage: "What?", assistantMessage: "That.", userComment, voteId }
  const { body } = yield* seen("chats.feedback", { params: { chatId }, payload }, { feedbackId: Schema.String })
  return body.feedbackId
})

const said = { id: Schema.String, userMessage: text, assistantMessage: text, userComment: text, voteId: Schema.Finite }

const stopping = ["admin", "bot", "destruction"] as const

/** A question that is answered, which may be stopped: bots answer again with the end of the scope. */
const stoppable = Effect.gen(function* () {
  const { question } = yield* Target
  const { chatId } = yield* Given.chat()
  const answer = ask("chats.complete", { params: { chatId }, payload: { userMessage: question } })
  if ((yield* prepared(answer)).status === 503) return yield* skip("let bots answer: they are stopped")
  const go = { params: { isStopAllBots: "false" } }
  yield* Effect.addFinalizer(() => Given.restored("stopped bots", "adminBots.setStopped", go))
  return { answer }
})

/** What is stored of a configuration is kept, but for secrets, of which it is only told that they are there. */
const configurationChecks = (
  [get, update]: readonly [OperationName, OperationName],
  what: string,
  settings: { readonly [field: string]: Schema.Json }
): ReadonlyArray<Check> => {
  const clients = {
    isUpdateBlobClient: true,
    blobClientConnectionString: `DefaultEndpointsProtocol=https;AccountName=conformance;AccountKey=${btoa("a key of nobody")};EndpointSuffix=core.windows.net`,
    isUpdateSearchClient: true,
    searchClientEndpoint: "https://search.invalid/",
    searchClientCredential: "a credential of nobody"
  }
  const connections = {
    isBlobServiceClientSet: Schema.Boolean,
    isSearchClientSet: Schema.Boolean,
    searchClientEndpoint: text
  }
  const connected = {
    isBlobServiceClientSet: true,
    isSearchClientSet: true,
    searchClientEndpoint: clients.searchClientEndpoint
  }
  return [
    described(
      check,
      get,
      `${what} that nobody has stored is empty`,
      admin,
      Effect.gen(function* () {
        const { botId } = yield* Given.bot()
        const answer = yield* success(get, { params: { botId } })
        const { isBlobServiceClientSet, isSearchClientSet } = yield* fields(answer, connections)
        yield* holds(answer, !isBlobServiceClientSet && !isSearchClientSet, "a configuration without connections")
      })
    ),
    misses(check, get, "The configuration of a bot", admin, missingBot),
    described(
      check,
      update,
      `${what} that is stored is told, and what it connects with is kept`,
      admin,
      Effect.gen(function* () {
        const { botId } = yield* Given.bot()
        const params = { botId }
        yield* success(update, { params, payload: { ...clients, ...settings } })
        const { answer, body } = yield* seen(get, { params }, connections)
        yield* equals(answer, "a configuration with", body, connected)
        const names = Object.keys(settings).map((name) => [name, Schema.Json] as const)
        const stored = yield* prepared(fields(answer, Object.fromEntries(names)))
        yield* equals(answer, "settings", stored, settings)
      })
    ),
    check(
      `${update}/keeps-what-is-not-to-change`,
      {
        title: "Without isUpdateBlobClient and isUpdateSearchClient, the connections stay as they are",
        source: contract,
        needs: admin,
        also: [get]
      },
      Effect.gen(function* () {
        const { botId } = yield* Given.bot()
        const params = { botId }
        yield* prepared(ok(update, { params, payload: { ...clients, indexName: "first" } }))
        const unchanged = { isUpdateBlobClient: false, isUpdateSearchClient: false, indexName: "second" }
        yield* ok(update, { params, payload: unchanged })
        const { answer, body } = yield* seen(get, { params }, { ...connections, indexName: text })
        yield* equals(answer, "a configuration with", body, { ...connected, indexName: "second" })
      })
    ),
    misses(
      check,
      update,
      "The configuration of a bot",
      admin,
      Effect.map(missingBot, ({ params }) => ({ params, payload: settings }))
    )
  ]
}

const factList: List = {
  name: "adminBots.listFacts",
  items: "facts",
  id: "botFactId",
  text: "factText",
  needs: admin,
  makes: admin,
  given: Effect.map(Given.bot(), ({ botId }) => ({
    input: { params: { botId } },
    make: (text) => fact(botId, text)
  }))
}

/** The checks of what admins need to keep bots. */
export const administration: ReadonlyArray<Check> = [
  ...listChecks(check, {
    ...bots,
    name: "adminBots.list",
    text: "displayName",
    given: Effect.succeed({ input: {}, make: (text) => named(text) })
  }),
  check(
    "adminBots.list/has-bots-that-cannot-be-used",
    { title: "Admins see bots that are not active, or not public", source: decision, needs: admin },
    Effect.gen(function* () {
      for (const payload of [{ isActive: false }, { isPublic: false }]) {
        const { botId, code } = yield* Given.bot(payload)
        const answer = yield* ok("adminBots.list", { query: { SearchFor: code } })
        const items = yield* itemsOf(answer, {
          botId: Schema.String,
          isActive: Schema.Boolean,
          isPublic: Schema.Boolean
        })
        yield* equals(answer, "items", items, [{ botId, isActive: true, isPublic: true, ...payload }])
      }
    })
  ),
  described(
    check,
    "adminBots.create",
    "A new bot is answered with its id, and is as it was made",
    admin,
    Effect.gen(function* () {
      const { name } = yield* Target
      const code = name("bot")
      const texts = { baseSystemMessage: "Answer in one sentence. é🙂", modelName: "a-model" }
      const payload = {
        ...Given.botPayload(code),
        ...texts,
        displayMessageTv: term("Ask me."),
        descriptionTv: term("A bot."),
        sampleQuestion1Tv: term("One?"),
        sampleQuestion2Tv: term("Two?")
      }
      const { answer, id: botId } = yield* Given.createdBot(ask("adminBots.create", { payload }))
      yield* conforms(answer)
      const read = yield* seen(
        "adminBots.get",
        { params: { botId } },
        {
          code: text,
          displayNameTv: Term,
          displayMessageTv: Term,
          descriptionTv: Term,
          sampleQuestion1Tv: Term,
          sampleQuestion2Tv: Term,
          isActive: Schema.Boolean,
          isPublic: Schema.Boolean,
          baseSystemMessage: text,
          modelName: text
        }
      )
      yield* equals(read.answer, "a bot", read.body, payload)
    })
  ),
  check(
    "adminBots.create/refuses-a-code-that-is-taken",
    { title: "No two bots have the same code: 409", source: decision, needs: admin },
    Effect.gen(function* () {
      const { code } = yield* Given.bot()
      yield* hasStatus(yield* ask("adminBots.create", { payload: Given.botPayload(code) }), 409)
    })
  ),
  check(
    "adminBots.create/refuses-other-types",
    { title: "A bot of a type that there is not is 400", source: decision, needs: admin },
    Effect.gen(function* () {
      const { name } = yield* Target
      const payload = { ...Given.botPayload(name("bot")), implementationType: "Nothing" }
      yield* hasStatus(yield* ask("adminBots.create", { payload }), 400)
    })
  ),
  refuses(check, "adminBots.create", "a code and a name", admin, Effect.succeed({}), [
    {},
    { code: "code" },
    { displayNameTv: term("Name") },
    { code: "", displayNameTv: term("Name") }
  ]),
  ...listChecks(check, {
    ...bots,
    name: "adminBots.listStartBots",
    items: "start bots",
    text: "displayName",
    given: Effect.succeed({ input: {}, make: (text) => named(text, { implementationType: "Start" }) })
  }),
  check(
    "adminBots.listStartBots/has-start-bots-alone",
    { title: "A bot that routes to none is no start bot for admins either", source: decision, needs: admin },
    Effect.gen(function* () {
      const { code } = yield* Given.bot()
      const answer = yield* ok("adminBots.listStartBots", { query: { SearchFor: code } })
      yield* equals(answer, "items", yield* itemsOf(answer, { botId: Schema.String }), [])
    })
  ),
  described(
    check,
    "adminBots.implementationTypes",
    "The types of bots are texts, and there is one at least",
    admin,
    Effect.gen(function* () {
      const answer = yield* success("adminBots.implementationTypes")
      const types = yield* json(answer)
      yield* holds(answer, Array.isArray(types) && types.length > 0, "a list with a text")
    })
  ),
  check(
    "adminBots.setStopped/answers-as-described",
    {
      title: "While bots are stopped none answers, and afterwards they do again",
      source: contract,
      needs: stopping,
      isAlone: true,
      also: ["chats.complete"]
    },
    Effect.gen(function* () {
      const { answer } = yield* stoppable
      yield* success("adminBots.setStopped", { params: { isStopAllBots: "True" } })
      const stopped = yield* prepared(answer)
      yield* holds(stopped, stopped.status !== 200, "no answer")
      yield* success("adminBots.setStopped", { params: { isStopAllBots: "False" } })
      yield* hasStatus(yield* prepared(answer), 200)
    })
  ),
  check(
    "adminBots.setStopped/stops-with-503",
    {
      title: "While bots are stopped, a question is 503",
      source: decision,
      needs: stopping,
      isAlone: true,
      also: ["chats.complete"]
    },
    Effect.gen(function* () {
      const { answer } = yield* stoppable
      yield* prepared(ok("adminBots.setStopped", { params: { isStopAllBots: "true" } }))
      yield* hasStatus(yield* answer, 503)
    })
  ),
  check(
    "adminBots.setStopped/refuses-what-is-neither-true-nor-false",
    {
      title: "What is neither true nor false is 400, and stops nothing",
      source: decision,
      needs: stopping,
      isAlone: true
    },
    Effect.gen(function* () {
      const { answer } = yield* stoppable
      yield* hasStatus(yield* ask("adminBots.setStopped", { params: { isStopAllBots: "xyz" } }), 400)
      yield* hasStatus(yield* prepared(answer), 200)
    })
  ),
  described(
    check,
    "adminBots.get",
    "A bot is answered with its id and its code, and its caller administers it",
    admin,
    Effect.gen(function* () {
      const { botId, code } = yield* Given.bot()
      const answer = yield* success("adminBots.get", { params: { botId } })
      const body = yield* fields(answer, { botId: Schema.String, code: text, isBotAdmin: Schema.Boolean })
      yield* equals(answer, "a bot", body, { botId, code, isBotAdmin: true })
    })
  ),
  misses(check, "adminBots.get", "A bot", admin, missingBot),
  described(
    check,
    "adminBots.update",
    "A bot that is changed is what it was changed to, and the answer is empty",
    admin,
    Effect.gen(function* () {
      const { name } = yield* Target
      const { botId } = yield* Given.bot()
      const payload = {
        code: name("bot"),
        displayNameTv: term("Other"),
        descriptionTv: term("Another."),
        isActive: false,
        isPublic: false,
        baseSystemMessage: "Be long.",
        userLogins: "ada, grace"
      }
      yield* success("adminBots.update", { params: { botId }, payload })
      const { answer, body } = yield* seen(
        "adminBots.get",
        { params: { botId } },
        {
          code: text,
          displayNameTv: Term,
          descriptionTv: Term,
          isActive: Schema.Boolean,
          isPublic: Schema.Boolean,
          baseSystemMessage: text,
          userLogins: text
        }
      )
      yield* equals(answer, "a bot", body, payload)
    })
  ),
  check(
    "adminBots.update/refuses-a-code-that-is-taken",
    { title: "No bot takes the code of another: 409", source: decision, needs: admin },
    Effect.gen(function* () {
      const [{ botId }, { code }] = [yield* Given.bot(), yield* Given.bot()]
      yield* hasStatus(yield* ask("adminBots.update", { params: { botId }, payload: Given.botPayload(code) }), 409)
    })
  ),
  misses(check, "adminBots.update", "A bot", admin, missingBot),
  removes(
    check,
    "adminBots.delete",
    "A bot",
    admin,
    "adminBots.get",
    Effect.map(Given.bot(), ({ botId }) => ({ params: { botId } }))
  ),
  misses(check, "adminBots.delete", "A bot", admin, missingBot),
  ...listChecks(check, factList),
  misses(check, "adminBots.listFacts", "The facts of a bot", admin, missingBot),
  described(
    check,
    "adminBots.createFact",
    "A new fact is answered with its id, and is one of the bot",
    admin,
    Effect.gen(function* () {
      const { botId } = yield* Given.bot()
      const factText = "Zebras are striped. é🙂"
      const answer = yield* success("adminBots.createFact", { params: { botId }, payload: factPayload(factText) })
      const { botFactId } = yield* fields(answer, { botFactId: Schema.NonEmptyString })
      const read = yield* factsOf(botId)
      yield* equals(read.answer, "facts", read.body.items, [{ botFactId, factText, isActive: true }])
    })
  ),
  refuses(
    check,
    "adminBots.createFact",
    "a factText",
    admin,
    Effect.map(Given.bot(), ({ botId }) => ({ params: { botId } })),
    [{}, { factText: "", isActive: true }]
  ),
  misses(
    check,
    "adminBots.createFact",
    "A fact of a bot",
    admin,
    Effect.succeed({ params: { botId: nobodys }, payload: factPayload("A fact.") })
  ),
  described(
    check,
    "adminBots.updateFact",
    "A fact that is changed is what it was changed to, and the answer is empty",
    admin,
    Effect.gen(function* () {
      const { botId } = yield* Given.bot()
      const botFactId = yield* fact(botId, "Zebras are striped.")
      const payload = { factText: "Zebras are horses.", isActive: false }
      yield* success("adminBots.updateFact", { params: { botId, botFactId }, payload })
      const { answer, body } = yield* factsOf(botId)
      yield* equals(answer, "facts", body.items, [{ botFactId, ...payload }])
    })
  ),
  misses(check, "adminBots.updateFact", "A fact", admin, missingFact),
  described(
    check,
    "adminBots.deleteFact",
    "A fact that is deleted is gone, another one is not, and the answer is empty",
    admin,
    Effect.gen(function* () {
      const { botId } = yield* Given.bot()
      const gone = yield* fact(botId, "Zebras are striped.")
      const kept = yield* fact(botId, "Zebras are horses.")
      yield* success("adminBots.deleteFact", { params: { botId, botFactId: gone } })
      const { answer, body } = yield* factsOf(botId)
      const ids = body.items.map(({ botFactId }) => botFactId)
      yield* equals(answer, "facts", ids, [kept])
    })
  ),
  misses(check, "adminBots.deleteFact", "A fact", admin, missingFact),
  ...listChecks(check, {
    ...bots,
    name: "adminBots.listLinks",
    items: "links",
    text: "botDisplayName",
    given: Effect.map(Given.startBot, ({ botId: startBotId }) => ({
      input: { params: { startBotId } },
      make: (text) => Effect.tap(named(text), (botId) => Given.link(startBotId, botId))
    }))
  }),
  misses(check, "adminBots.listLinks", "The links of a start bot", admin, missingBot),
  ...listChecks(check, {
    ...bots,
    name: "adminBots.listUnassigned",
    items: "bots without a link",
    text: "botDisplayName",
    given: Effect.map(Given.startBot, ({ botId: startBotId }) => ({
      input: { params: { startBotId } },
      make: (text) => named(text)
    }))
  }),
  check(
    "adminBots.listUnassigned/leaves-out-what-is-linked",
    { title: "A bot that is linked is not among those that could be", source: decision, needs: admin },
    Effect.gen(function* () {
      const { botId: startBotId } = yield* Given.startBot
      const { botId, code } = yield* Given.bot()
      const input = { params: { startBotId }, query: { SearchFor: code } }
      yield* Given.link(startBotId, botId)
      const answer = yield* ok("adminBots.listUnassigned", input)
      yield* equals(answer, "items", yield* itemsOf(answer, { botId: Schema.String }), [])
    })
  ),
  misses(check, "adminBots.listUnassigned", "The bots without a link to a start bot", admin, missingBot),
  described(
    check,
    "adminBots.createLink",
    "A link that is made is one of the start bot, and the answer is empty",
    admin,
    Effect.gen(function* () {
      const params = yield* pair
      yield* success("adminBots.createLink", { params, payload: linkPayload })
      const { answer, body } = yield* linksOf(params.startBotId)
      yield* equals(answer, "links", body.items, [{ botId: params.botId, ...linkPayload }])
    })
  ),
  check(
    "adminBots.createLink/refuses-a-second-one",
    { title: "A bot that is linked is not linked again: 409", source: decision, needs: admin },
    Effect.gen(function* () {
      const params = yield* pair
      yield* Given.link(params.startBotId, params.botId)
      yield* hasStatus(yield* ask("adminBots.createLink", { params, payload: linkPayload }), 409)
    })
  ),
  misses(
    check,
    "adminBots.createLink",
    "A link to a bot",
    admin,
    Effect.map(Given.startBot, ({ botId }) => ({
      params: { startBotId: botId, botId: nobodys },
      payload: linkPayload
    }))
  ),
  described(
    check,
    "adminBots.updateLink",
    "A link that is changed is what it was changed to, and the answer is empty",
    admin,
    Effect.gen(function* () {
      const params = yield* pair
      yield* Given.link(params.startBotId, params.botId)
      yield* success("adminBots.updateLink", { params, payload: linkPayload })
      const { answer, body } = yield* linksOf(params.startBotId)
      yield* equals(answer, "links", body.items, [{ botId: params.botId, ...linkPayload }])
    })
  ),
  check(
    "adminBots.updateLink/leaves-one-default",
    {
      title: "A start bot has one default bot: making another one the default takes it from the first",
      source: decision,
      needs: admin
    },
    Effect.gen(function* () {
      const { botId: first, startBotId } = yield* pair
      const { botId: second } = yield* Given.bot()
      yield* Given.link(startBotId, first, { isDefaultBot: true })
      yield* Given.link(startBotId, second)
      yield* ok("adminBots.updateLink", { params: { startBotId, botId: second }, payload: linkPayload })
      const { answer, body } = yield* linksOf(startBotId)
      const defaults = body.items.filter(({ isDefaultBot }) => isDefaultBot).map(({ botId }) => botId)
      yield* equals(answer, "default bots", defaults, [second])
    })
  ),
  misses(check, "adminBots.updateLink", "A link", admin, missingLink),
  described(
    check,
    "adminBots.deleteLink",
    "A link that is deleted is gone, the bot is not, and the answer is empty",
    admin,
    Effect.gen(function* () {
      const params = yield* pair
      yield* Given.link(params.startBotId, params.botId)
      yield* success("adminBots.deleteLink", { params })
      const { answer, body } = yield* linksOf(params.startBotId)
      yield* equals(answer, "links", body.items, [])
      yield* prepared(ok("adminBots.get", { params: { botId: params.botId } }))
    })
  ),
  misses(check, "adminBots.deleteLink", "A link", admin, missingLink),
  ...listChecks(check, {
    name: "adminBots.listFeedback",
    items: "feedbacks",
    id: "id",
    text: "userComment",
    needs: admin,
    makes: user,
    given: Effect.map(Given.bot(), ({ botId }) => ({
      input: { params: { botId } },
      make: (text) => feedback(botId, text)
    }))
  }),
  check(
    "adminBots.listFeedback/has-what-was-said",
    {
      title: "A feedback has the question, the answer, the comment and the vote that it was given with",
      source: contract,
      needs: user,
      also: ["chats.feedback"]
    },
    Effect.gen(function* () {
      const { botId } = yield* Given.bot()
      const id = yield* feedback(botId, "Good.", -1)
      const answer = yield* ok("adminBots.listFeedback", { params: { botId } })
      const items = yield* itemsOf(answer, said)
      yield* equals(answer, "items", items, [
        { id, userMessage: "What?", assistantMessage: "That.", userComment: "Good.", voteId: -1 }
      ])
    })
  ),
  check(
    "adminBots.listFeedback/selects",
    {
      title: "Feedbacks can be asked for by their vote, and by whether they have a status, and which",
      source: decision,
      needs: user,
      also: ["adminBots.updateFeedback"]
    },
    Effect.gen(function* () {
      const { botId } = yield* Given.bot()
      const fresh = yield* feedback(botId, "Good.", 1)
      const done = yield* feedback(botId, "Bad.", -1)
      const params = { botId, feedbackId: done }
      yield* prepared(ok("adminBots.updateFeedback", { params, payload: { status: 2 } }))
      for (const [query, wanted] of [
        [{ FilterByVote: 1 }, [fresh]],
        [{ FilterByVote: -1 }, [done]],
        [{ ShowFeedbacksWithoutStatus: true }, [fresh]],
        [{ ShowFeedbacksWithStatus: true }, [done]],
        [{ ShowFeedbacksWithStatus: "True", FilterByStatus: 1 }, []]
      ] as const) {
        const answer = yield* ok("adminBots.listFeedback", { params: { botId }, query })
        const items = yield* itemsOf(answer, { id: Schema.String })
        yield* equals(
          answer,
          "items",
          items.map(({ id }) => id),
          [...wanted]
        )
      }
    })
  ),
  misses(check, "adminBots.listFeedback", "The feedback about a bot", admin, missingBot),
  described(
    check,
    "adminBots.updateFeedback",
    "A feedback that an admin has looked at has the status and the comment, and the answer is empty",
    user,
    Effect.gen(function* () {
      const { botId } = yield* Given.bot()
      const feedbackId = yield* feedback(botId, "Good.")
      const payload = { status: 2, adminComment: "Thanks." }
      yield* success("adminBots.updateFeedback", { params: { botId, feedbackId }, payload })
      const read = yield* prepared(ok("adminBots.listFeedback", { params: { botId } }))
      const items = yield* prepared(itemsOf(read, { status: Schema.Finite, adminComment: text }))
      yield* equals(read, "items", items, [payload])
    })
  ),
  misses(
    check,
    "adminBots.updateFeedback",
    "A feedback",
    admin,
    Effect.map(Given.bot(), ({ botId }) => ({ params: { botId, feedbackId: nobodys }, payload: { status: 1 } }))
  ),
  ...configurationChecks(
    ["adminBots.getAcsConfiguration", "adminBots.updateAcsConfiguration"],
    "A configuration for Azure Cognitive Search",
    { indexName: "index", indexFields: "title,text", useSemanticSearch: true, maxResults: 5, maxCharsTotal: 4000 }
  ),
  ...configurationChecks(
    ["adminBots.getSearchConfiguration", "adminBots.updateSearchConfiguration"],
    "A configuration for Azure OpenAI with search",
    {
      indexName: "index",
      embeddingModelName: "model",
      maxResults: 5,
      temperature: 0.5,
      searchFilter: "a eq 1",
      searchStrictness: 3,
      searchShouldRestrictResultScope: true
    }
  ),
  described(
    check,
    "adminBots.getConfiguration",
    "The configuration of a bot is a text, or none",
    admin,
    Effect.gen(function* () {
      const { botId } = yield* Given.bot()
      const answer = yield* success("adminBots.getConfiguration", { params: { botId } })
      yield* fields(answer, { configurationRaw: text })
    })
  ),
  misses(check, "adminBots.getConfiguration", "The configuration of a bot", admin, missingBot),
  described(
    check,
    "adminBots.updateConfiguration",
    "A configuration that is stored is told letter by letter, and the answer is empty",
    admin,
    Effect.gen(function* () {
      const { botId } = yield* Given.bot()
      const configurationRaw = '{ "a":  [1, "é🙂"] }\n'
      yield* success("adminBots.updateConfiguration", { params: { botId }, payload: { configurationRaw } })
      const { answer, body } = yield* seen(
        "adminBots.getConfiguration",
        { params: { botId } },
        { configurationRaw: text }
      )
      yield* equals(answer, "configurationRaw", body.configurationRaw, configurationRaw)
    })
  ),
  misses(
    check,
    "adminBots.updateConfiguration",
    "The configuration of a bot",
    admin,
    Effect.succeed({ params: { botId: nobodys }, payload: { configurationRaw: "{}" } })
  )
]
