import { OpenAiServiceId } from "@effect-chatbot/schema/Ids"
import { AzureConfigurations } from "@effect-chatbot/server/AzureConfigurations"
import { BotAdministration } from "@effect-chatbot/server/BotAdministration"
import { IdempotencyKeys } from "@effect-chatbot/server/IdempotencyKeys"
import { OpenAiServices } from "@effect-chatbot/server/OpenAiServices"
import { OpenAiServiceRepository } from "@effect-chatbot/server/repositories/OpenAiServiceRepository"
import { SealedRepository, type SealedRow } from "@effect-chatbot/server/repositories/SealedRepository"
import * as SealedPlaces from "@effect-chatbot/server/SealedPlaces"
import * as SecretBox from "@effect-chatbot/server/SecretBox"
import * as SecretRotation from "@effect-chatbot/server/SecretRotation"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import * as Fake from "./support/FakeProvider.ts"
import { apiKey } from "./support/ModelBots.ts"
import { send } from "./support/raw.ts"
import { TestBackend } from "./support/TestBackend.ts"
import * as Services from "./support/TestServices.ts"

const keyOf = (byte: number) => Redacted.make(Base64.encode(new Uint8Array(32).fill(byte)))

const [first, second, third] = [keyOf(1), keyOf(2), keyOf(3)]

const purposeOf = SealedPlaces.apiKey.purpose

const box = (key: Redacted.Redacted, previous?: Redacted.Redacted) =>
  Layer.provide(SecretBox.layer({ key, previous, file: "no file" }), FileSystem.layerNoop({}))

const withBox = <A, E, R>(
  use: (box: SecretBox.SecretBox["Service"]) => Effect.Effect<A, E, R>,
  ...keys: Parameters<typeof box>
) => Effect.flatMap(SecretBox.SecretBox, use).pipe(Effect.provide(box(...keys), { local: true }))

describe("a secret box with the key before", () => {
  it.effect("opens what that sealed, and seals it anew once", () =>
    Effect.gen(function* () {
      const sealed = yield* withBox((box) => box.seal(Redacted.make("secret"), purposeOf("test")), first)
      const resealed = yield* withBox(
        Effect.fnUntraced(function* (box) {
          assert.strictEqual(Redacted.value(yield* box.open(sealed, purposeOf("test"))), "secret")
          const resealed = (yield* box.reseal(sealed, purposeOf("test"))) ?? assert.fail()
          assert.isUndefined(yield* box.reseal(resealed, purposeOf("test")))
          assert.strictEqual((yield* Effect.flip(box.reseal(sealed, purposeOf("other"))))._tag, "SecretUnreadable")
          return resealed
        }),
        second,
        first
      )
      const opened = yield* withBox((box) => box.open(resealed, purposeOf("test")), second)
      assert.strictEqual(Redacted.value(opened), "secret")
      for (const key of [first, third]) {
        const error = yield* Effect.flip(withBox((box) => box.open(resealed, purposeOf("test")), key))
        assert.strictEqual(error._tag, "SecretUnreadable")
      }
    })
  )

  it.effect("refuses one that is no key, by its name", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(withBox(() => Effect.void, first, Redacted.make("short")))
      assert.strictEqual(error.message, "CHATBOT_SECRET_KEY_PREVIOUS must hold 32 random bytes in Base64")
    })
  )
})

