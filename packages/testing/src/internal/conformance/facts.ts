import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { admin, check, missingBot } from "./adminGiven.ts"
import type { Check } from "./Check.ts"
import { equals, fields, ok, prepared, seen, success, text } from "./expect.ts"
import * as Given from "./given.ts"
import { type List, listChecks } from "./lists.ts"
import { described, misses, nobodys, refuses } from "./patterns.ts"

const factPayload = (factText: string) => ({ isActive: true, factText })

/** A new fact of a bot. It goes with the bot. */
const fact = (botId: string, factText: string) =>
  prepared(
    Effect.flatMap(ok("adminBots.createFact", { params: { botId }, payload: factPayload(factText) }), (answer) =>
      Effect.map(fields(answer, { botFactId: Schema.NonEmptyString }), ({ botFactId }) => botFactId)
    )
  )

const stored = Schema.Struct({ botFactId: Schema.String, factText: text, isActive: Schema.Boolean })

const factsOf = (botId: string) => seen("adminBots.listFacts", { params: { botId } }, { items: Schema.Array(stored) })

const missingFact = Effect.map(Given.bot(), ({ botId }) => ({
  params: { botId, botFactId: nobodys },
  payload: factPayload("A fact.")
}))

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

/** The checks of the facts that bots know. */
export const facts: ReadonlyArray<Check> = [
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
  misses(check, "adminBots.deleteFact", "A fact", admin, missingFact)
]
