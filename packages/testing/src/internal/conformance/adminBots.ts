import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { admin, bots, check, missingBot, named, term } from "./adminGiven.ts"
import { type Check, contract, decision } from "./Check.ts"
import { ask } from "./exchange.ts"
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
import { listChecks } from "./lists.ts"
import { described, misses, refuses, removes } from "./patterns.ts"
import { Target } from "./Target.ts"

const Term = Schema.Struct({ value: text, valueDe: text })

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

/** The checks of bots, as admins keep them, and of stopping them. */
export const adminBots: ReadonlyArray<Check> = [
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
  misses(check, "adminBots.delete", "A bot", admin, missingBot)
]
