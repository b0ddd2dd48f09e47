import { Access, ruled } from "@effect-chatbot/api/Access"
import { Api } from "@effect-chatbot/api/Api"
import { IdempotencyKeys } from "@effect-chatbot/api/middleware/IdempotencyKeys"
import { errorClassOf } from "@effect-chatbot/api/Problem"
import { RetryClass } from "@effect-chatbot/api/RetryClass"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import type * as Schema from "effect/Schema"

const endpoints = Object.values(Api.groups).flatMap((group) =>
  Object.values(group.endpoints).map((endpoint) => ({
    name: `${group.identifier}.${endpoint.identifier}`,
    method: endpoint.method,
    has: (key: typeof Access | typeof RetryClass) => endpoint.annotations.mapUnsafe.has(key.key),
    access: Context.get(endpoint.annotations, Access),
    retry: Context.get(endpoint.annotations, RetryClass),
    hasKeys: Array.from(endpoint.middlewares, ({ key }) => key).includes(IdempotencyKeys.key),
    errors: [...endpoint.error].map((error) => errorClassOf(error as Schema.Constraint)?.identifier)
  }))
)

describe("every endpoint", () => {
  it("says itself who may call it and whether it may be sent again", () => {
    assert.strictEqual(endpoints.length, 73)
    for (const endpoint of endpoints) {
      assert.isTrue(endpoint.has(Access) && endpoint.has(RetryClass), endpoint.name)
    }
  })

  it("cannot be part of a contract without saying who may call it", () => {
    const group = HttpApiGroup.make("group").add(
      HttpApiEndpoint.get("open", "/open").annotate(Access, "Anyone"),
      HttpApiEndpoint.get("forgotten", "/forgotten").annotate(RetryClass, "safe")
    )
    const api = HttpApi.make("test").add(group)
    assert.throws(() => api.pipe(ruled), "No rule says who may call group.forgotten:")
    // What the whole is annotated with is no rule of an endpoint.
    assert.throws(() => api.annotate(Access, "Admin").pipe(ruled), "group.forgotten")
    const rest = HttpApi.make("test").add(Api.groups.chats)
    assert.strictEqual(rest.pipe(ruled), rest)
  })

  it("is sent again by what it does, not by its method", () => {
    assert.deepStrictEqual(
      endpoints.filter(({ retry }) => retry === "never").map(({ name }) => name),
      ["bots.stopAll"]
    )
    assert.deepStrictEqual(
      endpoints.filter(({ method, retry }) => method === "POST" && retry !== "keyed").map(({ name }) => name),
      ["bots.search", "chats.stop"]
    )
    assert.deepStrictEqual(
      endpoints.filter(({ method, retry }) => method !== "POST" && retry === "keyed").map(({ name }) => name),
      []
    )
  })

  it("honours idempotency keys where it is keyed, and nowhere else", () => {
    for (const { errors, hasKeys, name, retry } of endpoints) {
      assert.strictEqual(hasKeys, retry === "keyed", name)
      const keyErrors = errors.filter((tag) => tag?.startsWith("IdempotencyKey"))
      assert.deepStrictEqual(keyErrors, hasKeys ? ["IdempotencyKeyInUse", "IdempotencyKeyReused"] : [], name)
    }
  })

  it("of administration is for admins", () => {
    assert.deepStrictEqual(
      endpoints
        .filter(({ access }) => access === "Admin")
        .map(({ name }) => name)
        .toSorted(),
      [
        "admin.createOpenAiService",
        "admin.deleteOpenAiService",
        "admin.getOpenAiService",
        "admin.listOpenAiServices",
        "admin.updateOpenAiService",
        "adminBots.create",
        "adminBots.createFact",
        "adminBots.createLink",
        "adminBots.delete",
        "adminBots.deleteFact",
        "adminBots.deleteLink",
        "adminBots.get",
        "adminBots.getAcsConfiguration",
        "adminBots.getConfiguration",
        "adminBots.getSearchConfiguration",
        "adminBots.implementationTypes",
        "adminBots.list",
        "adminBots.listFacts",
        "adminBots.listFeedback",
        "adminBots.listLinks",
        "adminBots.listStartBots",
        "adminBots.listUnassigned",
        "adminBots.setStopped",
        "adminBots.update",
        "adminBots.updateAcsConfiguration",
        "adminBots.updateConfiguration",
        "adminBots.updateFact",
        "adminBots.updateFeedback",
        "adminBots.updateLink",
        "adminBots.updateSearchConfiguration",
        "bots.stopAll",
        "cache.clear",
        "statistics.recompute",
        "statistics.tokenUsage",
        "system.setStatus"
      ]
    )
  })
})
