import { OpenAiServiceId } from "@effect-chatbot/schema/Ids"
import { OpenAiServices } from "@effect-chatbot/server/OpenAiServices"
import * as SealedPlaces from "@effect-chatbot/server/SealedPlaces"
import * as SecretBox from "@effect-chatbot/server/SecretBox"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import { inspect } from "node:util"
import * as Services from "./support/TestServices.ts"

type Env = Layer.Success<typeof Services.layer>

const test = <A, E>(effect: Effect.Effect<A, E, Env>) => Effect.provide(effect, Services.layer)

const apiKey = "sk-very-secret-0123456789"

const service = {
  displayName: "Azure",
  isActive: true,
  azureOpenAiEndpoint: "https://example.openai.azure.com/",
  azureOpenAiApiKey: Redacted.make(apiKey)
}

const keyOf = (id: OpenAiServiceId) =>
  Effect.gen(function* () {
    const services = yield* OpenAiServices
    const connection = yield* services.connection(id)
    return Option.match(connection, {
      onNone: () => "no service",
      onSome: ({ apiKey }) => (apiKey === undefined ? "no key" : Redacted.value(apiKey))
    })
  })

describe("OpenAiServices", () => {
  it.effect("tells of a service everything but its key", () =>
    test(
      Effect.gen(function* () {
        const services = yield* OpenAiServices
        const id = yield* services.create(service)
        const told = yield* services.get(id)
        assert.deepStrictEqual(told, {
          displayName: "Azure",
          isActive: true,
          isAzureOpenAiSet: true,
          azureOpenAiEndpoint: "https://example.openai.azure.com/"
        })
        assert.deepStrictEqual((yield* services.list({})).items, [{ id, displayName: "Azure", isActive: true }])
        assert.strictEqual(yield* keyOf(id), apiKey)
        assert.notInclude(inspect(yield* services.connection(id), { depth: 9 }), apiKey)
      })
    )
  )

  it.effect("keeps the key encrypted, never twice the same way", () =>
    test(
      Effect.gen(function* () {
        const services = yield* OpenAiServices
        const sql = yield* SqlClient.SqlClient
        yield* services.create(service)
        yield* services.create(service)
        const rows = yield* sql<{ apiKey: Uint8Array }>`SELECT * FROM open_ai_services`
        const [first, second] = rows.map((row) => Buffer.from(row.apiKey))
        assert.isFalse(first?.includes(apiKey))
        assert.isFalse(first?.equals(second ?? Buffer.alloc(0)))
        assert.notInclude(JSON.stringify(rows), apiKey)
      })
    )
  )

  it.effect("opens a key only in the row it was stored in", () =>
    test(
      Effect.gen(function* () {
        const services = yield* OpenAiServices
        const sql = yield* SqlClient.SqlClient
        const one = yield* services.create(service)
        const two = yield* services.create({ ...service, azureOpenAiApiKey: Redacted.make("another") })
        yield* sql`UPDATE open_ai_services SET api_key = (SELECT api_key FROM open_ai_services WHERE id = ${two}) WHERE id = ${one}`
        assert.strictEqual((yield* Effect.flip(services.connection(one)))._tag, "SecretUnreadable")
        assert.strictEqual(yield* keyOf(two), "another")
      })
    )
  )

  it.effect("needs neither an endpoint nor a key", () =>
    test(
      Effect.gen(function* () {
        const services = yield* OpenAiServices
        for (const azureOpenAiApiKey of [undefined, Redacted.make("")]) {
          for (const azureOpenAiEndpoint of [undefined, "", "  "]) {
            const id = yield* services.create({ ...service, azureOpenAiApiKey, azureOpenAiEndpoint })
            const { azureOpenAiEndpoint: endpoint, isAzureOpenAiSet } = yield* services.get(id)
            assert.deepStrictEqual([isAzureOpenAiSet, endpoint, yield* keyOf(id)], [false, undefined, "no key"])
          }
        }
      })
    )
  )

  it.effect("refuses an endpoint that is no http or https URL", () =>
    test(
      Effect.gen(function* () {
        const services = yield* OpenAiServices
        const id = yield* services.create(service)
        for (const azureOpenAiEndpoint of [
          "example.com",
          "ftp://example.com",
          "javascript:alert(1)",
          "file:///etc/passwd",
          "http://"
        ]) {
          const change = { ...service, azureOpenAiEndpoint, isUpdateOpenAi: true }
          for (const call of [Effect.asVoid(services.create(change)), services.update(id, change)]) {
            const error = yield* Effect.flip(call)
            assert.strictEqual(error._tag, "InvalidRequest", azureOpenAiEndpoint)
            assert.deepStrictEqual("issues" in error ? error.issues.map(({ path }) => path) : [], [
              ["payload", "azureOpenAiEndpoint"]
            ])
          }
        }
        yield* services.create({ ...service, azureOpenAiEndpoint: "http://localhost:11434/v1" })
        assert.strictEqual((yield* services.list({})).totalItemCount, 2)
        assert.strictEqual((yield* services.get(id)).azureOpenAiEndpoint, service.azureOpenAiEndpoint)
      })
    )
  )

  it.effect("changes endpoint and key only when told to, and then clears what is absent", () =>
    test(
      Effect.gen(function* () {
        const services = yield* OpenAiServices
        const id = yield* services.create(service)
        const change = {
          displayName: "Renamed",
          isActive: true,
          azureOpenAiEndpoint: "https://other.example",
          azureOpenAiApiKey: undefined
        }
        yield* services.update(id, { ...change, isUpdateOpenAi: false, azureOpenAiApiKey: Redacted.make("ignored") })
        assert.deepStrictEqual(yield* services.get(id), {
          displayName: "Renamed",
          isActive: true,
          isAzureOpenAiSet: true,
          azureOpenAiEndpoint: service.azureOpenAiEndpoint
        })
        assert.strictEqual(yield* keyOf(id), apiKey)

        yield* services.update(id, { ...change, isUpdateOpenAi: true, azureOpenAiApiKey: Redacted.make("new key") })
        assert.deepStrictEqual(
          [(yield* services.get(id)).azureOpenAiEndpoint, yield* keyOf(id)],
          ["https://other.example", "new key"]
        )

        yield* services.update(id, { ...change, isUpdateOpenAi: true, azureOpenAiEndpoint: undefined })
        const cleared = yield* services.get(id)
        assert.deepStrictEqual(
          [cleared.azureOpenAiEndpoint, cleared.isAzureOpenAiSet, yield* keyOf(id)],
          [undefined, false, "no key"]
        )

        yield* services.update(id, { ...change, isActive: false, isUpdateOpenAi: false })
        assert.strictEqual(yield* keyOf(id), "no service")
      })
    )
  )

  it.effect("deletes a service; bots that used it use none", () =>
    test(
      Effect.gen(function* () {
        const services = yield* OpenAiServices
        const sql = yield* SqlClient.SqlClient
        const id = yield* services.create(service)
        yield* Services.bot({ code: "user-of-it", openAiServiceId: id })
        yield* services.delete(id)
        assert.deepStrictEqual(yield* sql`SELECT open_ai_service_id FROM bots`, [{ openAiServiceId: null }])
        const missing = OpenAiServiceId.make("missing")
        for (const each of [id, missing]) {
          for (const call of [
            services.get(each),
            services.delete(each),
            services.update(each, { ...service, isUpdateOpenAi: true })
          ]) {
            assert.strictEqual(
              (yield* Effect.flip(Effect.asVoid<unknown, { readonly _tag: string }, never>(call)))._tag,
              "OpenAiServiceNotFound"
            )
          }
        }
        assert.strictEqual(yield* keyOf(missing), "no service")
      })
    )
  )

  it.effect("lists by name, in any order, with a search", () =>
    test(
      Effect.gen(function* () {
        const services = yield* OpenAiServices
        for (const displayName of ["beta", "Alpha", "GAMMA"])
          yield* services.create({ ...service, displayName, isActive: displayName !== "beta" })
        const names = (query: Parameters<typeof services.list>[0]) =>
          Effect.map(services.list(query), ({ items }) => items.map((_) => _.displayName))
        assert.deepStrictEqual(yield* names({}), ["Alpha", "beta", "GAMMA"])
        assert.deepStrictEqual(yield* names({ searchFor: "AM" }), ["GAMMA"])
        assert.deepStrictEqual((yield* names({ orderBy: "isActive" }))[0], "beta")
        assert.strictEqual((yield* Effect.flip(services.list({ orderBy: "azureOpenAiApiKey" })))._tag, "InvalidRequest")
      })
    )
  )
})