describe("the rotation of the secret key", () => {
  it.effect("seals every secret anew, and leaves those alone that it cannot open", () =>
    Effect.gen(function* () {
      const services = yield* OpenAiServiceRepository
      const now = yield* DateTime.now
      const ids = Array.from({ length: 203 }, (_, index) => OpenAiServiceId.make(`service-${index}`))
      const insert = (key: Redacted.Redacted, ids: ReadonlyArray<OpenAiServiceId>) =>
        withBox(
          (box) =>
            Effect.forEach(ids, (id) =>
              Effect.flatMap(box.seal(Redacted.make(id), purposeOf(id)), (apiKey) =>
                services.insert(id, { displayName: id, isActive: true, endpoint: undefined, apiKey }, now)
              )
            ),
          key
        )
      const lost = OpenAiServiceId.make("lost")
      yield* insert(first, ids)
      yield* insert(third, [lost])
      yield* services.insert(
        OpenAiServiceId.make("keyless"),
        { displayName: "-", isActive: true, endpoint: undefined, apiKey: undefined },
        now
      )
      const before = yield* services.find(lost)

      const warn = (key: Redacted.Redacted) => Effect.provide(SecretRotation.warn, box(key), { local: true })
      // Of the first 100, by their ids.
      assert.strictEqual(yield* warn(second), 100)
      assert.strictEqual(yield* warn(first), 1)
      assert.strictEqual(yield* warn(third), 99)

      const rotate = Effect.provide(SecretRotation.rotate, box(second, first), { local: true })
      assert.strictEqual(yield* rotate, ids.length)
      assert.strictEqual(yield* rotate, 0)

      assert.deepStrictEqual(yield* services.find(lost), before)
      yield* withBox(
        Effect.fnUntraced(function* (box) {
          for (const id of ids) {
            const { apiKey = assert.fail() } = (yield* services.find(id)) ?? assert.fail()
            assert.strictEqual(Redacted.value(yield* box.open(apiKey, purposeOf(id))), id)
          }
        }),
        second
      )
    }).pipe(
      Effect.provide(
        Layer.mergeAll(OpenAiServiceRepository.layer, SealedRepository.layer).pipe(
          Layer.provideMerge(Services.database)
        )
      ),
      Effect.provideService(References.MinimumLogLevel, "None")
    )
  )

  /** The columns of bytes that nothing is sealed in. */
  const open = ["bots.image", "completion_events.events", "completion_logs.events", "documents.content"]

  it.effect("reaches every column that has secrets", () =>
    Effect.gen(function* () {
      const azure = yield* AzureConfigurations
      const bots = yield* BotAdministration
      const keys = yield* IdempotencyKeys
      const services = yield* OpenAiServices
      const sql = yield* SqlClient.SqlClient

      const columns = yield* sql.onDialectOrElse({
        pg: () => sql<{ place: string }>`
          SELECT table_name || '.' || column_name AS place FROM information_schema.columns
          WHERE table_schema = 'public' AND data_type = 'bytea'`,
        orElse: () => sql<{ place: string }>`
          SELECT t.name || '.' || c.name AS place FROM sqlite_schema t, pragma_table_info(t.name) c
          WHERE t.type = 'table' AND c.type = 'BLOB' AND t.name NOT LIKE 'passages_search%'`
      })
      assert.sameMembers(
        columns.map(({ place }) => place),
        [...open, ...SealedPlaces.all.map(({ secret, table }) => `${table}.${secret}`)]
      )

      const secret = Redacted.make("https://secret.example.org")
      yield* services.create({ displayName: "Models", isActive: true, azureOpenAiApiKey: secret })
      const body = new TextEncoder().encode(Redacted.value(secret))
      const caller = yield* Services.user("ann")
      yield* keys.atOnce({ key: "key", caller, endpoint: "endpoint", params: {}, body }, Effect.void, () =>
        Effect.succeed({ status: 200, contentType: "text/plain", body })
      )
      const bot = { code: "azure", displayNameTv: { value: "Azure" }, isActive: true, isPublic: true }
      const botId = yield* bots.create(bot)
      const change = {
        isUpdateBlobClient: true,
        blobClientConnectionString: secret,
        isUpdateSearchClient: true,
        searchClientCredential: secret,
        useSemanticSearch: false
      }
      yield* azure.setAcs(botId, change)
      yield* azure.setSearch(botId, change)

      const rotate = Effect.provide(SecretRotation.rotate, box(second, Services.secretKey), { local: true })
      assert.strictEqual(yield* Effect.provide(SecretRotation.warn, box(second), { local: true }), 5)
      assert.strictEqual(yield* rotate, 6)
      assert.strictEqual(yield* rotate, 0)
      const opened = yield* withBox(
        Effect.fnUntraced(function* (box) {
          const stored = yield* SealedRepository
          const texts: Array<string> = []
          for (const place of SealedPlaces.all) {
            for (let after: SealedRow | undefined; texts.length < 10;) {
              const [row] = yield* stored.list(place, after, 1)
              if (row === undefined) break
              texts.push(Redacted.value(yield* box.open(row.sealed, place.purpose(row.id, row.part))))
              after = row
            }
          }
          return texts
        }),
        second
      )
      assert.deepStrictEqual(
        opened,
        Array.from({ length: 6 }, () => Redacted.value(secret))
      )
    }).pipe(
      Effect.provide(Layer.provideMerge(SealedRepository.layer, Services.layer)),
      Effect.provideService(References.MinimumLogLevel, "None")
    )
  )

  it.live(
    "lets the backend go on with its keys and its answers when the old key is gone",
    () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const dataDir = yield* fs.makeTempDirectoryScoped()
        const fake = yield* Fake.make

        const backend = <A, E>(
          effect: Effect.Effect<A, E, TestBackend | SqlClient.SqlClient | Scope.Scope>,
          secretKey: Redacted.Redacted,
          secretKeyPrevious?: Redacted.Redacted
        ) =>
          Effect.scoped(
            Effect.provide(effect, TestBackend.layerWith({ dataDir, secretKey, secretKeyPrevious }), { local: true })
          )

        yield* backend(
          Effect.gen(function* () {
            const { client } = yield* TestBackend
            const sql = yield* SqlClient.SqlClient
            const { admin } = yield* client("admin")
            const openAiServiceId = yield* admin.openAiServices.create({
              displayName: "Models",
              isActive: true,
              azureOpenAiEndpoint: fake.url,
              azureOpenAiApiKey: Redacted.make(apiKey)
            })
            yield* sql`UPDATE bots SET ${sql.update({ openAiServiceId, modelName: "m" })} WHERE code = 'client'`
          }),
          first
        )

        /** What comes of a question to a model, and whether a request with an idempotency key was answered before. */
        const talk = Effect.gen(function* () {
          const { adminToken: token, client } = yield* TestBackend
          const { chats } = yield* client("admin")
          const { chatId } = yield* chats.createByBotCode("client")
          const answer = yield* Effect.match(chats.complete(chatId, "Hi?"), {
            onFailure: ({ message }) => message,
            onSuccess: ({ assistantMessage }) => assistantMessage
          })
          const created = yield* send("POST", "/api/chats/create/bybotcode", {
            token,
            headers: { "idempotency-key": "the-same-0123456789" },
            body: { botCode: "client" }
          })
          return [answer, created.status, created.headers["idempotency-replayed"]]
        })

        const hello = "Hello!"
        assert.deepStrictEqual(yield* backend(talk, first), [hello, 200, undefined])
        assert.deepStrictEqual(yield* backend(talk, second, first), [hello, 200, "true"])
        assert.deepStrictEqual(yield* backend(talk, second), [hello, 200, "true"])
        const [answer] = yield* backend(talk, first)
        assert.match(answer === undefined ? "" : String(answer), /^The API key .* cannot be read any more/)
        assert.deepStrictEqual(
          fake.asked.map(({ headers }) => headers["authorization"]),
          Array.from({ length: 3 }, () => `Bearer ${apiKey}`)
        )
      }).pipe(Effect.provide(NodeServices.layer)),
    60_000
  )
})
