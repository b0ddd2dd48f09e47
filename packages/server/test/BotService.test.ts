import type { Caller } from "@effect-chatbot/api/middleware/Authorization"
import { BotId } from "@effect-chatbot/schema/Ids"
import type { PageQuery } from "@effect-chatbot/schema/Page"
import { BotService } from "@effect-chatbot/server/BotService"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Services from "./support/TestServices.ts"

type Env = Layer.Success<typeof Services.layer>

const test = <A, E>(effect: Effect.Effect<A, E, Env>) => Effect.provide(effect, Services.layer)

const tagOf = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.match(effect, { onFailure: (error) => error._tag, onSuccess: () => "ok" })

const setUp = Effect.gen(function* () {
  const bots = yield* BotService
  const image = new Uint8Array([1, 2, 3])
  const open = yield* Services.bot({ code: "open", displayName: "Ösi", isOpen: 1, implementationType: "Start", image })
  const plain = yield* Services.bot({ code: "plain", displayName: "plain", description: "Knows INVOICES", image })
  const hidden = yield* Services.bot({ code: "hidden", displayName: "Hidden", isPublic: 0, displayMessage: "Psst" })
  const resting = yield* Services.bot({ code: "resting", displayName: "Resting", isActive: 0, image })
  yield* Services.link(open, plain, "invoice")
  yield* Services.link(open, hidden, "secret", 1)
  yield* Services.link(open, resting, "sleep")
  return { bots, open, plain, hidden, resting, image, ann: yield* Services.user("ann"), boss: yield* Services.admin }
})

describe("BotService", () => {
  it.effect("lists the bots a caller may use, by name", () =>
    test(
      Effect.gen(function* () {
        const { ann, boss, bots, open } = yield* setUp
        const codes = (caller: Caller, query: PageQuery) =>
          Effect.map(bots.list(caller, query), ({ items }) => items.map((_) => _.code))
        assert.deepStrictEqual(yield* codes(ann, {}), ["plain", "open"])
        assert.deepStrictEqual(yield* codes(boss, {}), ["hidden", "plain", "open"])
        assert.deepStrictEqual(yield* codes(Services.anonymous, {}), ["open"])
        assert.deepStrictEqual(yield* codes(boss, { orderBy: "code desc", pageSize: 2 }), ["plain", "open"])
        assert.deepStrictEqual(yield* codes(boss, { orderBy: "isStartBot desc", pageSize: 1 }), ["open"])
        assert.deepStrictEqual(yield* codes(boss, { searchFor: "psst" }), ["hidden"])
        assert.deepStrictEqual(yield* codes(ann, { searchFor: "psst" }), [])
        assert.deepStrictEqual(yield* codes(ann, { searchFor: "invoices" }), ["plain"])
        assert.deepStrictEqual(yield* codes(ann, { searchFor: "ÖS" }), ["open"])
        assert.deepStrictEqual((yield* bots.list(ann, { searchFor: "Ösi" })).items, [
          {
            botId: open,
            code: "open",
            displayName: "Ösi",
            displayMessage: undefined,
            sampleQuestion1: undefined,
            sampleQuestion2: undefined,
            description: undefined,
            modelName: undefined,
            isStartBot: true,
            createdUtc: DateTime.makeUnsafe("2026-01-01T00:00:00.000Z"),
            updatedUtc: DateTime.makeUnsafe("2026-01-01T00:00:00.000Z")
          }
        ])
        for (const orderBy of [
          "botId",
          "displayMessage",
          "sampleQuestion1",
          "sampleQuestion2",
          "description",
          "modelName",
          "createdUtc",
          "updatedUtc"
        ]) {
          assert.strictEqual((yield* codes(boss, { orderBy })).length, 3)
        }
        assert.strictEqual(yield* tagOf(bots.list(boss, { orderBy: "baseSystemMessage" })), "InvalidRequest")
      })
    )
  )

  it.effect("lists start bots, and the bots they route to", () =>
    test(
      Effect.gen(function* () {
        const { ann, boss, bots, hidden, open, plain, resting } = yield* setUp
        const codes = (caller: Caller, startBotId: BotId) =>
          Effect.map(bots.listByStartBot(caller, startBotId, {}), ({ items }) => items.map((_) => _.code))
        assert.deepStrictEqual(
          (yield* bots.startBots(ann, {})).items.map((_) => _.code),
          ["open"]
        )
        assert.deepStrictEqual(yield* codes(ann, open), ["plain"])
        assert.deepStrictEqual(yield* codes(boss, open), ["hidden", "plain"])
        for (const id of [plain, hidden, resting, BotId.make("none")])
          assert.strictEqual(yield* tagOf(codes(ann, id)), "BotNotFound")
      })
    )
  )

  it.effect("has the images of the bots a caller may use", () =>
    test(
      Effect.gen(function* () {
        const { ann, boss, bots, hidden, image, open, plain, resting } = yield* setUp
        assert.deepStrictEqual(yield* bots.image(ann, plain), {
          bytes: image,
          mediaType: "image/png",
          etag: "image-etag"
        })
        assert.strictEqual(yield* tagOf(bots.image(boss, hidden)), "BotImageNotFound")
        assert.strictEqual(yield* tagOf(bots.image(ann, hidden)), "BotNotFound")
        assert.strictEqual(yield* tagOf(bots.image(ann, resting)), "BotNotFound")
        assert.strictEqual(yield* tagOf(bots.image(ann, BotId.make("none"))), "BotNotFound")
        assert.strictEqual(yield* tagOf(bots.image(Services.anonymous, open)), "ok")
        assert.strictEqual(yield* tagOf(bots.image(Services.anonymous, plain)), "BotNotFound")
      })
    )
  )

  it.effect("finds the bot for a message, among those the caller may use", () =>
    test(
      Effect.gen(function* () {
        const { ann, boss, bots, hidden, open, plain, resting } = yield* setUp
        assert.strictEqual(yield* bots.search(ann, open, "Where is my invoice?"), plain)
        assert.strictEqual(yield* bots.search(boss, open, "Tell me a secret"), hidden)
        assert.strictEqual(yield* bots.search(ann, open, "Tell me a secret"), open)
        assert.strictEqual(yield* bots.search(ann, plain, "Where is my invoice?"), plain)
        for (const id of [hidden, resting]) assert.strictEqual(yield* tagOf(bots.search(ann, id, "x")), "BotNotFound")
        assert.strictEqual(yield* Services.count("token_usage"), 4)
      })
    )
  )
})