describe("SecretBox", () => {
  const purpose = SealedPlaces.apiKey.purpose("test")

  const build = (options: SecretBox.Options) => Layer.build(SecretBox.layer(options))

  const onDisk = <A, E, R>(use: (folder: string) => Effect.Effect<A, E, R>) =>
    Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped()).pipe(
      Effect.flatMap(use),
      Effect.provide(NodeFileSystem.layer)
    )

  const roundTrip = (options: SecretBox.Options, sealed?: Uint8Array) =>
    Effect.gen(function* () {
      const box = yield* SecretBox.SecretBox
      const bytes = sealed ?? (yield* box.seal(Redacted.make("ключ 🔑"), purpose))
      return { bytes, text: Redacted.value(yield* box.open(bytes, purpose)) }
    }).pipe(Effect.provide(SecretBox.layer(options), { local: true }))

  it.effect("makes a key file that only its owner can read, and uses it from then on", () =>
    onDisk((folder) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const file = `${folder}/secret-key`
        const { bytes } = yield* roundTrip({ file })
        assert.strictEqual((yield* fs.stat(file)).mode & 0o777, 0o600)
        assert.deepStrictEqual(yield* fs.readDirectory(folder), ["secret-key"])
        assert.strictEqual((yield* roundTrip({ file }, bytes)).text, "ключ 🔑")
        const key = yield* fs.readFileString(file)
        assert.strictEqual((yield* roundTrip({ key: Redacted.make(key), file: "none" }, bytes)).text, "ключ 🔑")
      })
    )
  )

  it.effect("makes one key when two start at once", () =>
    onDisk((folder) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const file = `${folder}/secret-key`
        const all = yield* Effect.all(
          Array.from({ length: 5 }, () => roundTrip({ file })),
          { concurrency: "unbounded" }
        )
        for (const { bytes } of all) assert.strictEqual((yield* roundTrip({ file }, bytes)).text, "ключ 🔑")
        assert.deepStrictEqual(yield* fs.readDirectory(folder), ["secret-key"])
      })
    )
  )

  it.effect("leaves a key alone that another made a moment before", () =>
    onDisk((folder) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const file = `${folder}/secret-key`
        const { bytes } = yield* roundTrip({ file })
        const late = { ...fs, exists: () => Effect.succeed(false) }
        const { text } = yield* Effect.provideService(roundTrip({ file }, bytes), FileSystem.FileSystem, late)
        assert.strictEqual(text, "ключ 🔑")
        assert.deepStrictEqual(yield* fs.readDirectory(folder), ["secret-key"])
      })
    )
  )

  it.effect("opens nothing with another key, for another purpose, or after a change", () =>
    Effect.gen(function* () {
      const key = Services.secretKey
      const { bytes } = yield* roundTrip({ key, file: "none" })
      const otherKey = Redacted.make(Base64.encode(new Uint8Array(32).fill(8)))
      assert.strictEqual(
        (yield* Effect.flip(roundTrip({ key: otherKey, file: "none" }, bytes)))._tag,
        "SecretUnreadable"
      )
      for (let index = 0; index < bytes.length; index++) {
        const changed = Uint8Array.from(bytes)
        changed[index] = (changed[index] ?? 0) ^ 1
        assert.strictEqual(
          (yield* Effect.flip(roundTrip({ key, file: "none" }, changed)))._tag,
          "SecretUnreadable",
          `byte ${index}`
        )
      }
      for (const short of [new Uint8Array(0), bytes.slice(0, 5), bytes.slice(0, 20)]) {
        assert.strictEqual((yield* Effect.flip(roundTrip({ key, file: "none" }, short)))._tag, "SecretUnreadable")
      }
    }).pipe(Effect.provide(FileSystem.layerNoop({})))
  )

  it.effect("refuses a key that is none, and does not print it", () =>
    onDisk((folder) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const short = Base64.encode(new Uint8Array(31).fill(1))
        for (const key of [short, "not base64 at all!", "x"]) {
          const error = yield* Effect.flip(Effect.scoped(build({ key: Redacted.make(key), file: "none" })))
          assert.strictEqual(error.message, "CHATBOT_SECRET_KEY must hold 32 random bytes in Base64")
        }
        const file = `${folder}/secret-key`
        yield* fs.writeFileString(file, short)
        const error = yield* Effect.flip(Effect.scoped(build({ file })))
        assert.include(error.message, file)
        assert.notInclude(error.message, short)
        assert.strictEqual(yield* fs.readFileString(file), short)

        const nowhere = yield* Effect.flip(Effect.scoped(build({ file: `${folder}/none/secret-key` })))
        assert.include(nowhere.message, "cannot be read or made")
      })
    )
  )
})
