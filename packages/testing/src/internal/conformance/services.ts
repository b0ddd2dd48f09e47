import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Check, checksOf, contract } from "./Check.ts"
import { ask } from "./exchange.ts"
import { conforms, equals, fields, ok, seen, success, text } from "./expect.ts"
import * as Given from "./given.ts"
import { listChecks } from "./lists.ts"
import { described, misses, nobodys, refuses, removes } from "./patterns.ts"
import { Target } from "./Target.ts"

const check = checksOf("core")

const admin = ["admin"] as const

const missing = Effect.succeed({
  params: { openAiServiceId: nobodys },
  payload: { displayName: "Service", isActive: false }
})

const service = {
  displayName: text,
  isActive: Schema.Boolean,
  isAzureOpenAiSet: Schema.Boolean,
  azureOpenAiEndpoint: text
}

/** The checks of the OpenAI services that bots answer through. */
export const services: ReadonlyArray<Check> = [
  ...listChecks(check, {
    name: "admin.listOpenAiServices",
    items: "services",
    id: "id",
    text: "displayName",
    needs: admin,
    makes: admin,
    given: Effect.succeed({
      input: {},
      make: (displayName) => Effect.map(Given.service({ displayName }), ({ openAiServiceId }) => openAiServiceId)
    })
  }),
  described(
    check,
    "admin.createOpenAiService",
    "A new service is answered with its id, a text in quotes",
    admin,
    Effect.gen(function* () {
      const { name } = yield* Target
      const payload = { displayName: name("service"), isActive: false, azureOpenAiEndpoint: Given.nowhere }
      const { answer } = yield* Given.createdService(ask("admin.createOpenAiService", { payload }))
      yield* conforms(answer)
    })
  ),
  refuses(check, "admin.createOpenAiService", "a displayName", admin, Effect.succeed({}), [{}, { displayName: "" }]),
  described(
    check,
    "admin.getOpenAiService",
    "A service is answered as it was made, and says whether it has a key",
    admin,
    Effect.gen(function* () {
      for (const [azureOpenAiApiKey, isAzureOpenAiSet] of [
        ["a key", true],
        [null, false]
      ] as const) {
        const { displayName, openAiServiceId } = yield* Given.service({ azureOpenAiApiKey })
        const answer = yield* success("admin.getOpenAiService", { params: { openAiServiceId } })
        const body = yield* fields(answer, service)
        const wanted = { displayName, isActive: false, isAzureOpenAiSet, azureOpenAiEndpoint: Given.nowhere }
        yield* equals(answer, "a service", body, wanted)
      }
    })
  ),
  misses(check, "admin.getOpenAiService", "A service", admin, missing),
  described(
    check,
    "admin.updateOpenAiService",
    "A service that is changed is what it was changed to",
    admin,
    Effect.gen(function* () {
      const { name } = yield* Target
      const { openAiServiceId } = yield* Given.service()
      const changed = { displayName: name("service"), azureOpenAiEndpoint: `${Given.nowhere}other` }
      const payload = { ...changed, isActive: true, isUpdateOpenAi: true, azureOpenAiApiKey: "another key" }
      yield* success("admin.updateOpenAiService", { params: { openAiServiceId }, payload })
      const { answer, body } = yield* seen("admin.getOpenAiService", { params: { openAiServiceId } }, service)
      yield* equals(answer, "a service", body, { ...changed, isActive: true, isAzureOpenAiSet: true })
    })
  ),
  check(
    "admin.updateOpenAiService/keeps-what-is-not-to-change",
    {
      title: "Without isUpdateOpenAi, endpoint and key stay as they are",
      source: contract,
      needs: admin,
      also: ["admin.getOpenAiService"]
    },
    Effect.gen(function* () {
      const { name } = yield* Target
      const { openAiServiceId } = yield* Given.service()
      const displayName = name("service")
      const payload = { displayName, isActive: false, isUpdateOpenAi: false, azureOpenAiEndpoint: null }
      yield* ok("admin.updateOpenAiService", { params: { openAiServiceId }, payload })
      const { answer, body } = yield* seen("admin.getOpenAiService", { params: { openAiServiceId } }, service)
      const kept = { isActive: false, isAzureOpenAiSet: true, azureOpenAiEndpoint: Given.nowhere }
      yield* equals(answer, "a service", body, { displayName, ...kept })
    })
  ),
  misses(check, "admin.updateOpenAiService", "A service", admin, missing),
  removes(
    check,
    "admin.deleteOpenAiService",
    "A service",
    admin,
    "admin.getOpenAiService",
    Effect.map(Given.service(), ({ openAiServiceId }) => ({ params: { openAiServiceId } }))
  ),
  misses(check, "admin.deleteOpenAiService", "A service", admin, missing)
]
